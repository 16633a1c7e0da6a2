"""What an XLSB workbook says about itself, and what the records of a sheet say that calamine does not report.

XLSB is XLSX with records in place of XML ([MS-XLSB]). The sheet is read a second time, beside calamine, for its number
formats, errors, rich texts, hidden rows, merged cells and links.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from importer.messages import _
from importer.source.number_formats.codes import CellFormats, Shows, cell_formats
from importer.source.overrides import ERROR, TEXT, Fact, SheetFacts
from importer.source.parsing import SheetEntry
from importer.source.xlsx.workbook import Workbook
from importer.system.files import LARGEST_TREE, LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Package, damaged

# The numbers of records.
_ROW, _RK, _ERROR, _REAL, _FORMULA_NUMBER, _FORMULA_ERROR, _RICH_TEXT = 0, 2, 3, 5, 9, 11, 62
_TEXT, _SHARED_TEXT, _FORMULA_TEXT = 6, 7, 8
_FORMAT, _STYLE, _BEGIN_STYLES, _END_STYLES = 44, 47, 617, 618
_COLUMNS, _WORKBOOK, _SHEET, _MERGED, _LINK = 60, 153, 156, 176, 494

_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip
_ROW_IS_HIDDEN = 0x10
_NO_STRING = 0xFFFFFFFF

Record = tuple[int, bytes]


def read_workbook(package: Package, part: str) -> Workbook:
    """Return what the workbook part and the styles say. Raises SourceError where they are damaged."""
    relations = package.relations(part)
    styles = next((target for kind, target in relations.values() if kind == "styles"), None)
    sheets: list[SheetEntry] = []
    parts: dict[str, str] = {}
    since_1904 = False
    try:
        for number, data in _records(package, part):
            if number == _WORKBOOK:
                since_1904 = bool(data[0] & 1)
            elif number == _SHEET:
                link, end = _string(data, 8)
                name, _end = _string(data, end)
                kind, target = relations.get(link, ("", ""))
                if kind == "worksheet":
                    sheets.append(SheetEntry(name, data[0] == 0))
                    parts[name] = target
        formats = _read_styles(package, styles) if styles in package.names and styles else CellFormats()
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(package.file, str(error)) from error
    if not sheets:
        raise damaged(package.file, _("no worksheet"))
    return Workbook(tuple(sheets), parts, since_1904, formats)


def _read_styles(package: Package, part: str) -> CellFormats:
    codes: dict[int, str] = {}
    styles: list[int] = []
    of_cells = False
    for number, data in _records(package, part):
        if number == _FORMAT:
            codes[struct.unpack_from("<H", data)[0]] = _string(data, 2)[0]
        elif number in (_BEGIN_STYLES, _END_STYLES):
            of_cells = number == _BEGIN_STYLES
        elif number == _STYLE and of_cells:
            styles.append(struct.unpack_from("<H", data, 2)[0])
    return cell_formats(styles, codes)


def scan(package: Package, part: str, formats: CellFormats) -> SheetFacts:
    """Return the facts about the sheet in `part`. Raises SourceError where the sheet is damaged."""
    facts = SheetFacts()
    of_row: list[Fact] = []
    targets = {link: target for link, (_kind, target) in package.relations(part).items()}
    known = [(style, each) for style, each in enumerate(formats.by_style) if each]
    shown = {style for style, each in known if each.shows is not Shows.PLAIN or each.may_hide or each.remark}
    shown_texts = {style for style, each in known if each.text is not None}
    row = 0
    try:
        for number, data in _records(package, part):
            if number == _ROW:
                facts.add(sorted(of_row))
                of_row, row = [], _next_row(data, row)
                if data[11] & _ROW_IS_HIDDEN:
                    facts.hidden.add(row)
            elif number in _CELLS:
                of_row += _facts_of_cell(row, number, data, shown_texts if number in _TEXTS else shown)
            elif number in _LAYOUT:
                _note_layout(facts, number, data, targets)
        facts.add(sorted(of_row))
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(package.file, f"{part}: {error}") from error
    return facts


def _next_row(data: bytes, before: int) -> int:
    """Return the number of the row that begins. Raises ValueError where it is not below the one before."""
    row: int = struct.unpack_from("<I", data)[0] + 1
    if not before < row <= MOST_ROWS:
        raise ValueError(f"row {row} after row {before}")
    return row


_TEXTS = frozenset({_TEXT, _SHARED_TEXT, _FORMULA_TEXT})
_CELLS = frozenset({_RK, _ERROR, _REAL, _FORMULA_NUMBER, _FORMULA_ERROR, _RICH_TEXT}) | _TEXTS
_LAYOUT = frozenset({_COLUMNS, _MERGED, _LINK})


def _facts_of_cell(row: int, number: int, data: bytes, shown: set[int]) -> Iterator[Fact]:
    """Yield what a cell says beyond what calamine makes of it; `shown` are the styles that matter to such a cell."""
    column, style = struct.unpack_from("<II", data)
    style &= 0xFFFFFF
    if column >= MOST_COLUMNS:
        raise ValueError(f"column {column + 1}")
    if number in (_ERROR, _FORMULA_ERROR):
        yield row, column, ERROR, _ERRORS.get(data[8], "#ERROR")
    elif number == _RICH_TEXT:
        yield row, column, TEXT, _string(data, 9)[0]
    elif style in shown and number in _TEXTS:
        yield row, column, style, ""  # the parser has the text
    elif style in shown:
        value = _rk_number(data) if number == _RK else struct.unpack_from("<d", data, 8)[0]
        yield row, column, style, repr(value)


def _note_layout(facts: SheetFacts, number: int, data: bytes, targets: dict[str, str]) -> None:
    """Note hidden columns, a merged range or a link."""
    if number == _COLUMNS:
        first, last = struct.unpack_from("<II", data)
        facts.hidden_columns += (last - first + 1) * (struct.unpack_from("<H", data, 16)[0] & 1)
        return
    top, bottom, left, right = struct.unpack_from("<IIII", data)
    if number == _MERGED:
        facts.merged.append(((top, left), (bottom, right)))
        return
    link, end = _string(data, 16)
    location, _end = _string(data, end)
    if target := targets.get(link) or location:
        facts.add_link(top + 1, left, target)


def _rk_number(data: bytes) -> float:
    """Return a number that is stored in 30 bits and two that say how."""
    (stored,) = struct.unpack_from("<i", data, 8)
    value = float(stored >> 2) if stored & 2 else struct.unpack("<d", struct.pack("<q", (stored & ~3) << 32))[0]
    return value / 100 if stored & 1 else value


def _string(data: bytes, at: int) -> tuple[str, int]:
    """Return the text at a place, and the place behind it."""
    (length,) = struct.unpack_from("<I", data, at)
    if length == _NO_STRING:
        return "", at + 4
    end = at + 4 + 2 * length
    if length > LONGEST_CELL or end > len(data):
        raise ValueError(f"a text of {length} characters")
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _records(package: Package, part: str) -> Iterator[Record]:
    """Yield the number and the content of each record. Raises ValueError where one is far too long."""
    held = bytearray()
    for block in package.blocks(part):
        held += block
        at = 0
        while (found := _head(held, at)) is not None:
            number, start, length = found
            if length > LARGEST_TREE:
                raise ValueError(f"record {number} of {length} bytes")
            if start + length > len(held):
                break
            yield number, bytes(held[start : start + length])
            at = start + length
        del held[:at]


def _head(held: bytearray, at: int) -> tuple[int, int, int] | None:
    """Return a record's number, where its content begins, and its length; None where more has to be read."""
    number, at = _number(held, at, 2)
    length, at = _number(held, at, 4) if at else (0, 0)
    return (number, at, length) if at else None


def _number(held: bytearray, at: int, most: int) -> tuple[int, int]:
    """Return a number that is written in seven bits a byte, and the place behind it, 0 where it is not complete."""
    value = 0
    for place in range(most):
        if at + place >= len(held):
            return 0, 0
        byte = held[at + place]
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, at + place + 1
    return value, at + most
