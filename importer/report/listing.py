"""What the sheets that list rows have in common: their layout, their header, and the limits of a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter

from . import styles
from .sheet import Sheet, for_paper
from .words import Look

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

SHEET_LINES = 1_048_576
SHEET_COLUMNS = 16_384
LINKS_PER_SHEET = 65_530  # Excel opens no sheet with more
PAGE_WIDTH = 240  # characters across A4, small and still legible
HIGHEST = 409.0  # points; no line of a sheet is higher


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


class Listing(Sheet):
    """A sheet of a header and lines below it, which can be filtered."""

    def __init__(self, workbook: Workbook, title: str, widths: Sequence[float], *, freeze: str) -> None:
        """Lay the sheet out for the screen and for A4 paper across."""
        super().__init__(workbook, title, len(widths))
        for index, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(index)].width = width
        self.sheet.freeze_panes = freeze
        for_paper(self.sheet, ceil(sum(widths) / PAGE_WIDTH))
        self.sheet.print_title_rows = "1:1"

    def header(self, names: Iterable[tuple[str, Look]]) -> None:
        """Write the names of the columns, each in its colours."""
        self.append((self.cells.of(styles.header(colours), name) for name, colours in names), 24)

    def finish(self) -> None:
        """Let the lines be filtered by any column, and rule them; to be called after the last."""
        last = get_column_letter(self.columns)
        self.sheet.auto_filter.ref = f"A1:{last}{self.lines}"
        self.sheet.conditional_formatting.add(f"A2:{last}{max(self.lines, 2)}", styles.RULED)

    def leading(self, column: int, value: str | int, location: str) -> str:
        """Return a cell of the next line that leads to another place of the workbook."""
        self.link(column, location=location)
        return self.cells.of(styles.linked, value)


def height_of(*texts: tuple[str, int]) -> float | None:
    """Return how high a line is, in points, for texts wrapped at so many characters; None for a plain line."""
    lines = max(sum(max(1, ceil(len(line) / width)) for line in text.split("\n")) for text, width in texts)
    return None if lines == 1 else min(15.0 * lines, HIGHEST)
