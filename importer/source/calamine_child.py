"""The program of the child process that parses a workbook by calamine: bytes come in, pickled values go out.

    python calamine_child.py SHEET MEMORY_LIMIT MOST_ROWS MOST_COLUMNS LONGEST_CELL PARTS      < workbook    > pickles

SHEET is a name as JSON, since a name may contain what a command line cannot. Where it is `null`, the only value is a
list of (name, whether it is visible), one entry for each worksheet. For a sheet, the first value is a dictionary:
`merged` has its merged ranges, ((top, left), (bottom, right)) counted from 0, or None where the format does not say;
`untidy` is whether one of PARTS, a list of names as JSON, is written in a way that calamine misreads. Then follow the
rows in batches, from Excel's row 1 on: a list of the columns from A on, and a list of facts about single cells
(`importer.source.overrides.Fact`), which is empty here.

The program imports nothing of the importer, so that it starts quickly. Exit status: 0 done, 3 a password is needed,
4 the memory limit was reached, 5 too many columns, 6 too many rows, 7 a cell is too long; any other status means that
the parser cannot read the file, and the last line on standard error says why.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

ROWS_BATCH_SIZE = 1000
MOST_CELLS = 50_000_000  # in the rectangle from A1 to the last filled cell
BLOCK = 1 << 18
ROOT = re.compile(rb"<(?P<prefix>(?:[^<>:/?! ]+:)?)(?P<name>worksheet|sst)[ />\t\r\n]")
SPELLINGS = (  # each begins with a letter or sign that is rare, which makes the search fast
    rb"t(?:=(?:[\"']s[\"'](?:[^>]*[^>/])?>(?!<PREFIXv>[0-9]+<|<PREFIXf[ />]|</)|[ \t\r\n])|[ \t\r\n]+=)",
    rb"<PREFIXv(?:[ \t\r\n][^>]*)?>(?:[ \t\r\n+]|[-.0-9eE]*(?:[ \t\r\n]+<|&#)|[^<]*<[!?])",
    rb"s=[\"'](?<=[ \t\r\n]s=[\"'])(?:0[0-9]|[^0-9\"'])",
    rb"inlineStr[\"'][^<]*<PREFIXv[ >\t\r\n]",
    rb"_x[dD][89abAB][0-9a-fA-F]{2}__x[dD][c-fC-F][0-9a-fA-F]{2}_",
)
PASSWORD, TOO_LARGE, TOO_WIDE, TOO_TALL, TOO_LONG = 3, 4, 5, 6, 7


class BeyondBound(Exception):
    """The sheet exceeds a bound; `status` is the exit status that says which."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def main(  # noqa: PLR0913, PLR0917 - the command line
    sheet: str | None, limit: int, most_rows: int, most_columns: int, longest_cell: int, parts: Sequence[str]
) -> int:
    """Parse the workbook on standard input within `limit` bytes of memory, and return the exit status."""
    limit_memory(limit)
    try:
        content = io.BytesIO(sys.stdin.buffer.read())
        book = CalamineWorkbook.from_filelike(content)
        if sheet is None:
            worksheets = [entry for entry in book.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet]
            send([(entry.name, entry.visible == SheetVisibleEnum.Visible) for entry in worksheets])
        else:
            page = checked(book, sheet, most_rows, most_columns)
            send({"merged": page.merged_cell_ranges, "untidy": is_untidy(content, parts)})
            send_rows(page, longest_cell)
    except PasswordError:
        return PASSWORD
    except BeyondBound as beyond:
        return beyond.status
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


def checked(book: CalamineWorkbook, name: str, most_rows: int, most_columns: int) -> CalamineSheet:
    """Return a sheet; raises BeyondBound where it exceeds a bound."""
    sheet = book.get_sheet_by_name(name)
    if sheet.total_width > most_columns:
        raise BeyondBound(TOO_WIDE)
    if sheet.total_height > most_rows:
        raise BeyondBound(TOO_TALL)
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise BeyondBound(TOO_LARGE)
    return sheet


def send_rows(sheet: CalamineSheet, longest_cell: int) -> None:
    """Send the rows of a sheet in batches; raises BeyondBound where a cell is too long."""
    margin = sheet.start[1] if sheet.start else 0
    rows = sheet.iter_rows()
    while batch := list(islice(rows, ROWS_BATCH_SIZE)):
        columns = (shared(column, longest_cell) for column in zip(*batch, strict=True))
        send(([*([""] * len(batch) for _ in range(margin)), *columns], []))


def shared(column: Iterable[object], longest: int) -> list[object]:
    """Return the values of a column, equal texts as one object, which makes their pickle smaller and faster to read."""
    known: dict[str, str] = {}
    values = [known.setdefault(value, value) if isinstance(value, str) else value for value in column]
    if max(map(len, known), default=0) > longest:
        raise BeyondBound(TOO_LONG)
    return values


def is_untidy(workbook: io.BytesIO, parts: Sequence[str]) -> bool:
    """Return whether a part of an XLSX workbook is written in a way that calamine misreads without a word.

    XML lets a writer say one thing in many ways. Of these, calamine takes the first text for one whose number has a
    space or a sign, loses a value in CDATA, in character references or in place of an inline text, cuts one at a
    comment, leaves pairs of surrogates escaped, and reads nothing of UTF-16; our own scanner, which is fast, knows the
    number of a style in its plain form only. A part that is taken for untidy without need costs time only.
    """
    if not parts:
        return False
    with zipfile.ZipFile(workbook) as package:
        return any(is_misread(package.open(part)) for part in parts)


def is_misread(part: IO[bytes]) -> bool:
    """Return whether a sheet or the list of texts has such a spelling; looks at it block by block, in whole cells."""
    rest, block = b"", part.read(BLOCK)
    if b"\0" in block[:4]:
        raise ValueError("a part is in UTF-16")  # of which calamine reads nothing
    root = ROOT.search(block)
    if root is None:
        return True
    begin = b"<" + root["prefix"] + (b"c " if root["name"] == b"worksheet" else b"si")
    patterns = [re.compile(spelling.replace(b"PREFIX", re.escape(root["prefix"]))) for spelling in SPELLINGS]
    while block and len(rest) < 8 * BLOCK:
        rest += block
        block = part.read(BLOCK)
        end = max(0, rest.rfind(begin)) if block else len(rest)
        if any(pattern.search(rest, 0, end) for pattern in patterns):
            return True
        rest = rest[end:]
    return bool(block)


def send(value: object) -> None:
    """Write one pickle."""
    pickle.dump(value, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    sys.exit(main(*map(json.loads, sys.argv[1:])))
