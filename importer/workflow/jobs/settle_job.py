"""The command `settle`: search the CRM for doubtful rows, or record what a person decided about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from importer import mapping, settings
from importer.commands import command_line, option
from importer.crm import Crm
from importer.errors import (
    ConnectionRefused,
    ServerUnreachable,
    SettingsError,
    StartRefused,
    UsageError,
)
from importer.identity import Scope, same_tenant, tenant_of
from importer.journal import ImportRecord, Journal, Operation, RunRecord
from importer.journal_place import Place, folder_of, is_there
from importer.mapping import CaseMapping
from importer.messages import _
from importer.model import Status, Target
from importer.settings import Connection
from importer.system.stopping import Stop
from importer.workflow import guards
from importer.workflow.job import connection_in, journal_path
from importer.workflow.jobs.decisions import DecisionTaker, HumanDecision, NotTaken, read_decisions
from importer.workflow.keys.history import ImportHistory
from importer.workflow.sending.token_limits import open_crm, turns_of
from importer.workflow.settling.deleted_cases import refuse_if_shown
from importer.workflow.settling.doubtful import OpenDoubt, can_be_searched, open_doubts
from importer.workflow.settling.settled_rows import in_doubt, knows, not_created_yet, not_one, reference_of
from importer.workflow.settling.settling import OpenRow, SearchSettler, SettleResult, open_rows
from importer.workflow.tenant_facts import QUIET_PERIOD, Findings


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person's decision on the row with this key or reference.

    Its case is `created`, `instead_of` the row that has that id now; or it has none, `despite` ids that the CRM named
    for it; or its case was `deleted` from the CRM, which is asked for it where it can be, and the row is planned
    again. `about` is that of the `OpenDoubt` that the person saw: a decision
    on an earlier attempt is refused. With `asking`, the CRM is searched before a row counts as not created, wherever
    it can be searched for; where it gives no answer, the person's word counts.
    """

    key: str
    created: str | None = None
    instead_of: str | None = None
    despite: tuple[str, ...] = ()
    deleted: bool = False
    about: str | None = None
    asking: bool = False


Waiter = Callable[[datetime, int], None]
"""Waits until a time, for so many rows; Ctrl-C ends it with KeyboardInterrupt."""


