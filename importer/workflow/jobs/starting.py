"""Before the first case: have every question answered, and record the plan in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from importer.journal import ImportRecord, Journal, RunStart, program_name, user_name
from importer.messages import _, ngettext
from importer.model import Identity, Status
from importer.questions import Answer, Answered, Question, answer_all, unanswered
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.job import Job, LoadedJob, scope_of
from importer.workflow.jobs.decisions import DecisionTaker
from importer.workflow.jobs.unrecorded import RefusedVerdicts, WrittenVerdicts, unrecorded_verdicts
from importer.workflow.keys.history import ImportHistory
from importer.workflow.planning.key_rule import KeyRule, refuse_changed_key, refuse_other_rule
from importer.workflow.planning.plan import Batch, Plan
from importer.workflow.planning.planning import own_columns
from importer.workflow.planning.selecting import select_rows
from importer.workflow.settling.looking import OTHER_COMPUTER

PlanMaker = Callable[[Job, Journal], tuple[ImportRecord | None, Plan]]
"""Plans the source of a job with what a journal knows about its import; None before the first run."""


@dataclass(frozen=True, slots=True)
class AgreedRun:
    """An agreed run: the job with the answers in it, the import as the journal knows it, and the plan of its rows.

    `refused` are the verdicts in reports that could not be recorded; `notes` say which, and why.
    """

    job: Job
    record: ImportRecord | None
    plan: Plan
    answered: list[Answered]
    refused: tuple[RefusedVerdicts, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which verdicts could not be recorded, and why."""
        every = (one for each in self.refused for one in each.not_taken)
        return tuple(_("{reference}: {reason}", reference=one.shown, reason=one.reason) for one in every)


def ask_open_questions(  # noqa: PLR0913 - everything that a start depends on
    loaded: LoadedJob,
    journal: Journal,
    ui: UserInterface,
    server: str,
    make_plan: PlanMaker,
    *,
    records: bool = True,
) -> AgreedRun:
    """Plan a source, and have a person answer every question that must be answered before anything is sent.

    Nothing goes to the CRM before that, and imports that become one are so in a copy of the journal only. Questions
    that need no plan are listed together with those about folders, which the plan itself needs. Unless it `records`,
    settings and journal stay as they are, and what would be recorded is so in a copy. Raises StartRefused,
    QuestionsOpen or UsageError if the run may not start.
    """
    with ExitStack() as copies:
        return _ask(loaded, journal, ui, server, make_plan, copies, records=records)


def _ask(  # noqa: PLR0913, PLR0917 - everything that a start depends on
    loaded: LoadedJob,
    journal: Journal,
    ui: UserInterface,
    server: str,
    make_plan: PlanMaker,
    copies: ExitStack,
    *,
    records: bool,
) -> AgreedRun:
    def joined(job: Job) -> Journal:
        return copies.enter_context(guards.as_joined(journal, scope, job.same_as, copied=not records))

    job, case_mapping = loaded.job, loaded.case_mapping
    scope = scope_of(job, case_mapping)  # no answer changes it
    forecast = guards.forecast_questions(ui)
    record = guards.find_import(journal, scope, job.same_as)
    of_the_journal = list(guards.journal_questions(job, journal, scope))
    first = [*of_the_journal, *guards.first_run_questions(job, scope, server, record)]
    trust = guards.server_questions(job, case_mapping)
    later = [*trust, *first, *forecast]
    job = guards.ask_for_folders(job, case_mapping, ui, later=later, remembers=records)
    seen = joined(job)
    record, plan = make_plan(job, seen)
    refuse_changed_key(plan, seen, record)
    verdicts = _written_verdicts(job, seen, record) if seen is journal or not (records or job.same_as) else []
    recorded = [one for one in verdicts if answer_all([_verdict_question(one, job)], ui)]
    refused = _record_verdicts(recorded, job, seen, record)
    if recorded:
        record, plan = make_plan(job, seen)
    guards.refuse_without_looking(job, seen, scope, plan.table.digest)
    if not job.look_first:
        guards.refuse_unknown_ids(plan, seen, job, agrees=ui.agrees_to_forecast)
    questions = [*trust, *_plan_questions(job, plan, seen, record)]
    overlaps = guards.overlap_questions(job, plan, seen, record, questions, agrees=ui.agrees_to_forecast)
    later = [*overlaps, *first, *(forecast if plan.counts().planned else ())]
    answered = answer_all(questions, ui, later=later)
    before, job = job, guards.agreed(job, answered, ui, case_mapping, remembers=records)
    if job.same_as != before.same_as:
        record, plan, overlaps = _plan_as(job, joined(job), ui, make_plan)
    more = answer_all([*overlaps, *(first if record is None else of_the_journal)], ui)
    before, job = job, guards.agreed(job, more, ui, case_mapping, remembers=records)
    if job.same_as != before.same_as:
        record, plan, overlaps = _plan_as(job, joined(job), ui, make_plan)
    answered += more
    plan = plan.with_open(unanswered([*questions, *overlaps], answered))
    return AgreedRun(job, record, select_rows(plan, job.only), answered, refused)


def _plan_as(
    job: Job, journal: Journal, ui: UserInterface, make_plan: PlanMaker
) -> tuple[ImportRecord | None, Plan, list[Question]]:
    """Plan a source as the import that an answer has named; return also the questions about keys of others still."""
    record, plan = make_plan(job, journal)
    refuse_changed_key(plan, journal, record)
    return record, plan, guards.overlap_questions(job, plan, journal, record, (), agrees=ui.agrees_to_forecast)


