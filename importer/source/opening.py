"""Open a spreadsheet of any kind as a table."""

from __future__ import annotations

from pathlib import Path

from importer.errors import SourceError
from importer.messages import _
from importer.model import TableOptions
from importer.source.calamine_process import Parsing, list_sheets
from importer.source.delimited import open_delimited
from importer.source.header import find_header, name_columns, no_header
from importer.source.sheets import choose
from importer.source.spool import Snapshot
from importer.source.table import Grid, Table, data_rows
from importer.source.workbook import WorkbookGrid


def open_table(path: Path, options: TableOptions = TableOptions()) -> Table:
    """Return the table in the spreadsheet at `path`, read once; the file may stay open in Excel.

    Raises SourceError with a remedy where the file, the sheet or the header is not there or cannot be read.
    """
    try:
        with path.open("rb") as file:
            snapshot = Snapshot(file)
    except FileNotFoundError as error:
        raise SourceError(_("There is no file {path}.", path=path)) from error
    with snapshot.open() as start:
        head = start.read(8)
    grid: Grid
    sheet = None
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        sheet = choose(path.name, list_sheets(snapshot, path.name), options.sheet, lambda name: [])
        with Parsing(snapshot, path.name, sheet) as parsing:
            grid = WorkbookGrid(parsing.finish())
    else:
        grid = open_delimited(snapshot, path.name, options)
    header_row = options.header_row or find_header(grid.rows())
    if header_row is None:
        raise no_header(path.name, sheet)
    headers = next(cells for number, cells in grid.rows() if number == header_row)
    count, with_data = 0, set()
    for _number, cells in data_rows(grid, header_row, filled=False):
        count += 1
        with_data.update(i for i, c in enumerate(cells) if i not in with_data and c)
    names, notes = name_columns(headers, frozenset(with_data))
    return Table(
        path,
        sheet,
        header_row,
        tuple(names.values()),
        snapshot.digest,
        count,
        frozenset(),
        tuple(notes),
        (),
        grid,
        tuple(names),
        options.merged == "fill",
    )
