"""How far a run has come, for whoever looks at it: more than one page, now and later, while it works in a thread."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from importer.model import Verdict
from importer.workflow.forecast.events import (
    CaseUpdated,
    Event,
    RowSent,
    SendingEnded,
    SendingStarted,
    Stopping,
    UpdatingStarted,
    WaitingForQuota,
)

Phase = Literal["preparing", "sending", "waiting", "stopping", "reporting", "ended"]

_RECENT = 60.0
"""Seconds over which the rate is measured: what the run does now, not what it did at first."""

_MOST = 2_000
"""Rows that are remembered for that."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come at one moment.

    `done` counts the rows with an outcome, `by_outcome` the attempts by theirs: one that was not delivered is tried
    again. `rate` is in rows a second and `seconds_left` follows from it; both are None where they are not known.
    `in_flight` is what a run that stops still waits for. `reason` is why it ended early, if it did.
    """

    phase: Phase = "preparing"
    total: int = 0
    done: int = 0
    by_outcome: Mapping[Verdict, int] = field(default_factory=dict)
    rate: float | None = None
    seconds_left: float | None = None
    waiting_until: datetime | None = None
    in_flight: int | None = None
    reason: str | None = None


class ProgressMeter:
    """Keeps the progress of one run from its events; any thread may ask for it, at any time.

    It is the `on_event` of an `EventInterface`, and passes every event on to `also`.
    """

    def __init__(
        self, also: Callable[[Event], None] = lambda _event: None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._also, self._clock = also, clock
        self._lock = threading.Lock()
        self._phase: Phase = "preparing"
        self._total = 0
        self._counts: Counter[Verdict] = Counter()
        self._times: deque[float] = deque(maxlen=_MOST)
        self._waiting_until: datetime | None = None
        self._in_flight: int | None = None
        self._reason: str | None = None

    def __call__(self, event: Event) -> None:
        """Take an event in, and pass it on."""
        with self._lock:
            self._take(event)
        self._also(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, SendingStarted):
            self._phase, self._total = "sending", event.total
            self._times.append(self._clock())
        elif isinstance(event, UpdatingStarted):
            self._phase, self._total = "sending", self._total + event.total
            self._times.append(self._clock())
        elif isinstance(event, RowSent | CaseUpdated):
            self._counts[event.outcome.verdict] += 1
            if self._phase == "waiting":
                self._phase, self._waiting_until = "sending", None
                self._times.clear()
            if event.outcome.verdict is not Verdict.NOT_DELIVERED:
                self._times.append(self._clock())
        elif isinstance(event, WaitingForQuota):
            self._phase, self._waiting_until = "waiting", event.until
        elif isinstance(event, Stopping):
            self._phase, self._in_flight = "stopping", event.in_flight
        elif isinstance(event, SendingEnded):
            self._phase, self._waiting_until, self._in_flight = "reporting", None, None

    def ended(self, reason: str | None = None) -> None:
        """Note that the run has returned, or raised, and why it ended early."""
        with self._lock:
            self._phase, self._reason = "ended", reason

    def snapshot(self) -> Progress:
        """Return the progress at this moment."""
        with self._lock:
            done = self._counts.total() - self._counts[Verdict.NOT_DELIVERED]
            rate = self._rate() if self._phase == "sending" else None
            return Progress(
                phase=self._phase,
                total=self._total,
                done=done,
                by_outcome=dict(self._counts),
                rate=rate,
                seconds_left=(self._total - done) / rate if rate else None,
                waiting_until=self._waiting_until,
                in_flight=self._in_flight,
                reason=self._reason,
            )

    def _rate(self) -> float | None:
        """Return how many rows a second had an outcome lately; a run that gets no answers slows down."""
        now = self._clock()
        while len(self._times) > 1 and self._times[0] < now - _RECENT:
            self._times.popleft()
        rows, seconds = len(self._times) - 1, now - self._times[0] if self._times else 0.0
        return rows / seconds if rows > 0 and seconds > 0 else None
