"""Choose a sheet of a workbook and read it, with everything that its format lets us know about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from importer.commands import is_on_page
from importer.errors import SourceError
from importer.messages import _, ngettext
from importer.model import TableOptions
from importer.report_words import (
    DETAILS,
    ISSUES,
    REPORT,
    SUMMARY,
    TO_DECIDE,
    column_words,
    sheet_titles,
    sheets_by_language,
)
from importer.source.binary.xlsb import read_workbook as read_xlsb
from importer.source.binary.xlsb import scan as scan_xlsb
from importer.source.kind import Kind
from importer.source.known_columns import TopTexts, has_columns, note_unread
from importer.source.number_formats.codes import cell_formats
from importer.source.number_formats.remarks import Remarks
from importer.source.ods.rows import read_rows
from importer.source.ods.workbook import OdsWorkbook, open_flat, open_package
from importer.source.overrides import SheetFacts
from importer.source.parsing import Parser, ParserRefusal, Parsing, SheetEntry, list_sheets
from importer.source.snapshot import Snapshot
from importer.source.table import Grid
from importer.source.workbook import WorkbookGrid
from importer.source.xlsx.reading import read_xlsx
from importer.source.xlsx.repair import SHEET, repaired
from importer.source.xlsx.reread import RereadGrid
from importer.source.xlsx.workbook import Workbook, read_workbook, workbook_part
from importer.system.files import Package
from importer.text import squeezed

_TOP_ROWS = 30
_COPY = re.compile(r" \(?\d+\)?$")  # behind the name of a sheet that Excel copied
_ONLY_BESIDE_THESE = (ISSUES, SUMMARY)  # without them, a sheet `Details` is a person's own
_EXCEL_97 = re.compile(rb"\x09\x08[\x04-\x14]\x00\x00\x06")  # a record BOF of version 6, which begins a part
_WITH_OUR_NAME = re.compile(r" \(wolkvox(?: \d+)?\)$")  # behind a name that a column of the source has, too


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was read: its cells, its hidden rows, and sentences about what was found.

    A text table is a sheet without a name. `remarks` are about number formats, and complete once all cells were read.
    """

    name: str | None
    grid: Grid
    hidden: frozenset[int]
    notes: tuple[str, ...]
    remarks: Remarks = field(default_factory=dict)


def read_sheet(kind: Kind, snapshot: Snapshot, package: Package | None, file: str, options: TableOptions) -> Sheet:
    """Return the chosen sheet of a workbook. Raises SourceError where it cannot be read."""
    if package is not None and kind is Kind.XLSX:
        return _read_xlsx(snapshot, package, file, options)
    if package is not None and kind is Kind.XLSB:
        return _read_xlsb(snapshot, package, file, options)
    if kind is Kind.ODS:
        workbook = open_flat(snapshot, file) if package is None else open_package(package, snapshot)
        return _read_ods(workbook, options)
    if is_of_excel_97(snapshot):
        return _read_xls(snapshot, file, options)
    return _read_old_xls(snapshot, file, options)


def is_of_excel_97(snapshot: Snapshot) -> bool:
    """Return whether an XLS workbook is of Excel 97 to 2003, by the marks at the beginning of its parts.

    Where xlrd cannot read such a workbook, it is damaged: calamine would read it without the rows that are lost, and
    the hidden rows as if they were visible. One mark is enough, since another may be what is damaged.
    """
    with snapshot.open() as reader:
        return _EXCEL_97.search(reader.read()) is not None


def _read_xlsx(snapshot: Snapshot, package: Package, file: str, options: TableOptions) -> Sheet:
    """Read a sheet of an XLSX or XLSM workbook."""
    workbook = read_workbook(package, workbook_part(package) or "")
    _refuse_absent(file, workbook, options.sheet)
    name, taken = choose_sheet(file, workbook.sheets, options, top_texts_of_xlsx(snapshot, package, workbook))
    grid, facts = read_xlsx(snapshot, package, workbook, name)
    notes = (*taken, *_absent_notes(workbook), *_layout_notes(grid, facts, options))
    return Sheet(name, grid, frozenset(facts.hidden), notes, grid.remarks)


