"""The sheet `Summary`: what was imported, how many rows came to which end, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from importer.messages import _
from importer.model import Summary

from . import styles
from .cells import Value
from .sheet import Sheet, for_paper
from .words import CREATED_NOW, LOOKS, SUMMARY, Look, Tally, facts, tallies

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet


_WIDTHS = {"A": 24, "B": 12, "C": 66, "D": 3}
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


_STYLES: tuple[styles.Style, ...] = (
    *(_title, _next_step, _name, _count, _meaning, _total, styles.wrapped, styles.linked),
    *(styles.header(styles.SOURCE_HEADER), styles.coloured(_NOTHING)),
    *(styles.coloured(look, bold=True) for look in (CREATED_NOW, *LOOKS.values())),
)
"""All that the sheet can need. They are the first of the workbook, so that the sheet can be renewed alone."""


class SummarySheet(Sheet):
    """The first sheet, begun before the rows and written after them, when it is known which sheets there are."""

    def __init__(self, workbook: Workbook) -> None:
        """Take the first place in the workbook, and the first numbers of its styles."""
        super().__init__(workbook, SUMMARY, len(_WIDTHS))
        for style in _STYLES:
            self.cells.number_of(style)

    def write(self, summary: Summary, notes: Sequence[str], sheets: Iterable[str]) -> None:
        """Write the whole sheet; `sheets` are the others, each led to by a link."""
        for column, width in _WIDTHS.items():
            self.sheet.column_dimensions[column].width = width
        self.sheet.sheet_view.showGridLines = False
        for_paper(self.sheet)
        self._wide(_title, _("Import {name}", name=summary.import_name), height=30)
        lines = 1 + len(summary.next_step) // 88
        self._wide(_next_step, summary.next_step, height=10 + 18 * lines)
        self.append(())
        self._counts(summary)
        self.append(())
        for name, value in [*facts(summary), *((_("Note"), text) for text in notes)]:
            self._wide_fact(name, value)
        self.append(())
        for title in sheets:
            self.link(0, location=f"'{title}'!A1")
            self._line((styles.linked, title))

    def _line(self, *cells: tuple[styles.Style, Value], height: float | None = None) -> None:
        self.append([self.cells.of(style, value) for style, value in cells], height)

    def _wide(self, style: styles.Style, text: str, height: float) -> None:
        self._line((style, text), (style, None), (style, None), height=height)
        self.sheet.merged_cells.add(f"A{self.lines}:C{self.lines}")

    def _wide_fact(self, name: str, value: str) -> None:
        self._line((_name, name), (styles.wrapped, value), height=16 * (1 + len(value) // 76))
        self.sheet.merged_cells.add(f"B{self.lines}:C{self.lines}")

    def _counts(self, summary: Summary) -> None:
        names = (_("State"), _("Rows"), _("What it means"))
        self._line(*((styles.header(styles.SOURCE_HEADER), name) for name in names))
        first, parts = self.lines + 1, tallies(summary)
        for part in parts:
            style = styles.coloured(part.look, bold=True) if part.count else styles.coloured(_NOTHING)
            self._line((style, part.name), (_count, part.count), (_meaning, part.meaning))
        self.sheet.add_chart(_chart(self.sheet, first, parts), f"E{first - 1}")
        self._total(_("all rows"), summary.counts.rows, "")
        if summary.counts.changed:
            meaning = _("Created, and edited in the source since: the cases were left as they are.")
            self._total(_("of these, changed"), summary.counts.changed, meaning)

    def _total(self, name: str, count: int, meaning: str) -> None:
        self._line((_name, name), (_total, count), (_meaning, meaning))


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
