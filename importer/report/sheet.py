"""What the sheets that list rows have in common: their layout, their lines, and the limits of a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, cast

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.dimensions import RowDimension
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from . import styles
from .cells import Stamp, Stamps, Value, placed
from .line_writer import write_as_text
from .words import Look

if TYPE_CHECKING:
    from types import GeneratorType

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

SHEET_LINES = 1_048_576
SHEET_COLUMNS = 16_384
LINKS_PER_SHEET = 65_530  # Excel opens no sheet with more
PAGE_WIDTH = 240  # characters across A4, small and still legible
HIGHEST = 409.0  # points; no line of a sheet is higher

Line = Iterator[Stamp | None]


@dataclass(slots=True)
class Allowance:
    """How many of a thing one sheet may still take, and how many it had to do without."""

    left: int
    refused: int = 0

    def take(self) -> bool:
        """Use one, if there is one left."""
        if self.left:
            self.left -= 1
            return True
        self.refused += 1
        return False


class Sheet:
    """One sheet on its way to the disk: its header is written, its lines follow."""

    def __init__(self, workbook: Workbook, title: str, widths: Sequence[float], *, freeze: str) -> None:
        """Lay the sheet out for the screen and for A4 paper across, before its first line."""
        self.sheet: Worksheet = workbook.create_sheet(title)
        # openpyxl tries each value as plain data before it takes it for a cell, which is a third of a line's time;
        # should it ever ask another method, lines are written all the same
        self.sheet._values_to_row = placed  # noqa: SLF001
        self.stamps = Stamps(self.sheet)
        self.columns = len(widths)
        self.lines = 0
        for index, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(index)].width = width
        self.sheet.freeze_panes = freeze
        for_paper(self.sheet, ceil(sum(widths) / PAGE_WIDTH))
        self.sheet.print_title_rows = "1:1"

    def append(self, cells: Line, height: float | None = None, *, hidden: bool = False) -> None:
        """Write one line; cells are asked for one by one, since a stamp is good until the next.

        `height` is in points. Neither Excel nor LibreOffice is sure to find out by itself how high wrapped text is.
        """
        if not self.lines:
            write_as_text(self.sheet)  # now that the sheet is laid out
        self.lines += 1
        line = cast("GeneratorType[Stamp | None, object, object]", cells)
        if height is None and not hidden:
            self.sheet.append(line)
        else:
            self.sheet.row_dimensions[self.lines] = RowDimension(self.sheet, self.lines, ht=height, hidden=hidden)
            self.sheet.append(line)
            del self.sheet.row_dimensions[self.lines]  # it is written

    def header(self, names: Iterable[tuple[str, Look]]) -> None:
        """Write the names of the columns, each in its colours."""
        self.append((self.stamps.of(styles.header(colours), name) for name, colours in names), 24)

    def finish(self) -> None:
        """Let the lines be filtered by any column, and rule them; to be called after the last."""
        last = get_column_letter(self.columns)
        self.sheet.auto_filter.ref = f"A1:{last}{self.lines}"
        self.sheet.conditional_formatting.add(f"A2:{last}{max(self.lines, 2)}", styles.RULED)

    def link(self, value: Value, location: str) -> Stamp:
        """Return a cell that leads to another place of the workbook."""
        cell = self.stamps.own(styles.linked, value)
        cell.hyperlink = Hyperlink(ref="", location=location)
        return cell


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


def height_of(*texts: tuple[str, int]) -> float | None:
    """Return how high a line is, in points, for texts wrapped at so many characters; None for a plain line."""
    lines = max(sum(max(1, ceil(len(line) / width)) for line in text.split("\n")) for text, width in texts)
    return None if lines == 1 else min(15.0 * lines, HIGHEST)