def _refuse_absent(file: str, workbook: Workbook, wanted: str | None) -> None:
    """Raise SourceError where the wanted sheet is one that the workbook lists without its content."""
    if wanted in workbook.absent and wanted not in workbook.parts:
        raise SourceError(
            _(
                "{file} lists the sheet “{sheet}”, but does not have its content. Export the file again, or name"
                " another sheet as source.sheet.",
                file=file,
                sheet=wanted,
            )
        )


def _absent_notes(workbook: Workbook) -> list[str]:
    """Return a sentence about each sheet that is listed without its content, and about styles that are not there."""
    lost = _(
        "The file does not have its number formats: dates are read as numbers, such as 45368, and zeros that only a"
        " format shows are missing. Export the file again, or open it in Excel and save it."
    )
    return [lost] * workbook.lacks_styles + [
        _("The sheet “{sheet}” is left out: the file lists it, but does not have its content.", sheet=name)
        for name in workbook.absent
    ]


def top_texts_of_xlsx(snapshot: Snapshot, package: Package, workbook: Workbook) -> TopTexts:
    """Return the function that gives the texts of a sheet's first rows, also of one that is rewritten for that."""

    def top_texts(name: str) -> list[set[str]]:
        try:
            return top_texts_of(snapshot, package.file)(name)
        except ParserRefusal:
            return top_texts_of(repaired(package, workbook, name), package.file)(SHEET)

    return top_texts


def _read_xlsb(snapshot: Snapshot, package: Package, file: str, options: TableOptions) -> Sheet:
    """Read a sheet of an XLSB workbook; its records are scanned while the child process parses it."""
    workbook = read_xlsb(package, workbook_part(package) or "")
    name, taken = choose_sheet(file, workbook.sheets, options, top_texts_of(snapshot, file))
    with Parsing(snapshot, file, name) as parsing:
        facts = scan_xlsb(package, workbook.parts[name], workbook.formats)
        parsed = parsing.finish()
    grid = WorkbookGrid(parsed, facts, workbook.formats, since_1904=workbook.since_1904, formats_are_new=True)
    notes = (
        *taken,
        *_layout_notes(grid, facts, options),
        _("Formulas that were never calculated are not recognised in XLSB files: they read as 0, or as empty."),
    )
    return Sheet(name, grid, frozenset(facts.hidden), notes, grid.remarks)


def _read_ods(workbook: OdsWorkbook, options: TableOptions) -> Sheet:
    """Read a sheet of an ODS workbook."""
    name, taken = choose_sheet(workbook.file, workbook.sheets, options, top_texts_of_ods(workbook))
    rows, facts = read_rows(workbook, name)
    grid = WorkbookGrid(rows, facts)
    notes = (*taken, *_layout_notes(grid, facts, options))
    return Sheet(name, grid, frozenset(facts.hidden), notes, grid.remarks)


def _read_xls(snapshot: Snapshot, file: str, options: TableOptions) -> Sheet:
    """Read a sheet of an XLS workbook by xlrd, which reports values, number formats and layout together."""
    sheets = list_sheets(snapshot, file, "xlrd")
    name, taken = choose_sheet(file, sheets, options, top_texts_of(snapshot, file, "xlrd"))
    with Parsing(snapshot, file, name, "xlrd") as parsing:
        parsed = parsing.finish()
    known = next(iter(parsed))
    facts = SheetFacts(hidden=set(known["hidden"]), hidden_columns=known["hidden_columns"], kinds=known["styles"])
    for row, column, target in known["links"]:
        facts.add_link(row, column, target)
    formats = cell_formats(known["format_ids"], known["codes"])
    grid = WorkbookGrid(parsed, facts, formats, since_1904=known["since_1904"])
    notes = (*taken, *_layout_notes(grid, facts, options), *_formulas_note(known["empty_formulas"]))
    return Sheet(name, grid, frozenset(facts.hidden), notes, grid.remarks)


