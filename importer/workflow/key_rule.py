"""What makes a row itself, recorded with its import: a changed rule of the key is a changed import.

A row is recognised by its key for ever. Where the mapping makes keys in another way than before, every row looks new,
and would become a case a second time.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, groupby, islice, permutations
from typing import TYPE_CHECKING, Literal

from importer.errors import SourceError, StartRefused
from importer.journal import ImportRecord, Journal
from importer.mapping import Words
from importer.messages import _
from importer.text import unaccented
from importer.workflow.job import open_source
from importer.workflow.keys import Keys, Occurrences, content_keys, keys_in
from importer.workflow.plan import MAY_BE_CASES, Plan
from importer.workflow.planning import own_columns

if TYPE_CHECKING:
    import pandas as pd

VERSION = "key-1"
"""How keys are made of cells: see `identity.key_digest`."""

_SAMPLE = 64
"""Rows by which the rule of an older version is found out."""

_GUESSES = 5_000
"""Rules that are tried for that."""

Line = tuple[int, int, str, str | None]
"""A row under one of two rules: its number, which of the rules, its key's digest, and the reference of the known row;
None where the row is passed over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the mapping says of reading a source that changes what its cells are; None: found out."""

    encoding: str | None = None
    delimiter: str | None = None
    merged: str = "first"

    def differences(self, other: Reading) -> str:
        """Return what is said here otherwise than there, in the mapping's words."""
        theirs = asdict(other)
        differing = {name: value for name, value in asdict(self).items() if value != theirs[name]}
        return ", ".join(f"source.{name}: {value or _('not set')}" for name, value in differing.items())


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How the rows of an import get their keys.

    `columns` are the key's in their order, none under `key: content`. `spellings` tells that other spellings of keys
    were noted with all of the import's rows.
    """

    kind: Literal["key", "content"]
    columns: tuple[str, ...]
    reading: Reading = field(default_factory=Reading)
    spellings: bool = False
    version: str = VERSION

    @staticmethod
    def of(plan: Plan) -> KeyRule:
        """Return the rule of a plan."""
        table = plan.mapping.table
        reading = Reading(table.encoding, table.delimiter, table.merged)
        return KeyRule("key" if plan.key_columns else "content", plan.key_columns, reading, spellings=True)

    @staticmethod
    def read(recorded: str | None) -> KeyRule | None:
        """Return a rule as the journal has it."""
        if recorded is None:
            return None
        said = json.loads(recorded)
        return KeyRule(
            said["kind"], tuple(said["columns"]), Reading(**said["reading"]), said["spellings"], said["version"]
        )

    def written(self) -> str:
        """Return the rule as the journal keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def is_like(self, other: KeyRule) -> bool:
        """Tell whether two rules give every row the same key; a header's capitals and accents are no part of it."""
        return self._compared() == other._compared()

    def _compared(self) -> tuple[object, ...]:
        return self.version, self.kind, tuple(map(unaccented, self.columns)), self.reading

    def shown(self, other: KeyRule) -> str:
        """Return the rule for a person, with what of its reading the other one has otherwise."""
        columns = ", ".join(self.columns) if self.kind == "key" else _("content")
        options = self.reading.differences(other.reading)
        return _("{columns} ({options})", columns=columns, options=options) if options else columns


def refuse_changed_key(plan: Plan, journal: Journal, record: ImportRecord | None) -> None:
    """Raise StartRefused where keys are made in another way than when the import's rows were recorded.

    Another way is accepted, and recorded, where it makes no difference to known rows: some row of this source is known
    by the new key, and each that is known by the old key is the same row by the new one. An import that has no rule
    yet, since an earlier version made it, gets the one that its rows show.
    """
    if record is None:
        return
    now, recorded = KeyRule.of(plan), KeyRule.read(record.key_rule)
    before = recorded or _earlier(plan, journal, record, now)
    if before is not None and (before.is_like(now) or (before.kind == "content" and _is_by_reference(plan))):
        if recorded is None:
            journal.imports.set_key_rule(record, replace(now, spellings=False).written())
        return
    keeps_spellings = recorded is not None and recorded.spellings
    found = _compared(plan, journal, record, before) if journal.rows.has_cases(record.id) else _Found()
    shows_nothing = found.some and (not found.now or _is_by_reference(plan))
    if found.same_keys and not _is_by_reference(plan):
        return  # this source cannot tell the two apart, and the next one may
    if found.other or shows_nothing:
        raise _changed(plan, record, before, now, found)
    journal.imports.set_key_rule(record, replace(now, spellings=keeps_spellings).written())


def _is_by_reference(plan: Plan) -> bool:
    """Tell whether rows are known by the references of a report alone, so that nothing shows what their keys are."""
    return not plan.key_columns and bool(own_columns(plan.table.columns))


def refuse_other_rule(plan: Plan, record: ImportRecord) -> None:
    """Raise StartRefused where another process has just begun this import by another rule."""
    before, now = KeyRule.read(record.key_rule), KeyRule.of(plan)
    if before is not None and not before.is_like(now):
        raise _changed(plan, record, before, now, _Found(some=True))


@dataclass
class _Found:
    """How many rows of a source are known by the old key, by the new one, and as another row or none by the new one.

    `some` tells whether the import has cases at all.
    """

    some: bool = False
    before: int = 0
    now: int = 0
    other: int = 0
    same_keys: bool = False


