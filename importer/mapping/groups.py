"""Which rows become cases, and the further lines of those cases that have several."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import pandas as pd

from importer.commands import told
from importer.mapping.conditions import Conditions
from importer.mapping.fields import Field, with_column
from importer.mapping.files import Files, RowFile
from importer.messages import _
from importer.model import Cell, CellError
from importer.text import canonical_key

Item = TypeVar("Item")


@dataclass
class RowChoice:
    """Which rows become cases: `skip_if`, `keep` for repeated keys, `group` for rows that become one case together.

    `survey` learns it from every frame; memory grows with the distinct keys, and with the rows where they are grouped.
    `first_rows` has, for each row that is part of another row's case, the number of that row.
    """

    skip_if: Conditions | None = None
    key: Sequence[str] = ()
    keep: str | None = None
    group: Sequence[str] = ()
    first_rows: dict[int, int] = field(default_factory=dict)
    _kept: dict[tuple[str, ...], int] = field(default_factory=dict)
    _cases: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    _places: dict[int, int] = field(default_factory=dict)

    def survey(self, frame: pd.DataFrame, places: Mapping[int, int] | None) -> list[int]:
        """Learn from a frame; return its rows that are, or may become, part of another row's case.

        `places` are the numbers that rows of a report had in the sheet that it is about: a report may have been sorted.
        None says that the order of the sheet is that of the lines.
        """
        if not (self.group or self.keep):
            return []
        self._places.update(places or {})
        dropped = self._dropped(frame)
        joined = []
        keys = self.cases(frame) if self.group else _keys(frame, self.key)
        for row, key in zip(frame.index.tolist(), keys, strict=True):
            if row in dropped or not any(key):
                continue
            if self.group:
                is_first = self._join(row, self._cases.setdefault(key, []))
                joined += [row] if not is_first or places is not None else []
            elif self.keep == "last":
                self._kept[key] = row
            else:
                self._kept.setdefault(key, row)
        return joined

    def _join(self, row: int, lines: list[int]) -> bool:
        """Add a row to the lines of its case; return whether it is the first of them now."""
        insort(lines, row, key=self.place)
        if lines[0] != row:
            self.first_rows[row] = lines[0]
            return False
        self.first_rows.update(dict.fromkeys(lines[1:], row))
        return True

    def place(self, row: int) -> tuple[float, int]:
        """Return where a row is among the lines of its case: as they were in the sheet that a report is about."""
        return self._places.get(row, math.inf), row

    def cases(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        """Return the cells, as a person sees them, that are equal in rows of one case; none without `group`."""
        rows = zip(*(frame[column].tolist() for column in self.group), strict=True)
        return [tuple(map(canonical_key, row)) for row in rows]

    def skipped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows of a frame that do not become cases of their own, and why."""
        skipped = self._dropped(frame)
        for row in frame.index.tolist():
            if row in self.first_rows:
                skipped.setdefault(row, _("part of the case of row {row}", row=self.first_rows[row]))
        if self.keep:
            for row, key in zip(frame.index.tolist(), _keys(frame, self.key), strict=True):
                kept = self._kept.get(key, row)
                if kept != row:
                    skipped.setdefault(row, self._repeated(kept))
        return skipped

    def _repeated(self, kept: int) -> str:
        if self.keep == "last":
            return _("an older row of a repeated key; row {row} is kept", row=kept)
        return _("a later row of a repeated key; row {row} is kept", row=kept)

    def _dropped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows that `skip_if` skips, and why."""
        if self.skip_if is None:
            return {}
        columns = list(dict.fromkeys(self.skip_if.columns))
        held = [row for row, holds in zip(frame.index.tolist(), self.skip_if.hold(frame), strict=True) if holds]
        cells = frame.loc[held, columns].itertuples(index=False, name=None)
        return {row: self._reason(columns, each) for row, each in zip(held, cells, strict=True)}

    @staticmethod
    def _reason(columns: Sequence[str], cells: Sequence[object]) -> str:
        shown = (
            _("{column} is '{value}'", column=column, value=cell) for column, cell in zip(columns, cells, strict=True)
        )
        reasons = ", ".join(shown)
        return told(_("skip_if: {reasons}", reasons=reasons), _("left out: {reasons}", reasons=reasons))


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row's key as a person sees it, empty where a cell is blank or could not be read."""
    rows = zip(*(frame[column].tolist() for column in columns), strict=True)
    keys = (tuple("" if isinstance(cell, CellError) else canonical_key(cell) for cell in row) for row in rows)
    return [key if all(key) else () for key in keys]


class CaseLine(NamedTuple):
    """What a field takes from one line of a case: the row's number, the value or problem, and the cell's text."""

    row: int
    value: object
    cell: str | None


class FurtherLines:
    """The rows of `source.group` after the first row of their case, kept from the survey on.

    What they hold is computed once, when first asked for: by then every frame has been surveyed.
    """

    def __init__(self, choice: RowChoice) -> None:
        self._choice = choice
        self._frames: list[pd.DataFrame] = []
        self._lines: dict[str, dict[int, list[CaseLine]]] = {}
        self._cells: dict[str, dict[int, list[Cell]]] = {}
        self._files: dict[int, list[RowFile]] | None = None

    def __bool__(self) -> bool:
        return bool(self._choice.first_rows)

    def add(self, frame: pd.DataFrame) -> None:
        """Keep rows of a frame."""
        self._frames.append(frame)

    def of(self, field: Field) -> Mapping[int, list[CaseLine]]:
        """Return what a field takes from these rows, by the first row of their case."""
        if field.path not in self._lines:
            self._lines[field.path] = self._by_case(
                (line.row, line) for frame in self._frames for line in lines_of(field, field.values(frame), frame)
            )
        return self._lines[field.path]

    def cells(self, column: str) -> Mapping[int, list[Cell]]:
        """Return a column's cells in these rows, by the first row of their case."""
        if column not in self._cells:
            cells = (pair for frame in self._frames for pair in zip(frame.index.tolist(), frame[column], strict=True))
            self._cells[column] = self._by_case(cells)
        return self._cells[column]

    def files(self, files: Files) -> Mapping[int, list[RowFile]]:
        """Return the files of these rows, by the first row of their case."""
        if self._files is None:
            rows = (pair for frame in self._frames for pair in files.of_rows(frame).items())
            self._files = self._by_case((row, file) for row, found in rows for file in found)
        return self._files

    def _by_case(self, items: Iterable[tuple[int, Item]]) -> dict[int, list[Item]]:
        """Return what each case has, in the order of its lines."""
        first_rows = self._choice.first_rows
        cases: dict[int, list[Item]] = {}
        mine = [(row, item) for row, item in items if row in first_rows]  # of a report, first rows are kept as well
        for row, item in sorted(mine, key=lambda pair: self._choice.place(pair[0])):
            cases.setdefault(first_rows[row], []).append(item)
        return cases


def lines_of(field: Field, values: list[object], frame: pd.DataFrame) -> Iterator[CaseLine]:
    """Yield what a field takes from each row of a frame, given its values there."""
    numbers = frame.index.tolist()
    if field.column is None:
        yield from (CaseLine(row, value, None) for row, value in zip(numbers, values, strict=True))
        return
    cells = frame[field.column].tolist()
    values = with_column(values, field.column, cells)
    yield from (CaseLine(row, value, str(cell)) for row, value, cell in zip(numbers, values, cells, strict=True))
