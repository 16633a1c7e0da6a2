"""Cells that wear a style and are written at the cost of a plain one.

A write-only sheet forgets a cell once it is written, so one cell per style serves a whole sheet: a *stamp*, filled
anew for each value. Rows are therefore handed over as generators, which fill a stamp when its turn has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import date, time
from math import isfinite
from typing import TYPE_CHECKING

from openpyxl.cell.cell import Cell as SheetCell

from importer.model import Cell, Typed

from . import styles
from .text import FORMULA_STARTS, clean, cut

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from .styles import Style

Value = str | int | float | bool | date | time | None

FIRST_YEAR = 1900  # a sheet's calendar begins there
LIKE_A_NUMBER = 32  # characters; longer text that begins with a digit is not read as a number or a date


class Stamp(SheetCell):
    """A cell whose style is settled once, and whose value is stored as it is: text is never taken for a formula."""

    __slots__ = ("_settled_style",)

    has_style = True
    _value: Value

    def __init__(self, sheet: Worksheet, style: Style) -> None:
        """Put the style on; where the cell stands is found out when it is written."""
        super().__init__(sheet, 1, 1)
        style(self)
        self._settled_style = super().style_id

    @property
    def style_id(self) -> int:
        """The number of the style in the workbook, which openpyxl would look up for each value anew."""
        return self._settled_style

    def filled(self, value: Value) -> Stamp:
        """Return the cell with a value; text is made fit for a sheet, and no text is an empty cell."""
        if isinstance(value, str):
            self._value, self.data_type = (cut(clean(value)), "s") if value else (None, "n")
        else:
            self._value = value
            self.data_type = "b" if isinstance(value, bool) else "d" if isinstance(value, date | time) else "n"
        return self


def placed(cells: Iterable[Stamp | None], row: int) -> Iterator[Stamp]:
    """Yield the cells of a line, each told where it stands; no cell leaves its place empty."""
    for column, cell in enumerate(cells, 1):
        if cell is not None:
            cell.row, cell.column = row, column
            if cell.hyperlink is not None:
                cell.hyperlink.ref = cell.coordinate
            yield cell


class Stamps:
    """The stamps of one sheet; each is good until it is asked for its next value."""

    def __init__(self, sheet: Worksheet) -> None:
        """Begin without any; a style makes its stamp when it is first used."""
        self._sheet = sheet
        self._stamps: dict[Style, Stamp] = {}

    def of(self, style: Style, value: Value) -> Stamp:
        """Return the stamp of a style, filled."""
        stamp = self._stamps.get(style)
        if stamp is None:
            stamp = self._stamps[style] = Stamp(self._sheet, style)
        return stamp.filled(value)

    def own(self, style: Style, value: Value) -> Stamp:
        """Return a new cell in a style, which may carry a note or a link of its own."""
        return copy(self.of(style, None)).filled(value)

    def text(self, text: str) -> Stamp | None:
        """Return text as the sheet is to keep it, also after somebody has edited it; no text is no cell."""
        if not text:
            return None
        return self.of(_text_style(text), text)

    def prose(self, text: str) -> Stamp | None:
        """Return text in as many lines as it needs."""
        if not text:
            return None
        return self.of(styles.quoted_and_wrapped if text[0] in FORMULA_STARTS else styles.wrapped, text)

    def cell(self, cell: Cell) -> Stamp | None:
        """Return a source cell with its value and number format as they were."""
        if isinstance(cell, Typed) and storable(cell):
            return self.of(_typed_style(cell), cell.value)
        return self.text(str(cell))

    def faulty(self, cell: Cell) -> Stamp:
        """Return a source cell in the colours of a fault; it may carry a note."""
        if isinstance(cell, Typed) and storable(cell):
            return self.own(styles.tinted(_typed_style(cell), styles.FAULTY), cell.value)
        return self.own(styles.tinted(_text_style(str(cell)), styles.FAULTY), str(cell))


def _text_style(text: str) -> Style:
    first, broken = text[:1], "\n" in text  # what is not wrapped runs over the next line in LibreOffice
    if first in FORMULA_STARTS:
        return styles.quoted_and_wrapped if broken else styles.quoted
    if broken:
        return styles.wrapped
    return styles.kept_as_text if first.isdigit() and len(text) <= LIKE_A_NUMBER else styles.plain


def _typed_style(typed: Typed) -> Style:
    return styles.formatted(typed.number_format, number=not isinstance(typed.value, date | time))


def storable(typed: Typed) -> bool:
    """Tell whether a sheet can store the value: it has no date before 1900 and no number without end."""
    if isinstance(typed.value, date):
        return typed.value.year >= FIRST_YEAR
    return not isinstance(typed.value, float) or isfinite(typed.value)
