"""What a row contains, as hashes over any of its columns and in any version of the reading, with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import pandas as pd

from importer import identity
from importer.attachments import FoundAttachments
from importer.journal import KnownRow
from importer.mapping import ROWS, Headings
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
        self._present = frozenset(frame.columns)
        self._found, self._secret, self._has_attachments = found, secret, has_attachments

    def hash(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the hash of a row's content over these columns, including its files if all of them can be sent."""
        return identity.hash_of_written(self._now.of(at, columns), self._attachments(self._numbers[at]))

    def is_same(self, at: int, known: KnownRow, now: str) -> bool:
        """Return whether a row has the content that the journal knows, as it reads now (`now`) or read in version 1.

        It has not as long as its case may have another one, from an update of which nobody knows whether it arrived.
        Rows of another table that the mapping chooses otherwise now cannot be compared: the other columns decide.
        """
        if known.row.update is not None and known.row.update.may_have_arrived:
            return False
        if self._lacks(known.columns):
            return not self.edited(at, known)
        recorded = known.row.content_hash
        if identity.same_content(recorded, now):
            return True
        before = self._before.of(at, known.columns)
        return identity.same_content(recorded, identity.hash_of_written(before, self._attachments(self._numbers[at])))

    def column_digests(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the digests of a row's columns, by which the journal can tell later which of them were edited."""
        return identity.column_digests(self._now.of(at, columns), self._secret)

    def edited(self, at: int, known: KnownRow) -> tuple[str, ...] | None:
        """Return the columns that differ from what the journal knows, None where it has no digests of them.

        So do those that differ from what an update carried which may have arrived. Where rows of another table differ,
        that is the field which is made of them.
        """
        if not known.column_digests:
            return None
        last = known.row.update
        others = (last.columns, last.column_digests) if last is not None and last.may_have_arrived else ((), "")
        both = ((known.columns, known.column_digests), others)
        found = (self._edited(at, names, before) for names, before in both)
        return tuple(dict.fromkeys(chain.from_iterable(found)))

    def _edited(self, at: int, columns: tuple[str, ...], before: str) -> Iterator[str]:
        """Yield the columns that differ from their digests `before`, but for those of which nothing is known now."""
        lacking = self._lacks(columns)
        for column in identity.edited_columns(columns, before, self.column_digests(at, columns)):
            if column not in lacking:
                yield column.partition(ROWS)[0]

    def _lacks(self, columns: Sequence[str]) -> frozenset[str]:
        """Return the columns that stand for rows of another table, of which nothing is known now."""
        return frozenset(column for column in columns if ROWS in column and column not in self._present)

    def _attachments(self, number: int) -> Sequence[Attachment] | None:
        if not self._has_attachments:
            return None
        files = self._found.get(number)
        if files is None:
            return ()
        of_disk = tuple(file for file in files.attachments if file.made is None)  # what is made counts by its rows
        return None if files.issues or files.missing else of_disk


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
