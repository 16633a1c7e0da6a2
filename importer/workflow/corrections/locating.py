"""Which rows the corrections of a sheet are about: by their keys, or by their numbers in the very same file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from importer import identity
from importer.messages import _, shorten
from importer.model import Cell, JournalRow, earlier_reading
from importer.workflow.corrections.correction import Correction, NumberedRow
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.keys import Keys

_MOST_ROWS = 5

Cells = tuple[Cell, ...]

RowsByKey = Mapping[tuple[str, ...], Sequence[int]]
"""The numbers of the rows that have each key."""


@dataclass(frozen=True, slots=True)
class Identifying:
    """The columns that identify the rows of a sheet: those of its key, or all of them under `key: content`.

    Rows of a report under `key: content` are identified by their references: there, no column does.
    """

    columns: tuple[str, ...]
    is_content: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the key; empty where rows have none that a correction could name."""
        return () if self.is_content else self.columns

    def cells(self, frame: pd.DataFrame) -> list[Cells]:
        """Return the cells that identify each row of a frame."""
        return list(zip(*(frame[column].tolist() for column in self.columns), strict=True))

    def keys(self, rows: Sequence[Cells]) -> Keys:
        """Return the keys of rows with these cells, each of them the first one with its content."""
        if not self.is_content:
            return Keys.of([identity.key_parts(cells) for cells in rows], None, map(identity.earlier_key_parts, rows))
        before = (tuple(map(earlier_reading, cells)) for cells in rows)
        return Keys.of([_content(cells) for cells in rows], None, map(_content, before))

    def known(self, rows: Sequence[Cells], history: ImportHistory) -> list[JournalRow | None]:
        """Return what the journal knows about the rows that these cells identify."""
        keys = self.keys(rows)
        found = history.known_in_any_version(keys)
        known = (found.get(digest) or found.get(keys.earlier.get(at, "")) for at, digest in enumerate(keys.digests))
        return [each.row if each else None for each in known]


def _content(cells: Iterable[Cell]) -> tuple[str, ...]:
    return identity.content_key(tuple(map(identity.canonical, cells)), 1)


class SheetRows:
    """The rows of a sheet by what corrections name them by."""

    def __init__(
        self,
        identifying: Identifying,
        frames: Iterable[pd.DataFrame],
        wanted: Iterable[Correction],
        rows_by_key: RowsByKey | None = None,
    ) -> None:
        self._identifying = identifying
        corrections = [one for one in wanted if not one.is_for_all]
        self._spelt = self._other_keys(corrections)
        self._numbers: set[int] = set()
        self._contents: Counter[int] = Counter()
        keys = {self._parts(one) for one in corrections}.union(*self._spelt.values()) - {()}
        by_number = {row.number for one in corrections if (row := one.numbered_row)}
        by_key: dict[tuple[str, ...], list[int]] = {}
        self._by_key = rows_by_key or by_key
        keys = keys if rows_by_key is None else set()
        for frame in frames if keys or by_number or identifying.is_content else ():
            numbers = frame.index.tolist()
            self._numbers.update(by_number.intersection(numbers))
            if identifying.is_content:
                self._contents.update(hash(_content(cells)) for cells in identifying.cells(frame))
            elif keys:
                for number, cells in zip(numbers, identifying.cells(frame), strict=True):
                    if (parts := identity.key_parts(cells)) in keys:
                        by_key.setdefault(parts, []).append(number)

    def _parts(self, one: Correction) -> tuple[str, ...]:
        cells = one.key_cells
        return identity.key_parts(cells) if len(cells) == len(self._identifying.key) else ()

    def _other_keys(self, corrections: Iterable[Correction]) -> Mapping[tuple[str, ...], list[tuple[str, ...]]]:
        """Return the keys that rows have once a person has made the corrections of their keys in the sheet itself."""
        other: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for one in corrections:
            if one.column in self._identifying.key and (key := self._parts(one)):
                known = other.setdefault(key, [])
                at = self._identifying.key.index(one.column)
                now = list(known[-1] if known else key)
                now[at] = identity.canonical_key(one.to)
                known.append(tuple(now))
        return other

    def find(self, one: Correction, digest: str) -> int | str:
        """Return the number of a correction's row, or why it has none; `digest` is that of the source."""
        if numbered := one.numbered_row:
            return self._at_number(numbered, digest)
        key = self._parts(one)
        if not key:
            return _("it does not identify a row by the mapping's key")
        known = (self._by_key[each] for each in (key, *self._spelt.get(key, ())) if each in self._by_key)
        numbers = next(known, [])
        if not numbers:
            return _("no row has the key {key}", key=shorten(" · ".join(key)))
        if len(numbers) == 1:
            return numbers[0]
        listed = ", ".join(map(str, numbers[:_MOST_ROWS])) + ("…" if len(numbers) > _MOST_ROWS else "")
        return _("rows {rows} have the key {key}", rows=listed, key=shorten(" · ".join(key)))

    def _at_number(self, row: NumberedRow, digest: str) -> int | str:
        if row.digest != digest:
            return _("the file has been saved since, and row {row} may be a different one", row=row.number)
        return row.number if row.number in self._numbers else _("row {row} does not exist", row=row.number)

    def may_become(self, before: Cells, after: Cells, taken: set[int]) -> bool:
        """Tell whether a row may change its cells while the keys of all other rows stay as they are.

        Under `key: content`, equal rows are told apart by their order alone. `taken` are what other rows have become.
        """
        if not self._identifying.is_content:
            return True
        content = hash(_content(after))
        if self._contents[hash(_content(before))] > 1 or content in self._contents or content in taken:
            return False
        taken.add(content)
        return True
