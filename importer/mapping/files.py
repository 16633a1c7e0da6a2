"""The files that a row names: in cells, by patterns, or in a table that lists files.

Whether a name may be used is decided where the file is opened. Patterns match names under the attachments folder only,
links are not followed, and a `*` in a cell is not a wildcard.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from importer.mapping.fields import TemplateField
from importer.mapping.tables import ListedFile
from importer.model import CellError
from importer.text import trimmed

if TYPE_CHECKING:
    import pandas as pd

_WILDCARD = re.compile(r"[*?]")
_REGEX = {"*": "[^/]*", "?": "[^/]"}
NO_FILE = "\0"
"""A character that no file name has: a pattern with it matches nothing."""

_WEB_ADDRESS = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)


@dataclass(frozen=True)
class RowFile:
    """A cell's file names as written, the column and the row that they are from, and their display names.

    `paths` are the same names with their folders. Two lines of a case that name the same files are equal.
    """

    column: str
    written: str
    names: tuple[str, ...]
    paths: tuple[str, ...]
    row: int = field(default=0, compare=False)


@dataclass
class Files:
    """What names the files of a row. `folder` is where patterns match; `listed` has files by the text of `match`."""

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
        """Every source column that is used."""
        inside = (column for pattern in self.patterns for column in pattern.columns)
        return (*self.columns, *inside, *((self.match,) if self.match else ()))

    def of_rows(self, frame: pd.DataFrame) -> dict[int, tuple[RowFile, ...]]:
        """Return the files of each row that names any."""
        numbers = frame.index.tolist()
        found: dict[int, list[RowFile]] = {}
        for column in self.columns:
            for row, cell in zip(numbers, frame[column], strict=True):
                if not isinstance(cell, CellError) and (text := str(cell).strip()):
                    found.setdefault(row, []).append(replace(self._in_cell(column, text), row=row))
        for pattern in self.patterns:
            for row, name in self._matching(pattern, frame):
                found.setdefault(row, []).append(
                    RowFile(pattern.column or "", name, (PurePath(name).name,), (name,), row)
                )
        if self.match:
            for row, cell in zip(numbers, frame[self.match], strict=True):
                for file in self.listed.get(trimmed(str(cell)), ()):
                    path = self._without_prefix(file.path)
                    found.setdefault(row, []).append(RowFile(self.match, path, (_base_name(file.name),), (path,), row))
        return {row: tuple(files) for row, files in found.items()}

    def addresses(self, frame: pd.DataFrame) -> Iterator[tuple[str, bool]]:
        """Yield the attachment columns with filled cells, and whether all of these are web addresses."""
        for column in self.columns:
            if filled := [text for cell in frame[column] if (text := str(cell).strip())]:
                yield column, all(_WEB_ADDRESS.match(text) for text in filled)

    def _in_cell(self, column: str, text: str) -> RowFile:
        parts = text.split(self.separator) if self.separator else [text]
        names = tuple(self._without_prefix(name) for part in parts if (name := part.strip()))
        written = (self.separator or "").join(names) if self.strip_prefix else text
        return RowFile(column, written, tuple(map(_base_name, names)), names)

    def _without_prefix(self, name: str) -> str:
        return name.removeprefix(self.strip_prefix).lstrip("/\\") if self.strip_prefix else name

    def _matching(self, pattern: TemplateField, frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
        """Yield the files under the folder that each row's pattern matches, in the order of their names."""
        if self._tree is None:
            self._tree = sorted(_files_under(self.folder))
        for row, glob in zip(frame.index.tolist(), pattern.values(frame), strict=True):
            if isinstance(glob, str):
                yield from ((row, name) for name in _matches(self._tree, glob))


def literal(cell: object) -> str:
    """Return a cell's text for use in a pattern: its own `*` and `?` are not wildcards, and match no file."""
    return _WILDCARD.sub(NO_FILE, str(cell)).replace("\\", "/")


def _files_under(root: Path) -> Iterator[str]:
    for folder, _folders, names in os.walk(root):
        inside = PurePath(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in names)


def _matches(tree: Sequence[str], glob: str) -> Iterator[str]:
    """Yield the names in a sorted list that a pattern matches; `*` and `?` stay inside one folder."""
    prefix = _WILDCARD.split(glob, maxsplit=1)[0]
    pattern = re.compile("".join(_REGEX.get(part, re.escape(part)) for part in re.split(r"([*?])", glob)))
    for index in range(bisect_left(tree, prefix), len(tree)):
        if not tree[index].startswith(prefix):
            return
        if pattern.fullmatch(tree[index]):
            yield tree[index]


def _base_name(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]
