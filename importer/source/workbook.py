"""The rows of a workbook's sheet, as calamine parsed them and a look at the XML completes them, made into cells."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from importer.errors import SourceError
from importer.messages import _
from importer.model import Cell, Fault, Typed
from importer.source.calamine import SheetEntry
from importer.source.formats import NumberFormat, Shows, elapsed_days, moment, number_text, plain_text
from importer.source.overrides import ERROR, NO_RESULT, SHOWN, Fact, Merged, Reading, SheetFacts
from importer.source.table import Block
from importer.spool import Spool

# MERGED importer.source.workbook: Choose the sheet: the one that was asked for, or the first visible one that is not a report of ours.

_REPORT = re.compile(r"Report(?: \(?\d+\)?)?")
_BESIDE_A_REPORT = frozenset({"Issues", "Summary", "To decide"})
_OUR_COLUMNS = frozenset({"wolkvox_id", "reference"})


def choose(
    file: str, sheets: Sequence[SheetEntry], wanted: str | None, top_texts: Callable[[str], list[set[str]]]
) -> str:
    """Return the name of the sheet to read.

    `top_texts` gives the texts of a sheet's first rows, a set for each. A `Report` is ours when one of them holds
    the columns that we write; `Issues`, `Summary` and `To decide` are ours beside such a report only. Where all are
    ours, the report is the table: it was corrected and given back, and stands for the sheet that is wanted. Raises
    SourceError naming the sheets that exist.
    """
    visible = [sheet.name for sheet in sheets if sheet.visible]
    reports = [
        name for name in visible if _REPORT.fullmatch(name) and any(row >= _OUR_COLUMNS for row in top_texts(name))
    ]
    ours = {*reports, *_BESIDE_A_REPORT} if reports else set()
    others = [name for name in visible if name not in ours]
    if wanted is not None and (others or not reports or wanted in visible):
        return _asked_for(file, sheets, wanted)
    candidates = others or reports
    if not candidates:
        raise SourceError(_("{file} has no visible sheet. Unhide the sheet that holds the table, and save.", file=file))
    return candidates[0]


def _asked_for(file: str, sheets: Sequence[SheetEntry], wanted: str) -> str:
    """Return the sheet of that name, spaces around it and the case of letters aside where nothing is equal."""
    names = [sheet.name for sheet in sheets]
    if wanted in names:
        return wanted
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(f"“{name}”" for name in names)
    raise SourceError(
        _(
            "{file} has no sheet “{sheet}”. It has: {names}. Name one of them as source.sheet.",
            file=file,
            sheet=wanted,
            names=listed,
        )
    )


# MERGED importer.source.workbook: The rows of a workbook's sheet, as calamine parsed them and a look at the XML completes them, made into cells.

_FIRST_LOST = 10**15  # Excel keeps 15 digits of a number and puts zeros for the others
_FAR_BELOW = float("inf")

Columns = list[list[Cell]]


class WorkbookGrid:
    """A sheet as a grid of cells; what was read stays on disk."""

    def __init__(
        self,
        parsed: Spool[Any],
        facts: SheetFacts,
        formats: tuple[NumberFormat | None, ...] = (),
        *,
        since_1904: bool = False,
    ) -> None:
        """Take what the child process sent, the facts of the same sheet, and the formats of cell styles."""
        self._parsed = parsed
        self._facts = facts
        self._merged: list[Merged] = sorted(next(iter(parsed)) or facts.merged)
        self._formatted = lru_cache(maxsize=1 << 16)(_Formatted(formats, since_1904=since_1904))

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:
        """Yield all rows in order; may be called again.

        Given `fill_below`, every cell of a merged range that lies below that row holds what the range shows.
        """
        if fill_below is None:
            return self._completed()
        return _filled(self._completed(), [area for area in self._merged if area[0][0] >= fill_below])

    @property
    def merges(self) -> int:
        """How many merged ranges the sheet has."""
        return len(self._merged)

    def _completed(self) -> Iterator[Block]:
        """Yield rows of cells: the stored values, with what the facts say put over them."""
        chunks = iter(self._parsed)
        next(chunks)  # the merged ranges
        reading, formats = Reading(self._facts), _PlainFormats(self._facts.plain_formats)
        first = 1
        for chunk in chunks:
            numbers = range(first, first + len(chunk[0]))
            columns = [_cells(values, formats.of(at, numbers)) for at, values in enumerate(chunk)]
            self._overlay(columns, reading.up_to(numbers[-1]), numbers)
            yield Block(numbers, columns)
            first = numbers.stop
        if beyond := reading.up_to(_FAR_BELOW):  # rows that have nothing but facts
            rows = sorted({row for row, _column, _kind, _text in beyond})
            columns = []
            self._overlay(columns, beyond, rows)
            yield Block(rows, columns)

    def _overlay(self, columns: Columns, facts: Iterable[Fact], numbers: Sequence[int]) -> None:
        """Put what the facts and links say into the cells of some rows, adding columns for those beyond the parsed."""
        for row, column, kind, text in facts:
            while len(columns) <= column:
                columns.append([""] * len(numbers))
            at = bisect_left(numbers, row)
            columns[column][at] = self._stated(kind, text, columns[column][at])
        for at, row in enumerate(numbers) if self._facts.links else ():
            for column, target in self._facts.links.get(row, ()):
                if column < len(columns) and columns[column][at] == "":
                    columns[column][at] = target

    def _stated(self, kind: int, text: str, parsed: Cell) -> Cell:
        """Return the cell that a fact makes of a parsed one."""
        if kind == ERROR:
            return _error_cell(text)
        if kind == NO_RESULT:
            return _without_result(text)
        if kind == SHOWN:
            return _as_shown(text, parsed)
        return self._formatted(kind, text) if text else parsed


class _Formatted:
    """Makes cells of stored numbers whose styles have number formats of their own."""

    def __init__(self, formats: Sequence[NumberFormat | None], *, since_1904: bool) -> None:
        self._formats, self._since_1904 = formats, since_1904

    def __call__(self, style: int, text: str) -> Cell:
        """Return the cell of a number by its style and its stored text."""
        shown_by = self._formats[style]
        value = float(text)
        plain = number(value)
        if isinstance(plain, Fault) or shown_by is None:
            return plain
        if shown_by.shows is Shows.MOMENT:
            return moment(value, shown_by.code, since_1904=self._since_1904) or plain
        text = plain.text if shown_by.shows is Shows.PLAIN else number_text(value, shown_by)
        return Typed(text, plain.value, shown_by.code)


class _PlainFormats:
    """The plain number formats of the columns, while the rows go by from the top."""

    def __init__(self, changes: Mapping[int, Sequence[tuple[int, str]]]) -> None:
        self._coming = {column: deque(some) for column, some in changes.items()}
        self._now: dict[int, str] = {}

    def of(self, column: int, rows: range) -> list[tuple[int, str]]:
        """Return from which place in `rows` on the numbers of a column have which format, empty for the general one."""
        changes = [(0, self._now.get(column, ""))]
        coming = self._coming.get(column, ())
        while coming and coming[0][0] < rows.stop:
            row, code = coming.popleft()
            changes.append((max(0, row - rows.start), code))
            self._now[column] = code
        return changes


def _cells(values: Sequence[Any], formats: Sequence[tuple[int, str]]) -> list[Cell]:
    """Return stored values of a column as cells; `formats` are those of its numbers, each from its place on."""
    cells: list[Cell] = []
    ends = [*(place for place, _code in formats[1:]), len(values)]
    for (place, code), end in zip(formats, ends, strict=True):
        cells += _of_one_format(values[place:end], code)
    return cells


def _of_one_format(values: Sequence[Any], code: str) -> Iterable[Cell]:
    kinds = set(map(type, values))
    if kinds <= {str}:
        return values
    if bool in kinds:  # True is 1 for a dictionary
        return [value if isinstance(value, str) else _cell(value, code) for value in values]
    known = {value: value if isinstance(value, str) else _cell(value, code) for value in set(values)}
    return map(known.__getitem__, values)


@lru_cache(maxsize=1 << 16, typed=True)  # True is 1 otherwise
def _cell(value: Any, code: str) -> Cell:  # noqa: ANN401 - whatever a workbook stores
    cell = _CELL_OF[value.__class__](value)
    if code and isinstance(cell, Typed) and cell.value.__class__ in {int, float}:
        return Typed(cell.text, cell.value, code)
    return cell


def number(value: float) -> Typed | Fault:
    """Return the cell of a number: its shortest decimal text, or a Fault where Excel has rounded its digits away."""
    if not -_FIRST_LOST < value < _FIRST_LOST:
        return _digits_lost(value)
    whole = int(value)
    return Typed(str(whole), whole) if whole == value else Typed(plain_text(value), value)


def _moment_as_parsed(value: datetime | date | time) -> Typed:
    """Return the cell of a moment whose format the file's kind does not tell."""
    return Typed(value.isoformat(" ", "seconds") if isinstance(value, datetime) else value.isoformat(), value)


