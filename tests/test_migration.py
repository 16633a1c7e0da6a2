"""A whole migration by the importer alone: contacts, history, files, edits, and the proof (docs/scenarios.md, C)."""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl
from migration_support import HelpDesk, Migration
from run_support import Give, Office

from importer.sandbox import RunningSandbox

SEED = int(os.environ.get("CHAOS_SEED", "7"))
RATE = 0.01
"""How often each fault occurs on each kind of call."""


def test_c80_a_migration_under_a_quota(tmp_path: Path, give: Give) -> None:
    """Every contact and every case once, histories complete, edits updated, all verified, and the numbers add up."""
    migration = Migration(tmp_path, 40, 130, 17)
    with RunningSandbox(migration.config(30)) as sandbox:
        desk = HelpDesk(migration, Office(tmp_path, sandbox), give)
        desk.learn()
        ended = desk.day_by_day("run")
        assert ended.status == 0, ended
        desk.assert_complete()
        changed = frozenset({3, 17, 39})
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
    assert "40 rows in the source = 40 created cases + 0 rows" in str(cells)
    listed = list(workbook["Cases"].iter_rows(min_row=2, values_only=True))
    assert sorted(int(line[1]) for line in listed) == list(range(1, 41))
    assert {line[5] for line in listed} == {"as in the sheet"}
    assert sum(line[9] or 0 for line in listed) == 17 + len(desk.with_comments)
