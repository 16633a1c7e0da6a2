"""What can be told of a run that goes on: here, in another process, or no longer."""

from __future__ import annotations

import platform
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kept import Kept, keeping
from promise_support import end_leases, tickets, wait_until
from run_support import MAPPING, Give, Office, ticket

from importer import (
    Connection,
    EventInterface,
    Job,
    JournalError,
    Progress,
    ProgressMeter,
    RunStopped,
    imports_known,
    load_job,
    run,
    watch_run,
)
from importer.journal import Journal, look_at_journal
from importer.model import Outcome, Status, Verdict
from importer.sandbox import Latency, RunningSandbox
from importer.workflow.forecast.events import Note, RowSent, SendingEnded, SendingStarted, Stopping, WaitingForQuota


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with three valid rows."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write(tickets([1, 2, 3]))
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, concurrency=1)


def send_three(office: Office, give: Give) -> None:
    """Send a sheet with three rows."""
    office.write(tickets([1, 2, 3]))
    assert give(office.arguments("run", "--yes")).status == 0


@pytest.fixture(scope="module")
def three_cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept[None]]:
    """Create a case for each of three rows."""
    with keeping(tmp_path_factory.mktemp("three"), send_three) as kept:
        yield kept


@pytest.fixture
def journal(three_cases: Kept[None]) -> Path:
    """Return the journal after a run of three rows."""
    path = three_cases.again().journal
    assert isinstance(path, Path)
    return path


def sent(verdict: Verdict) -> RowSent:
    """Return the event of an attempt."""
    return RowSent(Outcome(verdict))


# ------------------------------------------------------------------------------------------------ from events


def test_progress_follows_the_events() -> None:
    """Rows with an outcome are done, those that were not delivered are tried again; rate and time left follow."""
    now = [100.0]
    meter = ProgressMeter(clock=lambda: now[0])
    assert meter.snapshot() == Progress()
    meter(Note("anything"))
    meter(SendingStarted(10))
    assert meter.snapshot() == Progress("sending", 10)
    for verdict in (Verdict.CREATED, Verdict.NOT_DELIVERED, Verdict.CREATED, Verdict.UNKNOWN, Verdict.REJECTED):
        now[0] += 0.8
        meter(sent(verdict))
    shown = meter.snapshot()
    assert (shown.done, shown.total) == (4, 10)
    assert (shown.rate, shown.seconds_left) == (pytest.approx(1), pytest.approx(6))
    assert shown.by_outcome[Verdict.CREATED] == 2
    until = datetime(2026, 11, 28, tzinfo=UTC)
    meter(WaitingForQuota(until))
    now[0] += 50_000
    shown = meter.snapshot()
    assert (shown.phase, shown.waiting_until, shown.rate, shown.seconds_left) == ("waiting", until, None, None)
    meter(sent(Verdict.CREATED))
    assert (meter.snapshot().phase, meter.snapshot().waiting_until) == ("sending", None)
    meter(Stopping(2))
    assert (meter.snapshot().phase, meter.snapshot().in_flight) == ("stopping", 2)
    meter(SendingEnded())
    assert meter.snapshot().phase == "reporting"
    meter.ended("Paused by request.")
    assert (meter.snapshot().phase, meter.snapshot().reason, meter.snapshot().done) == (
        "ended",
        "Paused by request.",
        5,
    )


def test_the_rate_is_that_of_the_last_minute() -> None:
    """A run that gets slower, or no answers at all, is not shown as fast as it began."""
    now = [0.0]
    meter = ProgressMeter(clock=lambda: now[0])
    meter(SendingStarted(10_000))
    for _row in range(1_000):
        now[0] += 0.01
        meter(sent(Verdict.CREATED))
    fast = meter.snapshot().rate
    now[0] += 30
    slower = meter.snapshot().rate
    assert fast is not None
    assert slower is not None
    assert slower < fast / 3
    now[0] += 300
    assert meter.snapshot().rate is None


def test_progress_is_asked_for_from_other_threads(job: Job) -> None:
    """While a run goes on, snapshots are whole and never go back; other listeners get every event."""
    also: list[object] = []
    meter, done = ProgressMeter(also.append), threading.Event()
    seen: list[Progress] = []

    def look() -> None:
        while not done.wait(0.001):
            seen.append(meter.snapshot())

    watcher = threading.Thread(target=look)
    watcher.start()
    run(load_job(job), EventInterface(meter, agrees=True))
    done.set()
    watcher.join()
    assert [shot.done for shot in seen] == sorted(shot.done for shot in seen)
    assert meter.snapshot().done == 3
    assert sum(isinstance(event, RowSent) for event in also) == 3


# ------------------------------------------------------------------------------------------------ from the journal


