"""The program of the child process that parses a workbook by calamine: bytes come in, pickled values go out.

    python calamine_child.py SHEET MEMORY_LIMIT MOST_ROWS MOST_COLUMNS LONGEST_CELL      < workbook    > pickles

SHEET is a name as JSON, since a name may contain what a command line cannot. Where it is `null`, the only value is a
list of (name, whether it is visible), one entry for each worksheet. For a sheet, the first value is a dictionary:
`merged` has its merged ranges, ((top, left), (bottom, right)) counted from 0, or None where the format does not say.
Then follow the rows in batches, from Excel's row 1 on: a list of the columns from A on, and a list of facts about
single cells (`importer.source.overrides.Fact`), which is empty here.

The program imports nothing of the importer, so that it starts quickly. Exit status: 0 done, 3 a password is needed,
4 the memory limit was reached, 5 too many columns, 6 too many rows, 7 a cell is too long; any other status means that
the parser cannot read the file, and the last line on standard error says why.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
from collections.abc import Iterable
from itertools import islice

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

ROWS_BATCH_SIZE = 1000
MOST_CELLS = 50_000_000  # in the rectangle from A1 to the last filled cell
PASSWORD, TOO_LARGE, TOO_WIDE, TOO_TALL, TOO_LONG = 3, 4, 5, 6, 7


class BeyondBound(Exception):
    """The sheet exceeds a bound; `status` is the exit status that says which."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def main(sheet: str | None, limit: int, *bounds: int) -> int:
    """Parse the workbook on standard input within `limit` bytes of memory, and return the exit status."""
    limit_memory(limit)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        if sheet is None:
            worksheets = [entry for entry in book.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet]
            send([(entry.name, entry.visible == SheetVisibleEnum.Visible) for entry in worksheets])
        else:
            send_rows(book, sheet, *bounds)
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


def send_rows(book: CalamineWorkbook, name: str, most_rows: int, most_columns: int, longest_cell: int) -> None:
    """Send the merged ranges of a sheet, then its rows in batches; raises BeyondBound where it exceeds a bound."""
    sheet = book.get_sheet_by_name(name)
    if sheet.total_width > most_columns:
        raise BeyondBound(TOO_WIDE)
    if sheet.total_height > most_rows:
        raise BeyondBound(TOO_TALL)
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise BeyondBound(TOO_LARGE)
    send({"merged": sheet.merged_cell_ranges})
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


def send(value: object) -> None:
    """Write one pickle."""
    pickle.dump(value, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), *map(int, sys.argv[2:])))
