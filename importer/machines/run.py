"""A run as one of several machines carries it out: begun by the first, joined by others, concluded by the last."""

from __future__ import annotations

import hashlib
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from importer import settings
from importer.crm import PauseReason, Quota
from importer.errors import ImporterError
from importer.journal import Journal, QueuedImport, RunPause, Share
from importer.machines.schedule import now
from importer.messages import _
from importer.model import MAY_BE_CASES, Pause, Status, Verdict
from importer.pipeline import plan_import, plan_to_show, record_start, report_run, situation_of
from importer.system.stopping import Stop
from importer.workflow.forecast.events import Event, EventInterface, RowSent
from importer.workflow.forecast.forecast import Forecast, make_forecast, what_is_sent
from importer.workflow.job import Job, LoadedJob, connection_in, load_job
from importer.workflow.jobs.executing import Execution
from importer.workflow.jobs.starting import ask_open_questions, spot_check_is_due
from importer.workflow.jobs.unrecorded import with_verdicts
from importer.workflow.outcome.after_run import after_run
from importer.workflow.outcome.outcome import Finished
from importer.workflow.outcome.report_places import ReportOptions
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.sending.sending import RunContext
from importer.workflow.sending.token_limits import open_crm, turns_of

SHARE = 50
"""Rows of a share: a machine that dies leaves so many to others a minute later; at two at once and 300 ms, 8 s."""

_LATER = 3


class OtherFiles(ImporterError):
    """This machine sees other files than the one that began the run."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, why early if it did, and when it goes on by itself; `finished` has its counts and its report."""

    exit_status: int
    reason: str | None
    goes_on_at: datetime | None
    sentence: str
    finished: Finished | None = None


class _Interface(EventInterface):
    """The user interface of a worker: nobody can be asked, and the forecast was agreed to by who submitted it."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(self._count, agrees=True)
        self.stop_request = stop
        self.tried = 0
        self._lock = threading.Lock()

    def _count(self, event: Event) -> None:
        if isinstance(event, RowSent) and event.outcome.verdict is not Verdict.NOT_DELIVERED:
            with self._lock:
                self.tried += 1


@dataclass(slots=True)
class MachineRun:
    """A run on one machine; `notes` are what the machine that began it has to say of its beginning."""

    loaded: LoadedJob
    journal: Journal
    queued: QueuedImport
    execution: Execution
    ui: _Interface
    calls_counted: int = 0
    notes: tuple[str, ...] = ()

    @property
    def run_id(self) -> int:
        """The number of the run, which is the same on all machines."""
        return self.execution.context.run_id

    @property
    def tried(self) -> int:
        """How many rows this machine has tried."""
        return self.ui.tried

    def new_calls(self) -> int:
        """Return how many calls were made since this was asked last."""
        calls = self.execution.context.crm.calls
        new, self.calls_counted = calls - self.calls_counted, calls
        return new

    def send(self, share: Share) -> PauseReason | None:
        """Send what is left of a share; return why it stopped early.

        Raises OtherFiles where a row is not here as it was where the run began.
        """
        plan, digests = self.execution.context.plan, dict(share.rows)
        rows = []
        for row in plan.numbered(digests):
            is_same = row.status is Status.PLANNED and digest_of(row) == digests[row.number]
            was_sent = row.known is not None and row.known.status in {*MAY_BE_CASES, Status.REJECTED}
            if not is_same and not was_sent:
                raise OtherFiles(
                    _(
                        "Row {row} of {path} is not on this machine as it was where the import began. Check that every"
                        " machine sees the same sheet, the same tables that the mapping names, and the same files.",
                        row=row.number,
                        path=self.queued.submission.source,
                    )
                )
            if is_same:
                rows.append(row)
        return self.execution.send_rows(iter(rows))

    def goes_on_at(self, reason: PauseReason) -> datetime | None:
        """Return when a paused run goes on by itself: after the wait that the CRM asked for; None if not at all."""
        if reason.pause is Pause.QUOTA:
            return self.execution.next_quota()
        if reason.seconds is not None:
            return datetime.fromtimestamp(now().timestamp() + reason.seconds).astimezone()
        return None

    def conclude(self, pause: RunPause | None, calls: int) -> RunEnd | None:
        """Do what comes after the last row, and write the report; None where a stop was requested before its end.

        What was not updated or settled then is left to the machine that ends the run.
        """
        record = self.execution.context.record
        self._wait_for_rows_in_flight(record.id)
        if self.ui.stop_request.requested:
            return None
        reason = PauseReason(pause.message or _("Withdrawn from the queue."), pause.exit_status) if pause else None
        context = self.execution.context
        result = self._with_updates(reason).conclude(reason)
        if self.ui.stop_request.requested:
            return None
        result = replace(result, calls=calls + self.new_calls())
        notes = (*self.notes, *result.notes)
        result = replace(result, started_at=self.queued.begun_at or now(), notes=notes)
        situation = situation_of(self.loaded, self.journal, record, context.plan, agrees=True)
        situation = with_verdicts(situation, self.loaded.job, context.plan, self.journal, record)
        reported = report_run(context, result, ReportOptions.of(self.loaded.job), situation)
        finished = after_run(reported, self.loaded.job, self.journal, record)
        again = datetime.fromtimestamp(pause.not_before).astimezone() if pause and pause.not_before else None
        if pause is None and finished.exit_status == _LATER and self._left_by_quota(finished.counts.planned):
            again = self.execution.next_quota()
        sentence = _("Run {run} ended with exit {status}.", run=self.run_id, status=finished.exit_status)
        return RunEnd(finished.exit_status, finished.result.reason, again, sentence, finished)

    def _left_by_quota(self, planned: int) -> bool:
        """Tell whether rows are left that only wait for another day's quota."""
        job = self.loaded.job
        return bool(job.keep_quota) and job.limit is None and planned > self.execution.context.plan.waiting

    def _wait_for_rows_in_flight(self, import_id: int) -> None:
        """Wait until no row is being sent: those of a machine that died become unknown by their own leases."""
        stop, queue = self.ui.stop_request, self.journal.queue
        while not stop.requested:
            self.journal.attempts.expire(import_id)
            if not queue.in_flight(import_id):
                return
            stop.wait(1.0)

    def _with_updates(self, reason: PauseReason | None) -> Execution:
        """Return the execution with the forecast of the updates, which come after the last row."""
        execution = self.execution
        plan = execution.context.plan
        if reason is not None or not plan.edits()["update"]:
            return execution
        job, server = execution.job, execution.forecast.server
        full = make_forecast(job, plan, execution.context.crm, server, spot_check_due=False)
        return replace(execution, forecast=replace(execution.forecast, updates=full.updates, quota=full.quota))