def test_the_imports_of_a_journal(job: Job, office: Office, tmp_path: Path) -> None:
    """Each with its rows by state and its last run, the newest first; without a journal there are none."""
    assert imports_known(tmp_path / "none.db") == []
    assert watch_run(tmp_path / "none.db", 1) is None
    run(load_job(job), EventInterface(agrees=True))
    office.mapping.write_text(MAPPING.replace("import: office", "import: second"), "utf-8")
    office.write([ticket(8), ticket(9, Correo="nobody")])
    run(load_job(job), EventInterface(agrees=True))
    second, first = imports_known(job.journal_path)
    assert [first.import_name, second.import_name] == ["office", "second"]
    assert (first.states, second.states[Status.INVALID]) == ({Status.CREATED: 3}, 1)
    assert second.last_run is not None
    record = second.last_run.record
    assert (record.start.source, record.exit_status, record.import_name) == (str(office.source), 1, "second")
    assert (first.running, first.interrupted, first.unknown, first.conflict, first.quota_until) == (
        *(None, False),
        *(0, 0, None),
    )
    watched = watch_run(job.journal_path, record.id)
    assert watched is not None
    assert (watched.states, watched.going_on, watched.is_own) == ({Status.CREATED: 1}, False, True)
    assert watch_run(job.journal_path, 99) is None


def test_a_run_of_this_process_goes_on_until_it_ends(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is seen while it sends; one that could not end, in a process that lives, is interrupted."""
    seen = []

    def look(event: object) -> None:
        if isinstance(event, RowSent):
            (state,) = imports_known(job.journal_path)
            seen.append(state.running)

    monkeypatch.setattr("importer.pipeline.report_outcome", lambda *_all: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(RunStopped):
        run(load_job(job), EventInterface(look, agrees=True))
    assert [(one.is_own, one.states[Status.CREATED]) for one in seen if one] == [(True, 1), (True, 2), (True, 3)]
    (state,) = imports_known(job.journal_path)
    assert (state.running, state.interrupted) == (None, True)
    monkeypatch.undo()
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with look_at_journal(job.journal_path) as journal:
        assert journal.runs.all()[0].ended_at is None


@pytest.mark.skipif(sys.platform == "win32", reason="kill as Unix has it")
def test_a_run_of_another_process_is_watched_and_found_interrupted(tmp_path: Path) -> None:
    """Its rows and its life are seen from here without a lock; once it was killed, that is seen at once."""
    with RunningSandbox(latency=Latency(0.1, 0.1)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(tickets(range(1, 100)))
        process = office.start("run", "--yes")
        wait_until(lambda: sandbox.posts >= 5)
        (state,) = imports_known(office.journal)
        assert state.running is not None
        assert (state.running.lives, state.running.is_own, state.interrupted) == (True, False, False)
        assert state.running.states[Status.CREATED] >= 3
        assert state.running.in_flight >= 1
        process.kill()
        process.communicate()
        end_leases(office.journal)
        (state,) = imports_known(office.journal)
        assert (state.running, state.interrupted) == (None, True)
        assert state.unknown >= 1
        assert state.states[Status.SENDING] == 0


def test_whether_a_process_lives_is_told_only_where_it_is_known(journal: Path) -> None:
    """A process of another computer may live; one of this computer that is gone does not."""
    here = platform.node()
    owners = {"another-computer:1:ab": None, "no owner": None, f"{here}:4194304:ab": False, f"{here}:x:ab": None}
    for owner, lives in owners.items():
        with closing(sqlite3.connect(journal)) as database, database:
            database.execute("UPDATE runs SET ended_at = NULL, exit_status = NULL, counts = NULL")
            database.execute("UPDATE attempts SET owner = ?", (owner,))
        (state,) = imports_known(journal)
        assert state.last_run is not None
        assert (owner, state.last_run.lives, state.interrupted) == (owner, lives, lives is False)


def test_a_pause_for_the_quota_is_known_with_its_end(job: Job, office: Office) -> None:
    """Until then the import is paused; the next run that has calls clears it."""
    office.sandbox.inject("quota-exceeded:nth=2")
    run(load_job(job), EventInterface(agrees=True))
    (state,) = imports_known(job.journal_path)
    assert state.quota_until is not None
    assert state.quota_until > datetime.now(UTC)
    office.sandbox.inject()
    run(load_job(job), EventInterface(agrees=True))
    (state,) = imports_known(job.journal_path)
    assert (state.quota_until, state.states) == (None, {Status.CREATED: 3})


def test_watching_writes_nothing_and_waits_for_nobody(journal: Path) -> None:
    """While another connection holds the journal's lock it answers at once, and leaves every byte as it is."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("UPDATE rows SET message = 'not yet'")
        before = {path.name: path.stat().st_mtime_ns for path in journal.parent.iterdir()}
        (state,) = imports_known(journal)
        assert state.states == {Status.CREATED: 3}
        assert {path.name: path.stat().st_mtime_ns for path in journal.parent.iterdir()} == before
        writer.execute("ROLLBACK")


def test_a_journal_of_an_earlier_version_is_read_as_it_would_become(journal: Path) -> None:
    """It is read from a copy that is brought up; one that is damaged, or was moved, says so."""
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("DELETE FROM migrations WHERE name LIKE 'm004%'")
        database.execute("ALTER TABLE rows DROP COLUMN column_digests")
        database.execute("ALTER TABLE reports DROP COLUMN source")
        database.execute("DELETE FROM facts WHERE name = 'column_secret'")
    assert [state.states for state in imports_known(journal)] == [{Status.CREATED: 3}]
    with Journal(journal) as opened:
        opened.move(journal.with_name("elsewhere.db"))
    with pytest.raises(JournalError, match="elsewhere"):
        imports_known(journal)
    damaged = journal.with_name("damaged.db")
    damaged.write_bytes(b"no database" * 1000)
    with pytest.raises(JournalError, match=r"damaged\.db"):
        imports_known(damaged)