# What a stored value is as a cell, by its class, where no number format shows more of it.
_CELL_OF: dict[type, Callable[[Any], Cell]] = {
    bool: lambda value: Typed("TRUE" if value else "FALSE", value),
    int: number,
    float: number,
    datetime: _moment_as_parsed,
    date: _moment_as_parsed,
    time: _moment_as_parsed,
    timedelta: lambda value: number(value / timedelta(days=1)),
}


def _digits_lost(value: float) -> Fault:
    return Fault(
        plain_text(int(value)) if abs(value) < float("inf") else str(value),
        "digits-lost",
        _("the number has more than 15 digits, and Excel has rounded the others away"),
        _("format the column as text and enter the number again from where it came"),
    )


def _error_cell(text: str) -> Fault:
    return Fault(
        text,
        "error-cell",
        _("the cell shows the error {error}", error=text),
        _("correct the formula or type the value, and save"),
    )


def _without_result(formula: str) -> Fault:
    return Fault(
        formula,
        "formula-without-result",
        _("the formula has no stored result, because a program wrote it that does not calculate"),
        _("open the file in Excel, wait until it has calculated, and save it"),
    )


def _as_shown(text: str, parsed: Cell) -> Cell:
    """Return a cell whose text is known from the file, its value as it was parsed."""
    if isinstance(parsed, Typed):
        return Typed(text, parsed.value, parsed.number_format)
    days = elapsed_days(parsed) if isinstance(parsed, str) else None
    return parsed if days is None else Typed(text, days)


