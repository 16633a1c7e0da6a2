"""An import on several machines: queued on a server, carried on by workers, once whatever becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from machines_support import Desk, Ordeal, shared_place
from nursery import Nursery
from postgres_support import needs_postgres
from run_support import Give, Office, ticket

from importer.crm import PauseReason
from importer.errors import UsageError
from importer.journal import Journal, QueueState, Share, watch_run
from importer.journal_place import Server
from importer.machines import Times, WorkOptions, submit, withdraw, work
from importer.machines.carrying import QueueWorker, Successors, carry_on
from importer.machines.run import MachineRun
from importer.machines.schedule import check_schedule, next_start, next_time
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.sandbox.exchange import Latency
from importer.settings import Connection
from importer.web.start.sentences import machines as machines_told

pytestmark = needs_postgres


@pytest.fixture
def place() -> Iterator[Server]:
    """Give a journal on a server."""
    with shared_place() as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give an office with an import of its own and a CRM."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with RunningSandbox(SandboxConfig(daily_quota=1000)) as sandbox:
        made = Office(tmp_path, sandbox)
        made.write(ticket(number) for number in range(3))
        yield made


@pytest.fixture
def desk(office: Office, place: Server) -> Desk:
    """Give one machine."""
    return Desk(office, place)


def test_m20_a_worker_carries_out_what_was_submitted(desk: Desk) -> None:
    """The whole way: the import is queued, a worker sends it and writes the report, the run has its exit status."""
    queued = submit(desk.job())
    with pytest.raises(UsageError, match="queued with this mapping already"):
        submit(desk.job())
    work(desk.place, WorkOptions("one", wait=False), desk.said.append)
    with Journal(desk.place) as journal:
        ended = journal.queue.find(queued.id)
        assert ended is not None
        run = next(run for run in journal.runs.all() if run.id == ended.run_id)
    assert (ended.state, ended.exit_status, run.exit_status, run.created_now) == (QueueState.ENDED, 0, 0, 3)
    assert run.calls == desk.office.sandbox.calls("insert") + desk.office.sandbox.calls("query") + 1
    assert set(desk.office.reported()["status"]) == {"created"}


def test_m21_a_question_ends_a_job_before_anything_is_sent(desk: Desk) -> None:
    """What would be a question is exit 2, and its sentence is kept."""
    desk.office.mapping.write_text(desk.office.mapping.read_text() + "\ntarget: {operation: demo}\n")
    job = desk.job(connection=Connection("https://crm0001.wolkvox.com", "demo"))
    ended = desk.carry_on(submit(job))
    assert (ended.state, ended.exit_status) == (QueueState.ENDED, 2)
    assert "first run" in (ended.message or "")
    assert desk.office.sandbox.posts == 0


def test_m22_a_machine_that_sees_other_files_leaves_the_import_to_others(office: Office, place: Server) -> None:
    """It says which file, sends nothing, and another machine that sees the right ones sends all."""
    queued = submit(Desk(office, place).job())
    for path, content in (
        (office.source, office.source.read_bytes() + b"\n# other\n"),
        (office.mapping, office.mapping.read_bytes() + b"\n# other\n"),
        (office.folder / "tickets.corrections.csv", b"sheet,key,column,from,to,who,when\n"),
        (office.source, None),
    ):
        desk = Desk(office, place)
        with _seen_as(path, content):
            refused = desk.carry_on(queued)
        assert (refused.state, office.sandbox.posts) == (QueueState.WAITING, 0)
        assert list(refused.refusals) == ["one"]
        assert str(office.source) in desk.said[0] or str(path) in desk.said[0]
        assert desk.later == [(queued.id, None)]
    ended = Desk(office, place, "two").carry_on(queued)
    assert (ended.exit_status, office.sandbox.posts, dict(ended.refusals)) == (0, 3, {})


@contextmanager
def _seen_as(path: Path, content: bytes | None) -> Iterator[None]:
    """Let a file have other bytes within the block, or not be there."""
    before = path.read_bytes() if path.exists() else None
    _become(path, content)
    yield
    _become(path, before)


def _become(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def test_m23_a_machine_joins_a_run_and_the_last_one_ends_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is stopped after its share; the other sends the rest, and writes the only report of the run."""
    monkeypatch.setattr("importer.machines.run.SHARE", 2)
    desk.office.write(ticket(number) for number in range(5))
    queued = submit(desk.job())
    desk.machine.say = lambda _sentence: None
    sent = desk.office.sandbox

    def stop_after_the_first(_number: int) -> None:
        desk.machine.request_stop()

    desk.machine.successors = Successors(stop_after_the_first, desk.machine.successors.at)
    half = desk.carry_on(queued)
    assert half.state is QueueState.SENDING
    assert 0 <= sent.posts < 5
    assert not desk.office.report.exists()
    other = Desk(desk.office, desk.place, "two")
    ended = other.carry_on(queued)
    assert (ended.exit_status, sent.posts, ended.run_id) == (0, 5, half.run_id)
    assert other.at_once
    assert desk.office.report.exists()


