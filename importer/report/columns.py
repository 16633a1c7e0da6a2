"""The columns of the sheet `Report` and of the CSV file: where each is, and how ours are recognised later."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from importer import text
from importer.model import ReportContent

OWN_COLUMNS: tuple[str, ...] = ("row", "status", "wolkvox_id", "idPrefijo", "message", "sent_at", "run", "reference")
"""The columns that the report adds to the source's own; the same in every language, since they are read back."""

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
        """Return the layout of a report; without key columns, the number of the row comes first."""
        keys = [column for column in content.key_columns if column in content.columns]
        others = [column for column in content.columns if column not in keys]
        names = {name: _free_name(name, content.columns) for name in OWN_COLUMNS}
        first = keys or [names["row"]]
        own_end = [names[name] for name in _AT_THE_END if names[name] not in first]
        headers = (*first, *(names[name] for name in _BESIDE_THE_KEY), *others, *own_end)
        places = {header: place for place, header in enumerate(headers)}
        leading = places[names["idPrefijo"]] + 1
        source = tuple(places[column] for column in content.columns)
        return cls(headers, source, {name: places[header] for name, header in names.items()}, leading)


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return a header for one of our columns that no column of the source has, as people and programs compare them."""
    folded = {text.fold(header) for header in taken}
    candidates = (name, f"{name} (wolkvox)", *(f"{name} (wolkvox {number})" for number in range(2, len(folded) + 3)))
    return next(candidate for candidate in candidates if text.fold(candidate) not in folded)


# ------------------------------------------------------------------------------------------------ reading

_MARKED = re.compile(r"(?P<name>\w+) \(wolkvox(?: (?P<number>\d{1,5}))?\)")


def own_places(headers: Sequence[str]) -> dict[str, int]:
    """Return where the report's own columns are among the headers of a sheet, by name; empty for other sheets.

    All of them must be there, wherever a person has moved them. Up to version 0.1 they were side by side; where the
    source had a column of the same name, a number followed ours.
    """
    bare = tuple(header.split(" (")[0] for header in headers)
    for start in range(len(headers) - len(OWN_COLUMNS), -1, -1):
        if bare[start : start + len(OWN_COLUMNS)] == OWN_COLUMNS:
            return dict(zip(OWN_COLUMNS, range(start, len(headers)), strict=False))
    best: dict[str, tuple[int, int]] = {}
    for place, header in enumerate(headers):
        name, rank = _name_and_rank(header)
        if name in OWN_COLUMNS and rank > best.get(name, (-1, 0))[0]:
            best[name] = (rank, place)
    return {name: best[name][1] for name in OWN_COLUMNS} if len(best) == len(OWN_COLUMNS) else {}


def _name_and_rank(header: str) -> tuple[str, int]:
    """Return which column of ours a header may name; of several that name the same, the highest rank is ours."""
    marked = _MARKED.fullmatch(header)
    return (marked["name"], int(marked["number"] or 1)) if marked else (header, 0)


def own_columns(headers: Sequence[str]) -> dict[str, str]:
    """Return the columns that a report adds, by name (`reference` -> the header in the sheet); empty for others."""
    return {name: headers[place] for name, place in own_places(headers).items()}
