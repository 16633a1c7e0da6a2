"""The sheets that list rows: `Report`, `Issues` and `To decide`, each written line by line as rows pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from importer.messages import _, shorten
from importer.model import Cell, Issue, ReportRow, Summary, Typed

from . import styles
from .styles import MOMENT_FORMAT, Shown, Stamps
from .text import clean, cut
from .words import OWN_COLUMNS, VERDICTS, Look, local, look, message

if TYPE_CHECKING:
    from types import GeneratorType

    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    Line = Iterator[SheetCell | Shown]

SHEET_LINES = 1_048_576
SHEET_COLUMNS = 16_384
LINKS_PER_SHEET = 65_530  # Excel opens no sheet with more
NOTES_PER_SHEET = 20_000  # a workbook with more is slow to open; every reason stands in Issues and in `message` too

HIGHEST = 409.0  # points; no line of a sheet is higher

REPORT, ISSUES, TO_DECIDE = "Report", "Issues", "To decide"
TO_DECIDE_COLUMNS = ("row", "reference", "status", "sent_at", "sent", "message", "verdict", "wolkvox_id", "idPrefijo")

MESSAGE_WIDTH = 60
_OWN_WIDTHS = {
    "row": 8,
    "status": 12,
    "wolkvox_id": 28,
    "idPrefijo": 14,
    "message": MESSAGE_WIDTH,
    "sent_at": 20,
    "run": 7,
}
_REFERENCE_WIDTH = 24


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
        self.stamps = Stamps(self.sheet)
        self.columns = len(widths)
        self.lines = 0
        for index, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(index)].width = width
        self.sheet.freeze_panes = freeze
        for_paper(self.sheet)
        self.sheet.print_title_rows = "1:1"

    def append(self, cells: Line, height: float | None = None) -> None:
        """Write one line; cells are asked for one by one, since a stamp is good until the next.

        `height` is in points. Neither Excel nor LibreOffice is sure to find out by itself how high wrapped text is.
        """
        self.lines += 1
        line = cast("GeneratorType[SheetCell | Shown, object, object]", cells)
        if height is None:
            self.sheet.append(line)
        else:
            self.sheet.row_dimensions[self.lines].height = height
            self.sheet.append(line)
            del self.sheet.row_dimensions[self.lines]  # it is written

    def header(self, names: Iterable[tuple[str, Look]]) -> None:
        """Write the names of the columns, each in its colours."""
        self.append((self.stamps.of(("header", look_), styles.header(look_), name) for name, look_ in names), 24)

    def filter(self) -> None:
        """Let the lines be filtered by any column; to be called after the last."""
        self.sheet.auto_filter.ref = f"A1:{get_column_letter(self.columns)}{self.lines}"

    def link(self, value: Shown, location: str) -> SheetCell:
        """Return a cell that leads to another place of the workbook."""
        cell = self.stamps.own("linked", styles.linked, value)
        cell.hyperlink = Hyperlink(ref="", location=location)
        return cell


def for_paper(sheet: Worksheet) -> None:
    """Print on A4 across, as wide as the page, with the sheet's name and the page's number below."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter = HeaderFooterItem(left=_HeaderFooterPart("&A"), right=_HeaderFooterPart("&P / &N"))
    sheet.print_options.gridLines = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom = 0.5, 0.6


def moment_cell(stamps: Stamps, row: ReportRow, summary: Summary) -> SheetCell | None:
    """Return when the row was sent, as a date that sorts, in the zone of the summary."""
    if row.sent_at is None:
        return None
    when = local(row.sent_at, summary).replace(tzinfo=None, microsecond=0)
    return stamps.of("moment", styles.formatted(MOMENT_FORMAT), when)


