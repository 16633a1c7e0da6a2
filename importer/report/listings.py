"""The sheets of a report that list rows: `Report`, `Issues` and `To decide`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

from importer.messages import _, language, shorten, translated
from importer.model import Cell, Corrected, Issue, ReportContent, ReportRow, Status
from importer.report import styles
from importer.report.columns import IN_SIGHT, ColumnLayout
from importer.report.content import (
    Palette,
    as_sentence,
    case_address,
    corrected_text,
    issue_text,
    local_time,
    palette_of,
    row_message,
)
from importer.report.sheet import SheetWriter
from importer.report.styles import Formats
from importer.report_words import (
    ISSUES,
    OWN_COLUMNS,
    REPORT,
    TO_DECIDE,
    TO_DECIDE_COLUMNS,
    VERDICTS,
    column_word,
    state_word,
)

SHEET_LINES = 1_048_576
SHEET_COLUMNS = 16_384
LINKS_PER_SHEET = 65_530  # Excel opens no sheet with more
NOTES_PER_SHEET = 20_000  # a workbook with more is slow to open; every reason is in Issues and in `message` too

SAMPLE = 200  # rows that determine how wide the columns are
PAGE_WIDTH = 240  # characters across A4, small and still legible
HIGHEST = 409.0  # points; no line of a sheet is higher
LINES_OF_A_CELL = 4  # that are shown; the cell holds the others too
WIDEST = 38  # characters, of a column of the source
MESSAGE_WIDTH = 60

REPORT_WIDTHS = {
    "row": 8.0,
    "status": 12.0,
    "wolkvox_id": 28.0,
    "idPrefijo": 14.0,
    "message": float(MESSAGE_WIDTH),
    "sent_at": 20.0,
    "run": 7.0,
    "reference": 24.0,
}
TO_DECIDE_WIDTHS = {
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
"""The widths of the columns of `To decide`."""

TO_FILL_IN = ("verdict", "wolkvox_id", "idPrefijo")

TITLE_LIMIT, MESSAGE_LIMIT = 32, 255  # characters of what Excel shows beside a cell with a list


@dataclass(slots=True)
class Allowance:
    """How many of a thing one sheet may still take, and how many were left out."""

    left: int
    refused: int = 0

    def take(self) -> bool:
        """Use one, if there is one left."""
        if self.left:
            self.left -= 1
            return True
        self.refused += 1
        return False


class Listing(SheetWriter):
    """A sheet of a header and lines below it, which can be filtered."""

    def __init__(
        self, workbook: Workbook, formats: Formats, title: str, widths: Sequence[float], repeated: int = 0
    ) -> None:
        """Lay the sheet out for the screen and for paper; so many columns are on every page."""
        super().__init__(workbook, formats, title)
        self.columns = len(widths)
        self.links = Allowance(LINKS_PER_SHEET)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        on_every_page = sum(widths[:repeated])
        pages = ceil((sum(widths) - on_every_page) / (PAGE_WIDTH - on_every_page))
        self.sheet.fit_to_pages(max(pages, 1), 0)
        self.sheet.repeat_rows(0)
        if repeated:
            self.sheet.repeat_columns(0, repeated - 1)

    def header(self, names: Iterable[tuple[str, Palette]], *, frozen: int) -> None:
        """Write the names of the columns, each in its colours; so many columns stay in sight."""
        self.next_line(24)
        for column, (name, palette) in enumerate(names):
            self.value(column, styles.header(palette), name)
        self.sheet.freeze_panes(1, frozen)

    def link_or_value(self, column: int, value: int, place: str) -> None:
        """Write a number that leads to a place of the workbook, as long as the sheet may have more links."""
        if self.links.take():
            self.link(column, value, place)
        else:
            self.value(column, styles.WHOLE_NUMBER, value)

    def finish(self) -> None:
        """Let the lines be filtered by any column, and rule them; to be called after the last."""
        last = self.columns - 1
        self.sheet.autofilter(0, 0, self.lines - 1, last)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_rowcol_to_cell(self.lines - 1, last)}"})
        rule = {"type": "formula", "criteria": "=TRUE", "format": self.formats.ruled}
        for left, right in self._ruled():
            self.sheet.conditional_format(1, left, max(self.lines - 1, 1), right, rule)

    def _ruled(self) -> Iterable[tuple[int, int]]:
        """Return the columns that have a rule below each line, as first and last ones."""
        return [(0, self.columns - 1)]


def width_of_states() -> float:
    """Return how wide a column of states is: as wide as what the language that is spoken calls any of them."""
    return width_of(state_word(state, 9_999) for state in Status if language() != "en")


def width_of(words: Iterable[str], least: float = 12.0) -> float:
    """Return how wide a column is that shows any of some words whole."""
    return max([least, *(len(word) + 3.0 for word in words)])


def height_of(*texts: tuple[str, int]) -> float | None:
    """Return how high a line is, in points, for texts wrapped at so many characters; None for a plain line."""
    lines = max(sum(max(1, ceil(len(line) / width)) for line in text.split("\n")) for text, width in texts)
    return None if lines == 1 else min(15.0 * lines, HIGHEST)


# ------------------------------------------------------------------------------------------------ Report


class ReportSheet(Listing):
    """The source's rows as they were, and beside them what became of each."""

    def __init__(
        self, workbook: Workbook, formats: Formats, content: ReportContent, sample: Sequence[ReportRow]
    ) -> None:
        """Write the header; the `sample` of rows determines how wide the source's columns are."""
        self._summary = content.summary
        self._case_url = content.case_url
        self._layout = layout = ColumnLayout.of(content)
        self._positions = dict(zip(content.columns, layout.source, strict=True))
        self.notes = Allowance(NOTES_PER_SHEET)
        widths = {at: max(REPORT_WIDTHS[name], len(layout.headers[at]) + 3.0) for name, at in layout.own.items()}
        widths[layout.own["status"]] = max(widths[layout.own["status"]], width_of_states())
        widths |= dict(zip(layout.source, _source_widths(content.columns, sample), strict=True))
        ordered = [widths[place] for place in sorted(widths)]
        in_sight = _in_sight(ordered[: layout.leading])
        super().__init__(workbook, formats, translated(REPORT), ordered, repeated=in_sight)
        ours = set(layout.own.values())
        palettes = (styles.OWN_HEADER if at in ours else styles.SOURCE_HEADER for at in range(len(ordered)))
        self.header(zip(layout.headers, palettes, strict=True), frozen=in_sight)

    def add(self, row: ReportRow) -> None:
        """Write one row; a skipped one is hidden, so that it stays left out where the report is given back."""
        message = row_message(row, self._summary)
        self.next_line(_height(row, message), hidden=row.status is Status.SKIPPED)
        faults = self._faults(row)
        for column, cell in zip(self._layout.source, row.cells, strict=True):
            if column in faults:
                self._faulty(column, cell, faults[column])
            else:
                self.cell(column, cell)
                if isinstance(cell, Corrected) and self.notes.take():
                    self.note(column, corrected_text(cell))
        self._write_own(row, message)

    @property
    def place(self) -> str:
        """Where in the workbook the row written last begins, for a link."""
        return self._place(0)

    def place_of(self, issue: Issue) -> str:
        """Return where in the workbook the cell of an issue of the row written last is; else its message."""
        return self._place(self._positions.get(issue.column or "", self._layout.own["message"]))

    def _place(self, column: int) -> str:
        return f"internal:'{self.title}'!{xl_rowcol_to_cell(self.lines - 1, column)}"

    def _faults(self, row: ReportRow) -> dict[int, list[Issue]]:
        """Return the issues of a row by the column in which each is."""
        faults: dict[int, list[Issue]] = {}
        for issue in row.issues:
            if issue.column in self._positions:
                faults.setdefault(self._positions[issue.column], []).append(issue)
        return faults

    def _faulty(self, column: int, cell: Cell, issues: list[Issue]) -> None:
        self.faulty(column, cell)
        if self.notes.take():
            corrected = [corrected_text(cell)] if isinstance(cell, Corrected) else []
            self.note(column, "\n".join([*map(issue_text, issues), *corrected]))

    def _write_own(self, row: ReportRow, message: str) -> None:
        number, status, wolkvox_id, id_prefijo, reason, sent_at, run, reference = (
            self._layout.own[name] for name in OWN_COLUMNS
        )
        self.value(number, styles.WHOLE_NUMBER, row.number)
        state = state_word(row.state, row.part_of)
        self.value(status, styles.label(palette_of(row, self._summary), bold=True), state)
        self._write_case(wolkvox_id, row.wolkvox_id or "")
        self.text(id_prefijo, row.id_prefijo or "")
        self.prose(reason, message)
        if row.sent_at:
            self.value(sent_at, styles.moment(), local_time(row.sent_at, self._summary))
        if row.run is not None:
            self.value(run, styles.WHOLE_NUMBER, row.run)
        self.text(reference, row.reference or "")

    def _write_case(self, column: int, wolkvox_id: str) -> None:
        address = case_address(self._case_url, wolkvox_id)
        if address and self.links.take():
            self.link(column, wolkvox_id, address)
        else:
            self.text(column, wolkvox_id)


