"""One sheet on its way to the disk: openpyxl lays it out, its lines are text.

openpyxl makes three elements of a cell and looks for the namespace of each, which was three quarters of the time of
a whole report. What a line says is known here, so it is written as it stands in the file; all that surrounds the
lines (columns, filters, notes, links, styles) is openpyxl's.
"""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl.comments.comment_sheet import CommentRecord
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from .cells import Cells
from .text import clean, cut

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

LINES_BATCH_SIZE = 500  # that are gathered before they are written
PIECE = 1 << 20  # bytes that are copied at once

_NO_LINES = re.compile(rb"<sheetData.*</sheetData>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be read beside a cell, and how large it is shown."""

    text: str
    width: int
    height: int


class Sheet:
    """One sheet: its lines are written one after another, and `pieces` are the whole of it."""

    def __init__(self, workbook: Workbook, title: str, columns: int) -> None:
        """Take the next place in the workbook."""
        self.sheet: Worksheet = workbook.create_sheet(title)
        self.cells = Cells(self.sheet)
        self.columns = columns
        self.lines = 0
        self._letters = [get_column_letter(index) for index in range(1, columns + 1)]
        self._links: list[Hyperlink] = []
        self._notes: list[CommentRecord] = []
        self._gathered: list[str] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        weakref.finalize(self, self._file.close)

    @property
    def title(self) -> str:
        """The sheet's name."""
        return self.sheet.title

    @property
    def part(self) -> str:
        """Where in the package the sheet is, once the workbook was saved."""
        return self.sheet.path.lstrip("/")

    def append(self, cells: Iterable[str], height: float | None = None, *, hidden: bool = False) -> None:
        """Write one line, its cells as `Cells` makes them.

        `height` is in points. Neither Excel nor LibreOffice is sure to find out by itself how high wrapped text is.
        """
        self.lines += 1
        number = self.lines
        look = "" if height is None else f' ht="{height}" customHeight="1"'
        if hidden:
            look += ' hidden="1"'
        line = "".join([f'<c r="{at}{number}"{cell}' for at, cell in zip(self._letters, cells, strict=False) if cell])
        self._gathered.append(f'<row r="{number}"{look}>{line}</row>')
        if len(self._gathered) == LINES_BATCH_SIZE:
            self._write()

    def _write(self) -> None:
        self._file.write("".join(self._gathered).encode())
        self._gathered.clear()

    def link(self, column: int, *, location: str | None = None, target: str | None = None) -> None:
        """Have a cell of the next line lead to a place of the workbook, or to an address; columns count from 0."""
        self._links.append(Hyperlink(ref=self._next(column), location=location, target=target))

    def note(self, column: int, note: Note) -> None:
        """Put a note to a cell of the next line."""
        record = CommentRecord(ref=self._next(column), author="case-importer", width=note.width, height=note.height)
        record.text.t = cut(clean(note.text))
        self._notes.append(record)

    def _next(self, column: int) -> str:
        return f"{self._letters[column]}{self.lines + 1}"

    def lay_out(self) -> None:
        """Tell openpyxl of all notes and links; to be called once, before the workbook is saved."""
        sheet: Any = self.sheet  # there is no public way to its lists, and a sheet without cells has none of its own
        sheet.append(())  # openpyxl clears the lists when it begins to write
        sheet._hyperlinks.extend(self._links)  # noqa: SLF001 - the same
        sheet._comments.extend(self._notes)  # noqa: SLF001 - the same

    @property
    def size(self) -> int:
        """How many bytes the lines are."""
        self._write()
        return self._file.tell()

    def pieces(self, frame: bytes) -> Iterator[bytes]:
        """Yield the whole sheet; `frame` is what openpyxl makes of it, without its lines."""
        before, after = _NO_LINES.split(frame)
        yield before + b"<sheetData>"
        self._write()
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece
        yield b"</sheetData>" + after


def for_paper(sheet: Worksheet, pages: int = 1) -> None:
    """Print on A4 across, so many pages wide, with the sheet's name and the page's number below each."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth = pages
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter = HeaderFooterItem(left=_HeaderFooterPart("&A"), right=_HeaderFooterPart("&P / &N"))
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom, margins.footer = 0.5, 0.7, 0.3
