"""Match the rows of a source with those of the journal: by key, by content, or by the reference in a report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import pandas as pd

from importer import identity
from importer.identity import Scope
from importer.journal import KnownRow, RecordedContent
from importer.messages import _, gettext_noop, ngettext, translated
from importer.model import MAY_BE_CASES, Issue, Status
from importer.text import named
from importer.workflow.corrections.lost_corrections import LostCorrections
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.keys import MOST_NAMED, KeyIndex, Keys, Occurrences, content_keys, keys_in, short_key
from importer.workflow.keys.lookups import SpellingLookup, lookups_of
from importer.workflow.keys.shortened import shortened_issues
from importer.workflow.planning.plan import KNOWN_TWICE

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class MatchedRows:
    """The rows of a frame, in order, with what the journal knows about them.

    `key_digests` are empty if a row has no identity; `short_keys` distinguish the rows of one source. `loose_digests`
    are computed for rows that the journal will keep. `known` and `spellings` (digests to record with the rows) are
    keyed by the position of a row, from 0, as are `also`, the rows that the journal knows under the keys that version 1
    made of the same cells, where it knows another one under the present key, and `earlier`, the digests of those keys.
    """

    short_keys: list[str]
    key_digests: list[str]
    loose_digests: list[str]
    references: list[str]
    known: dict[int, KnownRow]
    spellings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    also: dict[int, KnownRow] = field(default_factory=dict)
    earlier: Mapping[int, str] = field(default_factory=dict)

    def forget(self, at: int) -> None:
        """Remove the identity of a row."""
        self.short_keys[at] = self.key_digests[at] = ""
        self.known.pop(at, None)

    def take(self, at: int, known: KnownRow) -> None:
        """Make a row the one that the journal knows as `known`."""
        self.known[at] = known
        self.key_digests[at], self.references[at] = known.key_digest, known.row.reference


class RowMatcher:
    """Matches the rows of one source, once `remember` has seen all of them.

    `key_columns` are empty under `key: content`. `reference_column` is the column of references if the source is one of
    our reports; `id_column` is the column of case ids, also a person's own, if rows are checked by it.
    """

    def __init__(  # noqa: PLR0913 - everything that can identify a row
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
        self._lost = LostCorrections(history, key_columns)
        self.repeated: Mapping[str, tuple[int, ...]] = {}
        self._similar: Mapping[int, tuple[int, ...]] = {}
        self._ambiguous: Mapping[str, tuple[int, ...]] = {}

    @cached_property
    def _lacks_known_keys(self) -> bool:
        """Whether the journal knows a key that no row of this sheet has."""
        return next(self.known_elsewhere(), None) is not None

    def known_elsewhere(self) -> Iterator[RecordedContent]:
        """Yield what was recorded of the known rows whose key no row of this sheet has."""
        for some in self._history.contents():
            here = self._index.present([short_key(each.key_digest) for each in some])
            yield from (each for each in some if short_key(each.key_digest) not in here)

    @property
    def _by_reference(self) -> bool:
        """Whether rows have no key of their own but the reference that an earlier run gave them."""
        return self._reference_column is not None and not self._key_columns

    def keys(self, frame: pd.DataFrame) -> Keys:
        """Return the key of each row, empty if it is blank; must be called once for each frame, from the top."""
        if self._key_columns:
            return keys_in(frame, self._key_columns)
        if self._by_reference:
            return keys_in(frame, [str(self._reference_column)])
        return content_keys(frame, self._columns, self._occurrences)

    def remember(self, frame: pd.DataFrame, keys: Keys, skipped: Collection[int]) -> None:
        """Remember the keys of a frame, except for skipped rows."""
        self._index.add(frame.index.tolist(), keys, skipped)
        self._lost.remember(keys)

    def all_seen(self) -> None:
        """Find repeated and similar keys, once every frame was remembered."""
        self.repeated = self._index.repeated()
        self._similar = self._index.similar() if self._key_columns else {}
        self._ambiguous = self._index.ambiguous()

    def match(self, frame: pd.DataFrame, keys: Keys, skipped: Collection[int]) -> MatchedRows:
        """Match each row; a skipped row whose key another row has gets no identity."""
        matched = self._from_report(keys) if self._by_reference else self._by_key(keys)
        short_keys = matched.short_keys
        left_out = [at for at, number in enumerate(frame.index.tolist()) if number in skipped and short_keys[at]]
        elsewhere = self._index.present([short_keys[at] for at in left_out]) if left_out else set()
        for at in left_out:
            if at in matched.also:
                matched.take(at, matched.also.pop(at))  # version 1 made a case of its own
            elif short_keys[at] in elsewhere:
                matched.forget(at)
        return matched

    def _by_key(self, keys: Keys) -> MatchedRows:
        """Match rows by their keys, those of the present version first."""
        found = self._history.known_in_any_version(keys)
        known = {at: found[digest] for at, digest in enumerate(keys.digests) if digest in found}
        before = {at: found[digest] for at, digest in keys.earlier.items() if digest in found}
        also = {at: row for at, row in before.items() if at in known and known[at] != row}
        own = self._index.with_own_key([row.key_digest for row in also.values()]) if also else set()
        known = before | known
        is_kept = self._history.is_kept
        matched = MatchedRows(
            short_keys=list(map(short_key, keys.digests)),
            key_digests=list(keys.digests),
            loose_digests=[
                identity.loose_digest(parts) if is_kept and parts and at not in known else ""
                for at, parts in enumerate(keys.parts)
            ],
            references=[identity.reference(self._scope, digest) if digest else "" for digest in keys.digests],
            known=known,
            spellings={
                at: tuple([identity.spelling_digest(other.parts, bare=other.bare) for other in others])
                for at, others in keys.spellings.items()
                if is_kept and at not in known
            }
            | {at: (keys.digests[at],) for at in before if keys.digests[at] and keys.digests[at] not in found},
            also={at: row for at, row in also.items() if row.key_digest not in own},
            earlier=keys.earlier,
        )
        for at, row in known.items():
            matched.take(at, row)  # a known row keeps its reference for ever
        return matched

    def _from_report(self, keys: Keys) -> MatchedRows:
        """Match rows by their references alone; rows that the journal does not know get no identity."""
        references = [parts[0] if parts else "" for parts in keys.parts]
        known = self._history.by_reference(list(filter(None, references)))
        is_first_run = self._history.record is None
        own_digests = keys.digests if is_first_run else [""] * len(references)
        return MatchedRows(
            short_keys=list(map(short_key, keys.digests)),
            key_digests=[
                known[reference].key_digest if reference in known else own_digest
                for reference, own_digest in zip(references, own_digests, strict=True)
            ],
            loose_digests=[""] * len(references),
            references=references,
            known={at: known[reference] for at, reference in enumerate(references) if reference in known},
        )

    def contested_in(self, rows: MatchedRows) -> list[int]:
        """Return the positions of the rows that may not be the ones that the journal knows by their keys.

        Other rows have the same key, or had it in version 1, or the journal knows two rows by the keys of this one.
        """
        return [at for at in range(len(rows.short_keys)) if at in rows.also or self.shares_key(rows, at)]

    def shares_key(self, rows: MatchedRows, at: int) -> bool:
        """Tell whether other rows have the key of this one, or had it in version 1."""
        return rows.short_keys[at] in self.repeated or bool(self._rows_known_as(rows, at))

    def _rows_known_as(self, rows: MatchedRows, at: int) -> tuple[int, ...]:
        """Return the rows that version 1 would have taken for the one that the journal knows."""
        return self._ambiguous.get(short_key(rows.known[at].key_digest), ()) if at in rows.known else ()

    def issues(self, frame: pd.DataFrame, keys: Keys, rows: MatchedRows) -> Iterator[Issue]:
        """Yield the issues with the identity of the rows."""
        numbers = frame.index.tolist()
        if self._reference_column is not None:
            for at, cell in enumerate(map(identity.canonical, frame[self._reference_column])):
                yield from self._reference_issues(numbers[at], cell, rows, at)
        yield from self._id_issues(frame, rows)
        if not self._by_reference:
            yield from self._lost.issues(numbers, keys, rows.key_digests, rows.known)
        if self._key_columns:
            new_rows = [at for at, digest in enumerate(rows.key_digests) if digest and _is_unsent(rows.known.get(at))]
            taken = self._taken(keys, rows, new_rows) if self._history.record is not None else {}
            for at in new_rows:
                similar = list(self._similar_issues(numbers[at], keys.parts[at], at, taken))
                yield from similar or shortened_issues(numbers[at], self._key_columns, keys.parts[at])
            for at in rows.known if keys.earlier or self._ambiguous else ():
                yield from self._version_issues(numbers[at], keys.parts[at], rows, at)

    def _version_issues(self, number: int, key: tuple[str, ...], rows: MatchedRows, at: int) -> Iterator[Issue]:
        """Yield an issue if it is unclear which row of the journal this one is, by its keys of both versions."""
        column, value = ", ".join(self._key_columns), " · ".join(key)
        one, other = rows.known[at].row, rows.also[at].row if at in rows.also else None
        if other is not None:
            message = _(
                "{column} '{value}' was imported twice, under two readings of the key: {one} and {other}",
                column=column,
                value=value,
                one=one.wolkvox_id or one.reference,
                other=other.wolkvox_id or other.reference,
            )
            yield Issue(number, column, value, KNOWN_TWICE, message, translated(_LOOK_AT_BOTH))
        elif others := [row for row in self._rows_known_as(rows, at) if row != number]:
            message = ngettext(
                "{column} '{value}' was read like the key of row {rows} before, and one of the two rows is {one}",
                "{column} '{value}' was read like the keys of rows {rows} before, and one of these rows is {one}",
                len(others),
                column=column,
                value=value,
                rows=_listed(others),
                one=one.wolkvox_id or one.reference,
            )
            yield Issue(number, column, value, "key-reread", message, translated(_SAME_OR_NOT))

    def _reference_issues(self, number: int, cell: str, rows: MatchedRows, at: int) -> Iterator[Issue]:
        """Yield the issues with the reference in a report's row."""
        column = self._reference_column
        if self._key_columns:
            has_target = self._scope.tenant and self._scope.operation  # without it, no reference can be computed
            if has_target and cell and rows.key_digests[at] and cell not in self._references(rows, at):
                message = _("{column} {cell} does not belong to this row's key", column=column, cell=cell)
                yield Issue(number, column, cell, "reference-edited", message, translated(_UNDO_OR_COPY))
        elif not cell:
            message = _("{column} is empty, so the row cannot be identified", column=column)
            yield Issue(number, column, cell, "reference-missing", message, translated(_UNDO_OR_COPY))
        elif others := self.repeated.get(rows.short_keys[at], ()):
            named_rows = list(islice((other for other in others if other != number), MOST_NAMED))
            message = ngettext(
                "{column} {cell} also appears in row {rows}",
                "{column} {cell} also appears in rows {rows}",
                len(named_rows),
                column=column,
                cell=cell,
                rows=_listed(named_rows),
            )
            yield Issue(number, column, cell, "reference-repeated", message, translated(_UNDO_OR_COPY))
        elif at not in rows.known and self._history.record is not None:
            message = _("{column} {cell} is not a reference of this import", column=column, cell=cell)
            yield Issue(number, column, cell, "reference-foreign", message, translated(_UNDO_OR_COPY))

    def _references(self, rows: MatchedRows, at: int) -> tuple[str, ...]:
        """Return the references that a report may have for a row, by its keys of every version."""
        also = (rows.also[at].row.reference,) if at in rows.also else ()
        earlier = (identity.reference(self._scope, rows.earlier[at]),) if at in rows.earlier else ()
        return (rows.references[at], *also, *earlier)

    def _id_issues(self, frame: pd.DataFrame, rows: MatchedRows) -> Iterator[Issue]:
        """Yield an issue if a row without a case has the id of another row's case: it may be that row, edited."""
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
            yield Issue(numbers[at], column, wolkvox_id, "id-of-another-row", message, translated(_NO_ID_OR_UNDO))

    def _taken(self, keys: Keys, rows: MatchedRows, new_rows: Sequence[int]) -> dict[int, SpellingLookup]:
        """Return for new rows, by position, the spelling under which the journal knows a key that may be theirs.

        If only a guess suggests it, a key that another row of this sheet has belongs to that row: a program shows all
        keys of a sheet in the same way.
        """
        lookups = [
            (at, lookup)
            for at in new_rows
            for lookup in lookups_of(
                keys, at, guesses=self._lacks_known_keys, lacks_spellings=self._history.lacks_spellings
            )
        ]
        known = self._history.similar(list(dict.fromkeys(lookup.digest for _at, lookup in lookups)))
        found: dict[int, SpellingLookup] = {}
        if known and not self._history.has_cases:
            return found
        for at, lookup in lookups:
            if lookup.digest not in known:
                continue
            digests = known[lookup.digest] - {rows.key_digests[at]}
            if at in rows.known:  # what was never sent stands in nobody's way for ever
                sent = self._history.known(list(digests))
                digests = {digest for digest in digests if digest in sent and sent[digest].row.status in MAY_BE_CASES}
            others = {short_key(digest) for digest in digests}
            if lookup.guessed:
                others -= self._index.present(list(others))
            if others:
                found.setdefault(at, lookup)
        return found

    def _similar_issues(
        self, number: int, key: tuple[str, ...], at: int, taken: Mapping[int, SpellingLookup]
    ) -> Iterator[Issue]:
        """Yield an issue if a new key nearly equals that of another row, in this sheet or an earlier one."""
        column, value = ", ".join(self._key_columns), named(" · ".join(key))
        if others := self._similar.get(number):
            message = ngettext(
                "{column} '{value}' is nearly the same as the key of row {rows}",
                "{column} '{value}' is nearly the same as the key of rows {rows}",
                len(others),
                column=column,
                value=value,
                rows=_listed(others),
            )
            yield Issue(number, column, value, "key-similar", message, translated(_SAME_OR_NOT))
        elif at in taken:
            shown = {"column": column, "value": value, "other": named(taken[at].shown)}
            if shown["other"] == value:
                message = _(
                    "{column} '{value}' is nearly the same as a key that was imported before, or another form of it",
                    **shown,
                )
            else:
                message = _("{column} '{value}' may be the key that was imported before as '{other}'", **shown)
            remedy = translated(_OTHER_ENCODING if taken[at].misread else _SAME_OR_NOT)
            yield Issue(number, column, value, "key-similar", message, remedy)


