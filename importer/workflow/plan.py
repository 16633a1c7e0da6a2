"""A plan: every row of a source with who it is, the case it would become, what is wrong with it, what is known of it.

Rows are kept by column, as they were made: a check of a million rows counts most of them and looks at few. Whoever
needs a row as one asks for it, and it is put together then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from importer import identity, payload
from importer.attachments import encode, encoded_length
from importer.identity import Scope
from importer.mapping import CaseMapping
from importer.model import Attachment, Counts, Identity, Issue, JournalRow, Payload, Row, Status
from importer.questions import Question
from importer.source import Table
from importer.spool import Spool

if TYPE_CHECKING:
    import pandas as pd


# MERGED importer.workflow.plan: A plan: every row of a source with who it is, the case it would become, what is wrong with it, what is known of it.

T = TypeVar("T")

DOUBTFUL = frozenset({Status.SENDING, Status.UNKNOWN, Status.CONFLICT})
"""States of a row of which nobody knows yet whether it is a case."""

MAY_BE_CASES = DOUBTFUL | {Status.CREATED}
"""States in which what the journal knows of the CRM outranks what is wrong with the sheet now."""


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row beside what the journal knows of it.

    `status` is the row's state, were the plan carried out as far as possible without sending. `differs` tells that its
    content is not what the journal has, or that a rejected row is to go again all the same.
    """

    row: Row
    status: Status
    known: JournalRow | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one frame, by column: sequences in their order, mappings and sets by their places in it, from 0.

    `digests` are of keys, empty where nobody can tell who a row is; `loose`, `references`, `hashes` and `spellings` are
    what an Identity holds beside them, none where no journal will remember the rows. Of `fields`, by path, None is left
    out; there are none where every row is a case already. `waits` tells why planned rows are not sent yet: a question
    about them is open.
    """

    scope: Scope
    numbers: Sequence[int]
    digests: Sequence[str]
    loose: Sequence[str]
    references: Sequence[str]
    hashes: Sequence[str]
    fields: Mapping[str, Sequence[object]]
    issues: Mapping[int, tuple[Issue, ...]]
    skipped: Mapping[int, str]
    attachments: Mapping[int, tuple[Attachment, ...]]
    missing: Mapping[int, tuple[str, ...]]
    known: Mapping[int, JournalRow]
    differs: frozenset[int]
    spellings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    waits: Mapping[int, str] = field(default_factory=dict)
    statuses: Sequence[Status] = field(init=False)

    def __post_init__(self) -> None:
        """Tell of each row in which state it is."""
        object.__setattr__(self, "statuses", [self._status(at) for at in range(len(self))])

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[PlannedRow]:
        return map(self.row, range(len(self)))

    def identity(self, at: int) -> Identity | None:
        """Return who a row is, None where nobody can tell."""
        digest = self.digests[at]
        if not digest:
            return None
        return Identity(
            key_digest=digest,
            loose_digest=self.loose[at] if self.loose else "",
            reference=self.reference(at) or "",
            content_hash=self.hashes[at] if self.hashes else "",
            spellings=self.spellings.get(at, ()),
        )

    def reference(self, at: int) -> str | None:
        """Return a row's mark in the CRM, None where nobody can tell who it is."""
        if not self.digests[at]:
            return None
        return self.references[at] if self.references else identity.reference(self.scope, self.digests[at])

    def row(self, at: int) -> PlannedRow:
        """Return a row as one."""
        row = Row(
            number=self.numbers[at],
            identity=self.identity(at),
            fields={path: values[at] for path, values in self.fields.items() if values[at] is not None},
            attachments=self.attachments.get(at, ()),
            issues=self.issues.get(at, ()),
            skipped=self.skipped.get(at),
            missing=self.missing.get(at, ()),
        )
        return PlannedRow(row, self.statuses[at], self.known.get(at), at in self.differs)

    def some(self, places: Sequence[int]) -> Batch:
        """Return the batch of the rows at these places alone."""
        return Batch(
            scope=self.scope,
            numbers=[self.numbers[at] for at in places],
            digests=[self.digests[at] for at in places],
            loose=[self.loose[at] for at in places if self.loose],
            references=[self.references[at] for at in places if self.references],
            hashes=[self.hashes[at] for at in places if self.hashes],
            fields={path: [values[at] for at in places] for path, values in self.fields.items()},
            issues=_moved(self.issues, places),
            skipped=_moved(self.skipped, places),
            attachments=_moved(self.attachments, places),
            missing=_moved(self.missing, places),
            known=_moved(self.known, places),
            differs=frozenset(new for new, old in enumerate(places) if old in self.differs),
            spellings=_moved(self.spellings, places),
            waits=_moved(self.waits, places),
        )

    def _status(self, at: int) -> Status:
        known = self.known.get(at)
        if known and known.status in MAY_BE_CASES:
            return known.status
        if at in self.skipped:
            return Status.SKIPPED
        if at in self.issues or not self.digests[at]:
            return Status.INVALID
        if known and known.status is Status.REJECTED and at not in self.differs:
            return Status.REJECTED
        return Status.PLANNED


