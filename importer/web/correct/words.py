"""What the page Correct says: the numbers of a sheet, and what is wrong with a group of cells, in an office's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from importer import CorrectionList, Counts, EarlierCorrection, Issue, LeftOut, Rejection
from importer.messages import _, ngettext, shorten
from importer.model.clicks import PAGES
from importer.web.checking import CheckedSheet
from importer.web.field_names import field_name

Tone = Literal["good", "warn", "bad", ""]
Form = Literal["choose", "type", "rows", "files", "mean", "none"]
"""How a group is corrected.

By a choice or a text for all of its cells, row by row, by a folder, by what its text means in the CRM, or not here.
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """One of the numbers on top, as a sentence; `page` is where there is something to do about it."""

    tone: Tone
    sentence: str
    page: str = ""


def sums(checked: CheckedSheet) -> Iterator[Sum]:
    """Yield how many rows there are, what there is to do, and what became of the others."""
    counts, left_out = checked.counts, checked.left_out
    rows = counts.rows - left_out.totals
    yield Sum("", ngettext("{count} row in the sheet", "{count} rows in the sheet", rows))
    yield from _to_do(counts, checked.waiting)
    if counts.created:
        yield Sum("", ngettext("{count} case was created before", "{count} cases were created before", counts.created))
    if counts.to_update:
        yield Sum("good", ngettext("{count} case to update", "{count} cases to update", counts.to_update))
    if changed := counts.changed - counts.to_update:
        sentence = ngettext(
            "{count} of them has changed in the sheet since; that change is not sent",
            "{count} of them have changed in the sheet since; those changes are not sent",
            changed,
        )
        yield Sum("warn", sentence, "look-back#changed")
    if counts.part:
        sentence = ngettext(
            "{count} row is another line of another row's case",
            "{count} rows are additional lines of other rows' cases",
            counts.part,
        )
        yield Sum("", sentence)
    yield from _skipped(counts.skipped, left_out)


def _skipped(skipped: int, left_out: LeftOut) -> Iterator[Sum]:
    if left_out.hidden:
        sentence = ngettext(
            "{count} row that Excel hides: it is not sent",
            "{count} rows that Excel hides: they are not sent",
            left_out.hidden,
        )
        yield Sum("", sentence)
    if left_out.totals:
        sentence = ngettext(
            "{count} row with the total of the table: it is not sent",
            "{count} rows with totals of the table: they are not sent",
            left_out.totals,
        )
        yield Sum("", sentence)
    if others := skipped - left_out.hidden - left_out.totals:
        sentence = ngettext(
            "{count} row that is left out: it is not sent",
            "{count} rows that are left out: they are not sent",
            others,
        )
        yield Sum("", sentence)


def _to_do(counts: Counts, waiting: int) -> Iterator[Sum]:
    ready = counts.planned - waiting
    if ready and (counts.invalid or counts.rejected or waiting):  # else the headline says so
        yield Sum("good", ngettext("{count} case to send", "{count} cases to send", ready))
    if waiting:
        sentence = ngettext(
            "{count} row waits for a contact that the CRM rejected",
            "{count} rows wait for contacts that the CRM rejected",
            waiting,
        )
        yield Sum("warn", sentence)
    if doubtful := counts.unknown + counts.conflict + counts.sending:
        sentence = ngettext("{count} row to confirm", "{count} rows to confirm", doubtful)
        yield Sum("warn", sentence, "decide")
    if counts.rejected:
        sentence = ngettext(
            "{count} row was rejected by the CRM", "{count} rows were rejected by the CRM", counts.rejected
        )
        yield Sum("warn", sentence)


def headline(counts: Counts, groups: int) -> str:
    """Return what there is to do on the page, in a few words."""
    if wrong := counts.invalid + counts.rejected:
        return ngettext("{count} row to correct", "{count} rows to correct", wrong)
    if groups:
        return _("To look at")
    if counts.planned:
        return ngettext("All ready: {count} case to send", "All ready: {count} cases to send", counts.planned)
    if counts.to_update:
        return ngettext("All ready: {count} case to update", "All ready: {count} cases to update", counts.to_update)
    return _("There is nothing to correct and nothing to send")


def earlier_title(cells: Sequence[EarlierCorrection]) -> str:
    """Return how many rows say again what was corrected in an earlier sheet."""
    return ngettext(
        "{count} row was already corrected in an earlier sheet",
        "{count} rows were already corrected in an earlier sheet",
        len({one.row for one in cells}),
    )


