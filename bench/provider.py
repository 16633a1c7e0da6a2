"""A day of a service provider, simulated: `python -m bench.provider` draws docs/provider.svg, and prints its figures.

Forty tenants with quotas and nights, four machines, two of which are lost. Time is simulated; the journal, the queue
and what a machine does with a job (`machines.carrying`) are the program's own, and only the sending takes a made-up
time.
"""

from __future__ import annotations

import heapq
import itertools
import random
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bench.provider_plot import Segment, plot
from importer.crm import PauseReason
from importer.journal import LEASE, Journal, Marks, QueuedImport, QueueState, RunPause, Share, Submission
from importer.machines import carrying
from importer.machines.carrying import QueueWorker, Successors, carry_on
from importer.machines.run import SHARE, RunEnd
from importer.model import Pause
from importer.system.clock import Clock
from importer.system.stopping import Stop

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = 24 * 3600.0
LOST = {"m2": 10.2 * 3600, "m4": 13.6 * 3600}
"""Machines that are lost, and when, in seconds after the beginning; nobody starts them again."""

QUOTA = 4800
SECONDS_A_ROW = 1.0
"""By `--rate 1/s`, which leaves the token to the office as well; all machines together."""


@dataclass
class Tenant:
    """A tenant's import: how many rows it has, which are sent, and what is left of the day's quota."""

    name: str
    rows: int
    begins: float
    until: float | None = None
    left: int = QUOTA
    day: int = 0
    sent: set[int] = field(default_factory=set)
    next_start: float = 0.0


class World:
    """Simulated time, in which one machine works at a moment; and the jobs that wait, as Procrastinate keeps them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.segments: list[Segment] = []
        self._events: list[tuple[float, int, threading.Semaphore]] = []
        self._count, self._yielded = itertools.count(), threading.Semaphore(0)
        self._mine = threading.local()
        self._jobs: dict[tuple[int, str], tuple[float, int]] = {}

    def start(self, work: Callable[[], None]) -> None:
        """Let a machine work from now on."""
        turn = threading.Semaphore(0)

        def run() -> None:
            self._mine.turn = turn
            turn.acquire()
            try:
                work()
            finally:
                self._yielded.release()

        threading.Thread(target=run, daemon=True).start()
        heapq.heappush(self._events, (self.now, next(self._count), turn))

    def sleep(self, seconds: float, *, for_ever: bool = False) -> None:
        """Let the time pass for the machine that works; one that is lost never wakes up."""
        if not for_ever:
            heapq.heappush(self._events, (self.now + seconds, next(self._count), self._mine.turn))
        self._yielded.release()
        self._mine.turn.acquire()

    def pass_by(self, until: float) -> None:
        """Let machines work until a moment."""
        while self._events and self._events[0][0] <= until:
            self.now, _number, turn = heapq.heappop(self._events)
            turn.release()
            self._yielded.acquire()

    def at_once(self, queued_id: int) -> None:
        """Queue a job for the next idle machine, after those that begin something."""
        self._jobs.setdefault((queued_id, "now"), (self.now, 1))

    def at(self, queued_id: int, moment: datetime | None) -> None:
        """Queue a job for later."""
        due = (moment - BEGIN).total_seconds() if moment else self.now + LEASE + 5
        self._jobs.setdefault((queued_id, "later"), (due, 0))

    def next_job(self) -> int | None:
        """Take the next job that is due."""
        due = [(priority, at, key) for key, (at, priority) in self._jobs.items() if at <= self.now]
        if not due:
            return None
        _priority, _at, key = min(due)
        del self._jobs[key]
        return key[0]

    @property
    def moment(self) -> datetime:
        """The time of the wall."""
        return BEGIN + timedelta(seconds=self.now)


class SimulatedRun:
    """What a machine does for an import: the seconds that it takes, and the quota."""

    def __init__(self, world: World, tenant: Tenant, run_id: int, machine: str) -> None:
        self.world, self.tenant, self.run_id, self.machine = world, tenant, run_id, machine
        self.tried = 0

    def new_calls(self) -> int:
        """Return no calls: nobody counts them here."""
        return 0

    def send(self, share: Share) -> PauseReason | None:
        """Send the rows of a share that nobody has sent, as the rate and the quota allow."""
        world, tenant, began = self.world, self.tenant, self.world.now
        try:
            for number, _digest in share.rows:
                if number in tenant.sent:
                    continue  # as a claim says
                if reason := self._reason_to_pause():
                    return reason
                start = tenant.next_start = max(tenant.next_start + SECONDS_A_ROW, world.now)
                tenant.sent.add(number)  # from here on nobody else sends it
                _wait(world, self.machine, start + 0.3 - world.now)
                tenant.left -= 1
                self.tried += 1
        finally:
            world.segments.append(Segment(self.machine, began, world.now, tenant.name))
        return None

    def _reason_to_pause(self) -> PauseReason | None:
        world, tenant = self.world, self.tenant
        if tenant.day != world.moment.day:
            tenant.day, tenant.left = world.moment.day, QUOTA
        if tenant.until is not None and world.now >= tenant.until:
            return PauseReason("the night is over", 3)
        return None if tenant.left else PauseReason("the quota is used up", 3, Pause.QUOTA)

    def goes_on_at(self, reason: PauseReason) -> datetime | None:
        """Return when the quota resets."""
        tomorrow = self.world.moment.replace(hour=0, minute=1) + timedelta(days=1)
        return tomorrow if reason.pause is Pause.QUOTA else None

    def conclude(self, pause: RunPause | None, _calls: int) -> RunEnd:
        """Take the time of a report."""
        _wait(self.world, self.machine, 20.0)
        again = datetime.fromtimestamp(pause.not_before, UTC) if pause and pause.not_before else None
        return RunEnd(3 if pause else 0, pause.message if pause else None, again, "")


@dataclass
class _Heartbeat:
    """Renews what a machine holds while simulated time passes."""

    renew: Callable[[], bool]
    stop: Stop
    renewed_at: float = 0.0

    def __enter__(self) -> None:
        _held[threading.current_thread().name] = self

    def __exit__(self, *_error: object) -> None:
        _held.pop(threading.current_thread().name, None)


_held: dict[str, _Heartbeat] = {}


def _wait(world: World, machine: str, seconds: float) -> None:
    """Let time pass for a machine, which is lost when its hour has come, and says meanwhile that it is there."""
    ends = world.now + seconds
    while world.now < ends:
        lost = LOST.get(machine)
        world.sleep(min(LEASE / 5, ends - world.now), for_ever=lost is not None and world.now >= lost)
        held = _held.get(machine)
        if held is not None and world.now >= held.renewed_at + LEASE / 5:
            held.renewed_at = world.now
            if not held.renew():
                held.stop.request()


def main() -> None:
    """Simulate, print how much was sent, and draw."""
    chance, world = random.Random(7), World()  # noqa: S311 - repeatable on purpose
    tenants = [*_offices(chance), *_nights(chance)]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").exists() else None) as name:  # noqa: S108
        clock = Clock(lambda: BEGIN.timestamp() + world.now, lambda: 1.0 + world.now, lambda: "simulated")
        with Journal(Path(name) / "journal.db", clock, marks=Marks(Path(name) / "marks.db")) as journal:
            ended = _simulate(world, journal, tenants)
    sent, rows = sum(len(tenant.sent) for tenant in tenants), sum(tenant.rows for tenant in tenants)
    lines = [
        f"{len(tenants)} tenants, {rows} rows, {sent} sent; {ended} imports ended within the day",
        f"longest wait for a machine: {_longest_wait(world, tenants):.0f} s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    picture = Path(__file__).parent.parent / "docs" / "provider.svg"
    picture.write_text(plot(world.segments, LOST, BEGIN, DAY), "utf-8")


def _offices(chance: random.Random) -> list[Tenant]:
    """Return the sheets of office hours: small ones."""
    hours = [*range(6), *range(19, 23)]
    return [
        Tenant(f"office {number}", chance.randint(30, 400), 3600 * chance.choice(hours) + 60 * chance.randint(0, 59))
        for number in range(30)
    ]


def _nights(chance: random.Random) -> list[Tenant]:
    """Return the nights: from 20:00 to 06:00, some with more rows than a day's quota."""
    sizes = [*(chance.randint(800, 2500) for _number in range(7)), 5200, 6800, 8000]
    return [Tenant(f"night {number}", rows, 8 * 3600.0, 18 * 3600.0) for number, rows in enumerate(sizes)]


