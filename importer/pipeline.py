"""The pipeline: the rows of a spreadsheet become cases of the CRM, and a report shows the outcome of each row.

    source -> matching -> mapping -> validation -> payload -> journal -> crm -> journal -> report

`make_plan` reads, matches, maps and validates, a batch of rows at a time. `run` sends the planned rows and writes the
report: the journal has the intent of each POST before it is made, and its outcome after it. The steps themselves are in
`workflow/` and in the stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from importer import payload, report, settings
from importer.crm import Crm
from importer.errors import JournalError, RunStopped, StartRefused, UsageError
from importer.identity import Scope
from importer.journal import ImportRecord, Journal, RunRecord, look_at_journal, run_going_on
from importer.journal_place import Place, may_be_there
from importer.mapping import load_mapping
from importer.messages import _
from importer.model import Issue, Status
from importer.system.spool import Spool
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.correcting.carrying import earlier_corrections
from importer.workflow.corrections import load_corrections
from importer.workflow.forecast.forecast import Forecast, UserInterface, make_forecast
from importer.workflow.forecast.proposals import refuse_other_proposal, with_digest
from importer.workflow.job import (
    Job,
    LoadedJob,
    allowed_folders,
    at_known_place,
    connection_in,
    open_source,
    open_tables,
    scope_of,
)
from importer.workflow.jobs.adopting import Adoption, adopt_rows, open_report
from importer.workflow.jobs.executing import execute_run
from importer.workflow.jobs.starting import (
    AgreedRun,
    ask_open_questions,
    record_plan,
    run_details,
    spot_check_is_due,
)
from importer.workflow.jobs.unrecorded import with_verdicts
from importer.workflow.keys.history import ImportHistory
from importer.workflow.outcome.after_run import after_run, with_shared
from importer.workflow.outcome.corrected import corrected_reports, still_to_send
from importer.workflow.outcome.next_steps import CorrectedReport, Situation, Step, corrected_steps, next_steps
from importer.workflow.outcome.outcome import (
    Finished,
    SendResult,
    interruption_message,
    now,
    refresh,
    report_outcome,
    with_contacts,
    with_open_questions,
)
from importer.workflow.outcome.report_places import ReportOptions
from importer.workflow.planning.changes import conditions_of, judge_edits, updates_from
from importer.workflow.planning.plan import Batch, Plan, PlannedRow, complete_fields
from importer.workflow.planning.planning import Planner, own_columns
from importer.workflow.planning.selecting import select_rows
from importer.workflow.sending.sending import RunContext
from importer.workflow.sending.token_limits import open_crm, turns_of
from importer.workflow.settling.looking import RowFinder, spot_check


def make_plan(
    loaded: LoadedJob,
    scope: Scope,
    history: ImportHistory,
    *,
    retry_rejected: bool = False,
    trust_references: bool = True,
) -> Plan:
    """Return the plan of a source; send nothing and do not change the journal.

    `history` is what the journal knows of the import; with `retry_rejected`, rejected rows are planned again. Rows of a
    report are identified by the reference that they carry, unless `trust_references` is false. Raises QuestionsOpen if
    the mapping names a folder that the user has not allowed, MappingError for columns that the sheet lacks, SourceError
    for a lookup table or a file of corrections that cannot be read.
    """
    table, case_mapping = loaded.table, loaded.case_mapping
    tables = open_tables(case_mapping, table.path, allowed_folders(loaded.job))
    planner = Planner(
        *(table, case_mapping, scope, history, tables),
        corrections=load_corrections(table.path),  # what a person corrected on the page
        retry_rejected=retry_rejected,
        trust_references=trust_references,
    )
    batches: Spool[Batch] = Spool(in_memory=2)  # thousands of rows each: more of them would be felt
    for rows in planner.survey():  # source: a frame of cells under the row numbers that Excel shows
        matched = planner.match(rows)  # identity: which row it is, and what the journal knows about it
        files = planner.find_attachments(rows)
        fields = planner.map(rows, files)  # mapping: cells to the fields of a case
        issues = planner.validate(rows, matched, fields)  # validation: what is wrong with the values
        batches.append(planner.make_batch(rows, matched, fields, issues, files))
    plan = planner.assemble(batches)
    return judge_edits(plan, conditions_of(loaded, plan, history, retry_refused=retry_rejected))  # of cases that exist


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked source: its plan as `run` would make it now, and what there is to do."""

    plan: Plan
    steps: tuple[Step, ...]


def check(loaded: LoadedJob) -> Plan:
    """Map and validate a source, with what the journal knows about its rows; send nothing, and change no journal."""
    return check_with_steps(loaded).plan


