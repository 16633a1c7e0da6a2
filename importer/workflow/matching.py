"""Who each row of a source is: by its key, its content, or the reference that a report of ours gave it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from importer import identity
from importer.identity import Scope
from importer.journal import ImportRecord, Journal, KnownRow
from importer.messages import _
from importer.model import Attachment, Issue
from importer.workflow.keys import MOST_NAMED, KeyIndex, Keys, Occurrences, content_keys, keys_in, short_key
from importer.workflow.lookalikes import elaborate_spellings
from importer.workflow.plan import MAY_BE_CASES

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class ImportHistory:
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

    def runs_of(self, source_digest: str, mapping_digest: str) -> frozenset[int]:
        """Return the runs that were of this very source and mapping, read by this version of the program."""
        if self.journal is None or self.record is None:
            return frozenset()
        return self.journal.runs.alike(self.record.id, source_digest, mapping_digest)

    def similar(self, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the key digests that the journal has under these digests of spellings."""
        return self.journal.rows.similar(self.record.id, digests) if self.journal and self.record else {}

    def holders(self, scope: Scope, ids: Sequence[str]) -> dict[str, str]:
        """Return, by the ids of cases, the references of the rows of this tenant and operation that have them."""
        return self.journal.rows.holders(scope.tenant, scope.operation, ids) if self.journal and ids else {}

    @property
    def lacks_spellings(self) -> bool:
        """Whether rows of the import were noted by a version that noted no other spellings of their keys."""
        return self.record is not None and not self.record.notes_spellings


@dataclass(frozen=True, slots=True)
class MatchedRows:
    """The rows of a frame, in their order, beside what the journal knows of them.

    `key_digests` are empty where a row has no identity, `short_keys` tell the rows of one source apart.
    `loose_digests` are made for rows that the journal will remember. `known` and `spellings` (digests to be noted with
    new rows) are by a row's place, from 0.
    """

    short_keys: list[str]
    key_digests: list[str]
    loose_digests: list[str]
    references: list[str]
    known: dict[int, KnownRow]
    spellings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def forget(self, at: int) -> None:
        """Take a row's identity away."""
        self.short_keys[at] = self.key_digests[at] = ""
        self.known.pop(at, None)


