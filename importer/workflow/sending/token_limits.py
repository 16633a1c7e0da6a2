"""The limits of a token that all machines share which use one journal; beside them, each process keeps its own.

The slots and the pace are in the journal (`journal.slots`). A request starts when this process allows it
(`RateLimiter`), and then has a slot. What its outcome shows is learnt by the process first, and noted for all.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from importer.crm import BadOutcomes, Crm, PauseReason, RateLimiter, asked_all_to_wait, paused_by_others
from importer.errors import JournalError, ServerUnreachable
from importer.identity import tenant_of
from importer.journal import HeldSlot, Journal, NoSlot, TokenPace, TokenSlots
from importer.messages import _
from importer.model import Outcome, Target, Verdict
from importer.system.stopping import Stop

USUAL_LIMIT = 2
"""Requests at once that the CRM allows a token, where nobody has said otherwise."""

QUESTION = 60.0
"""Seconds that a request may take whose attempt has not begun yet, or that is none."""

_LOOK_AGAIN = 0.15
"""Seconds, in the mean, after which a slot that was not free is asked for again; by chance, so that all get one."""

_STOP_CHECK = 0.2
"""Seconds after which a waiting worker notices that it is to stop."""

_NOTHING = Outcome(Verdict.NOT_DELIVERED)
"""What a request ends with that was never made; it shows nothing."""


class Turns:
    """The slots of a token as the threads of this process take and free them; a thread has one at most.

    `most` may be held at once by all who use the token, as far as this process is concerned, and `rate` started a
    second.
    """

    def __init__(self, slots: TokenSlots, most: int, rate: float | None = None) -> None:
        self._slots, self._most, self._interval = slots, most, 1 / rate if rate else 0.0
        self._of_thread = threading.local()
        self.freed = threading.Condition()

    @property
    def slot(self) -> HeldSlot | None:
        """The slot of this thread."""
        return getattr(self._of_thread, "slot", None)

    def take(self) -> HeldSlot | NoSlot:
        """Take a slot for this thread if one is free."""
        taken = self._slots.take(self._most, QUESTION, self._interval)
        if isinstance(taken, HeldSlot):
            self._of_thread.slot = taken
        return taken

    def cover(self, lease: float) -> bool:
        """Let the slot of this thread last until a lease ends; False where it was lost.

        Where its own lease ends later, it covers the other as it is: nobody else can have it before.
        """
        slot = self.slot
        if slot is None:
            return False
        return lease <= slot.lease or self._slots.extend(slot.holder, lease)

    def free(self, outcome: Outcome, held_back: float = 0.0) -> TokenPace | None:
        """Free the slot of this thread, and note what its request has shown; None where that cannot be noted.

        Then the slot is free once its lease ends: that must not come between an answer and its row.
        """
        slot, self._of_thread.slot = self.slot, None

        def learn(before: TokenPace) -> TokenPace:
            if outcome == _NOTHING:
                return before
            bad = BadOutcomes(before.doubts, before.refusals).after(outcome)
            return TokenPace(before.next_start, max(before.gate, held_back), bad.doubts, bad.refusals)

        if slot is None:
            return None
        with suppress(JournalError):
            return self._slots.free(slot.holder, learn)
        return None

    def wait(self, seconds: float = 0.0) -> None:
        """Wait until a slot may be free, or the pace allows one; shortly, so that requests to stop are noticed."""
        again = _LOOK_AGAIN * (0.5 + random.random())  # noqa: S311 - no secret
        with self.freed:
            self.freed.wait(min(seconds, _STOP_CHECK) if seconds > 0 else again)

    @contextmanager
    def question(self, stop: Stop) -> Iterator[None]:
        """Hold a slot while a question is asked, unless this thread has one; raises ServerUnreachable on a stop."""
        if self.slot is not None:
            yield
            return
        while isinstance(found := self.take(), NoSlot):
            if stop.requested:
                raise ServerUnreachable(_("Nothing more is asked: the run was stopped."))
            if reason := asked_all_to_wait(found.wait):
                raise ServerUnreachable(reason.message)
            with stop.by_signal():
                self.wait(found.wait)
        try:
            yield
        finally:
            self.free(_NOTHING)


class SharedLimiter(RateLimiter):
    """A rate limiter whose requests also need a slot of the token, which all share who use the journal."""

    def __init__(self, concurrency: int, turns: Turns) -> None:
        super().__init__(concurrency)
        self._turns = turns
        self._at_first: BadOutcomes | None = None
        self._bad: BadOutcomes | None = None
        self._paused: PauseReason | None = None

    @property
    def paused(self) -> PauseReason | None:
        """Why no request may start any more: what others got who use the token."""
        return self._paused

    @property
    def bad_outcomes(self) -> BadOutcomes | None:
        """The bad outcomes in a row of all who use the token, as of the last request of this process."""
        return self._bad

    def acquire(self, stop: threading.Event) -> bool:
        """Wait until one more request may start here, and has a slot; False when `stop` is set, or the run pauses."""
        if self._paused is not None or not super().acquire(stop):
            return False
        try:
            while not stop.is_set():
                found = self._turns.take()
                self._paused = self._paused or self._reason_to_pause(found)
                if self._paused is not None:
                    break
                if isinstance(found, HeldSlot):
                    return True
                self._turns.wait(found.wait)
        except BaseException:
            super().release(_NOTHING, 0.0)
            raise
        self.release(_NOTHING, 0.0)
        return False

    def release(self, outcome: Outcome, seconds: float) -> None:
        """Count a request as ended and free its slot; what it has shown is noted for all who use the token."""
        super().release(outcome, seconds)
        pace = self._turns.free(outcome, self.waiting)
        if pace is not None and outcome != _NOTHING:
            self._bad = BadOutcomes(pace.doubts, pace.refusals)
        with self._turns.freed:
            self._turns.freed.notify()

    def cover(self, lease: float) -> bool:
        """Let the slot of this thread's request last until the lease of its attempt ends."""
        return self._turns.cover(lease)

    def _reason_to_pause(self, found: HeldSlot | NoSlot) -> PauseReason | None:
        """Return why the run pauses: the CRM asked for a long wait, or others got too many bad outcomes since it began.

        Those from before are no reason: somebody has to try whether the CRM works again.
        """
        bad = BadOutcomes(found.pace.doubts, found.pace.refusals)
        first = self._at_first or bad
        self._at_first = BadOutcomes(min(first.doubts, bad.doubts), min(first.refusals, bad.refusals))
        if bad.are_too_many and (bad.doubts > first.doubts or bad.refusals > first.refusals):
            return paused_by_others(bad)
        return asked_all_to_wait(found.wait) if isinstance(found, NoSlot) else None


def turns_of(journal: Journal, target: Target, most: int = USUAL_LIMIT, rate: float | None = None) -> Turns | None:
    """Return the turns of a token; None where the journal is one computer's own."""
    slots = journal.token_slots(tenant_of(target.server), target.operation, target.token)
    return None if slots is None else Turns(slots, most, rate)


def make_limiter(concurrency: int, rate: float | None, turns: Turns | None) -> RateLimiter:
    """Return what lets the requests of a run start."""
    return RateLimiter(concurrency, rate) if turns is None else SharedLimiter(concurrency, turns)


def open_crm(target: Target, turns: Turns | None, stop: Stop) -> Crm:
    """Return the CRM at a target, whose questions take their turns with those of other machines."""
    return Crm(target) if turns is None else Crm(target, turn=lambda: turns.question(stop))