def check_with_steps(loaded: LoadedJob) -> Checked:
    """Check a source; return its plan, and what there is to do. A journal that cannot be read is a note."""
    notes: tuple[str, ...] = ()
    try:
        with look_at_journal(loaded.job.journal_path) as journal:
            known, ambiguous = _known_place(loaded, journal)
            scope = scope_of(known.job, known.case_mapping)
            if scope.tenant and scope.operation:
                return _check_with(known, journal)
            notes = ambiguous
    except JournalError as error:
        notes = (str(error),)
    plan = make_plan(loaded, scope_of(loaded.job, loaded.case_mapping), ImportHistory())
    plan = replace(plan, notes=(*plan.notes, *notes))
    return Checked(plan, next_steps(plan.counts(), Situation(Commands.of(loaded.job))))


def _known_place(loaded: LoadedJob, journal: Journal) -> tuple[LoadedJob, tuple[str, ...]]:
    """Return a job with the server and operation that the journal knows for it, or a note where it knows several."""
    try:
        return at_known_place(loaded, journal), ()
    except UsageError as error:
        unknown = _("Without server and operation it is not known which rows have a case already.")
        return loaded, (f"{unknown} {error}",)


def _check_with(loaded: LoadedJob, journal: Journal) -> Checked:
    """Check a source with a copy of the journal, which may be changed; say what a run would ask about, or refuse."""
    record, plan = plan_to_show(loaded, journal)
    if record is not None:
        runs = (run for run in journal.runs.all() if run.import_id == record.id)
        earlier = earlier_corrections(loaded, plan, runs)
        plan = replace(plan, earlier=earlier, notes=(*plan.notes, *earlier.notes()))
    counts, situation = plan.counts(), situation_of(loaded, journal, record, plan)
    situation = with_verdicts(situation, loaded.job, plan, journal, record)
    whole = guards.other_import_questions(loaded.job, plan, journal, record)
    asked = "\n".join(question.listed for question in (*whole, *plan.open_questions))
    situation = replace(situation, reason=asked or None, waiting=plan.waiting, updates_from=updates_from(plan))
    if record is not None and situation.bound and not own_columns(plan.table.columns):
        beside = guards.reports_beside(plan.table.path, loaded.job.report_path)
        situation = replace(situation, report=max(beside, key=lambda path: path.stat().st_mtime_ns, default=None))
    try:
        guards.refuse_unknown_ids(plan, journal, loaded.job, agrees=False)
    except StartRefused as refusal:
        situation = replace(situation, reason=str(refusal), waiting=counts.planned)
    return Checked(plan, next_steps(counts, situation))


@dataclass(frozen=True, slots=True)
class Preview:
    """A row, the body that it would send without its attachments, and its cells by column.

    `issues` are all that keep it from being sent, those of the further lines of its case included.
    """

    row: PlannedRow
    body: dict[str, object]
    cells: dict[str, str]
    issues: tuple[Issue, ...]


def preview(loaded: LoadedJob, number: int | None = None, *, only_with_issues: bool = False) -> Iterator[Preview]:
    """Yield what rows would send, in sheet order: all rows, or the one with `number`, or those with issues.

    A further line of a case sends nothing itself: the row of its case is in its place.
    """
    plan = make_plan(loaded, scope_of(loaded.job, loaded.case_mapping), ImportHistory())
    parts = {row.number: row for row in plan.in_state(Status.PART)}
    wanted = parts[number].case_row if number in parts else number
    for frame, batch in plan.cells():
        for position, row in enumerate(batch.rows()):
            if row.number in parts or wanted not in {None, row.number}:
                continue
            if row.issues or row.faulty_lines or not only_with_issues:
                lines = (parts[line].issues for line in row.faulty_lines)
                cells = {column: str(frame[column].iloc[position]) for column in plan.columns}
                body = payload.document(complete_fields(plan, row), plan.scope.operation)
                yield Preview(row, body, cells, (*row.issues, *chain.from_iterable(lines)))


