"""Threads that carry out attempts, of rows or contacts, until none are left or something stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from importer.crm import CircuitBreaker, PauseReason, RateLimiter
from importer.errors import AttachmentChanged, JournalError
from importer.journal import Attempt
from importer.messages import _, speaking_on
from importer.model import Outcome, Verdict
from importer.system.stopping import Stop
from importer.workflow.forecast.forecast import UserInterface

T = TypeVar("T")

TRIES = 4
"""How often an attempt is made in one run; every further one needs proof that nothing was delivered before."""

NOT_SENT = Outcome(Verdict.NOT_DELIVERED)


class _Queue(Generic[T]):
    """What there is to do, in order, shared by all workers."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def next(self) -> T | None:
        """Return the next item, None if there are no more."""
        with self._lock:
            return next(self._items, None)


class AttemptKind(Protocol):
    """One kind of attempt: to create a case or a contact, or to update a case."""

    def raise_mark(self, attempt: Attempt) -> None:
        """Raise the journal's high-water mark to an attempt; raises JournalError where nothing of it may be sent."""

    def conclude(self, attempt: Attempt, outcome: Outcome) -> PauseReason | None:
        """Commit an outcome; return why the run has to stop because of it."""

    @property
    def given_up(self) -> str:
        """What is said of an attempt whose answer was given up."""


class InFlight:
    """The attempts of one kind that were claimed and have no outcome yet."""

    def __init__(self, kind: AttemptKind) -> None:
        self._kind = kind
        self._attempts: dict[int, Attempt] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, attempt: Attempt) -> None:
        """Count an attempt as in flight."""
        with self._lock:
            self._attempts[attempt.id] = attempt

    def remove(self, attempt: Attempt) -> None:
        """Count an attempt as concluded."""
        with self._lock:
            del self._attempts[attempt.id]

    def give_up(self) -> None:
        """Make what is in flight unknown; the answers may still come."""
        with self._lock:
            in_flight = list(self._attempts.values())
        for attempt in in_flight:
            self._kind.conclude(attempt, Outcome(Verdict.UNKNOWN, self._kind.given_up))


class Workers:
    """Several threads of one run; `halted` is set once no more may be begun."""

    def __init__(self, stop: Stop, ui: UserInterface, in_flight: InFlight) -> None:
        self._stop, self._ui, self._in_flight = stop, ui, in_flight
        self.halted = threading.Event()
        self._until: datetime | None = None
        self._reason: PauseReason | None = None
        self._fault: BaseException | None = None
        self._lock = threading.Lock()

    def carry_out(
        self, items: Iterable[T], work: Callable[[T], None], number: int, until: datetime | None = None
    ) -> PauseReason | None:
        """Do the work for each item, in order; return why it stopped early, None if every item was tried.

        Nothing is begun after `until`. The first request to stop lets what is in flight finish; the second makes it
        unknown. Raises what the work raises, once the answers in flight have come.
        """
        self._until = until
        queue = _Queue(items)
        ended = [threading.Event() for _number in range(number)]
        for event in ended:
            threading.Thread(target=speaking_on(self._work), args=(queue, work, event), daemon=True).start()
        self._wait_for(ended)
        if self._fault is not None:
            raise self._fault
        return self._reason

    def halt(self, reason: PauseReason) -> None:
        """Begin no more; the first reason counts."""
        with self._lock:
            self._reason = self._reason or reason
        self.halted.set()

    def _wait_for(self, ended: Iterable[threading.Event]) -> None:
        """Wait until all workers have ended, in short steps, so that Ctrl-C and other requests to stop are noticed.

        Not Thread.join: after Ctrl-C, CPython before 3.13 considers a running thread as ended, and the answer that it
        waits for would be lost.
        """
        stop, is_told = self._stop, False
        for event in ended:
            while not event.is_set():
                with stop.by_signal():
                    event.wait(0.1)
                if stop.requested and not is_told:
                    is_told = True
                    self._stop_by_request()
                if stop.now:
                    self._in_flight.give_up()
                    return

    def _stop_by_request(self) -> None:
        """Begin no more, and say so."""
        self.halt(PauseReason(self._stop.sentence, 3))
        with self._stop.by_signal():
            self._tell_that_it_stops()

    def _tell_that_it_stops(self) -> None:
        try:
            self._ui.stopping(len(self._in_flight))
        except Exception as fault:  # noqa: BLE001 - raised again once the answers in flight have come
            self._fault = self._fault or fault

    def _work(self, queue: _Queue[T], work: Callable[[T], None], ended: threading.Event) -> None:
        """Work until nothing is left or something stops it; an unexpected error stops all."""
        try:
            while self._may_go_on() and (item := queue.next()) is not None:
                work(item)
        except BaseException as fault:  # noqa: BLE001 - raised again in `carry_out`
            self._fault = self._fault or fault
            self.halted.set()
        finally:
            ended.set()

    def _may_go_on(self) -> bool:
        """Tell whether another item may be begun."""
        if self._stop.requested:
            self.halt(PauseReason(self._stop.sentence, 3))
        if self._until is not None and datetime.now(self._until.tzinfo) >= self._until:
            self.halt(PauseReason(_("Stopped at {until:%H:%M}, as requested (--until).", until=self._until), 3))
        return not self.halted.is_set()


