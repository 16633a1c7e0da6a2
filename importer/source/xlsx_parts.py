"""What an XLSX workbook says of itself: its sheets, its epoch, and the number format of every cell style."""

from __future__ import annotations

from dataclasses import dataclass

from importer.bounds import Package
from importer.refusals import damaged
from importer.source.calamine_process import SheetEntry
from importer.source.number_format import BUILT_IN, REGIONAL, NumberFormat, telling


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets in their order, the part of each by name, the epoch, and the styles.

    `formats` holds for each cell style its number format, None where it is the general one; `regional` are the
    styles that show a date as each computer likes it.
    """

    sheets: tuple[SheetEntry, ...]
    parts: dict[str, str]
    since_1904: bool
    formats: tuple[NumberFormat | None, ...]
    regional: frozenset[int]


def workbook_part(package: Package) -> str | None:
    """Return the name of the part that is the workbook, wherever a writer has put it."""
    targets = (target for kind, target in package.relations("").values() if kind == "officeDocument")
    return next((target for target in targets if target in package.names), None)


def read_workbook(package: Package, part: str) -> Workbook:
    """Return what the workbook part and the styles say. Raises SourceError where they are damaged."""
    try:
        return _read(package, part)
    except ValueError as error:  # a style or a format that is no number
        raise damaged(package.file, str(error)) from error


def _read(package: Package, part: str) -> Workbook:
    root = package.tree(part)
    relations = package.relations(part)
    sheets: list[SheetEntry] = []
    parts: dict[str, str] = {}
    for element in root.iterfind("{*}sheets/{*}sheet"):
        link = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
        kind, target = relations.get(link, ("", ""))
        if kind == "worksheet":
            name = element.get("name", "")
            sheets.append(SheetEntry(name, element.get("state", "visible") == "visible"))
            parts[name] = target
    if not sheets:
        raise damaged(package.file, "no worksheet")
    properties = root.find("{*}workbookPr")
    since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    styles = next((target for kind, target in relations.values() if kind == "styles"), None)
    formats, regional = _formats(package, styles) if styles in package.names and styles else ((), frozenset())
    return Workbook(tuple(sheets), parts, since_1904, formats, regional)


def _formats(package: Package, part: str) -> tuple[tuple[NumberFormat | None, ...], frozenset[int]]:
    """Return the number format of every cell style, if it has one, and which styles are regional dates."""
    root = package.tree(part)
    codes = dict(BUILT_IN)
    for element in root.iterfind("{*}numFmts/{*}numFmt"):
        codes[int(element.get("numFmtId", "0"))] = element.get("formatCode", "General")
    formats: list[NumberFormat | None] = []
    regional = set()
    for style, element in enumerate(root.iterfind("{*}cellXfs/{*}xf")):
        number = int(element.get("numFmtId", "0"))
        formats.append(telling(codes.get(number, "General")))
        if number in REGIONAL and codes[number] == BUILT_IN[number]:
            regional.add(style)
    return tuple(formats), frozenset(regional)
