"""The data's way: a spreadsheet's rows become cases of the CRM, and a report says what became of each.

source -> mapping -> validation -> payload -> crm -> journal -> report
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from importer import payload, report, settings, starts
from importer.choosing import chosen
from importer.composing import complete_fields
from importer.crm import Crm
from importer.desk import Desk
from importer.dispatch import Dispatch
from importer.errors import RunStopped
from importer.forecast import make_forecast
from importer.identity import Scope, tenant_of
from importer.job import Job, mapped
from importer.journal import ImportRecord, Journal, RunStart, program_name, user_name
from importer.key_rule import KeyRule, refuse_changed_key, refuse_other_rule
from importer.looking import Looking, spot_check
from importer.mapping import CaseMapping
from importer.messages import _
from importer.model import Identity, Status
from importer.opening import Begun
from importer.plan import Batch, Plan, PlannedRow
from importer.planning import make_plan
from importer.recognition import Memory
from importer.reporting import Finished, Ran, Wish, finish, now, refreshed
from importer.sending import Errand


@dataclass(frozen=True, slots=True)
class Preview:
    """A row, the body that it would send but for its attachments, and its cells by column."""

    planned: PlannedRow
    body: dict[str, object]
    cells: dict[str, str]


def check(begun: Begun) -> Plan:
    """Map and validate a source; send nothing, and ask no journal."""
    return make_plan(begun.table(), begun.cases, scope_of(begun.job, begun.cases), Memory())


def preview(begun: Begun, number: int | None = None, *, issues: bool = False) -> Iterator[Preview]:
    """Yield what rows would send, in sheet order: all of them, or that of one `number`, or those with issues."""
    plan = check(begun)
    for frame, batch in plan.cells():
        for position, planned in enumerate(batch):
            if number in {None, planned.row.number} and (planned.row.issues or not issues):
                body = payload.document(complete_fields(plan, planned.row), plan.scope.operation)
                yield Preview(planned, body, {column: str(frame[column].iloc[position]) for column in plan.columns})


def run(begun: Begun, desk: Desk) -> Finished:
    """Plan a source, have it confirmed, send what is not created yet, and write the report.

    Raises an ImporterError before anything is sent where something is at fault; later, only RunStopped, where the
    journal can no longer be written or somebody wants no report.
    """
    started, job, wish = now(), begun.job, Wish.of(begun.job)
    target = settings.target(job.connection, mapped(begun.cases))
    starts.refuse_short_quiet_period(job.quiet_period, target.server)
    report.check_writable(wish.path)
    with Journal(job.journal_path) as journal, Crm(target) as crm:
        record, plan = _plan(begun, journal, retry_rejected=job.tries_rejected)
        refuse_changed_key(plan, journal, record)
        starts.refuse_second_start(job, plan, journal, record)
        plan = chosen(plan, job.only)
        checked = record is not None and journal.imports.is_spot_checked(record, plan.table.digest)
        forecast = make_forecast(job, plan, crm, target.server, is_new=not (checked or job.look_first))
        if record is None:
            starts.agree_to_first_run(plan, target.server, desk, said=job.first_run)
        if forecast.promised:
            desk.confirm(forecast)
        record = _note(job, plan, journal, record)
        looking = Looking(crm, journal, record, plan, None)
        unasked = spot_check(looking, forecast.spot_check, job.concurrency)
        run_id = journal.runs.start(record.id, _run_start(plan, target.server))
        try:
            ran = Dispatch(job, desk, Errand(crm, journal, record, run_id, plan), forecast).carry_out()
            ran = replace(ran, notes=(*filter(None, [unasked]), *ran.notes))
            plan = refreshed(plan, journal, record)
            finished = finish(plan, journal, record, replace(ran, started_at=started), wish)
        except KeyboardInterrupt as stop:
            sentence = _("Stopped with Ctrl-C. What was sent is in the journal, and the same command goes on.")
            raise RunStopped(sentence) from stop
        journal.runs.end(run_id, finished.counts, ran.calls, finished.exit_status)
    return finished


def rebuild_report(begun: Begun) -> Finished:
    """Write the report again from the source and the journal; send nothing."""
    job, wish = begun.job, Wish.of(begun.job)
    report.check_writable(wish.path)
    server, _operation = settings.server_and_operation(job.connection, mapped(begun.cases))
    with Journal(job.journal_path) as journal:
        record, plan = _plan(begun, journal)
        notes = tuple(filter(None, [journal.standing.sentence]))
        return finish(chosen(plan, job.only), journal, record, Ran(now(), server, notes=notes), wish)


def scope_of(job: Job, cases: CaseMapping) -> Scope:
    """Return the scope of a job; what is not named yet is empty, which only commands that send nothing allow."""
    server, operation = settings.server_and_operation(job.connection, mapped(cases))
    return Scope(tenant_of(server) if server else "", operation or "", cases.import_name)


def _plan(begun: Begun, journal: Journal, *, retry_rejected: bool = False) -> tuple[ImportRecord | None, Plan]:
    """Plan a source beside what the journal knows of its import; None stands for a first run."""
    table = begun.table()
    scope = scope_of(begun.job, begun.cases)
    record = starts.find_import(journal, scope, begun.job.same_as)
    starts.refuse_other_file(table, record)
    if record is not None:
        scope = Scope(record.tenant, record.operation, record.name)  # references stay what they were
        journal.attempts.expire(record.id)
    return record, make_plan(table, begun.cases, scope, Memory(journal, record), retry_rejected=retry_rejected)


def _note(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> ImportRecord:
    """Write a confirmed plan into the journal: the import, new rows, corrected rows, rows edited after creation."""
    bound_to = None if plan.mapping.key else plan.table.digest
    if record is None:
        record = journal.imports.add(*plan.scope.parts, bound_to, KeyRule.of(plan).written())
        starts.refuse_other_file(plan.table, record)  # another process may have been faster
        refuse_other_rule(plan, record)
    elif bound_to and record.bound_to is None:
        journal.imports.bind(record, bound_to)  # it was adopted from a report, which does not tell its file
    if job.same_as is not None:
        journal.imports.also_called(record, *scope_of(job, plan.mapping).parts)
    for batch in plan.batches:
        _note_batch(batch, plan, journal, record)
    return record


def _note_batch(batch: Batch, plan: Plan, journal: Journal, record: ImportRecord) -> None:
    """Write what is new about the rows of a batch into the journal."""
    statuses, known = batch.statuses, batch.known
    fresh: dict[str, tuple[Identity, Status]] = {}
    for at, status in enumerate(statuses):
        if at not in known and status is not Status.SKIPPED and (who := batch.identity(at)):
            fresh[who.reference] = who, status
    journal.rows.add(record.id, list(fresh.values()), plan.content_columns)
    again = [row.reference for at, row in known.items() if statuses[at] is Status.PLANNED is not row.status]
    journal.rows.replan(record.id, again)
    edited = {row.reference: at in batch.differs for at, row in known.items() if (at in batch.differs) != row.changed}
    journal.rows.flag_changed(record.id, edited)


def _run_start(plan: Plan, server: str) -> RunStart:
    source, table = str(plan.table.path), plan.table
    return RunStart(source, table.digest, plan.mapping.digest, server, user_name(), program_name())
