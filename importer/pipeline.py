"""The way of the data: the rows of a spreadsheet become cases of the CRM, and a report says what became of each.

    source -> mapping -> validation -> payload -> crm -> journal -> report

`make_plan` reads, maps and validates, a batch of rows at a time. `run` sends what is left to send and records each
outcome before the next row begins; then it writes the report. The steps themselves are in `workflow/` and the stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from importer import mapping, payload, report, settings
from importer.crm import Crm
from importer.errors import RunStopped, UsageError
from importer.identity import Scope
from importer.journal import ImportRecord, Journal, RunRecord
from importer.mapping import CaseMapping
from importer.messages import _, ngettext
from importer.model import Counts
from importer.source import Table
from importer.spool import Spool
from importer.workflow import guards
from importer.workflow.adopting import Adoption, adopt_rows, open_report
from importer.workflow.executing import execute_run
from importer.workflow.forecast import UserInterface, make_forecast
from importer.workflow.job import Job, LoadedJob, allowed_folders, mapped, open_tables, scope_of
from importer.workflow.looking import Looking, spot_check
from importer.workflow.matching import ImportHistory
from importer.workflow.outcome import Finished, ReportOptions, SendResult, finish, now, refreshed
from importer.workflow.plan import Batch, Plan, PlannedRow, complete_fields
from importer.workflow.planning import Planner, select_rows
from importer.workflow.sending import RunContext
from importer.workflow.starting import agree, needs_spot_check, record_plan, run_start, with_open_questions


def make_plan(  # noqa: PLR0913 - what a plan is made of
    table: Table,
    cases: CaseMapping,
    scope: Scope,
    history: ImportHistory,
    job: Job,
    *,
    retry_rejected: bool = False,
    trust_references: bool = True,
) -> Plan:
    """Return the plan of a source; send nothing and change no journal.

    Raises QuestionsOpen where the mapping names a folder that the user has not allowed, MappingError for columns that
    the sheet lacks, SourceError for a lookup table that cannot be read.
    """
    tables = open_tables(cases, table.path, allowed_folders(job))
    planner = Planner(
        table, cases, scope, history, tables, retry_rejected=retry_rejected, trust_references=trust_references
    )
    batches: Spool[Batch] = Spool()
    for rows in planner.survey():  # source: a frame of cells under the row numbers that Excel shows
        matched = planner.match(rows)  # identity: which row each one is, and what the journal knows of it
        fields = planner.map(rows)  # mapping: cells to the fields of a case
        issues = planner.validate(rows, matched, fields)  # validation: what is wrong with the values
        files = planner.find_attachments(rows)
        batches.append(planner.batch(rows, matched, fields, issues, files))
    return planner.plan(batches)


def check(loaded: LoadedJob) -> Plan:
    """Map and validate a source; send nothing, and ask no journal."""
    return make_plan(loaded.table, loaded.cases, scope_of(loaded.job, loaded.cases), ImportHistory(), loaded.job)


@dataclass(frozen=True, slots=True)
class Preview:
    """A row, the body that it would send but for its attachments, and its cells by column."""

    row: PlannedRow
    body: dict[str, object]
    cells: dict[str, str]


def preview(loaded: LoadedJob, number: int | None = None, *, issues: bool = False) -> Iterator[Preview]:
    """Yield what rows would send, in sheet order: all of them, or that of one `number`, or those with issues."""
    plan = check(loaded)
    for frame, batch in plan.cells():
        for position, row in enumerate(batch.rows()):
            if number in {None, row.number} and (row.issues or not issues):
                body = payload.document(complete_fields(plan, row), plan.scope.operation)
                yield Preview(row, body, {column: str(frame[column].iloc[position]) for column in plan.columns})


def run(loaded: LoadedJob, ui: UserInterface) -> Finished:
    """Plan a source, have it confirmed, send what is not created yet, and write the report.

    Raises an ImporterError before anything is sent where something is at fault; later, only RunStopped, where the
    journal can no longer be written or the person wants no report.
    """
    started, options = now(), ReportOptions.of(loaded.job)
    server = settings.require(loaded.job.connection, mapped(loaded.cases))
    guards.refuse_short_quiet_period(loaded.job.quiet_period, server)
    report.check_writable(options.path)
    with Journal(loaded.job.journal_path) as journal:
        agreed = agree(loaded, journal, ui, server, lambda job: _plan_import(loaded, job, journal))
        job, plan = agreed.job, select_rows(agreed.plan, agreed.job.only)
        with Crm(settings.target(job.connection, mapped(loaded.cases))) as crm:
            is_new = needs_spot_check(job, plan, journal, agreed.record)
            forecast = make_forecast(job, plan, crm, server, is_new=is_new)
            if forecast.rows_to_send:
                ui.confirm(forecast)
            reports = guards.reports_beside(plan.table.path, job.report_path)
            guards.accept_journal(job, journal, scope_of(job, loaded.cases), reports)
            guards.remember(journal, agreed.answered)
            record = record_plan(agreed, plan, journal)
            unasked = spot_check(Looking(crm, journal, record, plan, None), forecast.spot_check, job.concurrency)
            if unasked and not journal.rows.has_cases(record.id):
                guards.ask_without_spot_check(unasked, server, ui)
            context = RunContext(crm, journal, record, journal.runs.start(record.id, run_start(plan, server)), plan)
            try:
                result = execute_run(job, ui, context, forecast)  # crm and journal: intent, one POST, outcome
                result = replace(result, started_at=started, notes=(*filter(None, [unasked]), *result.notes))
                plan = refreshed(plan, journal, record)
                finished = finish(plan, journal, record, with_open_questions(result, plan), options)  # report
                journal.runs.end(context.run_id, finished.counts, result.calls, finished.exit_status)
            except KeyboardInterrupt as stop:
                counts = refreshed(plan, journal, record).counts(context.run_id)
                raise RunStopped(interrupted(counts)) from stop
    return finished


def interrupted(counts: Counts) -> str:
    """Return what to say where the person wants no report, or does not wait for its end: what was created."""
    return ngettext(
        "Stopped with Ctrl-C. {count} case was created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. The same command goes on, and writes the report.",
        "Stopped with Ctrl-C. {count} cases were created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. The same command goes on, and writes the report.",
        counts.created_now,
        created=counts.created,
        rows=counts.rows,
    )


def rebuild_report(loaded: LoadedJob) -> Finished:
    """Write the report again from the source and the journal; send nothing."""
    job, options = loaded.job, ReportOptions.of(loaded.job)
    report.check_writable(options.path)
    server, _operation = settings.server_and_operation(job.connection, mapped(loaded.cases))
    with Journal(job.journal_path) as journal:
        record, plan = _plan_import(loaded, job, journal, sends=False)
        notes = tuple(filter(None, [journal.standing.sentence]))
        return finish(select_rows(plan, job.only), journal, record, SendResult(now(), server, notes=notes), options)


def adopt(job: Job) -> Adoption:
    """Take the rows of a report into the journal: created ones with their ids, doubtful ones as unknown.

    A row whose id cannot be right is taken as unknown, so that it is not sent again before it was corrected. One that
    cannot be identified, since its key is empty or does not belong to its reference, is not taken. Both are issues.
    Raises StartRefused where no row has an id, or where every row with one belongs to another import.
    """
    cases = mapping.load_mapping(job.mapping)
    table = open_report(job, cases)
    with Journal(job.journal_path) as journal:
        record = guards.find_import(journal, scope_of(job, cases), job.same_as)
        scope = scope_of(job, cases) if record is None else Scope(*record.scope)
        plan = make_plan(table, cases, scope, ImportHistory(journal, record), job, trust_references=False)
        return adopt_rows(plan, journal, record, job)


def history(path: Path) -> list[RunRecord]:
    """Return the runs that a journal knows, the newest first.

    Raises UsageError where there is no journal yet, JournalError where it cannot be read.
    """
    if not path.exists():
        raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=path))
    with Journal(path) as journal:
        return journal.runs.all()


def _plan_import(
    loaded: LoadedJob, job: Job, journal: Journal, *, sends: bool = True
) -> tuple[ImportRecord | None, Plan]:
    """Plan a source beside what the journal knows of its import; None means that it is a first run.

    Rejected rows count as planned only where the command `sends` them.
    """
    table, cases = loaded.table, loaded.cases
    scope = scope_of(job, cases)
    record = guards.find_import(journal, scope, job.same_as)
    guards.refuse_other_file(table, record)
    if record is not None:
        scope = Scope(*record.scope)  # references stay what they were
        journal.attempts.expire(record.id)
    history, retry = ImportHistory(journal, record), sends and job.tries_rejected
    return record, make_plan(table, cases, scope, history, job, retry_rejected=retry)