def digest_of(row: PlannedRow) -> str:
    """Return a short digest of what is sent of a row; two machines that see the same files have the same."""
    return hashlib.sha256(what_is_sent(row)).hexdigest()[:12]


def begin_run(job: Job, journal: Journal, stop: Stop, queued: QueuedImport, here: ExitStack) -> MachineRun:
    """Begin the run of a queued import as `pipeline.run` does, and divide its rows into shares."""
    ui, loaded = _Interface(stop), load_job(job)
    from_mapping = connection_in(loaded.case_mapping)
    server = settings.require_server(job.connection, from_mapping)
    target = settings.target(job.connection, from_mapping)
    agreed = ask_open_questions(loaded, journal, ui, server, lambda j, seen: plan_import(replace(loaded, job=j), seen))
    job, plan = agreed.job, agreed.plan
    turns = turns_of(journal, target, job.requests_at_once, job.rate)
    crm = here.enter_context(open_crm(target, turns, stop))
    due = spot_check_is_due(job, plan, journal, agreed.record)
    forecast = make_forecast(job, plan, crm, server, spot_check_due=due)
    stop.refuse_to_start()
    context, notes = record_start(agreed, forecast, crm, journal, ui)
    context = replace(context, turns=turns)
    run = MachineRun(replace(loaded, job=job), journal, queued, Execution.of(job, ui, context, forecast), ui)
    run.notes = (*notes, *run.execution.prepare())
    resets = forecast.quota_resets
    journal.queue.begin(
        queued.id,
        context.run_id,
        _shares(forecast),
        plan.table.digest,
        plan.corrections.digest,
        resets.timestamp() if resets else None,
        run.new_calls() if forecast.rows_to_send else 0,
    )
    return run


def _shares(forecast: Forecast) -> list[list[tuple[int, str]]]:
    """Return the rows that a run sends in shares, each row by its number and a digest of what is sent."""
    rows, in_shares = forecast.rows(0, forecast.rows_to_send), []
    while share := [(row.number, digest_of(row)) for row in islice(rows, SHARE)]:
        in_shares.append(share)
    return in_shares


def join_run(job: Job, journal: Journal, stop: Stop, queued: QueuedImport, here: ExitStack) -> MachineRun:
    """Join a run that another machine began: plan the same rows, and ask nothing."""
    ui, loaded = _Interface(stop), load_job(job)
    from_mapping = connection_in(loaded.case_mapping)
    server = settings.require_server(job.connection, from_mapping)
    target = settings.target(job.connection, from_mapping)
    record, plan = plan_to_show(loaded, journal)
    if record is None or queued.run_id is None:
        raise OtherFiles(_("The journal does not know the import that was begun; it was joined with another one."))
    turns = turns_of(journal, target, job.requests_at_once, job.rate)
    crm = here.enter_context(open_crm(target, turns, stop))
    context = RunContext(crm, journal, record, queued.run_id, plan, stop, turns)
    forecast = _forecast_of_joined(job, plan, server, queued)
    return MachineRun(loaded, journal, queued, Execution.of(job, ui, context, forecast), ui)


def _forecast_of_joined(job: Job, plan: Plan, server: str, queued: QueuedImport) -> Forecast:
    """Return what a machine that joins needs of a forecast; the rows to send are in the shares."""
    resets = queued.quota_resets_at
    quota = Quota(resets_in=(resets - now()).total_seconds()) if resets else None
    return Forecast(
        plan=plan,
        server=server,
        counts=plan.counts(),
        wanted=0,
        rows_today=0,
        searches=0,
        attachments=0,
        attachment_bytes=0,
        open_cases=0,
        waiting=plan.waiting,
        quota=quota,
        asked_at=now(),
        held_back=False,
        quota_reserve=job.keep_quota,
        waits_for_quota=False,
    )
