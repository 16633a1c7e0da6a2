"""Who each row of a source is: by its key, its content, or the reference that a report of ours gave it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from importer import identity
from importer.identity import Scope
from importer.journal import ImportRecord, Journal, KnownRow
from importer.keys import KeyBook, Occurrences, key_parts, prefix
from importer.messages import _
from importer.model import Attachment, Issue

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Memory:
    """What the journal knows of one import; without a journal, or before the first run, nothing."""

    journal: Journal | None = None
    record: ImportRecord | None = None

    @property
    def is_kept(self) -> bool:
        """Whether a journal will remember the rows: nobody else asks what they hold."""
        return self.journal is not None

    def opened(self) -> tuple[Journal, ImportRecord]:
        """Return the journal and the import; raises ValueError where there is none to remember anything."""
        if self.journal is None or self.record is None:
            raise ValueError("nothing is remembered here")
        return self.journal, self.record

    def known(self, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what is known of these keys, by key digest."""
        return self.journal.rows.known(self.record.id, key_digests) if self.journal and self.record else {}

    def by_reference(self, references: Sequence[str]) -> dict[str, KnownRow]:
        """Return what is known of these references, by reference."""
        return self.journal.rows.by_reference(self.record.id, references) if self.journal and self.record else {}

    def similar(self, loose_digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the key digests that the journal has under these loose digests."""
        return self.journal.rows.similar(self.record.id, loose_digests) if self.journal and self.record else {}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A row beside what the journal knows of it; `digest` is empty where nobody can tell who the row is.

    `mark` is what the rows of one source are told apart by.
    """

    mark: str = ""
    digest: str = ""
    loose: str = ""
    reference: str = ""
    known: KnownRow | None = None


class Recogniser:
    """Recognises the rows of one source, once `remember` has seen all of them.

    `key_columns` are empty under `key: content`. `reference_column` is the column of references where the source is a
    report of ours.
    """

    def __init__(
        self,
        scope: Scope,
        memory: Memory,
        columns: Sequence[str],
        key_columns: Sequence[str],
        reference_column: str | None,
    ) -> None:
        self._scope, self._memory = scope, memory
        self._columns, self._key_columns, self._reference_column = columns, key_columns, reference_column
        self._book = KeyBook()
        self._occurrences = Occurrences()
        self.repeated: Mapping[str, tuple[int, ...]] = {}
        self._similar: Mapping[int, tuple[int, ...]] = {}

    @property
    def _by_reference(self) -> bool:
        """Whether rows have no key of their own and carry the reference that an earlier run gave them."""
        return self._reference_column is not None and not self._key_columns

    def keys(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        """Return what makes each row itself, empty where that is blank; to be called once a frame, from the top."""
        if self._key_columns:
            return key_parts(frame, self._key_columns)
        if self._by_reference:
            return key_parts(frame, [str(self._reference_column)])
        rows = zip(*(map(identity.canonical, frame[column]) for column in self._columns), strict=True)
        return [identity.content_key(cells, self._occurrences.next(cells)) for cells in rows]

    def remember(self, frame: pd.DataFrame, keys: Sequence[tuple[str, ...]], skipped: Collection[int]) -> None:
        """Take the keys of a frame into account, but for the rows that are passed over."""
        numbers = frame.index.tolist()
        self._book.add(numbers, [() if row in skipped else key for row, key in zip(numbers, keys, strict=True)])

    def all_seen(self) -> None:
        """Say that every frame was remembered: repeated and similar keys are known from here on."""
        self.repeated = self._book.repeated()
        self._similar = self._book.similar() if self._key_columns else {}

    def recognise(
        self, frame: pd.DataFrame, keys: Sequence[tuple[str, ...]], skipped: Collection[int]
    ) -> list[Recognised]:
        """Set each row beside what the journal knows of it; a row that another stands for is nobody."""
        recognised = self._recognise(keys)
        numbers = frame.index.tolist()
        left_out = [row.mark for number, row in zip(numbers, recognised, strict=True) if number in skipped and row.mark]
        elsewhere = self._book.borne(left_out) if left_out else set()
        return [
            Recognised() if number in skipped and row.mark in elsewhere else row
            for number, row in zip(numbers, recognised, strict=True)
        ]

    def _recognise(self, keys: Sequence[tuple[str, ...]]) -> list[Recognised]:
        if self._by_reference:
            known = self._memory.by_reference([key[0] for key in keys if key])
            return [self._from_report(key[0], known.get(key[0])) if key else Recognised() for key in keys]
        named = [(identity.key_digest(key), identity.loose_digest(key)) if key else ("", "") for key in keys]
        known = self._memory.known([digest for digest, _loose in named if digest])
        return [
            Recognised(prefix(digest), digest, loose, identity.reference(self._scope, digest), known.get(digest))
            if digest
            else Recognised()
            for digest, loose in named
        ]

    def _from_report(self, reference: str, known: KnownRow | None) -> Recognised:
        """Recognise a row by its reference alone; one that the journal does not know is nobody's."""
        digest = identity.key_digest([reference])
        if known is not None:
            return Recognised(prefix(digest), known.key_digest, "", reference, known)
        foreign = self._memory.record is not None
        return Recognised(prefix(digest), "" if foreign else digest, "", reference)

    def is_repeated(self, row: Recognised) -> bool:
        """Tell whether other rows have the key of this one, too."""
        return row.mark in self.repeated

    def prefixes(self, frame: pd.DataFrame, recognised: Sequence[Recognised]) -> pd.Series[str]:
        """Return what `repeated` calls each row's key, empty where there is none."""
        return pd.Series([row.mark for row in recognised], index=frame.index, dtype=object)

    def issues(
        self, frame: pd.DataFrame, keys: Sequence[tuple[str, ...]], recognised: Sequence[Recognised]
    ) -> Iterator[Issue]:
        """Yield what is doubtful about who a row is."""
        numbers = frame.index.tolist()
        if self._reference_column is not None:
            cells = map(identity.canonical, frame[self._reference_column])
            for number, cell, row in zip(numbers, cells, recognised, strict=True):
                yield from self._reference_issues(number, cell, row)
        if self._key_columns:
            news = [row.loose for row in recognised if row.digest and row.known is None]
            taken = self._memory.similar(news)
            for number, key, row in zip(numbers, keys, recognised, strict=True):
                yield from self._similar_issues(number, key, row, taken)

    def _reference_issues(self, number: int, cell: str, row: Recognised) -> Iterator[Issue]:
        """Yield what is wrong with the reference that a report's row carries."""
        column = self._reference_column
        if self._key_columns:
            if cell and row.digest and cell != row.reference:
                message = _("{column} {cell} does not belong to this row's key", column=column, cell=cell)
                yield Issue(number, column, cell, "reference-edited", message, _UNDO_OR_COPY)
        elif not cell:
            message = _("{column} is empty, so nobody can tell which row this was", column=column)
            yield Issue(number, column, cell, "reference-missing", message, _UNDO_OR_COPY)
        elif others := self.repeated.get(row.mark, ()):
            rows = _listed([other for other in others if other != number])
            message = _("{column} {cell} stands in other rows too: {rows}", column=column, cell=cell, rows=rows)
            yield Issue(number, column, cell, "reference-repeated", message, _UNDO_OR_COPY)
        elif row.known is None and self._memory.record is not None:
            message = _("{column} {cell} is no reference of this import", column=column, cell=cell)
            yield Issue(number, column, cell, "reference-foreign", message, _UNDO_OR_COPY)

    def _similar_issues(
        self, number: int, key: tuple[str, ...], row: Recognised, taken: Mapping[str, set[str]]
    ) -> Iterator[Issue]:
        """Yield an issue where a new key is nearly another row's, in this sheet or in an earlier one."""
        if not row.digest or row.known is not None:
            return
        column, value = ", ".join(self._key_columns), " · ".join(key)
        if others := self._similar.get(number):
            rows = _listed(others)
            message = _("{column} '{value}' is nearly the key of rows {rows}", column=column, value=value, rows=rows)
            yield Issue(number, column, value, "key-similar", message, _SAME_OR_NOT)
        elif taken.get(row.loose, set()) - {row.digest}:
            message = _("{column} '{value}' is nearly a key that was imported before", column=column, value=value)
            yield Issue(number, column, value, "key-similar", message, _SAME_OR_NOT)


_UNDO_OR_COPY = _("Undo the edit, or copy the row from the report again; put new rows into a new file")
_SAME_OR_NOT = _(
    "They differ only by zeros, case, accents or spaces: write the key as it was written before, or, if these are two"
    " tickets, make their keys differ by more than that"
)


def _listed(rows: Sequence[int]) -> str:
    """Return row numbers for a sentence, the first few of many."""
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS]))
    more = len(rows) - _SHOWN_ROWS
    return shown if more <= 0 else _("{rows} and {more} more", rows=shown, more=more)


class Contents:
    """The canonical cells of a frame as they are hashed, for content hashes over any of its columns."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._columns: dict[str, list[bytes]] = {}
        self._chosen: dict[tuple[str, ...], list[tuple[bytes, ...]]] = {}

    def hash(self, position: int, columns: Sequence[str], attachments: Sequence[Attachment] | None) -> str:
        """Return the content hash of the row at `position` (from 0); a column that is not there is empty."""
        key = tuple(columns)
        if key not in self._chosen:
            cells = map(self._column, sorted(key))
            self._chosen[key] = list(zip(*cells, strict=True)) if key else [()] * len(self._frame)
        return identity.hash_of_written(self._chosen[key][position], attachments)

    def _column(self, name: str) -> list[bytes]:
        """Return the cells of a column, each with the column's name before it."""
        if name not in self._columns:
            cells = self._frame[name].tolist() if name in self._frame.columns else [""] * len(self._frame)
            before = identity.written(name)
            self._columns[name] = [before + identity.written(identity.canonical(cell)) for cell in cells]
        return self._columns[name]
