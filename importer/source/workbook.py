"""The rows of a workbook's sheet: what the parser read, with the facts about cells put over it, made into cells."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from importer.messages import _
from importer.model import Cell, CellError, Reread, Typed
from importer.source.number_formats import version_1
from importer.source.number_formats.codes import CellFormats, NumberFormat, Remark, Shows, parse
from importer.source.number_formats.dates import ISO_MOMENT, date_cell, serial_of
from importer.source.number_formats.rendering import plain_text, section_text, text_in_format
from importer.source.overrides import ERROR, NO_RESULT, NO_TEXT, TEXT, Fact, FactCursor, Merged, SheetFacts
from importer.source.table import Block
from importer.system.spool import Spool

_FIRST_LOST = 10**15  # Excel keeps 15 digits of a number and puts zeros for the others
_FAR_BELOW = float("inf")
_KEPT_CELLS = 10_000  # made of facts: the dates of a table are few, and equal cells are one object

Columns = list[list[Cell]]


class WorkbookGrid:
    """A sheet as a grid of cells; what was read stays on disk."""

    def __init__(
        self,
        parsed: Spool[Any],
        facts: SheetFacts,
        formats: CellFormats | None = None,
        *,
        since_1904: bool = False,
        formats_are_new: bool = False,
    ) -> None:
        """Take what the parser read, the facts about the same sheet, and the formats of cell styles.

        `formats_are_new` says that version 1 of the reading knew no formats of such files.
        """
        self._parsed = parsed
        self._facts = facts
        self._formats = (formats or CellFormats()).by_style
        self._since_1904 = since_1904
        self._formats_are_new = formats_are_new
        self.remarks = facts.remarks
        self._merged: list[Merged] = sorted(next(iter(parsed))["merged"] or facts.merged)

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:
        """Yield all rows in order; may be called again.

        With `fill_below`, every cell of a merged range below that row holds what the range shows.
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
        batches = iter(self._parsed)
        next(batches)  # the facts about the sheet as a whole
        cursor, formats = FactCursor(self._facts), _PlainFormats(self._facts.plain_formats)
        cell_of_fact = lru_cache(_KEPT_CELLS, typed=True)(self._cell_of_fact)
        first = 1
        for stored, facts in batches:
            numbers = range(first, first + len(stored[0]))
            columns = [self._cells(at, values, formats.of(at, numbers)) for at, values in enumerate(stored)]
            self._overlay(columns, [*facts, *cursor.up_to(numbers[-1])], numbers, cell_of_fact)
            yield Block(numbers, columns)
            first = numbers.stop
        if beyond := cursor.up_to(_FAR_BELOW):  # rows that have nothing but facts
            rows = sorted({row for row, _column, _kind, _text in beyond})
            columns = []
            self._overlay(columns, beyond, rows, cell_of_fact)
            yield Block(rows, columns)

    def _overlay(
        self, columns: Columns, facts: Iterable[Fact], numbers: Sequence[int], cell_of_fact: Callable[..., Cell]
    ) -> None:
        """Put what the facts and links say into the cells of some rows; facts may add columns."""
        for row, column, kind, text in facts:
            while len(columns) <= column:
                columns.append([""] * len(numbers))
            at = bisect_left(numbers, row)
            columns[column][at] = cell_of_fact(kind, text, columns[column][at], column)
        for at, row in enumerate(numbers) if self._facts.links else ():
            for column, target in self._facts.links.get(row, ()):
                if column < len(columns) and columns[column][at] == "":
                    columns[column][at] = target

    def _cell_of_fact(self, kind: int, text: str, parsed: Cell, column: int) -> Cell:
        """Return the cell that a fact makes of a parsed one."""
        if kind in _UNFORMATTED:
            return _UNFORMATTED[kind](text, parsed)
        number_format = self._formats[kind] if kind < len(self._formats) else None
        if ISO_MOMENT.match(text):
            return self._iso_moment(text, number_format, parsed, column)
        if number_format is None:
            return parsed
        if not text:
            return self._text_in_format(parsed, number_format, column)
        cell = self._in_format(float(text), number_format, parsed, column)
        if not self._formats_are_new or isinstance(cell, CellError):
            return cell
        return self._reread(cell, str(parsed), column, number_format)

    def _iso_moment(self, text: str, number_format: NumberFormat | None, parsed: Cell, column: int) -> Cell:
        """Return the cell of a moment stored in ISO 8601, as its format shows it; other text stays as it is."""
        serial = serial_of(text, since_1904=self._since_1904)
        if serial is None:
            return parsed
        if number_format is None or number_format.is_plain:
            number_format = parse("yyyy-mm-dd hh:mm:ss" if "T" in text else "yyyy-mm-dd" if "-" in text else "hh:mm:ss")
        cell = self._in_format(serial, number_format, parsed, column)
        return cell if isinstance(cell, CellError) else self._reread(cell, str(parsed), column, number_format)

    def _in_format(self, value: float, number_format: NumberFormat, parsed: Cell, column: int) -> Cell:
        """Return the cell of a number as its format shows it."""
        plain = number(value)
        if isinstance(plain, CellError):
            return plain
        section = number_format.section(value)
        cell: Typed | None = None
        if section is not None and section.shows is Shows.MOMENT:
            cell = date_cell(value, number_format.code, since_1904=self._since_1904)
        elif section is not None:
            is_plain = section.shows is Shows.PLAIN and (abs(value) >= 1 or section_text(value, section))
            cell = Typed(plain.text if is_plain else section_text(value, section), plain.value, number_format.code)
        if cell is None:
            self._remark(Remark.HASHES, column, number_format)
            cell = plain
        if number_format.remark is not None:
            self._remark(number_format.remark, column, number_format)
        if value >= version_1.same_from(number_format.written):
            return cell
        before = version_1.text_of(value, number_format.written, since_1904=self._since_1904)
        return self._reread(cell, str(parsed) if before is None else before, column, number_format)

    def _text_in_format(self, parsed: Cell, number_format: NumberFormat, column: int) -> Cell:
        """Return a text as the section of its format for texts shows it."""
        if number_format.text is None or not isinstance(parsed, str) or not parsed:
            return parsed
        return self._reread(text_in_format(parsed, number_format.text), parsed, column, number_format)

    def _reread(self, cell: str | Typed, before: str, column: int, number_format: NumberFormat) -> Cell:
        """Return a cell with what version 1 of the reading took from it; empty, where its format shows nothing."""
        text = str(cell)
        if text == before:
            return replace(cell, earlier=None) if isinstance(cell, Typed) and cell.earlier else cell
        if not text:
            self._remark(Remark.HIDDEN, column, number_format)
        return replace(cell, earlier=before) if isinstance(cell, Typed) and text else Reread(text, before)

    def _remark(self, remark: Remark, column: int, number_format: NumberFormat) -> None:
        self.remarks.setdefault(remark, {})[column, number_format.written] = None

    def _cells(self, column: int, values: Sequence[Any], formats: Sequence[tuple[int, str]]) -> list[Cell]:
        """Return the stored values of a column as cells; each format holds for the numbers from its place on."""
        cells: list[Cell] = []
        ends = [*(place for place, _code in formats[1:]), len(values)]
        for (place, code), end in zip(formats, ends, strict=True):
            some = [value if isinstance(value, str) else _cell(value, code) for value in values[place:end]]
            cells += self._looked_at(some, column, parse(code)) if code else some
        return cells

    def _looked_at(self, cells: list[Cell], column: int, number_format: NumberFormat) -> list[Cell]:
        """Return the cells of a plain format without the zeros that it does not show, after remarks about them."""
        if number_format.remark is not None and any(isinstance(cell, Typed) for cell in cells):
            self._remark(number_format.remark, column, number_format)
        if not number_format.may_hide:
            return cells
        return [
            self._in_format(cell.value, number_format, cell, column)
            if isinstance(cell, Typed) and cell.value.__class__ in {int, float} and -1 < cell.value < 1
            else cell
            for cell in cells
        ]


