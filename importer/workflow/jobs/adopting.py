"""Take the case ids of a report, or of a column `wolkvox_id`, into the journal.

This restores a lost journal, or takes over what another computer has sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from importer import report
from importer.errors import SourceError, StartRefused
from importer.identity import UNKNOWN_CONTENT, Scope, same_tenant
from importer.journal import Adopted, ImportRecord, Journal
from importer.mapping import CaseMapping
from importer.messages import _, ngettext
from importer.model import CHANGED, UNSETTLED, Identity, Issue, Status
from importer.names import state_name
from importer.report_words import state_of_word
from importer.source import Table, open_table
from importer.text import is_case_id
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.job import Job, open_source
from importer.workflow.jobs.adoption_remedies import Remedies
from importer.workflow.outcome.next_steps import Step
from importer.workflow.planning.key_rule import KeyRule, refuse_changed_key
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.planning.planning import id_column, own_columns

_MAPPINGS = {".yml", ".yaml"}


@dataclass(frozen=True, slots=True)
class Adoption:
    """The result: how many rows were taken over as created and as doubtful, and all issues.

    `refused` are the numbers of the rows that were not taken over; of these, the journal knows better about the
    `outdated` ones, which need no correction.
    """

    created: int
    doubtful: int
    refused: tuple[int, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def outdated(self) -> frozenset[int]:
        """The numbers of the rows whose cases were declared deleted after the report was written."""
        return frozenset(issue.row for issue in self.issues if issue.code == "id-deleted" and issue.row is not None)

    @property
    def exit_status(self) -> int:
        """The exit status of the command: 0 no issues, 1 some issues, 2 nothing could be taken over."""
        if not (self.created or self.doubtful):
            return 2
        return 1 if self.issues else 0


def step_after(job: Job, adoption: Adoption) -> Step:
    """Return what comes after a report was adopted: to adopt the rows that were refused, or else a run.

    The run is one of the report's source, if that is beside it, or else of itself.
    """
    if wrong := len(set(adoption.refused) - adoption.outdated):
        sentence = ngettext(
            "Correct {count} row in {name} as it is said above, then run `{command}`.",
            "Correct {count} rows in {name} as it is said above, then run `{command}`.",
            wrong,
            name=job.source.name,
            command=Commands.of(job).adopt(job.source),
        )
        return Step(sentence)
    texts = report.summary_texts(job.source, open_table)
    names = (re.split(r"[\\/]", text)[-1] for text in texts if text.strip())
    beside = (job.source.with_name(name) for name in names if Path(name).suffix)
    source = next((path for path in beside if path.is_file() and path.suffix.lower() not in _MAPPINGS), job.source)
    command = Commands.of(job).for_source(source).run()
    sentence = _(
        "`{command}` goes on with {name}: what is a case already is not sent again.", command=command, name=source.name
    )
    return Step(sentence)


def adopt_rows(plan: Plan, journal: Journal, record: ImportRecord | None, job: Job) -> Adoption:
    """Take the rows of a planned report into the journal; those whose ids cannot be right become unknown.

    Raises StartRefused if no row has an id, or if all rows with one belong to another import.
    """
    refuse_changed_key(plan, journal, record)
    learnt = _names_in_report(plan, journal, job)
    plan = replace(plan, aliases=(*plan.aliases, *learnt))
    checker = _ReportChecker(plan, journal, Remedies(Commands.of(job), job.source))
    adopted = [row for row in map(checker.adopted, _sheet_rows(plan)) if row is not None]
    issues = (*checker.issues, *checker.lost_rows(job))
    if not adopted and not issues:
        raise StartRefused(_("{path}: no row of this sheet has the id of a case.", path=plan.table.path))
    if not adopted and all(issue.code == "reference-edited" for issue in issues):
        raise _other_import(plan.table, plan.scope)
    if adopted:
        record = record or journal.imports.add(*plan.scope.parts, None, KeyRule.of(plan).written())
        journal.adoptions.adopt(record.id, adopted, plan.content_columns)
        journal.rows.add_spellings(record.id, [row.identity for row in adopted])
        journal.rows.add_uncorrected(record.id, list(_uncorrected(adopted, job.source)))
        for scope in learnt:
            journal.imports.also_called(record, *scope.parts)
            guards.remember_same(journal, scope, record)
        mark = report.read_mark(job.source, open_table)
        is_ahead = mark is not None and journal.is_behind(*mark)  # then it is a witness against this journal
        if not issues and not is_ahead and report.is_never_saved(job.source):
            journal.imports.note_report(record.id, report.digest(job.source))  # nobody's work: it may be replaced
        guards.note_adopted(journal, plan.scope, mark)
    created = sum(row.state is Status.CREATED for row in adopted)
    return Adoption(created, len(adopted) - created, tuple(checker.refused), tuple(issues))


def _uncorrected(adopted: Sequence[Adopted], path: Path) -> Iterator[Identity]:
    """Yield the rows of a report that were sent with corrections: the sheet without them must not send them again."""
    before = report.read_uncorrected(path, open_table)
    for row in adopted:
        if keys := before.get(row.identity.reference):
            yield replace(row.identity, uncorrected=keys)


def _names_in_report(plan: Plan, journal: Journal, job: Job) -> list[Scope]:
    """Return the other names of the import that a report tells; not those of an import that the journal has."""
    scopes = [Scope(*parts) for parts in report.read_scopes(job.source, open_table)]
    ours = [
        scope
        for scope in scopes
        if scope.operation == plan.scope.operation and same_tenant(scope.tenant, plan.scope.tenant)
    ]
    if not any(scope.import_name == plan.scope.import_name for scope in ours):
        return []  # a report of another import
    known = {plan.scope, *plan.aliases}
    return [scope for scope in ours if scope not in known and journal.imports.find(*scope.parts) is None]


@dataclass(frozen=True, slots=True)
class _SheetRow:
    """A row of the plan, and what the sheet says about its case."""

    planned: PlannedRow
    wolkvox_id: str
    id_prefijo: str
    reference: str
    status: str
    message: str

    @property
    def was_changed(self) -> bool:
        """Whether the sheet says that the row was edited after its case was created; formerly in its message alone."""
        return self.status == CHANGED or report.says_changed(self.message)

    @property
    def number(self) -> int:
        """The row's number in the sheet."""
        return self.planned.number

    @property
    def may_be_case(self) -> bool:
        """Whether the row is, or may be, a case according to the sheet."""
        return bool(self.wolkvox_id) or self.was_created or self.status in UNSETTLED

    @property
    def was_created(self) -> bool:
        """Whether the row is created according to the sheet."""
        return self.status in {Status.CREATED, CHANGED}

    @property
    def is_part(self) -> bool:
        """Whether the row is only a further line of another row's case."""
        return self.planned.skipped is not None and self.planned.identity is None


