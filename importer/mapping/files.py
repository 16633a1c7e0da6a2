"""The files that a row names: in cells, by patterns, or in a table that lists files.

Whether a name may be used is decided where the file is opened. Patterns match names under the attachments folder, or
in its zip file, only; links are not followed, and a `*` in a cell is not a wildcard.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from importer.mapping.fields import TemplateField
from importer.mapping.tables import ListedFile
from importer.model import CellError
from importer.system.files import open_ordinary
from importer.system.zips import NOT_READABLE, ZipFolder
from importer.text import trimmed, unaccented

if TYPE_CHECKING:
    import pandas as pd

_WILDCARD = re.compile(r"[*?]")
_REGEX = {"*": "[^/]*", "?": "[^/]"}
_WINDOWS = re.compile(r"[A-Za-z]:|//")
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
    strip_prefix: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    patterns: tuple[TemplateField, ...] = ()
    listed: Mapping[str, Sequence[ListedFile]] = field(default_factory=dict)
    match: str | None = None
    _tree: list[str] | None = None
    _means_none: frozenset[str] = field(init=False)
    _prefixes: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what is compared with every name."""
        self._means_none = frozenset(map(unaccented, self.none))
        self._prefixes = _beginnings(self.strip_prefix) if self.strip_prefix else None

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
                if not isinstance(cell, CellError) and (file := self._in_cell(row, column, str(cell).strip())):
                    found.setdefault(row, []).append(file)
        for pattern in self.patterns:
            for row, name in self._matching(pattern, frame):
                found.setdefault(row, []).append(
                    RowFile(pattern.column or "", name, (PurePath(name).name,), (name,), row)
                )
        if self.match:
            for row, cell in zip(numbers, frame[self.match], strict=True):
                for listed in self.listed.get(trimmed(str(cell)), ()):
                    path = self._without_prefix(listed.path)
                    name = _base_name(listed.name)
                    found.setdefault(row, []).append(RowFile(self.match, path, (name,), (path,), row))
        return {row: tuple(files) for row, files in found.items()}

    def addresses(self, frame: pd.DataFrame) -> Iterator[tuple[str, bool]]:
        """Yield the attachment columns with filled cells, and whether all of these are web addresses."""
        for column in self.columns:
            if filled := [text for cell in frame[column] if not self._is_none(text := str(cell).strip())]:
                yield column, all(_WEB_ADDRESS.match(text) for text in filled)

    def _is_none(self, text: str) -> bool:
        return not text or unaccented(text) in self._means_none

    def _in_cell(self, row: int, column: str, text: str) -> RowFile | None:
        """Return the files that a cell names, None where its words mean that there are none."""
        if self._is_none(text):
            return None
        parts = [part.strip() for part in (text.split(self.separator) if self.separator else [text])]
        names = tuple(self._without_prefix(part) for part in parts if not self._is_none(part))
        as_it_is = self._prefixes is None and len(names) == sum(map(bool, parts))
        written = text if as_it_is else (self.separator or "").join(names)
        return RowFile(column, written, tuple(map(_base_name, names)), names, row) if names else None

    def _without_prefix(self, name: str) -> str:
        """Return a path without the beginning that the mapping names; that of another computer stays whole."""
        if self._prefixes is None or (_WINDOWS.match(name.replace("\\", "/")) and not self._prefixes.match(name)):
            return name
        return self._prefixes.sub("", name).lstrip("/\\")

    def _matching(self, pattern: TemplateField, frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
        """Yield the files under the folder that each row's pattern matches, in the order of their names."""
        if self._tree is None:
            self._tree = sorted(_files_under(self.folder))
        for row, glob in zip(frame.index.tolist(), pattern.values(frame), strict=True):
            if isinstance(glob, str):
                yield from ((row, name) for name in _matches(self._tree, glob))


def _beginnings(prefixes: Sequence[str]) -> re.Pattern[str]:
    """Return what finds any of these at the beginning of a path: of several, the longest.

    Both slashes are the same; letters are where they are on Windows, after a drive or the name of a computer. A path
    of folders ends where the name of its last folder does: `Z:/Soportes` is no beginning of `Z:/Soportes 2026/a.pdf`.
    """
    texts = sorted((prefix.replace("\\", "/") for prefix in prefixes), key=len, reverse=True)
    patterns = []
    for text in filter(None, texts):
        escaped = re.escape(text)
        ends = "(?=/|\\Z)" if "/" in text.rstrip("/") and not text.endswith("/") else ""
        patterns.append((rf"(?i:{escaped})" if _WINDOWS.match(text) else escaped) + ends)
    return re.compile(rf"\A(?:{'|'.join(patterns)})".replace("/", r"[/\\]"))


def literal(cell: object) -> str:
    """Return a cell's text for use in a pattern: its own `*` and `?` are not wildcards, and match no file."""
    return _WILDCARD.sub(NO_FILE, str(cell)).replace("\\", "/")


def _files_under(root: Path) -> Iterator[str]:
    """Yield the path of every file under a folder, or in a zip file; one that cannot be read has none."""
    if root.is_file():
        with suppress(*NOT_READABLE), open_ordinary(root) as file:
            yield from ZipFolder(file).paths()
        return
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
