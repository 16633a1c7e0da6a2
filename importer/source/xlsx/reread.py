"""Cells that version 1 of the reading took otherwise carry what it took: rows were recorded under that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from importer.model import Cell, CellError, Reread, Typed, earlier_reading
from importer.source.table import Block
from importer.source.workbook import WorkbookGrid


class RereadGrid:
    """The cells of one grid, each with its earlier reading where the grid of that reading has another text."""

    def __init__(self, grid: WorkbookGrid, earlier: WorkbookGrid) -> None:
        """Take the sheet as it is read now and as it was read by version 1."""
        self._grid = grid
        self._earlier = earlier
        self.merges = grid.merges
        self.remarks = grid.remarks

    def blocks(self, fill_below: int | None = None) -> Iterator[Block]:
        """Yield all rows in order, as `Grid` says; may be called again."""
        earlier = (row for block in self._earlier.blocks(fill_below) for row in block.rows())
        waiting = next(earlier, None)
        for block in self._grid.blocks(fill_below):
            rows: list[Sequence[Cell]] = []
            for number in block.numbers:
                while waiting is not None and waiting[0] < number:
                    waiting = next(earlier, None)
                rows.append(waiting[1] if waiting is not None and waiting[0] == number else ())
            columns = [
                [_carrying(cell, row[at] if at < len(row) else "") for cell, row in zip(column, rows, strict=True)]
                for at, column in enumerate(block.columns)
            ]
            yield replace(block, columns=columns)


def _carrying(cell: Cell, earlier: Cell) -> Cell:
    """Return the cell with its earlier reading, where both are known and differ."""
    before = str(earlier_reading(earlier))
    if isinstance(cell, CellError) or isinstance(earlier, CellError) or str(cell) == before:
        return cell
    return replace(cell, earlier=before) if isinstance(cell, Typed) else Reread(cell, before)
