"""A table of any spreadsheet: named columns, and frames of rows by the number that Excel shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Protocol

import pandas as pd

from importer.model import Cell, Issue
from importer.source.delimited.cells import OddCell
from importer.source.layout import Layout
from importer.system.spool import Spool


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a sheet in their order: the number of each, and their cells by column, from column A on.

    `widths` has the number of cells of each row, for a text file whose rows are not equally long; the columns are
    padded. `stored` are the columns as they were before merged ranges were filled, if they were filled. `remarks` are
    what there is to say about cells of a text file.
    """

    numbers: Sequence[int]
    columns: Sequence[Sequence[Cell]]
    widths: Sequence[int] | None = None
    stored: Sequence[Sequence[Cell]] | None = None
    remarks: Sequence[OddCell] = ()

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield each row with its number and as many cells as it has."""
        widths = self.widths or repeat(len(self.columns))
        cells = zip(*self.columns, strict=True) if self.columns else repeat(())
        for number, width, row in zip(self.numbers, widths, cells, strict=False):
            yield number, row[:width]

    def filled(self) -> list[bool]:
        """Return for each row whether any of its cells has more than white space."""
        filled = [False] * len(self.numbers)
        for column in self.columns:
            filled = [before or is_filled(cell) for before, cell in zip(filled, column, strict=True)]
            if all(filled):
                break
        return filled


class Grid(Protocol):
    """The cells of one sheet or text file, whatever its format."""

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:
        """Yield all rows in order; may be called again. `fill_below` fills merged cells in the rows below that one."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one file.

    `columns` are unique header texts; `digest` is the sha256 of the file's bytes in hexadecimal; `rows` counts the
    rows that are not blank; `hidden` are the numbers of the rows that the spreadsheet hides; `notes` are sentences
    about what was found, `header_notes` those of them about names of columns; `issues` are faults of whole rows.
    """

    path: Path
    sheet: str | None
    header_row: int
    columns: tuple[str, ...]
    digest: str
    rows: int
    hidden: frozenset[int]
    notes: tuple[str, ...]
    issues: tuple[Issue, ...]
    _frames: Iterable[pd.DataFrame]
    header_notes: tuple[str, ...] = ()

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return the rows below the header without the blank ones, some thousands in a frame; may be read again.

        A frame's index is the row number, its columns are `columns`, its cells are `model.Cell`, empty ones "".
        """
        return self._frames

    def head(self, count: int) -> Table:
        """Return a table of the first rows alone, at most so many of its first frame; nothing is read for it."""
        first = next(iter(self._frames), pd.DataFrame(columns=list(self.columns))).head(count)
        return replace(self, rows=len(first), _frames=[first])

    @property
    def positions(self) -> dict[str, int]:
        """The place of each column in the file, from 0."""
        names = self._frames.names if isinstance(self._frames, Frames) else dict(enumerate(self.columns))
        return {name: at for at, name in names.items()}


def is_filled(cell: object) -> bool:
    """Return whether a cell has more than white space."""
    return not isinstance(cell, str) or bool(cell.strip())


_ROWS_OF_A_FRAME = 10_000


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of rows, kept on disk; may be read again. `names` are those of the columns, by position from 0."""

    stored: Spool[pd.DataFrame]
    names: Mapping[int, str]

    def __iter__(self) -> Iterator[pd.DataFrame]:
        positions, names = list(self.names), pd.Index(list(self.names.values()), dtype=object)
        for frame in self.stored:  # an early frame may lack columns that are filled only further down
            yield frame.reindex(columns=positions, fill_value="").set_axis(names, axis="columns")


@dataclass(frozen=True, slots=True)
class Body:
    """The rows below a header, without the blank ones.

    `stored` are frames that name their columns by position from 0; `with_data` are the positions of columns that are
    not empty.
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


class RowChecks(Protocol):
    """Checks the rows of a text file, whose header has `width` cells."""

    width: int

    def check(self, block: Block, rows: Sequence[int]) -> None:
        """Check the rows of a block that are not blank, given by their places in it."""

    def issues(self) -> tuple[Issue, ...]:
        """Return the issues in the order of rows; to be called after the last row."""

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what was found; to be called after `issues`."""


def read_body(
    blocks: Iterable[Block], header_row: int, hidden: Collection[int], checks: RowChecks | None, layout: Layout
) -> Body:
    """Return the rows below the header, in one pass; `layout` looks at them as well.

    `checks` are for the rows of a text file; their cells beyond the header's width are issues, and left out.
    """
    writer = _FrameWriter(None if checks is None else checks.width)
    count = hidden_rows = 0
    for block in blocks:
        rows = [at for at, filled in enumerate(block.filled()) if filled and block.numbers[at] > header_row]
        numbers = [block.numbers[at] for at in rows]
        count += len(rows)
        hidden_rows += sum(number in hidden for number in numbers)
        if checks is not None:
            checks.check(block, rows)
        columns = [_picked(column, rows) for column in block.columns]
        layout.look(numbers, columns)
        writer.add(numbers, columns)
        writer.note_filled([_picked(column, rows) for column in block.stored or block.columns])
    issues, notes = ((), ()) if checks is None else (checks.issues(), checks.notes())
    return Body(writer.finish(), count, hidden_rows, frozenset(writer.with_data), issues, notes)


def _picked(column: Sequence[Cell], rows: Sequence[int]) -> Sequence[Cell]:
    return column if len(rows) == len(column) else [column[at] for at in rows]


class _FrameWriter:
    """Collects rows into frames, all of the given `width`, or else of the widest row so far."""

    def __init__(self, width: int | None) -> None:
        self._frames: Spool[pd.DataFrame] = Spool()
        self._width = width
        self._numbers: list[int] = []
        self._columns: list[list[Cell]] = [[] for _ in range(width or 0)]
        self._empty = set(range(width or 0))

    @property
    def with_data(self) -> set[int]:
        """The positions of columns that are not empty."""
        return set(range(len(self._columns))) - self._empty

    def add(self, numbers: Sequence[int], columns: Sequence[Sequence[Cell]]) -> None:
        """Add some rows."""
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

    def note_filled(self, columns: Sequence[Sequence[Cell]]) -> None:
        """Note which columns have something of their own."""
        self._empty -= {at for at in self._empty if at < len(columns) and any(map(is_filled, columns[at]))}

    def finish(self) -> Spool[pd.DataFrame]:
        """Return the frames; to be called after the last row."""
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
