"""Read CSV and its relatives: records with the row number that Excel shows when it opens the same file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import BinaryIO

from importer.errors import SourceError
from importer.files import LONGEST_CELL, LONGEST_RECORD, MOST_COLUMNS
from importer.messages import _
from importer.model import Cell, Fault, TableOptions
from importer.source.snapshot import Snapshot
from importer.source.table import Block

# MERGED importer.source.delimited: Tell how the characters of a text file are written.

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What offices save that is not Unicode: Windows, old Macs, the DOS console.
_LEGACY = ("cp1252", "mac_roman", "cp850")
_LETTERS = frozenset("áéíóúüñçàâãêôõÁÉÍÓÚÜÑÇÀÂÃÊÔÕ¿¡ºª€°")
_WELL_FORMED = re.compile(rb"(?:[\xc2-\xf4][\x80-\xbf]{1,3})+")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_SAMPLE = 1 << 20


def detect(file: BinaryIO, wanted: str | None) -> str:
    """Return the codec of the text in `file`, which is read to its end: by its mark, else UTF-8, else what offices use.

    `wanted` settles it; a name that Python does not know raises SourceError. Where most of a file is UTF-8 it is taken
    for that, although some bytes do not follow it.
    """
    head = file.read(_SAMPLE)
    marked = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
    if wanted is not None:
        return _asked_for(wanted, marked)
    return marked or _utf16_without_mark(head) or _utf8_or_older(file, head)


def _asked_for(wanted: str, marked: str | None) -> str:
    """Return the codec that was named; a mark at the file's start belongs to it and not to the first header."""
    try:
        name = codecs.lookup(wanted).name
        b"a".decode(name, "replace")  # codecs such as hex and idna are none of a whole text
    except (LookupError, ValueError) as error:
        raise SourceError(
            _(
                "Python knows no encoding {name}. Write utf-8, utf-16, cp1252 or latin-1 as source.encoding.",
                name=wanted,
            )
        ) from error
    return "utf-8-sig" if name == "utf-8" else (marked if marked == name else name)


def _utf16_without_mark(head: bytes) -> str | None:
    """Return the codec of text in which every second byte is zero, as in UTF-16 of Latin letters."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    if head[1::2].count(0) > 0.6 * pairs:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > 0.6 * pairs else None


def _utf8_or_older(file: BinaryIO, head: bytes) -> str:
    """Decide between UTF-8 and the encodings before it by all bytes of the file that are not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    foreign = bytearray()
    valid = True
    block = head
    while block:
        if valid:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                valid = False
        if len(foreign) < _SAMPLE and not block.isascii():
            foreign += b" ".join(_NOT_ASCII.findall(block)) + b" "
        block = file.read(_SAMPLE)
    try:
        decoder.decode(b"", final=valid)
    except UnicodeDecodeError:
        valid = False
    if valid:
        return "utf-8"
    pieces = bytes(foreign).split()
    if sum(bool(_WELL_FORMED.fullmatch(piece)) for piece in pieces) > len(pieces) / 2:
        return "utf-8"
    return _likeliest_encoding(bytes(foreign))


def _likeliest_encoding(foreign: bytes) -> str:
    """Return the older encoding in which most of these bytes are letters of our languages; cp1252 when they tie."""

    def letters(codec: str) -> int:
        return sum(character in _LETTERS for character in foreign.decode(codec, "replace"))

    return max(_LEGACY, key=letters)


# MERGED importer.source.delimited: Read CSV and its relatives: records with the row number that Excel shows when it opens the same file.

_CANDIDATES = (",", ";", "\t", "|")
_DECLARED = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)
_SAMPLE_LINES = 400
_SAMPLE_CHARACTERS = 4 << 20  # of these lines, each of which is cut by four separators
_END = "\ufdd0"  # a noncharacter as the last line: what stands in one record with it is a quote left open
# Stands for bytes that do not follow the encoding: no character of any text, unlike U+FFFD, which files do hold.
_UNDECODABLE = "\ufdd1"
_ROWS_BATCH_SIZE = 1_000
_CELLS_BATCH_SIZE = 1_000_000

# The limit is the csv module's own, of the whole process; its default is below what a description may hold.
csv.field_size_limit(LONGEST_CELL)

