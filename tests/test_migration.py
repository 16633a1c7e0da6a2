"""A whole migration by the importer alone: contacts, history, files, edits, and the proof (docs/scenarios.md, C)."""

from __future__ import annotations

import sys
from pathlib import Path

import openpyxl
import pytest
from crash_child import wait_for_nothing
from migration_faults import Ordeal, Point, fault
from migration_support import HelpDesk, Migration
from nursery import Nursery
from promise_support import select
from run_support import Give, Office

from importer.sandbox import RunningSandbox

FAULTS = {
    "custom-query": ("server-error", "html-answer"),
    "custom-insert": ("search-finds-nothing", "closed-after-creating", "blank-ids"),
    "insert": ("closed-after-creating", "blank-ids", "closed-without-creating", "quota-exceeded", "cut-json"),
    "query": ("redirect", "search-finds-nothing"),
    "update": ("search-finds-nothing", "closed-after-creating", "server-error"),
}
"""The first calls of each kind that fail, every other one of them, and by what."""

POINTS = (
    Point("contact-intent-committed", "after"),
    Point("contact-answer-read", "after"),
    Point("whole-body-sent", "after", 2),
    Point("outcome-committed", "before"),
)
POINTS_OF_UPDATES = (Point("update-intent", "after"), Point("update-outcome", "before"))


def test_c80_a_migration_under_a_quota(tmp_path: Path, give: Give) -> None:
    """Every contact and every case once, histories complete, edits updated, all verified, and the numbers add up."""
    migration = Migration(tmp_path, 24, 80, 11)
    with RunningSandbox(migration.config(20)) as sandbox:  # with much less, the doctor would not learn all on one day
        desk = HelpDesk(migration, Office(tmp_path, sandbox), give)
        desk.learn()
        ended = desk.day_by_day("run")
        assert ended.status == 0, ended
        desk.assert_complete()
        changed = frozenset({3, 17, 23})
        desk.migration.write(changed)
        ended = desk.day_by_day("run")
        assert ended.status == 0, ended
        assert [len(sandbox.store.updates(case.number)) for case in sandbox.store.cases].count(1) == 3
        desk.assert_complete(changed)
        ended = desk.day_by_day("verify", "--all")
        assert ended.status == 0, ended
    assert desk.days >= 4
    workbook = openpyxl.load_workbook(tmp_path / "tickets.hand-over.xlsx")
    cells = list(workbook["Hand-over"].iter_rows(values_only=True))
    assert "24 rows in the source = 24 created cases + 0 rows" in str(cells)
    listed = list(workbook["Cases"].iter_rows(min_row=2, values_only=True))
    assert sorted(int(line[1]) for line in listed) == list(range(1, 25))
    assert {line[5] for line in listed} == {"as in the sheet"}
    assert sum(line[9] or 0 for line in listed) == 11 + len(desk.with_comments)


@pytest.mark.skipif(sys.platform == "win32", reason="processes that fork and are killed, as Unix has them")
def test_c81_a_migration_whose_calls_fail_and_whose_runs_are_killed(
    tmp_path: Path, give: Give, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every contact and every case once, nothing lost, histories complete, and every doubt named on the way."""
    wait_for_nothing(monkeypatch.setattr)
    migration = Migration(tmp_path, 12, 30, 4)
    changed = frozenset({3, 5, 11})

    def kill(words: list[str], point: Point) -> int:
        return nursery.carry_out(*words, **point._asdict(), hasty=True).status

    with RunningSandbox(migration.config(10_000)) as sandbox:
        desk = HelpDesk(migration, Office(tmp_path, sandbox), give)
        desk.learn()
        ordeal = Ordeal(desk, kill, ("--concurrency", "1"))
        every_other = ((name, call, 2 * n + 2) for call, names in FAULTS.items() for n, name in enumerate(names))
        sandbox.inject(*(fault(*one) for one in every_other))
        ordeal.killed_at(POINTS, limit=2)
        ordeal.run()
        desk.assert_complete()
        migration.write(changed)
        ordeal.killed_at(POINTS_OF_UPDATES, limit=1)
        ordeal.run()
        desk.assert_complete(changed)
        for table in ("attempts", "contact_attempts"):
            assert select(desk.office.journal, f"SELECT count(*) FROM {table} WHERE search_value IS NOT NULL") == [(0,)]  # noqa: S608 - the names above
    assert ordeal.ended["killed"] == len(POINTS) + len(POINTS_OF_UPDATES)
