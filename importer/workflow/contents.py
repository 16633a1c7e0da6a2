"""What a row contains, as hashes over any of its columns and in any version of the reading, with its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from importer import identity
from importer.attachments import AttachmentFolder, FoundAttachments
from importer.model import Attachment, Cell, earlier_reading
from importer.text import column_name


class Contents:
    """The canonical cells of a frame, for content hashes over any of its columns.

    They are as a person sees them, or, with `version_1`, as version 1 read and recorded them: that of a row which
    reads as it did is one or the other.
    """

    def __init__(self, frame: pd.DataFrame, *, version_1: bool = False) -> None:
        self._frame = frame
        self._text: Callable[[Cell], str] = _of_version_1 if version_1 else identity.canonical_key
        self._names = {column_name(name): name for name in reversed(frame.columns)}
        self._columns: dict[str, list[bytes]] = {}
        self._chosen: dict[tuple[str, ...], list[tuple[bytes, ...]]] = {}

    def hash(self, position: int, columns: Sequence[str], attachments: Sequence[Attachment] | None) -> str:
        """Return the content hash of the row at `position` (from 0); a missing column counts as empty."""
        key = tuple(columns)
        if key not in self._chosen:
            cells = map(self._column, sorted(key))
            self._chosen[key] = list(zip(*cells, strict=True)) if key else [()] * len(self._frame)
        return identity.hash_of_written(self._chosen[key][position], attachments)

    def _column(self, name: str) -> list[bytes]:
        """Return the cells of a column, each preceded by the column's name."""
        if name not in self._columns:
            present = name if name in self._frame.columns else self._names.get(column_name(name))
            cells: Sequence[Cell] = self._frame[present].tolist() if present is not None else [""] * len(self._frame)
            before = identity.written(name)
            self._columns[name] = [before + identity.written(self._text(cell)) for cell in cells]
        return self._columns[name]


def _of_version_1(cell: Cell) -> str:
    return identity.canonical(earlier_reading(cell))


class RowContents:
    """The content of the rows of a frame, including their files if the mapping has attachments."""

    def __init__(
        self,
        contents: Contents,
        numbers: pd.Index,
        found: Mapping[int, FoundAttachments],
        folder: AttachmentFolder | None,
    ) -> None:
        self._contents, self._found = contents, found
        self._numbers, self._has_attachments = numbers.tolist(), folder is not None

    def hash(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the hash of a row's content over these columns, including its files if all of them can be sent."""
        return self._contents.hash(at, columns, self._attachments(self._numbers[at]))

    def _attachments(self, number: int) -> Sequence[Attachment] | None:
        files = self._found.get(number)
        if files is None:
            return () if self._has_attachments else None
        return None if files.issues or files.missing else files.attachments
