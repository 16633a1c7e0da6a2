"""The data's way: a spreadsheet's rows become cases of the CRM, and a report says what became of each.

source -> mapping -> validation -> payload -> crm -> journal -> report
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from importer import journal as journals
from importer import mapping, payload, report, settings, starts
from importer.crm import Brake, Crm, Pacer
from importer.desk import Desk, Forecast
from importer.identity import Scope, tenant_of
from importer.journal import ImportRecord, Journal, RunStart
from importer.mapping import CaseMapping
from importer.model import Status
from importer.planning import Plan, PlannedRow, make_plan
from importer.recognition import Memory
from importer.reporting import Finished, Ran, count, finish, refreshed
from importer.sending import Errand, Sender, complete_fields
from importer.source import Table, open_table


@dataclass(frozen=True, slots=True)
class Job:
    """What a command was asked to do; `rate` in rows a second, None where nothing was said."""

    source: Path
    mapping: Path
    connection: settings.Connection = field(default_factory=settings.Connection)
    journal: Path | None = None
    report: Path | None = None
    limit: int | None = None
    concurrency: int = 2
    rate: float | None = None
    only_if_all_valid: bool = False
    first_run: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A row, the body that it would send but for its attachments, and its cells by column."""

    planned: PlannedRow
    body: dict[str, object]
    cells: dict[str, str]


def check(job: Job) -> Plan:
    """Read, map and validate a source; send nothing, and ask no journal."""
    cases = mapping.load(job.mapping)
    table = open_table(job.source, cases.table)
    return make_plan(table, cases, _scope(job, cases), Memory())


def run(job: Job, desk: Desk) -> Finished:
    """Plan a source, have it confirmed, send what is not created yet, and write the report.

    Raises an ImporterError before anything is sent where something is at fault; later, only where the journal or the
    report can no longer be written.
    """
    started = now()
    cases = mapping.load(job.mapping)
    target = settings.target(job.connection, _mapped(cases))
    table = open_table(job.source, cases.table)
    report_path = job.report or report.default_path(job.source)
    report.check_writable(report_path)
    with Journal(job.journal or journals.default_path()) as journal, Crm(target) as crm:
        record, plan = _plan(job, cases, table, journal)
        starts.refuse_unknown_ids(plan, journal, report_path)
        forecast = _forecast(job, plan, crm, target.server)
        if record is None:
            starts.refuse_other_import(plan, journal)
            starts.agree_to_first_run(plan, target.server, desk, said=job.first_run)
        if forecast.to_send:
            desk.confirm(forecast)
        record = record or _new_import(plan, journal)
        _note(plan, journal, record)
        run_id = journal.runs.start(record.id, _run_start(plan, target.server))
        ran = replace(_send(job, desk, Errand(crm, journal, record, run_id, plan), forecast), started_at=started)
        finished = finish(refreshed(plan, journal, record), journal, record, ran, report_path)
        journal.runs.end(run_id, finished.counts, crm.calls, finished.exit_status)
    return finished


def rebuild_report(job: Job) -> Finished:
    """Write the report again from the source and the journal; send nothing."""
    cases = mapping.load(job.mapping)
    table = open_table(job.source, cases.table)
    report_path = job.report or report.default_path(job.source)
    report.check_writable(report_path)
    server, _operation = settings.server_and_operation(job.connection, _mapped(cases))
    with Journal(job.journal or journals.default_path()) as journal:
        record, plan = _plan(job, cases, table, journal)
        return finish(plan, journal, record, Ran(now(), server), report_path)


def preview(job: Job, number: int | None) -> Preview | None:
    """Return what a row would send, the first row's where no `number` is given; None where there is no such row."""
    plan = check(job)
    for frame, batch in zip(plan.table.frames(), plan.batches, strict=True):
        for position, planned in enumerate(batch):
            if number in {None, planned.row.number}:
                body = payload.document(complete_fields(plan, planned.row), plan.scope.operation)
                return Preview(planned, body, {column: str(frame[column].iloc[position]) for column in plan.columns})
    return None


