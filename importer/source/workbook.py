"""The rows of a workbook's sheet as calamine parsed them, made into cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from importer.model import Cell, Fault, Typed
from importer.messages import _
from importer.source.spool import Spool

Merged = tuple[tuple[int, int], tuple[int, int]]


class WorkbookGrid:
    """A sheet as a grid of cells; the rows stay on disk."""

    def __init__(self, parsed: Spool[Any]) -> None:
        """Take what the child process sent."""
        self._parsed = parsed

    def rows(self, fill_below: int | None = None) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield every row with its number, cells from column A on; merged cells filled below a row if asked."""
        chunks = iter(self._parsed)
        next(chunks)
        number = 0
        for chunk in chunks:
            for number, values in enumerate(chunk, number + 1):
                yield number, [value if value.__class__ is str else cell(value) for value in values]


def cell(value: object) -> Cell:
    """Return the cell of a stored value whose number format is not known, or shows nothing else."""
    if isinstance(value, bool):
        return Typed("TRUE" if value else "FALSE", value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, datetime):
        return Typed(value.isoformat(" ", "seconds"), value)
    if isinstance(value, date | time):
        return Typed(value.isoformat(), value)
    if isinstance(value, timedelta):
        return number(value / timedelta(days=1))
    return str(value)


def number(value: float) -> Cell:
    """Return the cell of a number: its shortest decimal text, or a Fault where Excel has rounded its digits away."""
    if value.__class__ is float and value.is_integer():
        value = int(value)
    if abs(value) >= 10**15:
        return Fault(str(value), "digits-lost", _("x"), _("y"))
    return Typed(repr(value), value)