def _is_unsent(known: KnownRow | None) -> bool:
    """Return whether a row is new, or was only ever recorded as one that is not sent."""
    return known is None or known.row.status in (Status.INVALID, Status.SKIPPED)


_UNDO_OR_COPY = gettext_noop("Undo the edit, or copy the row from the report again; put new rows into a new file")
_LOOK_AT_BOTH = gettext_noop("Look at both cases in the CRM, and close one of them if they are the same ticket")
_NO_ID_OR_UNDO = gettext_noop("Remove the id if this is another ticket; if it is that row, undo the edit")
_SAME_OR_NOT = gettext_noop(
    "The keys differ only in zeros, case, accents, spaces, hyphens and other separators, invisible characters, or the"
    " format of a number or a date: write the key as before, or, if these are two tickets, give them keys that differ"
    " in more than that"
)
_OTHER_ENCODING = gettext_noop(
    "The keys may be one that was read in two encodings: if this reading is wrong, name the encoding of the file as"
    " source.encoding; if the one before was wrong, write the key as before; or, if these are two tickets, give them"
    " keys that differ in more than that"
)


def _listed(rows: Sequence[int]) -> str:
    """Return row numbers for a sentence, only the first few of many; `MOST_NAMED` rows may be even more."""
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS]))
    more = len(rows) - _SHOWN_ROWS
    if len(rows) >= MOST_NAMED:
        return _("{rows} and many more", rows=shown)
    return shown if more <= 0 else _("{rows} and {more} more", rows=shown, more=more)