def open_verdict_questions(job: Job, journal: Journal, record: ImportRecord | None) -> list[Question]:
    """Return the questions about verdicts in reports to which the job has no answer; they leave rows as they are."""
    questions = (_verdict_question(one, job) for one in _written_verdicts(job, journal, record))
    return [question for question in questions if question.given is None]


def _written_verdicts(job: Job, journal: Journal, record: ImportRecord | None) -> list[WrittenVerdicts]:
    beside = guards.reports_beside(job.source, job.report_path)
    return unrecorded_verdicts([job.source, *sorted(beside)], journal, record)


def _verdict_question(written: WrittenVerdicts, job: Job) -> Question:
    """Return the question whether the verdicts that a person wrote into a report are to be recorded now."""
    sentence = ngettext(
        "{count} verdict in the sheet `To decide` of {path} is not recorded yet. Record it now?",
        "{count} verdicts in the sheet `To decide` of {path} are not recorded yet. Record them now?",
        written.count,
        path=written.path,
    )
    command = Commands.of(job).settle("--from", written.path)
    answer = Answer("yes", f"`{command}`")
    return job.given(Question("verdicts", sentence, (answer,), str(written.path), scope="rows"))


def _record_verdicts(
    verdicts: Iterable[WrittenVerdicts], job: Job, journal: Journal, record: ImportRecord | None
) -> tuple[RefusedVerdicts, ...]:
    """Record verdicts as decisions of the person who gave the command; return those that were refused."""
    refused: list[RefusedVerdicts] = []
    for one in verdicts:
        taker = DecisionTaker(ImportHistory(journal, record), job.quiet_period, "report")
        not_taken = (*one.incomplete, *filter(None, map(taker.try_to_take, one.decisions)))
        refused += [RefusedVerdicts(one.path, not_taken)] if not_taken else []
    return tuple(refused)


def _plan_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> list[Question]:
    """Return the questions that follow from the plan; one about some rows names them."""
    return [
        *guards.other_import_questions(job, plan, journal, record),
        *guards.same_tickets_questions(job, plan, journal, record),
    ]


def spot_check_is_due(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> bool:
    """Tell whether a spot check is due: no row of this source was looked for yet, and --look-first is not given.

    It is due again if rejected rows are sent again, which another computer may have sent since, and on every run of an
    import that another computer is known to have sent.
    """
    if job.look_first:
        return False
    if record is None or job.tries_rejected or journal.decisions.answered(OTHER_COMPUTER, "/".join(record.scope)):
        return True
    return not journal.imports.is_spot_checked(record, plan.table.digest)


def record_plan(agreed: AgreedRun, journal: Journal) -> ImportRecord:
    """Record an agreed plan: the import, new rows, corrected rows, and rows that were edited after their creation."""
    job, plan, record = agreed.job, agreed.plan, agreed.record
    bound_to = None if plan.mapping.key else plan.table.digest
    if record is None:
        record = journal.imports.add(*plan.scope.parts, bound_to, KeyRule.of(plan).written())
        guards.refuse_other_file(plan.table, journal, record)  # another process may have been faster
        refuse_other_rule(plan, record)
    elif bound_to and _may_be_bound(record, plan, journal):
        journal.imports.bind(record, bound_to)
    if job.same_as is not None:
        scope = scope_of(job, plan.mapping)
        journal.imports.also_called(record, *scope.parts)
        guards.remember_same(journal, scope, record)
    for batch in plan.batches:
        _record_batch(batch, plan, journal, record)
    return record


def _may_be_bound(record: ImportRecord, plan: Plan, journal: Journal) -> bool:
    """Tell whether the file of an import may become this one: it has none, or no case of it was made."""
    if record.bound_to is None:
        return True  # adopted from a report, which does not name its file
    is_report = bool(own_columns(plan.table.columns))
    return record.bound_to != plan.table.digest and not is_report and not journal.rows.has_cases(record.id)


def _record_batch(batch: Batch, plan: Plan, journal: Journal, record: ImportRecord) -> None:
    """Record what has changed in the rows of a batch."""
    fresh: dict[str, tuple[Identity, Status]] = {}
    planned_again: list[str] = []
    edited: dict[str, bool] = {}
    reread: list[Identity] = []
    corrected: list[Identity] = []
    for row in batch.rows():
        if row.uncorrected and row.known is not None and row.identity is not None:
            corrected.append(row.identity)
        if row.known is None:
            if row.skipped is None and row.identity is not None:
                fresh[row.reference] = row.identity, row.status
            continue
        if row.status is Status.PLANNED and row.known.status is not Status.PLANNED:
            planned_again.append(row.known.reference)
        if row.differs != row.known.changed:
            edited[row.known.reference] = row.differs
        if row.spellings and row.identity is not None and not row.differs:
            reread.append(row.identity)  # known by its key of version 1: from now on by the present one, too
    journal.rows.add(record.id, list(fresh.values()), plan.content_columns)
    journal.rows.replan(record.id, planned_again)
    journal.rows.flag_changed(record.id, edited)
    journal.rows.add_spellings(record.id, reread)
    journal.rows.add_uncorrected(record.id, corrected)


def run_details(plan: Plan, server: str) -> RunStart:
    """Return what the journal records about a run when it starts."""
    table = plan.table
    return RunStart(
        str(table.path.absolute()),
        table.digest,
        plan.mapping.digest,
        server,
        user_name(),
        program_name(),
        plan.corrections.digest,
    )