def rejected(one: Rejection) -> str:
    """Return which value of rejected rows the CRM does not take, or only what it said."""
    if one.kind == "contact":
        return _("The CRM rejected the contact {address}", address=shorten(one.value))
    if one.kind == "update":
        return _("The CRM refused to update: {message}", message=one.said.rstrip("."))
    if not one.field:
        return _("Rejected by the CRM: {message}", message=one.said)
    if not one.value:
        return _("{field} is empty, and the CRM rejected it", field=field_name(one.field))
    if one.is_mended:
        return _(
            "{field}: “{value}” is what goes to the CRM now", field=field_name(one.field), value=shorten(one.value)
        )
    return _("{field}: the CRM does not take “{value}”", field=field_name(one.field), value=shorten(one.value))


def crm_said(one: Rejection) -> str:
    """Return where the value of rejected rows comes from, and what the CRM said."""
    parts = []
    if one.kind == "row" and one.column and one.text and one.text != one.value:
        where = {"text": shorten(one.text), "column": one.column, "value": shorten(one.value)}
        parts.append(_("“{text}” in {column} goes to the CRM as “{value}”.", **where))
    if one.field:
        parts.append(_("The CRM said: {message}.", message=one.said))
    return " ".join(parts)


def about_rejected(one: Rejection, form: Form) -> str:
    """Return what to do about rejected rows."""
    if one.kind != "row":
        return _ABOUT[one.kind]()
    if one.is_mended:
        return _("Match columns was changed after these rows were rejected: send them again.")
    if form == "mean":
        return _("Type the value exactly as the CRM writes it; or have it created in the CRM, and send the rows again.")
    if form == "rows":
        return _("Type the right value; or have it created in the CRM, and send the rows again.")
    if one.field:
        return _("Put it right in Match columns; or have it created in the CRM, and send the rows again.")
    return _("Open the rows and put right what the CRM names; or have it put right in the CRM, and send them again.")


_ABOUT: Mapping[str, Callable[[], str]] = {
    "contact": lambda: _(
        "Open a row and put right what is sent of its contact, or create the contact in the CRM; then send the rows"
        " again."
    ),
    "update": lambda: _("Open a row and put right what the CRM names; or change the case in the CRM by hand."),
}
"""What to do where the CRM rejected a contact, or refused an update."""


def title(issue: Issue) -> str:
    """Return what is wrong with a group of cells."""
    sentence = _TITLES.get(issue.code)
    if sentence is None or issue.column is None:
        return issue.message
    value = issue.value or ""
    return sentence(column=issue.column, value=shorten(value, 80) if value.strip() else _("(empty)"))


_TITLES: Mapping[str, Callable[..., str]] = {
    "no-crm-value": lambda **at: _("“{value}” in {column} is not matched with any value of the CRM", **at),
    "ambiguous-value": lambda **at: _("“{value}” in {column} may mean several things", **at),
    "not-allowed": lambda **at: _("“{value}” in {column} is not a value that the CRM accepts", **at),
    "not-known": lambda **at: _("“{value}” in {column} is not on the CRM's list", **at),
    "not-in-lookup": lambda **at: _("“{value}” in {column} is not on this column's list", **at),
    "not-a-boolean": lambda **at: _("“{value}” in {column} is neither yes nor no", **at),
    "required": lambda **at: _("{column} is empty, and the CRM needs it", **at),
    "bad-email": lambda **at: _("“{value}” in {column} is not an e-mail address", **at),
    "bad-pattern": lambda **at: _("“{value}” in {column} is not in the required format", **at),
    "too-long": lambda **at: _("The text in {column} is too long for the CRM", **at),
    "too-short": lambda **at: _("“{value}” in {column} is too short", **at),
    "not-a-date": lambda **at: _("“{value}” in {column} is not a date", **at),
    "not-a-time": lambda **at: _("“{value}” in {column} is not a time of day", **at),
    "not-a-number": lambda **at: _("“{value}” in {column} is not a number", **at),
    "not-an-integer": lambda **at: _("“{value}” in {column} is not a whole number", **at),
    "not-a-phone": lambda **at: _("“{value}” in {column} is not a telephone number", **at),
    "not-a-url": lambda **at: _("“{value}” in {column} is not a web address", **at),
    "error-cell": lambda **at: _("{column} shows the Excel error “{value}”", **at),
    "solution-missing": lambda **at: _("Closed cases without an answer in {column}", **at),
    "key-missing": lambda **at: _("Rows without {column}, which identifies them", **at),
    "key-repeated": lambda **at: _("Several rows have the same {column}", **at),
    "attachment-missing": lambda **at: _("Files named in {column} are missing", **at),
}
"""What is wrong, by the code of an issue; any other says it itself."""

