"""One look at the records of an XLS sheet: what formats show, errors, hidden rows and columns.

The records are those of Excel 97 to 2003 (BIFF8, published by Microsoft as [MS-XLS]); older ones are not looked into.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer.source.formats import BUILT_IN, REGIONAL, NumberFormat, telling
from importer.source.overrides import ERROR, Fact, SheetFacts

# MERGED importer.source.xls: The compound file in which older Office keeps its streams; only as much of it as reading one stream takes.

_NO_SECTOR = 0xFFFFFFFA  # from here on, a number names no sector
_HEADER = 512
_ENTRY = 128


class CompoundFile:
    """The streams of a compound file by name.

    Raises ValueError where the file is not what it says. No more is ever read than the file's own size.
    """

    def __init__(self, content: bytes) -> None:
        """Read the table of sectors and the directory."""
        if len(content) < _HEADER:
            raise ValueError("too short for a compound file")
        self._content = content
        self._size = 1 << (_short(content, 30) & 15)
        self._next = _numbers(b"".join(self._sector(sector) for sector in self._sectors_of_table()))
        directory = self._chain(_long(content, 48))
        self._entries = {
            _name(directory[at:]): (_long(directory, at + 116), _long(directory, at + 120))
            for at in range(0, len(directory) - _ENTRY + 1, _ENTRY)
        }

    def stream(self, name: str) -> bytes | None:
        """Return the bytes of a stream, None where there is none of that name."""
        if name not in self._entries:
            return None
        start, length = self._entries[name]
        if length >= _long(self._content, 56):
            return self._chain(start)[:length]
        small_size = 1 << (_short(self._content, 32) & 15)
        small = self._chain(self._entries["Root Entry"][0])
        sectors = _follow(start, _numbers(self._chain(_long(self._content, 60))))
        return b"".join(small[at * small_size :][:small_size] for at in sectors)[:length]

    def _sectors_of_table(self) -> Iterator[int]:
        """Yield the sectors of the table of sectors: the header names 109, a chain of its own the others."""
        yield from (sector for sector in _numbers(self._content[76:_HEADER]) if sector < _NO_SECTOR)
        sector = _long(self._content, 68)
        for _each in range(len(self._content) // self._size):
            if sector >= _NO_SECTOR:
                return
            *named, sector = _numbers(self._sector(sector)) or (_NO_SECTOR,)
            yield from (each for each in named if each < _NO_SECTOR)

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(sector) for sector in _follow(start, self._next))

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self._size
        return self._content[at : at + self._size]


def _follow(sector: int, following: Sequence[int]) -> Iterator[int]:
    """Yield a chain of sectors; raises ValueError where it leads in a circle or out of the file."""
    for _each in range(len(following) + 1):
        if sector >= _NO_SECTOR:
            return
        if sector >= len(following):
            break
        yield sector
        sector = following[sector]
    raise ValueError("a chain of sectors leads nowhere")


def _name(entry: bytes) -> str:
    length = min(_short(entry, 64), 64)
    return entry[: max(length - 2, 0)].decode("utf-16-le", "replace")


def _numbers(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])


def _short(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "little")


def _long(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "little")


# MERGED importer.source.xls: One look at the records of an XLS sheet: what formats show, errors, hidden rows and columns.

_FORMULA, _END, _DATE_MODE, _LOCKED, _COLUMN, _SHEET = 0x0006, 0x000A, 0x0022, 0x002F, 0x007D, 0x0085
_SEVERAL_SHORT, _STYLE, _NUMBER, _TRUTH_OR_ERROR, _ROW = 0x00BD, 0x00E0, 0x0203, 0x0205, 0x0208
_SHORT_NUMBER, _FORMAT, _BEGIN = 0x027E, 0x041E, 0x0809
_EXCEL_97 = 0x0600
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: the facts of the sheet, the formats of cell styles, those shown by region, and the epoch."""

    facts: SheetFacts
    formats: tuple[NumberFormat | None, ...]
    regional: frozenset[int]
    since_1904: bool


def scan(content: bytes, sheet: str) -> Look | None:
    """Return what the records of a sheet tell, None where they are older than Excel 97 or cannot be followed."""
    try:
        stream = CompoundFile(content).stream("Workbook")
        return _look(stream, sheet) if stream else None
    except (ValueError, IndexError, KeyError, struct.error):
        return None  # whether the file can be used at all is for the parser of its rows to say


