"""What a column's cells show: how many differ, whether they are dates, numbers or addresses, and the evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importer.mapping.converters.moments import DateTimeReader
from importer.mapping.converters.numbers import NumberReader
from importer.mapping.converters.types import boolean
from importer.mapping.refusal import Refused
from importer.messages import _
from importer.model import CellError, Typed

if TYPE_CHECKING:
    import pandas as pd

_EMAIL = re.compile(r"[^\s@;,]+@[^\s@;,]+\.[^\s@;,]+")
_FILE = re.compile(r"(?!\w+://)[^\n;|,]+\.[A-Za-z0-9]{2,5}")
_SEPARATORS = (";", "|", ",", "\n")
_MOST = 0.9  # of the filled cells: a few wrong ones do not change what a column is
_LONGEST_KEY = 64  # characters; a column with longer texts is not a key
_COUNTED = 5_000  # distinct texts that are counted; a column with more is free text or a key


@dataclass
class Profile:
    """One column.

    `counts` has the number of rows of each distinct text, up to a limit, in the order of the sheet; `typed` the true
    numbers, dates and booleans by their texts; `repeated` is how many cells equal an earlier one.
    """

    column: str
    rows: int = 0
    filled: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    typed: dict[str, Typed] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)
    _long: bool = False

    def add(self, cells: Iterable[object]) -> None:
        """Add the cells of one frame."""
        for cell in cells:
            self.rows += 1
            text = str(cell).strip()
            if not text or isinstance(cell, CellError):
                continue
            self.filled += 1
            self._count_repeated(text)
            if text in self.counts or len(self.counts) < _COUNTED:
                self.counts[text] += 1
                if isinstance(cell, Typed):
                    self.typed[text] = cell

    def _count_repeated(self, text: str) -> None:
        """Count a text that is in an earlier cell; a column of long texts is not a key, so these are not remembered."""
        if len(text) > _LONGEST_KEY:
            self._long = True
            self._seen.clear()
        elif not self._long:
            digest = hash(text)
            self.repeated += digest in self._seen
            self._seen.add(digest)

    def cell(self, text: str) -> str | Typed:
        """Return the cell with this text: a true number or date where the sheet has one."""
        return self.typed.get(text, text)

    @property
    def unique(self) -> bool:
        """Whether every row has a different text."""
        return self.rows > 0 and self.filled == self.rows and not self.repeated and not self._long

    @property
    def few(self) -> bool:
        """Whether the texts are few enough to be options."""
        return 0 < len(self.counts) <= 40 and (self.repeated > 0 or self.filled <= 40)

    def mostly(self, fits: Callable[[str], object]) -> bool:
        """Return whether the texts of most rows fit."""
        fitting = sum(rows for text, rows in self.counts.items() if fits(text))
        return fitting > 0 and fitting >= _MOST * self.counts.total()

    @property
    def emails(self) -> bool:
        """Whether the column holds e-mail addresses."""
        return self.mostly(_EMAIL.fullmatch)

    @property
    def separator(self) -> str | None:
        """The separator between several file names in a cell, None where each cell has one."""
        return next((sign for sign in _SEPARATORS if any(sign in text for text in self.counts)), None)

    def parts(self) -> list[str]:
        """Return the distinct texts, or their parts where cells have a separator."""
        sign = self.separator
        cells = (text.split(sign) if sign else [text] for text in self.counts)
        return [part for cell in cells for text in cell if (part := text.strip())]

    @property
    def share_of_files(self) -> float:
        """The share of the texts that look like file names, from 0 to 1."""
        parts = self.parts()
        named = sum(bool(_FILE.fullmatch(part)) and not _EMAIL.fullmatch(part) for part in parts)
        return named / len(parts) if parts else 0.0

    @property
    def files(self) -> bool:
        """Whether the cells look like file names."""
        return self.share_of_files >= _MOST


def profile_columns(columns: Sequence[str], frames: Iterable[pd.DataFrame]) -> dict[str, Profile]:
    """Return the profile of each column over all frames."""
    found = {column: Profile(column) for column in columns}
    for frame in frames:
        for column, profile in found.items():
            profile.add(frame[column])
    return found


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to be: the keys for its field, and the evidence in words."""

    keys: dict[str, str]
    evidence: str


def guess_type(profile: Profile) -> Guess:
    """Return the type that a column's cells prove; text, where they prove none."""
    if profile.emails:
        return Guess({"type": "email"}, _("e-mail addresses"))
    for guess in (_as_boolean, _as_date, _as_number):
        if found := guess(profile):
            return found
    return Guess({}, _("text, {count} different", count=len(profile.counts)))


def _as_date(profile: Profile) -> Guess | None:
    reader = DateTimeReader()
    reader.observe(text for text in profile.counts if text not in profile.typed)
    if not profile.mostly(lambda text: _reads(reader.read, profile.cell(text), unclear=True)):
        return None
    timed = profile.mostly(lambda text: _has_time(profile.cell(text)))
    kind = "datetime" if timed else "date"
    if reader.order:
        return Guess({"type": kind, "read": reader.order}, _("a day above 12 proves {order}", order=reader.order))
    if profile.mostly(lambda text: _reads(reader.read, profile.cell(text))):
        return Guess({"type": kind}, _("unambiguous dates"))
    return Guess({"type": kind}, _("dates, but none proves the order of day and month: add read"))


def _as_number(profile: Profile) -> Guess | None:
    if any(re.fullmatch(r"0\d+|\d{9,}", text) for text in profile.counts):
        return None  # leading zeros and many digits are identifiers, not numbers
    reader = NumberReader()
    reader.observe(text for text in profile.counts if text not in profile.typed)
    if not profile.mostly(lambda text: _reads(reader.read, profile.cell(text))):
        return None
    if reader.sign:
        keys = {"type": "decimal", "decimal_sign": reader.sign}
        return Guess(keys, _("numbers; the column proves the decimal sign '{sign}'", sign=reader.sign))
    fractions = any("." in text for text in profile.typed)
    return Guess({"type": "decimal" if fractions else "integer"}, _("numbers"))


def _as_boolean(profile: Profile) -> Guess | None:
    if not 0 < len(profile.counts) <= 3 or not all(_reads(boolean, profile.cell(text)) for text in profile.counts):
        return None
    return Guess({"type": "boolean"}, _("yes or no"))


def _has_time(cell: str | Typed) -> bool:
    if isinstance(cell, str):
        return ":" in cell
    return any(getattr(cell.value, part, 0) for part in ("hour", "minute"))


def _reads(read: Callable[[str | Typed], object], cell: str | Typed, *, unclear: bool = False) -> bool:
    """Return whether a cell can be read; with `unclear`, also where only the order or sign is not proved."""
    try:
        read(cell)
    except Refused as refused:
        return unclear and refused.problem.code.endswith("-unclear")
    return True
