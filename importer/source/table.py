"""A table of any spreadsheet: named columns, and frames of rows by the number that Excel shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from importer.model import Cell, Issue

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a sheet in their order: the number of each, and their cells by column, from column A on.

    `widths` tells how many cells each row has where a text file cuts its rows differently; shorter ones are filled up.
    `stored` are the columns as they were before merged ranges were filled, where they were.
    """

    numbers: Sequence[int]
    columns: Sequence[Sequence[Cell]]
    widths: Sequence[int] | None = None
    stored: Sequence[Sequence[Cell]] | None = None

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield each row with its number and as many cells as it has."""
        widths = self.widths or repeat(len(self.columns))
        cells = zip(*self.columns, strict=True) if self.columns else repeat(())
        for number, width, row in zip(self.numbers, widths, cells, strict=False):
            yield number, row[:width]

    def filled(self) -> list[bool]:
        """Tell of each row whether any cell holds more than white space."""
        filled = [False] * len(self.numbers)
        for column in self.columns:
            filled = [before or is_filled(cell) for before, cell in zip(filled, column, strict=True)]
            if all(filled):
                break
        return filled


class Grid(Protocol):
    """What every format is read into."""

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:
        """Yield all rows in order; as often as asked. `fill_below` fills merged cells in the rows below that one."""


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
    _frames: Iterable[pd.DataFrame]

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return the rows below the header, some thousands to a frame, blank ones left out; may be read again.

        A frame's index is the row number, its columns are `columns`, its cells are `model.Cell`, empty ones "".
        """
        return self._frames


def is_filled(cell: object) -> bool:
    """Return whether a cell holds more than white space."""
    return not isinstance(cell, str) or bool(cell.strip())