def _changed(plan: Plan, record: ImportRecord, before: KeyRule | None, now: KeyRule, found: _Found) -> StartRefused:
    was = before.shown(now) if before else _("another one, which was not recorded")
    return StartRefused(
        _(
            "{path}: the key of import {name} was {before}, and the mapping now says {now}. Rows are known by their key"
            " for ever, so that rows which are cases already would be created again: of this source, {known_before}"
            " rows are known by the old key and {known_now} by the new one. Give the mapping {mapping} its old key back"
            " (source.key: {before}); if these are other tickets, give it an import name of its own.",
            path=plan.table.path,
            name=record.name,
            before=was,
            now=now.shown(before) if before else now.shown(now),
            known_before=found.before,
            known_now=found.now,
            mapping=plan.mapping.path,
        )
    )


def _compared(plan: Plan, journal: Journal, record: ImportRecord, before: KeyRule | None) -> _Found:
    """Hold the rows of a source under the old rule against those under the new one."""
    found = _Found(some=True, same_keys=before is not None)
    old = _lines_before(plan, journal, record, before) if before else iter(())
    for _number, lines in groupby(heapq.merge(old, _lines_now(plan)), key=lambda line: line[0]):
        rules = {rule: (digest, reference) for _row, rule, digest, reference in lines}
        digest_before, reference_before = rules.get(0, ("", ""))
        digest_now, reference_now = rules.get(1, ("", None))
        if reference_now is None:
            continue  # the row is passed over: it is sent under neither rule
        found.before += bool(reference_before)
        found.now += bool(reference_now)
        found.other += bool(reference_before) and reference_before != reference_now
        found.same_keys &= digest_before == digest_now
    return found


def _lines_now(plan: Plan) -> Iterator[Line]:
    for row in plan:
        reference = row.known.reference if row.known and row.known.status in MAY_BE_CASES else ""
        yield row.number, 1, row.key_digest, None if row.skipped else reference


def _lines_before(plan: Plan, journal: Journal, record: ImportRecord, rule: KeyRule) -> Iterator[Line]:
    """Yield the rows of a source under another rule; none where it cannot be read by that."""
    frames: Iterator[pd.DataFrame] = iter(plan.frames)
    columns: Sequence[str] = plan.columns
    if rule.reading != KeyRule.of(plan).reading and not own_columns(plan.table.columns):
        try:
            table = open_source(plan.table.path, replace(plan.mapping.table, **asdict(rule.reading)))
        except SourceError:
            return
        frames, columns = iter(table.frames()), table.columns
    keys_of = _keys_by(rule, columns)
    if keys_of is None:
        return
    for frame in frames:
        digests = keys_of(frame).digests
        known = journal.rows.known(record.id, list(filter(None, digests)))
        for number, digest in zip(frame.index.tolist(), digests, strict=True):
            row = known.get(digest)
            yield number, 0, digest, row.row.reference if row and row.row.status in MAY_BE_CASES else ""


def _keys_by(rule: KeyRule, columns: Sequence[str]) -> Callable[[pd.DataFrame], Keys] | None:
    """Return what gives the rows of each frame, from the top on, their keys; None where a column is lacking."""
    if rule.version != VERSION:
        return None
    if rule.kind == "content":
        occurrences = Occurrences()
        return lambda frame: content_keys(frame, columns, occurrences)
    headers = Words((column, column) for column in columns)
    alike = [headers.alike(column) for column in rule.columns]
    if any(len(names) != 1 for names in alike):
        return None
    found = [headers[names[0]] for names in alike]
    return lambda frame: keys_in(frame, found)


# ------------------------------------------------------------------------------------------------ earlier versions


def _earlier(plan: Plan, journal: Journal, record: ImportRecord, now: KeyRule) -> KeyRule | None:
    """Return the rule of an import that recorded none: the present one, another one, or None for an unknown one."""
    if journal.runs.used_mapping(record.id, plan.mapping.digest):
        return now
    if record.bound_to is not None:
        return KeyRule("content", (), now.reading)
    by_reference = _is_by_reference(plan)
    if not by_reference and any(batch.facts["known"].notna().any() for batch in plan.batches):
        return now
    columns = set(map(unaccented, journal.rows.columns(record.id)))
    if not columns:
        return now
    if found := _found_out(plan, journal, record, now, columns):
        return found
    return now if by_reference or (now.columns and set(map(unaccented, now.columns)) <= columns) else None


def _found_out(plan: Plan, journal: Journal, record: ImportRecord, now: KeyRule, recorded: set[str]) -> KeyRule | None:
    """Return the rule by whose keys the journal knows rows of this source: one column, or some in some order."""
    columns = [column for column in plan.columns if unaccented(column) in recorded]
    guesses = chain(
        permutations(columns, 1),
        *(permutations(now.columns, length) for length in range(2, len(now.columns) + 1)),
        permutations(columns, 2),
        permutations(columns, 3),
    )
    sample = _sample(plan)
    for guess in islice(dict.fromkeys(guesses), _GUESSES):
        digests = list(filter(None, keys_in(sample, guess).digests))
        if journal.rows.known(record.id, digests):
            return KeyRule("key", guess, now.reading)
    return None


def _sample(plan: Plan) -> pd.DataFrame:
    """Return some rows of a source, from its top to its end."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    step = max(1, plan.table.rows // _SAMPLE)
    return pd.concat([frame.iloc[::step] for frame in plan.frames])
