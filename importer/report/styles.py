"""How the workbook looks: each style is a function that dresses a cell, and equal styles are one function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from .words import Look

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as SheetCell

Style = Callable[["SheetCell"], None]


SOURCE_HEADER = Look("1F3A5F", "FFFFFF", "1F3A5F")
OWN_HEADER = Look("2F5D50", "FFFFFF", "2F5D50")
FILL_HEADER = Look("8A6A00", "FFFFFF", "8A6A00")
FAULTY = Look("FFC9C4", "7A0F08", "C62828")
TO_FILL = Look("FFF8D6", "4A3B00", "B38F00")

_RULE = Side("thin", "C9D1DB")
RULED = FormulaRule(["TRUE"], border=Border(bottom=_RULE))  # type: ignore[no-untyped-call]
"""A rule below every line, on the screen and on paper; as a conditional format it costs nothing per cell."""

_TOP = Alignment(vertical="top")
_LEFT = Alignment(horizontal="left", vertical="top")
_NUMBER = Alignment(horizontal="right", vertical="top", indent=1)
_WRAPPED = Alignment(vertical="top", wrap_text=True)


@cache
def tinted(style: Style, look: Look, *, bold: bool = False) -> Style:
    """Return a style as it is, but in the colours of `look`."""

    def apply(cell: SheetCell) -> None:
        style(cell)
        cell.fill = PatternFill("solid", start_color=look.ground)
        cell.font = Font(name="Calibri", size=11, bold=bold, color=look.letters)

    return apply


def coloured(look: Look, *, bold: bool = False) -> Style:
    """Return the style of a label in the colours of `look`."""
    return tinted(indented, look, bold=bold)


@cache
def header(look: Look) -> Style:
    """Return the style of a header: the colours of `look`, bold, with a rule below."""

    def apply(cell: SheetCell) -> None:
        coloured(look, bold=True)(cell)
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        cell.border = Border(bottom=_RULE)

    return apply


def indented(cell: SheetCell) -> None:
    """Stand a little away from the cell before."""
    cell.alignment = Alignment(horizontal="left", vertical="top", indent=1)


def plain(cell: SheetCell) -> None:
    """Stand at the top of the line, beside the first line of a wrapped message."""
    cell.alignment = _TOP


def wrapped(cell: SheetCell) -> None:
    """Break long text into lines."""
    cell.alignment = _WRAPPED


def quoted(cell: SheetCell) -> None:
    """Keep text that begins like a formula text, also after somebody has edited it."""
    cell.alignment = _TOP
    cell.quotePrefix = True


def quoted_and_wrapped(cell: SheetCell) -> None:
    """Do both."""
    cell.alignment = _WRAPPED
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
    cell.alignment = _LEFT
    cell.font = Font(name="Calibri", size=11, color="0B4FA8", underline="single")


@cache
def formatted(number_format: str, *, number: bool) -> Style:
    """Return the style of a number, on the right of its column, or of a moment, on the left as text is."""

    def apply(cell: SheetCell) -> None:
        cell.alignment = _NUMBER if number else _LEFT
        cell.number_format = number_format

    return apply


WHOLE_NUMBER = formatted("0", number=True)
MOMENT = formatted("yyyy-mm-dd hh:mm:ss", number=False)
