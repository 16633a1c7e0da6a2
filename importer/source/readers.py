"""Read the chosen sheet of a workbook, each format as far as it can be looked into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from importer.errors import SourceError
from importer.files import Package
from importer.messages import _, ngettext
from importer.model import TableOptions
from importer.source.calamine import Parsing, SheetEntry, list_sheets
from importer.source.kind import Kind
from importer.source.ods import scan as scan_ods
from importer.source.overrides import SheetFacts
from importer.source.snapshot import Snapshot
from importer.source.table import Block, Grid
from importer.source.workbook import WorkbookGrid, choose
from importer.source.xls import scan as scan_xls
from importer.source.xlsx import read_workbook, workbook_part
from importer.source.xlsx import scan as scan_xlsx

_TOP_ROWS = 30


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was read: its cells, its hidden rows, and sentences about what was found out.

    The one of a text table has no name.
    """

    name: str | None
    grid: Grid
    hidden: frozenset[int]
    notes: tuple[str, ...]


Reading = Callable[[], Sheet]
"""The rest of reading a sheet, which a child process has begun to parse: to be called once, for the sheet."""


def begin_xlsx(snapshot: Snapshot, package: Package, file: str, options: TableOptions) -> Reading:
    """Begin to read a sheet of an XLSX or XLSM workbook; its XML is looked through while the child parses it."""
    workbook = read_workbook(package, workbook_part(package) or "")
    name = _choose(snapshot, file, workbook.sheets, options)
    parsing = Parsing(snapshot, file, name)

    def read() -> Sheet:
        with parsing:
            facts = scan_xlsx(package, workbook.parts[name], workbook.formats)
            parsed = parsing.finish()
        grid = WorkbookGrid(parsed, facts, workbook.formats, since_1904=workbook.since_1904)
        notes = (*_notes(grid, facts, options), *_regional_note(workbook.regional, facts))
        return Sheet(name, grid, frozenset(facts.hidden), notes)

    return read


def begin_ods(snapshot: Snapshot, package: Package, file: str, options: TableOptions) -> Reading:
    """Begin to read a sheet of an ODS workbook; its XML is looked through while the child parses it."""
    name = _choose(snapshot, file, list_sheets(snapshot, file), options)
    parsing = Parsing(snapshot, file, name)

    def read() -> Sheet:
        with parsing:
            facts = scan_ods(package, name)
            parsed = parsing.finish()
        grid = WorkbookGrid(parsed, facts)
        untold = _("Of ODS files the program cannot tell the targets of links.")
        return Sheet(name, grid, frozenset(facts.hidden), (*_notes(grid, facts, options), untold))

    return read


def begin_xls(snapshot: Snapshot, file: str, options: TableOptions) -> Reading:
    """Begin to read a sheet of an XLS workbook; its records are looked through while the child parses it."""
    name = _choose(snapshot, file, list_sheets(snapshot, file), options)
    parsing = Parsing(snapshot, file, name)

    def read() -> Sheet:
        with parsing, snapshot.open() as reader:
            look = scan_xls(reader.read(), name)
            parsed = parsing.finish()
        unlooked = WorkbookGrid(parsed, SheetFacts())
        _refuse_misread(unlooked, file)
        if look is None:
            return Sheet(name, unlooked, frozenset(), (_untold(Kind.XLS),))
        grid = WorkbookGrid(parsed, look.facts, look.formats, since_1904=look.since_1904)
        untold = _("Of XLS files the program cannot tell formulas without a result, nor the targets of links.")
        notes = (*_notes(grid, look.facts, options), *_regional_note(look.regional, look.facts), untold)
        return Sheet(name, grid, frozenset(look.facts.hidden), notes)

    return read


def begin_xlsb(snapshot: Snapshot, file: str, options: TableOptions) -> Reading:
    """Begin to read a sheet of an XLSB workbook, which is not looked into beside its parser."""
    name = _choose(snapshot, file, list_sheets(snapshot, file), options)
    parsing = Parsing(snapshot, file, name)

    def read() -> Sheet:
        with parsing:
            grid = WorkbookGrid(parsing.finish(), SheetFacts())
        return Sheet(name, grid, frozenset(), (_untold(Kind.XLSB),))

    return read


def _refuse_misread(grid: WorkbookGrid, file: str) -> None:
    """Raise SourceError where the parser took both bytes of a letter for letters, as it does by some code pages."""
    if any("\0" in str(cell) for block in grid.blocks() for column in block.columns for cell in column):
        raise SourceError(
            _(
                "The texts of {file} would be garbled: it names an encoding that the program cannot follow. Open it in"
                " Excel and save it as .xlsx.",
                file=file,
            )
        )


def _untold(kind: Kind) -> str:
    """Return the sentence about what a format does not tell."""
    return _(
        "Of this {kind} file the program cannot tell hidden rows, errors such as #N/A, formulas without a result and"
        " number formats: hidden rows are read, errors look empty, dates read as YYYY-MM-DD, percentages as fractions."
        " Save the file as .xlsx to have these seen.",
        kind=kind.value,
    )


def _regional_note(regional: frozenset[int], facts: SheetFacts) -> tuple[str, ...]:
    """Return the sentence about dates that look different on each computer, where the sheet has such."""
    if not regional & facts.kinds:
        return ()
    return (_("Dates that Excel shows by each computer's region are read as YYYY-MM-DD."),)


def _choose(snapshot: Snapshot, file: str, sheets: tuple[SheetEntry, ...], options: TableOptions) -> str:
    """Return the sheet to read, looking into those that could be reports of ours."""

    def top_texts(name: str) -> list[set[str]]:
        with Parsing(snapshot, file, name) as parsing:
            top = next(WorkbookGrid(parsing.finish(), SheetFacts()).blocks(), Block((), ()))
            return [set(map(str, cells)) for number, cells in top.rows() if number <= _TOP_ROWS]

    return choose(file, sheets, options.sheet, top_texts)


def _notes(grid: WorkbookGrid, facts: SheetFacts, options: TableOptions) -> tuple[str, ...]:
    """Return sentences about what the sheet hides, merges and links."""
    notes = []
    if facts.hidden_columns:
        notes.append(
            ngettext("{count} hidden column is read.", "{count} hidden columns are read.", facts.hidden_columns)
        )
    if grid.merges and options.merged == "first":
        notes.append(
            ngettext(
                "{count} merged range keeps its value in its first cell (source.merged: fill repeats it).",
                "{count} merged ranges keep their value in their first cell (source.merged: fill repeats it).",
                grid.merges,
            )
        )
    if links := sum(map(len, facts.links.values())):
        notes.append(
            ngettext(
                "{count} cell is a link: its text is read, or its target where it has none.",
                "{count} cells are links: their text is read, or their target where they have none.",
                links,
            )
        )
    return tuple(notes)
