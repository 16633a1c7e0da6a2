"""Read CSV and its relatives: records with the row number that Excel shows when it opens the same file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from importer.errors import SourceError
from importer.messages import _
from importer.model import Cell, Fault, TableOptions
from importer.source.encoding import detect
from importer.source.snapshot import Snapshot

_CANDIDATES = (",", ";", "\t", "|")
_DECLARED = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)
_SAMPLE_LINES = 400
_END = "\ufdd0"  # a noncharacter as the last line: what stands in one record with it is a quote left open
# Stands for bytes that do not follow the encoding: no character of any text, unlike U+FFFD, which files do hold.
_UNDECODABLE = "\ufdd1"
_LONGEST_FIELD = 10_000_000

# The limit is the csv module's own, of the whole process; its default is below what a description may hold.
csv.field_size_limit(_LONGEST_FIELD)

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

    def rows(self, fill_below: int | None = None) -> Iterator[tuple[int, list[Cell]]]:  # noqa: ARG002 - text merges no cells
        """Yield every record with its row number, from 1, blank ones included, with as many cells as it has.

        A cell in which bytes did not follow the encoding is a Fault. Raises SourceError where a quote is left open.
        """
        start = 1
        with self._text() as text:
            if self.declared:
                text.readline()
            reader = csv.reader(chain(text, (_END,)), delimiter=self.delimiter)
            try:
                for number, record in enumerate(reader, 1):
                    if record == [_END]:
                        return
                    start = number + 1
                    if record and record[-1].endswith(_END):
                        raise self._open_quote(number)
                    content = "".join(record)
                    doubtful = _UNDECODABLE in content or "\0" in content
                    yield number, [_judged(cell) for cell in record] if doubtful else [*record]
            except csv.Error as error:
                raise self._open_quote(start) from error

    def outline(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the same rows: nothing about them is cheaper."""
        return self.rows()

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self.snapshot.open(), self.encoding, errors=_MARK_UNDECODABLE, newline="")

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
        lines = list(islice(text, _SAMPLE_LINES))
    declared = _DECLARED.match(lines[0]) if lines else None
    delimiter = _named(options.delimiter) or (declared[1] if declared else _likeliest(lines))
    return Delimited(snapshot, name, encoding, delimiter, declared is not None)


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
