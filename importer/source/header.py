"""Find the header row and name the columns."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count, islice

from importer.errors import SourceError
from importer.messages import _, shorten
from importer.model import Cell
from importer.text import column_name

_LOOKED_AT = 30
_FEWEST = 3
_MOSTLY = 0.9

Row = tuple[int, Sequence[object]]
"""A row with its number and its cells, from column A on."""


def first_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the first rows that are filled, among which the header is."""
    return list(islice(((number, cells) for number, cells in rows if any(map(_is_filled, cells))), _LOOKED_AT))


def find_header(rows: Iterable[Row]) -> int | None:
    """Return the number of the first row that is filled at least half as widely as the widest of the first rows.

    Titles, dates and notes above a table fill one or two cells; the header fills the table's width. None where no row
    is filled.
    """
    filled = [(number, sum(map(_is_filled, cells))) for number, cells in first_rows(rows)]
    widest = max((count for _number, count in filled), default=0)
    return next((number for number, count in filled if count * 2 >= widest and count >= min(2, widest)), None)


def names_below(rows: Sequence[Row], header: int) -> int:
    """Return the number of the row below the header that has names where the header has groups of them, or the header.

    It has more different names than the header, each of them once, and looks like headers.
    """
    at = next(at for at, (number, _cells) in enumerate(rows) if number == header)
    if at + 1 == len(rows):
        return header
    number, cells = rows[at + 1]
    names = [text for cell in cells if (text := str(cell).strip())]
    groups = {text for cell in rows[at][1] if (text := str(cell).strip())}
    has_more = len(groups) < len(names) == len(set(names))
    return number if has_more and looks_like_headers(cells, [row for _number, row in rows[at + 2 :]]) else header


def looks_like_headers(cells: Sequence[object], rows: Sequence[Sequence[object]]) -> bool:
    """Tell whether a row has words alone, also where nearly all of the other `rows` have figures or addresses."""
    words = [at for at, cell in enumerate(cells) if _is_filled(cell)]
    if len(words) < 2 or not all(type(cells[at]) is str and not _has_figures(cells[at]) for at in words):
        return False
    for at in words:
        others = [row[at] for row in rows if at < len(row) and _is_filled(row[at])]
        if len(others) >= _FEWEST and sum(map(_has_figures, others)) >= _MOSTLY * len(others):
            return True
    return False


def _is_filled(cell: object) -> bool:
    return bool(str(cell).strip())


def _has_figures(cell: object) -> bool:
    text = str(cell)
    return "@" in text or any(map(str.isdigit, text))


def clean_names(headers: Sequence[Cell]) -> list[str]:
    """Return the headers' texts, in composed form, trimmed, with single spaces and without invisible characters.

    Headers that differ in nothing else, and those that have nothing else, keep them: that is what tells columns apart.
    """
    names = [column_name(str(cell)) for cell in headers]
    times = Counter(names)
    return [name if name and times[name] == 1 else _as_written(cell) for name, cell in zip(names, headers, strict=True)]


def _as_written(header: Cell) -> str:
    return " ".join(unicodedata.normalize("NFC", str(header)).replace("\ufeff", "").split())


def name_columns(headers: Sequence[Cell], with_data: frozenset[int]) -> tuple[dict[int, str], list[str]]:
    """Return the unique name of each column by its position from 0, and sentences about names that were made up.

    A column without a header counts only where it has data (`with_data`).
    """
    names: dict[int, str] = {}
    notes: list[str] = []
    texts = clean_names(headers)
    free = _FreeNames(texts)
    seen: set[str] = set()
    for position in range(max(len(headers), max(with_data, default=-1) + 1)):
        text = texts[position] if position < len(headers) else ""
        if not text:
            if position in with_data:
                names[position] = free.made_up(made_up_name(position))
                notes.append(
                    _(
                        "Column {letter} has no header; it is called “{name}”.",
                        letter=column_letter(position),
                        name=names[position],
                    )
                )
            continue
        if text in seen:
            names[position] = free.numbered(text)
            notes.append(
                _(
                    "The header “{header}” appears twice; the one in column {letter} is called “{name}”.",
                    header=shorten(text),
                    letter=column_letter(position),
                    name=shorten(names[position]),
                )
            )
        else:
            names[position] = text
        seen.add(text)
    return names, notes


def made_up_name(position: int) -> str:
    """Return what a column without a header is called, in every language: mappings and hashes of rows contain it."""
    return f"(column {column_letter(position)})"


def column_letter(position: int) -> str:
    """Return Excel's letters for the column at `position`, counted from 0."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def no_header(file: str, sheet: str | None) -> SourceError:
    """Return the error for a table without a single filled cell."""
    if sheet is None:
        return SourceError(_("{file} has no table: every cell is empty.", file=file))
    return SourceError(
        _(
            "Sheet “{sheet}” of {file} is empty. Name the sheet that holds the table as source.sheet.",
            sheet=sheet,
            file=file,
        )
    )


class _FreeNames:
    """Gives names that no column has yet."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._latest: dict[str, int] = {}  # the latest number that was given to a name

    def made_up(self, name: str) -> str:
        """Return `name`, or `name (2)` and so on where that is taken, and take it."""
        if name in self._taken:
            return self.numbered(name)
        self._taken.add(name)
        return name

    def numbered(self, name: str) -> str:
        """Return the first of `name (2)`, `name (3)` … that is free, and take it."""
        for number in count(self._latest.get(name, 1) + 1):
            candidate = f"{name} ({number})"
            if candidate not in self._taken:
                break
        self._latest[name] = number
        self._taken.add(candidate)
        return candidate
