"""The rule for the keys of an import, recorded with it, so that a changed rule is noticed.

A row is known by its key for ever. If the mapping makes keys in a different way than before, every row looks new and
would become a case a second time.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, groupby, islice, permutations
from typing import Literal

import pandas as pd

from importer.errors import SourceError, StartRefused
from importer.journal import ImportRecord, Journal
from importer.mapping import Headings
from importer.messages import _
from importer.model import MAY_BE_CASES
from importer.text import unaccented
from importer.workflow.job import open_source
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.keys import Keys, Occurrences, content_keys, keys_in
from importer.workflow.planning.plan import Plan
from importer.workflow.planning.planning import own_columns

VERSION = "key-1"
"""The version of the way in which cells become keys: see `identity.key_digest`."""

_SAMPLE = 64
"""The number of rows that are used to find out the rule of an older version."""

_GUESSES = 5_000
"""The most rules that are tried for that."""

KeyedRow = tuple[int, int, str, str | None]
"""A row under one of two rules: its number, the rule (0 or 1), its key digest, and the reference of the known row.

The reference is empty for an unknown row and None for a skipped one.
"""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The options of a mapping that change the cells that are read; None means that they are detected."""

    encoding: str | None = None
    delimiter: str | None = None
    merged: str = "first"

    def differences(self, other: ReadingOptions) -> str:
        """Return the options that differ from another mapping's, as they are written in a mapping."""
        theirs = asdict(other)
        differing = {name: value for name, value in asdict(self).items() if value != theirs[name]}
        return ", ".join(f"source.{name}: {value or _('not set')}" for name, value in differing.items())


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How the rows of an import get their keys.

    `columns` are those of the key, in order, none under `key: content`. `spellings` means that other spellings of the
    keys were recorded with all rows of the import.
    """

    kind: Literal["key", "content"]
    columns: tuple[str, ...]
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    spellings: bool = False
    version: str = VERSION

    @staticmethod
    def of(plan: Plan) -> KeyRule:
        """Return the rule of a plan."""
        table = plan.mapping.table
        reading = ReadingOptions(table.encoding, table.delimiter, table.merged)
        columns = tuple(map(plan.headings.recorded, plan.key_columns))
        return KeyRule("key" if columns else "content", columns, reading, spellings=True)

    @staticmethod
    def read(recorded: str | None) -> KeyRule | None:
        """Return a rule from its recorded form in the journal."""
        if recorded is None:
            return None
        rule = json.loads(recorded)
        return KeyRule(
            rule["kind"], tuple(rule["columns"]), ReadingOptions(**rule["reading"]), rule["spellings"], rule["version"]
        )

    def written(self) -> str:
        """Return the form of the rule in which the journal records it."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def is_like(self, other: KeyRule) -> bool:
        """Tell whether two rules give every row the same key; capitals and accents in headers do not matter."""
        return self._compared() == other._compared()

    def _compared(self) -> tuple[object, ...]:
        return self.version, self.kind, tuple(map(unaccented, self.columns)), self.reading

    def shown(self, other: KeyRule) -> str:
        """Return the rule for a person, with the reading options that differ from the other rule."""
        columns = ", ".join(self.columns) if self.kind == "key" else _("content")
        options = self.reading.differences(other.reading)
        return _("{columns} ({options})", columns=columns, options=options) if options else columns


