"""Carrying an import on: what a machine does with one job of the queue.

The first machine begins the run: it asks what a run has to ask, records the plan and divides the rows into shares.
Each machine then sends shares until none are free, and whoever finds all of them done ends the run. A job that is done
twice, or by two machines at once, sends nothing twice: a row is sent by who claims it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from importer.errors import ImporterError, JournalUnreachable, SettingsError
from importer.journal import Journal, QueuedImport, QueueState, RunPause, Share
from importer.journal_place import Place
from importer.machines.heartbeat import Heartbeat
from importer.machines.run import MachineRun, OtherFiles, begin_run, join_run
from importer.machines.schedule import next_start, now
from importer.machines.submission import job_of, why_not_here
from importer.machines.telling import Teller
from importer.messages import _
from importer.system.stopping import Stop
from importer.workflow.outcome.outcome import Finished

_log = logging.getLogger(__name__)

_TRY_AGAIN = timedelta(minutes=10)
"""How long an import waits whose run could not begin, because the CRM did not answer."""

_MOST_FAILURES = 5
"""Failures of our own in a row after which an import is not tried again."""

_PAUSED, _INTERNAL = 3, 70


@dataclass(frozen=True, slots=True)
class Successors:
    """How a job queues those that carry the same import on: one at once, for another machine; one at a time to come."""

    at_once: Callable[[int], None]
    at: Callable[[int, datetime | None], None]


@dataclass(slots=True)
class QueueWorker:
    """One worker: its name, its journal, how many requests it makes at once, and what stops the job that it is at.

    `end` lets it take no further job. `lost` is why, where it has lost its journal.
    """

    name: str
    journal: Place
    successors: Successors
    concurrency: int = 2
    say: Callable[[str], None] = lambda _sentence: None
    teller: Teller = field(default_factory=Teller)
    stopping: bool = False
    stop: Stop = field(default_factory=Stop)
    refused: dict[int, datetime] = field(default_factory=dict)
    end: Callable[[], object] = lambda: None
    lost: JournalUnreachable | None = None

    def request_stop(self) -> None:
        """Stop after the cases in flight; asked again, give up their answers."""
        again, self.stopping = self.stopping, True  # first: a job that begins right now looks at it
        self.stop.request(now=again)


def carry_on(machine: QueueWorker, queued_id: int) -> None:
    """Carry a queued import on as far as this machine can; what is left is done by the jobs that it has queued."""
    with Journal(machine.journal) as journal:
        queued = journal.queue.find(queued_id)
        if queued is None or queued.state is QueueState.ENDED:
            return
        if queued.not_before and queued.not_before > now():
            machine.successors.at(queued_id, queued.not_before)
            return
        machine.successors.at(queued_id, None)  # before anything else: whoever dies here leaves it to another
        if _is_refused(machine, journal, queued):
            _end_withdrawn(machine, journal, queued)
            return
        machine.stop = Stop()
        if machine.stopping:
            return
        try:
            _Carrying(machine, journal, queued).carry_on()
        except ImporterError:
            raise
        except Exception:
            if journal.queue.note_failure(queued_id) >= _MOST_FAILURES and journal.queue.hold(queued_id, machine.name):
                sentence = _("Internal error in case-importer; the log of the worker has it.")
                _end(machine, journal, queued, _INTERNAL, sentence)
            raise


def _is_refused(machine: QueueWorker, journal: Journal, queued: QueuedImport) -> bool:
    """Tell whether this machine cannot work on an import, and note why; others may."""
    last = machine.refused.get(queued.id)
    if last is not None and now() - last < timedelta(seconds=30):
        return True
    reason = why_not_here(queued)
    if reason is None:
        return False
    _refuse(machine, journal, queued, reason)
    return True


def _end_withdrawn(machine: QueueWorker, journal: Journal, queued: QueuedImport) -> None:
    """End a withdrawn run, without a report, that no machine has ended since this one refused it before."""
    number, run_id, pause = queued.id, queued.run_id, queued.pause
    if pause is None or pause.message or run_id is None or machine.name not in queued.refusals:
        return
    if not journal.queue.counts(run_id).held and journal.queue.hold(number, machine.name):
        _end(machine, journal, queued, pause.exit_status, _("Withdrawn from the queue."))


def _refuse(machine: QueueWorker, journal: Journal, queued: QueuedImport, reason: str) -> None:
    machine.refused[queued.id] = now()
    journal.queue.note_refusal(queued.id, machine.name, reason)
    machine.say(reason)


def _end(  # noqa: PLR0913, PLR0917 - everything that is known when a run ends
    machine: QueueWorker,
    journal: Journal,
    queued: QueuedImport,
    exit_status: int,
    message: str | None,
    again: datetime | None = None,
    finished: Finished | None = None,
) -> None:
    """Record how a run ended, or why none began, and queue when it begins again, if it does; tell of its end.

    Of a run that could not begin, and is tried again, nothing is told: it has not ended. Nor is anything done where
    the machine does not hold the import any more: another one ends it then.
    """
    tried_again = again is not None and finished is None
    every = journal.queue.find(queued.id)
    schedule = every.submission.every if every is not None else None
    if again is None and schedule is not None:
        again = next_start(schedule, now())
    not_before = again.timestamp() if again else None
    if not journal.queue.end(queued.id, exit_status, message, not_before, machine.name):
        return
    if again is not None:
        machine.successors.at(queued.id, again)
    if not tried_again:
        machine.teller.ended(queued, finished, exit_status)


class _Carrying:
    """One job: a machine, its journal, and the import that it carries on."""

    def __init__(self, machine: QueueWorker, journal: Journal, queued: QueuedImport) -> None:
        self._machine, self._journal, self._queued = machine, journal, queued
        self._queue = journal.queue

    def carry_on(self) -> None:
        """Begin or join the run, send shares, and end it if nothing is left."""
        with ExitStack() as here:
            try:
                run = self._begin(here) if self._queued.state is QueueState.WAITING else self._join(here)
            except SettingsError as error:  # this machine has no token, or cannot read it: another may
                self._queue.release(self._queued.id, self._machine.name)
                _refuse(self._machine, self._journal, self._queued, str(error))
                return
            if run is None:
                return
            try:
                while not self._machine.stop.requested and (share := self._queue.take(run.run_id, self._machine.name)):
                    self._send(run, share)
                if not self._machine.stop.requested:
                    self._conclude(run)
            except OtherFiles as refusal:
                _refuse(self._machine, self._journal, self._queued, str(refusal))

    def _begin(self, here: ExitStack) -> MachineRun | None:
        """Begin the run; what would be a question ends it before anything is sent."""
        machine, queued = self._machine, self._queued
        if not self._queue.hold(queued.id, machine.name):
            return None
        job = job_of(queued, machine.journal, concurrency=machine.concurrency)
        if job.until is not None and job.until <= now():
            self._end_late(job.until)
            return None
        try:
            with Heartbeat(lambda: self._queue.hold(queued.id, machine.name), machine.stop):
                run = begin_run(job, self._journal, machine.stop, queued, here)
        except SettingsError:
            raise
        except ImporterError as error:
            if machine.stop.requested:
                self._queue.release(queued.id, machine.name)
                return None
            again = now() + _TRY_AGAIN if error.exit_status == _PAUSED else None
            machine.say(str(error))
            _end(machine, self._journal, queued, error.exit_status, str(error), again)
            return None
        self._queue.release(queued.id, machine.name)
        for note in run.notes:
            machine.say(note)
        return run

    def _end_late(self, until: datetime) -> None:
        """Leave an import to its next time whose night is over, or end it: no machine was there in time."""
        sentence = _("It is past {until:%Y-%m-%d %H:%M} (--until): nothing more is sent.", until=until)
        self._machine.say(sentence)
        _end(self._machine, self._journal, self._queued, _PAUSED, sentence)

    def _join(self, here: ExitStack) -> MachineRun | None:
        """Join the run that another machine began, unless there is nothing left to do."""
        queued, run_id = self._queued, self._queued.run_id
        if run_id is None:
            return None
        counts = self._queue.counts(run_id)
        if counts.held and (queued.pause is not None or not counts.free):
            return None
        job = job_of(queued, self._machine.journal, concurrency=self._machine.concurrency)
        return join_run(job, self._journal, self._machine.stop, queued, here)

    def _send(self, run: MachineRun, share: Share) -> None:
        """Send a share, and give it back: done, or with what is left of it."""
        if self._queue.counts(run.run_id).free:
            self._machine.successors.at_once(self._queued.id)
        tried, reason, is_done = run.tried, None, False

        def renew() -> bool:
            return self._queue.renew(share, run.tried - tried)

        try:
            with Heartbeat(renew, self._machine.stop):
                reason = run.send(share)
            is_done = reason is None
        finally:
            self._queue.end_share(share, run.tried - tried, run.new_calls(), is_done=is_done)
        if reason is not None and not self._machine.stop.requested:
            again = run.goes_on_at(reason)
            pause = RunPause(reason.message, reason.exit_status, again.timestamp() if again else None)
            self._queue.pause(self._queued.id, run.run_id, pause)

    def _conclude(self, run: MachineRun) -> None:
        """End the run, once, if no share is left."""
        machine, number = self._machine, self._queued.id
        if not self._queue.hold(number, machine.name):
            return
        try:
            queued = self._queue.find(number)
            if queued is None or queued.run_id != run.run_id or queued.state is not QueueState.SENDING:
                return
            counts = self._queue.counts(run.run_id)
            if counts.held or (counts.free and queued.pause is None):
                return
            with Heartbeat(lambda: self._queue.hold(number, machine.name), machine.stop):
                ended = run.conclude(queued.pause, counts.calls)
            if ended is None:
                return
            machine.say(ended.sentence)
            _end(machine, self._journal, queued, ended.exit_status, ended.reason, ended.goes_on_at, ended.finished)
        finally:
            self._queue.release(number, machine.name)
