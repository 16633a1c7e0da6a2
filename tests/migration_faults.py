"""A migration to a CRM that fails at random on every call, and to processes that are killed: what holds all the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from crash_child import STEPS
from migration_support import HelpDesk
from promise_support import end_leases, select, settle_by_person, stored_rows, wait_until
from run_support import Result
from updates_support import end_leases as end_leases_of_updates

from importer.sandbox.misbehaviour import KINDS

NUMBERS = {
    "timeout-after-creating": "wait=0.3,",
    "timeout-without-creating": "wait=0.3,",
    "late-creation": "wait=0.3,",
    "dripping-answer": "pause=0.001,",
    "stalled-upload": "wait=0.3,",
    "too-many-requests": "wait=0,",
    "too-many-requests-date": "wait=0,",
    "reset-upload": "bytes=100,",
}
"""Faults that would take too long by default, or would not hit a small body."""

CASE_STEPS = (
    "run-begun",
    *(step for step in STEPS if step.startswith(("intent", "first", "whole", "answer", "outcome"))),
)
ONCE = {"run-begun"}
"""Steps that a run takes once."""
TABLES = ("rows", "contacts")
TRIES = 30
"""How many runs may end before one of them comes to a step where it is killed: some are paused by a fault before."""

Kill = Callable[[list[str], "Point"], int]
"""Carries out a command in a process that is killed at a point; returns how it ended."""


class Point(NamedTuple):
    """Where a process is killed: before or after the n-th time of a step (see crash_child.py)."""

    step: str
    when: str
    nth: int = 1


def points(chance: Random, steps: Sequence[str], number: int, most: int = 4) -> list[Point]:
    """Choose so many points, all at different steps as long as there are any, which a run of some rows comes to."""
    chosen = [step for _round in range(number // len(steps) + 1) for step in chance.sample(steps, len(steps))][:number]
    times = [1 if step in ONCE else chance.randint(1, most) for step in chosen]
    return [Point(step, chance.choice(["before", "after"]), nth) for step, nth in zip(chosen, times, strict=True)]


def storm(chance: Random, calls: Mapping[str, int], one_in: int = 3) -> list[str]:
    """Let one in so many calls of each kind fail, each at random by a fault of its own, and so come to an end.

    `calls` are how many of each kind the migration makes if nothing fails; later ones succeed.
    """
    faults = []
    for call, number in calls.items():
        # 'none' to a search for a contact that exists is the one fault that no client can see through
        kinds = [name for name in KINDS if (name, call) != ("search-finds-nothing", "custom-query")]
        chosen = chance.sample(kinds, min(len(kinds), number // one_in))
        places = chance.sample(range(1, number + 1), len(chosen))
        faults += [fault(name, call, nth) for name, nth in zip(chosen, places, strict=True)]
    return faults


def fault(name: str, call: str, nth: int) -> str:
    """Return a fault as the simulated CRM takes it: at the n-th call, and without long waits."""
    return f"{name}:{NUMBERS.get(name, '')}nth={nth},call={call}"


@dataclass
class Ordeal:
    """A help desk that runs the same command until everything is settled, whatever happens on the way."""

    desk: HelpDesk
    kill: Kill
    options: tuple[str, ...] = ()
    ended: Counter[str] = field(default_factory=Counter)

    def killed_at(self, points: Iterable[Point], limit: int) -> None:
        """Let a run of `limit` rows be killed at each of the points, and settle what is left of it."""
        for number, point in enumerate(points):
            for tried in range(TRIES):
                status = self.kill(self._run("--limit", str(limit)), point)
                self.desk.assert_once()
                self.ended["killed" if status < 0 else f"run {status}"] += 1
                self.settle(by_person=(number + tried) % 2 == 1)
                if status < 0:
                    break
                assert status, f"{point}: everything is done, and no run came there"
            else:
                raise AssertionError(f"{point}: no run came there")

    def run(self, most: int = 100) -> Result:
        """Run until nothing is left, and settle between; return how it ended."""
        for time in range(most):
            ended = self.desk.give(self._run())
            self.ended[f"run {ended.status}"] += 1
            assert ended.status in {0, 1, 3, 4, 5}, ended
            self.desk.assert_once()
            self.assert_named(ended)
            if ended.status == 0:
                return ended
            self.settle(by_person=time % 2 == 1)
        raise AssertionError(ended)

    def _run(self, *more: str) -> list[str]:
        return self.desk.words("run", "--yes", "--json", "--quiet-period", "1", *self.options, *more)

    def assert_named(self, ended: Result) -> None:
        """Check that every row and every contact in doubt is told."""
        states = Counter(row.state for row in stored_rows(self.desk.office.journal))
        told = ended.json["counts"]
        assert all(told[state] == states[state] for state in ("unknown", "conflict", "created")), (told, states)
        query = "SELECT count(*) FROM contacts WHERE state IN ('unknown', 'sending')"
        [(count,)] = select(self.desk.office.journal, query)
        if count:
            doubtful = self.doubtful_contacts()
            assert len(doubtful) == count
            assert ended.status in {4, 5}, ended
            assert any(address in ended.out for address in doubtful), (doubtful, ended)

    def doubtful_contacts(self) -> list[str]:
        """Return the addresses that `contacts` lists as unknown."""
        listed = self.desk.give(self.desk.words("contacts", "--json"))
        return [each["address"] for each in listed.json["contacts"] if each["state"] == "unknown"]

    def settle(self, *, by_person: bool) -> None:
        """Settle what is in doubt, if anything is, by searching, and then by a person who looks at the CRM."""
        self.rest()
        journal = self.desk.office.journal
        doubts = [f"SELECT count(*) FROM {table} WHERE state IN ('unknown', 'conflict', 'sending')" for table in TABLES]  # noqa: S608 - the names above
        if not journal.exists() or not any(select(journal, query)[0][0] for query in doubts):
            return
        words = ["settle", *self.desk.words("settle", "--json", "--quiet-period", "1")[2:]]
        searched = self.desk.give(words)
        self.ended[f"settle {searched.status}"] += 1
        assert searched.status in {0, 3, 4, 5}, searched
        if not by_person:
            return
        there = self.desk.contacts
        for address in self.doubtful_contacts() if searched.json["exit_status"] else ():
            verdict = "--exists" if address.casefold() in there else "--not-created"
            told = self.desk.give([*words, "--by-hand", address, verdict])
            assert told.status in {0, 3, 4}, told
            self.ended["contacts by hand"] += 1
        settle_by_person(self.desk.office)
        self.desk.assert_once()

    def rest(self) -> None:
        """Let a night pass: nothing is in progress any more, leases and quiet periods are over, the quota is new."""
        wait_until(lambda: self.desk.office.sandbox.idle)
        self.desk.office.sandbox.new_day()
        if self.desk.office.journal.exists():
            end_leases(self.desk.office.journal)
            end_leases_of_updates(self.desk.office)
