"""The data's way: a spreadsheet's rows become cases of the CRM, and a report says what became of each.

source -> mapping -> validation -> payload -> crm -> journal -> report
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from importer import payload, report, settings
from importer.crm import Crm
from importer.errors import RunStopped
from importer.identity import Scope, tenant_of
from importer.journal import ImportRecord, Journal, RunStart, program_name, user_name
from importer.mapping import CaseMapping
from importer.messages import _, ngettext
from importer.model import Counts, Identity, Status
from importer.questions import Answered, Question, answer_all, unanswered
from importer.source import Table
from importer.workflow import guards
from importer.workflow.executing import Dispatch
from importer.workflow.forecast import UserInterface, make_forecast
from importer.workflow.job import Job, LoadedJob, allowed_folders, mapped
from importer.workflow.key_rule import KeyRule, refuse_changed_key, refuse_other_rule
from importer.workflow.looking import OTHER_COMPUTER, Looking, spot_check
from importer.workflow.matching import ImportHistory
from importer.workflow.outcome import PAUSED, Finished, ReportOptions, SendResult, finish, now, refreshed
from importer.workflow.plan import Batch, Plan, PlannedRow, complete_fields
from importer.workflow.planning import chosen, make_plan
from importer.workflow.sending import RunContext


@dataclass(frozen=True, slots=True)
class Preview:
    """A row, the body that it would send but for its attachments, and its cells by column."""

    planned: PlannedRow
    body: dict[str, object]
    cells: dict[str, str]


def check(loaded: LoadedJob) -> Plan:
    """Map and validate a source; send nothing, and ask no journal."""
    scope = scope_of(loaded.job, loaded.cases)
    return make_plan(loaded.table(), loaded.cases, scope, ImportHistory(), allowed=allowed_folders(loaded.job))


def preview(loaded: LoadedJob, number: int | None = None, *, issues: bool = False) -> Iterator[Preview]:
    """Yield what rows would send, in sheet order: all of them, or that of one `number`, or those with issues."""
    plan = check(loaded)
    for frame, batch in plan.cells():
        for position, planned in enumerate(batch):
            if number in {None, planned.row.number} and (planned.row.issues or not issues):
                body = payload.document(complete_fields(plan, planned.row), plan.scope.operation)
                yield Preview(planned, body, {column: str(frame[column].iloc[position]) for column in plan.columns})


def run(loaded: LoadedJob, ui: UserInterface) -> Finished:
    """Plan a source, have it confirmed, send what is not created yet, and write the report.

    Raises an ImporterError before anything is sent where something is at fault; later, only RunStopped, where the
    journal can no longer be written or somebody wants no report.
    """
    started, options = now(), ReportOptions.of(loaded.job)
    server = settings.require(loaded.job.connection, mapped(loaded.cases))
    guards.refuse_short_quiet_period(loaded.job.quiet_period, server)
    report.check_writable(options.path)
    with Journal(loaded.job.journal_path) as journal:
        agreed = _agree(loaded, journal, ui, server)
        job, plan = agreed.job, chosen(agreed.plan, agreed.job.only)
        with Crm(settings.target(job.connection, mapped(loaded.cases))) as crm:
            forecast = make_forecast(job, plan, crm, server, is_new=_is_new(job, plan, journal, agreed.record))
            if forecast.rows_to_send:
                ui.confirm(forecast)
            reports = guards.reports_beside(plan.table.path, job.report_path)
            guards.accept_journal(job, journal, scope_of(job, loaded.cases), reports)
            guards.remember(journal, agreed.answered)
            record = _note(job, plan, journal, agreed.record)
            unasked = spot_check(Looking(crm, journal, record, plan, None), forecast.spot_check, job.concurrency)
            if unasked and not journal.rows.has_cases(record.id):
                guards.ask_without_spot_check(unasked, server, ui)
            run_id = journal.runs.start(record.id, _run_start(plan, server))
            try:
                result = Dispatch(job, ui, RunContext(crm, journal, record, run_id, plan), forecast).carry_out()
                result = replace(result, notes=(*filter(None, [unasked]), *result.notes))
                plan = refreshed(plan, journal, record)
                finished = finish(plan, journal, record, _waiting(replace(result, started_at=started), plan), options)
                journal.runs.end(run_id, finished.counts, result.calls, finished.exit_status)
            except KeyboardInterrupt as stop:
                raise RunStopped(interrupted(refreshed(plan, journal, record).counts(run_id))) from stop
    return finished


def interrupted(counts: Counts) -> str:
    """Return what to say where somebody wants no report, or does not wait for its end: what was created."""
    return ngettext(
        "Stopped with Ctrl-C. {count} case was created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. The same command goes on, and writes the report.",
        "Stopped with Ctrl-C. {count} cases were created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. The same command goes on, and writes the report.",
        counts.created_now,
        created=counts.created,
        rows=counts.rows,
    )


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What a run may do: the job with the answers in it, the import as the journal knows it, and the plan."""

    job: Job
    record: ImportRecord | None
    plan: Plan
    answered: list[Answered]


