"""A plan: every row of a source with its identity, its case, its issues, and what the journal knows about it.

A batch keeps its rows as a frame of facts, and a plan keeps its batches on disk, so that memory stays flat. A row
becomes one value only when it is sent, shown or reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import pandas as pd

from importer import payload
from importer.attachments import MadeFiles, encode, encoded_length
from importer.identity import Scope, has_all_files, reference
from importer.mapping import CaseMapping, ColumnUse, Headings
from importer.model import MAY_BE_CASES, Attachment, Counts, Identity, Issue, JournalRow, Payload, RowNote, Status
from importer.model.edits import Change, ChangeState, UpdateState
from importer.questions import Question
from importer.source import Table
from importer.system.spool import Spool
from importer.workflow.corrections import NO_CORRECTIONS, NO_EARLIER, CorrectionList, EarlierCorrections
from importer.workflow.planning.contact_rows import PlannedContact

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
"""The payload's field for each query field of the CRM that a case is sent with (vendor's page)."""

SENT_LATER: tuple[ChangeState, ...] = ("update", "unknown", "sending")
"""What becomes of an edit that a run, this or a later one, sends to the CRM."""

KNOWN_TWICE = "key-known-twice"
"""The code of the issue that the journal knows two rows by the keys of one; it is shown although both are created."""

PLACEHOLDER = "WCI-" + 16 * "."
"""Shown in a preview instead of a reference that is not known yet, because server or operation are missing."""


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the source: its identity, its state, and the case that it would become.

    `number` is the one that Excel shows. `key_digest` is empty if the row has no identity: its key is blank or belongs
    to another row; `earlier_digest` is that of the key that version 1 made of the same cells, empty if it is the same.
    `status` is the state before anything is sent; `known` is what the journal knows, and `differs` means that the row's
    content has changed since, or that a rejected row is to be sent again unchanged. `edited` are the columns that have
    changed since, None where that is not known. `skipped` and `waits` say why a row is no case of its own, or not sent
    yet. `part_of` is the row of whose case it is a further line; `faulty_lines` are the further lines of its own case
    that have issues. `missing` names attachments that the mapping allows the case to go without. `change` is what
    becomes of the edit of a created row, None for others. `contact` is who the case is of, where that matters;
    `contact_waits` says why the row was not sent without that contact. `fields` are by path (`contact`,
    `form.Subject`, `contacts.namecontact`), without the reference.
    """

    number: int
    key_digest: str
    loose_digest: str
    reference: str
    content_hash: str
    column_digests: str
    spellings: tuple[str, ...]
    earlier_digest: str
    uncorrected: tuple[str, ...]
    status: Status
    known: JournalRow | None
    differs: bool
    edited: tuple[str, ...] | None
    skipped: str | None
    waits: str | None
    issues: tuple[Issue, ...]
    attachments: tuple[Attachment, ...]
    missing: tuple[str, ...]
    part_of: int | None
    faulty_lines: tuple[int, ...]
    change: Change | None
    contact: PlannedContact | None
    contact_waits: str | None
    fields: Mapping[str, object]

    @property
    def identity(self) -> Identity | None:
        """The row's identity, None if it has none."""
        if not self.key_digest:
            return None
        return Identity(
            self.key_digest,
            self.loose_digest,
            self.reference,
            self.content_hash,
            self.column_digests,
            self.spellings,
            self.uncorrected,
        )

    def references(self, scopes: Iterable[Scope]) -> tuple[str, ...]:
        """Return every reference under which the row may have been sent, its own first: of each scope and version."""
        digests = [digest for digest in (self.key_digest, self.earlier_digest) if digest]
        made = (reference(scope, digest) for scope in scopes for digest in digests)
        return tuple(dict.fromkeys((self.reference, *made)))

    @property
    def is_valid(self) -> bool:
        """Whether the row may be sent: it is not skipped, has an identity, and no line of its case has issues."""
        return self.skipped is None and bool(self.key_digest) and not (self.issues or self.faulty_lines)

    @property
    def case_row(self) -> int:
        """The row of the case to which this row belongs: its own, or that of which it is a further line."""
        return self.number if self.part_of is None else self.part_of

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the missing files without which the row is sent, or was and they are missing still."""
        return left_out(self.status, self.known, self.missing)

    @property
    def is_changed(self) -> bool:
        """Whether the row was edited after its case was created."""
        return self.status is Status.CREATED and self.differs


FACTS = tuple(each.name for each in fields(PlannedRow) if each.name not in {"number", "fields"})
"""The columns of a batch's facts."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one frame of the source, each a line in two frames, indexed by the row's number.

    `facts` has the columns `FACTS`. `fields` has a column for every path that the mapping fills, with None for a field
    that is left out.
    """

    facts: pd.DataFrame
    fields: pd.DataFrame

    @staticmethod
    def of(lines: Sequence[tuple[object, ...]], fields: pd.DataFrame) -> Batch:
        """Return a batch of these facts, one line for each row of `fields`."""
        columns = zip(*lines, strict=True) if lines else ((),) * len(FACTS)
        return Batch(pd.DataFrame(_columns(dict(zip(FACTS, columns, strict=True)), fields.index)), fields)

    def __len__(self) -> int:
        return len(self.facts)

    def rows(self, which: pd.Series[bool] | None = None) -> Iterator[PlannedRow]:
        """Yield the rows in sheet order: all of them, or those for which `which` is true."""
        if which is not None and not which.any():  # of many questions about few rows, most are about none
            return
        batch = self if which is None or which.all() else self.where(which)
        paths = tuple(map(str, batch.fields.columns))
        numbers: list[int] = batch.facts.index.tolist()
        for number, facts, cells in zip(numbers, _lines(batch.facts), _lines(batch.fields), strict=True):
            filled = {path: value for path, value in zip(paths, cells, strict=True) if value is not None}
            yield PlannedRow(*(number, *facts, filled))

    def where(self, which: pd.Series[bool] | list[bool]) -> Batch:
        """Return a batch of the rows for which `which` is true."""
        return Batch(self.facts.loc[which], self.fields.loc[which])

    def in_state(self, *states: Status) -> pd.Series[bool]:
        """Tell for each row whether it is in one of the states."""
        return self.facts["status"].isin(states)

    def with_facts(self, **columns: Sequence[object]) -> Batch:
        """Return a batch with new values in some columns of its facts."""
        return replace(self, facts=self.facts.assign(**_columns(columns, self.facts.index)))


def _lines(frame: pd.DataFrame) -> list[list[Any]]:
    """Return the values of each row; `itertuples` looks at each column first, which takes long where rows are few."""
    lines: list[list[Any]] = frame.to_numpy(dtype=object).tolist()
    return lines


def _columns(values: Mapping[str, Sequence[Any]], index: pd.Index) -> dict[str, pd.Series]:
    """Return columns of plain Python values: pandas infers no types, and None stays None."""
    return {name: pd.Series(column, index=index, dtype=object) for name, column in values.items()}


def state_of(
    known: JournalRow | None, skipped: str | None, *, is_part: bool = False, is_valid: bool, differs: bool
) -> Status:
    """Return the state of a row: the CRM's answer comes first, then the reason to skip it, then its faults."""
    if known is not None and known.status in MAY_BE_CASES:
        return known.status
    if is_part:
        return Status.PART
    if skipped is not None:
        return Status.SKIPPED
    if not is_valid:
        return Status.INVALID
    if known is not None and known.status is Status.REJECTED and not differs:
        return Status.REJECTED
    return Status.PLANNED


