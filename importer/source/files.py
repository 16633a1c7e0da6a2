"""Open a spreadsheet of any kind as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from importer.errors import SourceError
from importer.files import MOST_COLUMNS, open_ordinary
from importer.messages import _, ngettext
from importer.model import Cell, TableOptions
from importer.source.delimited import Delimited, open_delimited
from importer.source.header import find_header, name_columns, no_header
from importer.source.kind import Kind, sniff
from importer.source.readers import Reading, Sheet, begin_ods, begin_xls, begin_xlsb, begin_xlsx
from importer.source.snapshot import Snapshot
from importer.source.table import Grid, Ragged, Table

_DEFAULTS = TableOptions()
_DELIMITER_NAMES = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("vertical bar")}


def open_table(path: Path, options: TableOptions = _DEFAULTS) -> Table:
    """Return the table in the spreadsheet at `path`, which is read once and may stay open in Excel.

    Raises SourceError with a remedy where the file, the sheet or the header is not there or cannot be read.
    """
    return begin_table(path, options)()


def begin_table(path: Path, options: TableOptions = _DEFAULTS) -> Callable[[], Table]:
    """Begin to open a table and return the rest of it, to be called once: both raise as `open_table` does.

    A workbook is parsed by another process from here on, so that its caller has time for something else.
    """
    snapshot = _read(path)
    read = _begin(snapshot, path.name, options)
    return lambda: _table(path, options, snapshot.digest, read())


def _begin(snapshot: Snapshot, file: str, options: TableOptions) -> Reading:
    kind, package = sniff(snapshot, file)
    if package is not None and kind is Kind.XLSX:
        return begin_xlsx(snapshot, package, file, options)
    if package is not None and kind is Kind.ODS:
        return begin_ods(snapshot, package, file, options)
    if kind is Kind.TEXT:
        text = open_delimited(snapshot, file, options)
        return lambda: Sheet(None, text, frozenset(), _text_notes(text, options))
    begin = begin_xls if kind is Kind.XLS else begin_xlsb
    return begin(snapshot, file, options)


def _read(path: Path) -> Snapshot:
    """Return the bytes of the file, read once. Raises SourceError where there is no file to read."""
    if path.name.startswith(("~$", ".~lock.")):
        raise SourceError(
            _(
                "{file} is not a spreadsheet but the mark that an open program leaves beside one. Name the file without"
                " that beginning.",
                file=path.name,
            )
        )
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
                reason=error.strerror or error,
            )
        ) from error


def _table(path: Path, options: TableOptions, digest: str, sheet: Sheet) -> Table:
    """Find the header, name the columns, and look once over all rows."""
    from importer.source.table import read_body  # noqa: PLC0415 - pandas is slow to import, and not needed to begin

    grid = sheet.grid
    header_row, headers = _header(path.name, sheet.name, grid, options)
    ragged = Ragged(len(headers)) if isinstance(grid, Delimited) else None
    body = read_body(grid.blocks(header_row if options.merged == "fill" else None), header_row, sheet.hidden, ragged)
    columns, made_up = name_columns(headers, body.with_data)
    hidden = frozenset(row for row in sheet.hidden if row > header_row) if options.hidden == "skip" else frozenset()
    found = _found_notes(header_row if options.header_row is None else 1, body.hidden if hidden else 0)
    if body.rows == 0:
        found.append(_("There is a header in row {row} and no row below it.", row=header_row))
    return Table(
        path=path,
        sheet=sheet.name,
        header_row=header_row,
        columns=tuple(columns.values()),
        digest=digest,
        rows=body.rows,
        hidden=hidden,
        notes=(*sheet.notes, *found, *made_up, *body.notes),
        issues=body.issues,
        _frames=body.frames(columns),
    )


def _found_notes(header_row: int, hidden: int) -> list[str]:
    """Return sentences about a header that is not in row 1 and about rows that are skipped."""
    notes = []
    if header_row > 1:
        notes.append(_("The header was found in row {row}.", row=header_row))
    if hidden:
        notes.append(
            ngettext(
                "{count} hidden or filtered row is skipped (source.hidden: include reads it).",
                "{count} hidden or filtered rows are skipped (source.hidden: include reads them).",
                hidden,
            )
        )
    return notes


def _header(file: str, sheet: str | None, grid: Grid, options: TableOptions) -> tuple[int, Sequence[Cell]]:
    """Return the header's row number and its cells, as asked for or found."""
    wanted = options.header_row or find_header(_rows(grid))
    if wanted is None:
        raise no_header(file, sheet)
    headers = next((cells for number, cells in _rows(grid) if number == wanted), ())
    if not any(str(cell).strip() for cell in headers):
        raise SourceError(
            _("{file} has nothing in row {row}, which source.header_row names as the header.", file=file, row=wanted)
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
    """Return the sentence that lets a person see what was guessed."""
    if options.encoding and options.delimiter:
        return ()
    return (
        _(
            "Read as {encoding} with {delimiter} between cells; source.encoding and source.delimiter overrule this.",
            encoding=text.encoding,
            delimiter=_DELIMITER_NAMES.get(text.delimiter, text.delimiter),
        ),
    )