def _simulate(world: World, journal: Journal, tenants: list[Tenant]) -> int:
    """Let the machines work for a day; return how many imports have ended."""
    by_id: dict[int, Tenant] = {}
    for tenant in tenants:
        begins = BEGIN.timestamp() + tenant.begins
        queued, _is_new = journal.queue.submit(Submission(f"{tenant.name}.xlsx", "m.yml", "digest"), begins)
        if queued is None:
            sys.exit(f"{tenant.name} is queued twice")
        by_id[queued.id] = tenant
        world.at(queued.id, queued.not_before)
    runs = itertools.count(1)

    def begin(_job: object, _journal: object, _stop: Stop, queued: QueuedImport, _here: object) -> SimulatedRun:
        tenant, run_id, machine = by_id[queued.id], next(runs), threading.current_thread().name
        _wait(world, machine, 5.0 + tenant.rows / 1000)
        left = [(number, "") for number in range(tenant.rows) if number not in tenant.sent]
        in_shares = [left[at : at + SHARE] for at in range(0, len(left), SHARE)]
        journal.queue.begin(queued.id, run_id, in_shares, "digest", None, None)
        return SimulatedRun(world, tenant, run_id, machine)

    def join(_job: object, _journal: object, _stop: Stop, queued: QueuedImport, _here: object) -> SimulatedRun:
        tenant, machine = by_id[queued.id], threading.current_thread().name
        _wait(world, machine, 5.0 + tenant.rows / 1000)
        return SimulatedRun(world, tenant, queued.run_id or 0, machine)

    simulated: dict[str, Any] = {
        "begin_run": begin,
        "join_run": join,
        "Heartbeat": _Heartbeat,
        "now": lambda: world.moment,
        "why_not_here": lambda _queued: None,
        "job_of": lambda *_arguments, **_options: SimpleNamespace(until=None),  # `Tenant` has the end of a night
        "Journal": lambda _place: nullcontext(journal),
    }
    with patch.multiple(carrying, **simulated):
        for name in ("m1", "m2", "m3", "m4"):
            world.start(lambda name=name: _machine(world, name))  # type: ignore[misc]
        world.pass_by(DAY)
    return sum(queued.state is QueueState.ENDED for queued in journal.queue.all())


def _machine(world: World, name: str) -> None:
    """Be a worker, as `machines.working` is one."""
    threading.current_thread().name = name
    machine = QueueWorker(name, Path(name), Successors(world.at_once, world.at))
    while True:
        number = world.next_job()
        if number is None:
            _wait(world, name, 5.0)
        else:
            carry_on(machine, number)


def _longest_wait(world: World, tenants: list[Tenant]) -> float:
    """Return how long an import waited at most, from its hour to its first row."""
    first: dict[str, float] = {}
    for segment in world.segments:
        first[segment.tenant] = min(segment.began, first.get(segment.tenant, segment.began))
    return max(first[tenant.name] - tenant.begins for tenant in tenants if tenant.name in first)


if __name__ == "__main__":
    main()
