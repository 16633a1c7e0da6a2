"""The program of the child process that parses an XLS workbook by xlrd: bytes come in, pickled values go out.

    python xls_child.py SHEET MEMORY_LIMIT      < workbook    > pickles

It is used as `calamine_child.py` is, and answers in the same way, with more facts about the sheet (see `sheet_facts`)
and its cells. It reads the format of Excel 97 to 2003 only. The bounds of rows, columns and cells need no check, since
the file format has narrower ones. Like that program it imports nothing of the importer.
"""

from __future__ import annotations

import codecs
import encodings
import json
import os
import pickle
import re
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import xlrd

if TYPE_CHECKING:
    from typing_extensions import Buffer

ROWS_BATCH_SIZE = 1000
PASSWORD, TOO_LARGE = 3, 4
ERROR, NO_RESULT = -1, -2  # as in `importer.source.overrides`; a kind of fact from 0 on is a cell style
_EXCEL_97 = 80  # as xlrd numbers the versions of the format
_BOF, _EOF = 0x0809, 0x000A  # the records that begin and end a part of the workbook
_ZEROS = bytes(16)
_SHEET, _OF_CELLS = 0x0085, 0  # the record that names a sheet and says where it begins; its kind of a worksheet
_FORMULAS = (0x0006, 0x0206, 0x0406)  # those of Excel 3 and 4 are in workbooks of Excel 97, too
_TEXTS = (0x0207, 0x0007)  # of the formula before
_BETWEEN = (0x04BC, 0x0221, 0x0021, 0x0236, 0x0036, 0x0037)  # a shared formula, an array, a table of results
_NO_NUMBER = b"\xff\xff"  # the end of a result that is no number; its first byte says what it is
_TEXT_FOLLOWS, _EMPTY, _TEXT_MISSING = b"\0", b"\3", b"\3\xff"  # the last one is ours, in a byte without a meaning
_CALCULATED_ON_LOAD = 2
_PROPERTIES = "SummaryInformation".encode("utf-16-le")  # of a document, which every program writes that calculates
Place = tuple[int, int]
_WITHIN_A_PART = frozenset({
    # of the workbook as a whole: FONT, FORMAT, XF, STYLE, BOUNDSHEET, SST, EXTSST
    0x0031, 0x041E, 0x00E0, 0x0293, 0x0085, 0x00FC, 0x00FF,
    # of a sheet: DIMENSIONS, COLINFO, ROW, DBCELL, WINDOW2, SELECTION, MERGEDCELLS, HLINK
    0x0200, 0x007D, 0x0208, 0x00D7, 0x023E, 0x001D, 0x00E5, 0x01B8,
    # of cells: BLANK, MULBLANK, NUMBER, RK, MULRK, LABEL, RSTRING, LABELSST, BOOLERR, FORMULA, STRING
    0x0201, 0x00BE, 0x0203, 0x027E, 0x00BD, 0x0204, 0x00D6, 0x00FD, 0x0205, 0x0006, 0x0207,
})  # fmt: skip
_NUMBERS = (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def main(name: str | None, limit: int) -> int:
    """Parse the workbook on standard input within `limit` bytes of memory, and return the exit status."""
    limit_memory(limit)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what xlrd prints must not get between the pickles
    try:
        with output:
            answer(sys.stdin.buffer.read(), name, output)
    except xlrd.biffh.XLRDError as error:
        if "encrypted" in str(error):
            return PASSWORD
        raise
    except MemoryError:
        return TOO_LARGE
    return 0


def limit_memory(limit: int) -> None:
    """Make the system refuse more than `limit` bytes of memory. Windows has no such limit for a process."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - exists on Unix only

        _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def answer(content: bytes, name: str | None, output: BinaryIO) -> None:
    """Write the list of sheets, or the facts and the rows of one sheet.

    Raises ValueError before Excel 97, and where rows are lost by damage.
    """
    allow_split_pairs()
    with Path(os.devnull).open("w", encoding="utf-8") as silence:
        book = xlrd.open_workbook(
            file_contents=content,
            logfile=silence,
            formatting_info=True,
            on_demand=True,
            ragged_rows=True,
            ignore_workbook_corruption=True,  # sectors used twice, as some exports have them; `check_ends` sees losses
        )
        if book.biff_version < _EXCEL_97:
            raise ValueError("the workbook is older than Excel 97")
        held, end = bytes(book.mem or b""), book.base + book.stream_len
        stream = bytearray(held[book.base : end])
        parts = parts_of_sheets(stream)
        for part in parts:
            mark_missing_texts(stream, part)
        book.mem = held[: book.base] + bytes(stream) + held[end:]
        if name is None:
            check_ends(memoryview(stream))
            pickle.dump(list(list_sheets(book)), output)
            return
        sheet = book.sheet_by_name(name)
    part = parts[book.sheet_names().index(name)]
    unknown, empty = formulas_without_result(stream, part, calculated=_PROPERTIES in content)
    pickle.dump({**sheet_facts(book, sheet), "empty_formulas": empty}, output)
    styles = styles_of_texts(book)
    for first in range(0, sheet.nrows, ROWS_BATCH_SIZE):
        rows = range(first, min(first + ROWS_BATCH_SIZE, sheet.nrows))
        pickle.dump(read_rows(sheet, rows, book.datemode, styles, unknown), output, pickle.HIGHEST_PROTOCOL)


def records(stream: Buffer, at: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the place and the kind of each record from `at` on."""
    size = len(memoryview(stream))
    while at + 4 <= size:
        kind, length = struct.unpack_from("<HH", stream, at)
        yield at, kind
        at += 4 + length


def records_of_part(stream: bytearray, part: int) -> Iterator[tuple[int, int]]:
    """Yield the place and the kind of each record of the part that begins at a place."""
    depth = 0
    for at, kind in records(stream, part):
        yield at, kind
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return


def parts_of_sheets(stream: bytearray) -> list[int]:
    """Return where the part of each worksheet begins."""
    named = (at + 4 for at, kind in records_of_part(stream, 0) if kind == _SHEET)
    return [struct.unpack_from("<I", stream, at)[0] for at in named if stream[at + 5] == _OF_CELLS]


def mark_missing_texts(stream: bytearray, part: int) -> None:
    """Make the result of a formula empty where a text should follow and does not; xlrd would refuse the workbook."""
    waiting = -1
    for at, kind in records_of_part(stream, part):
        if waiting >= 0 and kind not in _TEXTS + _BETWEEN:
            stream[waiting : waiting + 2] = _TEXT_MISSING
        if kind in _FORMULAS and stream[at + 16 : at + 18] == _NO_NUMBER and stream[at + 10 : at + 11] == _TEXT_FOLLOWS:
            waiting = at + 10
        elif kind not in _BETWEEN:
            waiting = -1


def formulas_without_result(stream: bytearray, part: int, *, calculated: bool) -> tuple[frozenset[Place], int]:
    """Return the rows and columns of a sheet's formulas that have no result, and how many others show nothing.

    `calculated` says that the workbook was written by a program that calculates. Others store nothing, or zero.
    """
    unknown: set[Place] = set()
    empty = 0
    for at, kind in records_of_part(stream, part):
        if kind not in _FORMULAS:
            continue
        row, column, _style, result, flags = struct.unpack_from("<HHH8sH", stream, at + 4)
        shows_nothing = result.endswith(_NO_NUMBER) and result.startswith(_EMPTY)
        zero = result == bytes(8) and flags & _CALCULATED_ON_LOAD
        if result.startswith(_TEXT_MISSING) or (not calculated and (shows_nothing or zero)):
            unknown.add((row + 1, column))
        else:
            empty += shows_nothing
    return frozenset(unknown), empty


def check_ends(stream: memoryview) -> None:
    """Raise ValueError where a part of the workbook goes on after its end, or has zeros in place of records.

    In both cases xlrd would leave out rows without a word. Charts are parts within a sheet. What else follows the last
    part does not matter, as zeros that fill its sector.
    """
    depth = 0
    for at, kind in records(stream):
        if depth and bytes(stream[at : at + len(_ZEROS)]) == _ZEROS:
            raise ValueError("a piece of the workbook consists of zeros")
        if depth == 0 and kind != _BOF:
            if kind in _WITHIN_A_PART:
                raise ValueError("a part of the workbook goes on after its end")
            return
        depth += (kind == _BOF) - (kind == _EOF)


def allow_split_pairs() -> None:
    """Have UTF-16 decoded although a surrogate pair is cut in two.

    A text that continues in a second record may be cut inside an emoji. xlrd decodes each part by itself, and fails
    on half a pair; `joined` puts the halves together. xlrd has no setting for this, so the codec is replaced, in this
    process alone (`test_emojis_in_xls_are_whole`).
    """

    def decode(data: Buffer, errors: str = "strict", /) -> tuple[str, int]:
        return codecs.utf_16_le_decode(data, "surrogatepass" if errors == "strict" else errors, True)  # noqa: FBT003

    lenient = codecs.CodecInfo(codecs.utf_16_le_encode, decode, name="utf-16-le")
    codecs.unregister(encodings.search_function)
    codecs.register(lambda name: lenient if name in ("utf_16_le", "utf_16le") else None)
    codecs.register(encodings.search_function)


def joined(text: str) -> str:
    """Return a text whose surrogates are joined to pairs; half a pair becomes U+FFFD."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def list_sheets(book: xlrd.Book) -> Iterator[tuple[str, bool]]:
    """Yield each worksheet's name and whether it is visible, which xlrd knows of a sheet that it has read."""
    for at, name in enumerate(book.sheet_names()):
        yield name, book.sheet_by_index(at).visibility == 0
        book.unload_sheet(at)


def sheet_facts(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> dict[str, object]:
    """Return the facts about a sheet; rows are Excel's numbers, columns count from 0.

    `hidden` are the hidden rows, `hidden_columns` is how many columns are hidden, `links` are the rows, columns and
    targets of links, `format_ids` the number format of each cell style, `codes` those formats that the file defines,
    `styles` the styles of the sheet's numbers, `since_1904` is whether days count from 1904.
    """
    links = [((link.frowx or 0) + 1, link.fcolx, link_target(link)) for link in sheet.hyperlink_list]
    rows = map(sheet.row, range(sheet.nrows))
    return {
        "merged": [((top, left), (end - 1, right - 1)) for top, end, left, right in sheet.merged_cells],
        "hidden": [row + 1 for row, info in sheet.rowinfo_map.items() if info.hidden],
        "hidden_columns": sum(bool(info.hidden) for info in sheet.colinfo_map.values()),
        "links": [(row, column, target) for row, column, target in links if target],
        "format_ids": [style.format_key for style in book.xf_list],
        "codes": {known.format_key: known.format_str for known in book.format_list},
        "styles": {cell.xf_index for row in rows for cell in row if cell.ctype in _NUMBERS},
        "since_1904": book.datemode == 1,
    }


def link_target(link: xlrd.sheet.Hyperlink) -> str:
    """Return where a link leads, empty where it does not say."""
    target = link.url_or_path or link.textmark or ""
    return target.decode("cp1252", "replace") if isinstance(target, bytes) else target


def styles_of_texts(book: xlrd.Book) -> set[int]:
    """Return the cell styles whose number formats may show a text otherwise: those with a section for texts."""
    codes = {style: book.format_map[xf.format_key].format_str for style, xf in enumerate(book.xf_list)}
    return {style for style, code in codes.items() if code.count(";") > 2 or ("@" in code and code.strip() != "@")}


def read_rows(
    sheet: xlrd.sheet.Sheet,
    numbers: range,
    datemode: Literal[0, 1],
    styles: Collection[int],
    unknown: frozenset[Place],
) -> tuple[list[list[object]], list[tuple[int, int, int, str]]]:
    """Return some rows as columns of values, and the facts about their cells.

    These are errors, formulas without a result, which are at the places `unknown`, numbers with their style, and texts
    with one of these `styles`.
    """
    rows = [sheet.row(row) for row in numbers]
    columns: list[list[object]] = [[""] * len(rows) for _ in range(max(1, *map(len, rows)))]
    facts: list[tuple[int, int, int, str]] = []
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            columns[column][at] = value_of(cell, datemode)
            if unknown and (numbers[at] + 1, column) in unknown:
                facts.append((numbers[at] + 1, column, NO_RESULT, "="))
            elif cell.ctype in _NUMBERS:
                facts.append((numbers[at] + 1, column, cell.xf_index or 0, repr(cell.value)))
            elif cell.ctype == xlrd.XL_CELL_TEXT and cell.xf_index in styles:
                facts.append((numbers[at] + 1, column, cell.xf_index or 0, ""))
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                text = xlrd.error_text_from_code.get(int(cell.value), "#ERROR")
                facts.append((numbers[at] + 1, column, ERROR, text))
    return columns, facts


def value_of(cell: xlrd.sheet.Cell, datemode: Literal[0, 1]) -> object:
    """Return the value of a cell; the text of an error is in the facts."""
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return joined(str(cell.value))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if (
        cell.ctype == xlrd.XL_CELL_DATE and 1 <= float(cell.value) < 2_900_000
    ):  # a day that `datetime` has in both epochs
        return xlrd.xldate.xldate_as_datetime(float(cell.value), datemode)
    return cell.value if cell.ctype in _NUMBERS else ""


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), int(sys.argv[2])))
