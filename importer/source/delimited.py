"""Read CSV files and their relatives: records with the row number that Excel shows when it opens the same file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from importer.errors import SourceError
from importer.files import LONGEST_CELL, LONGEST_RECORD, MOST_COLUMNS
from importer.messages import _
from importer.model import Cell, Fault, TableOptions
from importer.source.encoding import detect_encoding
from importer.source.snapshot import Snapshot
from importer.source.table import Block

_CANDIDATES = (",", ";", "\t", "|")
_DECLARED = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)
_SAMPLE_LINES = 400
_SAMPLE_CHARACTERS = 4 << 20  # of these lines, each of which is cut by four separators
_END = "\ufdd0"  # a noncharacter as the last line: if it is in one record with other text, a quote was left open
# In place of bytes that are not in the encoding: not a character of any text, unlike U+FFFD, which files may contain.
_UNDECODABLE = "\ufdd1"
_ROWS_BATCH_SIZE = 1_000
_CELLS_BATCH_SIZE = 1_000_000

# The csv module has this limit for the whole process; its default is less than a description may have.
csv.field_size_limit(LONGEST_CELL)

_MARK_UNDECODABLE = "case-importer.undecodable"
codecs.register_error(_MARK_UNDECODABLE, lambda error: (_UNDECODABLE, error.end))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text table: its bytes, their encoding, and what separates its cells.

    `declared` is whether the first line is `sep=…`, which Excel applies and does not count as a row.
    """

    snapshot: Snapshot
    name: str
    encoding: str
    delimiter: str
    declared: bool

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:  # noqa: ARG002 - text merges no cells
        """Yield all records, numbered from 1, blank ones included.

        If a row is wider than any table, the rest of it is one more cell. A cell with bytes that are not in the
        encoding is a Fault. Raises SourceError where a quote is left open or a row is too long.
        """
        number = 1
        for records in self._records():
            columns = [_checked_column(column) for column in zip_longest(*records, fillvalue="")]
            yield Block(range(number, number + len(records)), columns, [*map(len, records)])
            number += len(records)

    def _records(self) -> Iterator[list[list[str]]]:
        """Yield the records in batches, smaller ones where a record is so wide that padding the others takes memory."""
        complete = widest = 0
        batch: list[list[str]] = []
        with self._text() as text:
            if self.declared:
                text.readline()
            lines = _BoundedLines(text)
            try:
                for record in map(_bounded, csv.reader(lines, delimiter=self.delimiter)):
                    if record and record[-1].endswith(_END):
                        break
                    lines.length = 0
                    widest = max(widest, len(record))
                    if batch and (len(batch) == _ROWS_BATCH_SIZE or widest * len(batch) > _CELLS_BATCH_SIZE):
                        yield batch
                        batch, widest = [], len(record)
                    batch.append(record)
                    complete += 1
            except csv.Error as error:
                raise self._open_quote(complete + 1) from error
            except _TooLong as error:
                raise self._too_long(complete + 1) from error
        if record != [_END]:
            raise self._open_quote(complete + 1)
        if batch:
            yield batch

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self.snapshot.open(), self.encoding, errors=_MARK_UNDECODABLE, newline="")

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
    with io.TextIOWrapper(snapshot.open(), encoding, errors=_MARK_UNDECODABLE, newline="") as text:
        lines = list(_sample(text))
    declared = _DECLARED.match(lines[0]) if lines else None
    delimiter = _wanted_delimiter(options.delimiter) or (declared[1] if declared else _likeliest(lines))
    return Delimited(snapshot, name, encoding, delimiter, declared is not None)


def _bounded(record: list[str]) -> list[str]:
    """Return a record; the cells beyond the widest table become one, so that no text is lost without an issue."""
    if len(record) <= MOST_COLUMNS:
        return record
    return [*record[:MOST_COLUMNS], "".join(record[MOST_COLUMNS:])]


class _TooLong(Exception):
    """A row has more characters than any row of a table."""


class _BoundedLines:
    """The lines of a text, then `_END`; raises `_TooLong` where the lines of one row are too long together.

    `length` is the length of the current row so far; the reader sets it to 0 at the end of each row.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.length = 0
        self._text = text

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_RECORD):
            self.length += len(line)
            if self.length >= LONGEST_RECORD:
                raise _TooLong
            yield line
        yield _END


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


def _checked_column(cells: Sequence[str]) -> Sequence[Cell]:
    """Return the cells of a column, with faults in place of those whose text is not known."""
    content = "".join(cells)
    return [_checked(cell) for cell in cells] if _UNDECODABLE in content or "\0" in content else cells


def _checked(cell: str) -> Cell:
    """Return the cell, or a Fault where some of its bytes could not be decoded or are not text."""
    if _UNDECODABLE in cell:
        return Fault(
            cell.replace(_UNDECODABLE, "\ufffd"),
            "undecodable",
            _("some of the characters are not in the file's encoding"),
            _("save the file as “CSV UTF-8”, or name its encoding as source.encoding"),
        )
    if "\0" in cell:
        return Fault(
            cell,
            "nul-character",
            _("the cell contains a NUL character, as damaged files do"),
            _("type the value again, or export the table again"),
        )
    return cell


def _likeliest(lines: list[str]) -> str:
    """Return the candidate that gives most rows the same number of cells, of equally good ones the one with more."""

    def agreement(delimiter: str) -> float:
        widths = Counter(_widths(lines, delimiter))
        if not widths:
            return 0.0
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return count / widths.total() * (1 - 1 / width)

    return max(_CANDIDATES, key=agreement)


def _widths(lines: Iterable[str], delimiter: str) -> Iterator[int]:
    """Yield the number of cells of each record that is not blank."""
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            if any(cell.strip() for cell in record):
                yield len(record)
    except csv.Error:
        return
