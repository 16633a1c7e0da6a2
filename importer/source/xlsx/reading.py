"""Read a sheet of an XLSX workbook: as it is found, and rewritten where its spelling would be misread."""

from __future__ import annotations

from importer.source.number_formats.codes import CellFormats
from importer.source.overrides import SheetFacts
from importer.source.parsing import ParserRefusal, Parsing
from importer.source.snapshot import Snapshot
from importer.source.workbook import WorkbookGrid
from importer.source.xlsx.repair import SHEET, SHEET_PART, repaired
from importer.source.xlsx.reread import RereadGrid
from importer.source.xlsx.sheet import scan
from importer.source.xlsx.workbook import Workbook
from importer.system.files import Package


def read_xlsx(
    snapshot: Snapshot, package: Package, workbook: Workbook, name: str
) -> tuple[WorkbookGrid | RereadGrid, SheetFacts]:
    """Return the cells of a sheet and the facts about it; its XML is scanned while the child process parses it.

    Where the spelling is untidy, or the parser refuses it, the workbook is rewritten and read once more; a cell that
    is read otherwise then carries its earlier reading. Raises SourceError where the sheet cannot be read.
    """
    part = workbook.parts[name]
    try:
        with Parsing(snapshot, package.file, name, parts=[part, *filter(None, [workbook.texts])]) as parsing:
            facts = scan(package, part, workbook.formats, uncalculated=workbook.uncalculated)
            parsed = parsing.finish()
    except ParserRefusal:
        return _read_rewritten(package, workbook, name)
    found = earlier = WorkbookGrid(parsed, facts, workbook.formats, since_1904=workbook.since_1904)
    untidy = next(iter(parsed))["untidy"]
    # Where the name of its part differed, version 1 did not find the formats; where the sheet's did, it read nothing.
    unstyled = workbook.styles in package.respelled and part not in package.respelled
    if not untidy and not unstyled:
        return found, facts
    if unstyled:
        earlier = WorkbookGrid(parsed, scan(package, part, CellFormats()), since_1904=workbook.since_1904)
    grid, facts = _read_rewritten(package, workbook, name) if untidy else (found, facts)
    return RereadGrid(grid, earlier), facts


def _read_rewritten(package: Package, workbook: Workbook, name: str) -> tuple[WorkbookGrid, SheetFacts]:
    """Return what `read_xlsx` does, of the sheet rewritten."""
    snapshot = repaired(package, workbook, name)
    with Parsing(snapshot, package.file, SHEET) as parsing:
        again = Package(snapshot.open(), package.file)
        facts = scan(again, SHEET_PART, workbook.formats, uncalculated=workbook.uncalculated)
        parsed = parsing.finish()
    return WorkbookGrid(parsed, facts, workbook.formats, since_1904=workbook.since_1904), facts
