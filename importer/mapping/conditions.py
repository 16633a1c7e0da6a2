"""Conditions on columns: `when` of a field, `skip_if` of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.errors import MappingFault
from importer.mapping.document import Places, Steps
from importer.mapping.grammar import Condition, Test
from importer.mapping.words import Words, clean, did_you_mean, fold
from importer.messages import _

if TYPE_CHECKING:
    import pandas as pd


# MERGED importer.mapping.conditions: The columns that a mapping names, found among a table's headers; all that are missing are told at once.


class Headers:
    """One table's headers: found as written (NFC, trimmed), or else without case and accents where that is one.

    Names that are not found are answered with themselves and kept as faults, for `faults` of all tables together.
    """

    def __init__(self, columns: Sequence[str], places: Places, faults: list[MappingFault], table: str) -> None:
        self._words = Words((column, column) for column in columns)
        self._places = places
        self._faults = faults
        self._table = table

    def knows(self, name: str) -> bool:
        """Tell whether one header is meant by `name`."""
        return len(self._words.alike(name)) == 1

    def find(self, name: str, path: Steps, *, at_key: bool = False) -> str:
        """Return the header that `name` means, in the table's own spelling.

        `path` is where the mapping names it; `at_key`, where it is the key there and not the value.
        """
        alike = self._words.alike(name)
        if len(alike) == 1:
            return self._words[alike[0]]
        named = {"column": name, "table": self._table}
        if alike:
            spellings = ", ".join(f"'{header}'" for header in alike)
            message = _("'{column}' may be any of {spellings}; write it as {table} does", spellings=spellings, **named)
        else:
            message = _("{table} has no column '{column}'; {hint}", hint=did_you_mean(name, self._words), **named)
        self._faults.append(self._places.fault(path, message, at_key=at_key))
        return name


# MERGED importer.mapping.conditions: Conditions on columns: `when` of a field, `skip_if` of a row.


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
