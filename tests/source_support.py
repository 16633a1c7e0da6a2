"""What the tests of the source share: the collection's folder, and tables as plain rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openpyxl import Workbook

from importer.model import Cell, TableOptions
from importer.source import Table, open_table

WORKBOOKS = Path(__file__).parent / "workbooks"


def rows_of(table: Table) -> dict[int, list[Cell]]:
    """Return the cells of every row by its number."""
    return {row: list(cells) for frame in table.frames() for row, *cells in frame.itertuples(name=None)}


def texts_of(table: Table) -> dict[int, list[str]]:
    """Return the texts of every row by its number."""
    return {row: [str(cell) for cell in cells] for row, cells in rows_of(table).items()}


def opened(name: str, **options: object) -> Table:
    """Open a workbook of the collection."""
    return open_table(WORKBOOKS / name, TableOptions(**options))  # type: ignore[arg-type]  # a test names its options


def written(path: Path, content: bytes | str) -> Path:
    """Write a file and return where it is; text is UTF-8 with its line ends as they stand."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def before_excel_97(source: Path, target: Path, most: int = -1) -> Path:
    """Copy an XLS file with the mark of Excel 95 at its parts, or at the first ones, and return the copy."""
    excel_97, excel_95 = b"\x09\x08\x10\x00\x00\x06", b"\x09\x08\x10\x00\x00\x05"
    return written(target, source.read_bytes().replace(excel_97, excel_95, most))


def saved(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    """Save rows as a workbook by openpyxl, text never as a formula, and return where it is."""
    book = Workbook()
    page = book.active
    assert page is not None
    for number, values in enumerate(rows, 1):
        for column, value in enumerate(values, 1):
            cell = page.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    book.save(path)
    return path