def _height(row: ReportRow, message: str) -> float | None:
    """Return how high a row's line is: as high as its message and the first lines of its cells need."""
    broken = [cell for cell in row.cells if isinstance(cell, str) and "\n" in cell]
    if not broken and len(message) <= MESSAGE_WIDTH and "\n" not in message:
        return None
    return height_of((message, MESSAGE_WIDTH), *((_first_lines(str(cell)), WIDEST) for cell in broken))


def _first_lines(text: str) -> str:
    """Return the part of a cell for which its line is made high enough: one row should not fill a page."""
    return "\n".join(line[: 2 * WIDEST] for line in text.split("\n", LINES_OF_A_CELL)[:LINES_OF_A_CELL])


def _in_sight(widths: Sequence[float]) -> int:
    """Return how many of the leading columns stay in sight: as many as leave room for the others, at least one."""
    return max(1, sum(total <= IN_SIGHT for total in accumulate(widths)))


def _source_widths(columns: Iterable[str], sample: Iterable[ReportRow]) -> list[float]:
    """Return how wide the source's columns should be, in characters, from some of its rows."""
    widths = [float(len(name) + 4) for name in columns]
    for row in sample:
        for index, cell in enumerate(row.cells):
            longest = max(map(len, str(cell).split("\n")), default=0)
            widths[index] = max(widths[index], longest + 2.0)
    return [min(max(width, 9.0), WIDEST) for width in widths]