def _read_old_xls(snapshot: Snapshot, file: str, options: TableOptions) -> Sheet:
    """Read the values of a sheet of Excel 95 by calamine alone, and say in a note what it does not report."""
    name, taken = choose_sheet(file, list_sheets(snapshot, file), options, top_texts_of(snapshot, file))
    with Parsing(snapshot, file, name) as parsing:
        grid = WorkbookGrid(parsing.finish(), SheetFacts())
    _refuse_misread(grid, file)
    limits = _(
        "Hidden rows, errors such as #N/A, formulas without a result and number formats are not recognised in this"
        " {kind} file: hidden rows are read, errors look empty, dates read as YYYY-MM-DD, percentages as fractions."
        " Save the file as .xlsx to have them recognised.",
        kind=Kind.XLS.value,
    )
    return Sheet(name, grid, frozenset(), (*taken, limits))


def _refuse_misread(grid: Grid, file: str) -> None:
    """Raise SourceError where calamine took both bytes of a letter for letters, as it does for some code pages."""
    if any("\0" in str(cell) for block in grid.blocks() for column in block.columns for cell in column):
        raise SourceError(
            _(
                "The texts of {file} would be garbled: it names an encoding that cannot be used here. Open it in Excel"
                " and save it as .xlsx.",
                file=file,
            )
        )


def choose_sheet(
    file: str, sheets: Sequence[SheetEntry], options: TableOptions, top_texts: TopTexts
) -> tuple[str, tuple[str, ...]]:
    """Return the name of the sheet to read, and what there is to say about it.

    It is the wanted one, or the first visible one that is not a report of ours. `top_texts` gives the texts of a
    sheet's first rows, a set for each. A `Report` is ours when one of them has the columns that we write; `Issues`,
    `Summary`, `To decide` and `Details` are ours only beside such a report, and in its language. Where all sheets are
    ours, the report was corrected and given back, and is read in place of the wanted sheet. Raises SourceError naming
    the sheets that exist.
    """
    wanted = options.sheet
    visible = [sheet.name for sheet in sheets if sheet.visible]
    if wanted is not None and wanted in visible:  # most often so, and no sheet need be read to know that
        return wanted, ()
    others, reports = without_reports(sheets, top_texts)
    if wanted is not None and (others or not reports):
        if (alike := _alike_sheet(sheets, wanted)) is not None:
            return alike, ()
        known = [name for name in others if has_columns(options.columns, top_texts(name))]
        return _known_by_columns(file, sheets, wanted, known)
    candidates = others or reports
    if not candidates:
        raise SourceError(
            _("{file} has no visible sheet. Unhide the sheet with the table, and save the file.", file=file)
        )
    if wanted is not None:
        return candidates[0], ()
    return candidates[0], note_unread(candidates[0], others, options, top_texts)


def without_reports(sheets: Sequence[SheetEntry], top_texts: TopTexts) -> tuple[list[str], list[str]]:
    """Return the visible sheets that are not ours, and those that are reports of ours."""
    visible, titles = [sheet.name for sheet in sheets if sheet.visible], sheet_titles(REPORT)
    named = [name for name in visible if _COPY.sub("", name) in titles]
    reports = [name for name in named if any(map(_has_our_columns, top_texts(name)))]
    ours = {*reports, *_beside(reports, {sheet.name for sheet in sheets})}
    return [name for name in visible if name not in ours], reports


