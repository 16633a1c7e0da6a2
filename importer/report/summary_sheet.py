"""The sheet `Summary`: what was imported, how many rows came to which end, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.hyperlink import Hyperlink

from importer.messages import _
from importer.model import Summary

from . import styles
from .cells import Stamp, Stamps
from .sheet import for_paper
from .words import Look, Tally, facts, tallies

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

SUMMARY = "Summary"

_NOTHING = Look("FFFFFF", "5F6670", "FFFFFF")  # a state that no row is in


def _title(cell: SheetCell) -> None:
    cell.font = Font(name="Calibri", size=18, bold=True, color=styles.SOURCE_HEADER.ground)
    cell.alignment = Alignment(vertical="center")


def _next_step(cell: SheetCell) -> None:
    cell.fill = PatternFill("solid", start_color="EAF1F8")
    cell.font = Font(name="Calibri", size=13, bold=True, color="16283F")
    cell.alignment = Alignment(vertical="center", wrap_text=True, indent=1)


def _name(cell: SheetCell) -> None:
    cell.font = Font(name="Calibri", size=11, bold=True, color="3A4552")
    cell.alignment = Alignment(vertical="top")


def _count(cell: SheetCell) -> None:
    cell.number_format = "#,##0"
    cell.alignment = Alignment(horizontal="right", vertical="top")


def _meaning(cell: SheetCell) -> None:
    cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True, indent=1)


def _total(cell: SheetCell) -> None:
    _count(cell)
    cell.font = Font(name="Calibri", size=11, bold=True)
    cell.border = Border(top=Side("thin", color="3A4552"))


class SummarySheet:
    """The first sheet, begun before the rows and written after them, when it is known which sheets there are."""

    def __init__(self, workbook: Workbook) -> None:
        """Take the first place in the workbook."""
        self._sheet = workbook.create_sheet(SUMMARY)
        self._stamps = Stamps(self._sheet)
        self._lines = 0

    def write(self, summary: Summary, notes: Sequence[str], sheets: Iterable[str]) -> None:
        """Write the whole sheet; `sheets` are the others, each led to by a link."""
        for column, width in zip("ABCD", (24, 12, 66, 3), strict=True):
            self._sheet.column_dimensions[column].width = width
        self._sheet.sheet_view.showGridLines = False
        for_paper(self._sheet)
        self._wide(_title, _("Import {name}", name=summary.import_name), height=30)
        lines = 1 + len(summary.next_step) // 88
        self._wide(_next_step, summary.next_step, height=10 + 18 * lines)
        self._append()
        self._counts(summary)
        self._append()
        for name, value in [*facts(summary), *((_("Note"), text) for text in notes)]:
            self._wide_fact(name, value)
        self._append()
        for title in sheets:
            self._append(self._link(title))

    def _append(self, *cells: Stamp | None) -> None:
        self._lines += 1
        self._sheet.append(cells)

    def _wide(self, style: styles.Style, text: str, height: float) -> None:
        self._sheet.row_dimensions[self._lines + 1].height = height
        self._append(*(self._stamps.own(style, shown) for shown in (text, None, None)))
        self._sheet.merged_cells.add(f"A{self._lines}:C{self._lines}")

    def _wide_fact(self, name: str, value: str) -> None:
        self._sheet.row_dimensions[self._lines + 1].height = 16 * (1 + len(value) // 76)
        self._append(self._stamps.own(_name, name), self._stamps.own(styles.wrapped, value), None)
        self._sheet.merged_cells.add(f"B{self._lines}:C{self._lines}")

    def _counts(self, summary: Summary) -> None:
        names = (_("State"), _("Rows"), _("What it means"))
        self._append(*(self._stamps.own(styles.header(styles.SOURCE_HEADER), name) for name in names))
        first, parts = self._lines + 1, tallies(summary)
        for part in parts:
            style = styles.coloured(part.look if part.count else _NOTHING, bold=bool(part.count))
            self._append(
                self._stamps.own(style, part.name),
                self._stamps.own(_count, part.count),
                self._stamps.own(_meaning, part.meaning),
            )
        self._sheet.add_chart(_chart(self._sheet, first, parts), f"E{first - 1}")
        self._total(_("all rows"), summary.counts.rows, "")
        if summary.counts.changed:
            meaning = _("Created, and edited in the source since: the cases were left as they are.")
            self._total(_("of these, changed"), summary.counts.changed, meaning)

    def _total(self, name: str, count: int, meaning: str) -> None:
        self._append(
            self._stamps.own(_name, name),
            self._stamps.own(_total, count),
            self._stamps.own(_meaning, meaning),
        )

    def _link(self, title: str) -> Stamp:
        cell = self._stamps.own(styles.linked, title)
        cell.hyperlink = Hyperlink(ref="", location=f"'{title}'!A1")
        return cell


def _chart(sheet: Worksheet, first: int, parts: Sequence[Tally]) -> BarChart:
    """Return a bar for each count, in the colour of its state."""
    last = first + len(parts) - 1
    chart = BarChart(barDir="bar", gapWidth=35)
    chart.add_data(Reference(sheet, min_col=2, min_row=first, max_row=last))
    chart.set_categories(Reference(sheet, min_col=1, min_row=first, max_row=last))
    chart.title, chart.legend, chart.style = None, None, 10
    series = chart.series[0]
    for index, part in enumerate(parts):
        point = DataPoint(idx=index)
        point.graphicalProperties.solidFill = part.look.bar
        series.dPt.append(point)
    series.dLbls = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    series.dLbls.numFmt = "#,##0;;"  # a bar without length needs no number
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete, chart.y_axis.delete = False, True
    chart.y_axis.majorGridlines = None
    chart.width, chart.height = 15, 7.5
    return chart
