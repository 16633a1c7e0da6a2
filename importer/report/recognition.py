"""Tell whether a file is a report of ours, in whatever language, and which of its sheets are which."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path

from importer.errors import SourceError
from importer.report.columns import own_places
from importer.report_words import REPORT, SUMMARY, hand_over_sheets, sheet_titles, sheets_by_language
from importer.system.disk import state_of
from importer.system.files import Package, open_ordinary

HEADER_WITHIN = 20  # lines; a person may have put a title above it
HEADERS_WITHIN = 1 << 16  # bytes, of a CSV file

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
WORKBOOK, WORKBOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"

_PROPERTIES = "docProps/core.xml"
_COPY = re.compile(r"(.+?)(?: \(?\d+\)?)*")  # `Report (2)`


def called(titles: Iterable[str], sheet: str) -> list[str]:
    """Return the sheets that have the name of one of ours, in any language."""
    names = sheet_titles(sheet)
    return [title for title in titles if title in names]


def sheet_parts(package: Package) -> dict[str, str]:
    """Return the sheets of a workbook, each name with the part that holds it; SourceError where it names none."""
    relations = {relation.get("Id"): relation.get("Target", "") for relation in package.tree(WORKBOOK_RELATIONS)}
    sheets = package.tree(WORKBOOK).iterfind(f"{MAIN}sheets/{MAIN}sheet")
    targets = ((sheet.get("name", ""), relations.get(sheet.get(f"{RELATIONS}id"), "")) for sheet in sheets)
    return {name: target.lstrip("/") if target.startswith("/") else f"xl/{target}" for name, target in targets}


def report_sheets(path: Path) -> list[str]:
    """Return the sheets of a workbook that have the name of a report of ours, or of a copy that Excel made of it.

    Their contents have to be examined. Of a workbook whose sheets cannot be listed it is `Report` in each language.
    """
    ours = sheet_titles(REPORT)
    if path.suffix.lower() not in {".xlsx", ".xlsm"}:
        return [] if path.suffix.lower() in {".csv", ".tsv", ".txt"} else [*ours]
    try:
        titles = titles_of(path)
    except (OSError, SourceError):
        return [*ours]
    known = {title.casefold() for title in ours}
    return [title for title in titles if (found := _COPY.fullmatch(title)) and found[1].casefold() in known]


def is_given_back(path: Path) -> bool:
    """Return whether a source is a report of ours: by its sheets, or by the columns at the beginning of a CSV file.

    A file that cannot be read is not.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            titles = set(titles_of(path))
            languages = sheets_by_language()
            return any({names[SUMMARY], names[REPORT]} <= titles <= {*names.values()} for names in languages)
        with open_ordinary(path) as file:
            return path.suffix.lower() == ".csv" and _has_our_headers(file.read(HEADERS_WITHIN))
    except (OSError, SourceError):
        return False


def is_hand_over(path: Path) -> bool:
    """Return whether a file is a hand-over workbook of ours, in whatever language: by its sheets."""
    if path.suffix.lower() != ".xlsx":
        return False
    try:
        titles = set(titles_of(path))
    except (OSError, SourceError):
        return False
    return any({*names.values()} <= titles for names in hand_over_sheets())


def is_never_saved(path: Path) -> bool:
    """Return whether a workbook of ours is as it was written, by what it says itself: no program has saved it since.

    Excel adds who saved it last and when; others leave out what we write. Of a CSV file it is not known.
    """
    if path.suffix.lower() != ".xlsx" or not is_given_back(path):
        return False
    try:
        with open_ordinary(path) as file:
            tree = Package(file, path.name).tree(_PROPERTIES)
            facts = {fact.tag.rpartition("}")[2]: fact.text for fact in tree}
    except (OSError, SourceError):
        return False
    times = facts.pop("created", None), facts.pop("modified", "")
    return times[0] == times[1] and facts == {"creator": None, "lastModifiedBy": None}


def _has_our_headers(beginning: bytes) -> bool:
    """Tell whether one of the first lines of a CSV file has all of our columns, whatever separates them."""
    text = beginning.decode("utf-8-sig", "replace")
    with suppress(csv.Error):
        for separator in ",;\t":
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            if any(own_places(line) for line in islice(lines, HEADER_WITHIN)):
                return True
    return False


def titles_of(path: Path) -> Collection[str]:
    """Return the names of the sheets of a workbook. Raises SourceError where it cannot be read.

    A workbook is opened again only when it has changed: a command asks several times.
    """
    return _titles_in(path, state_of(path))


@lru_cache(maxsize=64)
def _titles_in(path: Path, _state: tuple[int, ...]) -> Collection[str]:
    with open_ordinary(path) as file:
        return sheet_parts(Package(file, path.name))