class _Problem(NamedTuple):
    """What is wrong with a row: an issue without the row's number."""

    column: str | None
    value: str
    code: str
    message: str
    remedy: str


class _ReportChecker:
    """Decides which rows of a report are adopted, and as what; collects `issues`, and rows that are `refused`."""

    def __init__(self, plan: Plan, journal: Journal, remedies: Remedies) -> None:
        self._plan, self._remedies = plan, remedies
        columns = plan.table.columns
        self._ours = own_columns(columns)
        self._id_column = id_column(columns)
        self._reference = self._ours.get("reference")
        rows = [row for row in _sheet_rows(plan) if not row.is_part]
        self._times = Counter(row.wolkvox_id for row in rows if row.wolkvox_id)
        self._holders = journal.rows.holders(plan.scope.tenant, plan.scope.operation, list(self._times))
        declared = journal.rows.declared_deleted(plan.scope.tenant, plan.scope.operation, list(self._times))
        self._deleted = declared - self._holders.keys()
        self._cases = self._doubts = 0
        self._references: set[str] = set()
        self.issues: list[Issue] = []
        self.refused: list[int] = []

    def adopted(self, row: _SheetRow) -> Adopted | None:
        """Return a row for the journal, None if there is nothing to adopt or the row cannot be identified."""
        self._cases += bool(row.wolkvox_id) and row.status not in UNSETTLED
        self._doubts += row.status in UNSETTLED
        self._references.add(row.reference)
        identity = self._identity(row)
        if problem := self._key_problem(row, identity):
            self._refuse(row, problem)
            return None
        if identity is None or not row.may_be_case:
            return None
        if row.wolkvox_id in self._deleted:
            message = _("{value} is the id of a case that was declared deleted", value=row.wolkvox_id)
            remedy = self._remedies.nothing_if_deleted()
            self._refuse(row, _Problem(self._id_column, row.wolkvox_id, "id-deleted", message, remedy))
            return None
        usable = row.wolkvox_id if is_case_id(row.wolkvox_id) else None
        if problem := self._id_problem(row, identity):
            if not usable and not row.status:  # a person's own column, in which a dash may mean that there is no case
                self._refuse(row, problem)
                return None
            self.issues.append(Issue(row.number, *problem))
            usable = None
        if row.status in UNSETTLED or usable is None:
            state = Status.CONFLICT if row.status == Status.CONFLICT else Status.UNKNOWN
            message = _("Taken over from a report in which it was in doubt.")
            return Adopted(identity, state, usable, row.id_prefijo or None, message)
        self._note_difference(row)
        if row.was_changed:  # the edit came before this computer saw the row, so its content must not count as sent
            identity = replace(identity, content_hash=UNKNOWN_CONTENT, column_digests="")
        return Adopted(identity, Status.CREATED, usable, row.id_prefijo or None)

    def _refuse(self, row: _SheetRow, problem: _Problem) -> None:
        self.refused.append(row.number)
        self.issues.append(Issue(row.number, *problem))

    def _identity(self, row: _SheetRow) -> Identity | None:
        """Return the identity of a row, with the reference of the report if version 1 or another name makes it."""
        identity = row.planned.identity
        scopes = (self._plan.scope, *self._plan.aliases)
        if identity is None or row.reference not in row.planned.references(scopes):
            return identity
        return replace(identity, reference=row.reference)

    def _key_problem(self, row: _SheetRow, identity: Identity | None) -> _Problem | None:
        """Return why the row to which a case belongs cannot be identified, None if it can."""
        if identity is not None:
            if not row.may_be_case or row.reference in {"", identity.reference}:
                return None
            message = _("{value} does not belong to this row's key", value=row.reference)
            return _Problem(
                self._reference, row.reference, "reference-edited", message, self._remedies.undo_or_other_name()
            )
        was_used = row.may_be_case or (row.reference and row.status not in {Status.SKIPPED, Status.PART})
        if row.is_part or not was_used:
            return None
        columns = ", ".join(self._plan.key_columns) or None
        value = row.wolkvox_id or row.reference or row.status
        if any(issue.code == "key-repeated" for issue in row.planned.issues):
            message = _(
                "Several rows have this row's key, so it is unclear to which of them {value} belongs", value=value
            )
            return _Problem(columns, value, "key-repeated", message, self._remedies.undo())
        message = _("The key is empty, so it is unclear whose {value} is", value=value)
        return _Problem(columns, value, "key-missing", message, self._remedies.undo())

    def _id_problem(self, row: _SheetRow, identity: Identity) -> _Problem | None:
        """Return why the id in a row cannot be that of its case, None if it can."""
        value = row.wolkvox_id
        holder = self._holders.get(value, identity.reference)
        if not value:
            if not row.was_created:
                return None
            message = _("The row is created, but its id is missing")
            return _Problem(self._id_column, value, "id-missing", message, self._remedies.id_of_the_case())
        if not is_case_id(value):
            message = _("{value} is not the id of a case", value=value)
            return _Problem(self._id_column, value, "id-unusable", message, self._remedies.id_or_empty())
        if self._times[value] > 1:
            message = _("{value} is the id of {count} rows", value=value, count=self._times[value])
            return _Problem(self._id_column, value, "id-repeated", message, self._remedies.id_of_the_case())
        if holder != identity.reference:
            message = _("{value} is the case of another row, {reference}", value=value, reference=holder)
            return _Problem(self._id_column, value, "id-taken", message, self._remedies.id_of_the_case())
        return None

    def _note_difference(self, row: _SheetRow) -> None:
        """Report a row for which the journal knows another case: both ids are kept, and the row becomes a conflict."""
        known = row.planned.known
        if known and known.status is Status.CREATED and known.wolkvox_id not in {None, row.wolkvox_id}:
            message = _(
                "The journal has case {known} for this row, and the sheet has {value}",
                known=known.wolkvox_id,
                value=row.wolkvox_id,
            )
            remedy = self._remedies.look_at_both(row.planned.reference)
            problem = _Problem(self._id_column, row.wolkvox_id, "id-differs", message, remedy)
            self.issues.append(Issue(row.number, *problem))

    def lost_rows(self, job: Job) -> Iterator[Issue]:
        """Yield an issue for each row that only the report's other sheets still know; must be called last."""
        overview = report.read_overview(job.source, open_table) if self._ours else None
        if overview is None:
            return
        for row in overview.to_decide:
            if row.reference and row.reference not in self._references:
                message = _(
                    "{value} is on the sheet `To decide`, but its row is no longer in the sheet", value=row.reference
                )
                yield Issue(
                    row.row, self._reference, row.reference, "row-missing", message, self._remedies.bring_back()
                )
        for state, expected, left in (
            (state_name(Status.CREATED), overview.created, self._cases),
            (_("unknown or in conflict"), overview.doubtful, self._doubts),
        ):
            if left < expected:
                message = _(
                    "The summary counts {expected} rows as {state}, but the sheet has only {left}",
                    expected=expected,
                    state=state,
                    left=left,
                )
                yield Issue(None, None, None, "rows-missing", message, self._remedies.bring_back())


