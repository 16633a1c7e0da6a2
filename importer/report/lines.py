"""The report for machines: one line per row as CSV (comma, UTF-8 without BOM, CRLF), the columns of the sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from importer.model import ReportContent, ReportRow, Summary

from .text import marked
from .words import OWN_COLUMNS, message


def write_csv(file: BinaryIO, content: ReportContent) -> None:
    """Write the report to an open file; memory does not grow with the rows."""
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([marked(name) for name in (*content.columns, *OWN_COLUMNS)])
        writer.writerows(_line(row, content.summary) for row in content.rows)
    finally:
        text.detach()


def _line(row: ReportRow, summary: Summary) -> list[str]:
    return [marked(value) for value in (*map(str, row.cells), *_own(row, summary))]


def _own(row: ReportRow, summary: Summary) -> Iterator[str]:
    yield str(row.number)
    yield row.status.value
    yield row.wolkvox_id or ""
    yield row.id_prefijo or ""
    yield message(row, summary)
    yield row.sent_at.astimezone(summary.started_at.tzinfo).isoformat(timespec="seconds") if row.sent_at else ""
    yield "" if row.run is None else str(row.run)
    yield row.reference or ""
