"""A migration of full size, in numbers: `python tests/migrate.py [TICKETS COMMENTS FILES QUOTA]`.

Contacts, cases, 40 edits and the proof, a simulated day after the other, each command in a process of its own. With
`--faults SEED [KILLS]` one in three calls fails, by faults of every kind, and so many runs are killed. `PYTHONPATH=.`
if the program is not installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from crash_child import CONTACT_STEPS, UPDATE_STEPS
from migration_faults import CASE_STEPS, Ordeal, Point, points, storm
from migration_support import HelpDesk, Migration
from nursery import Nursery, running
from run_support import Office, Result

from importer.sandbox import RunningSandbox

SIZES = (3000, 10_000, 1300, 800)
FAULTY_SIZES = (300, 1000, 130, 800)
FAULTY_CALLS = {"insert": 300, "query": 100, "custom-query": 100, "custom-insert": 33, "update": 42}
"""How many calls a migration of these sizes makes, without faults and about: one in three fails."""


@dataclass
class Measured:
    """Carries out commands in processes of their own, and adds up what they take."""

    nursery: Nursery
    hasty: bool = False
    peak: int = 0
    ended: Counter[str] = field(default_factory=Counter)

    def give(self, words: list[str]) -> Result:
        """Carry out a command."""
        ended = self.nursery.carry_out(*words, hasty=self.hasty)
        self.peak = max(self.peak, ended.megabytes)
        self.ended[f"{words[0]} {ended.status}"] += 1
        return Result(ended.status, ended.out, ended.err)


def main(words: Sequence[str]) -> None:
    """Migrate, and print the figures."""
    os.environ["CASE_IMPORTER_LANG"] = os.environ.get("CASE_IMPORTER_LANG", "en")
    with tempfile.TemporaryDirectory(prefix="migration-") as name, running() as nursery:
        for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = name
        if words[:1] == ["--faults"]:
            _faulty(Path(name), nursery, int(words[1]), int((*words, 10)[2]))
        else:
            _whole(Path(name), nursery, [*map(int, words), *SIZES[len(words) :]])


def _whole(folder: Path, nursery: Nursery, sizes: Sequence[int]) -> None:
    *numbers, quota = sizes
    migration, measured = Migration(folder, *numbers), Measured(nursery)
    changed = frozenset(range(50, migration.tickets, max(1, migration.tickets // 40)))
    with RunningSandbox(migration.config(quota)) as sandbox:
        desk = HelpDesk(migration, Office(folder, sandbox), measured.give)
        desk.learn()
        for step in ("cases", "edits", "proof"):
            before, started, desk.days = Counter(desk.traffic), time.monotonic(), 1
            if step == "edits":
                migration.write(changed)
            ended = desk.day_by_day(*(("verify", "--all") if step == "proof" else ("run",)))
            seconds = time.monotonic() - started
            assert ended.status == 0, ended
            desk.assert_complete(changed if step != "cases" else frozenset())
            calls = Counter(desk.traffic) - before
            _print(f"{step}: {desk.days} days, {seconds:.0f} s, {calls.total()} calls {dict(calls)}")
        _print(
            f"{len(desk.contacts)} contacts, {len(desk.cases)} cases, peak {measured.peak} MB, {dict(measured.ended)}"
        )
        if kept := os.environ.get("KEEP"):
            Path(kept).write_bytes((folder / "tickets.hand-over.xlsx").read_bytes())


def _faulty(folder: Path, nursery: Nursery, seed: int, kills: int) -> None:
    *numbers, quota = FAULTY_SIZES
    migration, measured, started = Migration(folder, *numbers), Measured(nursery, hasty=True), time.monotonic()
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    third = kills // 3
    changed = frozenset(range(5, migration.tickets, 7))

    def kill(words: list[str], point: Point) -> int:
        return nursery.carry_out(*words, **point._asdict(), hasty=True).status

    with RunningSandbox(migration.config(quota)) as sandbox:
        desk = HelpDesk(migration, Office(folder, sandbox), measured.give)
        desk.learn()
        ordeal = Ordeal(desk, kill)
        sandbox.inject(*storm(chance, FAULTY_CALLS))
        ordeal.killed_at(points(chance, tuple(CONTACT_STEPS), third), limit=25)
        ordeal.killed_at(points(chance, CASE_STEPS, kills - 2 * third), limit=25)
        ordeal.run()
        desk.assert_complete()
        migration.write(changed)
        ordeal.killed_at(points(chance, tuple(UPDATE_STEPS), third), limit=8)
        ordeal.run()
        desk.assert_complete(changed)
        sandbox.inject()
        ended = desk.day_by_day("verify", "--all")
        assert ended.status == 0, ended
        seconds = time.monotonic() - started
        _print(f"seed {seed}: {seconds:.0f} s, {dict(desk.traffic)}, {dict(ordeal.ended)}, peak {measured.peak} MB")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
