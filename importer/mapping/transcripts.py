"""The attachment that is made of rows of another table: its name, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.fields import TemplateField
from importer.mapping.other_rows import JoinedRows
from importer.mapping.refusal import CellProblem

if TYPE_CHECKING:
    import pandas as pd

HTML_ENDINGS, TEXT_ENDINGS = (".html", ".htm"), (".txt",)
"""What the name of a transcript ends with, by which it is a small page or a text."""

_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True, slots=True)
class TranscriptText:
    """What a transcript says: the texts of its rows, which may be read more than once, or what is wrong with them."""

    name: str
    texts: Callable[[], Iterator[str]]
    separator: str
    is_html: bool
    problem: CellProblem | None = None


@dataclass
class Transcript:
    """Makes the transcripts of a source: `name` is filled from its columns, `rows` are those of the other table."""

    name: TemplateField
    rows: JoinedRows
    separator: str
    is_html: bool = False

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that is used."""
        return (*self.name.columns, self.rows.match)

    def of_keys(self, frame: pd.DataFrame, keys: Sequence[Sequence[bytes]]) -> dict[int, TranscriptText]:
        """Return the transcripts of the rows that have any; each row has these keys."""
        names = self.name.values(frame)
        made: dict[int, TranscriptText] = {}
        for row, name, own in zip(frame.index.tolist(), names, keys, strict=True):
            problem = name if isinstance(name, CellProblem) else self.rows.fault(own)
            if problem is not None or any(True for _text in self.rows.texts(own)):
                written = _safe(str(name)) if isinstance(name, str) else self.rows.place
                made[row] = TranscriptText(written, self._reader(own), self.separator, self.is_html, problem)
        return made

    def _reader(self, keys: Sequence[bytes]) -> Callable[[], Iterator[str]]:
        return lambda: self.rows.texts(keys)


def _safe(name: str) -> str:
    """Return a name without what no file's name may have: it is of cells."""
    return _NOT_IN_NAMES.sub("_", name).strip()
