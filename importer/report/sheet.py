"""One sheet of a workbook, written line by line with XlsxWriter; memory does not grow with its lines.

XlsxWriter's `constant_memory` mode keeps one line in memory and the lines before it in a temporary file. Three things
that it does not document are needed for the rest, are used in this module alone, and have a test that fails when one of
them is gone: it keeps the height of every line (`row_info`, `row_sizes`), it leaves its temporary files open when a
workbook is given up (`row_data_fh`), and it formats numbers with 16 digits by `format`, where a double may need 17.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from math import isfinite
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO, cast

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format

from importer.model import Cell, Typed
from importer.report import styles
from importer.report.styles import Formats, Style
from importer.report.text import FORMULA_STARTS, cell_text

Value = str | int | float | bool | date | time | None

FIRST_YEAR = 1900  # a sheet's calendar begins there
LIKE_A_NUMBER = 32  # characters; longer text that begins with a digit is not read as a number or a date
LONGEST_ADDRESS = 2_000  # characters of a link; Excel ignores longer ones
HEIGHTS_KEPT = 100_000  # lines of a height of their own, of which the place of a note is reckoned

A4 = 9
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "use_zip64": True,
}


@contextmanager
def new_workbook(file: BinaryIO) -> Iterator[Workbook]:
    """Make a workbook and write it to an open file at the end of the block, unless the block fails."""
    with TemporaryDirectory(prefix="case-importer-", ignore_cleanup_errors=True) as folder:
        workbook = Workbook(file, {**OPTIONS, "tmpdir": folder})
        try:
            yield workbook
            workbook.close()
        except FileCreateError as error:
            _close_temporary_files(workbook)
            raise OSError(*error.args[0].args) from error
        except BaseException:
            _close_temporary_files(workbook)
            raise


def _close_temporary_files(workbook: Workbook) -> None:
    """Close the files that a workbook which is not saved would leave open; Windows deletes no open file."""
    for sheet in workbook.worksheets():
        file: IO[str] | None = sheet.row_data_fh
        if file is not None:
            file.close()


class _Exact(float):
    """A number that is written with all its digits."""

    def __format__(self, _spec: str) -> str:
        """Return the shortest text that gives the same number back."""
        return repr(float(self))


class SheetWriter:
    """One sheet, its lines written one after another; columns count from 0.

    `next_line` begins a line, and the other methods fill its cells. No text is ever taken for anything else.
    """

    def __init__(self, workbook: Workbook, formats: Formats, title: str) -> None:
        """Add the sheet as the last one of the workbook, to be printed on A4 across."""
        self.sheet = workbook.add_worksheet(title)
        self.title = title
        self.lines = 0
        self.formats = formats
        self._heights_set = 0
        self._print_on_a4()

    def _print_on_a4(self) -> None:
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer("&L&A&R&P / &N")
        self.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)

    def next_line(self, height: float | None = None, *, hidden: bool = False) -> None:
        """Begin a line.

        `height` is in points. Neither Excel nor LibreOffice is sure to find out by itself how high wrapped text is.
        """
        row = self.lines
        self.lines += 1
        if self._heights_set > HEIGHTS_KEPT:  # those of the lines that were written are no longer needed
            self.sheet.row_info.pop(row - 2, None)
            self.sheet.row_sizes.pop(row - 2, None)
        if height is not None or hidden:
            self._heights_set += 1
            self.sheet.set_row(row, height, None, {"hidden": hidden})

    def value(self, column: int, style: Style, value: Value) -> None:
        """Write a value in a style; an empty one has the style all the same."""
        row, cell_format = self.lines - 1, self.formats.of(style)
        if value is None or value == "":
            self.sheet.write_blank(row, column, None, cell_format)
        elif isinstance(value, str):
            text = cell_text(value)
            if text[:1] in FORMULA_STARTS and not style.quoted:  # a text stays one, also after it was edited
                cell_format = self.formats.of(replace(style, quoted=True))
            self._write_text(row, column, text, cell_format)
        elif isinstance(value, bool):
            self.sheet.write_boolean(row, column, value, cell_format)
        elif isinstance(value, date | time):
            self.sheet.write_datetime(row, column, cast("datetime", value), cell_format)  # it takes all of them
        else:
            self.sheet.write_number(row, column, _Exact(value) if isinstance(value, float) else value, cell_format)

    def _write_text(self, row: int, column: int, text: str, cell_format: Format) -> None:
        """Write text that a cell can hold. XlsxWriter takes `<r>…</r>` for XML of its own, unless it is in pieces."""
        if text.startswith("<r>") and text.endswith("</r>"):
            self.sheet.write_rich_string(row, column, text[:1], text[1:2], text[2:], cell_format)
        else:
            self.sheet.write_string(row, column, text, cell_format)

    def text(self, column: int, text: str) -> None:
        """Write text that stays as it is, also after somebody has edited it; empty text makes no cell."""
        if text:
            self.value(column, _text_style(text), text)

    def prose(self, column: int, text: str) -> None:
        """Write text in as many lines as it needs; empty text makes no cell."""
        if text:
            self.value(column, styles.QUOTED_AND_WRAPPED if text[0] in FORMULA_STARTS else styles.WRAPPED, text)

    def cell(self, column: int, cell: Cell) -> None:
        """Write a source cell with its value and number format as they were."""
        if isinstance(cell, Typed) and can_be_stored(cell):
            self.value(column, _typed_style(cell), cell.value)
        else:
            self.text(column, str(cell))

    def faulty(self, column: int, cell: Cell) -> None:
        """Write a source cell in the colours of a fault, also where it is empty."""
        if isinstance(cell, Typed) and can_be_stored(cell):
            self.value(column, _typed_style(cell).tinted(styles.FAULTY), cell.value)
        else:
            self.value(column, _text_style(str(cell)).tinted(styles.FAULTY), str(cell))

    def link(self, column: int, value: str | int, address: str) -> None:
        """Write a value that leads to an address, or to a place in the workbook (`internal:'Report'!A1`)."""
        if len(address) <= LONGEST_ADDRESS:
            self.sheet.write_url(self.lines - 1, column, address, None, cell_text(str(value)))
        self.value(column, styles.LINKED, value)

    def note(self, column: int, text: str) -> None:
        """Put a note, about as large as its text, to a cell of the line."""
        text = cell_text(text)
        width, height = note_size(text)
        options = {"author": "case-importer", "width": width, "height": height, "font_size": 9}
        self.sheet.write_comment(self.lines - 1, column, text, options)


def note_size(text: str) -> tuple[int, int]:
    """Return how wide and how high a note is shown, in pixels: about as large as its text."""
    lines = sum(1 + len(line) // 44 for line in text.splitlines())
    return 300, 24 + 18 * min(lines, 20)


def _text_style(text: str) -> Style:
    first, broken = text[:1], "\n" in text  # what is not wrapped runs over the next line in LibreOffice
    if first in FORMULA_STARTS:
        return styles.QUOTED_AND_WRAPPED if broken else styles.QUOTED
    if broken:
        return styles.WRAPPED
    return styles.KEPT_AS_TEXT if first.isdigit() and len(text) <= LIKE_A_NUMBER else styles.PLAIN


def _typed_style(typed: Typed) -> Style:
    return styles.formatted(typed.number_format, number=not isinstance(typed.value, date | time))


def can_be_stored(typed: Typed) -> bool:
    """Return whether a sheet can store the value: it has no date before 1900 and no infinite number."""
    if isinstance(typed.value, date):
        return typed.value.year >= FIRST_YEAR
    return not isinstance(typed.value, float) or isfinite(typed.value)