class AttemptMaker:
    """Makes attempts of one kind, each in the one order that the promise rests on.

    The intent is committed, the high-water mark is raised to it, the lease is asked before the first byte, and the
    outcome is committed.
    """

    def __init__(
        self, kind: AttemptKind, limiter: RateLimiter, breaker: CircuitBreaker, ui: UserInterface, stop: Stop
    ) -> None:
        self._kind, self._limiter, self._breaker = kind, limiter, breaker
        self._in_flight = InFlight(kind)
        self.workers = Workers(stop, ui, self._in_flight)

    def make(
        self, claim: Callable[[], Attempt | None], post: Callable[[Attempt], Outcome]
    ) -> tuple[Outcome, float] | None:
        """Make one attempt; return its outcome, and how many seconds the POST took.

        `claim` commits the intent, and `post` sends while the lease of the attempt holds. None: a stop was requested,
        another process took what was to be sent, or a file of it has changed.
        """
        if not self._limiter.acquire(self.workers.halted):
            if self._limiter.paused is not None:
                self.workers.halt(self._limiter.paused)
            return None
        try:
            attempt = claim()
        except BaseException:
            self._limiter.release(NOT_SENT, 0.0)
            raise
        if attempt is None:
            self._limiter.release(NOT_SENT, 0.0)
            return None
        self._in_flight.add(attempt)
        if not self._may_send(attempt):
            return self._lost_slot(attempt), 0.0
        try:
            outcome, seconds = self._post(post, attempt)
        except AttachmentChanged as changed:  # a retry would fail the same way, and the CRM is not to blame
            self._end(attempt, Outcome(Verdict.NOT_DELIVERED, str(changed)))
            return None
        if reason := self._breaker.note(outcome, of_all=self._limiter.bad_outcomes):
            self.workers.halt(reason)
        self._end(attempt, outcome)
        return outcome, seconds

    def _may_send(self, attempt: Attempt) -> bool:
        """Raise the journal's high-water mark to an attempt, and let its slot last as long as its lease.

        If that fails, nothing of it is sent; False where the slot was lost meanwhile.
        """
        try:
            self._kind.raise_mark(attempt)
            return self._limiter.cover(attempt.lease)
        except JournalError as error:
            self._limiter.release(NOT_SENT, 0.0)
            with suppress(JournalError):  # the first error says what is wrong
                self._end(attempt, Outcome(Verdict.NOT_DELIVERED, str(error)))
            raise

    def _lost_slot(self, attempt: Attempt) -> Outcome:
        """End an attempt whose slot has another holder by now: this process was stopped for too long."""
        self._limiter.release(NOT_SENT, 0.0)
        outcome = Outcome(Verdict.NOT_DELIVERED, _("This process was stopped for too long before the row was sent."))
        self._end(attempt, outcome)
        return outcome

    def _post(self, post: Callable[[Attempt], Outcome], attempt: Attempt) -> tuple[Outcome, float]:
        """Make the POST of an attempt while its lease holds; return its outcome and its duration in seconds."""
        started = time.monotonic()
        outcome = NOT_SENT
        try:
            outcome = post(attempt)
        finally:
            seconds = time.monotonic() - started
            self._limiter.release(outcome, seconds)
        return outcome, seconds

    def _end(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit an outcome, which may be a reason to stop."""
        reason = self._kind.conclude(attempt, outcome)
        self._in_flight.remove(attempt)
        if reason is not None:
            self.workers.halt(reason)
