"""What a column's cells show: how many differ, and whether they are options, addresses or names of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importer.mapping.converters.types import address
from importer.model import CellError, Typed

if TYPE_CHECKING:
    import pandas as pd

_EMAIL = re.compile(r"[^\s@;,]+@[^\s@;,]+\.[^\s@;,]+")
_FILE = re.compile(r"(?!\w+://)[^\n;|,]+\.(?P<ending>(?=\w*[A-Za-z])[A-Za-z0-9]{2,5})")
_KNOWN = """pdf doc docx docm odt rtf txt md xls xlsx xlsm xlsb ods csv tsv ppt pptx pps odp jpg jpeg jfif png gif bmp
 tif tiff webp heic svg mp3 wav ogg oga opus m4a aac wma amr mp4 avi mov mkv webm 3gp mpg mpeg wmv zip rar 7z
 gz tar tgz eml msg html htm mht xml json log vsd vsdx dwg p7s p7m xps epub ics vcf
"""
_ENDINGS = frozenset(_KNOWN.split())
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
        """Add the cells of one frame; equal cells are looked at once."""
        for cell, rows in Counter(cells).items():
            self.rows += rows
            text = str(cell).strip()
            if not text or isinstance(cell, CellError):
                continue
            self.filled += rows
            self._count_repeated(text, rows)
            if text in self.counts or len(self.counts) < _COUNTED:
                self.counts[text] += rows
                if isinstance(cell, Typed):
                    self.typed[text] = cell

    def _count_repeated(self, text: str, rows: int) -> None:
        """Count a text that is in an earlier cell; a column of long texts is not a key, so these are not remembered."""
        if len(text) > _LONGEST_KEY:
            self._long = True
            self._seen.clear()
        elif not self._long:
            digest = hash(text)
            self.repeated += rows - 1 + (digest in self._seen)
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

    @property
    def is_free_text(self) -> bool:
        """Whether the texts are sentences: most rows differ, and most texts have several words."""
        words = sum(len(text.split()) > 1 and any(map(str.isalpha, text)) for text in self.counts)
        return len(self.counts) * 2 > self.filled and words * 2 > len(self.counts)

    def mean_length(self) -> float:
        """Return how long the texts are, on average."""
        return sum(map(len, self.counts)) / len(self.counts) if self.counts else 0.0

    def mostly(self, fits: Callable[[str], object], share: float = _MOST) -> bool:
        """Return whether the texts of most rows fit; once too many do not, no others are tried."""
        total = fitting = self.counts.total()
        for text, rows in self.counts.items():
            if not fits(text):
                fitting -= rows
                if fitting < share * total:
                    return False
        return fitting > 0

    @property
    def emails(self) -> bool:
        """Whether the column holds e-mail addresses."""
        return self.mostly(_is_address)

    @property
    def half_emails(self) -> bool:
        """Whether at least half of the cells are e-mail addresses, so that the others are probably faults."""
        return self.mostly(_is_address, 0.5)

    @property
    def separator(self) -> str | None:
        """The separator between several file names in a cell; None where each cell has one, if with a comma in it."""
        return next((sign for sign in _SEPARATORS if any(_lists_files(text, sign) for text in self.counts)), None)

    def parts(self) -> list[str]:
        """Return the distinct texts, or their parts where cells have a separator."""
        sign = self.separator
        cells = (text.split(sign) if sign else [text] for text in self.counts)
        return [part for cell in cells for text in cell if (part := text.strip())]

    def share_of_files(self, *, known_endings: bool = True) -> float:
        """Return the share of the texts that look like file names, from 0 to 1; `15.101.528` is a number."""
        parts = self.parts()
        named = sum(is_file_name(part, known_endings=known_endings) for part in parts)
        return named / len(parts) if parts else 0.0

    @property
    def files(self) -> bool:
        """Whether the cells look like file names."""
        return self.share_of_files() >= _MOST


def _is_address(text: str) -> bool:
    """Return whether a cell has an e-mail address, also as a link."""
    return _EMAIL.fullmatch(address(text)) is not None


def _lists_files(text: str, sign: str) -> bool:
    """Return whether a text lists several names of files, with a sign between them."""
    parts = [part for each in text.split(sign) if (part := each.strip())]
    return len(parts) > 1 and all(is_file_name(part, known_endings=False) for part in parts)


def is_file_name(text: str, *, known_endings: bool = True) -> bool:
    """Return whether a text looks like a file's name; without `known_endings`, any ending with a letter will do."""
    found = _FILE.fullmatch(text)
    if found is None or _is_address(text):
        return False
    return not known_endings or found["ending"].lower() in _ENDINGS


def profile_columns(
    columns: Sequence[str], frames: Iterable[pd.DataFrame], without: Collection[int] = ()
) -> dict[str, Profile]:
    """Return the profile of each column over all frames, but for the rows `without`."""
    found = {column: Profile(column) for column in columns}
    for frame in frames:
        body = frame.drop(index=[row for row in without if row in frame.index]) if without else frame
        for column, profile in found.items():
            profile.add(body[column].tolist())
    return found
