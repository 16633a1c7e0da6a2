"""The rows below a header: counted, their blank ones left out, kept on disk as frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from importer.model import Cell, Issue
from importer.source.ragged import Ragged
from importer.source.table import Block, is_filled
from importer.spool import Spool

_ROWS_OF_A_FRAME = 10_000


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of rows, kept on disk; may be read again. `names` are those of the columns, by position from 0."""

    stored: Spool[pd.DataFrame]
    names: Mapping[int, str]

    def __iter__(self) -> Iterator[pd.DataFrame]:
        positions, names = list(self.names), pd.Index(list(self.names.values()), dtype=object)
        for frame in self.stored:  # an early one may lack columns that hold something only further down
            yield frame.reindex(columns=positions, fill_value="").set_axis(names, axis="columns")


@dataclass(frozen=True, slots=True)
class Body:
    """What lies below a header; blank rows count nowhere.

    `stored` are frames that name their columns by position from 0; `with_data` are the positions that hold anything.
    """

    stored: Spool[pd.DataFrame]
    rows: int
    hidden: int
    with_data: frozenset[int]
    issues: tuple[Issue, ...]
    notes: tuple[str, ...]

    def frames(self, names: Mapping[int, str]) -> Frames:
        """Return the frames with these columns, by their positions, under these names."""
        return Frames(self.stored, names)


def read_body(blocks: Iterable[Block], header_row: int, hidden: Collection[int], ragged: Ragged | None) -> Body:
    """Return what lies below the header, in one pass over the rows.

    `ragged` watches the widths of a text file's rows; cells beyond its header's width are told of, and left out.
    """
    gathered = _Gathered(None if ragged is None else ragged.width)
    count = hidden_rows = 0
    for block in blocks:
        rows = [at for at, filled in enumerate(block.filled()) if filled and block.numbers[at] > header_row]
        numbers = [block.numbers[at] for at in rows]
        count += len(rows)
        hidden_rows += sum(number in hidden for number in numbers)
        if ragged is not None:
            ragged.look_at(block, rows)
        gathered.add(numbers, [_picked(column, rows) for column in block.columns])
        gathered.look_at([_picked(column, rows) for column in block.stored or block.columns])
    issues, notes = ((), ()) if ragged is None else (ragged.issues(), ragged.notes())
    return Body(gathered.finish(), count, hidden_rows, frozenset(gathered.with_data), issues, notes)


def _picked(column: Sequence[Cell], rows: Sequence[int]) -> Sequence[Cell]:
    return column if len(rows) == len(column) else [column[at] for at in rows]


class _Gathered:
    """Rows on their way into frames, all of one width where that is given, of the widest row so far where it is not."""

    def __init__(self, width: int | None) -> None:
        self._frames: Spool[pd.DataFrame] = Spool()
        self._width = width
        self._numbers: list[int] = []
        self._columns: list[list[Cell]] = [[] for _ in range(width or 0)]
        self._empty = set(range(width or 0))

    @property
    def with_data(self) -> set[int]:
        """The positions of columns that hold anything."""
        return set(range(len(self._columns))) - self._empty

    def add(self, numbers: Sequence[int], columns: Sequence[Sequence[Cell]]) -> None:
        """Take in rows."""
        if self._width is None:
            fresh = range(len(self._columns), len(columns))
            self._columns.extend([""] * len(self._numbers) for _ in fresh)
            self._empty.update(fresh)
        self._numbers.extend(numbers)
        for column, cells in zip(self._columns, columns, strict=False):
            column.extend(cells)
        for column in self._columns[len(columns) :]:
            column.extend([""] * len(numbers))
        while len(self._numbers) >= _ROWS_OF_A_FRAME:
            self._close_frame()

    def look_at(self, columns: Sequence[Sequence[Cell]]) -> None:
        """Note which columns hold something of their own."""
        self._empty -= {at for at in self._empty if at < len(columns) and any(map(is_filled, columns[at]))}

    def finish(self) -> Spool[pd.DataFrame]:
        """Return the frames; no row may follow."""
        if self._numbers:
            self._close_frame()
        return self._frames

    def _close_frame(self) -> None:
        size = _ROWS_OF_A_FRAME
        index = pd.Index(self._numbers[:size], name="row", dtype="int64")
        cells = {at: column[:size] for at, column in enumerate(self._columns)}
        self._frames.append(pd.DataFrame(cells, index=index, dtype=object))
        self._numbers = self._numbers[size:]
        self._columns = [column[size:] for column in self._columns]