def height_of(*texts: tuple[str, int]) -> float | None:
    """Return how high a line is, in points, for texts wrapped at so many characters; None for a plain line."""
    lines = max(sum(1 + len(line) // width for line in text.split("\n")) for text, width in texts)
    return None if lines == 1 else min(15.0 * lines, HIGHEST)


def note(text: str) -> Comment:
    """Return a note about as large as its text."""
    lines = sum(1 + len(line) // 44 for line in text.splitlines())
    return Comment(cut(clean(text)), "case-importer", width=300, height=24 + 18 * min(lines, 20))


def source_widths(columns: Sequence[str], rows: Iterable[ReportRow]) -> list[float]:
    """Return how wide the source's columns should be, in characters, from some of its rows."""
    widths = [float(len(name) + 4) for name in columns]
    for row in rows:
        for index, cell in enumerate(row.cells):
            longest = max(map(len, str(cell).split("\n")), default=0)
            widths[index] = max(widths[index], longest + 2.0)
    return [min(max(width, 9.0), 38.0) for width in widths]


class ReportSheet(Sheet):
    """The source's rows as they were, and beside them what became of each."""

    def __init__(
        self, workbook: Workbook, columns: Sequence[str], sample: Sequence[ReportRow], summary: Summary
    ) -> None:
        """Write the header; `sample` are some first rows, which tell how wide the columns should be."""
        self._summary = summary
        self._places = {name: index for index, name in enumerate(columns)}
        self._notes = Allowance(NOTES_PER_SHEET)
        widths = [*source_widths(columns, sample), *(_OWN_WIDTHS.get(name, _REFERENCE_WIDTH) for name in OWN_COLUMNS)]
        super().__init__(workbook, REPORT, widths, freeze="B2")
        own = ((name, styles.OWN_HEADER) for name in OWN_COLUMNS)
        self.header([*((name, styles.SOURCE_HEADER) for name in columns), *own])

    @property
    def notes_refused(self) -> int:
        """How many faulty cells carry no note because the sheet has enough of them."""
        return self._notes.refused

    def add(self, row: ReportRow) -> None:
        """Write one row."""
        said = message(row, self._summary)
        self.append(self._cells(row, said), height_of((said, MESSAGE_WIDTH)))

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
        yield row.number
        yield self.stamps.of(colours, styles.coloured(colours, bold=True), row.status.value)
        yield self.case(row)
        yield self.stamps.text(row.id_prefijo or "")
        yield self.stamps.of("wrapped", styles.wrapped, said) if said else None
        yield moment_cell(self.stamps, row, self._summary)
        yield row.run
        yield row.reference

    def case(self, row: ReportRow) -> SheetCell | str | None:
        """Return the id of the row's case."""
        return self.stamps.text(row.wolkvox_id or "")

    def _faulty(self, cell: Cell, issues: list[Issue]) -> SheetCell:
        typed = isinstance(cell, Typed) and styles.storable(cell)
        value = cell.value if isinstance(cell, Typed) and typed else str(cell)
        shown = self.stamps.own("faulty", styles.coloured(styles.FAULTY), value)
        if isinstance(cell, Typed) and typed:
            shown.number_format = cell.number_format
        if self._notes.take():
            shown.comment = note("\n".join(f"{issue.message} {issue.remedy}".strip() for issue in issues))
        return shown


class IssuesSheet(Sheet):
    """Every issue on a line of its own, leading to its cell."""

    def __init__(self, workbook: Workbook) -> None:
        """Write the header."""
        super().__init__(workbook, ISSUES, (9, 24, 34, 62, 62, 22), freeze="A2")
        self._links = Allowance(LINKS_PER_SHEET)
        self.left_out = 0
        names = (_("row"), _("column"), _("value"), _("what is wrong"), _("what to do"), _("code"))
        self.header((name, styles.SOURCE_HEADER) for name in names)

    @property
    def links_refused(self) -> int:
        """How many lines lead nowhere because Excel allows no more links on a sheet."""
        return self._links.refused

    def add(self, row: ReportRow, issue: Issue, location: str) -> None:
        """Write one issue of a row; `location` is its cell."""
        if self.lines == SHEET_LINES:
            self.left_out += 1
        else:
            height = height_of((issue.value or "", 34), (issue.message, 62), (issue.remedy, 62))
            self.append(self._cells(row.number if issue.row is None else issue.row, issue, location), height)

    def _cells(self, number: int, issue: Issue, location: str) -> Line:
        yield self.link(number, location) if self._links.take() else number
        yield self.stamps.text(issue.column or "")
        yield self.stamps.of("value", styles.wrapped, issue.value) if issue.value else None
        yield self.stamps.of("message", styles.wrapped, issue.message)
        yield self.stamps.of("remedy", styles.wrapped, issue.remedy)
        yield issue.code


class ToDecideSheet(Sheet):
    """The rows that may or may not be in the CRM, for a person to look up and to give a verdict on."""

    def __init__(self, workbook: Workbook, columns: Sequence[str], summary: Summary) -> None:
        """Write the header."""
        super().__init__(workbook, TO_DECIDE, (8, 24, 12, 20, 60, 50, 16, 28, 14), freeze="C2")
        self._source_columns = columns
        self._summary = summary
        self._links = Allowance(LINKS_PER_SHEET)
        filled_in = ("verdict", "wolkvox_id", "idPrefijo")
        self.header(
            (name, styles.FILL_HEADER if name in filled_in else styles.OWN_HEADER) for name in TO_DECIDE_COLUMNS
        )

    def add(self, row: ReportRow, location: str) -> None:
        """Write one doubtful row; `location` is its place in `Report`."""
        sent, said = self._sent(row), message(row, self._summary)
        self.append(self._cells(row, location, sent, said), height_of((sent, 60), (said, 50)))

    def _cells(self, row: ReportRow, location: str, sent: str, said: str) -> Line:
        colours = look(row, self._summary)
        yield self.link(row.number, location) if self._links.take() else row.number
        yield row.reference
        yield self.stamps.of(colours, styles.coloured(colours, bold=True), row.status.value)
        yield moment_cell(self.stamps, row, self._summary)
        yield self.stamps.of("sent", styles.wrapped, sent)
        yield self.stamps.of("wrapped", styles.wrapped, said)
        for value in (None, row.wolkvox_id, row.id_prefijo):
            yield self.stamps.of("to fill", styles.to_fill, value)

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
        column = get_column_letter(TO_DECIDE_COLUMNS.index("verdict") + 1)
        choice.add(f"{column}2:{column}{max(self.lines, 2)}")
        self.sheet.data_validations.append(choice)
        self.filter()
