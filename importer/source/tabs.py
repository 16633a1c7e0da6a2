"""The sheets of a workbook among which a person may have to choose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from importer.source.binary.xlsb import read_workbook as read_xlsb
from importer.source.kind import Kind
from importer.source.known_columns import TopTexts
from importer.source.ods.workbook import open_flat, open_package
from importer.source.parsing import Parser, SheetEntry, list_sheets
from importer.source.sheets import (
    is_of_excel_97,
    top_texts_of,
    top_texts_of_ods,
    top_texts_of_xlsx,
    without_reports,
)
from importer.source.snapshot import Snapshot
from importer.source.xlsx.workbook import read_workbook, workbook_part
from importer.system.files import Package

MOST_TABS = 60
"""Sheets that are looked into; a workbook with more is shown as it is."""


def tabs(kind: Kind, snapshot: Snapshot, package: Package | None, file: str) -> tuple[str, ...]:
    """Return the visible sheets that have something in them and are no report of ours; none for a text file.

    Raises SourceError where the workbook cannot be read.
    """
    if kind is Kind.TEXT:
        return ()
    entries, top_texts = _listed(kind, snapshot, package, file)
    if sum(entry.visible for entry in entries) > MOST_TABS:
        return tuple(entry.name for entry in entries if entry.visible)
    top_texts = lru_cache(maxsize=MOST_TABS)(top_texts)
    others, reports = without_reports(entries, top_texts)
    if len(others) < 2:
        return tuple(others or reports)
    return tuple(name for name in others if any(map(_has_text, top_texts(name)))) or tuple(others)


def _has_text(row: set[str]) -> bool:
    return any(text.strip() for text in row)


def _listed(
    kind: Kind, snapshot: Snapshot, package: Package | None, file: str
) -> tuple[Sequence[SheetEntry], TopTexts]:
    """Return the sheets of a workbook, and the function that gives the texts of a sheet's first rows."""
    if package is not None and kind is Kind.XLSX:
        workbook = read_workbook(package, workbook_part(package) or "")
        return workbook.sheets, top_texts_of_xlsx(snapshot, package, workbook)
    if package is not None and kind is Kind.XLSB:
        return read_xlsb(package, workbook_part(package) or "").sheets, top_texts_of(snapshot, file)
    if kind is Kind.ODS:
        document = open_flat(snapshot, file) if package is None else open_package(package, snapshot)
        return document.sheets, top_texts_of_ods(document)
    parser: Parser = "xlrd" if is_of_excel_97(snapshot) else "calamine"
    return list_sheets(snapshot, file, parser), top_texts_of(snapshot, file, parser)
