"""Sends planned rows: workers that commit an intent, make one POST, and commit what came of it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from importer.composing import compose, search_value
from importer.crm import Brake, Crm, Pacer, PauseReason, backoff
from importer.desk import Desk
from importer.errors import AttachmentChanged
from importer.journal import Attempt, ImportRecord, Intent, Journal
from importer.messages import _
from importer.model import Outcome, Payload, Row, Verdict
from importer.planning import Plan, PlannedRow

_log = logging.getLogger(__name__)

_MARGIN = 5.0
"""Seconds that a lease outlasts its attempt's deadline, for the commit of the outcome."""

_TRIES = 4
"""How often a row goes again in one run after proof that it was not delivered."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What the workers share: where cases go, where the truth is kept, and for which run."""

    crm: Crm
    journal: Journal
    record: ImportRecord
    run_id: int
    plan: Plan


class Sender:
    """Sends the rows that it is given with up to `concurrency` workers, until all are sent or something says stop."""

    def __init__(self, errand: Errand, pacer: Pacer, brake: Brake, desk: Desk) -> None:
        self._errand, self._pacer, self._brake, self._desk = errand, pacer, brake, desk
        self._stop = threading.Event()
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
        todo: queue.Queue[PlannedRow | None] = queue.Queue(maxsize=2 * workers)
        threads = [threading.Thread(target=self._work, args=(todo,), daemon=True) for _number in range(workers)]
        for thread in threads:
            thread.start()
        try:
            self._feed(todo, rows, until)
            self._finish(todo, threads)
        except KeyboardInterrupt:
            self._interrupted(todo, threads)
        if self._fault is not None:
            raise self._fault
        return self._reason

    def _feed(self, todo: queue.Queue[PlannedRow | None], rows: Iterable[PlannedRow], until: datetime | None) -> None:
        for row in rows:
            if until is not None and datetime.now(until.tzinfo) >= until:
                self._halt(PauseReason(_("Stopped at {until:%H:%M}, as asked (--until).", until=until), 3))
            while not self._stop.is_set():
                try:
                    todo.put(row, timeout=0.1)  # a worker that stops takes no more, and must not be waited for
                    break
                except queue.Full:
                    continue
            if self._stop.is_set():
                return

    def _finish(self, todo: queue.Queue[PlannedRow | None], threads: list[threading.Thread]) -> None:
        """Let the workers end: each takes one None, or sees that it is to stop."""
        for _thread in threads:
            while not self._stop.is_set():
                try:
                    todo.put(None, timeout=0.1)
                    break
                except queue.Full:
                    continue
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)  # in steps, so that Ctrl-C is heard

    def _interrupted(self, todo: queue.Queue[PlannedRow | None], threads: list[threading.Thread]) -> None:
        self._halt(PauseReason(_("Stopped with Ctrl-C. Give the same command again to go on."), 3))
        try:
            self._desk.stopping(len(self._in_flight))
            self._finish(todo, threads)
        except KeyboardInterrupt:
            with self._lock:
                in_flight = list(self._in_flight.values())
            for attempt in in_flight:
                message = _("Stopped with Ctrl-C while this row was being sent: the case may exist.")
                self._errand.journal.attempts.conclude(attempt, Outcome(Verdict.UNKNOWN, message))

    def _halt(self, reason: PauseReason | None) -> None:
        with self._lock:
            self._reason = self._reason or reason
        self._stop.set()

    def _work(self, todo: queue.Queue[PlannedRow | None]) -> None:
        """Take rows until there are none or it is time to stop; what a worker cannot handle stops the run."""
        try:
            while not self._stop.is_set():
                try:
                    planned = todo.get(timeout=0.1)
                except queue.Empty:
                    continue
                if planned is None:
                    return
                self._send_row(planned.row)
        except BaseException as fault:  # noqa: BLE001 - raised again in `send`, where somebody sees it
            self._fault = self._fault or fault
            self._stop.set()

    def _send_row(self, row: Row) -> None:
        """Try one row, again only after proof that it was not delivered."""
        body = compose(self._errand.plan, row)
        for number in range(_TRIES):
            if not self._pacer.acquire(self._stop):
                return
            try:
                outcome = self._attempt(row, body)
            except AttachmentChanged:
                return  # going again would find the same; the journal has the message
            if outcome is None or outcome.verdict is not Verdict.NOT_DELIVERED or self._stop.is_set():
                return
            self._stop.wait(backoff(number))

    def _attempt(self, row: Row, body: Payload) -> Outcome | None:
        """Make one attempt: intent, POST, outcome; None where another process took the row."""
        started = time.monotonic()
        outcome: Outcome | None = None
        try:
            outcome = self._post(row, body)
        finally:
            seconds = time.monotonic() - started
            self._pacer.release(outcome or Outcome(Verdict.NOT_DELIVERED), seconds)
        if outcome is not None:
            self._log_attempt(body.reference, outcome, seconds)
            self._desk.sent(outcome)
            if reason := self._brake.note(outcome):
                self._halt(reason)
        return outcome

    def _log_attempt(self, reference: str, outcome: Outcome, seconds: float) -> None:
        """Log an attempt: run, reference, state and timing, and never a cell, a key or the token."""
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

    def _post(self, row: Row, body: Payload) -> Outcome | None:
        errand = self._errand
        attempt = errand.journal.attempts.claim(errand.record.id, errand.run_id, self._intent(row, body))
        if attempt is None:
            return None
        with self._lock:
            self._in_flight[attempt.id] = attempt
        try:
            outcome = errand.crm.create(body)
        except AttachmentChanged as changed:
            self._conclude(attempt, Outcome(Verdict.NOT_DELIVERED, str(changed)))
            raise
        self._conclude(attempt, outcome)
        return outcome

    def _conclude(self, attempt: Attempt, outcome: Outcome) -> None:
        self._errand.journal.attempts.conclude(attempt, outcome)
        with self._lock:
            del self._in_flight[attempt.id]

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
