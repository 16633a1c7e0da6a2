"""What a cell says after the corrections of its column, in the order in which they were made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NamedTuple

from importer.text import canonical
from importer.workflow.corrections.correction import Correction, says_the_same
from importer.workflow.corrections.state import CorrectionOutcome


class Resolved(NamedTuple):
    """What a cell says in the end, by which corrections (their places in the order), and what its own one came to."""

    text: str
    by: tuple[int, ...]
    own: CorrectionOutcome | None = None


class ColumnChain:
    """The corrections of one column that are of every row, by their places in the order of all corrections."""

    def __init__(self, corrections: Iterable[tuple[int, Correction]]) -> None:
        self._by_text: dict[str, list[tuple[int, str]]] = {}
        for place, one in corrections:
            self._by_text.setdefault(canonical(one.before), []).append((place, one.to))

    @property
    def is_empty(self) -> bool:
        """Whether no correction of the column is of every row."""
        return not self._by_text

    def has(self, text: str) -> bool:
        """Whether a correction of the column may be of a cell that says this."""
        return canonical(text) in self._by_text

    def follow(self, text: str, start: int = 0) -> Resolved:
        """Return what a text becomes by the corrections from a place on, one after the other."""
        by: list[int] = []
        while step := self._step(text, start):
            by.append(step[0])
            start, text = step[0] + 1, step[1]
        return Resolved(text, tuple(by))

    def _step(self, text: str, start: int) -> tuple[int, str] | None:
        steps = self._by_text.get(canonical(text), ())
        return next((step for step in steps if step[0] >= start), None)

    def resolve(self, raw: str, place: int, own: Correction) -> Resolved:
        """Return what a cell becomes that has a correction of its own, at a place among the others.

        It fits if the cell says its `from`, in the sheet or by the corrections before it: undoing these leaves it.
        """
        before = self._until(raw, place)
        if says_the_same(raw, own.before) or says_the_same(before, own.before):
            after = self.follow(own.to, place + 1)
            return Resolved(after.text, (place, *after.by), CorrectionOutcome.APPLIED)
        if says_the_same(raw, own.to):
            after = self.follow(raw, place + 1)
            return Resolved(after.text, after.by, CorrectionOutcome.DONE)
        whole = self.follow(raw)
        is_done = says_the_same(before, own.to)
        return Resolved(whole.text, whole.by, CorrectionOutcome.DONE if is_done else CorrectionOutcome.SET_ASIDE)

    def _until(self, raw: str, place: int) -> str:
        text, start = raw, 0
        while (step := self._step(text, start)) and step[0] < place:
            start, text = step[0] + 1, step[1]
        return text

    def history(self, raw: str, own: Iterable[tuple[int, Correction]]) -> list[tuple[int, str]]:
        """Return everything that a cell has said in turn, with the place of the correction that made it say so.

        `own` are its own corrections, also those that a later one has replaced.
        """
        said: list[tuple[int, str]] = []
        text, start = raw, 0
        for place, one in (*own, (sys.maxsize, None)):
            while (step := self._step(text, start)) and step[0] < place:
                said.append(step)
                start, text = step[0] + 1, step[1]
            if one is not None and (says_the_same(raw, one.before) or says_the_same(text, one.before)):
                said.append((place, one.to))
                text = one.to
            start = place + 1
        return said
