"""The rows of a workbook's sheet, as calamine parsed them and a look at the XML completes them, made into cells."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from importer.messages import _
from importer.model import Cell, Fault, Typed
from importer.source.facts import ERROR, NO_RESULT, SHOWN, Fact, Merged, SheetFacts
from importer.source.moments import elapsed_days, moment
from importer.source.number_format import NumberFormat, Shows, number_text, plain_text
from importer.source.table import is_blank
from importer.spool import Spool

_NO_FACTS: tuple[int, list[Fact]] = (0, [])
_FILLED = "#"  # for whoever asks only whether a cell is filled
_FIRST_LOST = 10**15  # Excel keeps 15 digits of a number and puts zeros for the others


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
        self._formats = formats
        self._since_1904 = since_1904
        self._merged: list[Merged] = sorted(next(iter(parsed)) or facts.merged)

    def rows(self, fill_below: int | None = None) -> Iterator[tuple[int, list[Cell]]]:
        """Yield every row with its number, cells from column A on; may be called again.

        Given `fill_below`, every cell of a merged range that lies below that row holds what the range shows.
        """
        if fill_below is None:
            return self._completed()
        return _filled(self._completed(), [area for area in self._merged if area[0][0] >= fill_below])

    def outline(self) -> Iterator[tuple[int, Sequence[object]]]:
        """Yield the same rows with the values as they are stored, for whoever asks only which cells are filled."""
        links = self._facts.links
        for number, values, facts in self._joined():
            for column, _kind, text in facts:
                values.extend([""] * (column + 1 - len(values)))
                values[column] = text or _FILLED
            if number in links:
                _show_targets(values, links[number])
            yield number, values

    @property
    def merges(self) -> int:
        """How many merged ranges the sheet has."""
        return len(self._merged)

    def _completed(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield rows of cells: the stored values, with what the facts say put over them."""
        links = self._facts.links
        formats = _PlainFormats(self._facts.plain_formats)
        for number, values, facts in self._joined():
            cells = [value if value.__class__ is str else _CELL_OF[value.__class__](value) for value in values]
            formats.put_on(cells, number)
            self._overlay(cells, facts)
            if number in links:
                _show_targets(cells, links[number])
            yield number, cells

    def _joined(self) -> Iterator[tuple[int, list[Any], list[Fact]]]:
        """Yield the parsed rows with their facts, and after them rows that have nothing but facts."""
        facts = self._facts.by_row()
        row, of_row = next(facts, _NO_FACTS)
        number = 0
        for number, values in self._values():
            if number == row:
                yield number, values, of_row
                row, of_row = next(facts, _NO_FACTS)
            else:
                yield number, values, []
        while row > number:
            yield row, [], of_row
            row, of_row = next(facts, _NO_FACTS)

    def _values(self) -> Iterator[tuple[int, list[Any]]]:
        chunks = iter(self._parsed)
        next(chunks)  # the merged ranges
        number = 0
        for chunk in chunks:
            for number, values in enumerate(chunk, number + 1):  # noqa: B020 - it counts on across chunks
                yield number, values

    def _overlay(self, cells: list[Cell], facts: list[Fact]) -> None:
        """Put what the facts say into a row's cells, lengthening it where they lie beyond the parsed ones."""
        for column, kind, text in facts:
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = self._stated(kind, text, cells[column])

    def _stated(self, kind: int, text: str, parsed: Cell) -> Cell:
        """Return the cell that a fact makes of a parsed one."""
        if kind == ERROR:
            return _error_cell(text)
        if kind == NO_RESULT:
            return _without_result(text)
        if kind == SHOWN:
            return _as_shown(text, parsed)
        return self._formatted(kind, text) if text else parsed

    def _formatted(self, style: int, text: str) -> Cell:
        """Return the cell of a stored number whose style has a number format of its own."""
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
        self._coming = [(column, deque(some)) for column, some in changes.items()]
        self._now: dict[int, str] = {}

    def put_on(self, cells: list[Cell], row: int) -> None:
        """Give the numbers of a row the formats that their columns have there."""
        for column, coming in self._coming:
            while coming and coming[0][0] <= row:
                self._now[column] = coming.popleft()[1]
            code = self._now.get(column)
            if code and column < len(cells) and isinstance(cell := cells[column], Typed) and _is_number(cell.value):
                cells[column] = Typed(cell.text, cell.value, code)


def _is_number(value: object) -> bool:
    return value.__class__ in {int, float}


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
    str: str,
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


def _show_targets(cells: list[Any], links: list[tuple[int, str]]) -> None:
    """Give empty cells that are links their target as text."""
    for column, target in links:
        if column < len(cells) and cells[column] == "":
            cells[column] = target


def _filled(rows: Iterator[tuple[int, list[Cell]]], merged: list[Merged]) -> Iterator[tuple[int, list[Cell]]]:
    """Yield rows with every cell of a merged range holding what the range shows; ranges are sorted by their top.

    A row that is blank but for its share of a range stays blank: it is no row of the table.
    """
    waiting = iter(merged)
    upcoming = next(waiting, None)
    open_ranges: list[tuple[Merged, Cell]] = []
    for row, cells in rows:
        open_ranges = [(area, shown) for area, shown in open_ranges if area[1][0] >= row - 1]
        while upcoming is not None and upcoming[0][0] <= row - 1:
            column = upcoming[0][1]
            open_ranges.append((upcoming, cells[column] if column < len(cells) else ""))
            upcoming = next(waiting, None)
        for ((_top, left), (_bottom, right)), shown in open_ranges if not is_blank(cells) else ():
            cells.extend([""] * (right + 1 - len(cells)))
            cells[left : right + 1] = [shown] * (right + 1 - left)
        yield row, cells
