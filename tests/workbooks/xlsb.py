"""Write a small XLSB workbook record by record, by [MS-XLSB]; LibreOffice reads this format but cannot write it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

Value = str | float | bool

ROW, NUMBER_FORMAT, STYLE = 0, 44, 47
TRUTH, NUMBER, TEXT = 4, 5, 6
BEGIN_SHEET, END_SHEET, BEGIN_BOOK, END_BOOK = 129, 130, 131, 132
BEGIN_SHEETS, END_SHEETS, BEGIN_ROWS, END_ROWS, USED, SHEET = 143, 144, 145, 146, 148, 156
BEGIN_STYLES, END_STYLES, BEGIN_FORMATS, END_FORMATS, BEGIN_CELL_STYLES, END_CELL_STYLES = 278, 279, 615, 616, 617, 618
OWN_FORMAT = 164  # the first number for a custom format
BUILT_IN = {"mm-dd-yy": 14}  # of Excel's own formats, the one of regional dates

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.ms-excel"
XML = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
    f'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.bin" ContentType="{KIND}.sheet.'
    f'binary.macroEnabled.main"/><Override PartName="/xl/worksheets/sheet1.bin" ContentType="{KIND}.worksheet"/>'
    f'<Override PartName="/xl/styles.bin" ContentType="{KIND}.styles"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/'
    'officeDocument" Target="xl/workbook.bin"/></Relationships>',
    "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="'
    f'{OFFICE}/worksheet" Target="worksheets/sheet1.bin"/><Relationship Id="rId2" Type="{OFFICE}/styles" Target='
    '"styles.bin"/></Relationships>',
}


def write(path: Path, rows: Sequence[Sequence[Value]], formats: Sequence[str]) -> None:
    """Write rows as a workbook of one sheet; `formats` are the number formats of the columns."""
    write_sheet(path, sheet([[*enumerate(cells)] for cells in rows]), formats)


def write_styled(path: Path, rows: Sequence[Sequence[tuple[Value, str]]]) -> None:
    """Write rows of values with their number formats as a workbook of one sheet."""
    formats = list(dict.fromkeys(code for cells in rows for _value, code in cells))
    write_sheet(path, sheet([[(formats.index(code), value) for value, code in cells] for cells in rows]), formats)


def write_sheet(path: Path, content: bytes, formats: Sequence[str]) -> Path:
    """Write a workbook of one sheet with this content, and return where it is; cell styles have these formats."""
    book = (
        record(BEGIN_BOOK)
        + record(BEGIN_SHEETS)
        + record(SHEET, struct.pack("<II", 0, 1) + text("rId1") + text("Datos"))
        + record(END_SHEETS)
        + record(END_BOOK)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in XML.items():
            package.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + part)
        package.writestr("xl/workbook.bin", book)
        package.writestr("xl/styles.bin", styles(formats))
        package.writestr("xl/worksheets/sheet1.bin", content)
    return path


def styles(formats: Sequence[str]) -> bytes:
    """Return the part with a number format and a cell style for each column."""
    numbers = [BUILT_IN.get(code, OWN_FORMAT + at) for at, code in enumerate(formats)]
    own = [(number, code) for number, code in zip(numbers, formats, strict=True) if number >= OWN_FORMAT]
    named = [record(NUMBER_FORMAT, struct.pack("<H", number) + text(code)) for number, code in own]
    worn = [record(STYLE, struct.pack("<HH10xH", 0, number, 1)) for number in numbers]
    return (
        record(BEGIN_STYLES)
        + listed(BEGIN_FORMATS, named, END_FORMATS)
        + listed(BEGIN_CELL_STYLES, worn, END_CELL_STYLES)
        + record(END_STYLES)
    )


def sheet(rows: Sequence[Sequence[tuple[int, Value]]]) -> bytes:
    """Return the part with the cells, each with the number of its style."""
    used = record(USED, struct.pack("<4I", 0, len(rows) - 1, 0, len(rows[0]) - 1))
    cells = b"".join(
        row(number) + b"".join(cell(at, value, style) for at, (style, value) in enumerate(cells))
        for number, cells in enumerate(rows)
    )
    return record(BEGIN_SHEET) + used + record(BEGIN_ROWS) + cells + record(END_ROWS) + record(END_SHEET)


def sheet_of(rows: bytes, below: bytes = b"") -> bytes:
    """Return the part with records of rows, and with those that stand below them."""
    used = record(USED, struct.pack("<4I", 0, 9, 0, 1))
    return record(BEGIN_SHEET) + used + record(BEGIN_ROWS) + rows + record(END_ROWS) + below + record(END_SHEET)


def row(number: int, *, hidden: bool = False) -> bytes:
    """Return the record that begins a row, counted from 0."""
    return record(ROW, struct.pack("<IIHBB5x", number, 0, 300, 0, hidden << 4))


def cell(column: int, value: Value, style: int | None = None) -> bytes:
    """Return a cell in a style, which is that of its column unless another one is given."""
    place = struct.pack("<II", column, column if style is None else style)
    if isinstance(value, bool):
        return record(TRUTH, place + bytes([value]))
    if isinstance(value, str):
        return record(TEXT, place + text(value))
    return record(NUMBER, place + struct.pack("<d", value))


def listed(begin: int, records: Sequence[bytes], end: int) -> bytes:
    """Return records between those that begin and end their list."""
    return record(begin, struct.pack("<I", len(records))) + b"".join(records) + record(end)


def text(characters: str) -> bytes:
    """Return a text with its length."""
    return struct.pack("<I", len(characters)) + characters.encode("utf-16-le")


def record(kind: int, data: bytes = b"") -> bytes:
    """Return a record: its kind and its length in groups of seven bits, and its data."""
    head = bytes([kind]) if kind < 1 << 7 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    return head + (bytes([size]) if size < 1 << 7 else bytes([size & 0x7F | 0x80, size >> 7])) + data
