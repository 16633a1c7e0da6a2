"""Conditions on columns: `when` of a field, `skip_if` of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.document import Steps
from importer.mapping.grammar import Condition, Test
from importer.mapping.headers import Headers
from importer.mapping.words import clean, fold

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Conditions:
    """Alternatives of which one must hold; each is a list of columns with the tests that their cells must pass."""

    alternatives: tuple[tuple[tuple[str, Callable[[str], bool]], ...], ...]

    @classmethod
    def of(cls, condition: Condition, headers: Headers, path: Steps) -> Conditions:
        """Bind conditions to the source's columns; columns that it lacks become faults of `headers`."""
        return cls(
            tuple(
                tuple(
                    (headers.find(column, (*path, *place, column), at_key=True), _predicate(test))
                    for column, test in tests.items()
                )
                for place, tests in placed(condition)
            )
        )

    @property
    def columns(self) -> Iterator[str]:
        """The columns that are looked at."""
        return (column for tests in self.alternatives for column, _test in tests)

    def hold(self, frame: pd.DataFrame) -> list[bool]:
        """Return for each row whether one of the alternatives holds."""
        held = [False] * len(frame)
        for tests in self.alternatives:
            both = [True] * len(frame)
            for column, test in tests:
                both = [before and now for before, now in zip(both, _passed(frame[column], test), strict=True)]
            held = [before or now for before, now in zip(held, both, strict=True)]
        return held


def placed(condition: Condition) -> Iterator[tuple[Steps, dict[str, Test]]]:
    """Yield each alternative with its place: the short form of one alternative has none of its own."""
    if len(condition) == 1:
        yield (), condition[0]
    else:
        yield from (((number,), tests) for number, tests in enumerate(condition))


def _predicate(test: Test) -> Callable[[str], bool]:
    wanted = {fold(text) for text in test.is_ or ()}
    unwanted = {fold(text) for text in test.not_ or ()}
    pattern = re.compile(test.matches) if test.matches else None

    def passes(text: str) -> bool:
        folded = fold(text)
        return not (
            (wanted and folded not in wanted)
            or folded in unwanted
            or (test.empty is not None and test.empty == bool(text))
            or (pattern is not None and not pattern.fullmatch(text))
        )

    return passes


def _passed(cells: pd.Series, test: Callable[[str], bool]) -> list[bool]:
    known = {cell: test(clean(str(cell))) for cell in set(cells)}
    return [known[cell] for cell in cells]