def now() -> datetime:
    """Return this moment in the user's own time zone."""
    return datetime.now(UTC).astimezone()


def _mapped(cases: CaseMapping) -> settings.Connection:
    return settings.Connection(cases.server, cases.operation)


def _scope(job: Job, cases: CaseMapping) -> Scope:
    """Return the scope of a job; what is not named yet is empty, which only commands that send nothing allow."""
    server, operation = settings.server_and_operation(job.connection, _mapped(cases))
    return Scope(tenant_of(server) if server else "", operation or "", cases.import_name)


def _plan(job: Job, cases: CaseMapping, table: Table, journal: Journal) -> tuple[ImportRecord | None, Plan]:
    """Plan a source beside what the journal knows of its import; None stands for a first run."""
    scope = _scope(job, cases)
    record = journal.imports.find(scope.tenant, scope.operation, scope.import_name)
    starts.refuse_other_file(table, record)
    if record is not None:
        journal.attempts.expire(record.id)
    return record, make_plan(table, cases, scope, Memory(journal, record))


def _to_send(job: Job, plan: Plan) -> Iterator[PlannedRow]:
    """Yield the rows that a run may send, in sheet order."""
    return islice((planned for planned in plan if planned.status is Status.PLANNED), job.limit)


def _forecast(job: Job, plan: Plan, crm: Crm, server: str) -> Forecast:
    """Add up what a run is about to do; where it will send, ask the CRM how many calls are left."""
    counts = count(plan)
    held_back = job.only_if_all_valid and counts.invalid > 0
    rows = attachments = size = 0
    for planned in () if held_back else _to_send(job, plan):
        rows += 1
        attachments += len(planned.row.attachments)
        size += sum(file.size for file in planned.row.attachments)
    calls_left = crm.token_information().left if rows else None
    return Forecast(plan, server, counts, rows, attachments, size, calls_left, held_back)


def _new_import(plan: Plan, journal: Journal) -> ImportRecord:
    """Note an import's first run; without a key column the import is bound to this one file."""
    scope = plan.scope
    bound_to = None if plan.mapping.key else plan.table.digest
    return journal.imports.add(scope.tenant, scope.operation, scope.import_name, bound_to)


def _note(plan: Plan, journal: Journal, record: ImportRecord) -> None:
    """Write a confirmed plan into the journal: new rows, corrected rows, rows edited after their case was created."""
    for batch in plan.batches:
        fresh = {
            planned.row.identity.reference: (planned.row.identity, planned.status)
            for planned in batch
            if planned.row.identity and planned.known is None and planned.status is not Status.SKIPPED
        }
        journal.rows.add(record.id, list(fresh.values()), plan.content_columns)
        again = {Status.INVALID, Status.REJECTED}
        known = [(planned, planned.known) for planned in batch if planned.known]
        journal.rows.replan(
            record.id,
            [row.reference for planned, row in known if planned.status is Status.PLANNED and row.status in again],
        )
        edited = {row.reference: planned.differs for planned, row in known if planned.differs != row.changed}
        journal.rows.flag_changed(record.id, edited)


def _run_start(plan: Plan, server: str) -> RunStart:
    program = f"case-importer {version('wolkvox-case-importer')}"
    return RunStart(str(plan.table.path), plan.table.digest, plan.mapping.digest, server, getpass.getuser(), program)


def _send(job: Job, desk: Desk, errand: Errand, forecast: Forecast) -> Ran:
    """Send what the forecast promised; return how that went."""
    reason = None
    if forecast.to_send:
        brake = Brake(created=forecast.counts.created > 0)
        sender = Sender(errand, Pacer(job.concurrency, job.rate), brake, desk.sent)
        desk.sending(forecast.to_send)
        try:
            reason = sender.send(_to_send(job, errand.plan), job.concurrency)
        finally:
            desk.done()
    return Ran(
        started_at=now(),
        server=forecast.server,
        run=errand.run_id,
        created_now=errand.journal.runs.created_in(errand.run_id),
        calls=errand.crm.calls,
        reason=reason.message if reason else None,
        status=reason.exit_status if reason else 0,
        held_back=forecast.held_back,
    )
