"""How fast cases go out, and when a run has to pause."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from importer.crm import CircuitBreaker, RateLimiter, backoff
from importer.model import Outcome, Pause, Verdict

CREATED = Outcome(Verdict.CREATED, wolkvox_id="64cb0001", http_status=200)
UNKNOWN = Outcome(Verdict.UNKNOWN, "no answer")
UNREACHABLE = Outcome(Verdict.NOT_DELIVERED, "refused", pause=Pause.UNREACHABLE)
BUSY = Outcome(Verdict.NOT_DELIVERED, "SIMULTANEOUS REQUESTS", http_status=403, pause=Pause.SLOW_DOWN)
REJECTED = Outcome(Verdict.REJECTED, "OWNER ••• NOT FOUND", http_status=400, code="400")


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the moment, in seconds."""
        return self.now

    def wait(self, _changed: threading.Condition, seconds: float) -> None:
        """Let the seconds pass at once."""
        self.now += seconds


def limiter(clock: Clock, concurrency: int = 4, rate: float | None = None) -> RateLimiter:
    """Return a pacer on that clock, its chance always the largest."""
    return RateLimiter(concurrency, rate, clock=clock, wait=clock.wait, jitter=lambda: 1.0)


def start(paced: RateLimiter) -> bool:
    """Start one request without anybody asking to stop."""
    return paced.acquire(threading.Event())


def many(paced: RateLimiter, outcome: Outcome, count: int, seconds: float = 0.1) -> None:
    """Make requests one after the other, all with the same end."""
    for _number in range(count):
        start(paced)
        paced.release(outcome, seconds)


def test_no_more_run_at_once_than_were_allowed() -> None:
    """The third of two waits until one has ended."""
    paced, stop = RateLimiter(2), threading.Event()
    assert paced.acquire(stop)
    assert paced.acquire(stop)
    third = threading.Thread(target=paced.acquire, args=(stop,))
    third.start()
    assert third.is_alive()
    paced.release(CREATED, 0.1)
    third.join(10)
    assert not third.is_alive()


def test_stopping_ends_the_wait_with_no() -> None:
    """Ctrl-C is heard while a worker waits for its turn, and before."""
    paced, stop = RateLimiter(1), threading.Event()
    paced.acquire(stop)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(paced.acquire(stop)))
    waiting.start()
    stop.set()
    waiting.join(10)
    assert answers == [False]
    assert RateLimiter(1).acquire(stop) is False


def test_a_rate_spreads_the_starts_evenly() -> None:
    """Four a second start a quarter of a second apart."""
    clock = Clock()
    paced = limiter(clock, 10, rate=4)
    starts = []
    for _number in range(5):
        start(paced)
        starts.append(clock.now - 1000)
    assert starts == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_o9_nobody_sends_before_the_wait_that_was_asked_for_is_over() -> None:
    """Retry-After is one gate for all workers, and a shorter one does not open it."""
    clock = Clock()
    paced = limiter(clock)
    start(paced)
    start(paced)
    paced.release(Outcome(Verdict.NOT_DELIVERED, pause=Pause.SLOW_DOWN, http_status=429, retry_after=30), 0.1)
    paced.release(Outcome(Verdict.NOT_DELIVERED, pause=Pause.SLOW_DOWN, http_status=429, retry_after=5), 0.1)
    assert paced.waiting == 30
    assert start(paced)
    assert clock.now >= 1030


def test_a_wait_that_a_server_error_asks_for_holds_too() -> None:
    """503 with Retry-After proves nothing about its row, but no request comes too early."""
    clock = Clock()
    paced = limiter(clock)
    start(paced)
    paced.release(Outcome(Verdict.UNKNOWN, http_status=503, retry_after=20), 0.1)
    start(paced)
    assert clock.now >= 1020


def test_o15_simultaneous_requests_halve_what_runs_at_once_and_it_grows_again() -> None:
    """From sixteen to eight, and back after good rounds, never above what was allowed."""
    paced = limiter(Clock(), 16)
    many(paced, BUSY, 1)
    assert paced.limit == 8
    many(paced, CREATED, 10)
    assert paced.limit == 9
    many(paced, CREATED, 500)
    assert paced.limit == 16


def test_a_burst_of_refusals_halves_once() -> None:
    """Requests that were in flight when the first refusal came tell nothing new."""
    clock = Clock()
    paced = limiter(clock, 16)
    for _number in range(8):
        start(paced)
    clock.now += 1
    for _number in range(8):
        paced.release(BUSY, 1.0)
    assert paced.limit == 8


def test_at_least_one_runs_whatever_happens() -> None:
    """Backing off never becomes standing still."""
    clock = Clock()
    paced = limiter(clock, 4)
    many(paced, BUSY, 20)
    assert paced.limit == 1
    assert start(paced)


def test_a_server_that_becomes_slow_gets_fewer_requests_at_once() -> None:
    """An answer far slower than the usual ones counts as a request to slow down; a slow server as such does not."""
    clock = Clock()
    steady, slowing = limiter(clock, 8), limiter(clock, 8)
    many(steady, CREATED, 20, seconds=9.0)
    assert steady.limit == 8
    many(slowing, CREATED, 20, seconds=0.5)
    many(slowing, CREATED, 1, seconds=20.0)
    assert slowing.limit == 4


