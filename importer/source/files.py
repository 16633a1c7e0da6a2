"""Open a spreadsheet of any kind as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from importer.commands import is_on_page
from importer.errors import SourceError
from importer.messages import _, ngettext, translated
from importer.model import Cell, TableOptions
from importer.source.delimited.checks import TextChecks
from importer.source.delimited.reader import Delimited, open_delimited
from importer.source.header import name_columns, no_header
from importer.source.kind import Kind, sniff
from importer.source.known_columns import choose_header
from importer.source.layout import Layout
from importer.source.number_formats.remarks import format_notes
from importer.source.one_cell import DELIMITER_NAMES, refuse_one_cell
from importer.source.sheets import Sheet, read_sheet
from importer.source.snapshot import Snapshot
from importer.source.table import Grid, Table, read_body
from importer.source.tabs import tabs
from importer.system.causes import reason_of
from importer.system.files import MOST_COLUMNS, open_ordinary

_DEFAULTS = TableOptions()


def open_table(path: Path, options: TableOptions = _DEFAULTS) -> Table:
    """Return the table in the spreadsheet at `path`, which is read once and may stay open in Excel.

    Raises SourceError with a remedy where the file, the sheet or the header does not exist or cannot be read.
    """
    snapshot = _read(path)
    kind, package = sniff(snapshot, path.name)
    if kind is Kind.TEXT:
        text = open_delimited(snapshot, path.name, options)
        sheet = Sheet(None, text, frozenset(), _text_notes(text, options))
    else:
        sheet = read_sheet(kind, snapshot, package, path.name, options)
    return _table(path, options, snapshot.digest, sheet)


def list_tabs(path: Path) -> tuple[str, ...]:
    """Return the sheets of a workbook among which a person may choose: visible, not empty, and no report of ours.

    A text file has none. Raises SourceError as `open_table` does for a file that cannot be read.
    """
    snapshot = _read(path)
    kind, package = sniff(snapshot, path.name)
    return tabs(kind, snapshot, package, path.name)


def _read(path: Path) -> Snapshot:
    """Return the bytes of the file, read once. Raises SourceError where there is no file that can be read."""
    if path.name.startswith(("~$", ".~lock.")):
        raise SourceError(
            _(
                "{file} is not a spreadsheet but the lock file that an open program keeps beside one. Name the file"
                " without “{prefix}”.",
                file=path.name,
                prefix="~$" if path.name.startswith("~$") else ".~lock.",
            )
        )
    _refuse_unwritable_name(path)
    try:
        with open_ordinary(path) as file:
            return Snapshot(file)
    except FileNotFoundError as error:
        raise SourceError(_("There is no file {path}. Check the name and the folder.", path=path)) from error
    except IsADirectoryError as error:
        raise SourceError(_("{path} is a folder. Name the spreadsheet in it.", path=path)) from error
    except OSError as error:
        raise SourceError(
            _(
                "{path} cannot be read: {reason}. Check that you may open it and that no program locks it.",
                path=path,
                reason=reason_of(error),
            )
        ) from error


def _refuse_unwritable_name(path: Path) -> None:
    """Raise SourceError for a path that is no text: neither a journal nor a report can say which file that is."""
    try:
        str(path.absolute()).encode("utf-8")
    except UnicodeEncodeError as error:
        raise SourceError(
            _(
                "The name of {file}, or of a folder that it is in, has characters that cannot be written down. Give it"
                " another name, and open it again.",
                file=path.name,
            )
        ) from error


def _table(path: Path, options: TableOptions, digest: str, sheet: Sheet) -> Table:
    """Find the header, name the columns, and read all rows once."""
    grid = sheet.grid
    refuse_one_cell(path.name, grid, _rows(grid), options)
    header_row, headers = _header(path.name, sheet.name, grid, options)
    checks = TextChecks(header_row, headers, grid.delimiter) if isinstance(grid, Delimited) else None
    blocks = grid.blocks(header_row if options.merged == "fill" else None)
    layout = Layout(header_row, headers, is_named=options.header_row is not None)
    body = read_body(blocks, header_row, sheet.hidden, checks, layout)
    columns, name_notes = name_columns(headers, body.with_data)
    hidden = frozenset(row for row in sheet.hidden if row > header_row) if options.hidden == "skip" else frozenset()
    found = _row_notes(header_row if options.header_row is None else 1, body.hidden if hidden else 0)
    if body.rows == 0:
        found.append(_("The header is in row {row}, and there is no row below it.", row=header_row))
    return Table(
        path=path,
        sheet=sheet.name,
        header_row=header_row,
        columns=tuple(columns.values()),
        digest=digest,
        rows=body.rows,
        hidden=hidden,
        header_notes=tuple(name_notes),
        notes=(
            *(*sheet.notes, *found, *name_notes, *body.notes),
            *layout.notes(lambda at: columns.get(at, "")),
            *format_notes(sheet.remarks, columns),
        ),
        issues=body.issues,
        _frames=body.frames(columns),
    )


def _row_notes(header_row: int, hidden: int) -> list[str]:
    """Return sentences about a header that is not in row 1 and about rows that are skipped."""
    notes = []
    if header_row > 1:
        notes.append(_("The header was found in row {row}.", row=header_row))
    if hidden and is_on_page():
        notes.append(
            ngettext(
                "{count} hidden or filtered row is skipped.", "{count} hidden or filtered rows are skipped.", hidden
            )
        )
    elif hidden:
        notes.append(
            ngettext(
                "{count} hidden or filtered row is skipped (source.hidden: include reads it).",
                "{count} hidden or filtered rows are skipped (source.hidden: include reads them).",
                hidden,
            )
        )
    return notes


def _header(file: str, sheet: str | None, grid: Grid, options: TableOptions) -> tuple[int, Sequence[Cell]]:
    """Return the row number and the cells of the header: the row that the options name, or the one that is found."""
    wanted = options.header_row or choose_header(_rows(grid), options)
    if wanted is None:
        raise no_header(file, sheet)
    headers = next((cells for number, cells in _rows(grid) if number == wanted), ())
    if not any(str(cell).strip() for cell in headers):
        raise SourceError(
            _("{file}: row {row}, which source.header_row names as the header, is empty.", file=file, row=wanted)
        )
    if len(headers) > MOST_COLUMNS:
        raise SourceError(
            _(
                "{file}: the header in row {row} has more than {most:,} cells, which is more than any spreadsheet"
                " program can show. Export the columns that are needed.",
                file=file,
                row=wanted,
                most=MOST_COLUMNS,
            )
        )
    return wanted, headers


def _rows(grid: Grid) -> Iterator[tuple[int, Sequence[Cell]]]:
    return chain.from_iterable(block.rows() for block in grid.blocks())


def _text_notes(text: Delimited, options: TableOptions) -> tuple[str, ...]:
    """Return sentences that show what was detected, so that a wrong guess is seen."""
    notes = []
    if not (options.encoding and options.delimiter):
        named = {
            "encoding": text.encoding.codec,
            "delimiter": translated(DELIMITER_NAMES.get(text.delimiter, text.delimiter)),
        }
        notes.append(
            _("Read as {encoding} with {delimiter} between cells.", **named)
            if is_on_page()
            else _(
                "Read as {encoding} with {delimiter} between cells; source.encoding and source.delimiter override"
                " this.",
                **named,
            )
        )
    if text.backslashes is not None:
        notes.append(_('A quotation mark inside a cell is written \\" in this file, and is read as one.'))
    return tuple(notes)
