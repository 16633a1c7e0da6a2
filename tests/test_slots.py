"""The slots and the pace of a token, which all share who use one journal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from journal_support import Clock
from postgres_support import needs_postgres, new_place

from importer.crm import BadOutcomes
from importer.errors import JournalError, ServerUnreachable
from importer.journal import HeldSlot, NoSlot, TokenPace, TokenSlots
from importer.journal.database import Database
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.slots import MARGIN, token_scope
from importer.journal.sqlite_database import SqliteDatabase
from importer.journal.storage import waiting_for_journal
from importer.journal_place import Server
from importer.model import Outcome, Pause, Verdict
from importer.system.clock import Clock as RealClock
from importer.system.stopping import Stop
from importer.workflow.sending.token_limits import SharedLimiter, Turns

CREATED = Outcome(Verdict.CREATED, wolkvox_id="64cb0001", http_status=200)
UNKNOWN = Outcome(Verdict.UNKNOWN, "no answer")
BUSY = Outcome(Verdict.NOT_DELIVERED, "later", http_status=403, pause=Pause.SLOW_DOWN)


@pytest.fixture
def clock() -> Clock:
    """Give a clock that moves on request."""
    return Clock()


Opener = Callable[[RealClock | None], Database]
"""Opens the same journal again; without a clock, with its own."""


@pytest.fixture(params=["file", pytest.param("server", marks=needs_postgres)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Give what opens a journal, as another process would, in a file and on a server."""
    with ExitStack() as closed:
        place = closed.enter_context(new_place()) if request.param == "server" else tmp_path / "journal.db"

        def opened(clock: RealClock | None) -> Database:
            if isinstance(place, Server):
                return closed.enter_context(closing(PostgresDatabase(place, clock)))
            return closed.enter_context(closing(SqliteDatabase(place, clock or RealClock())))

        yield opened


@pytest.fixture
def database(opener: Opener, clock: Clock) -> Database:
    """Give an open journal."""
    return opener(clock.clocks)


@pytest.fixture
def slots(database: Database) -> TokenSlots:
    """Give the slots of one token."""
    return TokenSlots(database, "a token")


def take(slots: TokenSlots, most: int = 2, seconds: float = 60.0) -> str:
    """Take a slot that is free; return its holder."""
    taken = slots.take(most, seconds)
    assert isinstance(taken, HeldSlot)
    return taken.holder


def learn_nothing(pace: TokenPace) -> TokenPace:
    """Leave the pace as it is."""
    return pace


def test_no_more_slots_are_held_than_a_run_allows(database: Database, slots: TokenSlots) -> None:
    """The third of two waits until one is free; a run that allows more has more; another token has its own."""
    first, _second = take(slots), take(slots)
    assert isinstance(slots.take(2, 60.0), NoSlot)
    assert isinstance(slots.take(1, 60.0), NoSlot)
    take(slots, most=3)
    assert slots.held() == 3
    assert isinstance(TokenSlots(database, "another").take(1, 60.0), HeldSlot)
    slots.free(first, learn_nothing)
    take(slots)
    assert slots.held() == 3


def test_processes_share_the_slots(slots: TokenSlots, opener: Opener, clock: Clock) -> None:
    """What one process holds, another cannot take."""
    take(slots, most=1)
    assert isinstance(TokenSlots(opener(clock.clocks), "a token").take(1, 60.0), NoSlot)


@needs_postgres
def test_a_slot_is_had_while_the_journal_is_written() -> None:
    """On a server the limits of a token have a lock of their own: whoever writes rows holds up no request."""
    with (
        new_place() as place,
        closing(PostgresDatabase(place)) as one,
        waiting_for_journal(0.2),
        closing(PostgresDatabase(place)) as other,
    ):
        with one.write():
            take(TokenSlots(other, "a token"), most=2)
        with one.write("a token"), pytest.raises(JournalError, match="locked"):
            take(TokenSlots(other, "a token"), most=2)


