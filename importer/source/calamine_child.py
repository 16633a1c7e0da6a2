"""The program of the child process that parses a workbook: bytes come in, pickled values go out.

    python calamine_child.py SHEET MEMORY_LIMIT MOST_ROWS MOST_COLUMNS LONGEST_CELL      < workbook    > pickles

SHEET is a name as JSON, since a name may hold what a command line cannot. Where it is `null`, the only value is a list
of (name, whether it is a worksheet, whether it is visible). Of a sheet, the first value is the list of merged ranges,
((top, left), (bottom, right)) counted from 0, or None where the format does not tell; then follow some rows at a time,
from Excel's row 1 on, as lists of their columns from A on. The program imports nothing of ours, so that it starts at
once. Exit status: 0 done, 3 a password is needed, 4 the limit was reached, 5 more columns than a sheet has, 6 more
rows, 7 a cell longer than any; anything else is a file that is damaged.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
from collections.abc import Iterable
from itertools import islice

from python_calamine import CalamineWorkbook, PasswordError, SheetMetadata, SheetTypeEnum, SheetVisibleEnum

ROWS_BATCH_SIZE = 1000
MOST_CELLS = 50_000_000  # from A1 to the last one that is filled
PASSWORD, TOO_LARGE, TOO_WIDE, TOO_TALL, TOO_LONG = 3, 4, 5, 6, 7


class TooWide(Exception):
    """A sheet has more columns than any program could show."""


class TooTall(Exception):
    """A sheet has more rows than any program could show."""


class TooLong(Exception):
    """A cell holds more text than any."""


def main(sheet: str | None, limit: int, *bounds: int) -> int:
    """Parse the workbook on standard input within `limit` bytes of memory, and return the exit status."""
    limit_memory(limit)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        if sheet is None:
            send([describe(entry) for entry in book.sheets_metadata])
        else:
            send_rows(book, sheet, *bounds)
    except PasswordError:
        return PASSWORD
    except TooWide:
        return TOO_WIDE
    except TooTall:
        return TOO_TALL
    except TooLong:
        return TOO_LONG
    except MemoryError:
        return TOO_LARGE
    return 0


def limit_memory(limit: int) -> None:
    """Have the system refuse more than `limit` bytes; Windows has no such limit, its commit limit has to do."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Unix alone has it

        _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def describe(entry: SheetMetadata) -> tuple[str, bool, bool]:
    """Return a sheet's name, whether it is a worksheet, and whether it is visible."""
    return entry.name, entry.typ == SheetTypeEnum.WorkSheet, entry.visible == SheetVisibleEnum.Visible


def send_rows(book: CalamineWorkbook, name: str, most_rows: int, most_columns: int, longest_cell: int) -> None:
    """Send the merged ranges of a sheet, then its rows in lists; raises MemoryError for more cells than are read."""
    sheet = book.get_sheet_by_name(name)
    if sheet.total_width > most_columns:
        raise TooWide
    if sheet.total_height > most_rows:
        raise TooTall
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise MemoryError
    send(sheet.merged_cell_ranges)
    margin = sheet.start[1] if sheet.start else 0
    rows = sheet.iter_rows()
    while some := list(islice(rows, ROWS_BATCH_SIZE)):
        columns = (shared(column, longest_cell) for column in zip(*some, strict=True))
        send([*([""] * len(some) for _ in range(margin)), *columns])


def shared(column: Iterable[object], longest: int) -> list[object]:
    """Return the values of a column, equal texts as one object: their pickle is smaller, and sooner read."""
    known: dict[str, str] = {}
    values = [known.setdefault(value, value) if isinstance(value, str) else value for value in column]
    if max(map(len, known), default=0) > longest:
        raise TooLong
    return values


def send(value: object) -> None:
    """Write one pickle."""
    pickle.dump(value, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), *map(int, sys.argv[2:])))
