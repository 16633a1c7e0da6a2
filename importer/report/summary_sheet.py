"""The sheet `Summary`: how the import went, for whoever answers for it; and `Details`, its technical facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil
from typing import cast

from xlsxwriter import Workbook
from xlsxwriter.chart_bar import ChartBar

from importer.messages import _, translated
from importer.model import Summary
from importer.report import overview, styles
from importer.report.content import OutcomeCount, Palette, as_sentence, facts, outcome_counts
from importer.report.listings import HIGHEST
from importer.report.marks import keys_marks, runs_mark
from importer.report.overview import TicketLine, TicketTable
from importer.report.sheet import SheetWriter
from importer.report.styles import Formats, Style
from importer.report_words import DETAILS, SUMMARY, state_word

WIDTHS = (26, 11, 13, 11, 40, 24, 56)
"""Of the columns: a name, three numbers, room for a sentence across C to E, rows, and what to do."""

LAST = len(WIDTHS) - 1
CHART_COLUMN = 5
CHART_SIZE = {"width": 567, "height": 262}  # pixels

INK = "3A4552"
_NO_ROWS = Palette("FFFFFF", "5F6670", "FFFFFF")  # of a state that no row has

TITLE = Style(size=18, bold=True, text=styles.SOURCE_HEADER.background, vertical="center")
HEADING = Style(size=13, bold=True, text=styles.SOURCE_HEADER.background, vertical="center")
HOW_IT_WENT = Style(size=14, text=INK, vertical="center", wrapped=True)
NEXT_STEP = Style(size=12, bold=True, background="EAF1F8", text="16283F", vertical="center", wrapped=True, indent=1)
_REHEARSAL = Style(size=14, bold=True, background="FBE3C0", text="5C3A00", vertical="center", wrapped=True, indent=1)
NAME = Style(bold=True, text=INK)
COUNT = Style(number_format="#,##0", horizontal="right", indent=1, amount=True)
NO_COUNT = replace(COUNT, number_format='#,##0;-#,##0;"\N{EN DASH}"')
MEANING = Style(horizontal="left", wrapped=True, indent=1)
TOTAL_NAME = replace(NAME, top_rule=INK, horizontal="left", indent=1)
TOTAL = replace(COUNT, bold=True, top_rule=INK)
LEFT_HEADER = replace(styles.header(styles.SOURCE_HEADER), horizontal="left", indent=1)
RIGHT_HEADER = replace(LEFT_HEADER, horizontal="right")
"""The styles of a table's header: on the left for names, on the right for numbers."""
_TICKETS = replace(MEANING, text=INK)
_COUNT_OF_NONE, _MEANING_OF_NONE = COUNT.tinted(_NO_ROWS), MEANING.tinted(_NO_ROWS)


class ProseSheet(SheetWriter):
    """A sheet without a grid, with lines of text across several columns."""

    def __init__(self, workbook: Workbook, formats: Formats, title: str, widths: Sequence[float]) -> None:
        """Take the next place in the workbook."""
        super().__init__(workbook, formats, title)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        self.sheet.hide_gridlines(2)

    def across(self, style: Style, text: str, first: int, last: int) -> None:
        """Write a text across columns of the present line."""
        self.sheet.merge_range(self.lines - 1, first, self.lines - 1, last, "", self.formats.of(style))
        self.value(first, style, text)

    def headline(self, style: Style, text: str, height: float, last: int) -> None:
        """Write a line of text from the first column to the last."""
        self.next_line(min(height, HIGHEST))
        self.across(style, text, 0, last)