def test_m29_a_lapsed_slot_is_taken_by_the_next(slots: TokenSlots, clock: Clock) -> None:
    """Nobody waits for a dead holder longer than its lease, and one that wakes up has no slot and takes none away."""
    slept = take(slots, most=1, seconds=60.0)
    clock.pass_by(60.0 + MARGIN - 0.1)
    assert isinstance(slots.take(1, 60.0), NoSlot)
    clock.pass_by(0.2)
    assert not slots.extend(slept, clock.passed + 60.0)
    new = take(slots, most=1)
    assert not slots.extend(slept, clock.passed + 60.0)
    slots.free(slept, learn_nothing)
    assert isinstance(slots.take(1, 60.0), NoSlot)
    assert slots.extend(new, clock.passed + 600.0)
    clock.pass_by(599.0)
    assert isinstance(slots.take(1, 60.0), NoSlot)


@pytest.mark.parametrize("jump", ["boot", "back"])
def test_m29_a_slot_of_another_boot_is_measured_anew(slots: TokenSlots, clock: Clock, jump: str) -> None:
    """Where nobody knows how much time has passed, a slot is held for the whole length of its lease again."""
    take(slots, most=1, seconds=60.0)
    if jump == "boot":
        clock.boot, clock.passed = "another boot", 50_000.0
    else:
        clock.passed -= 1_000.0
    assert isinstance(slots.take(1, 60.0), NoSlot)
    clock.pass_by(60.0 + MARGIN - 0.1)
    assert isinstance(slots.take(1, 60.0), NoSlot)
    clock.pass_by(0.2)
    take(slots, most=1)


def test_the_pace_holds_for_all(slots: TokenSlots, clock: Clock) -> None:
    """A rate spreads the starts, what the CRM asks of one holds for all, and both are over in time."""
    assert isinstance(slots.take(9, 60.0, interval=0.5), HeldSlot)
    assert slots.take(9, 60.0) == NoSlot(TokenPace(next_start=0.5), 0.5)
    clock.pass_by(0.6)
    holder = take(slots, most=9)
    slots.free(holder, lambda pace: replace(pace, gate=20.0, refusals=3))
    found = slots.take(9, 60.0)
    assert isinstance(found, NoSlot)
    assert (found.wait, found.pace.refusals) == (20.0, 3)
    clock.boot, clock.passed = "another boot", 10.0
    assert isinstance(slots.take(9, 60.0), NoSlot)
    clock.pass_by(21.0)
    take(slots, most=9)


def test_the_scope_tells_nothing_of_the_token() -> None:
    """Tenant, operation, token and journal make another scope each, and none can be read in it."""
    given = [
        ("crm0001.wolkvox.com", "op", "TOKEN", b"a"),
        ("crm0002.wolkvox.com", "op", "TOKEN", b"a"),
        ("crm0001.wolkvox.com", "other", "TOKEN", b"a"),
        ("crm0001.wolkvox.com", "op", "token", b"a"),
        ("crm0001.wolkvox.com", "op", "TOKEN", b"b"),
    ]
    scopes = {token_scope(*each) for each in given}
    assert len(scopes) == len(given)
    assert not any("TOKEN" in scope or "op" in scope for scope in scopes)


@pytest.fixture
def shared(opener: Opener) -> TokenSlots:
    """Give slots in real time."""
    return TokenSlots(opener(None), "a token")


def limiter(slots: TokenSlots, concurrency: int = 2, most: int = 2) -> SharedLimiter:
    """Return the limiter of one machine."""
    return SharedLimiter(concurrency, Turns(slots, most))


def make(paced: SharedLimiter, outcome: Outcome) -> None:
    """Make one request with this end."""
    assert paced.acquire(threading.Event())
    paced.release(outcome, 0.1)