def needs_password(content: bytes) -> bool:
    """Return whether the records of an XLS file are encrypted, of whatever age they are."""
    try:
        file = CompoundFile(content)
        stream = file.stream("Workbook") or file.stream("Book") or b""
        return any(kind == _LOCKED for kind, _data in _records(stream, 0))
    except (ValueError, IndexError, KeyError, struct.error):
        return False  # what else is wrong with the file is for the parser of its rows to say


def _look(stream: bytes, sheet: str) -> Look | None:
    """Read the records that hold for the whole workbook, and then those of the sheet."""
    codes = dict(BUILT_IN)
    numbers: list[int] = []
    since_1904 = False
    start = None
    for kind, data in _records(stream, 0):
        if kind == _BEGIN and struct.unpack_from("<H", data)[0] != _EXCEL_97:
            return None
        if kind == _DATE_MODE:
            since_1904 = data[0] == 1
        elif kind == _FORMAT:
            codes[struct.unpack_from("<H", data)[0]] = _text(data[4:], struct.unpack_from("<H", data, 2)[0])
        elif kind == _STYLE:
            numbers.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == _SHEET and _text(data[7:], data[6]) == sheet:
            start = struct.unpack_from("<I", data)[0]
    if start is None:
        return None
    formats = tuple(telling(codes.get(number, "General")) for number in numbers)
    regional = {
        style for style, number in enumerate(numbers) if number in REGIONAL and codes[number] == BUILT_IN[number]
    }
    return Look(_facts(stream, start, formats), formats, frozenset(regional), since_1904)


def _facts(stream: bytes, start: int, formats: tuple[NumberFormat | None, ...]) -> SheetFacts:
    """Return the facts of the sheet whose records begin at `start`; rows may come in any order."""
    facts = SheetFacts()
    rows: dict[int, list[Fact]] = {}
    for kind, data in _records(stream, start):
        if kind == _ROW:
            if data[12] & 0x20:
                facts.hidden.add(struct.unpack_from("<H", data)[0] + 1)
        elif kind == _COLUMN:
            first, last = struct.unpack_from("<HH", data)
            facts.hidden_columns += (last - first + 1) if data[8] & 1 else 0
        else:
            for row, column, style, value in _values(kind, data):
                if isinstance(value, str):
                    rows.setdefault(row, []).append((row + 1, column, ERROR, value))
                elif formats[style] is not None:
                    rows.setdefault(row, []).append((row + 1, column, style, repr(value)))
    for row in sorted(rows):
        facts.add(rows[row])
    return facts


def _values(kind: int, data: bytes) -> Iterator[tuple[int, int, int, float | str]]:
    """Yield row, column, style, and the number or the error, of each cell in a record that holds such."""
    if kind == _NUMBER:
        yield struct.unpack_from("<HHHd", data)
    elif kind == _SHORT_NUMBER:
        row, column, style, short = struct.unpack_from("<HHHI", data)
        yield row, column, style, _unpacked(short)
    elif kind == _SEVERAL_SHORT:
        row, first = struct.unpack_from("<HH", data)
        for at, (style, short) in enumerate(struct.iter_unpack("<HI", data[4:-2])):
            yield row, first + at, style, _unpacked(short)
    elif kind == _TRUTH_OR_ERROR:
        row, column, style, code, is_error = struct.unpack_from("<HHHBB", data)
        if is_error:
            yield row, column, style, _ERRORS.get(code, "#ERROR")
    elif kind == _FORMULA:
        row, column, style = struct.unpack_from("<HHH", data)
        if data[12:14] != b"\xff\xff":
            yield row, column, style, struct.unpack_from("<d", data, 6)[0]
        elif data[6] == 2:
            yield row, column, style, _ERRORS.get(data[8], "#ERROR")


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records from `start` to the end that closes it, those of charts within left out."""
    depth = 0
    at = start
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == _BEGIN:
            depth += 1
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + length]
        if kind == _END:
            depth -= 1
            if depth == 0:
                return
        at += 4 + length


def _unpacked(short: int) -> float:
    """Return a number that is kept in 30 bits: an integer or the upper half of a float, perhaps times a hundred."""
    if short & 2:
        value: float = (short >> 2) - (1 << 30 if short >> 31 else 0)
    else:
        value = struct.unpack("<d", struct.pack("<II", 0, short & 0xFFFFFFFC))[0]
    return value / 100 if short & 1 else value


def _text(data: bytes, length: int) -> str:
    """Return a string whose first byte tells whether its characters are two bytes wide."""
    if data[0] & 1:
        return data[1 : 1 + 2 * length].decode("utf-16-le")
    return data[1 : 1 + length].decode("latin-1")