def open_report(job: Job, case_mapping: CaseMapping) -> Table:
    """Open the sheet of the report, whatever number Excel gave it, or the source's own sheet if it has ids."""
    table = open_source(job.source, replace(case_mapping.table, sheet=None, header_row=None))
    if id_column(table.columns):
        return table
    for title in filter(None, [case_mapping.table.sheet, *report.report_sheets(job.source)]):
        with suppress(SourceError):  # the user's own sheet with our name, without a table
            other = open_table(job.source, replace(case_mapping.table, sheet=title, header_row=None))
            if id_column(other.columns):
                return other
    return table


def _sheet_rows(plan: Plan) -> Iterator[_SheetRow]:
    """Yield every row with what the sheet says about its case."""
    columns = plan.table.columns
    ours: Mapping[str, str | None] = own_columns(columns) or {
        "wolkvox_id": id_column(columns),
        "idPrefijo": "idPrefijo",
    }
    for frame, batch in plan.cells():
        names = ("wolkvox_id", "idPrefijo", "reference", "status", "message")
        texts = [_texts(frame, ours.get(name)) for name in names]
        for planned, cells in zip(batch.rows(), zip(*texts, strict=True), strict=True):
            wolkvox_id, id_prefijo, reference, status, message = cells
            yield _SheetRow(planned, wolkvox_id, id_prefijo, reference, state_of_word(status), message)


def _texts(frame: pd.DataFrame, column: str | None) -> Sequence[str]:
    if column is None or column not in frame.columns:
        return [""] * len(frame)
    return [str(cell).strip() for cell in frame[column]]


def _other_import(table: Table, scope: Scope) -> StartRefused:
    return StartRefused(
        _(
            "{path}: its references do not belong to import {name} (operation {operation}, server {server}). Give the"
            " --server and --operation that the report names, and the mapping with which it was made.",
            path=table.path,
            name=scope.import_name,
            operation=scope.operation,
            server=scope.tenant,
        )
    )
