"""Send planned rows: each worker commits an intent, makes one POST, and commits its outcome."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from importer.crm import CircuitBreaker, Crm, PauseReason, RateLimiter, backoff
from importer.errors import AttachmentChanged, JournalError
from importer.journal import Attempt, ImportRecord, Intent, Journal
from importer.messages import _, speaking_on
from importer.model import Outcome, Payload, Verdict
from importer.stopping import Stop
from importer.workflow.forecast import UserInterface
from importer.workflow.plan import Plan, PlannedRow, build_payload, search_value

_log = logging.getLogger(__name__)

_TRIES = 4
"""How often a row is tried in one run; every retry needs proof that the row was not delivered before."""

_NOT_SENT = Outcome(Verdict.NOT_DELIVERED)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all workers of a run share: the CRM, the journal, the import, the run, the plan, and requests to stop."""

    crm: Crm
    journal: Journal
    record: ImportRecord
    run_id: int
    plan: Plan
    stop: Stop = field(default_factory=Stop)


class _Queue:
    """The rows to send, in order, shared by all workers."""

    def __init__(self, rows: Iterable[PlannedRow]) -> None:
        self._rows = iter(rows)
        self._lock = threading.Lock()

    def next(self) -> PlannedRow | None:
        """Return the next row, None if there are no more."""
        with self._lock:
            return next(self._rows, None)