class _PlainFormats:
    """The plain number formats of the columns, as the rows are read from the top."""

    def __init__(self, changes: Mapping[int, Sequence[tuple[int, str]]]) -> None:
        self._coming = {column: deque(some) for column, some in changes.items()}
        self._current: dict[int, str] = {}

    def of(self, column: int, rows: range) -> list[tuple[int, str]]:
        """Return the formats of a column's numbers, each with its first place in `rows`; empty for the general one."""
        changes = [(0, self._current.get(column, ""))]
        coming = self._coming.get(column, ())
        while coming and coming[0][0] < rows.stop:
            row, code = coming.popleft()
            changes.append((max(0, row - rows.start), code))
            self._current[column] = code
        return changes


def _cell(value: Any, code: str) -> Cell:  # noqa: ANN401 - anything that a workbook stores
    cell = _CELL_OF[value.__class__](value)
    if code and isinstance(cell, Typed) and cell.value.__class__ in {int, float}:
        return Typed(cell.text, cell.value, code)
    return cell


def number(value: float) -> Typed | CellError:
    """Return the cell of a number: its shortest decimal text, or a Fault where Excel has rounded its digits away."""
    if not -_FIRST_LOST < value < _FIRST_LOST:
        return _digits_lost(value)
    whole = int(value)
    return Typed(str(whole), whole) if whole == value else Typed(plain_text(value), value)