def refuse_changed_key(plan: Plan, journal: Journal, record: ImportRecord | None) -> None:
    """Raise StartRefused if keys are made in a different way than when the import's rows were recorded.

    A different way is accepted, and recorded, if it makes no difference for known rows: some row of this source is
    known by the new key, and each row that is known by the old key is the same row by the new one. An import without a
    recorded rule, from an earlier version, gets the rule that its rows show.
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
    found = _compared(plan, journal, record, before) if journal.rows.has_cases(record.id) else _Comparison()
    proves_nothing = found.has_cases and (not found.now or _is_by_reference(plan))
    if found.same_keys and not _is_by_reference(plan):
        return  # this source does not distinguish the two rules, and the next one may
    if found.other or proves_nothing:
        raise _changed(plan, record, before, now, found)
    journal.imports.set_key_rule(record, replace(now, spellings=keeps_spellings).written())


def _is_by_reference(plan: Plan) -> bool:
    """Tell whether rows are known only by the references in a report, so that their keys are unknown."""
    return not plan.key_columns and bool(own_columns(plan.table.columns))


def refuse_other_rule(plan: Plan, record: ImportRecord) -> None:
    """Raise StartRefused if another process has just started this import with another rule."""
    before, now = KeyRule.read(record.key_rule), KeyRule.of(plan)
    if before is not None and not before.is_like(now):
        raise _changed(plan, record, before, now, _Comparison(has_cases=True))


@dataclass
class _Comparison:
    """How many rows of a source are known by the old key, by the new one, and differently by the new one.

    `has_cases` says whether the import has cases at all, `same_keys` whether both rules give the same keys.
    """

    has_cases: bool = False
    before: int = 0
    now: int = 0
    other: int = 0
    same_keys: bool = False


def _changed(
    plan: Plan, record: ImportRecord, before: KeyRule | None, now: KeyRule, found: _Comparison
) -> StartRefused:
    was = before.shown(now) if before else _("different and not recorded")
    return StartRefused(
        _(
            "{path}: the key of import {name} was {before}, and in the mapping it is now {now}. Rows are known by their"
            " key for ever, so rows that are already cases would be created again: of this source, {known_before} rows"
            " are known by the old key and {known_now} by the new one. Restore the old key in the mapping {mapping}"
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


def _compared(plan: Plan, journal: Journal, record: ImportRecord, before: KeyRule | None) -> _Comparison:
    """Compare the rows of a source under the old rule and the new one."""
    found = _Comparison(has_cases=True, same_keys=before is not None)
    old = _lines_before(plan, journal, record, before) if before else iter(())
    for _number, lines in groupby(heapq.merge(old, _lines_now(plan)), key=lambda line: line[0]):
        rules = {rule: (digest, reference) for _row, rule, digest, reference in lines}
        digest_before, reference_before = rules.get(0, ("", ""))
        digest_now, reference_now = rules.get(1, ("", None))
        if reference_now is None:
            continue  # the row is skipped: it is sent under neither rule
        found.before += bool(reference_before)
        found.now += bool(reference_now)
        if reference_before and reference_before != reference_now:
            found.other += 1
        found.same_keys = found.same_keys and digest_before == digest_now
    return found


def _lines_now(plan: Plan) -> Iterator[KeyedRow]:
    for row in plan:
        reference = row.known.reference if row.known and row.known.status in MAY_BE_CASES else ""
        yield row.number, 1, row.key_digest, None if row.skipped else reference


def _lines_before(plan: Plan, journal: Journal, record: ImportRecord, rule: KeyRule) -> Iterator[KeyedRow]:
    """Yield the rows of a source under another rule; nothing if that rule cannot be applied to it."""
    frames: Iterator[pd.DataFrame] = iter(plan.frames)
    columns: Sequence[str] = plan.columns
    if rule.reading != KeyRule.of(plan).reading and not own_columns(plan.table.columns):
        try:
            table = open_source(plan.table.path, replace(plan.mapping.table, **asdict(rule.reading)))
        except SourceError:
            return
        frames, columns = iter(table.frames()), table.columns
    keys_of = _keys_by(rule, columns, plan.mapping.headings(columns))
    if keys_of is None:
        return
    for frame in frames:
        keys = keys_of(frame)
        known = ImportHistory(journal, record).known_in_any_version(keys)
        for at, (number, digest) in enumerate(zip(frame.index.tolist(), keys.digests, strict=True)):
            row = known.get(digest) or known.get(keys.earlier.get(at, ""))
            yield number, 0, digest, row.row.reference if row and row.row.status in MAY_BE_CASES else ""


def _keys_by(rule: KeyRule, columns: Sequence[str], headings: Headings) -> Callable[[pd.DataFrame], Keys] | None:
    """Return the function that makes the keys of each frame, from the top on; None if a column is missing."""
    if rule.version != VERSION:
        return None
    if rule.kind == "content":
        occurrences = Occurrences()
        return lambda frame: content_keys(frame, columns, occurrences)
    found = [column for name in rule.columns if (column := headings.column(name)) is not None]
    return (lambda frame: keys_in(frame, found)) if len(found) == len(rule.columns) else None


# ------------------------------------------------------------------------ imports of earlier versions, without a rule


def _earlier(plan: Plan, journal: Journal, record: ImportRecord, now: KeyRule) -> KeyRule | None:
    """Return the rule of an import without a recorded one: the present rule, another one, or None if unknown."""
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
    """Return the rule by whose keys the journal knows rows of this source; tries columns and their combinations."""
    name = plan.headings.recorded
    columns = [column for column in plan.columns if unaccented(name(column)) in recorded]
    guesses = chain(
        permutations(columns, 1),
        *(permutations(plan.key_columns, length) for length in range(2, len(plan.key_columns) + 1)),
        permutations(columns, 2),
        permutations(columns, 3),
    )
    sample = _sample(plan)
    for guess in islice(dict.fromkeys(guesses), _GUESSES):
        if journal.rows.known(record.id, keys_in(sample, guess).versions()):
            return KeyRule("key", tuple(map(name, guess)), now.reading)
    return None


def _sample(plan: Plan) -> pd.DataFrame:
    """Return some rows of a source, spread from its top to its end."""
    step = max(1, plan.table.rows // _SAMPLE)
    return pd.concat([frame.iloc[::step] for frame in plan.frames])
