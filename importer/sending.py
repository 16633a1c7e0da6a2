"""Sends planned rows: workers that commit an intent, make one POST, and commit what came of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from importer.composing import compose, search_value
from importer.crm import Brake, Crm, Pacer, PauseReason, backoff
from importer.desk import Desk
from importer.errors import AttachmentChanged
from importer.journal import Attempt, ImportRecord, Intent, Journal
from importer.messages import _
from importer.model import Outcome, Payload, Row, Verdict
from importer.plan import Plan, PlannedRow

_log = logging.getLogger(__name__)

_MARGIN = 5.0
"""Seconds that a lease outlasts its attempt's deadline, for the commit of the outcome."""

_TRIES = 4
"""How often a row is tried in one run, each time after proof that it was not delivered before."""

_AHEAD = 50
"""How many rows are made ready at once."""

_NOT_SENT = Outcome(Verdict.NOT_DELIVERED)


@dataclass(frozen=True, slots=True)
class Errand:
    """What the workers share: where cases go, where the truth is kept, and for which run."""

    crm: Crm
    journal: Journal
    record: ImportRecord
    run_id: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Case:
    """A row that is ready to be sent: its body and its intent; `tries` counts its attempts in this run, from 1."""

    body: Payload
    intent: Intent
    tries: int = 1


class _Cases:
    """What is to be sent, in its order, for all workers; some are made ahead, so that no outcome waits for the next."""

    def __init__(self, cases: Iterator[_Case]) -> None:
        self._cases = cases
        self._ahead: deque[_Case] = deque()
        self._making = threading.Lock()

    def next(self) -> _Case | None:
        """Return the next one, None where there are no more."""
        with self._making:
            case = self.at_once() or next(self._cases, None)
            if not self._ahead:
                self._ahead.extend(islice(self._cases, _AHEAD))
            return case

    def at_once(self) -> _Case | None:
        """Return the next one if it is made already."""
        try:
            return self._ahead.popleft()
        except IndexError:
            return None

    def give_back(self, case: _Case) -> None:
        """Make this the next one again."""
        self._ahead.appendleft(case)