def _iso_date_cell(value: datetime | date | time) -> Typed:
    """Return the cell of a date or time whose number format is not known."""
    return Typed(value.isoformat(" ", "seconds") if isinstance(value, datetime) else value.isoformat(), value)


# The cell of a stored value, by the value's class, where no number format shows more of it.
_CELL_OF: dict[type, Callable[[Any], Cell]] = {
    bool: lambda value: Typed("TRUE" if value else "FALSE", value),
    int: number,
    float: number,
    datetime: _iso_date_cell,
    date: _iso_date_cell,
    time: _iso_date_cell,
    timedelta: lambda value: number(value / timedelta(days=1)),
    Typed: lambda value: value,  # cells that were read as such
    CellError: lambda value: value,
}


def _digits_lost(value: float) -> CellError:
    return CellError(
        plain_text(int(value)) if abs(value) < float("inf") else str(value),
        "digits-lost",
        _("the number has more than 15 digits, and Excel has rounded the others away"),
        _("format the column as text and enter the number again from its origin"),
    )


def error_cell(text: str) -> CellError:
    """Return the cell that shows an error."""
    return CellError(
        text,
        "error-cell",
        _("the cell shows the error {error}", error=text),
        _("correct the formula or type the value, and save"),
    )


def without_result(formula: str) -> CellError:
    """Return the cell of a formula that was never calculated."""
    return CellError(
        formula,
        "formula-without-result",
        _("the formula has no stored result, because the program that wrote it does not calculate"),
        _("open the file in Excel, wait until it has calculated, and save it"),
    )


def _text_lost(number: str) -> CellError:
    return CellError(
        number,
        "error-cell",
        _("the cell refers to text {number} of the workbook, which has no such text", number=number),
        _("type the value, and save"),
    )


_UNFORMATTED: dict[int, Callable[[str, Cell], Cell]] = {
    ERROR: lambda text, _parsed: error_cell(text),
    NO_RESULT: lambda text, _parsed: without_result(text),
    NO_TEXT: lambda text, _parsed: _text_lost(text),
    TEXT: lambda text, parsed: Reread(text, str(parsed)),
}


def _filled(blocks: Iterator[Block], merged: list[Merged]) -> Iterator[Block]:
    """Yield rows in which every cell of a merged range holds what the range shows; ranges are sorted by their top.

    A row that is blank except for its part of a range stays blank: it is not a row of the table.
    """
    waiting = deque(merged)
    open_areas: list[tuple[Merged, Cell]] = []
    for block in blocks:
        columns = [list(column) for column in block.columns]
        last = block.numbers[-1] - 1  # ranges count from 0
        while waiting and waiting[0][0][0] <= last:
            (top, left), _corner = area = waiting.popleft()
            at = bisect_left(block.numbers, top + 1)
            there = left < len(columns) and block.numbers[at] == top + 1
            open_areas.append((area, columns[left][at] if there else ""))
        filled = block.filled()
        for area, shown in open_areas:
            _fill(columns, block.numbers, filled, area, shown)
        open_areas = [(area, shown) for area, shown in open_areas if area[1][0] > last]
        yield Block(block.numbers, columns, stored=block.columns)


def _fill(columns: Columns, numbers: Sequence[int], filled: Sequence[bool], area: Merged, shown: Cell) -> None:
    """Put what a merged range shows into its cells in some rows, except those that are blank."""
    (top, left), (bottom, right) = area
    for at in range(bisect_left(numbers, top + 1), bisect_left(numbers, bottom + 2)):
        if filled[at]:
            while len(columns) <= right:
                columns.append([""] * len(numbers))
            for column in columns[left : right + 1]:
                column[at] = shown
