"""Read CSV files and their relatives: records with the row number that Excel shows when it opens the same file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest

from importer.errors import SourceError
from importer.messages import _
from importer.model import Cell, Reread, TableOptions
from importer.source.delimited.backslashes import ESCAPED_QUOTE, Backslashes, find_backslashes
from importer.source.delimited.cells import MARK_UNDECODABLE, OddCell, TextCells
from importer.source.delimited.encoding import Encoding, detect_encoding
from importer.source.snapshot import BLOCK, Snapshot
from importer.source.table import Block
from importer.system.files import LONGEST_CELL, LONGEST_RECORD, MOST_COLUMNS

CANDIDATES = (",", ";", "\t", "|")
_DECLARED = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)
_SAMPLE_LINES = 400
_SAMPLE_CHARACTERS = 4 << 20  # of these lines, each of which is cut by four separators
_PADDING_AND_ENDS = "\0\x1a\r\n"
_PADDING = "\0\x1a"  # at the end of a file: DOS and CP/M ended texts with Ctrl-Z, some programs fill the last block
_ROWS_BATCH_SIZE = 1_000
_CELLS_BATCH_SIZE = 1_000_000

# The csv module has this limit for the whole process; its default is less than a description may have.
csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text table: its bytes, their encoding, and what separates its cells.

    `declared` is whether the first line is `sep=…`, which Excel applies and does not count as a row. `backslashes` is
    how quotation marks inside cells are written, None where they are written twice.
    """

    snapshot: Snapshot
    name: str
    encoding: Encoding
    delimiter: str
    declared: bool
    backslashes: Backslashes | None

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:  # noqa: ARG002 - text merges no cells
        """Yield all records, numbered from 1, blank ones included.

        If a row is wider than any table, the rest of it is one more cell. A cell with bytes that are not in the
        encoding is a Fault. Raises SourceError where a quote is left open or a row is too long.
        """
        number = 1
        reader = TextCells(*self.encoding)
        for records, strays in self._records():
            columns: list[Sequence[Cell]] = []
            remarks: list[OddCell] = []
            for position, texts in enumerate(zip_longest(*records, fillvalue="")):
                cells, odd = reader.column(texts, position, number)
                columns.append(cells)
                remarks += odd
            remarks += (
                OddCell(number + at, cell, "stray-quote", str(columns[cell][at])) for at, cell in strays.items()
            )
            yield Block(range(number, number + len(records)), columns, [*map(len, records)], remarks=remarks)
            number += len(records)

    def _records(self) -> Iterator[tuple[list[list[str]], dict[int, int]]]:
        """Yield the records in batches, smaller ones where a record is so wide that padding the others takes memory.

        With each batch comes, by the place of a record in it, the position of the cell whose quotation marks are wrong.
        """
        complete = widest = 0
        batch: list[list[str]] = []
        strays: dict[int, int] = {}
        with _text(self.snapshot, self.encoding) as text:
            if self.declared:
                text.readline()
            lines = _Lines(text, self.encoding)
            try:
                for record, stray in self._parsed(lines):
                    if lines.ended:
                        raise self._open_quote(complete + 1)
                    widest = max(widest, len(record))
                    if batch and (len(batch) == _ROWS_BATCH_SIZE or widest * len(batch) > _CELLS_BATCH_SIZE):
                        yield batch, strays
                        batch, strays, widest = [], {}, len(record)
                    if stray is not None:
                        strays[len(batch)] = min(stray, len(record) - 1)
                    batch.append(record)
                    complete += 1
            except csv.Error as error:
                raise self._open_quote(complete + 1) from error
            except _TooLong as error:
                raise self._too_long(complete + 1) from error
        if batch:
            yield batch, strays

    def _parsed(self, lines: _Lines) -> Iterator[tuple[list[str], int | None]]:
        """Yield the records; one that is not written strictly is read as Excel does, and its wrong cell is named.

        A record for which the lines end too early is the last one; then `lines.ended` is true.
        """
        strict = self._reader(lines.all, strict=True)
        while True:
            lines.begin_row()
            stray = None
            try:
                record = next(strict, None)
            except csv.Error:
                record = next(self._reader(chain(tuple(lines.row), lines.all)))
                stray = _stray_cell("".join(lines.row), self.delimiter)
            if record is None:
                return
            if len(record) > MOST_COLUMNS:
                record = _bounded(record)
            if self.backslashes is not None or lines.padding or lines.mark:
                record = self._with_earlier(record, lines)
            yield record, stray

    def _reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        if self.backslashes is None:
            return csv.reader(lines, delimiter=self.delimiter, strict=strict)
        prepared = map(self.backslashes.prepared, lines)
        return csv.reader(prepared, delimiter=self.delimiter, escapechar="\\", strict=strict)

    def _with_earlier(self, cells: list[str], lines: _Lines) -> list[str]:
        """Return the cells with what version 1 of the reading took from them, where it cut the row at the same places.

        That version took backslashes, byte order marks and the end of the file for text.
        """
        if not (lines.padding or lines.mark or any("\\" in line for line in lines.row)):
            return cells
        whole = [lines.mark + lines.row[0], *lines.row[1:]]
        whole[-1] += lines.padding
        records = list(csv.reader(whole, delimiter=self.delimiter))
        if len(records) != 1 or len(records[0]) != len(cells):
            return cells
        return [
            cell if cell == before else Reread(cell, before) for cell, before in zip(cells, records[0], strict=True)
        ]

    def _too_long(self, row: int) -> SourceError:
        return SourceError(
            _(
                "{file}: row {row} has more than {most:,} characters, so this is not a table: a line break is missing,"
                " or a quotation mark is never closed. Export the table again, or save it as .xlsx.",
                file=self.name,
                row=row,
                most=LONGEST_RECORD,
            )
        )

    def _open_quote(self, row: int) -> SourceError:
        return SourceError(
            _(
                "{file}: a quotation mark that opens in row {row} is never closed, so it is not known where the next"
                ' rows begin. Correct that cell (a quotation mark inside a quoted cell is written twice, ""), or save'
                " the table as .xlsx.",
                file=self.name,
                row=row,
            )
        )