def _moved(values: Mapping[int, T], places: Sequence[int]) -> dict[int, T]:
    return {new: values[old] for new, old in enumerate(places) if old in values}


@dataclass(frozen=True, slots=True)
class Plan:
    """A source's rows in sheet order, batch by batch; each batch is made of the frame of cells at its place.

    `columns` are the source's own; `content_columns` are those that a row's content hash covers. `only` are the states
    by which its rows were chosen, none where all of them are here. `key_columns` are in the key's order, none under
    `key: content`. `open_questions` are those for whose answers some rows wait.
    """

    table: Table
    mapping: CaseMapping
    scope: Scope
    columns: tuple[str, ...]
    content_columns: tuple[str, ...]
    notes: tuple[str, ...]
    frames: Iterable[pd.DataFrame]
    batches: Spool[Batch]
    only: tuple[Status, ...] = ()
    key_columns: tuple[str, ...] = ()
    open_questions: tuple[Question, ...] = ()

    def cells(self) -> Iterator[tuple[pd.DataFrame, Batch]]:
        """Yield every batch beside its frame of cells."""
        return zip(self.frames, self.batches, strict=True)

    def __iter__(self) -> Iterator[PlannedRow]:
        for batch in self.batches:
            yield from batch

    def in_state(self, status: Status) -> Iterator[PlannedRow]:
        """Yield the rows that are in a state; the others are not put together."""
        for batch in self.batches:
            yield from (batch.row(at) for at, found in enumerate(batch.statuses) if found is status)

    def sendable(self) -> Iterator[PlannedRow]:
        """Yield the rows that can be sent now: planned, and no question about them open."""
        for batch in self.batches:
            for at, found in enumerate(batch.statuses):
                if found is Status.PLANNED and at not in batch.waits:
                    yield batch.row(at)

    @property
    def waiting(self) -> int:
        """How many planned rows are not sent because a question about them is open."""
        if not self.open_questions:
            return 0
        return sum(batch.statuses[at] is Status.PLANNED for batch in self.batches for at in batch.waits)

    def with_open(self, questions: Sequence[Question]) -> Plan:
        """Return the plan in which the rows that these questions are about wait."""
        reasons = {number: question.listed for question in questions for number in question.rows}
        if not reasons:
            return self
        batches: Spool[Batch] = Spool()
        for batch in self.batches:
            waits = {at: reasons[number] for at, number in enumerate(batch.numbers) if number in reasons}
            batches.append(replace(batch, waits=waits) if waits else batch)
        return replace(self, batches=batches, open_questions=tuple(questions))

    def counts(self, run: int | None = None) -> Counts:
        """Return how many rows are in each state; what was created now is what `run` sent."""
        states: Counter[str] = Counter()
        for batch in self.batches:
            statuses = batch.statuses
            states.update(statuses)
            states["changed"] += sum(statuses[at] is Status.CREATED for at in batch.differs)
            if run is not None:
                created = (known for at, known in batch.known.items() if statuses[at] is Status.CREATED)
                states["created_now"] += sum(known.run == run for known in created)
        return Counts(**{str(state): number for state, number in states.items()})


# MERGED importer.workflow.plan: A planned row becomes what is sent: its fields with the reference, its attachments, and how it could be found.

SEARCHED = {
    "email contact": "contact",
    "responsible user": "responsible",
    "owner user": "owner",
    "type case": "case-type",
    "status": "status",
    "priority": "priority",
    "description": "description",
    "solution": "solution",
}
"""The payload's field behind each query field of the CRM that a case is sent with (vendor's page)."""


PLACEHOLDER = "WCI-" + 16 * "."
"""Stands in a preview for a reference that cannot be known yet: server or operation are not named."""


def compose(plan: Plan, row: Row) -> Payload:
    """Return the payload of a row: its fields with the reference, and its attachments, encoded while they are sent."""
    files = [payload.EncodedFile(encoded_length(file.size), partial(encode, file)) for file in row.attachments]
    reference = row.identity.reference if row.identity else ""
    return payload.build(complete_fields(plan, row), plan.scope.operation, reference, files)


def complete_fields(plan: Plan, row: Row) -> dict[str, object]:
    """Return a row's fields as they are sent: with its reference, and with the names of missing attachments."""
    fields = payload.with_missing(row.fields, row.missing)
    known = plan.scope.tenant and plan.scope.operation and row.identity
    reference = row.identity.reference if known and row.identity else PLACEHOLDER
    return payload.with_reference(fields, plan.mapping.reference, reference)


def search_value(plan: Plan, row: Row) -> str | None:
    """Return what is sent in the field by which the mapping searches the CRM.

    None where the row is sent without that field, or without the reference by which its case would be recognised.
    """
    if plan.mapping.reference is None:
        return None
    value = complete_fields(plan, row).get(SEARCHED.get(plan.mapping.search, ""))
    return None if value is None else str(value)
