"""A table of any spreadsheet: named columns, and frames of rows by the number that Excel shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from importer.model import Cell, Issue


class Grid(Protocol):
    """What every format is read into."""

    def rows(self, fill_below: int | None = None) -> Iterator[tuple[int, list[Cell]]]:
        """Yield rows in order with their number, cells from column A on; as often as asked.

        `fill_below` fills merged cells in the rows below that one.
        """

    def outline(self) -> Iterator[tuple[int, Sequence[object]]]:
        """Yield the same rows for whoever asks only which cells are filled: what is empty is "" or white space."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one file.

    `columns` are unique header texts; `digest` is the sha256 of the file's bytes in hexadecimal; `rows` counts the
    rows that are not blank; `hidden` are numbers of rows that the spreadsheet hides; `notes` are sentences about what
    was found out; `issues` are faults of rows as such.
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
    _grid: Grid
    _positions: tuple[int, ...]
    _filled: bool

    def frames(self, size: int = 10_000) -> Iterator[pd.DataFrame]:
        """Yield the rows below the header, at most `size` to a frame, blank ones left out; may be called again.

        A frame's index is the row number, its columns are `columns`, its cells are `model.Cell`, empty ones "".
        """
        numbers: list[int] = []
        picked: list[list[Cell]] = []
        pick = _picker(self._positions)
        for number, cells in self._grid.rows(self.header_row if self._filled else None):
            if number <= self.header_row or is_blank(cells):
                continue
            numbers.append(number)
            picked.append(pick(cells))
            if len(numbers) == size:
                yield self._frame(numbers, picked)
                numbers, picked = [], []
        if numbers:
            yield self._frame(numbers, picked)

    def _frame(self, numbers: list[int], rows: list[list[Cell]]) -> pd.DataFrame:
        index = pd.Index(numbers, name="row", dtype="int64")
        return pd.DataFrame(rows, index=index, columns=pd.Index(self.columns, dtype=object), dtype=object)


def is_blank(cells: Sequence[object]) -> bool:
    """Return whether no cell holds more than white space."""
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def _picker(positions: tuple[int, ...]) -> Callable[[list[Cell]], list[Cell]]:
    """Return what takes the table's cells out of a row, short rows filled with empty cells."""
    width = len(positions)
    if positions == tuple(range(width)):
        return lambda cells: cells[:width] + [""] * (width - len(cells))
    return lambda cells: [cells[position] if position < len(cells) else "" for position in positions]
