"""One correction of a sheet: which cells it is about, what they say, and what they are to say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from importer.text import canonical

FIELDS = ("sheet", "key", "column", "from", "to", "who", "when")
"""The columns of a file of corrections."""

NEEDED = FIELDS[:5]
"""Those without which no correction can be understood."""

EVERY_ROW = "*"
"""Instead of a key: every row whose cell in the column says `from`."""

_ROW = re.compile(r"#([1-9][0-9]{0,9}) ([0-9a-f]{64})")
_NOT_PLAIN = re.compile(r"[*#\[]|\s|\Z")


class NumberedRow(NamedTuple):
    """A row by its number, in the one file with this digest."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction: a line of a file of corrections; `line` counts from 1.

    `before` and `to` are its columns `from` and `to`. `key` is the row's own, as the sheet says it, with the parts of a
    key of several columns as a JSON list; `*` means every row that says `from`, and `#12 …` the row of that number in
    the file with that digest. What was corrected at once has one `act`, and is undone at once.
    """

    sheet: str
    key: str
    column: str
    before: str
    to: str
    who: str = ""
    when: str = ""
    line: int = field(default=0, compare=False)

    @property
    def is_for_all(self) -> bool:
        """Whether the correction is of every cell of its column that says `before`."""
        return self.key == EVERY_ROW

    @property
    def numbered_row(self) -> NumberedRow | None:
        """The row, where it has no key of its own."""
        found = _ROW.fullmatch(self.key)
        return NumberedRow(int(found[1]), found[2]) if found else None

    @property
    def key_cells(self) -> tuple[str, ...]:
        """The cells of the row's key; empty where it is not by a key."""
        if self.is_for_all or self.numbered_row or not self.key.strip():
            return ()
        return _listed(self.key) or (self.key,)

    @property
    def act(self) -> str:
        """What identifies the correction, and those that were made with it, to undo them."""
        if self.when:
            return self.when
        written = json.dumps([self.sheet, self.key, self.column, self.before, self.to, self.who])
        return hashlib.sha256(written.encode()).hexdigest()[:16]  # a line that somebody typed into the file

    def values(self) -> tuple[str, ...]:
        """Return the values of `FIELDS`."""
        return self.sheet, self.key, self.column, self.before, self.to, self.who, self.when


def key_text(cells: Sequence[str]) -> str:
    """Return the cells of a row's key as one text, from which `Correction.key_cells` gives the same back."""
    is_plain = len(cells) == 1 and not _NOT_PLAIN.match(cells[0])
    return cells[0] if is_plain else json.dumps(list(cells), ensure_ascii=False)


def row_text(number: int, digest: str) -> str:
    """Return what stands for the key of a row that has none of its own."""
    return f"#{number} {digest}"


def says_the_same(cell: object, text: str) -> bool:
    """Tell whether a cell says what a correction says: as it counts for a row's content, so white space does not."""
    return canonical(cell) == canonical(text)


def _listed(key: str) -> tuple[str, ...]:
    try:
        found = json.loads(key) if key.startswith("[") else None
    except (ValueError, RecursionError):
        return ()
    if isinstance(found, list) and found and all(isinstance(part, str) for part in found):
        return tuple(found)
    return ()