def _filled(blocks: Iterator[Block], merged: list[Merged]) -> Iterator[Block]:
    """Yield rows with every cell of a merged range holding what the range shows; ranges are sorted by their top.

    A row that is blank but for its share of a range stays blank: it is no row of the table.
    """
    waiting = deque(merged)
    begun: list[tuple[Merged, Cell]] = []
    for block in blocks:
        columns = [list(column) for column in block.columns]
        last = block.numbers[-1] - 1  # ranges count from 0
        while waiting and waiting[0][0][0] <= last:
            (top, left), _corner = area = waiting.popleft()
            at = bisect_left(block.numbers, top + 1)
            there = left < len(columns) and block.numbers[at] == top + 1
            begun.append((area, columns[left][at] if there else ""))
        filled = block.filled()
        for area, shown in begun:
            _fill(columns, block.numbers, filled, area, shown)
        begun = [(area, shown) for area, shown in begun if area[1][0] > last]
        yield Block(block.numbers, columns, stored=block.columns)


def _fill(columns: Columns, numbers: Sequence[int], filled: Sequence[bool], area: Merged, shown: Cell) -> None:
    """Put what a merged range shows into its cells in some rows, but for those that are blank."""
    (top, left), (bottom, right) = area
    for at in range(bisect_left(numbers, top + 1), bisect_left(numbers, bottom + 2)):
        if filled[at]:
            while len(columns) <= right:
                columns.append([""] * len(numbers))
            for column in columns[left : right + 1]:
                column[at] = shown
