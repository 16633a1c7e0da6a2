"""Tell a report of ours from other sources, before anything of it is read."""

from __future__ import annotations

import re
from pathlib import Path

from importer.errors import SourceError
from importer.files import Package, open_ordinary

from .graft import sheet_parts
from .words import OWN_COLUMNS, REPORT, SHEETS, SUMMARY

HEADERS_WITHIN = 1 << 16  # bytes

_REPORT_TITLE = re.compile(rf"{REPORT}(?: \(?\d+\)?)*", re.IGNORECASE)

_OWN_HEADERS = re.compile(rb"[,;\t]".join(rb'"?%s"?' % re.escape(name.encode()) for name in OWN_COLUMNS))


def report_sheets(path: Path) -> list[str]:
    """Return the sheets of a workbook that have the name of a report of ours, or of a copy that Excel made of it.

    What is in them has to be looked at; of a kind of workbook whose sheets cannot be told by their names, `Report`.
    """
    if path.suffix.lower() not in {".xlsx", ".xlsm"}:
        return [] if path.suffix.lower() in {".csv", ".tsv", ".txt"} else [REPORT]
    try:
        with open_ordinary(path) as workbook:
            titles = sheet_parts(Package(workbook, path.name))
    except (OSError, SourceError):
        return [REPORT]
    return [title for title in titles if _REPORT_TITLE.fullmatch(title)]


def is_given_back(path: Path) -> bool:
    """Tell whether a source is a report of ours: by its sheets, or by the columns at the beginning of a CSV file.

    What cannot be read is none.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            with open_ordinary(path) as workbook:
                sheets = set(sheet_parts(Package(workbook, path.name)))
            return {SUMMARY, REPORT} <= sheets <= {*SHEETS}
        with open_ordinary(path) as file:
            return path.suffix.lower() == ".csv" and bool(_OWN_HEADERS.search(file.read(HEADERS_WITHIN)))
    except (OSError, SourceError):
        return False
