"""The sheet `Report`: the source's rows as they were, and beside them what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter

from importer.model import Cell, Issue, ReportContent, ReportRow, Status

from . import styles
from .cells import Stamp
from .sheet import LINKS_PER_SHEET, Allowance, Line, Sheet, height_of
from .text import clean, cut
from .words import OWN_COLUMNS, local, look, message, told

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

REPORT = "Report"
NOTES_PER_SHEET = 20_000  # a workbook with more is slow to open; every reason stands in Issues and in `message` too

LINES_OF_A_CELL = 4  # that are shown; the cell holds the others too
WIDEST = 38  # characters, of a column of the source
MESSAGE_WIDTH = 60
OWN_WIDTHS = {
    "row": 8.0,
    "status": 12.0,
    "wolkvox_id": 28.0,
    "idPrefijo": 14.0,
    "message": float(MESSAGE_WIDTH),
    "sent_at": 20.0,
    "run": 7.0,
    "reference": 24.0,
}


class ReportSheet(Sheet):
    """The source's rows as they were, and beside them what became of each."""

    def __init__(self, workbook: Workbook, content: ReportContent, sample: Iterable[ReportRow]) -> None:
        """Write the header; `sample` are some first rows, which tell how wide the columns should be."""
        self._summary = content.summary
        self._case_url = content.case_url
        self._places = {name: index for index, name in enumerate(content.columns)}
        self._notes = Allowance(NOTES_PER_SHEET)
        self._links = Allowance(LINKS_PER_SHEET)
        widths = [*_source_widths(content.columns, sample), *(OWN_WIDTHS[name] for name in OWN_COLUMNS)]
        super().__init__(workbook, REPORT, widths, freeze="B2")
        self.sheet.print_title_cols = "A:A"
        own = ((name, styles.OWN_HEADER) for name in OWN_COLUMNS)
        self.header([*((name, styles.SOURCE_HEADER) for name in content.columns), *own])

    @property
    def notes_refused(self) -> int:
        """How many faulty cells carry no note because the sheet has enough of them."""
        return self._notes.refused

    @property
    def links_refused(self) -> int:
        """How many cases carry no link because Excel allows no more on a sheet."""
        return self._links.refused

    def add(self, row: ReportRow) -> None:
        """Write one row; a skipped one is hidden, so that it stays left out where the report is given back."""
        said, hidden = message(row, self._summary), row.status is Status.SKIPPED
        broken = [cell for cell in row.cells if cell.__class__ is str and "\n" in cell]
        height = height_of((said, MESSAGE_WIDTH), *((_first_lines(str(cell)), WIDEST) for cell in broken))
        self.append(self._cells(row, said), height, hidden=hidden)

    @property
    def start(self) -> str:
        """Where in the workbook the row written last begins."""
        return f"'{REPORT}'!A{self.lines}"

    def place(self, issue: Issue) -> str:
        """Return where in the workbook the cell of an issue of the row written last is; its message, if it has none."""
        column = self._places.get(issue.column or "", self.columns - len(OWN_COLUMNS) + OWN_COLUMNS.index("message"))
        return f"'{REPORT}'!{get_column_letter(column + 1)}{self.lines}"

    def _cells(self, row: ReportRow, said: str) -> Line:
        faults: dict[int, list[Issue]] = {}
        for issue in row.issues:
            if issue.column in self._places:
                faults.setdefault(self._places[issue.column], []).append(issue)
        for index, cell in enumerate(row.cells):
            yield self._faulty(cell, faults[index]) if index in faults else self.stamps.cell(cell)
        yield from self._own(row, said)

    def _own(self, row: ReportRow, said: str) -> Line:
        colours = look(row, self._summary)
        yield self.stamps.of(styles.WHOLE_NUMBER, row.number)
        yield self.stamps.of(styles.coloured(colours, bold=True), row.status.value)
        yield self._case(row.wolkvox_id)
        yield self.stamps.text(row.id_prefijo or "")
        yield self.stamps.prose(said)
        yield self.stamps.of(styles.MOMENT, local(row.sent_at, self._summary)) if row.sent_at else None
        yield self.stamps.of(styles.WHOLE_NUMBER, row.run) if row.run is not None else None
        yield self.stamps.text(row.reference or "")

    def _case(self, wolkvox_id: str | None) -> Stamp | None:
        if not wolkvox_id or not self._case_url or not self._links.take():
            return self.stamps.text(wolkvox_id or "")
        cell = self.stamps.own(styles.linked, wolkvox_id)
        cell.hyperlink = self._case_url.replace("{wolkvox_id}", quote(wolkvox_id, safe=""))
        return cell

    def _faulty(self, cell: Cell, issues: list[Issue]) -> Stamp:
        shown = self.stamps.faulty(cell)
        if self._notes.take():
            shown.comment = _note("\n".join(map(told, issues)))
        return shown


def _first_lines(text: str) -> str:
    """Return the part of a cell for which its line is made high enough: nobody wants a page for one row."""
    return "\n".join(line[: 2 * WIDEST] for line in text.split("\n", LINES_OF_A_CELL)[:LINES_OF_A_CELL])


def _note(text: str) -> Comment:
    """Return a note about as large as its text."""
    lines = sum(1 + len(line) // 44 for line in text.splitlines())
    return Comment(cut(clean(text)), "case-importer", width=300, height=24 + 18 * min(lines, 20))


def _source_widths(columns: Sequence[str], rows: Iterable[ReportRow]) -> list[float]:
    """Return how wide the source's columns should be, in characters, from some of its rows."""
    widths = [float(len(name) + 4) for name in columns]
    for row in rows:
        for index, cell in enumerate(row.cells):
            longest = max(map(len, str(cell).split("\n")), default=0)
            widths[index] = max(widths[index], longest + 2.0)
    return [min(max(width, 9.0), WIDEST) for width in widths]
