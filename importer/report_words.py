"""The words of a report that are read back: its sheets, our columns, the states and the verdicts, in every language.

In code each has its English word, which is also what the CSV report and an English workbook have. Whatever the language
that is spoken, a report of each of our languages is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from importer import messages
from importer.languages import LANGUAGES
from importer.messages import gettext_noop, in_all_languages, language, speaking, translated
from importer.model import CHANGED, Status
from importer.names import state_name
from importer.text import unaccented

SUMMARY, REPORT, ISSUES, TO_DECIDE, DETAILS = SHEETS = (
    gettext_noop("Summary"),
    gettext_noop("Report"),
    gettext_noop("Issues"),
    gettext_noop("To decide"),
    gettext_noop("Details"),
)
"""The sheets of a report, in their order."""

HAND_OVER, CASES, EXCEPTIONS, DIFFERENCES = HAND_OVER_SHEETS = (
    gettext_noop("Hand-over"),
    gettext_noop("Cases"),
    gettext_noop("Exceptions"),
    gettext_noop("Differences"),
)
"""The sheets of a hand-over workbook, in their order."""

OWN_COLUMNS: tuple[str, ...] = (
    gettext_noop("row"),
    gettext_noop("status"),
    "wolkvox_id",
    "idPrefijo",
    gettext_noop("message"),
    gettext_noop("sent_at"),
    gettext_noop("run"),
    gettext_noop("reference"),
)
"""The columns that the report adds to the source's own."""

TO_DECIDE_COLUMNS: tuple[str, ...] = (
    *("row", "reference", "status", "sent_at", "sent", "message"),
    gettext_noop("verdict"),
    "wolkvox_id",
    "idPrefijo",
    gettext_noop("attempt"),
)
"""The columns of the sheet `To decide`."""

CREATED_VERDICT, NOT_CREATED_VERDICT = VERDICTS = (gettext_noop("created"), gettext_noop("not created"))
"""What a person can decide about a doubtful row."""

_SHORT_VERDICTS: Mapping[str, str] = {
    "creado": CREATED_VERDICT,
    "criado": CREATED_VERDICT,
    "no creado": NOT_CREATED_VERDICT,
    "nao criado": NOT_CREATED_VERDICT,
}
"""What people also type in Spanish and Portuguese, `unaccented`: the words of the list without `caso`."""

CREATED_NOW, CREATED_BEFORE = gettext_noop("created in this run"), gettext_noop("created before")
UPDATED_NOW = gettext_noop("updated in this run")
"""What the summary calls the rows that are cases, and were updated."""

EDITED_AFTERWARDS = gettext_noop("Edited after its case was created; the case was not changed.")
"""What the message of such a row says."""

_REHEARSED = gettext_noop("rehearsal {id}")
"""How the report of a rehearsal shows an id or a reference, which nothing in the CRM has."""

_PART = gettext_noop("part of row {row}")


_SENT = gettext_noop("cells sent")  # `sent` alone is a word of the history


def column_word(name: str) -> str:
    """Return what the language that is spoken calls a column of the report."""
    return translated(_SENT) if name == "sent" and language() != "en" else translated(name)


def state_word(state: str, first_row: int | None = None) -> str:
    """Return what a report calls the state of a row; of a further line it names the row of its case, but in English."""
    if state == Status.PART and first_row is not None and language() != "en":
        return translated(_PART, row=first_row)
    return state_name(state)


def state_of_word(word: str) -> str:
    """Return the state that a report in any language means by a word; another word stays as it is."""
    if word in _STATES:  # as most are
        return word
    typed = unaccented(word)
    found = _words(_STATES, messages.FOLDER).get(typed)
    return found or (Status.PART if _part_words(messages.FOLDER).fullmatch(typed) else word)


def rehearsed(text: str) -> str:
    """Return how the report of a rehearsal shows an id or a reference."""
    return translated(_REHEARSED, id=text)


def is_rehearsed(text: str) -> bool:
    """Tell whether an id or a reference in a report, in any language, is one of a rehearsal."""
    return bool(_rehearsed(messages.FOLDER).fullmatch(text))


def verdict_of_word(word: str) -> str:
    """Return the verdict that a person chose in any language; another text stays as it is."""
    typed = unaccented(word)
    return _words(VERDICTS, messages.FOLDER).get(typed) or _SHORT_VERDICTS.get(typed, word)


def outcome_of_word(word: str) -> str:
    """Return which line of a summary in any language a name is; another text stays as it is."""
    return _words((CREATED_NOW, CREATED_BEFORE, UPDATED_NOW, *_STATES), messages.FOLDER).get(unaccented(word), word)


def sheet_titles(sheet: str) -> tuple[str, ...]:
    """Return what a sheet of a report is called in each language."""
    return _in_all_languages(sheet, messages.FOLDER)


def sheets_by_language() -> Iterator[dict[str, str]]:
    """Yield the titles of all sheets, by their English ones, in each language."""
    yield from _by_language(SHEETS, messages.FOLDER)


def hand_over_sheets() -> Iterator[dict[str, str]]:
    """Yield the titles of the sheets of a hand-over workbook, by their English ones, in each language."""
    yield from _by_language(HAND_OVER_SHEETS, messages.FOLDER)


def column_words() -> Iterator[Mapping[str, str]]:
    """Yield for each language what the headers mean that are read back: `fila` -> `row`."""
    for headers in _by_language((*OWN_COLUMNS, "verdict", "attempt"), messages.FOLDER):
        yield {header: name for name, header in headers.items()}


_STATES: tuple[str, ...] = (*map(str, Status), CHANGED)


# What follows is kept for as long as the catalogues are those of one folder.


@lru_cache
def _words(codes: tuple[str, ...], folder: str) -> Mapping[str, str]:
    """Return what each word means, in every language and however it is typed."""
    return {unaccented(word): code for code in codes for word in _in_all_languages(code, folder)}


@lru_cache
def _in_all_languages(template: str, _folder: str) -> tuple[str, ...]:
    return in_all_languages(template)


@lru_cache
def _part_words(_folder: str) -> re.Pattern[str]:
    sentences: Iterable[str] = in_all_languages(_PART, row="#")
    return re.compile("|".join(re.escape(unaccented(each)).replace(re.escape("#"), r"\d+") for each in sentences))


@lru_cache
def _rehearsed(_folder: str) -> re.Pattern[str]:
    shown = in_all_languages(_REHEARSED, id="#")
    return re.compile("|".join(re.escape(each).replace(re.escape("#"), r"\S+") for each in shown), re.IGNORECASE)


@lru_cache
def _by_language(words: tuple[str, ...], _folder: str) -> tuple[dict[str, str], ...]:
    """Return the words with what they are called in each language; a language without a catalogue adds none."""
    found: list[dict[str, str]] = []
    for tag in LANGUAGES:
        with speaking(tag):
            called = {word: translated(word) for word in words}
        if called not in found:
            found.append(called)
    return tuple(found)
