"""Whole commands with a journal that lacks something: nothing is sent before that is resolved."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nursery import Nursery
from promise_support import KILLED, Order, know_the_search, states, tickets, wait_until
from run_support import Give, Office, ticket

from importer.sandbox import Latency, RunningSandbox

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and open files as Unix has them")


def run(office: Office, *more: str) -> list[str]:
    """Return the command line of a run with one worker."""
    return office.arguments("run", "--yes", "--json", "--concurrency", "1", *more)


def cp(source: Path, target: Path) -> None:
    """Copy a file over another, as a person does."""
    subprocess.run(["cp", str(source), str(target)], check=True)


def test_r15_a_run_with_a_restored_backup_sends_nothing_until_its_reports_are_adopted(
    office: Office, give: Give
) -> None:
    """The refusal names both ways; after `adopt` and `--look-first` the run goes on, and makes no second case."""
    office.write(map(ticket, range(1, 9)))
    backup = office.folder / "backup.db"
    assert give(run(office, "--limit", "2")).status == 3
    cp(office.journal, backup)
    assert give(run(office, "--limit", "3")).status == 3
    cp(backup, office.journal)
    refused = give(run(office))
    assert (refused.status, office.sandbox.posts) == (2, 5)
    assert "adopt" in refused.err
    assert "--look-first" in refused.err
    assert give(office.adopt(office.report)).status == 0
    assert give(run(office)).status == 2
    know_the_search(office)
    assert give(run(office, "--look-first", "--quiet-period", "0", "--limit", "1")).status == 3
    assert give(run(office)).status == 2  # the other rows were not looked for yet
    assert give(run(office, "--look-first", "--quiet-period", "0")).status == 0
    assert office.sandbox.posts == 8
    assert states(office.journal) == {"created": 8}
    assert give(run(office)).status == 0


@needs_unix
def test_r15_a_run_after_a_kill_whose_wal_was_lost_sends_nothing(office: Office, give: Give, order: Order) -> None:
    """The main file alone calls rows planned whose cases exist."""
    office.write(tickets(range(1, 9)))
    assert give(run(office, "--limit", "1")).status == 3
    assert order(run(office), step="outcome-committed", when="after", nth=3) == KILLED
    posts = office.sandbox.posts
    office.journal.with_name("journal.db-wal").unlink()
    assert give(run(office)).status == 2
    assert office.sandbox.posts == posts


def test_r15_a_run_on_another_computer_asks_once(
    office: Office, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, `--moved-here` is the answer, and is remembered."""
    office.write(tickets(range(1, 5)))
    assert give(run(office, "--limit", "1")).status == 3
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other computer"))
    refused = give(run(office))
    assert (refused.status, office.sandbox.posts) == (2, 1)
    assert "--moved-here" in refused.err
    assert give(run(office, "--moved-here", "--limit", "1")).status == 3
    assert give(run(office)).status == 0


def test_r15_a_report_beside_the_source_is_a_witness(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal and mark were both restored, as with a whole home folder: the report knows more."""
    office.write(map(ticket, range(1, 9)))
    home = Path(os.environ["XDG_STATE_HOME"])
    assert give(run(office, "--limit", "2")).status == 3
    cp(office.journal, office.folder / "backup.db")
    subprocess.run(["cp", "-r", str(home), str(home.with_name("backup"))], check=True)
    assert give(run(office, "--limit", "3")).status == 3
    shutil.copyfile(office.report, office.folder / "tickets.report (3).xlsx")
    cp(office.folder / "backup.db", office.journal)
    monkeypatch.setenv("XDG_STATE_HOME", str(home.with_name("backup")))
    assert give(run(office)).status == 2
    assert office.sandbox.posts == 5
    know_the_search(office)
    office.write(map(ticket, range(1, 7)))
    assert give(run(office, "--look-first", "--quiet-period", "0")).status == 0
    office.report.rename(office.folder / "tickets.report (2).xlsx")
    assert give(run(office)).status == 0  # the rows that only the report knew were looked for
    assert office.sandbox.posts == 6


@needs_unix
@pytest.mark.parametrize("how", ["deleted", "replaced", "folder gone"])
def test_r15_a_run_whose_journal_is_taken_away_stops_and_loses_no_id(
    office: Office, nursery: Nursery, tmp_path: Path, how: str
) -> None:
    """It stops at the row in flight; the id of that row is beside the journal's path, or in the output of the run."""
    office.write(tickets(range(1, 200)))
    with RunningSandbox(latency=Latency(0.05, 0.05)) as office.sandbox, ThreadPoolExecutor(1) as elsewhere:
        going = elsewhere.submit(nursery.carry_out, *office.arguments("run", "--yes", "--concurrency", "1"))
        wait_until(lambda: office.sandbox.posts >= 3)
        copy = tmp_path / "copy.db"
        cp(office.journal, copy)
        if how == "folder gone":
            office.journal.parent.rename(tmp_path / "gone")
        elif how == "deleted":
            office.journal.unlink()
        else:
            copy.rename(office.journal)
        ended = going.result(timeout=60)
        cases = [case.wolkvox_id for case in office.sandbox.store.cases]
        assert "while it was in use" in ended.err
        assert ended.status in {2, 3}
        assert len(cases) < 20
        rescue = office.journal.with_name("journal.db.rescue")
        kept = rescue.read_text() if rescue.exists() else ""
        assert cases[-1] in kept + ended.err or was_concluded(cases[-1], tmp_path, office)


def was_concluded(case: str, tmp_path: Path, office: Office) -> bool:
    """Tell whether the journal, wherever it is now, had the id before it was removed."""
    places = [tmp_path / "gone" / "journal.db", tmp_path / "copy.db", office.journal]
    wals = [place.with_name("journal.db-wal") for place in places]
    return any(case.encode() in place.read_bytes() for place in (*places, *wals) if place.exists())