def run(loaded: LoadedJob, ui: UserInterface) -> Finished:
    """Plan a source, have it confirmed, send the rows that are not created yet, and write the report.

    Raises an ImporterError for any fault before anything is sent; after that only RunStopped, if the journal can no
    longer be written or the user interrupts the report. It may be called in any thread.
    """
    started, options = now(), ReportOptions.of(loaded.job)
    from_mapping = connection_in(loaded.case_mapping)
    server = settings.require_server(loaded.job.connection, from_mapping)
    guards.refuse_short_quiet_period(loaded.job.quiet_period, server)
    report.check_writable(options.path)
    with Journal(loaded.job.journal_path) as journal:

        def plan_with(job: Job, seen: Journal) -> tuple[ImportRecord | None, Plan]:
            return plan_import(replace(loaded, job=job), seen)  # an answer may change which import this is

        ui.stop_request.refuse_to_start()
        agreed = ask_open_questions(loaded, journal, ui, server, plan_with)  # read, match, map, validate: `make_plan`
        job, plan = agreed.job, agreed.plan
        agrees = ui.agrees_to_forecast
        situation = situation_of(replace(loaded, job=job), journal, agreed.record, plan, agrees=agrees)
        for step in corrected_steps(situation):
            ui.show(step.sentence)
        turns = turns_of(
            journal, target := settings.target(job.connection, from_mapping), job.requests_at_once, job.rate
        )
        with open_crm(target, turns, ui.stop_request) as crm, ExitStack() as here:
            due = spot_check_is_due(job, plan, journal, agreed.record)
            forecast = with_digest(make_forecast(job, plan, crm, server, spot_check_due=due), loaded.job)
            refuse_other_proposal(ui.agrees_to, forecast)
            if forecast.rows_to_send or forecast.updates_to_send:
                ui.confirm(forecast)  # raises UsageError if the user declines
            ui.stop_request.refuse_to_start()
            context, notes = record_start(agreed, forecast, crm, journal, ui)  # after the spot check
            context = replace(context, turns=turns)
            try:
                here.enter_context(run_going_on(journal.path, context.run_id))
                # send and record: each row's intent, one POST, its outcome (workflow/sending/sending.py);
                # after the cases that are created, those of edited rows are updated (workflow/sending/updating.py)
                result = execute_run(job, ui, context, forecast)
                result = replace(result, started_at=started, notes=(*notes, *result.notes))
                situation = with_verdicts(situation, job, plan, journal, context.record, agreed.refused)
                finished = report_run(context, result, options, situation)
                return after_run(finished, job, journal, context.record)
            except KeyboardInterrupt as stop:  # during the report: while rows are sent, `execute_run` ends by itself
                counts = refresh(plan, journal, context.record).counts(context.run_id)
                raise RunStopped(interruption_message(counts, situation.commands.run(), ui.stop_request)) from stop


def record_start(
    agreed: AgreedRun, forecast: Forecast, crm: Crm, journal: Journal, ui: UserInterface
) -> tuple[RunContext, tuple[str, ...]]:
    """Record the plan and the run in the journal; return what its workers share, and notes for the report.

    Before the first row of a source is sent, the CRM is asked for some of its rows. Raises StartRefused if one of them
    was sent from another computer.
    """
    job, plan = agreed.job, agreed.plan
    reports, scope = guards.reports_beside(plan.table.path, job.report_path), scope_of(job, plan.mapping)
    guards.join_imports(journal, scope, job.same_as)
    guards.accept_journal(job, journal, scope, reports)
    guards.remember(journal, agreed.answered)
    record = record_plan(agreed, journal)
    finder = RowFinder(crm, journal, record, plan, findings=None, stop=ui.stop_request)
    commands = Commands.of(job, agrees=ui.agrees_to_forecast)
    not_checked = spot_check(finder, forecast.spot_check, job.concurrency, commands)
    if not_checked and not journal.rows.has_cases(record.id):
        guards.ask_without_spot_check(not_checked, forecast.server, ui)
    run_id = journal.runs.start(record.id, run_details(plan, forecast.server))
    context = RunContext(crm, journal, record, run_id, plan, ui.stop_request)
    return context, (*agreed.notes, *((not_checked,) if not_checked else ()))


def situation_of(
    loaded: LoadedJob, journal: Journal, record: ImportRecord | None, plan: Plan, *, agrees: bool = False
) -> Situation:
    """Return what is known beside the rows of a source: how it goes on, and which of its reports a person corrected.

    `with_verdicts` adds the verdicts in them: those that count are the ones that are not recorded at the end.
    """
    commands = Commands.of(loaded.job, agrees=agrees)
    corrected = _corrected(loaded, journal, record, plan)
    goes_on_in_report = not plan.mapping.key or bool(own_columns(plan.table.columns))
    return Situation(commands, bound=goes_on_in_report, corrected=corrected)


def _corrected(
    loaded: LoadedJob, journal: Journal, record: ImportRecord | None, plan: Plan
) -> tuple[CorrectedReport, ...]:
    """Return the reports beside a source that a person has corrected."""

    def plan_report(path: Path) -> Plan:
        inside = (*loaded.job.allow_folders, plan.table.path.absolute().parent)  # a report may be anywhere
        job = replace(loaded.job, source=path, allow_folders=inside)
        table = open_source(path, loaded.case_mapping.table)
        history = ImportHistory(journal, record)
        return make_plan(LoadedJob(job, loaded.case_mapping, table), plan.scope, history)

    if record is None:
        return ()
    reports = guards.reports_beside(plan.table.path, loaded.job.report_path)
    return corrected_reports(plan, journal, sorted(reports), plan_report)


