"""What to say of number formats in key columns before anything is sent: the key, and what a CSV file has of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from importer.messages import _
from importer.model import Typed
from importer.source import shown_number
from importer.text import canonical, loose


class KeyFormats:
    """Collects the number formats of key columns as the frames of a source are read; `notes` are sentences about them.

    A key is what a cell reads as. Where the format only decorates the number (thousands separators, decimals), a CSV
    file that is saved from the sheet has another text, and its rows would be issues.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """Begin before the first frame."""
        self._columns = columns
        self._found: dict[tuple[str, str], str | None] = {}

    def add(self, frame: pd.DataFrame) -> None:
        """Look at the first and at the largest number of each format in a frame: if any differs, these do."""
        for column in self._columns:
            by_format: dict[str, list[Typed]] = {}
            for cell in frame[column].tolist():
                if cell.__class__ is Typed and cell.number_format != "General" and cell.value.__class__ in (int, float):
                    by_format.setdefault(cell.number_format, []).append(cell)
            for code, cells in by_format.items():
                if self._found.get((column, code)) is None:
                    some = (cells[0], max(cells, key=_size))
                    self._found[column, code] = next(filter(None, (_note(column, cell) for cell in some)), None)

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each format that matters, in the order of the sheet."""
        yield from filter(None, self._found.values())


def _size(cell: Typed) -> float:
    return abs(cell.value) if isinstance(cell.value, int | float) else 0.0


def _note(column: str, cell: Typed) -> str | None:
    """Return what to say of a key's format, None where key, number and CSV file are the same but for zeros."""
    if not isinstance(cell.value, int | float):
        return None
    key, code, shown = canonical(cell), cell.number_format, shown_number(cell.value, cell.number_format)
    if shown is not None and loose(canonical(shown)) != loose(key):
        return _(
            "The key {column} has the number format {format}: the sheet, and a CSV file that is saved from it, show"
            " {shown} where the key is {key}. A row of such a file is an issue (key-similar), and is not sent; import"
            " the table as a workbook every time, or as CSV every time.",
            column=column,
            format=code,
            shown=shown,
            key=key,
        )
    if loose(key) != loose(f"{cell.value:.15g}"):
        return _(
            "The key {column} has the number format {format}: the number {value} is the key {key}, also in a CSV file"
            " that is saved from the sheet. Without the format, the row is an issue (key-similar), and is not sent.",
            column=column,
            format=code,
            value=f"{cell.value:.15g}",
            key=key,
        )
    return None