class RowMatcher:
    """Recognises the rows of one source, once `remember` has seen all of them.

    `key_columns` are empty under `key: content`. `reference_column` is the column of references where the source is a
    report of ours, `id_column` the one of the ids of cases, a person's own too, where rows are to be judged by it.
    """

    def __init__(  # noqa: PLR0913 - all by which a row may be known
        self,
        scope: Scope,
        history: ImportHistory,
        columns: Sequence[str],
        key_columns: Sequence[str],
        reference_column: str | None,
        *,
        id_column: str | None = None,
    ) -> None:
        self._id_column = id_column
        self._scope, self._history = scope, history
        self._columns, self._key_columns, self._reference_column = columns, key_columns, reference_column
        self._index = KeyIndex()
        self._occurrences = Occurrences()
        self.repeated: Mapping[str, tuple[int, ...]] = {}
        self._similar: Mapping[int, tuple[int, ...]] = {}

    @property
    def _by_reference(self) -> bool:
        """Whether rows have no key of their own and carry the reference that an earlier run gave them."""
        return self._reference_column is not None and not self._key_columns

    def keys(self, frame: pd.DataFrame) -> Keys:
        """Return what makes each row itself, empty where that is blank; to be called once a frame, from the top."""
        if self._key_columns:
            return keys_in(frame, self._key_columns)
        if self._by_reference:
            return keys_in(frame, [str(self._reference_column)])
        return content_keys(frame, self._columns, self._occurrences)

    def remember(self, frame: pd.DataFrame, keys: Keys, skipped: Collection[int]) -> None:
        """Take the keys of a frame into account, but for the rows that are passed over."""
        self._index.add(frame.index.tolist(), keys, skipped)

    def all_seen(self) -> None:
        """Say that every frame was remembered: repeated and similar keys are known from here on."""
        self.repeated = self._index.repeated()
        self._similar = self._index.similar() if self._key_columns else {}

    def match(self, frame: pd.DataFrame, keys: Keys, skipped: Collection[int]) -> MatchedRows:
        """Set each row beside what the journal knows of it; a skipped row whose key another row has gets no identity."""
        matched = self._from_report(keys) if self._by_reference else self._by_key(keys)
        short_keys = matched.short_keys
        left_out = [at for at, number in enumerate(frame.index.tolist()) if number in skipped and short_keys[at]]
        elsewhere = self._index.present([short_keys[at] for at in left_out]) if left_out else set()
        for at in left_out:
            if short_keys[at] in elsewhere:
                matched.forget(at)
        return matched

    def _by_key(self, keys: Keys) -> MatchedRows:
        """Match rows by their keys."""
        found = self._history.known(list(filter(None, keys.digests)))
        known = {at: found[digest] for at, digest in enumerate(keys.digests) if digest in found}
        is_kept = self._history.is_kept
        return MatchedRows(
            short_keys=list(map(short_key, keys.digests)),
            key_digests=list(keys.digests),
            loose_digests=[
                identity.loose_digest(parts) if is_kept and parts and at not in known else ""
                for at, parts in enumerate(keys.parts)
            ],
            references=[
                known[at].row.reference if at in known else identity.reference(self._scope, digest) if digest else ""
                for at, digest in enumerate(keys.digests)
            ],
            known=known,
            spellings={
                at: tuple([identity.spelling_digest(other.parts, bare=other.bare) for other in others])
                for at, others in keys.spellings.items()
                if is_kept and at not in known
            },
        )

    def _from_report(self, keys: Keys) -> MatchedRows:
        """Match rows by their references alone; those that the journal does not know get no identity."""
        references = [parts[0] if parts else "" for parts in keys.parts]
        known = self._history.by_reference(list(filter(None, references)))
        foreign = self._history.record is not None
        return MatchedRows(
            short_keys=list(map(short_key, keys.digests)),
            key_digests=[
                known[reference].key_digest if reference in known else "" if foreign else digest
                for reference, digest in zip(references, keys.digests, strict=True)
            ],
            loose_digests=[""] * len(references),
            references=references,
            known={at: known[reference] for at, reference in enumerate(references) if reference in known},
        )

    def repeated_in(self, rows: MatchedRows) -> list[int]:
        """Return the places of the rows whose keys other rows have, too."""
        return [at for at, short in enumerate(rows.short_keys) if short in self.repeated]

    def issues(self, frame: pd.DataFrame, keys: Keys, rows: MatchedRows) -> Iterator[Issue]:
        """Yield what is doubtful about who a row is."""
        numbers = frame.index.tolist()
        if self._reference_column is not None:
            for at, cell in enumerate(map(identity.canonical, frame[self._reference_column])):
                yield from self._reference_issues(numbers[at], cell, rows, at)
        yield from self._id_issues(frame, rows)
        if self._key_columns:
            news = [at for at, digest in enumerate(rows.key_digests) if digest and at not in rows.known]
            taken = self._taken(keys, rows, news) if self._history.record is not None else {}
            for at in news if taken or self._similar else ():
                yield from self._similar_issues(numbers[at], keys.parts[at], at, taken)

    def _reference_issues(self, number: int, cell: str, rows: MatchedRows, at: int) -> Iterator[Issue]:
        """Yield what is wrong with the reference that a report's row carries."""
        column = self._reference_column
        if self._key_columns:
            if cell and rows.key_digests[at] and cell != rows.references[at]:
                message = _("{column} {cell} does not belong to this row's key", column=column, cell=cell)
                yield Issue(number, column, cell, "reference-edited", message, _UNDO_OR_COPY)
        elif not cell:
            message = _("{column} is empty, so nobody can tell which row this was", column=column)
            yield Issue(number, column, cell, "reference-missing", message, _UNDO_OR_COPY)
        elif others := self.repeated.get(rows.short_keys[at], ()):
            listed = _listed(list(islice((other for other in others if other != number), MOST_NAMED)))
            message = _("{column} {cell} stands in other rows too: {rows}", column=column, cell=cell, rows=listed)
            yield Issue(number, column, cell, "reference-repeated", message, _UNDO_OR_COPY)
        elif at not in rows.known and self._history.record is not None:
            message = _("{column} {cell} is no reference of this import", column=column, cell=cell)
            yield Issue(number, column, cell, "reference-foreign", message, _UNDO_OR_COPY)

    def _id_issues(self, frame: pd.DataFrame, rows: MatchedRows) -> Iterator[Issue]:
        """Yield an issue where a row that is no case yet shows the id of another row's: it may be that row, edited."""
        column = self._id_column
        if column is None:
            return
        numbers = frame.index.tolist()
        shown = {at: text for at, cell in enumerate(frame[column]) if (text := str(cell).strip())}
        holders = self._history.holders(self._scope, list(dict.fromkeys(shown.values())))
        for at, wolkvox_id in shown.items() if holders else ():
            holder = holders.get(wolkvox_id)
            own = rows.known[at].row if at in rows.known else None
            if holder is None or (own and (own.reference == holder or own.status in MAY_BE_CASES)):
                continue
            message = _(
                "{column} {id} is the case of another row, {holder}", column=column, id=wolkvox_id, holder=holder
            )
            yield Issue(numbers[at], column, wolkvox_id, "id-of-another-row", message, _NO_ID_OR_UNDO)

    def _taken(self, keys: Keys, rows: MatchedRows, news: Sequence[int]) -> dict[int, str]:
        """Return, by the places of new rows, the spelling under which the journal knows a key that may be theirs.

        A key that another row of this sheet bears is another's, where only a guess says otherwise: one program shows
        all keys of a sheet.
        """
        asked = {at: list(self._asked(keys, rows, at)) for at in news}
        known = self._history.similar(list(dict.fromkeys(each.digest for all_ in asked.values() for each in all_)))
        found: dict[int, str] = {}
        for at, each in ((at, each) for at, all_ in asked.items() for each in all_ if each.digest in known):
            others = {short_key(digest) for digest in known[each.digest] - {rows.key_digests[at]}}
            if each.guessed:
                others -= self._index.present(list(others))
            if others:
                found.setdefault(at, each.shown)
        return found

    def _asked(self, keys: Keys, rows: MatchedRows, at: int) -> Iterator[_Asked]:
        """Yield everything by which the journal may know a row's key under another spelling."""
        parts = keys.parts[at]
        shown = " · ".join(parts)
        yield _Asked(rows.loose_digests[at], shown)
        yield _Asked(identity.spelling_digest(parts, bare=True), shown)
        for other in keys.spellings.get(at, ()):
            text = " · ".join(other.parts)
            yield _Asked(identity.loose_digest(other.parts), text)
            if not other.bare:
                yield _Asked(identity.spelling_digest(other.parts, bare=True), text)
        for plain in (parts, *(other.parts for other in keys.spellings.get(at, ()))):
            for elaborate in elaborate_spellings(plain, all_of_them=self._history.lacks_spellings):
                yield _Asked(identity.loose_digest(elaborate), " · ".join(elaborate), guessed=True)

    def _similar_issues(self, number: int, key: tuple[str, ...], at: int, taken: Mapping[int, str]) -> Iterator[Issue]:
        """Yield an issue where a new key is nearly another row's, in this sheet or in an earlier one."""
        column, value = ", ".join(self._key_columns), " · ".join(key)
        if others := self._similar.get(number):
            listed = _listed(others)
            message = _("{column} '{value}' is nearly the key of rows {rows}", column=column, value=value, rows=listed)
            yield Issue(number, column, value, "key-similar", message, _SAME_OR_NOT)
        elif at in taken:
            named = {"column": column, "value": value, "other": taken[at]}
            if named["other"] == value:
                message = _(
                    "{column} '{value}' is nearly a key that was imported before, or another way to show it", **named
                )
            else:
                message = _("{column} '{value}' may be the key that was imported before as '{other}'", **named)
            yield Issue(number, column, value, "key-similar", message, _SAME_OR_NOT)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A digest by which the journal is asked for a key, and the spelling that it is of.

    It is `guessed` where another row of this sheet may rightly bear a key that is spelt so.
    """

    digest: str
    shown: str
    guessed: bool = False


_UNDO_OR_COPY = _("Undo the edit, or copy the row from the report again; put new rows into a new file")
_NO_ID_OR_UNDO = _("Remove the id if this is another ticket; if it is that row, undo the edit")
_SAME_OR_NOT = _(
    "They differ only by zeros, case, accents, spaces, dashes, invisible characters or the way in which a program shows"
    " a number or a date: write the key as it was written before, or, if these are two tickets, make their keys differ"
    " by more than that"
)


def _listed(rows: Sequence[int]) -> str:
    """Return row numbers for a sentence, the first few of many; nobody counts them where they are `MOST_NAMED`."""
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS]))
    more = len(rows) - _SHOWN_ROWS
    if len(rows) >= MOST_NAMED:
        return _("{rows} and many more", rows=shown)
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
            hashed = {cell: before + identity.written(identity.canonical(cell)) for cell in set(cells)}
            self._columns[name] = [hashed[cell] for cell in cells]
        return self._columns[name]
