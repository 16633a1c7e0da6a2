"""What workers tell another program: of each run that ended, and of each that did not begin in time, once."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from machines_support import Desk, shared_place
from postgres_support import needs_postgres
from run_support import Give, Office, ticket

from importer.errors import ServerUnreachable, UsageError
from importer.journal import Journal, QueuedImport, QueueState, Submission, conninfo_of
from importer.machines import Times, submit
from importer.machines.run import MachineRun
from importer.machines.telling import Teller, missed_start
from importer.sandbox import RunningSandbox
from importer.system.clock import Clock

pytestmark = needs_postgres

COUNTS_OF_RUN = {"counts", "report", "exit_status", "exits_with", "created_now", "updated_now", "calls", "rehearsal"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give one machine of an office with three rows to send."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "hidden-token")
    with ExitStack() as here:
        office = Office(tmp_path, here.enter_context(RunningSandbox()))
        office.write(ticket(number) for number in range(3))
        yield Desk(office, here.enter_context(shared_place()))


@pytest.fixture
def told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Give the notices that the machine hands to its program."""
    notices: list[Mapping[str, Any]] = []
    monkeypatch.setattr("importer.machines.telling.deliver", lambda _command, notice: notices.append(notice))
    desk.machine.teller = Teller("tell", desk.said.append)
    return notices


def test_m33_a_worker_tells_its_program(desk: Desk, give: Give, tmp_path: Path) -> None:
    """It says that an import is late and that its run has ended, as `run --notify` does, and nothing private."""
    script, out = tmp_path / "tell.py", tmp_path / "told.jsonl"
    script.write_text("import os, sys\nopen(sys.argv[1], 'a').write(sys.stdin.read() + '#'.join(os.environ) + '\\n')\n")
    command = shlex.join([sys.executable, str(script), str(out)])
    queued = submit(desk.job(), Times(expect_by="08:00"))
    with psycopg.connect(conninfo_of(desk.place)) as connection:
        connection.execute("UPDATE queued_imports SET submitted_at = 1")  # all workers were down
    work = ["work", "--once", "--name", "run", "--notify", command, "--journal", str(desk.place)]
    assert give(work).status == 0
    late, first, ended, second = out.read_text("utf-8").splitlines()
    assert json.loads(late).items() >= {"event": "not-started", "import": "office", "queued": queued.id}.items()
    notice = json.loads(ended)
    assert notice.items() >= {"event": "ended", "command": "run", "import": "office", "run": 1, "exits_with": 0}.items()
    assert (notice["counts"]["created"], notice["queued"]) == (3, queued.id)
    assert notice.keys() >= COUNTS_OF_RUN
    for private in ("hidden-token", "WOLKVOX_TOKEN", "PGPASSWORD", "cliente", "example.com", "WCI-"):
        assert private not in f"{first}{ended}{second}", private


def test_m33_a_program_that_is_none_is_refused_before_anything_is_sent(desk: Desk, give: Give) -> None:
    """`work` ends with 2, and a program that fails later is a line of the worker."""
    queued = submit(desk.job())
    assert give(["work", "--once", "--notify", "no-such-program", "--journal", str(desk.place)]).status == 2
    assert desk.office.sandbox.posts == 0
    desk.machine.teller = Teller("no-such-program", desk.said.append)
    assert desk.carry_on(queued).exit_status == 0
    assert desk.said[-1].startswith("--notify: no-such-program: ")


@pytest.mark.parametrize(
    ("what", "expected"),
    [("question", [(2, None)]), ("away", []), ("night over", [(3, None)]), ("fault", [(70, None)]), ("sent", [(0, 1)])],
)
def test_m33_each_end_is_told_and_no_try_that_is_made_again(
    desk: Desk, told: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch, what: str, expected: list[Any]
) -> None:
    """Also of a run that could not begin; what the CRM did not answer is tried again, and has not ended."""
    times = Times()
    if what == "night over":
        until = datetime.now(UTC).astimezone() - timedelta(hours=1)
        times = Times(every="0 7 * * 1", until=f"{until:%H:%M}")
    queued = submit(desk.job(), times)
    errors = {"question": UsageError("asked"), "away": ServerUnreachable("away"), "fault": RuntimeError("cell")}
    if what in errors:

        def fail(*_all: object) -> None:
            raise errors[what]

        monkeypatch.setattr("importer.machines.carrying.begin_run", fail)
    if what == "night over":
        with Journal(desk.place) as journal:
            journal.queue.end(queued.id, 0, None, (datetime.now(UTC) - timedelta(hours=2)).timestamp())
    for _try in range(5):
        if what == "fault":
            with pytest.raises(RuntimeError):
                desk.carry_on(queued)
        else:
            desk.carry_on(queued)
    assert [(notice["exits_with"], notice["run"]) for notice in told] == expected
    assert {notice["import"] for notice in told} <= {"office"}


