"""The sheet `Issues`: every issue on a line of its own, leading to its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importer.messages import _
from importer.model import Issue, ReportRow

from . import styles
from .listing import LINKS_PER_SHEET, SHEET_LINES, Allowance, Listing, height_of
from .words import ISSUES, sentence

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook


class IssuesSheet(Listing):
    """Every issue on a line of its own, leading to its cell."""

    def __init__(self, workbook: Workbook) -> None:
        """Write the header."""
        super().__init__(workbook, ISSUES, (9, 24, 34, 62, 62, 22), freeze="A2")
        self._allowance = Allowance(LINKS_PER_SHEET)
        self.left_out = 0
        names = (_("row"), _("column"), _("value"), _("what is wrong"), _("what to do"), _("code"))
        self.header((name, styles.SOURCE_HEADER) for name in names)

    @property
    def links_refused(self) -> int:
        """How many lines lead nowhere because Excel allows no more links on a sheet."""
        return self._allowance.refused

    def add(self, row: ReportRow, issue: Issue, location: str) -> None:
        """Write one issue of a row; `location` is its cell."""
        if self.lines == SHEET_LINES:
            self.left_out += 1
        else:
            height = height_of((issue.value or "", 34), (issue.message, 62), (sentence(issue.remedy), 62))
            self.append(self._cells(row.number if issue.row is None else issue.row, issue, location), height)

    def _cells(self, number: int, issue: Issue, location: str) -> tuple[str, ...]:
        cells = self.cells
        return (
            self.leading(0, number, location) if self._allowance.take() else cells.of(styles.WHOLE_NUMBER, number),
            cells.text(issue.column or ""),
            cells.prose(issue.value or ""),
            cells.prose(issue.message),
            cells.prose(sentence(issue.remedy)),
            cells.text(issue.code),
        )