def _beside(reports: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """Yield what the other sheets of reports are called, in the languages in which these are."""
    titles = {_COPY.sub("", report) for report in reports}
    for called in sheets_by_language():
        if called[REPORT] in titles:
            yield from (called[sheet] for sheet in (ISSUES, SUMMARY, TO_DECIDE))
            if all(called[sheet] in names for sheet in _ONLY_BESIDE_THESE):
                yield called[DETAILS]


def _has_our_columns(texts: set[str]) -> bool:
    names = {_WITH_OUR_NAME.sub("", text) for text in texts}
    return any({words.get(name) for name in names} >= {"wolkvox_id", "reference"} for words in column_words())


def _alike_sheet(sheets: Sequence[SheetEntry], wanted: str) -> str | None:
    """Return the sheet of that name; where none is equal, the one that differs only in case, accents and spaces."""
    names = [sheet.name for sheet in sheets]
    alike = [wanted] if wanted in names else [name for name in names if squeezed(name) == squeezed(wanted)]
    return alike[0] if len(alike) == 1 else None


def _known_by_columns(
    file: str, sheets: Sequence[SheetEntry], wanted: str, candidates: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the only visible sheet that has the mapping's columns, in place of one whose tab has another name now."""
    if len(candidates) == 1:
        note = _(
            "There is no sheet “{wanted}”. The sheet “{sheet}” is read: it is the only one with the mapping's columns.",
            wanted=wanted,
            sheet=candidates[0],
        )
        return candidates[0], (note,)
    raise SourceError(
        _(
            "{file} has no sheet “{sheet}”. It has: {names}. Name one of them as source.sheet.",
            file=file,
            sheet=wanted,
            names=", ".join(f"“{sheet.name}”" for sheet in sheets),
        )
    )


def top_texts_of_ods(workbook: OdsWorkbook) -> TopTexts:
    """Return the function that gives the texts of a sheet's first rows."""
    return lambda name: _top_of(iter(read_rows(workbook, name, _TOP_ROWS)[0]))


def top_texts_of(snapshot: Snapshot, file: str, parser: Parser = "calamine") -> TopTexts:
    """Return the function that gives the texts of a sheet's first rows."""

    def top_texts(name: str) -> list[set[str]]:
        with Parsing(snapshot, file, name, parser) as parsing:
            return _top_of(iter(parsing.finish()))

    return top_texts


def _top_of(batches: Iterator[Any]) -> list[set[str]]:
    """Return the texts of the first rows of what was read of a sheet."""
    next(batches)  # the facts about the sheet as a whole
    columns, _facts = next(batches, ([], []))
    return [set(map(str, cells)) for cells in zip(*(column[:_TOP_ROWS] for column in columns), strict=True)]


def _layout_notes(grid: WorkbookGrid | RereadGrid, facts: SheetFacts, options: TableOptions) -> tuple[str, ...]:
    """Return sentences about hidden columns, merged cells and links."""
    notes = []
    if facts.hidden_columns:
        notes.append(
            ngettext("{count} hidden column is read.", "{count} hidden columns are read.", facts.hidden_columns)
        )
    if grid.merges and options.merged == "first" and is_on_page():
        notes.append(
            ngettext(
                "{count} merged range keeps its value in its first cell.",
                "{count} merged ranges keep their value in their first cell.",
                grid.merges,
            )
        )
    elif grid.merges and options.merged == "first":
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
                "{count} cell is a link: its text is read, or its target where it has no text.",
                "{count} cells are links: their text is read, or their target where they have no text.",
                links,
            )
        )
    return tuple(notes)


def _formulas_note(empty: int) -> tuple[str, ...]:
    """Return the sentence about formulas of which the file does not say whether they were ever calculated."""
    if not empty:
        return ()
    return (
        ngettext(
            "{count} formula of the sheet shows nothing. If it should, the program that wrote the file does not"
            " calculate: open the file in Excel, wait until it has calculated, and save it.",
            "{count} formulas of the sheet show nothing. If they should, the program that wrote the file does not"
            " calculate: open the file in Excel, wait until it has calculated, and save it.",
            empty,
        ),
    )