def test_refusals_without_a_wait_of_their_own_wait_longer_each_time() -> None:
    """The gate closes for a growing while, and shortly again after a success."""
    clock = Clock()
    paced = limiter(clock)
    waits = []
    for outcome in (BUSY, UNREACHABLE, BUSY, CREATED, BUSY):
        start(paced)
        paced.release(outcome, 0.0)
        waits.append(paced.waiting)
    assert waits == pytest.approx([0.5, 1, 2, 0, 0.5])


def test_the_waits_of_a_row_grow_with_chance_and_have_an_end() -> None:
    """Doubled each time up to a minute, at least half of it."""
    assert [backoff(times, jitter=lambda: 1.0) for times in (0, 1, 2, 3)] == [0.5, 1, 2, 4]
    assert [backoff(times, jitter=lambda: 0.0) for times in (3, 10_000)] == [2, 30]


def notes(breaker: CircuitBreaker, *outcomes: Outcome) -> list[int | None]:
    """Return the exit status of the pause after each outcome, None where the run goes on."""
    reasons = [breaker.note(outcome) for outcome in outcomes]
    return [reason.exit_status if reason else None for reason in reasons]


@pytest.mark.parametrize(
    ("pause", "status"),
    [
        (Pause.QUOTA, 3),
        (Pause.CREDENTIALS, 5),
        (Pause.REDIRECT, 5),
        (Pause.PATH, 5),
        (Pause.CERTIFICATE, 5),
    ],
)
def test_o17_what_one_answer_proves_pauses_at_once(pause: Pause, status: int) -> None:
    """A wrong path or host costs one request; the message says what to do and quotes the CRM."""
    reason = CircuitBreaker().note(Outcome(Verdict.NOT_DELIVERED, "THE WORDS", http_status=404, pause=pause))
    assert reason is not None
    assert (reason.exit_status, reason.pause) == (status, pause)
    assert "THE WORDS" in reason.message
    assert "continue the run" in reason.message.lower()


def test_slowing_down_is_no_pause_while_some_case_gets_a_verdict() -> None:
    """A CRM that asks for patience now and then still gets cases, more slowly; an unknown outcome is not a verdict."""
    assert set(notes(CircuitBreaker(), *([BUSY] * 9 + [CREATED]) * 5)) == {None}


def test_o26_ten_refusals_in_a_row_without_a_verdict_pause() -> None:
    """A CRM that takes nothing pauses the run: the same command goes on later; an unknown outcome does not count."""
    breaker = CircuitBreaker()
    assert notes(breaker, *[BUSY] * 9, UNKNOWN, BUSY) == [None] * 10 + [3]
    reason = breaker.note(BUSY)
    assert reason is not None
    assert "Continue the run later" in reason.message
    assert notes(CircuitBreaker(), *[BUSY] * 9, REJECTED, *[BUSY] * 9) == [None] * 19


def test_o26_a_wait_of_nothing_is_no_leave_to_hurry() -> None:
    """`Retry-After: 0` on every refusal still gives our own growing waits."""
    clock = Clock()
    paced = limiter(clock)
    waits = []
    for _time in range(4):
        start(paced)
        paced.release(replace(BUSY, retry_after=0.0), 0.0)
        waits.append(paced.waiting)
    assert waits == pytest.approx([0.5, 1, 2, 4])


def test_o9_a_wait_that_is_too_long_to_sit_out_pauses_the_run() -> None:
    """Minutes are waited for; with an hour the run ends and says when it can go on."""
    slow = [Outcome(Verdict.NOT_DELIVERED, pause=Pause.SLOW_DOWN, retry_after=seconds) for seconds in (600, 3600)]
    assert notes(CircuitBreaker(), *slow) == [None, 3]


@pytest.mark.parametrize("doubt", [UNKNOWN, UNREACHABLE, Outcome(Verdict.NOT_DELIVERED, "cut")])
def test_five_doubts_in_a_row_pause(doubt: Outcome) -> None:
    """Unknown outcomes and failed connections count together; any verdict resets the count."""
    assert notes(CircuitBreaker(), *[doubt] * 4, CREATED, UNKNOWN, UNREACHABLE, *[doubt] * 3) == [None] * 9 + [3]


def test_o17_one_wrong_owner_in_every_row_is_five_rejections_and_then_a_pause() -> None:
    """Equal words five times, and nothing was created yet."""
    assert notes(CircuitBreaker(), *[REJECTED] * 5) == [None] * 4 + [3]


def test_once_something_was_created_it_takes_ten_equal_rejections_in_a_row() -> None:
    """Faulty rows among good ones are the rows' fault."""
    breaker = CircuitBreaker()
    other = Outcome(Verdict.REJECTED, "CONTACT NOT FOUND", http_status=400, code="400")
    assert notes(breaker, CREATED, *[REJECTED] * 9, CREATED, *[REJECTED] * 9, other) == [None] * 21
    assert notes(breaker, *[REJECTED] * 10) == [None] * 9 + [3]
    assert notes(CircuitBreaker(created=True), *[REJECTED] * 9) == [None] * 9