def was_updated(known: JournalRow, run: int) -> bool:
    """Return whether a run updated the case of a row."""
    return known.update is not None and known.update.run == run and known.update.state is UpdateState.UPDATED


def left_out(status: Status, known: JournalRow | None, missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return which missing files a row is or was sent without: not those of a case that went with all of its files."""
    if status is Status.PLANNED:
        return missing
    is_sent = status is Status.CREATED and known is not None and known.run is not None  # not adopted
    return missing if is_sent and known is not None and not has_all_files(known.content_hash) else ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A source's rows in sheet order, batch by batch; each batch belongs to the frame of cells at the same position.

    `columns` are the source's own; `content_columns` are those in a row's content hash. `only` are the states by which
    its rows were selected, empty if all rows are here, and `whole` is then the plan of all rows, which the report
    shows. `aliases` are the scopes under which the import is also known. `key_columns` are in the key's order, empty
    under `key: content`. `headings` tell under which names columns are recorded. `open_questions` are those for whose
    answers some rows wait. `corrections` are in the frames; those of `earlier` sheets are not, and are only told by
    `check`. `made_files` are the attachments that were made for it. `uses` tell what each column of the sheet is used
    for. `spellings` are those of the addresses of contacts that have several, by digest.
    """

    table: Table
    mapping: CaseMapping
    scope: Scope
    columns: tuple[str, ...]
    content_columns: tuple[str, ...]
    notes: tuple[str, ...]
    frames: Iterable[pd.DataFrame]
    batches: Spool[Batch]
    headings: Headings
    only: tuple[str, ...] = ()
    key_columns: tuple[str, ...] = ()
    open_questions: tuple[Question, ...] = ()
    whole: Plan | None = None
    aliases: tuple[Scope, ...] = ()
    corrections: CorrectionList = NO_CORRECTIONS
    made_files: MadeFiles = field(default_factory=MadeFiles)
    uses: Mapping[str, tuple[ColumnUse, ...]] = field(default_factory=dict)
    earlier: EarlierCorrections = NO_EARLIER
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def cells(self) -> Iterator[tuple[pd.DataFrame, Batch]]:
        """Yield every batch with its frame of cells."""
        return zip(self.frames, self.batches, strict=True)

    def __iter__(self) -> Iterator[PlannedRow]:
        for batch in self.batches:
            yield from batch.rows()

    def issues(self) -> Iterator[Issue]:
        """Yield what a person must correct: the issues of invalid rows and of their further lines.

        A row that is a case already is not checked again, but may be the second one with its key.
        """
        invalid = {number for batch in self.batches for number in batch.facts.index[batch.in_state(Status.INVALID)]}
        for batch in self.batches:
            for row in batch.rows(batch.facts["issues"].map(bool)):
                is_faulty = row.case_row in invalid
                yield from (issue for issue in row.issues if is_faulty or issue.code == KNOWN_TWICE)

    def in_state(self, *states: Status) -> Iterator[PlannedRow]:
        """Yield the rows that are in one of the states."""
        for batch in self.batches:
            yield from batch.rows(batch.in_state(*states))

    def sendable(self) -> Iterator[PlannedRow]:
        """Yield the rows that can be sent now: planned, and not waiting for an answer to an open question."""
        for batch in self.batches:
            yield from batch.rows(batch.in_state(Status.PLANNED) & batch.facts["waits"].isna())

    def numbered(self, numbers: Collection[int]) -> Iterator[PlannedRow]:
        """Yield the rows with these numbers."""
        wanted = pd.Index(sorted(numbers))
        for batch in self.batches:
            yield from batch.rows(pd.Series(batch.facts.index.isin(wanted), index=batch.facts.index))

    def edited(self, *states: ChangeState) -> Iterator[PlannedRow]:
        """Yield the rows that were edited after their cases were created: those of these states, or all."""
        for batch in self.batches:
            changes = batch.facts["change"]
            if changes.notna().any():
                yield from batch.rows(
                    changes.map(lambda change: change is not None and change.state in (states or (change.state,)))
                )

    def edits(self) -> Counter[ChangeState]:
        """Return how many edited rows are in each state."""
        counts: Counter[ChangeState] = Counter()
        for batch in self.batches:
            counts.update(change.state for change in batch.facts["change"].dropna())
        return counts

    @property
    def waiting(self) -> int:
        """The number of planned rows that are not sent because a question about them is open."""
        if not self.open_questions:
            return 0
        waits = (batch.in_state(Status.PLANNED) & batch.facts["waits"].notna() for batch in self.batches)
        return sum(int(which.sum()) for which in waits)

    def with_open(self, questions: Sequence[Question]) -> Plan:
        """Return the plan with these questions open, so that their rows wait."""
        reasons = {number: question.listed for question in questions for number in question.rows}
        if not reasons:
            return self
        batches: Spool[Batch] = Spool()
        for batch in self.batches:
            batches.append(batch.with_facts(waits=[reasons.get(number) for number in batch.facts.index]))
        return replace(self, batches=batches, open_questions=tuple(questions))

    def counts(self, run: int | None = None) -> Counts:
        """Return how many rows are in each state; `created_now` were sent by `run`."""
        states: Counter[str] = Counter()
        lines: Counter[int] = Counter()  # further ones, by the row of their case
        cases: list[int] = []
        for batch in self.batches:  # as lists: to ask pandas takes a millisecond, however few the rows are
            names = ("status", "differs", "change", "known", "part_of")
            statuses, differs, changes, known, part_of = (batch.facts[name].tolist() for name in names)
            states.update(statuses)
            created = [at for at, status in enumerate(statuses) if status is Status.CREATED]
            states["changed"] += sum(differs[at] for at in created)
            states["to_update"] += sum(changes[at] is not None and changes[at].state in SENT_LATER for at in created)
            numbers = batch.facts.index.tolist()
            cases += (numbers[at] for at in created)
            lines.update(case for case, status in zip(part_of, statuses, strict=True) if status is Status.PART)
            if run is not None:
                states["created_now"] += sum(known[at].run == run for at in created)
                states["updated_now"] += sum(was_updated(known[at], run) for at in created if not differs[at])
        states["created_parts"] = sum(lines[row] for row in cases) if lines else 0
        return Counts(**{str(state): number for state, number in states.items()})

    def further_lines(self) -> Counter[int]:
        """Return how many further lines the case of each row has."""
        lines: Counter[int] = Counter()
        for batch in self.batches:
            lines.update(batch.facts.loc[batch.in_state(Status.PART), "part_of"].tolist())
        return lines


def without_skipped(notes: Sequence[str], batches: Iterable[Batch]) -> list[str]:
    """Return the notes on a sheet without those on rows that are left out, such as its total."""
    rows = {note.row for note in notes if isinstance(note, RowNote)}
    skipped = {
        number
        for batch in (batches if rows else ())
        for number in rows.intersection(batch.facts.index[batch.in_state(Status.SKIPPED)])
    }
    return [note for note in notes if not isinstance(note, RowNote) or note.row not in skipped]


def build_payload(plan: Plan, row: PlannedRow) -> Payload:
    """Return the payload of a row: its fields with the reference, and its attachments, encoded while they are sent."""
    files = [payload.EncodedFile(encoded_length(file.size), _content(plan, file)) for file in row.attachments]
    return payload.build(complete_fields(plan, row), plan.scope.operation, row.reference, files)


def _content(plan: Plan, file: Attachment) -> Callable[[], Iterator[bytes]]:
    return partial(encode if file.made is None else plan.made_files.encode, file)


def complete_fields(plan: Plan, row: PlannedRow) -> dict[str, object]:
    """Return a row's fields as they are sent: with its reference, and with the names of missing attachments."""
    fields = payload.with_missing(row.fields, row.missing)
    has_reference = bool(plan.scope.tenant and plan.scope.operation and row.key_digest)
    return payload.with_reference(fields, plan.mapping.reference, row.reference if has_reference else PLACEHOLDER)


def search_value(plan: Plan, row: PlannedRow) -> str | None:
    """Return the value that is sent in the field by which the mapping searches the CRM.

    None if the row is sent without that field, or without the reference that identifies its case.
    """
    if plan.mapping.reference is None:
        return None
    value = complete_fields(plan, row).get(SEARCHED.get(plan.mapping.search, ""))
    return None if value is None else str(value)
