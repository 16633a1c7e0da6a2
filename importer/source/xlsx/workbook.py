"""What an XLSX workbook says about itself: its sheets and their parts, its epoch, and the formats of its cells."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from importer.errors import SourceError
from importer.messages import _
from importer.source.number_formats.codes import CellFormats, cell_formats
from importer.source.parsing import SheetEntry
from importer.system.files import Package, damaged

_TRUE, _FALSE = ("1", "true"), ("0", "false")


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets in their order, the part of each by name, the epoch, and the formats of cell styles.

    `styles` and `texts` are the parts that have the styles and the shared strings, `absent` the sheets that are listed
    and not in the file; of a workbook that `lacks_styles`, so are the styles. Where the workbook is `uncalculated`, a
    result of zero may stand for one never calculated.
    """

    sheets: tuple[SheetEntry, ...]
    parts: dict[str, str]
    since_1904: bool
    formats: CellFormats
    absent: tuple[str, ...] = ()
    uncalculated: bool = False
    styles: str | None = None
    texts: str | None = None
    lacks_styles: bool = False


def workbook_part(package: Package) -> str | None:
    """Return the name of the part that is the workbook, wherever the program that wrote it has put it."""
    targets = [target for kind, target in package.relations("").values() if kind == "officeDocument"]
    usual = package.spelled("xl/workbook.xml")
    return next((target for target in (*targets, usual) if target in package.names), None)


def read_workbook(package: Package, part: str) -> Workbook:
    """Return what the workbook part and the styles say. Raises SourceError where they are damaged."""
    root = package.tree(part)
    relations = package.relations(part)
    of_kind = {kind: target for kind, target in reversed(relations.values()) if target in package.names}
    sheets: list[SheetEntry] = []
    parts: dict[str, str] = {}
    absent: list[str] = []
    for element in root.iterfind("{*}sheets/{*}sheet"):
        link = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
        kind, target = relations.get(link, ("", ""))
        name = element.get("name", "")
        if kind == "worksheet" and target in package.names:
            sheets.append(SheetEntry(name, element.get("state", "visible") == "visible"))
            parts[name] = target
        elif kind in {"worksheet", ""}:
            absent.append(name)
    if not sheets:
        raise damaged(package.file, _("no worksheet"))
    properties = root.find("{*}workbookPr")
    styles = of_kind.get("styles") or _usual_styles(package)
    return Workbook(
        tuple(sheets),
        parts,
        since_1904=properties is not None and properties.get("date1904") in _TRUE,
        absent=tuple(absent),
        uncalculated=_is_uncalculated(package, root),
        styles=styles,
        lacks_styles=styles is None and any(kind == "styles" for kind, _target in relations.values()),
        texts=of_kind.get("sharedStrings"),
        formats=_read_styles(package, styles) if styles else CellFormats(),
    )


def _is_uncalculated(package: Package, workbook: Element) -> bool:
    """Return whether the program that wrote the workbook may have put zeros for results, for Excel to calculate.

    XlsxWriter and its relatives do, and ask Excel to calculate all when it opens the file; PhpSpreadsheet says that it
    has not calculated; Apache POI says nothing.
    """
    calculation = workbook.find("{*}calcPr")
    asked = {} if calculation is None else calculation.attrib
    if asked.get("fullCalcOnLoad") in _TRUE or asked.get("calcCompleted") in _FALSE:
        return True
    with suppress(SourceError):
        for kind, part in package.relations("").values():
            if kind == "extended-properties" and part in package.names:
                return package.tree(part).findtext("{*}Application", "").startswith("Apache POI")
    return False


def _usual_styles(package: Package) -> str | None:
    """Return the part where styles usually are, which calamine reads without a relation; version 1 did not."""
    part = package.spelled("xl/styles.xml")
    if part not in package.names:
        return None
    package.respelled.add(part)
    return part


def _read_styles(package: Package, part: str) -> CellFormats:
    root = package.tree(part)
    try:
        codes = {
            int(element.get("numFmtId", "0")): element.get("formatCode", "General")
            for element in root.iterfind("{*}numFmts/{*}numFmt")
        }
        styles = [int(element.get("numFmtId", "0")) for element in root.iterfind("{*}cellXfs/{*}xf")]
    except ValueError as error:
        raise damaged(package.file, str(error)) from error
    return cell_formats(styles, codes)