class Sender:
    """Sends the rows that it is given with up to `concurrency` workers, until all are sent or something says stop."""

    def __init__(self, errand: Errand, pacer: Pacer, brake: Brake, desk: Desk) -> None:
        self._errand, self._pacer, self._brake, self._desk = errand, pacer, brake, desk
        self._stop = threading.Event()
        self._until: datetime | None = None
        self._reason: PauseReason | None = None
        self._fault: BaseException | None = None
        self._in_flight: dict[int, Attempt] = {}
        self._lock = threading.Lock()

    def send(self, rows: Iterable[PlannedRow], workers: int, until: datetime | None = None) -> PauseReason | None:
        """Send the rows in their order; return why it stopped early, None where every row was tried.

        No row begins after `until`. The first Ctrl-C lets the cases in flight finish; the second makes them unknown.
        Raises JournalError where the journal cannot be written any more; what was being sent is then kept aside or
        becomes unknown.
        """
        self._until = until
        cases = _Cases(self._case(planned.row) for planned in rows)
        ended = [threading.Event() for _number in range(workers)]
        for event in ended:
            threading.Thread(target=self._work, args=(cases, event), daemon=True).start()
        try:
            _wait_for(ended)
        except KeyboardInterrupt:
            self._interrupted(ended)
        if self._fault is not None:
            raise self._fault
        return self._reason

    def _interrupted(self, ended: list[threading.Event]) -> None:
        self._halt(PauseReason(_("Stopped with Ctrl-C. Give the same command again to go on."), 3))
        try:
            self._desk.stopping(len(self._in_flight))
            _wait_for(ended)
        except KeyboardInterrupt:
            with self._lock:
                in_flight = list(self._in_flight.values())
            for attempt in in_flight:
                message = _("Stopped with Ctrl-C while this row was being sent: the case may exist.")
                self._errand.journal.attempts.conclude(attempt, Outcome(Verdict.UNKNOWN, message))

    def _halt(self, reason: PauseReason) -> None:
        with self._lock:
            self._reason = self._reason or reason
        self._stop.set()

    def _work(self, cases: _Cases, ended: threading.Event) -> None:
        """Send cases until there are none or it is time to stop; what a worker cannot handle stops the run."""
        try:
            while (case := self._allowed(cases.next)) is not None:
                attempt = self._claim(case)
                while attempt is not None:
                    case, attempt = self._carry_out(case, attempt, cases)
        except BaseException as fault:  # noqa: BLE001 - raised again in `send`, where somebody sees it
            self._fault = self._fault or fault
            self._stop.set()
        finally:
            ended.set()

    def _allowed(self, take: Callable[[], _Case | None]) -> _Case | None:
        """Take what is next, unless it is time to stop."""
        if self._until is not None and datetime.now(self._until.tzinfo) >= self._until:
            self._halt(PauseReason(_("Stopped at {until:%H:%M}, as asked (--until).", until=self._until), 3))
        return None if self._stop.is_set() else take()

    def _claim(self, case: _Case) -> Attempt | None:
        """Commit an intent once it may start; None where it is time to stop, or another process took the row."""
        if not self._pacer.acquire(self._stop):
            return None
        errand = self._errand
        return self._noted(errand.journal.attempts.claim(errand.record.id, errand.run_id, case.intent))

    def _carry_out(self, case: _Case, attempt: Attempt, cases: _Cases) -> tuple[_Case, Attempt | None]:
        """Make the one POST of an attempt and commit its outcome; return what follows, with its attempt if it began.

        The same case follows only after proof that it was not delivered.
        """
        try:
            outcome, seconds = self._post(case.body)
        except AttachmentChanged as changed:  # going again would find the same, and it says nothing of the connection
            self._conclude(attempt, Outcome(Verdict.NOT_DELIVERED, str(changed)))
            return case, None
        if reason := self._brake.note(outcome):
            self._halt(reason)
        again = outcome.verdict is Verdict.NOT_DELIVERED and case.tries < _TRIES
        following = None if again else self._at_once(cases)
        begun = self._conclude(attempt, outcome, following)
        self._log_attempt(case.body.reference, outcome, seconds)
        self._desk.sent(outcome)
        if following is not None:
            return following, begun
        if again and not self._stop.wait(backoff(case.tries - 1)):
            case = replace(case, tries=case.tries + 1)
            return case, self._claim(case)
        return case, None

    def _post(self, body: Payload) -> tuple[Outcome, float]:
        """Make the POST; return what came of it and how many seconds it took."""
        started = time.monotonic()
        outcome = _NOT_SENT
        try:
            outcome = self._errand.crm.create(body)
        finally:
            seconds = time.monotonic() - started
            self._pacer.release(outcome, seconds)
        return outcome, seconds

    def _at_once(self, cases: _Cases) -> _Case | None:
        """Take the next case where it may start without any wait: its intent is then in the commit of an outcome."""
        case = self._allowed(cases.at_once)
        if case is not None and not self._pacer.acquire_at_once():
            cases.give_back(case)
            return None
        return case

    def _conclude(self, attempt: Attempt, outcome: Outcome, following: _Case | None = None) -> Attempt | None:
        """Commit an outcome, and the intent of the case that follows; return the attempt of that."""
        then = None if following is None else following.intent
        begun = self._errand.journal.attempts.conclude(attempt, outcome, then)
        with self._lock:
            del self._in_flight[attempt.id]
        return None if following is None else self._noted(begun)

    def _noted(self, attempt: Attempt | None) -> Attempt | None:
        """Note that an attempt is in flight; without one, another process took the row."""
        if attempt is None:
            self._pacer.release(_NOT_SENT, 0.0)
        else:
            with self._lock:
                self._in_flight[attempt.id] = attempt
        return attempt

    def _log_attempt(self, reference: str, outcome: Outcome, seconds: float) -> None:
        """Log an attempt where anybody reads it: run, reference, state and timing, never a cell, a key or the token."""
        if not _log.isEnabledFor(logging.INFO):
            return
        facts = {
            "run": self._errand.run_id,
            "reference": reference,
            "state": outcome.verdict.value,
            "seconds": round(seconds, 3),
            "http_status": outcome.http_status,
            "code": outcome.code,
            "bytes": outcome.bytes_sent,
        }
        _log.info("attempt", extra=facts)

    def _case(self, row: Row) -> _Case:
        body = compose(self._errand.plan, row)
        return _Case(body, self._intent(row, body))

    def _intent(self, row: Row, body: Payload) -> Intent:
        plan = self._errand.plan
        return Intent(
            reference=body.reference,
            content_hash=row.identity.content_hash if row.identity else "",
            columns=plan.content_columns,
            body_length=body.length,
            lease=self._errand.crm.attempt_deadline(body.length) + _MARGIN,
            clock_gap=time.time() - time.monotonic(),
            search_field=plan.mapping.search,
            search_value=search_value(plan, row),
        )


def _wait_for(ended: Iterable[threading.Event]) -> None:
    """Wait until all workers have ended, in steps, so that Ctrl-C is heard.

    Thread.join would not do: interrupted by Ctrl-C, CPython before 3.13 takes a thread that still runs for one that
    has ended, and the answer that it waits for would be lost.
    """
    for event in ended:
        while not event.wait(0.1):
            pass