_ADVICE: Mapping[str, Callable[[], str]] = {
    "no-crm-value": lambda: _("Choose what it means."),
    "ambiguous-value": lambda: _("Choose what it means."),
    "not-allowed": lambda: _("Choose the right value."),
    "required": lambda: _("Type what is missing."),
    "bad-email": lambda: _("Type one address, such as name@company.com."),
    "not-a-date": lambda: _(
        "Type the date as the other rows have it. If all dates look alike, say so in Match columns."
    ),
    "not-a-boolean": lambda: _("Type yes or no."),
    "solution-missing": lambda: _("Type the answer that was given, or choose a status that is not closed."),
    "key-missing": lambda: _("Type the number of each row, as the office knows it."),
    **dict.fromkeys(
        ("key-repeated", "key-similar", "key-reread"),
        lambda: _(
            "If they are different cases, type the right number. If one of them is too many, it can be dropped in Excel"
            " alone: delete it or hide it there, and let the sheet be read again."
        ),
    ),
    "attachment-missing": lambda: _(
        "Choose the folder they are in; or put them into the folder and search again. To send a case without its file,"
        " delete the file's name from the cell."
    ),
}


_DETAILED = frozenset({"too-long", "too-short", "bad-pattern", "not-in-lookup", "not-known", "number-too-long"})
_OF_THE_ROW = frozenset(
    {"key-repeated", "key-similar", "key-reread", "key-known-twice", "line-alone", "attachment-missing",
     "reference-edited", "reference-missing", "reference-repeated", "reference-foreign", "id-of-another-row"}
)  # fmt: skip
_OPTION = re.compile(r"\bsource\.\w")
_TECHNICAL = re.compile(r"`|--")


def detail(issue: Issue) -> str:
    """Return what the title of a group does not say, such as how long a text may be; often nothing."""
    return issue.message if issue.code in _DETAILED else ""


def of_row(issue: Issue) -> str:
    """Return what is wrong with one row, where that is not the same for all rows of its group."""
    return issue.message if issue.code in _OF_THE_ROW else ""


def in_plain_words(note: str, mapping: Path) -> str:
    """Return a note of a check without what only helps who writes mappings and commands; nothing may be left of it.

    What a sheet does not use of its mapping is nothing to an office: not every status is in every week.
    """
    if re.match(rf"{re.escape(str(mapping))}:\d+:\d+: ", note):
        return ""
    note = re.sub(r"\s*\([^()]*\bsource\.[^()]*\)", "", note)
    note = re.sub(r";[^;]*\bsource\.\w[^;]*$", ".", note)
    parts = re.split(r"(?<=[.!?])\s+", note)
    plain = []
    for part in parts:
        if _OPTION.search(part):
            break  # the name of a column may follow, with anything in it
        plain.append("" if _TECHNICAL.search(part) else part)
    return " ".join(filter(None, plain))


def advice(issue: Issue, form: Form) -> str:
    """Return what to do about a group of cells; the form is beside it."""
    if form == "choose" and issue.code == "required":
        return _("Choose what is missing.")
    if (sentence := _ADVICE.get(issue.code)) is not None:
        return sentence()
    if form == "type" and PAGES.get(issue.code, "correct") == "correct":
        return _("Type the right value.")
    return issue.click


def corrections_told(corrections: CorrectionList) -> Iterator[str]:
    """Yield how much of a sheet is sent otherwise than it says, by which file; and what that file cannot correct."""
    cells, rows, file = corrections.cells, corrections.rows, corrections.name
    if cells and rows == 1:
        yield ngettext(
            "{count} cell in one row is corrected by {file}.",
            "{count} cells in one row are corrected by {file}.",
            cells,
            file=file,
        )
    elif cells:
        yield _("{cells} cells in {rows} rows are corrected by {file}.", cells=cells, rows=rows, file=file)
    if aside := len(corrections.set_aside):
        yield ngettext(
            "{count} correction in {file} does not fit the sheet any more, and is left out.",
            "{count} corrections in {file} do not fit the sheet any more, and are left out.",
            aside,
            file=file,
        )
