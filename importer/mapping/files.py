"""Which files a row names: in cells, by patterns, or in a table that lists files.

Nothing here decides whether a name may be used; whoever opens the files does. Names of patterns are found under
the attachments folder alone, links are not followed, and a cell's own `*` is no wildcard.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from importer.mapping.fields import TemplateField
from importer.mapping.tables import ListedFile
from importer.mapping.words import clean
from importer.model import Fault

if TYPE_CHECKING:
    import pandas as pd

_WILD = re.compile(r"[*?]")
_REGEX = {"*": "[^/]*", "?": "[^/]"}
NO_FILE = "\0"
"""What stands in no file's name: a pattern that holds it fits none."""

_WEB = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)


@dataclass(frozen=True)
class RowFile:
    """A cell's file names as they are written, the column that they came from, and what to call them."""

    column: str
    written: str
    names: tuple[str, ...]


@dataclass
class Files:
    """What names the files of a row. `folder` is where patterns look; `listed` has files by the text of `match`."""

    folder: Path
    columns: tuple[str, ...] = ()
    separator: str | None = None
    strip_prefix: str | None = None
    patterns: tuple[TemplateField, ...] = ()
    listed: Mapping[str, Sequence[ListedFile]] = field(default_factory=dict)
    match: str | None = None
    _tree: list[str] | None = None

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Every source column that is looked at."""
        inside = (column for pattern in self.patterns for column in pattern.columns)
        return (*self.columns, *inside, *((self.match,) if self.match else ()))

    def of_rows(self, frame: pd.DataFrame) -> dict[int, tuple[RowFile, ...]]:
        """Return the files that each row names, rows without any left out."""
        numbers = frame.index.tolist()
        found: dict[int, list[RowFile]] = {}
        for column in self.columns:
            for row, cell in zip(numbers, frame[column], strict=True):
                if not isinstance(cell, Fault) and (text := str(cell).strip()):
                    found.setdefault(row, []).append(self._written(column, text))
        for pattern in self.patterns:
            for row, name in self._matching(pattern, frame):
                found.setdefault(row, []).append(RowFile(pattern.column or "", name, (PurePath(name).name,)))
        if self.match:
            for row, cell in zip(numbers, frame[self.match], strict=True):
                for file in self.listed.get(clean(str(cell)), ()):
                    written = self._bare(file.path)
                    found.setdefault(row, []).append(RowFile(self.match, written, (_last_part(file.name),)))
        return {row: tuple(files) for row, files in found.items()}

    def addresses(self, frame: pd.DataFrame) -> Iterator[tuple[str, bool]]:
        """Yield the attachment columns that have filled cells, and whether all of them are addresses on the web."""
        for column in self.columns:
            if filled := [text for cell in frame[column] if (text := str(cell).strip())]:
                yield column, all(_WEB.match(text) for text in filled)

    def _written(self, column: str, text: str) -> RowFile:
        parts = text.split(self.separator) if self.separator else [text]
        names = tuple(self._bare(name) for part in parts if (name := part.strip()))
        written = (self.separator or "").join(names) if self.strip_prefix else text
        return RowFile(column, written, tuple(map(_last_part, names)))

    def _bare(self, name: str) -> str:
        return name.removeprefix(self.strip_prefix).lstrip("/\\") if self.strip_prefix else name

    def _matching(self, pattern: TemplateField, frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
        """Yield the files under the folder that each row's pattern fits, in the order of their names."""
        if self._tree is None:
            self._tree = sorted(_files_under(self.folder))
        for row, glob in zip(frame.index.tolist(), pattern.values(frame), strict=True):
            if isinstance(glob, str):
                yield from ((row, name) for name in _fitting(self._tree, glob))


def literal(cell: object) -> str:
    """Return a cell's text as a pattern holds it: its own `*` and `?` are no wildcards, and fit no file."""
    return _WILD.sub(NO_FILE, str(cell)).replace("\\", "/")


def _files_under(root: Path) -> Iterator[str]:
    for folder, _folders, names in os.walk(root):
        inside = PurePath(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in names)


def _fitting(tree: Sequence[str], glob: str) -> Iterator[str]:
    """Yield the names of a sorted list that a pattern fits; `*` and `?` stay inside one folder."""
    beginning = _WILD.split(glob, maxsplit=1)[0]
    pattern = re.compile("".join(_REGEX.get(part, re.escape(part)) for part in re.split(r"([*?])", glob)))
    for place in range(bisect_left(tree, beginning), len(tree)):
        if not tree[place].startswith(beginning):
            return
        if pattern.fullmatch(tree[place]):
            yield tree[place]


def _last_part(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]
