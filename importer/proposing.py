"""What a run would do, as data: its open questions with their answers, and its forecast, which a program agrees to.

The first of two steps for a page; the second is `run`, which starts only if all is as it was proposed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from importer import report, settings
from importer.crm import Crm
from importer.journal import ImportRecord, Journal
from importer.pipeline import plan_import, situation_of
from importer.questions import Question, QuestionsOpen
from importer.workflow import guards
from importer.workflow.forecast.events import EventInterface, Note
from importer.workflow.forecast.forecast import Forecast, make_forecast
from importer.workflow.forecast.proposals import changes_since, with_digest
from importer.workflow.job import Job, LoadedJob, connection_in, scope_of
from importer.workflow.jobs.starting import AgreedRun, ask_open_questions, open_verdict_questions, spot_check_is_due
from importer.workflow.outcome.next_steps import corrected_steps
from importer.workflow.outcome.report_places import ReportOptions
from importer.workflow.planning.plan import Plan
from importer.workflow.settling.looking import why_not_searched


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a run of `job` would do, if it were given now.

    `questions` are open: without answers to those about the whole run it cannot start, and the rows of the others wait.
    `forecast` is None as long as it cannot be made without an answer.
    """

    job: Job
    questions: tuple[Question, ...]
    forecast: Forecast | None = None
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What a run agrees to (`EventInterface.agrees_to`); empty as long as there is no forecast."""
        return self.forecast.digest if self.forecast else ""

    def changes_since(self, digest: str) -> str:
        """Return a sentence on what has changed since a proposal was shown, by its digest; "" where it is this one."""
        return changes_since(digest, self.forecast) if self.forecast else ""

    @property
    def may_run(self) -> bool:
        """Whether no question about the whole run is open."""
        return self.forecast is not None and all(question.can_wait for question in self.questions)


def propose(loaded: LoadedJob) -> Proposal:
    """Return what a run would do; send nothing, and record nothing in journal and settings.

    The CRM is asked for the quota, once no question about the whole run is open. Raises what `run` raises before it
    sends anything, but for open questions.
    """
    from_mapping = connection_in(loaded.case_mapping)
    server = settings.require_server(loaded.job.connection, from_mapping)
    guards.refuse_short_quiet_period(loaded.job.quiet_period, server)
    report.check_writable(ReportOptions.of(loaded.job).path)
    with Journal(loaded.job.journal_path) as journal:
        return _propose(loaded, journal, server)


def _propose(loaded: LoadedJob, journal: Journal, server: str) -> Proposal:
    notes: list[str] = []
    asker = EventInterface(lambda event: notes.append(event.sentence) if isinstance(event, Note) else None, agrees=True)

    def plan_with(job: Job, seen: Journal) -> tuple[ImportRecord | None, Plan]:
        return plan_import(replace(loaded, job=job), seen)

    scope = scope_of(loaded.job, loaded.case_mapping)
    verdicts = open_verdict_questions(loaded.job, journal, guards.find_import(journal, scope, loaded.job.same_as))
    try:
        agreed = ask_open_questions(loaded, journal, asker, server, plan_with, records=False)
    except QuestionsOpen as refused:
        return Proposal(loaded.job, (*verdicts, *refused.questions), notes=tuple(notes))
    situation = situation_of(replace(loaded, job=agreed.job), journal, agreed.record, agreed.plan)
    notes += (*agreed.notes, *(step.sentence for step in corrected_steps(situation)))
    with Crm(settings.target(agreed.job.connection, connection_in(loaded.case_mapping))) as crm:
        due = spot_check_is_due(agreed.job, agreed.plan, journal, agreed.record)
        forecast = make_forecast(agreed.job, agreed.plan, crm, server, spot_check_due=due)
    questions = (*verdicts, *agreed.plan.open_questions, *_without_spot_check(agreed, journal, forecast))
    return Proposal(loaded.job, questions, with_digest(forecast, loaded.job), tuple(notes))


def _without_spot_check(agreed: AgreedRun, journal: Journal, forecast: Forecast) -> list[Question]:
    """Return the question that a run asks where no spot check can be made, as far as that is known beforehand."""
    reason = why_not_searched(forecast.spot_check)
    if reason is None or (agreed.record is not None and journal.rows.has_cases(agreed.record.id)):
        return []
    return guards.spot_check_questions(reason, forecast.server)