def test_m28_machines_together_never_make_more_requests_than_allowed(shared: TokenSlots) -> None:
    """Three machines with two workers each never have more than two requests in flight, and all of them end."""
    running, most, ended, lock = 0, 0, 0, threading.Lock()

    def work(paced: SharedLimiter) -> None:
        nonlocal running, most, ended
        for _request in range(3):
            assert paced.acquire(threading.Event())
            assert paced.cover(time.monotonic() + 1e9)
            with lock:
                running, most = running + 1, max(most, running + 1)
            time.sleep(0.01)
            with lock:
                running, ended = running - 1, ended + 1
            paced.release(CREATED, 0.01)

    machines = [limiter(shared) for _machine in range(3)]
    threads = [threading.Thread(target=work, args=(each,)) for each in machines for _worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (running, ended) == (0, 18)
    assert most <= 2


def test_m30_bad_outcomes_in_a_row_are_those_of_all(shared: TokenSlots) -> None:
    """What pauses one machine pauses all that work now; one that begins later tries, and a good outcome ends it."""
    one, other = limiter(shared), limiter(shared)
    make(other, UNKNOWN)
    for _time in range(4):
        make(one, UNKNOWN)
    assert one.bad_outcomes == BadOutcomes(doubts=5)
    assert not other.acquire(threading.Event())
    assert other.paused is not None
    assert other.paused.exit_status == 3
    assert shared.held() == 0
    later = limiter(shared)
    make(later, CREATED)
    assert later.bad_outcomes == BadOutcomes()


def test_m30_a_wait_that_the_crm_asks_for_holds_for_all(shared: TokenSlots) -> None:
    """A short Retry-After is waited for by the others; a long one pauses them, and is told to a question."""
    one, other = limiter(shared), limiter(shared)
    make(one, replace(BUSY, retry_after=1.0))
    found = Turns(shared, 2).take()
    assert isinstance(found, NoSlot)
    assert 0.5 < found.wait <= 1.0
    shared.free("nobody", lambda pace: replace(pace, gate=4_000.0))
    assert not other.acquire(threading.Event())
    assert other.paused is not None
    assert 3_990 < (other.paused.seconds or 0) <= 4_000
    with pytest.raises(ServerUnreachable, match="67 minutes"), Turns(shared, 2).question(Stop()):
        pass


def test_a_question_takes_its_turn(shared: TokenSlots) -> None:
    """A question holds a slot, not a second one of its thread, and does not wait where a stop is requested."""
    turns, stop = Turns(shared, 1), Stop()
    with turns.question(stop), turns.question(stop):
        assert shared.held() == 1
    assert shared.held() == 0
    take(shared, most=1)
    stop.request()
    with pytest.raises(ServerUnreachable), turns.question(stop):
        pass


def test_stopping_ends_the_wait_for_a_slot(shared: TokenSlots) -> None:
    """A worker that waits for a slot notices the request to stop, and holds none then."""
    take(shared, most=1)
    paced, stop = limiter(shared, most=1), threading.Event()
    waiting = threading.Thread(target=paced.acquire, args=(stop,))
    waiting.start()
    stop.set()
    waiting.join(5)
    assert not waiting.is_alive()
    assert shared.held() == 1


def test_an_outcome_does_not_depend_on_its_slot(opener: Opener) -> None:
    """A journal that fails when a slot is freed does not come between an answer and its row; it is freed later."""
    opened = opener(None)
    paced = limiter(TokenSlots(opened, "a token"))
    assert paced.acquire(threading.Event())

    @contextmanager
    def fails(_part: str) -> Iterator[None]:
        raise JournalError
        yield

    writes = opened.write
    opened.write = fails  # type: ignore[method-assign, assignment]
    paced.release(CREATED, 0.1)
    opened.write = writes  # type: ignore[method-assign]
    assert TokenSlots(opened, "a token").held() == 1
    take(TokenSlots(opened, "a token"), most=1)