def test_the_queue_is_shown_with_who_works_on_what(desk: Desk, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """`history --watch` lists the imports, the workers with computer, share and rows, and why a machine cannot."""
    watch = ["history", "--watch", "--journal", str(desk.place)]
    assert give(watch).out == "The queue is empty.\n"
    queued = submit(desk.job(), Times(expect_by="06:55"))
    assert give(watch).out.splitlines() == [
        f"import {queued.id}  tickets.csv  waits for a machine",
        "    expected to begin by 06:55 (--expect-by)",
    ]
    seen: list[str] = []

    def look(run: MachineRun, _share: Share) -> PauseReason:
        seen.append(give(watch).out)
        machines = give([*watch, "--json"]).json["machines"]
        assert [(each["name"], each["share"], each["rows"]) for each in machines] == [("desk", 1, 3)]
        found = watch_run(desk.place, run.run_id)
        assert found is not None
        assert found.going_on
        assert machines_told(found) == "desk on node (0/3)"
        desk.machine.request_stop()
        return PauseReason("stopped", 3)

    monkeypatch.setattr("importer.machines.run.MachineRun.send", look)
    desk.machine.name = "desk node:1:abcd"
    desk.carry_on(queued)
    assert seen[0].splitlines() == [
        f"import {queued.id}  tickets.csv  run 1: being sent",
        "    desk on node: share 1, 0 of 3 rows",
    ]
    with Journal(desk.place) as journal:
        journal.queue.note_refusal(queued.id, "other pc:2:ef", "no file")
        journal.queue.end(queued.id, 2, "a question", None)
    assert give(watch).out.splitlines() == [
        f"import {queued.id}  tickets.csv  ended with exit 2: a question",
        "    not on other: no file",
    ]


def test_m24_another_sheet_while_machines_work_is_refused_row_by_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that rows name, and that is another one here, keeps a machine from sending those rows."""
    monkeypatch.setattr("importer.machines.run.digest_of", lambda row: f"{row.number}")
    queued = submit(desk.job())
    desk.machine.successors = Successors(lambda _number: None, desk.machine.successors.at)
    monkeypatch.setattr("importer.machines.run.MachineRun.send", _stop_instead(desk))
    begun = desk.carry_on(queued)
    assert begun.state is QueueState.SENDING
    monkeypatch.undo()
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    other = Desk(desk.office, desk.place, "two")
    refused = other.carry_on(queued)
    assert "is not on this machine as it was" in other.said[0]
    assert (refused.state, desk.office.sandbox.posts) == (QueueState.SENDING, 0)
    withdraw(desk.place, queued.id)
    assert Desk(desk.office, desk.place, "three").carry_on(queued).exit_status == 3


def _stop_instead(desk: Desk) -> object:
    def send(_run: object, _share: object) -> PauseReason:
        desk.machine.request_stop()
        return PauseReason("stopped", 3)

    return send


def test_m25_the_quota_defers_an_import_to_its_reset(desk: Desk) -> None:
    """A run that the quota pauses has its report and exit 3, and the import goes on by itself the next day."""
    desk.office.sandbox._app.state.crm.config = SandboxConfig(daily_quota=5)
    queued = submit(desk.job(spot_check=0))
    for _call in range(2):
        desk.office.sandbox._app.state.crm.traffic.spend("any", 5)
    paused = desk.carry_on(queued)
    assert (paused.state, paused.exit_status, desk.office.sandbox.posts) == (QueueState.WAITING, 3, 3)
    assert paused.not_before is not None
    assert desk.later[-1] == (queued.id, paused.not_before)
    assert desk.office.report.exists()
    withdraw(desk.place, queued.id)


def test_m26_a_schedule_repeats_an_import(desk: Desk) -> None:
    """It begins at its time, once however late, with the sheet as it is then; withdrawn, it does not begin again."""
    queued = submit(desk.job(), Times(every="0 7 * * 1"))
    assert queued.not_before is not None
    assert (queued.not_before.weekday(), queued.not_before.hour) == (0, 7)
    assert desk.carry_on(queued).state is QueueState.WAITING
    for rows in (4, 6):
        desk.office.write(ticket(number) for number in range(rows))
        with Journal(desk.place) as journal:
            journal.queue.end(queued.id, 0, None, 1.0)  # due long ago: all workers were down
        again = desk.carry_on(queued)
        assert (again.state, again.exit_status, desk.office.sandbox.posts) == (QueueState.WAITING, 0, rows)
        assert again.not_before is not None
        assert again.not_before > datetime.now(UTC)
    withdraw(desk.place, queued.id)
    assert desk.carry_on(queued).state is QueueState.ENDED
    with pytest.raises(UsageError, match="No import"):
        withdraw(desk.place, queued.id)


def test_m26_a_night_that_is_over_is_left_to_the_next(desk: Desk) -> None:
    """An import that no machine began before its end waits for its next time, and sends nothing in office hours."""
    began = datetime.now(UTC).astimezone() - timedelta(hours=2)
    ended = f"{began + timedelta(hours=1):%H:%M}"
    queued = submit(desk.job(), Times(every="0 7 * * 1", until=ended))
    with Journal(desk.place) as journal:
        journal.queue.end(queued.id, 0, None, began.timestamp())
    late = desk.carry_on(queued)
    assert (late.state, late.exit_status, desk.office.sandbox.posts) == (QueueState.WAITING, 3, 0)
    assert late.not_before is not None
    assert late.not_before > datetime.now(UTC)
    assert desk.later[-1] == (queued.id, late.not_before)


@pytest.mark.parametrize("every", ["", "monday", "0 7 * *", "0 7 * * 8", "0 7 * * 1 30", "61 7 * * 1"])
def test_a_schedule_that_is_none_is_refused(every: str) -> None:
    """Five words as cron has them, each a value that exists."""
    with pytest.raises(UsageError, match="0 7 \\* \\* 1"):
        check_schedule(every)


def test_times_are_those_of_this_machine() -> None:
    """A schedule and a time of day name the next such moment on the clock of the wall."""
    moment = datetime(2026, 11, 27, 7, 30).astimezone()
    assert next_start("0 7 * * 1", moment).replace(tzinfo=None) == datetime(2026, 11, 30, 7, 0)  # noqa: DTZ001 - as a clock shows it
    assert next_time("07:31", moment) - moment == timedelta(minutes=1)
    assert next_time("07:30", moment).replace(tzinfo=None) == datetime(2026, 11, 28, 7, 30)  # noqa: DTZ001 - as above
    with pytest.raises(UsageError):
        next_time("25:00", moment)


def test_m32_a_file_is_no_journal_of_machines(desk: Desk, tmp_path: Path) -> None:
    """Submitting and working on a file say what is needed instead."""
    for attempt in (
        lambda: submit(desk.job(journal=tmp_path / "j.db")),
        lambda: work(tmp_path / "j.db", WorkOptions("one"), print),
        lambda: withdraw(tmp_path / "j.db", 1),
    ):
        with pytest.raises(UsageError, match="postgresql://"):
            attempt()


def test_m27_workers_that_are_killed_and_stopped_send_each_row_once(tmp_path: Path, nursery: Nursery) -> None:
    """Four workers, each killed, one stopped past its leases: one case a row, never three requests."""
    with ExitStack() as here:
        sandbox = here.enter_context(RunningSandbox(SandboxConfig(daily_quota=3000), latency=Latency(0.01, 0.03)))
        office = Office(tmp_path, sandbox)
        office.write(ticket(number) for number in range(120))
        ordeal = Ordeal(office, here.enter_context(shared_place()), nursery, pause=(0.0, 0.3))
        submit(ordeal.job())
        ended = ordeal.suffer(4, 1, seconds=120)
        assert ended.exit_status in {0, 3, 4}  # 3: a busy computer lets too many answers in a row come too late
        assert sandbox.most_at_once <= 2
        states = ordeal.assert_promise()
        assert states["created"] + states["unknown"] + states["planned"] == 120
        assert len(office.reported()) == 120
        assert ordeal.ended["stopped"] == 1


def test_m31_sigterm_lets_the_cases_in_flight_finish(
    tmp_path: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is told to end waits for its answers, leaves no row in doubt, and gives the rest to another."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with ExitStack() as here:
        sandbox = here.enter_context(RunningSandbox(latency=Latency(0.3, 0.3)))
        office = Office(tmp_path, sandbox)
        office.write(ticket(number) for number in range(8))
        ordeal = Ordeal(office, here.enter_context(shared_place()), nursery, lease=30.0, deadline=20.0)
        queued = submit(ordeal.job())
        ordeal.told_to_end("w", lambda: sandbox.posts >= 2)
        assert Counter(state for _reference, state, _id in ordeal.rows())["created"] == sandbox.posts < 8
        assert ordeal.queued().state is QueueState.SENDING
        assert ordeal.ended == {"exit 0": 1}
        carry_on(
            QueueWorker("another", ordeal.place, Successors(lambda _number: None, lambda _number, _when: None)),
            queued.id,
        )
        assert (ordeal.queued().exit_status, sandbox.posts) == (0, 8)