def open_delimited(snapshot: Snapshot, name: str, options: TableOptions) -> Delimited:
    """Return the text table in `snapshot`; its encoding and delimiter are detected unless the options name them."""
    with snapshot.open() as file:
        encoding = detect_encoding(file, options.encoding)
    with _text(snapshot, encoding) as text:
        lines = list(_sample(text))
    declared = _DECLARED.match(lines[0]) if lines else None
    delimiter = _wanted_delimiter(options.delimiter) or (declared[1] if declared else _likeliest(lines))
    backslashes = None
    if _contains(snapshot, ESCAPED_QUOTE):
        backslashes = find_backslashes(lambda: _lines_of(snapshot, encoding, skipped=declared is not None), delimiter)
    return Delimited(snapshot, name, encoding, delimiter, declared is not None, backslashes)


def _text(snapshot: Snapshot, encoding: Encoding) -> io.TextIOWrapper:
    return io.TextIOWrapper(snapshot.open(), encoding.codec, errors=MARK_UNDECODABLE, newline="")


def _contains(snapshot: Snapshot, wanted: re.Pattern[bytes]) -> bool:
    """Return whether the pattern, of at most eight bytes, is anywhere in the snapshot."""
    end = b""
    with snapshot.open() as file:
        while block := file.read(BLOCK):
            if wanted.search(end + block):
                return True
            end = block[-8:]
    return False


def _lines_of(snapshot: Snapshot, encoding: Encoding, *, skipped: bool) -> Iterator[str]:
    """Yield the lines, without the first one where it is `skipped`."""
    with _text(snapshot, encoding) as text:
        if skipped:
            text.readline()
        yield from iter(partial(text.readline, LONGEST_RECORD), "")


def _stray_cell(row: str, delimiter: str) -> int | None:
    """Return the position of the first cell of a row in which text follows the closing quotation mark, None if none.

    Spaces there do no harm: some programs fill up the cells with them.
    """
    edge = re.escape(delimiter)
    cell = re.compile(rf'(?:"[^"]*(?:""[^"]*)*" *|[^"{edge}\r\n][^{edge}\r\n]*|)(?:{edge}|([\r\n]*\Z))')
    position = place = 0
    while found := cell.match(row, place):
        if found[1] is not None:
            return None
        position, place = position + 1, found.end()
    return position


