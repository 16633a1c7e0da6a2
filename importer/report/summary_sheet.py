"""The sheet `Summary`: what was imported, how many rows ended in which way, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from xlsxwriter import Workbook
from xlsxwriter.chart_bar import ChartBar

from importer.messages import _
from importer.model import Summary
from importer.report import styles
from importer.report.content import SUMMARY, OutcomeCount, Palette, changed_note, facts, outcome_counts
from importer.report.listings import HIGHEST
from importer.report.sheet import SheetWriter
from importer.report.styles import Formats, Style

WIDTHS = (24, 12, 66, 3)
CHART_SIZE = {"width": 567, "height": 284}  # pixels

_INK = "3A4552"
_NO_ROWS = Palette("FFFFFF", "5F6670", "FFFFFF")  # of a state that no row has

_TITLE = Style(size=18, bold=True, text=styles.SOURCE_HEADER.background, vertical="center")
_NEXT_STEP = Style(size=13, bold=True, background="EAF1F8", text="16283F", vertical="center", wrapped=True, indent=1)
_NAME = Style(bold=True, text=_INK)
_COUNT = Style(number_format="#,##0", horizontal="right")
_MEANING = Style(horizontal="left", wrapped=True, indent=1)
_HEADERS = [
    replace(styles.header(styles.SOURCE_HEADER), horizontal=side, indent=1 if side == "left" else 0)
    for side in ("left", "right", "left")
]
_TOTAL = replace(_COUNT, bold=True, top_rule=_INK)


class SummarySheet(SheetWriter):
    """The first sheet, added before the others and written after them, when it is known which there are."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the first place in the workbook."""
        super().__init__(workbook, formats, SUMMARY)
        self._workbook = workbook
        for column, width in enumerate(WIDTHS):
            self.sheet.set_column(column, column, width)
        self.sheet.hide_gridlines(2)

    def write(self, summary: Summary, notes: Sequence[str], sheets: Iterable[str]) -> None:
        """Write the whole sheet; `sheets` are the others, each with a link to it."""
        self._merged(_TITLE, _("Import {name}", name=summary.import_name), height=30)
        lines = sum(1 + len(step) // 88 for step in summary.next_step.split("\n"))
        self._merged(_NEXT_STEP, summary.next_step, height=min(10 + 18 * lines, HIGHEST))
        self.next_line()
        self._write_counts(summary)
        self.next_line()
        for name, value in [*facts(summary), *((_("Note"), text) for text in notes)]:
            self._fact(name, value)
        self.next_line()
        for title in sheets:
            self.next_line()
            self.link(0, title, f"internal:'{title}'!A1")

    def _merged(self, style: Style, text: str, height: float) -> None:
        """Write a line of one text across the columns A to C."""
        self.next_line(height)
        self.sheet.merge_range(self.lines - 1, 0, self.lines - 1, 2, "", self.formats.of(style))
        self.value(0, style, text)

    def _fact(self, name: str, value: str) -> None:
        self.next_line(16 * (1 + len(value) // 76))
        self.value(0, _NAME, name)
        self.sheet.merge_range(self.lines - 1, 1, self.lines - 1, 2, "", self.formats.of(styles.WRAPPED))
        self.value(1, styles.WRAPPED, value)

    def _write_counts(self, summary: Summary) -> None:
        self.next_line()
        for column, (style, name) in enumerate(zip(_HEADERS, (_("State"), _("Rows"), _("What it means")), strict=True)):
            self.value(column, style, name)
        top, counts = self.lines, outcome_counts(summary)
        for each in counts:
            palette = each.palette if each.count else _NO_ROWS
            self._line(styles.label(palette, bold=bool(each.count)), each.name, _COUNT, each.count, each.meaning)
        chart = {"object_position": 2, "description": _("Bar chart: how many rows are in each state")}
        self.sheet.insert_chart(top - 1, len(WIDTHS), self._chart(top, counts), chart)
        self._line(_NAME, _("all rows"), _TOTAL, summary.counts.rows, "")
        if summary.counts.changed:
            self._line(_NAME, _("of these, changed"), _TOTAL, summary.counts.changed, changed_note(summary))

    def _line(self, name_style: Style, name: str, count_style: Style, count: int, meaning: str) -> None:
        self.next_line(30 if len(meaning) > 72 else None)
        self.value(0, name_style, name)
        self.value(1, count_style, count)
        self.value(2, _MEANING, meaning)

    def _chart(self, top: int, counts: Sequence[OutcomeCount]) -> ChartBar:
        """Return a bar for each count, in the colour of its state."""
        last = top + len(counts) - 1
        chart = cast("ChartBar", self._workbook.add_chart({"type": "bar"}))  # None only for a kind that is unknown
        chart.add_series(
            {
                "categories": [SUMMARY, top, 0, last, 0],
                "values": [SUMMARY, top, 1, last, 1],
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
