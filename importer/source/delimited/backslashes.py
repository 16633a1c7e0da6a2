"""Text files whose quotation marks inside cells are written with a backslash, as MySQL and PHP programs write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

ESCAPED_QUOTE = re.compile(rb'\\\0{0,3}"')
"""A quotation mark behind a backslash, in the bytes of any encoding."""


@dataclass(frozen=True, slots=True)
class Backslashes:
    """How backslashes are written in a file: `doubled` is whether one that means itself is written twice."""

    delimiter: str
    doubled: bool

    def prepared(self, line: str) -> str:
        """Return a line in which each backslash that means itself is written twice, as the csv module reads it."""
        return self._backslash.sub(lambda found: found[0] if found[1] else "\\\\" * len(found[0]), line)

    @property
    def _backslash(self) -> re.Pattern[str]:
        escaped = rf'["\r\n{re.escape(self.delimiter)}]'
        return re.compile(rf"\\({escaped}|\\)|\\" if self.doubled else rf"\\({escaped})|\\")


def find_backslashes(lines: Callable[[], Iterable[str]], delimiter: str) -> Backslashes | None:
    r"""Return how a file writes backslashes, if it can only be read as one in which `\"` is a quotation mark.

    In other files, a cell in quotation marks may end with a backslash.
    """
    doubled = not any(any(_LONE.findall(line)) for line in lines() if "\\" in line)
    found = Backslashes(delimiter, doubled)
    usual = _faults(csv.reader(lines(), delimiter=delimiter, strict=True))
    if usual == (0, 0):
        return None
    prepared = (found.prepared(line) if "\\" in line else line for line in lines())
    strays, ragged = _faults(csv.reader(prepared, delimiter=delimiter, strict=True, escapechar="\\"))
    return found if strays == 0 and (strays, ragged) < usual else None


_LONE = re.compile(r'\\(?:["\\\r\n,;\t|N])|(\\)')


def _faults(records: Iterator[list[str]]) -> tuple[int, int]:
    """Return how many rows are not written strictly, and how many are not as wide as the first one."""
    strays = ragged = width = 0
    while True:
        try:
            record = next(records, None)
        except csv.Error:
            strays += 1
            continue
        if record is None:
            return strays, ragged
        if any(record):
            width = width or len(record)
            ragged += len(record) != width