def test_m33_a_machine_that_lost_its_lease_tells_nothing(
    desk: Desk, told: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was stopped while it ended a run finds that another has ended it, and leaves the other's record as it is."""
    queued, conclude = submit(desk.job()), MachineRun.conclude

    def concluded_by_two(run: MachineRun, *how: Any) -> object:  # noqa: ANN401 - as of the method
        ended = conclude(run, *how)
        assert run.journal.queue.end(queued.id, 4, "ended by another", None)
        return ended

    monkeypatch.setattr(MachineRun, "conclude", concluded_by_two)
    ended = desk.carry_on(queued)
    assert (ended.state, ended.exit_status, ended.message) == (QueueState.ENDED, 4, "ended by another")
    assert told == []


def test_m34_an_import_that_has_not_begun_in_time_is_told_once_a_day(desk: Desk, told: list[Mapping[str, Any]]) -> None:
    """By one machine, by the clock of the database, until it has begun; also where the mapping is not there."""
    queued = submit(desk.job(), Times(expect_by="06:55"))
    day = (queued.submitted_at + timedelta(days=2)).replace(hour=7, minute=0, second=0, microsecond=0)
    other = Teller("tell", desk.said.append)
    where = desk.office.mapping.rename(desk.office.folder / "away.yml")
    for after, count in [(timedelta(days=-5), 0), (timedelta(), 1), (timedelta(hours=8), 1), (timedelta(days=1), 2)]:
        at = (day + after).timestamp()
        clock = Clock(lambda at=at: at, lambda at=at: at)  # type: ignore[misc]
        with Journal(desk.place, clock) as journal:
            for teller in (desk.machine.teller, other, other):
                teller.late_starts(journal)
        assert len(told) == count, after
    by = (day - timedelta(minutes=5)).isoformat(timespec="seconds")
    since = queued.submitted_at.isoformat(timespec="seconds")
    assert told[0] == {
        "event": "not-started", "command": "run", "import": None, "since": since, "by": by, "queued": queued.id,
    }  # fmt: skip
    where.rename(desk.office.mapping)
    assert desk.carry_on(queued).exit_status == 0
    with Journal(desk.place, Clock((day + timedelta(days=2)).timestamp)) as journal:
        desk.machine.teller.late_starts(journal)
    assert [notice["event"] for notice in told] == ["not-started", "not-started", "ended"]


def moment(text: str) -> datetime:
    """Return a day of this week (Monday is 30) and a time as the clock of this machine shows it."""
    day, time = text.split()
    return datetime.fromisoformat(f"2026-11-{day} {time}").astimezone()


@pytest.mark.parametrize(
    ("every", "not_before", "begun", "at", "since"),
    [
        ("0 7 * * *", "25 07:00", None, "25 07:29", None),
        ("0 7 * * *", "25 07:00", None, "25 07:30", "25 07:00"),
        ("0 7 * * *", "25 07:00", "24 07:00", "25 09:00", "25 07:00"),  # it began the day before
        ("0 7 * * *", "25 07:40", None, "25 07:35", "25 07:00"),  # the CRM did not answer: tried again
        ("0 7 * * *", "26 00:00", "25 07:00", "26 07:40", None),  # begun, and goes on by another day's quota
        ("0 7 * * *", "26 07:00", None, "25 09:00", None),  # that start has ended without a run: told as its end
        ("30 7 * * *", "25 07:30", None, "25 07:30", None),  # not late at the moment of its start
        ("30 7 * * *", "25 07:30", None, "26 07:30", "25 07:30"),
        ("0 23 * * *", "25 23:00", None, "26 07:00", None),  # over midnight
        ("0 23 * * *", "25 23:00", None, "26 07:30", "25 23:00"),
        ("0 7 * * 1", "23 07:00", None, "25 08:00", "23 07:00"),  # a weekly one is told every day until it begins
        (None, None, None, "23 07:00", None),
        (None, None, None, "23 07:30", None),  # submitted after that
        (None, None, None, "24 07:30", "23 12:00"),
        (None, "24 06:00", "23 13:00", "25 09:00", None),  # begun, and goes on later
        (None, "24 06:00", None, "24 09:00", "23 12:00"),
    ],
)
def test_m34_a_start_is_missed_where_its_import_still_waits(
    every: str | None, not_before: str | None, begun: str | None, at: str, since: str | None
) -> None:
    """By 07:30; of a schedule the start counts for which the import waits, whatever puts it off."""
    queued = QueuedImport(
        id=1,
        submission=Submission("s", "m", "d", every=every, expect_by="07:30"),
        user="u",
        submitted_at=moment("23 12:00") if every is None else moment("20 12:00"),
        state=QueueState.WAITING,
        not_before=moment(not_before) if not_before else None,
        begun_at=moment(begun) if begun else None,
        run_id=None,
        quota_resets_at=None,
        pause=None,
        exit_status=None,
        message=None,
        failures=0,
        refusals={},
    )
    found = missed_start(queued, moment(at))
    by = moment(at).replace(hour=7, minute=30)
    assert found == ((moment(since), by) if since else None)
    assert missed_start(replace(queued, state=QueueState.SENDING), moment(at)) is None
    assert missed_start(replace(queued, submission=replace(queued.submission, expect_by=None)), moment(at)) is None


@pytest.mark.parametrize("time", ["25:00", "7", "06:60", "$(true)"])
def test_m34_a_time_that_is_none_is_refused(desk: Desk, time: str) -> None:
    """Nothing is queued."""
    with pytest.raises(UsageError, match="06:30"):
        submit(desk.job(), Times(expect_by=time))
    with Journal(desk.place) as journal:
        assert not journal.queue.all()