class SummarySheet(ProseSheet):
    """The first sheet, added before the others and written after them, when it is known which there are."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the first place in the workbook."""
        super().__init__(workbook, formats, translated(SUMMARY), WIDTHS)
        self._workbook = workbook

    def write(self, summary: Summary, notes: Sequence[str], sheets: Iterable[str]) -> None:
        """Write the whole sheet; `sheets` are the others, each with a link to it."""
        if summary.rehearsal:
            self.headline(TITLE, _("Rehearsal of import {name}", name=summary.import_name), 30, LAST)
            self.headline(_REHEARSAL, _("Rehearsal: nothing reached the CRM. The ids are not real."), 34, LAST)
        else:
            self.headline(TITLE, _("Import {name}", name=summary.import_name), 30, LAST)
        lines = [overview.how_it_went(summary), overview.about_files(summary)]
        for line in filter(None, lines):
            self.headline(HOW_IT_WENT, line, 22 * lines_of(line, 140), LAST)
        self.headline(NEXT_STEP, summary.next_step, 10 + 17 * lines_of(summary.next_step, 150), LAST)
        self.next_line()
        self._write_counts(summary)
        self._write_reasons(summary)
        for table in () if summary.rehearsal else overview.tables(summary):
            self._write_table(table)
        self._write_notes(notes)
        self.next_line()
        for title in sheets:
            self.next_line()
            self.link(0, title, f"internal:'{title}'!A1")

    # -------------------------------------------------------------------------------------------- states

    def _write_counts(self, summary: Summary) -> None:
        self.next_line()
        self.value(0, LEFT_HEADER, _("State"))
        self.value(1, RIGHT_HEADER, _("Rows"))
        self.across(LEFT_HEADER, _("What it means"), 2, 4)
        top, counts = self.lines, outcome_counts(summary)
        for each in counts:
            palette = each.palette if each.count else _NO_ROWS
            self.next_line(31 if lines_of(each.meaning, 76) > 1 else None)
            self.value(0, styles.label(palette, bold=bool(each.count)), each.name)
            self.value(1, COUNT if each.count else _COUNT_OF_NONE, each.count)
            self.across(MEANING if each.count else _MEANING_OF_NONE, each.meaning, 2, 4)
        chart = {"object_position": 2, "description": _("Bar chart: how many rows are in each state")}
        self.sheet.insert_chart(top - 1, CHART_COLUMN, self._chart(top, counts), chart)
        self.next_line()
        self.value(0, TOTAL_NAME, _("all rows"))
        self.value(1, TOTAL, summary.counts.rows)

    def _chart(self, top: int, counts: Sequence[OutcomeCount]) -> ChartBar:
        """Return a bar for each count, in the colour of its state."""
        last = top + len(counts) - 1
        chart = cast("ChartBar", self._workbook.add_chart({"type": "bar"}))  # None only for a kind that is unknown
        chart.add_series(
            {
                "categories": [self.title, top, 0, last, 0],
                "values": [self.title, top, 1, last, 1],
                "points": [{"fill": {"color": f"#{each.palette.bar}"}} for each in counts],
                "gap": 35,
                # A bar without length needs no number.
                "data_labels": {"value": True, "num_format": "#,##0;;"},
            }
        )
        chart.set_title({"none": True})
        chart.set_legend({"none": True})
        # Of a bar chart, XlsxWriter calls the axis of the names, which is upright, the y axis.
        chart.set_y_axis({"reverse": True, "major_tick_mark": "none", "major_gridlines": {"visible": False}})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
        chart.set_chartarea({"border": {"none": True}})
        chart.set_size(CHART_SIZE)
        return chart

    # -------------------------------------------------------------------------------------------- tickets

    def _write_reasons(self, summary: Summary) -> None:
        """Write why tickets did not arrive; nothing where all of them did."""
        reasons = overview.reasons(summary)
        if not reasons:
            return
        self.next_line()
        self.headline(HEADING, _("What did not arrive, and why"), 24, LAST)
        self.next_line()
        self.value(0, LEFT_HEADER, _("State"))
        self.value(1, RIGHT_HEADER, _("Tickets"))
        self.across(LEFT_HEADER, _("Reason"), 2, 4)
        self.value(5, LEFT_HEADER, _("Rows"))
        self.value(6, LEFT_HEADER, _("What to do"))
        for each in reasons:
            reason, remedy = overview.reason_text(each), as_sentence(each.remedy)
            lines = max(lines_of(reason, 76), lines_of(each.rows, 26), lines_of(remedy, 66))
            self.next_line(min(16.0 * lines, HIGHEST))
            state = state_word(each.status) if each.status else _("others")
            self.value(0, styles.label(overview.palette_of_state(each.status), bold=True), state)
            self.value(1, COUNT, each.count)
            self.across(MEANING, reason, 2, 4)
            self.value(5, MEANING, each.rows)
            self.value(6, MEANING, remedy)
        self._total(_("all that did not arrive"), [sum(each.count for each in reasons)])

    def _write_notes(self, notes: Sequence[str]) -> None:
        if notes:
            self.next_line()
        for note in notes:
            self.next_line(min(16.0 * lines_of(note, 140), HIGHEST))
            self.value(0, NAME, _("Note"))
            self.across(styles.WRAPPED, note, 1, LAST)

    def _write_table(self, table: TicketTable) -> None:
        self.next_line()
        self.headline(HEADING, table.title, 24, 3)
        self.next_line()
        for column, name in enumerate(table.names):
            self.value(column, RIGHT_HEADER if column else LEFT_HEADER, name)
        for line in table.lines:
            self.next_line(16.0 * lines_of(line.name, WIDTHS[0] - 2))
            self.value(0, _TICKETS, line.name)
            for column, count in enumerate(_numbers(line), 1):
                self.value(column, NO_COUNT, count)
        self._total(table.total.name, _numbers(table.total))

    def _total(self, name: str, counts: Sequence[int]) -> None:
        self.next_line()
        self.value(0, TOTAL_NAME, name)
        for column, count in enumerate(counts, 1):
            self.value(column, TOTAL, count)


def _numbers(line: TicketLine) -> tuple[int, int, int]:
    return line.tickets, line.arrived, line.missing


def lines_of(text: str, width: int) -> int:
    """Return in how many lines a text is shown that is wrapped at so many characters."""
    return sum(max(1, ceil(len(line) / width)) for line in text.split("\n"))


class DetailsSheet(ProseSheet):
    """The last sheet: what was imported, by whom, when, from what and to where."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the next place in the workbook."""
        super().__init__(workbook, formats, translated(DETAILS), (26, 110))

    def write(self, summary: Summary) -> None:
        """Write the facts."""
        self.headline(TITLE, _("Details of this import"), 30, 1)
        for name, value in facts(summary):
            self.next_line(min(16.0 * lines_of(value, 105), HIGHEST))
            self.value(0, NAME, name)
            self.value(1, styles.WRAPPED, value)
        if summary.journal is not None and summary.content_runs:
            self.next_line(16)
            self.value(0, NAME, _("Content of run"))
            self.value(1, styles.WRAPPED, runs_mark(summary.journal[0], summary.content_runs))
        for mark in keys_marks(summary.uncorrected):
            self.next_line(16)
            self.value(0, NAME, _("Before corrections"))
            self.value(1, styles.WRAPPED, mark)
