"""The whole workbook, in one pass over the rows; or its Summary alone, where nothing else of it has changed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO
from zipfile import ZipFile

from openpyxl import Workbook

from importer.files import Package
from importer.messages import ngettext
from importer.model import ReportContent, Summary

from .decide_sheet import ToDecideSheet
from .graft import sheet_parts
from .graft_styles import parsed
from .issues_sheet import IssuesSheet
from .listing import SHEET_COLUMNS, SHEET_LINES, Listing
from .package import Part, assemble, save
from .report_sheet import ReportSheet
from .summary_sheet import SummarySheet
from .words import DOUBTFUL, OWN_COLUMNS, REPORT, SUMMARY

_PROPERTIES = "docProps/core.xml"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"

SAMPLE = 200  # rows that tell how wide the columns should be


def fits(content: ReportContent) -> bool:
    """Tell whether a sheet has the lines and columns for this report."""
    return content.summary.counts.rows < SHEET_LINES and len(content.columns) + len(OWN_COLUMNS) <= SHEET_COLUMNS


def write_workbook(file: BinaryIO, content: ReportContent) -> None:
    """Write the report to an open file; memory does not grow with the rows."""
    summary, workbook = content.summary, Workbook(write_only=True)
    first = SummarySheet(workbook)
    report = ReportSheet(workbook, content, islice(content.rows, SAMPLE))
    issues = IssuesSheet(workbook)
    to_decide: ToDecideSheet | None = None
    for row in content.rows:
        report.add(row)
        for issue in row.issues:
            issues.add(row, issue, report.place(issue))
        if row.status in DOUBTFUL:
            to_decide = to_decide or ToDecideSheet(workbook, content)
            to_decide.add(row, report.start)
    listings: list[Listing] = [report, issues, *([to_decide] if to_decide else [])]
    for listing in listings:
        listing.finish()
    limits = list(_limits(report, issues))
    workbook.properties.description = "\n".join(limits) or None  # so that Summary can be renewed without the rows
    first.write(summary, [*summary.notes, *limits], [listing.title for listing in listings])
    save(workbook, [first, *listings], file)


def renew_workbook(standing: BinaryIO, file: BinaryIO, summary: Summary) -> None:
    """Write a report that stands already to another file, its Summary made anew and all else of it as it is."""
    package = Package(standing, REPORT)
    parts = sheet_parts(package)
    limits = parsed(package.content(_PROPERTIES).decode()).findtext(_DESCRIPTION, "").splitlines()
    alone, workbook = io.BytesIO(), Workbook(write_only=True)
    first = SummarySheet(workbook)
    first.write(summary, [*summary.notes, *limits], [title for title in parts if title != SUMMARY])
    save(workbook, [first], alone)
    with ZipFile(alone) as fresh:
        renewed = fresh.read(first.part)
    assemble(standing, {parts[SUMMARY]: Part([renewed])}, file)


def _limits(report: ReportSheet, issues: IssuesSheet) -> Iterator[str]:
    """Say what the workbook had to do without."""
    if report.notes_refused:
        yield ngettext(
            "{count} faulty cell carries no note, since many notes make a sheet slow. Its reason stands in Issues.",
            "{count} faulty cells carry no note, since many notes make a sheet slow. Their reasons stand in Issues.",
            report.notes_refused,
        )
    if report.links_refused:
        yield ngettext(
            "{count} case carries no link: Excel allows no more on a sheet.",
            "{count} cases carry no link: Excel allows no more on a sheet.",
            report.links_refused,
        )
    if issues.links_refused:
        yield ngettext(
            "{count} line of Issues leads to no cell: Excel allows no more links on a sheet.",
            "{count} lines of Issues lead to no cell: Excel allows no more links on a sheet.",
            issues.links_refused,
        )
    if issues.left_out:
        yield ngettext(
            "{count} issue has no line in Issues: the sheet is full. It stands in the message of its row.",
            "{count} issues have no line in Issues: the sheet is full. They stand in the messages of their rows.",
            issues.left_out,
        )
