"""Facts about the cells of a sheet that calamine does not report, row by row, kept on disk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from importer.errors import SourceError
from importer.messages import _, shown
from importer.source.calamine_child import MOST_CELLS
from importer.source.number_formats.codes import Remark
from importer.system.spool import Spool

ERROR, NO_RESULT, TEXT, NO_TEXT = -1, -2, -3, -4  # kinds of facts; from 0 on, a kind is a cell style

Fact = tuple[int, int, int, str]
"""Excel's row number, the column from 0, the kind, and the text: stored number, error, formula, text, or the number of
a text that is lost."""

Merged = tuple[tuple[int, int], tuple[int, int]]
"""The top left and the bottom right cell of a merged range, (row, column), both from 0."""

_BATCH_SIZE = 5_000


class Box:
    """The smallest rectangle around all filled cells that begins in column A, which is as much as has to be read."""

    LARGEST = MOST_CELLS

    def __init__(self, file: str) -> None:
        """Begin without a cell."""
        self._file = file
        self._top = 1 << 62
        self._bottom = self._right = -1

    def add(self, top: int, bottom: int, right: int) -> None:
        """Add rows `top` to `bottom`, filled up to column `right`; raises SourceError beyond 50 million cells."""
        self._top = min(self._top, top)
        self._bottom, self._right = max(self._bottom, bottom), max(self._right, right)
        cells = (self._bottom - self._top + 1) * (self._right + 1)
        if cells > self.LARGEST:
            raise SourceError(
                _(
                    "{file}: the filled cells of the sheet are so far apart that {cells} cells would have to be read"
                    " (50,000,000 at most). Delete the stray value far below the table or to the right of it (Ctrl+End"
                    " in Excel goes there), or copy the table into a new workbook.",
                    file=self._file,
                    cells=shown(cells, ","),
                )
            )


@dataclass(slots=True)
class SheetFacts:
    """The facts about a sheet; rows are Excel's numbers, columns count from 0.

    `hidden` are the hidden rows, `links` the targets of hyperlinks by row and column, `merged` the merged ranges
    where the parser does not report them, `hidden_columns` is how many columns are hidden, `kinds` are the kinds of
    facts. `plain_formats` has, by column, the rows from which on its numbers have another format of plain digits, with
    the format's code, empty for the general format. `remarks` are about formats, where the reader knows the cells.
    """

    hidden: set[int] = field(default_factory=set)
    links: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    merged: list[Merged] = field(default_factory=list)
    hidden_columns: int = 0
    kinds: set[int] = field(default_factory=set)
    plain_formats: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    remarks: dict[Remark, dict[tuple[int, str], None]] = field(default_factory=dict)
    _stored: Spool[list[Fact]] = field(default_factory=Spool)
    _latest: list[Fact] = field(default_factory=list)

    def add(self, facts: Sequence[Fact]) -> None:
        """Keep some facts; their rows come in order."""
        self.kinds.update(kind for _row, _column, kind, _text in facts)
        self._latest.extend(facts)
        if len(self._latest) >= _BATCH_SIZE:
            self._stored.append(self._latest)
            self._latest = []

    def add_link(self, row: int, column: int, target: str) -> None:
        """Keep the target of a link."""
        self.links.setdefault(row, []).append((column, target))

    def in_order(self) -> Iterator[list[Fact]]:
        """Yield the facts in the order of their rows, in batches; may be called again."""
        yield from self._stored
        yield self._latest


class FactCursor:
    """Hands out the facts of a sheet as its rows are read from the top."""

    def __init__(self, facts: SheetFacts) -> None:
        """Begin above the first row."""
        self._batches = facts.in_order()
        self._waiting: list[Fact] = []

    def up_to(self, row: float) -> list[Fact]:
        """Return the facts of the rows up to `row` that were not returned before."""
        taken: list[Fact] = []
        while not self._waiting or self._waiting[0][0] <= row:
            end = bisect_right(self._waiting, row, key=_row_of)
            taken += self._waiting[:end]
            self._waiting = self._waiting[end:]
            if not self._waiting:
                batch = next(self._batches, None)
                if batch is None:
                    break
                self._waiting = batch
        return taken


def _row_of(fact: Fact) -> int:
    return fact[0]