class Sender:
    """Sends rows with several workers until all are sent or something stops the run."""

    def __init__(self, context: RunContext, limiter: RateLimiter, breaker: CircuitBreaker, ui: UserInterface) -> None:
        self._context, self._limiter, self._breaker, self._ui = context, limiter, breaker, ui
        self._stop = threading.Event()
        self._until: datetime | None = None
        self._reason: PauseReason | None = None
        self._fault: BaseException | None = None
        self._in_flight: dict[int, Attempt] = {}
        self._lock = threading.Lock()

    def send(self, rows: Iterable[PlannedRow], workers: int, until: datetime | None = None) -> PauseReason | None:
        """Send the rows in order; return why it stopped early, None if every row was tried.

        No row is started after `until`. The first request to stop lets the cases in flight finish; the second makes
        them unknown. Raises JournalError if the journal can no longer be written; the outcomes in flight are then saved
        beside it or become unknown.
        """
        self._until = until
        queue = _Queue(rows)
        ended = [threading.Event() for _number in range(workers)]
        for event in ended:
            threading.Thread(target=speaking_on(self._work), args=(queue, event), daemon=True).start()
        self._wait_for(ended)
        if self._fault is not None:
            raise self._fault
        return self._reason

    def _wait_for(self, ended: Iterable[threading.Event]) -> None:
        """Wait until all workers have ended, in short steps, so that Ctrl-C and other requests to stop are noticed.

        Not Thread.join: after Ctrl-C, CPython before 3.13 considers a running thread as ended, and the answer that it
        waits for would be lost.
        """
        stop, is_told = self._context.stop, False
        for event in ended:
            while not event.is_set():
                with stop.by_signal():
                    event.wait(0.1)
                if stop.requested and not is_told:
                    is_told = True
                    self._stop_by_request()
                if stop.now:
                    self._give_up()
                    return

    def _stop_by_request(self) -> None:
        """Begin no more rows, and say so."""
        stop = self._context.stop
        self._halt(PauseReason(stop.sentence, 3))
        with stop.by_signal():
            self._tell_that_it_stops()

    def _give_up(self) -> None:
        """Make the rows in flight unknown; their answers may still come."""
        with self._lock:
            in_flight = list(self._in_flight.values())
        for attempt in in_flight:
            outcome = Outcome(Verdict.UNKNOWN, self._context.stop.in_doubt)
            self._context.journal.attempts.conclude(attempt, outcome)

    def _tell_that_it_stops(self) -> None:
        try:
            self._ui.stopping(len(self._in_flight))
        except Exception as fault:  # noqa: BLE001 - raised again in `send`, once the answers in flight have come
            self._fault = self._fault or fault

    def _halt(self, reason: PauseReason) -> None:
        with self._lock:
            self._reason = self._reason or reason
        self._stop.set()

    def _work(self, queue: _Queue, ended: threading.Event) -> None:
        """Send rows until there are none left or the run stops; an unexpected error stops the run."""
        try:
            while self._may_go_on() and (row := queue.next()) is not None:
                self._send_row(row)
        except BaseException as fault:  # noqa: BLE001 - raised again in `send`
            self._fault = self._fault or fault
            self._stop.set()
        finally:
            ended.set()

    def _may_go_on(self) -> bool:
        """Tell whether another row may be started."""
        if self._context.stop.requested:
            self._halt(PauseReason(self._context.stop.sentence, 3))
        if self._until is not None and datetime.now(self._until.tzinfo) >= self._until:
            self._halt(PauseReason(_("Stopped at {until:%H:%M}, as requested (--until).", until=self._until), 3))
        return not self._stop.is_set()

    def _send_row(self, row: PlannedRow) -> None:
        """Claim a row, POST its case and record the outcome; retry only after proof that it was not delivered."""
        body = build_payload(self._context.plan, row)
        intent = self._intent(row, body)
        for tries in range(_TRIES):
            if not self._limiter.acquire(self._stop):
                return
            attempt = self._claim(intent)
            if attempt is None:
                return  # another process took the row
            try:
                outcome, seconds = self._post(body, attempt)
            except AttachmentChanged as changed:  # a retry would fail the same way, and the CRM is not to blame
                self._conclude(attempt, Outcome(Verdict.NOT_DELIVERED, str(changed)))
                return
            if reason := self._breaker.note(outcome):
                self._halt(reason)
            self._conclude(attempt, outcome)
            self._log_attempt(body.reference, outcome, seconds)
            self._ui.sent(outcome)
            if outcome.verdict is not Verdict.NOT_DELIVERED or self._stop.wait(backoff(tries)):
                return

    def _claim(self, intent: Intent) -> Attempt | None:
        """Commit the intent to send a row; return None if another process took it."""
        context = self._context
        attempt = context.journal.attempts.claim(context.record.id, context.run_id, intent)
        if attempt is None:
            self._limiter.release(_NOT_SENT, 0.0)
            return None
        with self._lock:
            self._in_flight[attempt.id] = attempt
        self._raise_mark(attempt)
        return attempt

    def _raise_mark(self, attempt: Attempt) -> None:
        """Raise the journal's high-water mark to an attempt; if that fails, nothing of it is sent."""
        record = self._context.record
        try:
            self._context.journal.mark.raise_to(
                attempt.id, attempt.token, (record.tenant, record.operation, record.name)
            )
        except JournalError as error:
            self._limiter.release(_NOT_SENT, 0.0)
            with suppress(JournalError):  # the first error says what is wrong
                self._conclude(attempt, Outcome(Verdict.NOT_DELIVERED, str(error)))
            raise

    def _post(self, body: Payload, attempt: Attempt) -> tuple[Outcome, float]:
        """Make the POST of an attempt while its lease holds; return its outcome and its duration in seconds."""
        started = time.monotonic()
        outcome = _NOT_SENT
        try:
            outcome = self._context.crm.create(body, lambda: self._context.journal.attempts.lease_holds(attempt))
        finally:
            seconds = time.monotonic() - started
            self._limiter.release(outcome, seconds)
        return outcome, seconds

    def _conclude(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit an outcome; an id that another row has stops the run before it happens again."""
        concluded = self._context.journal.attempts.conclude(attempt, outcome)
        with self._lock:
            del self._in_flight[attempt.id]
        if concluded.holder is not None:
            self._halt(PauseReason(_disputed_id(attempt.reference, outcome, concluded.holder), 3))

    def _log_attempt(self, reference: str, outcome: Outcome, seconds: float) -> None:
        """Log an attempt: run, reference, state and timing; never a cell, a key or the token."""
        if not _log.isEnabledFor(logging.INFO):
            return
        facts = {
            "run": self._context.run_id,
            "reference": reference,
            "state": outcome.verdict.value,
            "seconds": round(seconds, 3),
            "http_status": outcome.http_status,
            "code": outcome.code,
            "bytes": outcome.bytes_sent,
        }
        _log.info("attempt", extra=facts)

    def _intent(self, row: PlannedRow, body: Payload) -> Intent:
        plan = self._context.plan
        return Intent(
            reference=body.reference,
            content_hash=row.content_hash,
            column_digests=row.column_digests,
            columns=plan.content_columns,
            body_length=body.length,
            seconds=self._context.crm.attempt_deadline(body.length),
            search_field=plan.mapping.search,
            search_value=search_value(plan, row),
            mark_place=plan.mapping.reference,
        )


def _disputed_id(reference: str, outcome: Outcome, holder: str) -> str:
    return _(
        "Paused: the CRM answered {reference} with the id {id}, which {holder} already has. A proxy or the CRM repeats"
        " answers; have this checked. Settling asks the CRM whose case it is.",
        reference=reference,
        id=outcome.wolkvox_id,
        holder=holder,
    )
