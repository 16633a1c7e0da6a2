"""The report as a workbook, written in one pass over the rows; and its sheet `Report` alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

from importer.messages import ngettext
from importer.model import DOUBTFUL, ReportContent, ReportRow
from importer.report.listings import (
    SAMPLE,
    SHEET_COLUMNS,
    SHEET_LINES,
    IssuesSheet,
    Listing,
    ReportSheet,
    ToDecideSheet,
)
from importer.report.sheet import new_workbook
from importer.report.styles import Formats
from importer.report.summary_sheet import DetailsSheet, SummarySheet
from importer.report_words import OWN_COLUMNS


def fits(content: ReportContent) -> bool:
    """Return whether a sheet has enough lines and columns for this report."""
    return content.summary.counts.rows < SHEET_LINES and len(content.columns) + len(OWN_COLUMNS) <= SHEET_COLUMNS


def write_workbook(file: BinaryIO, content: ReportContent) -> None:
    """Write the report to an open file; memory does not grow with the rows."""
    with new_workbook(file) as workbook:
        formats = Formats(workbook)
        summary = SummarySheet(workbook, formats)
        sample, rows = _begun(content)
        report = ReportSheet(workbook, formats, content, sample)
        issues = IssuesSheet(workbook, formats)
        to_decide: ToDecideSheet | None = None
        for row in rows:
            report.add(row)
            for issue in row.issues:
                issues.add(row, issue, report.place_of(issue))
            if row.status in DOUBTFUL:
                to_decide = to_decide or ToDecideSheet(workbook, formats, content)
                to_decide.add(row, report.place)
        listings: list[Listing] = [report, issues, *([to_decide] if to_decide else [])]
        for listing in listings:
            listing.finish()
        details = DetailsSheet(workbook, formats)
        details.write(content.summary)
        notes = [*content.summary.notes, *_left_out(report, issues)]
        summary.write(content.summary, notes, [sheet.title for sheet in (*listings, details)])


def write_report_sheet(file: BinaryIO, content: ReportContent) -> None:
    """Write a workbook of the sheet `Report` alone to an open file."""
    with new_workbook(file) as workbook:
        sample, rows = _begun(content)
        report = ReportSheet(workbook, Formats(workbook), content, sample)
        for row in rows:
            report.add(row)
        report.finish()


def _begun(content: ReportContent) -> tuple[list[ReportRow], Iterator[ReportRow]]:
    """Return the first rows, by which the columns are laid out, and all of them, each made once."""
    rows = iter(content.rows)
    sample = list(islice(rows, SAMPLE))
    return sample, chain(sample, rows)


def _left_out(report: ReportSheet, issues: IssuesSheet) -> Iterator[str]:
    """Yield what had to be left out of the workbook."""
    if report.notes.refused:
        yield ngettext(
            "{count} faulty cell has no note, since many notes make a sheet slow. Its reason is in Issues.",
            "{count} faulty cells have no note, since many notes make a sheet slow. Their reasons are in Issues.",
            report.notes.refused,
        )
    if report.links.refused:
        yield ngettext(
            "{count} case has no link: Excel allows no more on a sheet.",
            "{count} cases have no link: Excel allows no more on a sheet.",
            report.links.refused,
        )
    if issues.links.refused:
        yield ngettext(
            "{count} line of Issues has no link to its cell: Excel allows no more links on a sheet.",
            "{count} lines of Issues have no link to their cells: Excel allows no more links on a sheet.",
            issues.links.refused,
        )
    if issues.left_out:
        yield ngettext(
            "{count} issue has no line in Issues: the sheet is full. It is in the message of its row.",
            "{count} issues have no line in Issues: the sheet is full. They are in the messages of their rows.",
            issues.left_out,
        )
