"""How fast cases go out, and when a run has to pause."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from importer.commands import placeholder, run_command, told
from importer.crm.refusals import explained
from importer.messages import _
from importer.model import Outcome, Pause, Verdict

_STOP_CHECK = 0.2  # seconds; a waiting worker notices this soon that it is to stop
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds without a Retry-After
_SLOW, _TIMES_SLOWER = 5.0, 4.0  # an answer is slow above so many seconds and so many times the usual
_SMOOTHING = 0.1

_DOUBTS = 5  # unknown outcomes or failed connections in a row
_REFUSALS = 10  # answers in a row that ask for patience, without a verdict in between
_EQUAL_AT_FIRST, _EQUAL_LATER = 5, 10  # equal rejections in a row, before and after a case was created
_PATIENCE = 900.0  # seconds; a run does not sit out a longer wait

_LATER, _FIX = 3, 5  # exit statuses: the same command goes on later; a person must fix the connection

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


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a run pauses: the sentence for the user, with what to do, and the exit status that goes with it."""

    message: str
    exit_status: int
    pause: Pause | None = None


class CircuitBreaker:
    """Pauses a run after too many bad outcomes in a row; takes outcomes in their order, from any thread.

    `created` says that cases of this import were created before, so that its rows are known to be acceptable. `kind` is
    what the requests are about.
    """

    def __init__(self, *, created: bool = False, kind: Literal["case", "contact", "update"] = "case") -> None:
        self._guard = threading.Lock()
        self._created, self._kind = created, kind
        self._doubts = self._refusals = self._equal = 0
        self._rejection: tuple[str | None, str] | None = None

    def note(self, outcome: Outcome, *, asking: bool = False) -> PauseReason | None:
        """Count an outcome; return why the run has to pause now, None while it may go on.

        `asking` means that of a search, which creates nothing.
        """
        with self._guard:
            self._count(outcome)
            if outcome.pause not in (None, Pause.SLOW_DOWN, Pause.UNREACHABLE):
                return PauseReason(*_one_is_enough(outcome.pause, outcome.message), outcome.pause)
            if outcome.retry_after is not None and outcome.retry_after > _PATIENCE:
                return _asked_to_wait(outcome.retry_after, outcome)
            if self._doubts >= _DOUBTS:
                return self._doubtful(outcome, asking=asking)
            if self._refusals >= _REFUSALS:
                return self._refusing(outcome)
            if self._equal >= (_EQUAL_LATER if self._created else _EQUAL_AT_FIRST):
                return self._rejecting(outcome)
        return None

    def note_answer(self) -> None:
        """Count the answer to a search, which shows that the CRM works."""
        with self._guard:
            self._doubts = self._refusals = 0

    def _count(self, outcome: Outcome) -> None:
        failed = outcome.verdict is Verdict.NOT_DELIVERED and outcome.http_status is None
        self._doubts = self._doubts + 1 if failed or outcome.verdict is Verdict.UNKNOWN else 0
        if outcome.verdict in (Verdict.CREATED, Verdict.REJECTED):
            self._refusals = 0
        elif outcome.http_status is not None and outcome.verdict is Verdict.NOT_DELIVERED:
            self._refusals += 1
        if outcome.verdict is Verdict.CREATED:
            self._created, self._equal, self._rejection = True, 0, None
        elif outcome.verdict is Verdict.REJECTED:
            rejection = (outcome.code, outcome.message)
            self._equal = self._equal + 1 if rejection == self._rejection else 1
            self._rejection = rejection

    def _doubtful(self, outcome: Outcome, *, asking: bool) -> PauseReason:
        if outcome.verdict is Verdict.UNKNOWN and asking:
            message = _(
                "Paused: {count} times in a row the CRM could not be asked for a contact. Check that the CRM works,"
                " then continue the run. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN and self._kind == "contact":
            message = _(
                "Paused: {count} contacts in a row may or may not have been created. Check that the CRM works, then "
                "continue the run. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN and self._kind == "update":
            message = _(
                "Paused: {count} updates in a row may or may not have arrived. Check that the CRM works, then continue"
                " the run. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN:
            message = _(
                "Paused: {count} cases in a row may or may not have been created. Check that the CRM works, then "
                "continue the run. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        else:
            message = _(
                "Paused: the connection failed {count} times in a row. Check that the network and the CRM work, then "
                "continue the run. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        return PauseReason(message, _LATER, outcome.pause)

    def _refusing(self, outcome: Outcome) -> PauseReason:
        if self._kind == "update":
            message = _(
                "Paused: the CRM asked {count} times in a row to try again later, and took no update ({words})."
                " Continue the run later.",
                count=self._refusals,
                words=outcome.message,
            )
            return PauseReason(message, _LATER, outcome.pause)
        if self._kind == "contact":
            message = _(
                "Paused: the CRM asked {count} times in a row to try again later, and took no contact ({words})."
                " Continue the run later.",
                count=self._refusals,
                words=outcome.message,
            )
            return PauseReason(message, _LATER, outcome.pause)
        message = told(
            _(
                "Paused: the CRM asked {count} times in a row to try again later and took no case ({words}). These "
                "rows were not created. Continue the run later, with a lower --rate where others use this token too.",
                count=self._refusals,
                words=outcome.message,
            ),
            _(
                "Paused: the CRM asked {count} times in a row to try again later and took no case"
                " ({words}). These rows were not created. Continue later; where other programs use"
                " this token too, once they are done.",
                count=self._refusals,
                words=outcome.message,
            ),
        )
        return PauseReason(message, _LATER, outcome.pause)

    def _rejecting(self, outcome: Outcome) -> PauseReason:
        if self._kind == "contact":
            return self._rejecting_contacts(outcome)
        if self._kind == "update":
            message = _(
                "Paused: the CRM refused {count} updates in a row with the same message: {words}. Put that right,"
                " then continue the run.",
                count=self._equal,
                words=explained(outcome.message),
            )
            return PauseReason(message, _LATER)
        message = told(
            _(
                "Paused: the CRM rejected {count} cases in a row with the same message: {words}. Correct the"
                " mapping or the rows, then continue the run; if only the CRM had to be changed, run `{command}`.",
                count=self._equal,
                command=run_command("--retry-rejected"),
                words=explained(outcome.message),
            ),
            _(
                "Paused: the CRM rejected {count} cases in a row with the same message: {words}. Put"
                " it right on the page Match columns or on the page Correct, then continue; if only"
                " the CRM had to be changed, send the rejected rows again on the page Send.",
                count=self._equal,
                words=explained(outcome.message),
            ),
        )
        return PauseReason(message, _LATER)

    def _rejecting_contacts(self, outcome: Outcome) -> PauseReason:
        message = told(
            _(
                "Paused: the CRM rejected {count} contacts in a row with the same message: {words}. Correct"
                " `contacts` in the mapping or the rows, then continue the run; if only the CRM had to be"
                " changed, run `{command}`.",
                count=self._equal,
                command=run_command("--retry-rejected"),
                words=explained(outcome.message),
            ),
            _(
                "Paused: the CRM rejected {count} contacts in a row with the same message: {words}. Put"
                " it right on the page Correct, then continue; if only the CRM had to be changed, send the"
                " rejected rows again on the page Send.",
                count=self._equal,
                words=explained(outcome.message),
            ),
        )
        return PauseReason(message, _LATER)


def _asked_to_wait(seconds: float, outcome: Outcome) -> PauseReason:
    message = _(
        "Paused: the CRM asks for a pause of {minutes} minutes ({words}). Continue the run after that.",
        minutes=math.ceil(seconds / 60),
        words=outcome.message,
    )
    return PauseReason(message, _LATER, outcome.pause)


def _one_is_enough(pause: Pause | None, words: str) -> tuple[str, int]:
    """Return the sentence and the exit status for what pauses a run with its first answer."""
    if pause is Pause.QUOTA:
        return _(
            "Paused: the token's calls for today are used up ({words}). Continue the run once the quota has "
            "been reset.",
            words=words,
        ), _LATER
    if pause is Pause.CREDENTIALS:
        return _(
            "Paused: the CRM does not accept the token ({words}). Check that it belongs to this operation and is still "
            "valid, or give another one, then continue the run.",
            words=words,
        ), _FIX
    if pause is Pause.REDIRECT:
        return told(
            _(
                "Paused: the server redirects cases to another address ({words}). Continue the run "
                "with the host that the browser shows after you log in to the CRM: `{command}`.",
                words=words,
                command=run_command("--server", placeholder("HOST")),
            ),
            _(
                "Paused: the server redirects cases to another address ({words}). On the page Send,"
                " click Connection, enter the address that the browser shows after you log in to the"
                " CRM, and then continue.",
                words=words,
            ),
        ), _FIX
    if pause is Pause.CERTIFICATE:
        return told(
            _(
                "Paused: the server could not prove its identity ({words}). Check --server and this computer's clock, "
                "or, in a network that inspects connections, name its certificate with --ca-file, then continue the "
                "run.",
                words=words,
            ),
            _(
                "Paused: the server could not prove its identity ({words}). Check the address under"
                " Connection on the page Send, and this computer's clock. If your office's network"
                " inspects connections, whoever runs it has to give this program its certificate. Then"
                " continue.",
                words=words,
            ),
        ), _FIX
    return told(
        _(
            "Paused: this address does not accept cases ({words}). Check that --server is the CRM's host and whether a "
            "proxy is in between, then continue the run.",
            words=words,
        ),
        _(
            "Paused: this address does not accept cases ({words}). Check under Connection on the page"
            " Send that it is the CRM's address, and ask whoever runs your network whether a proxy is"
            " in between. Then continue.",
            words=words,
        ),
    ), _FIX
