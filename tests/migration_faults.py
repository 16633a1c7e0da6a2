"""A migration to a CRM that fails at random on every call, and to processes that are killed: what holds all the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from crash_child import CONTACT_STEPS, STEPS, UPDATE_STEPS
from migration_support import HelpDesk
from promise_support import end_leases, select, settle_by_person, stored_rows, wait_until
from run_support import Result
from updates_support import end_leases as end_leases_of_updates

from importer.sandbox import RunningSandbox
from importer.sandbox.misbehaviour import KINDS

CALLS = ("insert", "query", "update", "custom-query", "custom-insert")
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

DEADLY = (*(step for step in STEPS if not step.startswith(("report", "verdict", "run-ended"))), *CONTACT_STEPS)
ALL_STEPS = (*DEADLY, *UPDATE_STEPS)

Kill = Callable[[list[str], str, str, int], int]
"""Carries out a command in a process that is killed before or after the n-th time of a step; returns how it ended."""


def every_fault(sandbox: RunningSandbox, seed: int, rate: float) -> None:
    """Let every possible fault occur at random on every call that a migration makes."""
    numbers = ((name, call, seed * 1000 + n) for n, (name, call) in enumerate(_every_kind()))
    sandbox.inject(*(f"{name}:{NUMBERS.get(name, '')}rate={rate},seed={n},call={call}" for name, call, n in numbers))


def _every_kind() -> Iterator[tuple[str, str]]:
    # 'none' to a search for a contact that exists is the one fault that no client can see through
    return (
        (name, call) for call in CALLS for name in KINDS if (name, call) != ("search-finds-nothing", "custom-query")
    )


@dataclass
class Ordeal:
    """A help desk that runs the same command until everything is settled, whatever happens on the way."""

    desk: HelpDesk
    seed: int
    kill: Kill | None = None
    ended: Counter[str] = field(default_factory=Counter)

    def killed(self, times: int, steps: tuple[str, ...], most: int = 12) -> int:
        """Let runs be killed at random steps, each after up to `most` times of it, and settle what is left of each.

        Returns how many were: fewer than wanted if a run comes to its end before.
        """
        chance = Random(self.seed)  # noqa: S311 - repeatable on purpose
        assert self.kill is not None
        left = times
        while left:
            words = self.desk.words("run", "--yes", "--json", "--quiet-period", "1")
            step, when = chance.choice(steps), chance.choice(["before", "after"])
            status = self.kill(words, step, when, chance.randint(1, most))
            self.desk.assert_once()
            if status == 0:
                break
            self.ended["killed" if status < 0 else f"run {status}"] += 1
            left -= status < 0
            self.settle(by_person=chance.random() < 0.5)
        return times - left

    def run(self, most: int) -> Result:
        """Run until nothing is left, and settle between; return how it ended."""
        for time in range(most):
            ended = self.desk.give(self.desk.words("run", "--yes", "--json", "--quiet-period", "1"))
            self.ended[f"run {ended.status}"] += 1
            assert ended.status in {0, 1, 3, 4, 5}, ended
            self.desk.assert_once()
            self.assert_named(ended)
            if ended.status == 0:
                return ended
            self.settle(by_person=time % 2 == 1)
        raise AssertionError(ended)

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
        """Settle what is in doubt by searching, and then by a person who looks at the CRM."""
        self.rest()
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
