"""Write a small XLS workbook of Excel 97 record by record, by [MS-XLS] and [MS-CFB], with what other programs write."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

BEGIN, END, SHEET, FONT, STYLE = 0x0809, 0x000A, 0x0085, 0x0031, 0x00E0
ROW, NUMBER, LABEL, RICH_TEXT, ERROR, FORMULA, TEXT = 0x0208, 0x0203, 0x0204, 0x00D6, 0x0205, 0x0006, 0x0207
SHARED = 0x04BC
SECTOR, FREE, LAST, OF_FAT = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
EMPTY_RESULT, TEXT_RESULT = b"\3\0\0\0\0\0\xff\xff", b"\0\0\0\0\0\0\xff\xff"


def write(path: Path, cells: Sequence[bytes], *, stream: str = "Workbook", properties: bool = False) -> Path:
    """Write records of cells as a workbook of one sheet, and return where it is.

    `stream` is what the stream of the workbook is called; `properties` adds those of the document.
    """
    fonts = b"".join(record(FONT, struct.pack("<HHHHHBBBxBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0, 0)) for _ in range(4))
    styles = record(STYLE, struct.pack("<HHH14x", 0, 0, 0xFFF5)) + record(STYLE, struct.pack("<HHH14x", 0, 0, 1))
    before = begin(5) + fonts + styles
    size = len(before) + len(sheet(0)) + len(record(END))
    content = before + sheet(size) + record(END) + begin(16) + b"".join(cells) + record(END)
    path.write_bytes(compound(stream, content, properties=properties))
    return path


def begin(part: int) -> bytes:
    """Return the record that begins the workbook (5) or a sheet (16)."""
    return record(BEGIN, struct.pack("<HHHHII", 0x0600, part, 0x0DBB, 0x07CC, 0, 6))


def sheet(at: int) -> bytes:
    """Return the record that names the sheet and says where it begins."""
    return record(SHEET, struct.pack("<IBBBB", at, 0, 0, 5, 0) + b"Datos")


def label(row: int, column: int, characters: str) -> bytes:
    """Return a cell with a text."""
    return record(LABEL, place(row, column) + text(characters))


def rich_text(row: int, column: int, characters: str) -> bytes:
    """Return a cell with a text of which a letter has another font."""
    return record(RICH_TEXT, place(row, column) + text(characters) + struct.pack("<HHH", 1, 0, 1))


def formula(row: int, column: int, result: bytes | float, *, kind: int = FORMULA, flags: int = 0) -> bytes:
    """Return a cell with the formula 1 and a stored result."""
    stored = result if isinstance(result, bytes) else struct.pack("<d", result)
    return record(kind, place(row, column) + stored + struct.pack("<HI", flags, 0) + b"\3\0\x1e\1\0")


def result_text(characters: str, kind: int = TEXT) -> bytes:
    """Return the text that is the result of the formula before."""
    return record(kind, text(characters))


def place(row: int, column: int) -> bytes:
    """Return where a cell is, and its style."""
    return struct.pack("<HHH", row, column, 1)


def text(characters: str) -> bytes:
    """Return a text with its length."""
    return struct.pack("<HB", len(characters), 1) + characters.encode("utf-16-le")


def record(kind: int, data: bytes = b"") -> bytes:
    """Return a record."""
    return struct.pack("<HH", kind, len(data)) + data


def compound(name: str, content: bytes, *, properties: bool) -> bytes:
    """Return a compound file with one stream, which is long enough for sectors of its own."""
    content = content.ljust(max(4096, -(-len(content) // SECTOR) * SECTOR), b"\0")
    sectors = len(content) // SECTOR
    chain = [OF_FAT, LAST, *range(3, sectors + 2), LAST]  # the table itself, the list of streams, the stream
    table = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    streams = [
        entry("Root Entry", 5, LAST, 0, child=1),
        entry(name, 2, 2, len(content), left=2 if properties else FREE),
    ]
    if properties:
        streams.append(entry("\5SummaryInformation", 2, LAST, 0))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 62, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, LAST, 0, LAST, 0, 0) + struct.pack("<I", FREE) * 108
    return head + table + b"".join(streams).ljust(SECTOR, b"\0") + content


def entry(name: str, kind: int, start: int, size: int, *, left: int = FREE, child: int = FREE) -> bytes:
    """Return an entry of the list of streams."""
    coded = (name + "\0").encode("utf-16-le")
    head = coded.ljust(64, b"\0") + struct.pack("<HBBIII", len(coded), kind, 1, left, FREE, child)
    return head + bytes(36) + struct.pack("<III", start, size, 0)
