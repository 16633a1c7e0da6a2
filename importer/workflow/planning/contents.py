"""What a row contains, as hashes over any of its columns and in any version of the reading, with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TypeAlias

import pandas as pd

from importer import identity
from importer.attachments import FoundAttachments
from importer.commands import told
from importer.journal import KnownRow
from importer.mapping import LAST_LINE, ROWS, CaseMapping, Headings
from importer.messages import ngettext
from importer.model import Attachment, Cell, earlier_reading
from importer.text import column_name

Renamed: TypeAlias = tuple[tuple[str, str], ...]
"""Columns as they are recorded, each with the header that it has now."""

_SAMPLE = 500
"""About how many known rows of a frame tell which columns were renamed; each row is then compared by itself."""


class RowContents:
    """The content of the rows of a frame, including their files if the mapping has attachments.

    `headings` tell which column of the sheet a recorded one is; `secret` is the key of the digests of columns.
    `columns` are the content now, and `known` has the known rows by their positions: where most of them have under
    another header what the journal knows of a column that is gone, it counts as that column. `renamed` are the rows
    that are the same because of that, by the column and its header now.
    """

    def __init__(  # noqa: PLR0913 - everything that the content of rows depends on
        self,
        frame: pd.DataFrame,
        headings: Headings,
        found: Mapping[int, FoundAttachments],
        secret: bytes,
        *,
        has_attachments: bool,
        columns: Sequence[str] = (),
        known: Mapping[int, KnownRow] = MappingProxyType({}),
    ) -> None:
        self._now = _Cells(frame, headings, identity.canonical_key)
        self._before = _Cells(frame, headings, _of_version_1)
        self._numbers: list[int] = frame.index.tolist()
        self._present = frozenset(frame.columns)
        self._found, self._secret, self._has_attachments = found, secret, has_attachments
        self._renamed = self._renamings(columns, known)
        self.renamed: dict[tuple[str, str], set[int]] = {}

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
        recorded, renamed = known.row.content_hash, self._renamed.get(known.columns, ())
        if not renamed and identity.same_content(recorded, now):
            return True
        attachments = self._attachments(self._numbers[at])
        is_same = any(
            identity.same_content(recorded, identity.hash_of_written(cells.of(at, known.columns, renamed), attachments))
            for cells in ((self._now, self._before) if renamed else (self._before,))
        )
        for name, heading in renamed if is_same else ():
            pair = name.removesuffix(LAST_LINE), heading.removesuffix(LAST_LINE)
            self.renamed.setdefault(pair, set()).add(self._numbers[at])
        return is_same

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
        cells = self._now.of(at, columns, self._renamed.get(tuple(columns), ()))
        for column in identity.edited_columns(columns, before, identity.column_digests(cells, self._secret)):
            if column not in lacking:
                yield column.partition(ROWS)[0]

    def _renamings(self, columns: Sequence[str], known: Mapping[int, KnownRow]) -> dict[tuple[str, ...], Renamed]:
        """Return which header each recorded column has now that is gone from sheet and mapping, by the recorded ones.

        Only rows with digests of their columns can tell. A header that the journal knows as another column is none.
        """
        alike: dict[tuple[str, ...], list[int]] = {}
        for at, row in known.items():
            if row.column_digests:
                alike.setdefault(row.columns, []).append(at)
        found = {}
        for recorded, rows in alike.items():
            places = {name: self._now.place(name) for name in recorded if ROWS not in name}
            gone = [name for name, place in places.items() if place is None]
            free = [
                name for name in columns if ROWS not in name and self._now.place(name) not in {None, *places.values()}
            ]
            sample = rows[:: len(rows) // _SAMPLE + 1]
            counted = {
                (name, heading): self._shares(name, heading, {at: known[at] for at in sample})
                for name in gone
                for heading in free
                if name.endswith(LAST_LINE) == heading.endswith(LAST_LINE)
            }
            if renamed := _pairs(counted):
                found[recorded] = renamed
        return found

    def _shares(self, name: str, heading: str, known: Mapping[int, KnownRow]) -> float:
        """Return in which share of the known rows that have a text in a recorded column another one has it now."""
        blank = identity.column_digests([identity.written(name) + identity.written("")], self._secret)
        before = {at: identity.column_digest(row.columns, row.column_digests, name) for at, row in known.items()}
        filled = {at: digest for at, digest in before.items() if digest != blank}
        same = sum(
            digest
            in {
                identity.column_digests(cells.of(at, (name,), ((name, heading),)), self._secret)
                for cells in (self._now, self._before)
            }
            for at, digest in filled.items()
        )
        return same / len(filled) if filled else 0.0

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


def renamed_notes(renamed: Mapping[tuple[str, str], int], mapping: CaseMapping) -> Iterator[str]:
    """Yield that columns count as renamed, and in how many rows, with the line of the mapping that says so for good."""
    line = mapping.headings_line(renamed)
    for (name, heading), rows in renamed.items():
        columns = {"column": name, "heading": heading}
        yield told(
            ngettext(
                "The column {column} is gone, and {heading} has its text in {count} row that was sent before: it counts"
                " as the same column, renamed. To say so for good, write under `source` of the mapping: `{line}`.",
                "The column {column} is gone, and {heading} has its texts in {count} rows that were sent before: it"
                " counts as the same column, renamed. To say so for good, write under `source` of the mapping:"
                " `{line}`.",
                rows,
                line=line,
                **columns,
            ),
            ngettext(
                "The column {column} is gone, and {heading} has its text in {count} row that was sent before: it counts"
                " as the same column, renamed.",
                "The column {column} is gone, and {heading} has its texts in {count} rows that were sent before: it"
                " counts as the same column, renamed.",
                rows,
                **columns,
            ),
        )


class _Cells:
    """The canonical cells of a frame in one version of the reading, for hashes over any of its columns."""

    def __init__(self, frame: pd.DataFrame, headings: Headings, text: Callable[[Cell], str]) -> None:
        self._frame, self._headings, self._text = frame, headings, text
        self._names = {column_name(name): name for name in reversed(frame.columns)}
        self._columns: dict[tuple[str, str], list[bytes]] = {}
        self._chosen: dict[tuple[tuple[str, ...], Renamed], list[tuple[bytes, ...]]] = {}

    def of(self, position: int, columns: Sequence[str], renamed: Renamed = ()) -> tuple[bytes, ...]:
        """Return the cells of the row at `position` (from 0) as they are hashed, in the order of their columns' names.

        A missing column counts as empty, unless it is `renamed`.
        """
        key = tuple(columns), renamed
        if key not in self._chosen:
            headings = dict(renamed)
            cells = [self._column(name, headings.get(name, name)) for name in sorted(columns)]
            self._chosen[key] = list(zip(*cells, strict=True)) if cells else [()] * len(self._frame)
        return self._chosen[key][position]

    def place(self, name: str) -> str | None:
        """Return the column of the frame that a recorded one is, None where it is gone."""
        present = name if name in self._frame.columns else self._names.get(column_name(name))
        return present or self._headings.column(name)

    def _column(self, name: str, heading: str) -> list[bytes]:
        """Return the cells of the column with a heading, each preceded by the name under which it is recorded."""
        if (name, heading) not in self._columns:
            present = self.place(heading)
            cells: Sequence[Cell] = self._frame[present].tolist() if present is not None else [""] * len(self._frame)
            before = identity.written(name)
            self._columns[name, heading] = [before + identity.written(self._text(cell)) for cell in cells]
        return self._columns[name, heading]


def _pairs(shares: Mapping[tuple[str, str], float]) -> Renamed:
    """Return each column with the heading that has its cells in the most rows, if that is more than half of them."""
    found: dict[str, str] = {}
    for (name, heading), share in sorted(shares.items(), key=lambda item: -item[1]):
        if share > 0.5 and name not in found and heading not in found.values():
            found[name] = heading
    return tuple(found.items())


def _of_version_1(cell: Cell) -> str:
    return identity.canonical(earlier_reading(cell))
