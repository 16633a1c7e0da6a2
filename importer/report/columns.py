"""The columns of the sheet `Report` and of the CSV file: where each is, and how ours are recognised later."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from importer import text
from importer.messages import translated
from importer.model import ReportContent
from importer.report_words import OWN_COLUMNS, column_words

_BESIDE_THE_KEY = ("status", "wolkvox_id", "idPrefijo", "message")
_AT_THE_END = ("row", "sent_at", "run", "reference")

IN_SIGHT = 100.0
"""How many characters of leading columns may stay in sight while the others are scrolled."""


# ------------------------------------------------------------------------------------------------ writing


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Where the columns are, counted from 0: the key with what became of it, the source's others, the rest of ours.

    `source` has the places of the source's columns, in their order; `own` those of ours. `leading` is how many columns
    identify a row and tell its state and id.
    """

    headers: tuple[str, ...]
    source: tuple[int, ...]
    own: Mapping[str, int]
    leading: int

    @classmethod
    def of(cls, content: ReportContent) -> ColumnLayout:
        """Return the layout of a report, with our headers in the language that is spoken.

        Without key columns, the number of the row comes first. Where the source has so many names of ours, in whatever
        language, that its columns could be taken for ours, all of ours are marked.
        """
        plain = cls._with(content, {name: _free_name(translated(name), content.columns) for name in OWN_COLUMNS})
        if own_places(plain.headers) == plain.own:
            return plain
        return cls._with(content, {name: _marked_name(translated(name), content.columns) for name in OWN_COLUMNS})

    @classmethod
    def _with(cls, content: ReportContent, names: Mapping[str, str]) -> ColumnLayout:
        keys = [column for column in content.key_columns if column in content.columns]
        others = [column for column in content.columns if column not in keys]
        first = keys or [names["row"]]
        own_end = [names[name] for name in _AT_THE_END if names[name] not in first]
        headers = (*first, *(names[name] for name in _BESIDE_THE_KEY), *others, *own_end)
        places = {header: place for place, header in enumerate(headers)}
        leading = places[names["idPrefijo"]] + 1
        source = tuple(places[column] for column in content.columns)
        return cls(headers, source, {name: places[header] for name, header in names.items()}, leading)


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return a header for one of our columns that no column of the source has, as people and programs compare them."""
    return name if text.fold(name) not in map(text.fold, taken) else _marked_name(name, taken)


def _marked_name(name: str, taken: Collection[str]) -> str:
    """Return a header that says that the column is ours, and that no column of the source has."""
    folded = {text.fold(header) for header in taken}
    candidates = (f"{name} (wolkvox)", *(f"{name} (wolkvox {number})" for number in range(2, len(folded) + 3)))
    return next(candidate for candidate in candidates if text.fold(candidate) not in folded)


# ------------------------------------------------------------------------------------------------ reading

_MARKED = re.compile(r"(?P<name>.+) \(wolkvox(?: (?P<number>\d{1,5}))?\)")


def own_places(headers: Sequence[str]) -> dict[str, int]:
    """Return where the report's own columns are among the headers of a sheet, by name; empty for other sheets.

    All of them must be there in one language, wherever a person has moved them; if they are in several, those that say
    that they are ours. Up to version 0.1 they were side by side; where the source had a column of the same name, a
    number followed ours.
    """
    bare = tuple(header.split(" (")[0] for header in headers)
    for start in range(len(headers) - len(OWN_COLUMNS), -1, -1):
        if bare[start : start + len(OWN_COLUMNS)] == OWN_COLUMNS:
            return dict(zip(OWN_COLUMNS, range(start, len(headers)), strict=False))
    ranked = [_word_and_rank(header) for header in headers]
    found = [places for words in column_words() if len(places := _ranked_places(ranked, words)) == len(OWN_COLUMNS)]
    best = max(found, key=lambda places: sum(rank for rank, _place in places.values()), default={})
    return {name: best[name][1] for name in OWN_COLUMNS} if best else {}


def _ranked_places(ranked: Sequence[tuple[str, int]], words: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Return by name which columns have our names in one language, each with its rank; the highest rank is ours."""
    best: dict[str, tuple[int, int]] = {}
    for place, (word, rank) in enumerate(ranked):
        name = words.get(word, "")
        if name in OWN_COLUMNS and rank > best.get(name, (-1, 0))[0]:
            best[name] = (rank, place)
    return best


def _word_and_rank(header: str) -> tuple[str, int]:
    """Return which word of ours a header may be, and its rank among the headers of that word."""
    marked = _MARKED.fullmatch(header)
    return (marked["name"], int(marked["number"] or 1)) if marked else (header, 0)


def own_columns(headers: Sequence[str]) -> dict[str, str]:
    """Return the columns that a report adds, by name (`reference` -> the header in the sheet); empty for others."""
    return {name: headers[place] for name, place in own_places(headers).items()}
