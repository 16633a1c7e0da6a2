"""How the workbook looks, and cells that wear its styles cheaply.

A write-only sheet forgets a cell once it is written, so one cell per style serves a whole sheet: styling a new cell
for each value would cost more than writing it. Rows are therefore handed over as generators, one cell at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import date, datetime, time
from math import isfinite
from typing import TYPE_CHECKING

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from importer.model import Cell, Fault, Typed

from .text import FORMULA_STARTS, clean, cut
from .words import Look

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

Shown = str | int | float | bool | date | time | None
Style = Callable[["SheetCell"], None]

MOMENT_FORMAT = "yyyy-mm-dd hh:mm:ss"
FIRST_YEAR = 1900  # a sheet's calendar begins there
LIKE_A_NUMBER = 32  # characters; longer text that begins with a digit is not read as a number or a date

SOURCE_HEADER = Look("1F3A5F", "FFFFFF", "1F3A5F")
OWN_HEADER = Look("2F5D50", "FFFFFF", "2F5D50")
FILL_HEADER = Look("8A6A00", "FFFFFF", "8A6A00")
FAULTY = Look("FFC9C4", "7A0F08", "C62828")
TO_FILL = Look("FFF8D6", "4A3B00", "B38F00")

_TOP = Alignment(vertical="top")
_WRAPPED = Alignment(vertical="top", wrap_text=True)
_RULE = Side("thin", "C9D1DB")


def top_aligned(workbook: Workbook) -> None:
    """Let every cell without a style stand at the top of its row, beside the first line of a wrapped message."""
    # openpyxl offers no public way to the default cell format, and a style for each cell would slow every row
    formats, alignments = workbook._cell_styles, workbook._alignments  # type: ignore[attr-defined]  # noqa: SLF001
    formats[0].alignmentId = alignments.add(_TOP)


def coloured(look: Look, *, bold: bool = False) -> Style:
    """Return a style in the colours of `look`."""

    def apply(cell: SheetCell) -> None:
        cell.fill = PatternFill("solid", start_color=look.ground)
        cell.font = Font(name="Calibri", size=11, bold=bold, color=look.letters)
        cell.alignment = Alignment(vertical="top", indent=1)

    return apply


def header(look: Look) -> Style:
    """Return the style of a header: the colours of `look`, bold, with a rule below."""

    def apply(cell: SheetCell) -> None:
        coloured(look, bold=True)(cell)
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        cell.border = Border(bottom=_RULE)

    return apply


def wrapped(cell: SheetCell) -> None:
    """Break long text into lines."""
    cell.alignment = _WRAPPED


def quoted(cell: SheetCell) -> None:
    """Keep text that begins like a formula text, also after somebody has edited it."""
    cell.alignment = _TOP
    cell.quotePrefix = True


def kept_as_text(cell: SheetCell) -> None:
    """Keep `00123` as it is, also after somebody has edited it."""
    cell.alignment = _TOP
    cell.number_format = "@"


def to_fill(cell: SheetCell) -> None:
    """Look like a place to write in; what is written there stays text."""
    coloured(TO_FILL)(cell)
    cell.border = Border(_RULE, _RULE, _RULE, _RULE)
    cell.number_format = "@"


def linked(cell: SheetCell) -> None:
    """Look like a link."""
    cell.alignment = _TOP
    cell.font = Font(name="Calibri", size=11, color="0B4FA8", underline="single")


def formatted(number_format: str) -> Style:
    """Return the style of a number, a date or a time."""

    def apply(cell: SheetCell) -> None:
        cell.alignment = _TOP
        cell.number_format = number_format

    return apply


class Stamps:
    """The cells of one sheet, one for each style; each is good until the next value is asked for."""

    def __init__(self, sheet: Worksheet) -> None:
        """Begin without any; styles make their cell when they are first used."""
        self._sheet = sheet
        self._stamps: dict[object, SheetCell] = {}

    def of(self, key: object, style: Style, value: Shown) -> SheetCell:
        """Return the cell of `style`, known by `key`, showing `value`; text is never a formula."""
        stamp = self._stamps.get(key)
        if stamp is None:
            stamp = self._stamps[key] = WriteOnlyCell(self._sheet)
            style(stamp)
        return shown(stamp, value)

    def text(self, text: str) -> SheetCell | str | None:
        """Return text as the sheet is to keep it; the empty text is no cell."""
        if not text:
            return None
        text = cut(clean(text))
        first = text[0]
        if first in FORMULA_STARTS:
            return self.of("quoted", quoted, text)
        if (first.isdigit() and len(text) <= LIKE_A_NUMBER) or first == "#":
            return self.of("kept", kept_as_text, text)
        return text

    def cell(self, cell: Cell) -> SheetCell | Shown:
        """Return a source cell with its value and number format as they were."""
        if isinstance(cell, str):
            return self.text(cell)
        if isinstance(cell, Fault) or not storable(cell):
            return self.text(cell.text)
        if cell.number_format == "General" and not isinstance(cell.value, date | time):
            return cell.value
        return self.of((type(cell.value), cell.number_format), formatted(cell.number_format), cell.value)

    def own(self, key: object, style: Style, value: Shown) -> SheetCell:
        """Return a cell of its own, which may carry a note or a link, in the style known by `key`."""
        stamp = self.of(key, style, None)
        cell = WriteOnlyCell(self._sheet)
        # what openpyxl's own documentation does to copy a style; setting each part anew is slow
        cell._style = copy(stamp._style)  # type: ignore[attr-defined]  # noqa: SLF001
        return shown(cell, value)


def shown(cell: SheetCell, value: Shown) -> SheetCell:
    """Return the cell with a value; text becomes clean text, whatever it begins with, and no text an empty cell."""
    if isinstance(value, str) and value:
        cell.value = cut(clean(value))
        cell.data_type = "s"
    else:
        cell.value = None if value == "" else value
    return cell


def storable(typed: Typed) -> bool:
    """Tell whether a sheet can store the value: it has no date before 1900 and no number without end."""
    if isinstance(typed.value, date | datetime):
        return typed.value.year >= FIRST_YEAR
    return not isinstance(typed.value, float) or isfinite(typed.value)
