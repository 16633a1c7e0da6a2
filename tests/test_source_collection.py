"""Every workbook of the collection equals what LibreOffice shows of it, whose CSV is beside it."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from source_support import WORKBOOKS, open_table, rows_of

from importer.model import Cell, Fault, Typed

SHOWN = sorted(WORKBOOKS.glob("*.*.csv"))
# Where LibreOffice differs from our rules, by what we read: it rounds into the next day, does not show the target of a
# link, reads an ISO date as a number, and writes a boolean into XLS as a number.
PARTED = {
    "2024-01-01 23:59:59": "2024-01-02 00:00:00",
    "https://example.com/dos": "",
    "2024-02-29": "45351",
    "TRUE": "1",
}


def agrees(cell: Cell, shown: str) -> bool:
    """Return whether a cell is what LibreOffice shows, thousands separators and currency signs of numbers aside."""
    text = str(cell)
    if shown in (text, PARTED.get(text)):
        return True
    if isinstance(cell, Fault):
        return cell.code == "formula-without-result"
    return isinstance(cell, Typed) and Decimal(text) == Decimal(shown.replace(",", "").replace("$", ""))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_what_libreoffice_shows_is_what_is_read(path: Path) -> None:
    """Cell by cell and row by row, what is read is what LibreOffice shows."""
    table = open_table(path.with_suffix(""))
    with path.open(encoding="utf-8", newline="") as file:
        shown = {
            number: row for number, row in enumerate(csv.reader(file), 1) if number > table.header_row and any(row)
        }
    rows = rows_of(table)
    assert set(rows) >= set(shown)
    for number, cells in rows.items():
        expected = shown.get(number, [])
        wrong = [(number, cell, text) for cell, text in zip(cells, expected, strict=False) if not agrees(cell, text)]
        assert wrong == []
