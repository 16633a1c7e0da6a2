"""The columns that a mapping names, and conditions on them: `when` of a field, `skip_if` of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.errors import MappingFault
from importer.mapping.document import SourceMap, Steps
from importer.mapping.headings import Headings
from importer.mapping.table_grammar import Condition, ConditionSpec
from importer.mapping.words import did_you_mean
from importer.messages import _
from importer.text import trimmed, unaccented

if TYPE_CHECKING:
    import pandas as pd

_ALIKE = 0.75  # headers are short and of one subject, so that chance likens two of them


class Headers:
    """One table's headers, which report each column that is not there.

    A missing column becomes one of the `faults`, which all tables of a mapping share, so that all are reported at once.
    """

    def __init__(self, headings: Headings, source_map: SourceMap, faults: list[MappingFault], table: str) -> None:
        self._headings = headings
        self._source_map = source_map
        self._faults = faults
        self._table = table
        self.missing: list[tuple[str, MappingFault]] = []
        """The columns that are not there, with their faults."""

    def has(self, name: str) -> bool:
        """Return whether `name` means exactly one header."""
        return self._headings.column(name) is not None

    def find(self, name: str, path: Steps, *, at_key: bool = False) -> str:
        """Return the header that `name` means, in the table's own spelling; `name` itself after a fault.

        `path` is where the mapping names it, and `at_key` that it is the key there instead of the value.
        """
        alike = self._headings.alike(name)
        if len(alike) == 1:
            return alike[0]
        named = {"column": name, "table": self._table}
        if alike:
            spellings = ", ".join(f"'{header}'" for header in alike)
            message = _(
                "'{column}' may mean any of {spellings}; write it exactly as in {table}", spellings=spellings, **named
            )
        else:
            message = _(
                "{table} has no column '{column}'; {hint}", hint=did_you_mean(name, self._headings, _ALIKE), **named
            )
        fault = self._source_map.fault(path, message, at_key=at_key)
        self._faults.append(fault)
        if not alike:
            self.missing.append((name, fault))
        return name


@dataclass(frozen=True, slots=True)
class Conditions:
    """Alternatives, of which one must hold: each has columns, and the tests that their cells must pass."""

    alternatives: tuple[tuple[tuple[str, Callable[[str], bool]], ...], ...]

    @classmethod
    def bind(cls, condition: Condition, headers: Headers, path: Steps) -> Conditions:
        """Bind conditions to the source's columns; a missing column becomes a fault of `headers`."""
        bound = []
        for number, tests in enumerate(condition):
            inside = (*path, number) if len(condition) > 1 else path  # a single one may be written without its list
            columns = [headers.find(column, (*inside, column), at_key=True) for column in tests]
            bound.append(tuple(zip(columns, map(_predicate, tests.values()), strict=True)))
        return cls(tuple(bound))

    @property
    def columns(self) -> Iterator[str]:
        """The columns that the conditions use."""
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


def _predicate(test: ConditionSpec) -> Callable[[str], bool]:
    wanted = {unaccented(text) for text in test.is_ or ()}
    unwanted = {unaccented(text) for text in test.not_ or ()}
    pattern = re.compile(test.matches) if test.matches else None

    def passes(text: str) -> bool:
        compared = unaccented(text)
        if (wanted and compared not in wanted) or compared in unwanted:
            return False
        if test.empty is not None and test.empty == bool(text):
            return False
        return pattern is None or pattern.fullmatch(text) is not None

    return passes


def _passed(cells: pd.Series, test: Callable[[str], bool]) -> list[bool]:
    results = {cell: test(trimmed(str(cell))) for cell in set(cells)}
    return [results[cell] for cell in cells]