@dataclass(frozen=True)
class SettleJob:
    """What `settle` is to settle: the imports of one operation, or the one of a `mapping`; units as in `Job`."""

    connection: Connection
    journal: Place
    mapping: Path | None = None
    quiet_period: float = QUIET_PERIOD

    @property
    def journal_option(self) -> Place | None:
        """The journal as an option of a command; None where it is found without."""
        return None if self.journal == journal_path(None) else self.journal

    def waits(self) -> list[tuple[ImportRecord, SettleResult]]:
        """Return what is not settled in each import, by the journal alone; rows whose lease is over are unknown."""
        with self.open_journal() as journal:
            return [(record, self._look(journal, record)) for record in self._records(journal)]

    def doubts(self) -> list[OpenDoubt]:
        """Return the doubtful rows of these imports, one by one, in the order in which they were sent."""
        with self.open_journal() as journal:
            runs = {run.id: run for run in journal.runs.all()}
            found: list[OpenDoubt] = []
            for record in self._records(journal):
                journal.attempts.expire(record.id)
                found += open_doubts(journal, record, self.quiet_period, runs)
            return found

    def ask(self, key: str) -> SettleResult:
        """Search the CRM for one doubtful row, by its key or reference; return the result.

        Raises UsageError if no row in doubt has that key or while its case may still be created, and what `by_search`
        raises.
        """
        target = settings.target(self.connection, self.mapped())
        guards.refuse_short_quiet_period(self.quiet_period, target.server)
        with self.open_journal() as journal:
            record, reference = self._row(journal, key, doubtful=True)
            refusal, doubt = self._taker(journal, record, "search").searchable(reference)
            if refusal is not None or doubt is None:
                raise UsageError(refusal)
            if not can_be_searched(doubt):
                raise UsageError(
                    _(
                        "{reference} cannot be settled by a search: look it up in the CRM, and record what you found.",
                        reference=reference,
                    )
                )
            with self._crm(journal, target) as crm:
                return self._settler(journal, record, crm).settle_alone(doubt)

    def holder(self, key: str, wolkvox_id: str) -> str | None:
        """Return the reference of another row that has a case's id, None where no other has it.

        `key` is that of a doubtful row; raises UsageError if no row in doubt has it.
        """
        with self.open_journal() as journal:
            record, reference = self._row(journal, key, doubtful=True)
            owner = journal.doubts.owners(record.id, [wolkvox_id]).get(wolkvox_id)
            return None if owner == reference else owner

    def sources(self, runs: Collection[int | None]) -> dict[Path, RunRecord]:
        """Return the files that some runs sent, the newest first, each with the newest of its runs."""
        sources: dict[Path, RunRecord] = {}
        with self.open_journal() as journal:
            for run in journal.runs.all():
                if run.id in runs:
                    sources.setdefault(Path(run.start.source), run)
        return sources

    def by_search(self, wait: Waiter | None = None) -> list[tuple[ImportRecord, SettleResult]]:
        """Search the CRM for the doubtful rows of each import; return the results.

        `wait` is called until all rows that are open now can be searched for. Raises SettingsError, UsageError or
        StartRefused before the CRM is asked, ServerUnreachable or ConnectionRefused if it cannot be asked.
        """
        target = settings.target(self.connection, self.mapped())
        guards.refuse_short_quiet_period(self.quiet_period, target.server)
        if wait is not None:
            self._wait(wait)
        with self.open_journal() as journal, self._crm(journal, target) as crm:
            return [(record, self._settler(journal, record, crm).settle()) for record in self._records(journal)]

    def by_hand(self, decision: ByHand) -> tuple[ImportRecord, SettleResult]:
        """Record what a person decided about one row; return its import, and the result.

        The CRM's own answer is the result where it was asked and settles the row; where it gave none, `refusals` say
        why. Raises UsageError if no row has that key or if the decision is refused; with `despite`, also what the
        CRM's search raises.
        """
        with self.open_journal() as journal:
            record, reference = self._row(journal, decision.key, doubtful=not decision.deleted)
            before = open_rows(journal, record, self.quiet_period)
            taker = self._taker(journal, record, "by-hand")
            unanswered: tuple[str, ...] = ()
            if decision.deleted:
                unanswered = self._look_for_deleted(journal, record, reference)
            elif decision.created is None and (decision.despite or decision.asking):
                found, unanswered = self._search_first(journal, record, taker, replace(decision, key=reference))
                if found is not None:
                    return record, replace(
                        SettleResult.of(journal, record, self.quiet_period, before),
                        created=int(found is Status.CREATED),
                        conflict=int(found is Status.CONFLICT),
                        planned=int(found is Status.PLANNED),
                    )
            if decision.deleted:
                refusal = None if journal.doubts.note_deleted(record.id, reference) else not_created_yet(reference)
            elif decision.instead_of:
                refusal = self._hand_over(journal, taker, reference, decision)
            else:
                about, despite = decision.about, decision.despite
                refusal = taker.take(HumanDecision(reference, decision.created, about=about, despite=despite))
            if refusal is not None:
                raise UsageError(refusal)
            planned = decision.created is None and not decision.deleted  # of a deleted one another sentence says so
            result = SettleResult.of(journal, record, self.quiet_period, before)
            done = (int(decision.created is not None), int(planned), int(decision.deleted))
            return record, replace(
                result, created=done[0], planned=done[1], deleted=done[2], refusals=(*result.refusals, *unanswered)
            )

    def _look_for_deleted(self, journal: Journal, record: ImportRecord, reference: str) -> tuple[str, ...]:
        """Ask the CRM for a case that a person calls deleted; return what it answered, or why it could not be asked.

        Only an empty list that is believed lets the person's word count. Raises UsageError where the CRM still shows
        that very case, QuestionRefused, ServerUnreachable or ConnectionRefused where its answer proves nothing.
        """
        case = journal.doubts.case_of(record.id, reference)
        if case is None:
            return ()
        try:
            target = settings.target(self.connection, self.mapped())
        except (SettingsError, UsageError, StartRefused) as error:
            return (_("The CRM was not asked for {id}; your word counts: {reason}", id=case, reason=error),)
        with Crm(target) as crm:
            refuse_if_shown(crm, case, reference)
        return (_("The CRM was asked for {id} and does not show it.", id=case),)

    def _crm(self, journal: Journal, target: Target) -> Crm:
        """Return the CRM, which is asked in turns with what other machines do with the token."""
        return open_crm(target, turns_of(journal, target), Stop())

    def _search_first(
        self, journal: Journal, record: ImportRecord, taker: DecisionTaker, decision: ByHand
    ) -> tuple[Status | None, tuple[str, ...]]:
        """Search for a row before it counts as not created, despite the ids that the CRM named for it.

        Return the state to which that settled it, None if it did not; and why the CRM gave no answer, if so.
        """
        refusal, doubt = taker.searchable(decision.key)
        if refusal is not None or doubt is None:
            raise UsageError(refusal)
        if not decision.despite and not can_be_searched(doubt):
            return None, ()
        try:
            target = settings.target(self.connection, self.mapped())
            with self._crm(journal, target) as crm:
                settler = self._settler(journal, record, crm)
                return settler.settle_one(doubt), settler.unanswered
        except (SettingsError, UsageError, StartRefused, ServerUnreachable, ConnectionRefused) as error:
            if decision.despite:
                raise
            return None, (str(error),)

    def _hand_over(self, journal: Journal, taker: DecisionTaker, reference: str, decision: ByHand) -> str | None:
        """Give the row an id that another row has; return why that was refused, None if it was recorded."""
        record, holder = self._row(journal, decision.instead_of or "", doubtful=False)
        doubt = taker.doubt(reference)
        known = journal.rows.by_reference(record.id, [holder]).get(holder)
        created = decision.created
        if not created or doubt is None or known is None or known.row.wolkvox_id != created:
            return _(
                "--instead-of {key}: this row does not have the id {id}; see its line in the report.",
                key=decision.instead_of,
                id=created,
            )
        return taker.hand_over(doubt, journal.doubts.holder_of(record.id, holder, created), decision.about)

    def from_report(self, path: Path) -> tuple[list[tuple[ImportRecord, SettleResult]], tuple[NotTaken, ...]]:
        """Record the decisions that a person wrote into a report; return the results, and those that were refused.

        Raises ReportError if the file is not a report.
        """
        decisions, not_taken = read_decisions(path)
        taken: dict[int, list[HumanDecision]] = {}
        with self.open_journal() as journal:
            records = self._records(journal)
            before = {record.id: open_rows(journal, record, self.quiet_period) for record in records}
            for decision in decisions:
                record = next((record for record in records if knows(journal, record, decision.reference)), None)
                if record is None:
                    reason = _("{reference} is not a reference of this import.", reference=decision.reference)
                    refused: NotTaken | None = NotTaken(decision.reference, reason, decision.row, "settled")
                else:
                    refused = self._taker(journal, record, "report").try_to_take(decision)
                if refused is not None:
                    not_taken.append(refused)
                elif record is not None:
                    taken.setdefault(record.id, []).append(decision)
            results = [
                (record, self._decided(journal, record, before[record.id], taken.get(record.id, ())))
                for record in records
                if record.id in taken or before[record.id] or len(records) == 1
            ]
        return results, tuple(not_taken)

    def _decided(
        self, journal: Journal, record: ImportRecord, before: Sequence[OpenRow], taken: Sequence[HumanDecision]
    ) -> SettleResult:
        created = sum(decision.created is not None for decision in taken)
        result = SettleResult.of(journal, record, self.quiet_period, before)
        return replace(result, created=created, planned=len(taken) - created)

    def _wait(self, wait: Waiter) -> None:
        """Wait for the rows that are open now, not for those that another process sends meanwhile."""
        wanted: set[str] | None = None
        while True:
            left = [row for _record, result in self.waits() for row in result.left if row.until]
            wanted = {row.reference for row in left} if wanted is None else wanted
            ends = [self._searchable_from(row) for row in left if row.reference in wanted]
            if not ends:
                return
            wait(max(ends), len(ends))

    def _searchable_from(self, row: OpenRow) -> datetime:
        quiet = self.quiet_period if row.state is Status.SENDING else 0
        return (row.until or datetime.now(UTC)) + timedelta(seconds=quiet)

    def _look(self, journal: Journal, record: ImportRecord) -> SettleResult:
        journal.attempts.expire(record.id)
        return SettleResult.of(journal, record, self.quiet_period, ())

    def _taker(self, journal: Journal, record: ImportRecord, how: str) -> DecisionTaker:
        guards.refuse_short_quiet_period(self.quiet_period, f"https://{record.tenant}")
        return DecisionTaker(ImportHistory(journal, record), self.quiet_period, how)

    def _settler(self, journal: Journal, record: ImportRecord, crm: Crm) -> SearchSettler:
        scope = Scope(record.tenant, record.operation, record.name)
        findings = Findings.load(folder_of(journal.path), scope)
        return SearchSettler(ImportHistory(journal, record), crm, findings, self.quiet_period)

    def _row(self, journal: Journal, key: str, *, doubtful: bool) -> tuple[ImportRecord, str]:
        """Return the row with this key or reference, and its import; raises UsageError unless there is exactly one."""
        found = []
        for record in self._records(journal):
            reference = reference_of(journal, record, key)
            if reference is not None and (not doubtful or in_doubt(journal, record, reference)):
                found.append((record, reference))
        if len(found) != 1:
            raise not_one(key, [record for record, _reference_ in found])
        return found[0]

    def operations(self, journal: Journal) -> list[Operation]:
        """Return the operations that the job is about, each with its tenant; one may have no import yet.

        Raises UsageError if it names none, and the journal knows none of its imports.
        """
        server, operation = settings.server_and_operation(self.connection, self.mapped())
        named = [(tenant_of(server), operation)] if server and operation else []
        try:
            records = self._records(journal)
        except UsageError:
            if not named:
                raise
            records = []
        return list(dict.fromkeys([*((record.tenant, record.operation) for record in records), *named]))

    def has_imports(self, journal: Journal) -> bool:
        """Tell whether the journal knows imports that the job is about."""
        try:
            return bool(self._records(journal))
        except UsageError:
            return False

    def is_doubtful_row(self, journal: Journal, key: str) -> bool:
        """Tell whether a row in doubt has this key or reference."""
        records = self._records(journal) if self.has_imports(journal) else []
        found = ((record, reference_of(journal, record, key)) for record in records)
        return any(reference is not None and in_doubt(journal, record, reference) for record, reference in found)

    def is_row(self, journal: Journal, key: str) -> bool:
        """Tell whether a row has this key or reference."""
        records = self._records(journal) if self.has_imports(journal) else []
        return any(reference_of(journal, record, key) is not None for record in records)

    def open_journal(self) -> Journal:
        """Open the journal; raises UsageError where there is none yet."""
        if not is_there(self.journal):
            raise UsageError(_("{path}: there is no journal yet; the first run creates it.", path=self.journal))
        return Journal(self.journal)

    def mapped(self) -> Connection:
        """Return the connection that the mapping names."""
        return connection_in(self._case_mapping) if self._case_mapping else Connection()

    @cached_property
    def _case_mapping(self) -> CaseMapping | None:
        """The mapping, which a job reads once."""
        return mapping.load_mapping(self.mapping) if self.mapping else None

    def _records(self, journal: Journal) -> list[ImportRecord]:
        """Return the imports to settle; raises UsageError if the journal has none of them."""
        server, operation = settings.server_and_operation(self.connection, self.mapped())
        name = self._case_mapping.import_name if self._case_mapping else None
        if name and server and operation:
            found = [journal.imports.find(tenant_of(server), operation, name)]
        else:
            found = [
                record
                for record in journal.imports.all()
                if (not server or same_tenant(record.tenant, tenant_of(server)))
                and operation in {None, record.operation}
                and name in {None, record.name}
            ]
        records = [record for record in found if record is not None]
        if not records:
            raise UsageError(
                _(
                    "{path}: the journal has no such import; `{command}` lists them.",
                    path=self.journal,
                    command=command_line("history", *option("--journal", self.journal_option)),
                )
            )
        return records
