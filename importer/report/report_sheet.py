"""The sheet `Report`: the source's rows as they were, and beside them what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from openpyxl.utils import get_column_letter

from importer.model import Cell, Issue, ReportContent, ReportRow, Status

from . import styles
from .listing import LINKS_PER_SHEET, Allowance, Listing, height_of
from .sheet import Note
from .words import OWN_COLUMNS, REPORT, created_now, local, look, message, told

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

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


class ReportSheet(Listing):
    """The source's rows as they were, and beside them what became of each."""

    def __init__(self, workbook: Workbook, content: ReportContent, sample: Iterable[ReportRow]) -> None:
        """Write the header; `sample` are some first rows, which tell how wide the columns should be."""
        self._summary = content.summary
        self._case_url = content.case_url
        self._places = {name: index for index, name in enumerate(content.columns)}
        self._states: dict[tuple[Status, bool], str] = {}
        self._note_allowance = Allowance(NOTES_PER_SHEET)
        self._link_allowance = Allowance(LINKS_PER_SHEET)
        widths = [*_source_widths(content.columns, sample), *(OWN_WIDTHS[name] for name in OWN_COLUMNS)]
        super().__init__(workbook, REPORT, widths, freeze="B2")
        self.sheet.print_title_cols = "A:A"
        own = ((name, styles.OWN_HEADER) for name in OWN_COLUMNS)
        self.header([*((name, styles.SOURCE_HEADER) for name in content.columns), *own])

    @property
    def notes_refused(self) -> int:
        """How many faulty cells carry no note because the sheet has enough of them."""
        return self._note_allowance.refused

    @property
    def links_refused(self) -> int:
        """How many cases carry no link because Excel allows no more on a sheet."""
        return self._link_allowance.refused

    def add(self, row: ReportRow) -> None:
        """Write one row; a skipped one is hidden, so that it stays left out where the report is given back."""
        said = message(row, self._summary)
        source = [*map(self.cells.cell, row.cells)]
        for column, issues in self._faults(row).items():
            source[column] = self._faulty(column, row.cells[column], issues)
        self.append((*source, *self._own(row, said)), _height(row, said), hidden=row.status is Status.SKIPPED)

    @property
    def start(self) -> str:
        """Where in the workbook the row written last begins."""
        return f"'{REPORT}'!A{self.lines}"

    def place(self, issue: Issue) -> str:
        """Return where in the workbook the cell of an issue of the row written last is; its message, if it has none."""
        column = self._places.get(issue.column or "", self.columns - len(OWN_COLUMNS) + OWN_COLUMNS.index("message"))
        return f"'{REPORT}'!{get_column_letter(column + 1)}{self.lines}"

    def _faults(self, row: ReportRow) -> dict[int, list[Issue]]:
        """Return the issues of a row by the column in which each is."""
        faults: dict[int, list[Issue]] = {}
        for issue in row.issues:
            if issue.column in self._places:
                faults.setdefault(self._places[issue.column], []).append(issue)
        return faults

    def _faulty(self, column: int, cell: Cell, issues: list[Issue]) -> str:
        if self._note_allowance.take():
            self.note(column, _note("\n".join(map(told, issues))))
        return self.cells.faulty(cell)

    def _own(self, row: ReportRow, said: str) -> tuple[str, ...]:
        cells = self.cells
        return (
            cells.of(styles.WHOLE_NUMBER, row.number),
            self._state(row),
            self._case(row.wolkvox_id),
            cells.text(row.id_prefijo or ""),
            cells.prose(said),
            cells.of(styles.MOMENT, local(row.sent_at, self._summary)) if row.sent_at else "",
            cells.of(styles.WHOLE_NUMBER, row.run) if row.run is not None else "",
            cells.text(row.reference or ""),
        )

    def _state(self, row: ReportRow) -> str:
        """Return the cell of a row's state, of which there are few."""
        kind = row.status, created_now(row, self._summary)
        if kind not in self._states:
            style = styles.coloured(look(row, self._summary), bold=True)
            self._states[kind] = self.cells.of(style, row.status.value)
        return self._states[kind]

    def _case(self, wolkvox_id: str | None) -> str:
        if not wolkvox_id or not self._case_url or not self._link_allowance.take():
            return self.cells.text(wolkvox_id or "")
        column = len(self._places) + OWN_COLUMNS.index("wolkvox_id")
        self.link(column, target=self._case_url.replace("{wolkvox_id}", quote(wolkvox_id, safe="")))
        return self.cells.of(styles.linked, wolkvox_id)


def _height(row: ReportRow, said: str) -> float | None:
    """Return how high a row's line is: as high as its message and the first lines of its cells need."""
    broken = [cell for cell in row.cells if cell.__class__ is str and "\n" in cell]
    if not broken and len(said) <= MESSAGE_WIDTH and "\n" not in said:
        return None
    return height_of((said, MESSAGE_WIDTH), *((_first_lines(str(cell)), WIDEST) for cell in broken))


def _first_lines(text: str) -> str:
    """Return the part of a cell for which its line is made high enough: nobody wants a page for one row."""
    return "\n".join(line[: 2 * WIDEST] for line in text.split("\n", LINES_OF_A_CELL)[:LINES_OF_A_CELL])


def _note(text: str) -> Note:
    """Return a note about as large as its text."""
    lines = sum(1 + len(line) // 44 for line in text.splitlines())
    return Note(text, width=300, height=24 + 18 * min(lines, 20))


def _source_widths(columns: Sequence[str], rows: Iterable[ReportRow]) -> list[float]:
    """Return how wide the source's columns should be, in characters, from some of its rows."""
    widths = [float(len(name) + 4) for name in columns]
    for row in rows:
        for index, cell in enumerate(row.cells):
            longest = max(map(len, str(cell).split("\n")), default=0)
            widths[index] = max(widths[index], longest + 2.0)
    return [min(max(width, 9.0), WIDEST) for width in widths]
