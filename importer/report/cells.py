"""Cells as the text of a sheet: everything of a cell but the place where it stands.

A sheet has millions of cells and few kinds of them. The number of each style is found once, and short texts, which
come again and again, are made once.
"""

from __future__ import annotations

from datetime import date, time
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.datetime import to_excel

from importer.model import Cell, Typed

from . import styles
from .text import FORMULA_STARTS, as_xml, is_ordinary

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from .styles import Style

Value = str | int | float | bool | date | time | None

FIRST_YEAR = 1900  # a sheet's calendar begins there
LIKE_A_NUMBER = 32  # characters; longer text that begins with a digit is not read as a number or a date
SHORT = 40  # characters; longer text seldom comes again
TEXTS_KEPT = 10_000


class Cells:
    """The cells of one sheet, each as what follows its place: `<c r="B7"` and then ` s="3"><v>12</v></c>`.

    What is to be left out is empty text.
    """

    def __init__(self, sheet: Worksheet) -> None:
        """Begin without any; a style gets its number in the workbook when it is first used."""
        self._sheet = sheet
        self._numbers: dict[Style, int] = {}
        self._texts: dict[str, str] = {}
        self._proses: dict[str, str] = {}
        self._plain = f' s="{self.number_of(styles.plain)}" t="inlineStr"><is><t>'

    def number_of(self, style: Style) -> int:
        """Return the number of a style in the workbook."""
        number = self._numbers.get(style)
        if number is None:
            dressed = WriteOnlyCell(self._sheet)
            style(dressed)
            number = self._numbers[style] = dressed.style_id
        return number

    def of(self, style: Style, value: Value) -> str:
        """Return a cell in a style, also where it holds nothing; text is never taken for a formula."""
        number = self.number_of(style)
        if value is None or value == "":
            return f' s="{number}"/>'
        if isinstance(value, str):
            return f' s="{number}" t="inlineStr"><is>{as_xml(value)}</is></c>'
        if isinstance(value, bool):
            return f' s="{number}" t="b"><v>{value:d}</v></c>'
        if isinstance(value, date | time):
            value = _serial(value)
        return f' s="{number}"><v>{value!r}</v></c>'

    def text(self, text: str) -> str:
        """Return text as the sheet is to keep it, also after somebody has edited it; no text is no cell."""
        if not text:
            return ""
        if is_ordinary(text):
            return f"{self._plain}{text}</t></is></c>"
        return self.of(_text_style(text), text)

    def prose(self, text: str) -> str:
        """Return text in as many lines as it needs; no text is no cell."""
        if not text:
            return ""
        style = styles.quoted_and_wrapped if text[0] in FORMULA_STARTS else styles.wrapped
        return self._proses.get(text) or _kept(self._proses, text, self.of(style, text))

    def cell(self, cell: Cell) -> str:
        """Return a source cell with its value and number format as they were."""
        if cell.__class__ is str:
            return self._texts.get(cell) or _kept(self._texts, cell, self.text(cell))
        if isinstance(cell, Typed) and storable(cell):
            return self.of(_typed_style(cell), cell.value)
        return self.text(str(cell))

    def faulty(self, cell: Cell) -> str:
        """Return a source cell in the colours of a fault."""
        if isinstance(cell, Typed) and storable(cell):
            return self.of(styles.tinted(_typed_style(cell), styles.FAULTY), cell.value)
        return self.of(styles.tinted(_text_style(str(cell)), styles.FAULTY), str(cell))


def _kept(texts: dict[str, str], text: str, made: str) -> str:
    """Return a cell and keep it where its text is likely to come again."""
    if len(text) <= SHORT:
        if len(texts) == TEXTS_KEPT:
            texts.clear()
        texts[text] = made
    return made


def _text_style(text: str) -> Style:
    first, broken = text[:1], "\n" in text  # what is not wrapped runs over the next line in LibreOffice
    if first in FORMULA_STARTS:
        return styles.quoted_and_wrapped if broken else styles.quoted
    if broken:
        return styles.wrapped
    return styles.kept_as_text if first.isdigit() and len(text) <= LIKE_A_NUMBER else styles.plain


def _typed_style(typed: Typed) -> Style:
    return styles.formatted(typed.number_format, number=not isinstance(typed.value, date | time))


@lru_cache(maxsize=4096)
def _serial(moment: date | time) -> float:
    """Return a moment as a sheet stores it: days since the last of 1899."""
    serial: float = to_excel(moment)  # type: ignore[no-untyped-call]
    return serial


def storable(typed: Typed) -> bool:
    """Tell whether a sheet can store the value: it has no date before 1900 and no number without end."""
    if isinstance(typed.value, date):
        return typed.value.year >= FIRST_YEAR
    return not isinstance(typed.value, float) or isfinite(typed.value)