def report_run(context: RunContext, result: SendResult, options: ReportOptions, situation: Situation) -> Finished:
    """Write the report of what became of every row, and record how the run ended."""
    context.stop.begin_report()
    plan = refresh(context.plan, context.journal, context.record, situation.commands.quiet_period)
    result = with_open_questions(result, plan)
    result, plan = with_contacts(result, plan, context.journal, situation.commands.quiet_period)
    situation = replace(situation, corrected=tuple(still_to_send(one, plan) for one in situation.corrected))
    finished = report_outcome(plan, context.journal, context.record, result, options, situation, context.stop)
    context.journal.runs.end(context.run_id, finished.counts, result.calls, finished.exit_status)
    return finished


def rebuild_report(loaded: LoadedJob) -> Finished:
    """Write the report again from the source and the journal; send nothing."""
    options = ReportOptions.of(loaded.job)
    report.check_writable(options.path)
    with Journal(loaded.job.journal_path) as journal:
        loaded = at_known_place(loaded, journal)
        job = loaded.job
        server, _operation = settings.server_and_operation(job.connection, connection_in(loaded.case_mapping))
        record, plan = plan_to_show(loaded, journal, sends=False)
        notes = (journal.standing.sentence,) if journal.standing.sentence else ()
        result = SendResult(now(), server, notes=notes)
        situation = with_verdicts(situation_of(loaded, journal, record, plan), job, plan, journal, record)
        plan = replace(select_rows(plan, job.only), whole=None)  # a report of these rows alone, to be given back
        result, plan = with_contacts(with_open_questions(result, plan), plan, journal, job.quiet_period)
        return with_shared(report_outcome(plan, journal, record, result, options, situation), job, journal, record)


def adopt(job: Job) -> Adoption:
    """Take the rows of a report into the journal: created ones with their ids, doubtful ones as unknown.

    A row whose id cannot be right is taken as unknown, so that it is not sent again until it has been corrected. A row
    that cannot be identified, because its key is empty or does not belong to its reference, is not taken. Rows of both
    kinds are issues.
    Raises StartRefused if no row has an id, or if all rows with one belong to another import.
    """
    case_mapping = load_mapping(job.mapping)
    loaded = LoadedJob(job, case_mapping, open_report(job, case_mapping))
    with Journal(job.journal_path) as journal:
        record, scope = _find_import(loaded, journal)
        plan = make_plan(loaded, scope, ImportHistory(journal, record), trust_references=False)
        return adopt_rows(plan, journal, record, job)


def history(path: Place) -> list[RunRecord]:
    """Return the runs that a journal knows, the newest first.

    Raises UsageError where there is no journal yet, JournalError where it cannot be read.
    """
    if not may_be_there(path):
        raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=path))
    with Journal(path) as journal:
        return journal.runs.all()


def plan_import(loaded: LoadedJob, journal: Journal, *, sends: bool = True) -> tuple[ImportRecord | None, Plan]:
    """Plan a source with what the journal knows about its import; the record is None on a first run.

    Rejected rows count as planned only if the command `sends` them. Rows and updates whose lease is over become
    unknown first.
    """
    record, scope = _find_import(loaded, journal)
    guards.refuse_other_file(loaded.table, journal, record)
    if record is not None:
        journal.attempts.expire(record.id)
        journal.updates.expire(record.id)
    retry = sends and loaded.job.tries_rejected
    return record, make_plan(loaded, scope, ImportHistory(journal, record), retry_rejected=retry)


def plan_to_show(loaded: LoadedJob, journal: Journal, *, sends: bool = True) -> tuple[ImportRecord | None, Plan]:
    """Plan a source as `plan_import` does, for a command that sends nothing: questions about some rows are open."""
    record, plan = plan_import(loaded, journal, sends=sends)
    whole = guards.other_import_questions(loaded.job, plan, journal, record)
    overlaps = guards.overlap_questions(loaded.job, plan, journal, record, whole, agrees=False)
    return record, plan.with_open(overlaps)


def _find_import(loaded: LoadedJob, journal: Journal) -> tuple[ImportRecord | None, Scope]:
    """Return the import of a job, None before its first run, and its scope.

    The scope of a known import is the recorded one, under whatever name or host it is imported now: the references of
    its rows are made from it.
    """
    scope = scope_of(loaded.job, loaded.case_mapping)
    record = guards.find_import(journal, scope, loaded.job.same_as)
    return record, scope if record is None else Scope(*record.scope)