def _agree(loaded: LoadedJob, journal: Journal, ui: UserInterface, server: str) -> _Agreed:
    """Plan a source, and have every question answered that a person has to answer before anything is sent.

    Nothing goes to the CRM before that. What needs no plan is known at once, so that it is listed together with the
    folders that the plan itself needs. Raises StartRefused, QuestionsOpen or UsageError where the run may not begin.
    """
    job, cases = loaded.job, loaded.cases
    forecast = guards.forecast_questions(ui)
    record = guards.find_import(journal, scope_of(job, cases), job.same_as)
    of_the_journal = list(guards.journal_questions(job, journal, scope_of(job, cases)))
    first = [*of_the_journal, *guards.first_run_questions(job, scope_of(job, cases), server, record)]
    trust = guards.server_questions(job, cases)
    job = guards.ask_for_folders(job, cases, ui, later=[*trust, *first, *forecast])
    table = loaded.table()
    record, plan = _plan(table, job, cases, journal)
    refuse_changed_key(plan, journal, record)
    guards.refuse_without_looking(job, journal, scope_of(job, cases), table.digest)
    if not job.look_first:
        guards.refuse_unknown_ids(plan, journal, job.report_path)
    questions = [*trust, *_plan_questions(job, plan, journal, record)]
    overlaps = guards.overlap_questions(job, plan, journal, record, asked=questions)
    later = [*overlaps, *first, *(forecast if plan.counts().planned else ())]
    answered = answer_all(questions, ui, later=later)
    same_as, job = job.same_as, guards.agreed(job, answered, ui, cases)
    if job.same_as != same_as:
        record, plan = _plan(table, job, cases, journal)
        refuse_changed_key(plan, journal, record)
        overlaps = guards.overlap_questions(job, plan, journal, record)
    answered += answer_all([*overlaps, *(first if record is None else of_the_journal)], ui)
    return _Agreed(job, record, plan.with_open(unanswered([*questions, *overlaps], answered)), answered)


def _plan_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> list[Question]:
    """Return what only a plan can tell that it has to be asked; a question about some rows names them."""
    return [
        *guards.other_import_questions(job, plan, journal, record),
        *guards.same_tickets_questions(job, plan, journal, record),
    ]


def _waiting(result: SendResult, plan: Plan) -> SendResult:
    """Say which questions rows wait for; where nothing more pressing ended the run, they are why it is not done."""
    if not plan.waiting:  # none were chosen of the rows that a question is open about
        return result
    notes = tuple(question.listed for question in plan.open_questions)
    reason = result.reason or _("Rows wait for an answer: {questions}", questions=" ".join(notes))
    return replace(result, notes=(*result.notes, *notes), reason=reason, status=max(result.status, PAUSED))


def _is_new(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> bool:
    """Tell whether a spot check is due: no row of this very source was looked for yet, and not all of them will be.

    It is due again where rejected rows go again, which another computer may have sent since, and on every run of an
    import that another computer was seen to send.
    """
    if job.look_first:
        return False
    if record is None or job.tries_rejected or journal.decisions.answered(OTHER_COMPUTER, "/".join(record.scope)):
        return True
    return not journal.imports.is_spot_checked(record, plan.table.digest)


def rebuild_report(loaded: LoadedJob) -> Finished:
    """Write the report again from the source and the journal; send nothing."""
    job, options = loaded.job, ReportOptions.of(loaded.job)
    report.check_writable(options.path)
    server, _operation = settings.server_and_operation(job.connection, mapped(loaded.cases))
    with Journal(job.journal_path) as journal:
        record, plan = _plan(loaded.table(), job, loaded.cases, journal, sends=False)
        notes = tuple(filter(None, [journal.standing.sentence]))
        return finish(chosen(plan, job.only), journal, record, SendResult(now(), server, notes=notes), options)


def scope_of(job: Job, cases: CaseMapping) -> Scope:
    """Return the scope of a job; what is not named yet is empty, which only commands that send nothing allow."""
    server, operation = settings.server_and_operation(job.connection, mapped(cases))
    return Scope(tenant_of(server) if server else "", operation or "", cases.import_name)


def _plan(
    table: Table, job: Job, cases: CaseMapping, journal: Journal, *, sends: bool = True
) -> tuple[ImportRecord | None, Plan]:
    """Plan a source beside what the journal knows of its import; None means that it is a first run.

    Rejected rows count as planned only where the command `sends` them.
    """
    scope = scope_of(job, cases)
    record = guards.find_import(journal, scope, job.same_as)
    guards.refuse_other_file(table, record)
    if record is not None:
        scope = Scope(record.tenant, record.operation, record.name)  # references stay what they were
        journal.attempts.expire(record.id)
    history, allowed = ImportHistory(journal, record), allowed_folders(job)
    retry = sends and job.tries_rejected
    return record, make_plan(table, cases, scope, history, retry_rejected=retry, allowed=allowed)


def _note(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> ImportRecord:
    """Write a confirmed plan into the journal: the import, new rows, corrected rows, rows edited after creation."""
    bound_to = None if plan.mapping.key else plan.table.digest
    if record is None:
        record = journal.imports.add(*plan.scope.parts, bound_to, KeyRule.of(plan).written())
        guards.refuse_other_file(plan.table, record)  # another process may have been faster
        refuse_other_rule(plan, record)
    elif bound_to and record.bound_to is None:
        journal.imports.bind(record, bound_to)  # it was adopted from a report, which does not tell its file
    if job.same_as is not None:
        scope = scope_of(job, plan.mapping)
        journal.imports.also_called(record, *scope.parts)
        guards.remember_same(journal, scope, record)
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