def _bounded(record: list[str]) -> list[str]:
    """Return a record whose cells beyond the widest table are one, so that no text is lost without an issue."""
    return [*record[:MOST_COLUMNS], "".join(record[MOST_COLUMNS:])]


class _TooLong(Exception):
    """A row has more characters than any row of a table."""


class _Lines:
    """The lines of a text, in `all`; raises `_TooLong` where the lines of one row are too long together.

    `row` has the lines of the current row so far, if the reader calls `begin_row` before each; `ended` is whether a
    line was asked for after the last one, inside of a row. `mark` is the byte order mark that was left out at the
    beginning of the row, as the first row of a file has one that was joined to another; `padding` is what was left out
    at the end of the last line.
    """

    def __init__(self, text: io.TextIOWrapper, encoding: Encoding) -> None:
        self.row: list[str] = []
        self.ended = False
        self.mark = self.padding = ""
        self.all = self._read(text)
        self._marks = _marks(encoding)
        self._length = 0

    def begin_row(self) -> None:
        """Forget the lines of the row before."""
        self.row.clear()
        self.mark = ""
        self._length = 0

    def _read(self, text: io.TextIOWrapper) -> Iterator[str]:
        held: list[str] = []  # lines of nothing but padding, of which the last ones are left out
        while line := text.readline(LONGEST_RECORD):
            self._length += len(line)
            if self._length >= LONGEST_RECORD:
                raise _TooLong
            if line[0] in _PADDING and not line.strip(_PADDING_AND_ENDS):
                held.append(line)
                continue
            if line[-1] in _PADDING:  # no line but the last one ends without a line end
                whole, line = line, line.rstrip(_PADDING)
                self.padding = whole[len(line) :]
            for each in (*held, line) if held else (line,):
                if not self.row and each.startswith(self._marks):
                    each = self._without_mark(each)  # noqa: PLW2901 - the same line
                self.row.append(each)
                yield each
            held.clear()
        self.ended = True

    def _without_mark(self, line: str) -> str:
        self.mark = next(mark for mark in self._marks if line.startswith(mark))
        return line.removeprefix(self.mark)


def _marks(encoding: Encoding) -> tuple[str, ...]:
    """Return what a byte order mark is in this encoding: U+FEFF, or what an older encoding makes of that of UTF-8."""
    mark = codecs.BOM_UTF8.decode(encoding.codec, MARK_UNDECODABLE)
    return ("\ufeff",) if encoding.codec.startswith("utf") else ("\ufeff", mark)


def _sample(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the first lines of a text, enough to detect its delimiter; the last of them may be incomplete."""
    left = _SAMPLE_CHARACTERS
    for _number in range(_SAMPLE_LINES):
        line = text.readline(left)
        left -= len(line)
        if not line:
            return
        yield line
        if left <= 0:
            return


def _wanted_delimiter(delimiter: str | None) -> str | None:
    """Return the delimiter that the options name. Raises SourceError where it cannot be a delimiter."""
    if delimiter in ("tab", "\\t"):
        return "\t"
    if delimiter and (len(delimiter) > 1 or delimiter in '"\r\n\0'):
        raise SourceError(
            _(
                "source.delimiter is {delimiter}, but it must be one character, such as ; or tab.",
                delimiter=repr(delimiter),
            )
        )
    return delimiter


def _likeliest(lines: list[str]) -> str:
    """Return the candidate that gives most rows the same number of cells, of equally good ones the one with more.

    One that cuts all rows alike, the header too, is better than any that does not: other signs are inside of cells, and
    a header has few of them. The last row counts for nothing there, since it may be cut off.
    """

    def agreement(delimiter: str) -> tuple[bool, float]:
        found = list(_widths(lines, delimiter))
        if not found:
            return False, 0.0
        width, count = max(Counter(found).items(), key=lambda item: (item[1], item[0]))
        cuts_all_alike = found[0] > 1 and {*found[:-1]} == {found[0]}
        return cuts_all_alike, count / len(found) * (1 - 1 / width)

    return max(CANDIDATES, key=agreement)


def _widths(lines: Iterable[str], delimiter: str) -> Iterator[int]:
    """Yield the number of cells of each record that is not blank."""
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            if any(cell.strip() for cell in record):
                yield len(record)
    except csv.Error:
        return