# ------------------------------------------------------------------------------------------------ Issues


class IssuesSheet(Listing):
    """Every issue on a line of its own, with a link to its cell."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Write the header."""
        super().__init__(workbook, formats, translated(ISSUES), (9, 24, 34, 62, 62, 22))
        self.left_out = 0
        names = [_("row"), _("column"), _("value"), _("what is wrong"), _("what to do")]
        self._with_codes = language() == "en"  # they are English words for programs
        if self._with_codes:
            names.append(_("code"))
        self.header(((name, styles.SOURCE_HEADER) for name in names), frozen=0)

    def add(self, row: ReportRow, issue: Issue, place: str) -> None:
        """Write one issue of a row; `place` is its cell, for a link."""
        if self.lines == SHEET_LINES:
            self.left_out += 1
            return
        remedy = as_sentence(issue.remedy)
        self.next_line(height_of((issue.value or "", 34), (issue.message, 62), (remedy, 62)))
        self.link_or_value(0, row.number if issue.row is None else issue.row, place)
        self.text(1, issue.column or "")
        self.prose(2, issue.value or "")
        self.prose(3, issue.message)
        self.prose(4, remedy)
        if self._with_codes:
            self.text(5, issue.code)


# ------------------------------------------------------------------------------------------------ To decide


class ToDecideSheet(Listing):
    """The rows that may or may not be in the CRM, for a person to look up and to decide."""

    def __init__(self, workbook: Workbook, formats: Formats, content: ReportContent) -> None:
        """Write the header."""
        widths = TO_DECIDE_WIDTHS | {"status": width_of_states()}
        super().__init__(workbook, formats, translated(TO_DECIDE), tuple(widths.values()))
        self._source_columns = content.columns
        self._summary = content.summary
        palettes = (styles.FILL_HEADER if name in TO_FILL_IN else styles.OWN_HEADER for name in TO_DECIDE_COLUMNS)
        self.header(zip(map(column_word, TO_DECIDE_COLUMNS), palettes, strict=True), frozen=2)

    def add(self, row: ReportRow, place: str) -> None:
        """Write one doubtful row; `place` is its line in `Report`, for a link."""
        sent, message = self._cells_sent(row), row_message(row, self._summary)
        self.next_line(height_of((sent, 60), (message, 50)))
        self.link_or_value(0, row.number, place)
        self.text(1, row.reference or "")
        self.value(2, styles.label(palette_of(row, self._summary), bold=True), state_word(row.status))
        if row.sent_at:
            self.value(3, styles.moment(), local_time(row.sent_at, self._summary))
        self.prose(4, sent)
        self.prose(5, message)
        for column, value in enumerate((None, row.wolkvox_id, row.id_prefijo), 6):
            self.value(column, styles.TO_WRITE_IN, value)
        self.text(9, row.about or "")

    def _cells_sent(self, row: ReportRow) -> str:
        filled = ((name, str(cell)) for name, cell in zip(self._source_columns, row.cells, strict=True))
        return "\n".join(f"{name}: {shorten(text, 80)}" for name, text in filled if text.strip())[:2_000]

    def finish(self) -> None:
        """Offer the verdicts to choose from; to be called after the last row."""
        column = list(TO_DECIDE_WIDTHS).index("verdict")
        created, not_created = map(translated, VERDICTS)
        prompt = _(
            "Look the reference up in the CRM. Found: choose {created} and write its id beside. Not there:"
            " {not_created}.",
            created=created,
            not_created=not_created,
        )
        choice = {
            "validate": "list",
            "source": [created, not_created],
            "error_title": self.title[:TITLE_LIMIT],
            "error_message": _("Choose one of the list, or leave the cell empty.")[:MESSAGE_LIMIT],
            "input_title": translated("verdict")[:TITLE_LIMIT],
            "input_message": prompt[:MESSAGE_LIMIT],
        }
        self.sheet.data_validation(1, column, max(self.lines - 1, 1), column, choice)
        super().finish()

    def _ruled(self) -> Iterable[tuple[int, int]]:
        """Return all columns but those to fill in, which have a box of their own."""
        first = list(TO_DECIDE_WIDTHS).index(TO_FILL_IN[0])
        return [(0, first - 1), (first + len(TO_FILL_IN), self.columns - 1)]
