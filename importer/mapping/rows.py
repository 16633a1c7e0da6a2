"""Which rows become cases: `skip_if`, `keep` for repeated keys, `group` for rows that make one case together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importer.mapping.conditions import Conditions
from importer.messages import _
from importer.spelling import seen, seen_key

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class RowChoice:
    """What `survey` has learnt of a source's rows; memory grows with its distinct keys only.

    `members` tells of each row that is part of another row's case which row stands for it.
    """

    skip_if: Conditions | None = None
    key: Sequence[str] = ()
    keep: str | None = None
    group: Sequence[str] = ()
    members: dict[int, int] = field(default_factory=dict)
    _rows: dict[tuple[str, ...], int] = field(default_factory=dict)

    def survey(self, frame: pd.DataFrame) -> list[int]:
        """Take in a frame; return its rows that are part of an earlier row's case."""
        if not (self.group or self.keep):
            return []
        dropped = self._dropped(frame)
        joined = []
        keys = _groups(frame, self.group) if self.group else _keys(frame, self.key)
        for row, key in zip(frame.index.tolist(), keys, strict=True):
            if row in dropped or not any(key):
                continue
            first = self._rows.setdefault(key, row)
            if self.group and first != row:
                self.members[row] = first
                joined.append(row)
            elif self.keep == "last":
                self._rows[key] = row
        return joined

    def skipped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return why rows of a frame are no cases of their own, by their numbers."""
        skipped = self._dropped(frame)
        for row in frame.index.tolist():
            if row in self.members:
                skipped.setdefault(row, _("part of the case of row {row}", row=self.members[row]))
        if self.keep:
            for row, key in zip(frame.index.tolist(), _keys(frame, self.key), strict=True):
                kept = self._rows.get(key, row)
                if kept != row:
                    skipped.setdefault(row, self._why(kept))
        return skipped

    def _why(self, kept: int) -> str:
        if self.keep == "last":
            return _("an older row of a repeated key; row {row} is kept", row=kept)
        return _("a later row of a repeated key; row {row} is kept", row=kept)

    def _dropped(self, frame: pd.DataFrame) -> dict[int, str]:
        if self.skip_if is None:
            return {}
        columns = list(dict.fromkeys(self.skip_if.columns))
        held = [row for row, holds in zip(frame.index.tolist(), self.skip_if.hold(frame), strict=True) if holds]
        cells: Mapping[int, Sequence[object]] = dict(
            zip(held, frame.loc[held, columns].itertuples(index=False, name=None), strict=True)
        )
        return {row: self._reason(columns, cells[row]) for row in held}

    @staticmethod
    def _reason(columns: Sequence[str], cells: Sequence[object]) -> str:
        shown = (
            _("{column} is '{value}'", column=column, value=cell) for column, cell in zip(columns, cells, strict=True)
        )
        return _("skip_if: {reasons}", reasons=", ".join(shown))


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row's key as people see it, empty where it is blank."""
    return list(map(seen_key, zip(*(frame[column].tolist() for column in columns), strict=True)))


def _groups(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what rows that make one case have in common, as people see it."""
    cells = zip(*(frame[column].tolist() for column in columns), strict=True)
    return [tuple(map(seen, row)) for row in cells]