_MARK_UNDECODABLE = "case-importer.undecodable"
codecs.register_error(_MARK_UNDECODABLE, lambda error: (_UNDECODABLE, error.end))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text table: its bytes, how they are written, and what separates its cells.

    `declared` is whether the first line is `sep=`, which Excel obeys and does not count as a row.
    """

    snapshot: Snapshot
    name: str
    encoding: str
    delimiter: str
    declared: bool

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:  # noqa: ARG002 - text merges no cells
        """Yield all records, numbered from 1, blank ones included.

        Of a row that is wider than any table, what lies beyond is one cell more. A cell in which bytes did not follow
        the encoding is a Fault. Raises SourceError where a quote is left open or a row has no end within reason.
        """
        number = 1
        for records in self._records():
            columns = [_judged_all(column) for column in zip_longest(*records, fillvalue="")]
            yield Block(range(number, number + len(records)), columns, [*map(len, records)])
            number += len(records)

    def _records(self) -> Iterator[list[list[str]]]:
        """Yield the records, some at once: fewer where one is so wide that filling up the others would take room."""
        whole = widest = 0
        some: list[list[str]] = []
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
                    if some and (len(some) == _ROWS_BATCH_SIZE or widest * len(some) > _CELLS_BATCH_SIZE):
                        yield some
                        some, widest = [], len(record)
                    some.append(record)
                    whole += 1
            except csv.Error as error:
                raise self._open_quote(whole + 1) from error
            except _TooLong as error:
                raise self._too_long(whole + 1) from error
        if record != [_END]:
            raise self._open_quote(whole + 1)
        if some:
            yield some

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
                "{file}: a quotation mark that opens in row {row} is never closed, so the rows after it cannot be told"
                ' apart. Correct that cell (a quotation mark inside a quoted cell is written twice, ""), or save the'
                " table as .xlsx.",
                file=self.name,
                row=row,
            )
        )


def open_delimited(snapshot: Snapshot, name: str, options: TableOptions) -> Delimited:
    """Return the text table in `snapshot`, its encoding and delimiter found out unless the options name them."""
    with snapshot.open() as file:
        encoding = detect(file, options.encoding)
    with io.TextIOWrapper(snapshot.open(), encoding, errors=_MARK_UNDECODABLE, newline="") as text:
        lines = list(_sample(text))
    declared = _DECLARED.match(lines[0]) if lines else None
    delimiter = _named(options.delimiter) or (declared[1] if declared else _likeliest(lines))
    return Delimited(snapshot, name, encoding, delimiter, declared is not None)


def _bounded(record: list[str]) -> list[str]:
    """Return a record; where it has more cells than a table, those beyond are one, so that none is lost in silence."""
    if len(record) <= MOST_COLUMNS:
        return record
    return [*record[:MOST_COLUMNS], "".join(record[MOST_COLUMNS:])]


class _TooLong(Exception):
    """A row has no end within reason."""


class _BoundedLines:
    """The lines of a text, then `_END`; raises `_TooLong` where those of one row are too long together.

    `length` is of the row so far, and set to 0 by whoever has seen its end.
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
    """Yield the first lines of a text, as many as tell how it is cut; the last of them may be cut short."""
    left = _SAMPLE_CHARACTERS
    for _number in range(_SAMPLE_LINES):
        line = text.readline(left)
        left -= len(line)
        if not line:
            return
        yield line
        if left <= 0:
            return


def _named(delimiter: str | None) -> str | None:
    """Return the delimiter that was asked for. Raises SourceError where it is not one character that can be one."""
    if delimiter in ("tab", "\\t"):
        return "\t"
    if delimiter and (len(delimiter) > 1 or delimiter in '"\r\n\0'):
        raise SourceError(
            _(
                "source.delimiter is {delimiter}, and has to be one character, such as ; or tab.",
                delimiter=repr(delimiter),
            )
        )
    return delimiter


def _judged_all(cells: Sequence[str]) -> Sequence[Cell]:
    """Return the cells of a column, those that cannot be known as faults."""
    content = "".join(cells)
    return [_judged(cell) for cell in cells] if _UNDECODABLE in content or "\0" in content else cells


def _judged(cell: str) -> Cell:
    """Return the cell, or the Fault that it is where bytes of it are lost or foreign to text."""
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
            _("the cell holds a NUL character, as damaged files do"),
            _("type the value again, or export the table anew"),
        )
    return cell


def _likeliest(lines: list[str]) -> str:
    """Return the candidate that cuts most rows into the same number of cells, the wider cut where they tie."""

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
