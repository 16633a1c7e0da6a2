"""The sheet `To decide`: rows that may or may not be in the CRM, for a person to look up and to give a verdict on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from importer.messages import _, shorten
from importer.model import ReportContent, ReportRow

from . import styles
from .listing import LINKS_PER_SHEET, Allowance, Listing, height_of
from .words import TO_DECIDE, VERDICTS, local, look, message

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

COLUMNS = {
    "row": 8.0,
    "reference": 24.0,
    "status": 12.0,
    "sent_at": 20.0,
    "sent": 60.0,
    "message": 50.0,
    "verdict": 16.0,
    "wolkvox_id": 28.0,
    "idPrefijo": 14.0,
    "attempt": 10.0,
}
"""Its columns and their widths; the same in every language, since they are read back."""

TO_FILL_IN = ("verdict", "wolkvox_id", "idPrefijo")


class ToDecideSheet(Listing):
    """The rows that may or may not be in the CRM, for a person to look up and to give a verdict on."""

    def __init__(self, workbook: Workbook, content: ReportContent) -> None:
        """Write the header."""
        super().__init__(workbook, TO_DECIDE, tuple(COLUMNS.values()), freeze="C2")
        self._source_columns = content.columns
        self._summary = content.summary
        self._allowance = Allowance(LINKS_PER_SHEET)
        self.header((name, styles.FILL_HEADER if name in TO_FILL_IN else styles.OWN_HEADER) for name in COLUMNS)

    def add(self, row: ReportRow, location: str) -> None:
        """Write one doubtful row; `location` is its place in `Report`."""
        sent, said = self._sent(row), message(row, self._summary)
        self.append(self._cells(row, location, sent, said), height_of((sent, 60), (said, 50)))

    def _cells(self, row: ReportRow, location: str, sent: str, said: str) -> tuple[str, ...]:
        cells, number = self.cells, row.number
        state = styles.coloured(look(row, self._summary), bold=True)
        return (
            self.leading(0, number, location) if self._allowance.take() else cells.of(styles.WHOLE_NUMBER, number),
            cells.text(row.reference or ""),
            cells.of(state, row.status.value),
            cells.of(styles.MOMENT, local(row.sent_at, self._summary)) if row.sent_at else "",
            cells.prose(sent),
            cells.prose(said),
            *(cells.of(styles.to_fill, value) for value in (None, row.wolkvox_id, row.id_prefijo)),
            cells.text(row.about or ""),
        )

    def _sent(self, row: ReportRow) -> str:
        filled = ((name, str(cell)) for name, cell in zip(self._source_columns, row.cells, strict=True))
        return "\n".join(f"{name}: {shorten(text, 80)}" for name, text in filled if text.strip())[:2_000]

    def finish(self) -> None:
        """Offer the verdicts to choose from; to be called after the last row."""
        choice = DataValidation(type="list", formula1=f'"{",".join(VERDICTS)}"', allow_blank=True)
        choice.showErrorMessage = True
        choice.errorTitle, choice.error = TO_DECIDE, _("Choose one of the list, or leave the cell empty.")
        choice.showInputMessage = True
        choice.promptTitle = "verdict"
        choice.prompt = _(
            "Look the reference up in the CRM. Found: choose created and write its id beside. Not there: not created."
        )
        column = get_column_letter(list(COLUMNS).index("verdict") + 1)
        choice.add(f"{column}2:{column}{max(self.lines, 2)}")
        self.sheet.data_validations.append(choice)
        super().finish()
