"""What a row contains, as hashes over any of its columns and in any version of the reading, with its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from importer import identity
from importer.attachments import FoundAttachments
from importer.journal import KnownRow
from importer.mapping import Headings
from importer.model import Attachment, Cell, earlier_reading
from importer.text import column_name


class RowContents:
    """The content of the rows of a frame, including their files if the mapping has attachments.

    `headings` tell which column of the sheet a recorded one is; `secret` is the key of the digests of columns.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        headings: Headings,
        found: Mapping[int, FoundAttachments],
        secret: bytes,
        *,
        has_attachments: bool,
    ) -> None:
        self._now = _Cells(frame, headings, identity.canonical_key)
        self._before = _Cells(frame, headings, _of_version_1)
        self._numbers: list[int] = frame.index.tolist()
        self._found, self._secret, self._has_attachments = found, secret, has_attachments

    def hash(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the hash of a row's content over these columns, including its files if all of them can be sent."""
        return identity.hash_of_written(self._now.of(at, columns), self._attachments(self._numbers[at]))

    def is_same(self, at: int, known: KnownRow, now: str) -> bool:
        """Return whether a row has the content that the journal knows, as it reads now (`now`) or read in version 1."""
        recorded = known.row.content_hash
        if identity.same_content(recorded, now):
            return True
        before = self._before.of(at, known.columns)
        return identity.same_content(recorded, identity.hash_of_written(before, self._attachments(self._numbers[at])))

    def column_digests(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the digests of a row's columns, by which the journal can tell later which of them were edited."""
        return identity.column_digests(self._now.of(at, columns), self._secret)

    def edited(self, at: int, known: KnownRow) -> tuple[str, ...] | None:
        """Return the columns that differ from what the journal knows, None where it has no digests of them."""
        if not known.column_digests:
            return None
        return identity.edited_columns(known.columns, known.column_digests, self.column_digests(at, known.columns))

    def _attachments(self, number: int) -> Sequence[Attachment] | None:
        files = self._found.get(number)
        if files is None:
            return () if self._has_attachments else None
        return None if files.issues or files.missing else files.attachments


class _Cells:
    """The canonical cells of a frame in one version of the reading, for hashes over any of its columns."""

    def __init__(self, frame: pd.DataFrame, headings: Headings, text: Callable[[Cell], str]) -> None:
        self._frame, self._headings, self._text = frame, headings, text
        self._names = {column_name(name): name for name in reversed(frame.columns)}
        self._columns: dict[str, list[bytes]] = {}
        self._chosen: dict[tuple[str, ...], list[tuple[bytes, ...]]] = {}

    def of(self, position: int, columns: Sequence[str]) -> tuple[bytes, ...]:
        """Return the cells of the row at `position` (from 0) as they are hashed, in the order of their columns' names.

        A missing column counts as empty.
        """
        key = tuple(columns)
        if key not in self._chosen:
            cells = map(self._column, sorted(key))
            self._chosen[key] = list(zip(*cells, strict=True)) if key else [()] * len(self._frame)
        return self._chosen[key][position]

    def _column(self, name: str) -> list[bytes]:
        """Return the cells of a column, each preceded by the column's name."""
        if name not in self._columns:
            present = name if name in self._frame.columns else self._names.get(column_name(name))
            present = present or self._headings.column(name)
            cells: Sequence[Cell] = self._frame[present].tolist() if present is not None else [""] * len(self._frame)
            before = identity.written(name)
            self._columns[name] = [before + identity.written(self._text(cell)) for cell in cells]
        return self._columns[name]


def _of_version_1(cell: Cell) -> str:
    return identity.canonical(earlier_reading(cell))
