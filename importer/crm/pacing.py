"""How fast cases go out."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from importer.crm.breaker import BadOutcomes, PauseReason
from importer.model import Outcome, Pause, Verdict

_STOP_CHECK = 0.2  # seconds; a waiting worker notices this soon that it is to stop
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds without a Retry-After
_SLOW, _TIMES_SLOWER = 5.0, 4.0  # an answer is slow above so many seconds and so many times the usual
_SMOOTHING = 0.1

Wait = Callable[[threading.Condition, float], object]


def backoff(times: int, *, jitter: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait before the `times`-th repetition: doubled each time, the upper half of it random."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(times, 16))
    return longest * (1 + jitter()) / 2


class RateLimiter:
    """Lets requests start: at most `concurrency` at once and `rate` a second, fewer while the CRM is strained.

    Where the CRM asks for patience, by its words, by Retry-After or by answering slowly, only half as many run at once
    from then on, and one more after each round of good answers. A wait that it asks for holds for every worker.
    """

    def __init__(
        self,
        concurrency: int,
        rate: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Condition.wait,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._most, self._rate = concurrency, rate
        self._clock, self._wait, self._jitter = clock, wait, jitter
        self._changed = threading.Condition()
        self._limit = float(concurrency)
        self._running = 0
        self._next_start = self._gate = self._halved_at = clock() - _LONGEST_WAIT
        self._refusals = 0
        self._usual: float | None = None

    @property
    def limit(self) -> int:
        """How many requests may run at once now."""
        return int(self._limit)

    @property
    def paused(self) -> PauseReason | None:
        """Why no request may start any more although no stop was requested; None for a limiter of this process."""
        return None

    @property
    def bad_outcomes(self) -> BadOutcomes | None:
        """The bad outcomes in a row of all who use the token, None where that is this process alone."""
        return None

    def cover(self, lease: float) -> bool:  # noqa: ARG002 - one that is shared needs it
        """Let the request that was started last until the lease of its attempt ends; False if it may not be made."""
        return True

    @property
    def waiting(self) -> float:
        """Seconds until the CRM may be called again; 0 when it may be called now."""
        return max(0.0, self._gate - self._clock())

    def acquire(self, stop: threading.Event) -> bool:
        """Wait until one more request may start, and count it as running; return False when `stop` is set first."""
        with self._changed:
            while not stop.is_set():
                if self._start():
                    return True
                delay = self._delay
                self._wait(self._changed, min(delay, _STOP_CHECK) if delay > 0 else _STOP_CHECK)
        return False

    @property
    def _delay(self) -> float:
        return max(self._gate, self._next_start) - self._clock()

    def _start(self) -> bool:
        may = self._delay <= 0 and self._running < self.limit
        if may:
            self._running += 1
            if self._rate:
                self._next_start = self._clock() + 1 / self._rate
        return may

    def release(self, outcome: Outcome, seconds: float) -> None:
        """Count a request as ended, and learn from its outcome and from how many seconds it took."""
        with self._changed:
            self._running -= 1
            self._hold_back(outcome)
            if self._strained(outcome, seconds):
                self._halve(seconds)
            elif outcome.verdict in (Verdict.CREATED, Verdict.REJECTED):
                self._limit = min(float(self._most), self._limit + 1 / self._limit)
            self._changed.notify_all()

    def _hold_back(self, outcome: Outcome) -> None:
        """Close the gate for as long as the CRM asks, and after a refusal at least for a growing time."""
        refused = outcome.pause in (Pause.SLOW_DOWN, Pause.UNREACHABLE)
        if refused:
            self._refusals += 1
        elif outcome.verdict in (Verdict.CREATED, Verdict.REJECTED):
            self._refusals = 0
        own = backoff(self._refusals - 1, jitter=self._jitter) if refused else 0.0
        self._gate = max(self._gate, self._clock() + max(own, outcome.retry_after or 0.0))

    def _strained(self, outcome: Outcome, seconds: float) -> bool:
        if outcome.pause is Pause.SLOW_DOWN or outcome.verdict is Verdict.UNKNOWN:
            return True
        usual = seconds if self._usual is None else self._usual
        self._usual = usual + _SMOOTHING * (seconds - usual)
        return seconds > max(_SLOW, _TIMES_SLOWER * usual)

    def _halve(self, seconds: float) -> None:
        """Halve what may run at once; a request that was running at the last halving does not halve it again."""
        if self._clock() - seconds >= self._halved_at:
            self._limit = max(1.0, self._limit / 2)
            self._halved_at = self._clock()
