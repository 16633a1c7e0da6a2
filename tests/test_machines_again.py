"""An import that begins late, is submitted again, is withdrawn, or ends while a machine is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from machines_support import Desk, shared_place
from postgres_support import needs_postgres
from run_support import Give, Office, ticket
from test_purge import age

from importer.errors import UsageError
from importer.journal import Doubt, Journal, QueuedImport, QueueState, conninfo_of, watch_queue
from importer.machines import Times, WorkOptions, ends_at, submit, withdraw, work
from importer.machines.carrying import Successors
from importer.machines.run import MachineRun
from importer.machines.schedule import last_start, next_time
from importer.sandbox import RunningSandbox
from importer.settings import settings_path
from importer.workflow.settling.search import SearchAnswer
from importer.workflow.settling.settling import SearchSettler

pytestmark = needs_postgres


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give one machine of an office with three rows to send."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with ExitStack() as here:
        office = Office(tmp_path, here.enter_context(RunningSandbox()))
        office.write(ticket(number) for number in range(3))
        yield Desk(office, here.enter_context(shared_place()))


def found(desk: Desk, queued: QueuedImport) -> QueuedImport:
    """Return an import as it is now."""
    with Journal(desk.place) as journal:
        now = journal.queue.find(queued.id)
    assert now is not None
    return now


def execute(desk: Desk, words: str, *values: object) -> None:
    """Change the journal behind the program's back: time passes, or machines die."""
    with psycopg.connect(conninfo_of(desk.place)) as connection:
        connection.execute(words, values)  # type: ignore[call-overload]


def test_m35_until_is_a_moment_that_submit_fixes_and_says(desk: Desk, give: Give) -> None:
    """However late an import begins, or begins again, the night is the one that was meant: nothing is sent, exit 3."""
    meant = datetime.now(UTC).astimezone().replace(second=0, microsecond=0) + timedelta(minutes=5)
    words = desk.office.arguments("submit", "--until", f"{meant:%H:%M}", "--journal", str(desk.place))
    said = give([word for word in words if word != "--yes"])
    assert f"It starts no case after {meant:%Y-%m-%d %H:%M}." in said.out, said
    with Journal(desk.place) as journal:
        (queued,) = journal.queue.all()
    assert ends_at(queued) == meant
    for column in ("not_before", "begun_at", "submitted_at"):
        execute(desk, f"UPDATE queued_imports SET {column} = 1")  # noqa: S608 - one of three
        assert ends_at(found(desk, queued)) == meant, column
    execute(desk, "UPDATE queued_imports SET until = %s", (meant - timedelta(hours=1)).isoformat())
    late = desk.carry_on(queued)
    assert (late.state, late.exit_status, desk.office.sandbox.posts) == (QueueState.ENDED, 3, 0)
    assert "(--until)" in desk.said[-1]


def test_m35_until_of_a_schedule_is_counted_from_its_time(desk: Desk) -> None:
    """A CRM that does not answer for a while, or a quota that is used up, does not move the end by a day."""
    queued = submit(desk.job(), Times(every="0 22 * * 1", until="06:30"))
    due = last_start("0 22 * * 1", datetime.now(UTC))
    for later in (timedelta(0), timedelta(minutes=10), timedelta(hours=9)):
        execute(desk, "UPDATE queued_imports SET not_before = %s", (due + later).timestamp())
        assert ends_at(found(desk, queued)) == next_time("06:30", due)


@pytest.mark.parametrize("changed", ["source", "mapping", "corrections", "options"])
def test_m36_submitting_again_takes_the_place_of_what_waits(desk: Desk, changed: str) -> None:
    """With another sheet, mapping, corrections or options; the earlier one has ended and the new one is sent."""
    office = desk.office
    old = submit(desk.job())
    paths = {"source": office.source, "mapping": office.mapping}
    path = paths.get(changed, office.folder / "tickets.corrections.csv")
    more = {"mapping": "\n# other\n", "corrections": "sheet,key,column,from,to,who,when\n"}
    if changed == "source":
        office.write(ticket(number) for number in range(4))
    elif changed != "options":
        path.write_text((path.read_text("utf-8") if path.exists() else "") + more[changed], "utf-8")
    if changed != "options":
        assert "submit it again" in next(iter(desk.carry_on(old).refusals.values()))
    new = submit(desk.job(rate=50.0 if changed == "options" else None))
    assert (found(desk, old).state, found(desk, old).exit_status, new.id > old.id) == (QueueState.ENDED, None, True)
    assert "again" in (found(desk, old).message or "")
    assert desk.carry_on(old).exit_status is None
    other = Desk(office, desk.place, "two")
    assert other.carry_on(new).exit_status == 0
    assert office.sandbox.posts == (4 if changed == "source" else 3)


def test_m36_work_once_says_what_is_left(desk: Desk) -> None:
    """An import that this machine refuses, or whose time has not come, is not passed over in silence."""
    submit(desk.job())
    desk.office.write(ticket(number) for number in range(4))
    for _time in range(2):
        desk.said.clear()
        work(desk.place, WorkOptions("one", wait=False), desk.said.append)
        assert desk.said[-1].startswith("1 import is left in the queue")


def test_m36_whoever_ends_a_run_settles_what_can_be_settled(desk: Desk) -> None:
    """Rows that were in doubt early are settled at its end, by a machine that joined, and the run is in order."""
    with RunningSandbox(faults=["blank-ids:rate=1"]) as sandbox:
        desk.office.sandbox = sandbox
        queued = submit(desk.job())
        desk.machine.successors = Successors(lambda _number: None, lambda _number, _when: None)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(MachineRun, "conclude", lambda _run, _pause, _calls: None)
            assert desk.carry_on(queued).state is QueueState.SENDING
        execute(desk, "UPDATE attempts SET began = began - 100, deadline = deadline - 100, lease = lease - 100")
        told_to_end = Desk(desk.office, desk.place, "two")
        with pytest.MonkeyPatch.context() as patched:
            real = SearchSettler._answers  # a signal comes while it settles

            def answers(settler: SearchSettler, doubt: Doubt) -> list[SearchAnswer]:
                told_to_end.machine.request_stop()
                return real(settler, doubt)

            patched.setattr(SearchSettler, "_answers", answers)
            assert told_to_end.carry_on(queued).state is QueueState.SENDING
        assert not desk.office.report.exists()
        ended = Desk(desk.office, desk.place, "three").carry_on(queued)
        assert (ended.exit_status, sandbox.posts) == (0, 3)


def test_m36_a_schedule_with_another_mapping_is_submitted_again(desk: Desk) -> None:
    """It is one schedule still, with the new mapping."""
    times = Times(every="0 7 * * 1")
    old = submit(desk.job(), times)
    with pytest.raises(UsageError, match=f"as import {old.id}.*submit --withdraw {old.id}"):
        submit(desk.job(), times)
    desk.office.mapping.write_text(desk.office.mapping.read_text("utf-8") + "\n# other\n", "utf-8")
    new = submit(desk.job(), times)
    assert (found(desk, old).state, found(desk, new).state) == (QueueState.ENDED, QueueState.WAITING)
    with pytest.raises(UsageError, match="queued with this mapping already"):
        submit(desk.job(), times)


def test_m36_what_is_begun_or_sent_is_not_replaced(desk: Desk, give: Give) -> None:
    """While a machine begins it or its run goes on, submitting again names what takes it out."""
    queued = submit(desk.job())
    with Journal(desk.place) as journal:
        assert journal.queue.hold(queued.id, "w1 vm:1:ab")
        desk.office.write(ticket(number) for number in range(4))
        with pytest.raises(UsageError, match="--withdraw"):
            submit(desk.job())
        begun = watch_queue(desk.place).holders[0].since
        watch = ["history", "--watch", "--journal", str(desk.place)]
        seen = give(watch)
        assert seen.status == 0, seen
        first, second, *_rest = seen.out.splitlines()
        assert first == f"import {queued.id}  tickets.csv  is being begun"
        assert second.startswith("    w1 on vm: reads the sheet and asks the CRM, since ")
        assert journal.queue.hold(queued.id, "w1 vm:1:ab")  # renewed: `since` stays
        (holder,) = watch_queue(desk.place).holders
        assert abs((holder.since - begun).total_seconds()) < 0.1
        withdraw(desk.place, queued.id)
        assert not journal.queue.hold(queued.id, "w1 vm:1:ab")
        assert not journal.queue.end(queued.id, 3, "the CRM did not answer", 5.0, "w1 vm:1:ab")
    assert found(desk, queued).state is QueueState.ENDED
    assert desk.carry_on(queued).state is QueueState.ENDED
    assert desk.office.sandbox.posts == 0


def test_m36_an_import_that_is_withdrawn_while_it_begins_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine finds out at the latest when it has begun, and no machine carries it on."""
    queued = submit(desk.job())

    def prepare(_execution: object) -> tuple[str, ...]:
        withdraw(desk.place, queued.id)
        return ()

    monkeypatch.setattr("importer.machines.run.Execution.prepare", prepare)
    assert desk.carry_on(queued).state is QueueState.ENDED
    assert desk.office.sandbox.posts == 0


def test_m36_a_withdrawn_run_whose_files_are_others_now_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine can end it as always, so that it ends without a report, and can be submitted again."""
    queued = submit(desk.job())
    with monkeypatch.context() as patched:
        patched.setattr("importer.machines.run.MachineRun.send", lambda _run, _share: desk.machine.request_stop())
        desk.carry_on(queued)
    execute(desk, "UPDATE shares SET state = 'free'")
    desk.office.mapping.write_text(desk.office.mapping.read_text("utf-8") + "\n# other\n", "utf-8")
    other = Desk(desk.office, desk.place, "two")
    assert "--withdraw" in next(iter(other.carry_on(queued).refusals.values()))
    with pytest.raises(UsageError, match="--withdraw"):
        submit(desk.job())
    withdraw(desk.place, queued.id)
    ended = other.carry_on(queued)
    assert (ended.state, ended.exit_status, desk.office.sandbox.posts) == (QueueState.ENDED, 3, 0)
    assert Desk(desk.office, desk.place, "three").carry_on(submit(desk.job())).exit_status == 0
    assert desk.office.sandbox.posts == 3


def test_m36_workers_say_and_do_what_a_run_does_beside_sending(desk: Desk) -> None:
    """Why nobody could be asked about other computers is said, and `retention` of the settings forgets."""
    mapping = desk.office.mapping
    mapping.write_text(mapping.read_text("utf-8").replace("reference: description\n", ""), "utf-8")
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text('retention = "2y"\n', "utf-8")
    assert desk.carry_on(submit(desk.job())).exit_status == 0
    assert any("another computer" in sentence for sentence in desk.said), desk.said
    age(desk.place)
    desk.office.write(ticket(number) for number in range(4))
    assert desk.carry_on(submit(desk.job())).exit_status == 0
    with Journal(desk.place) as journal, journal.reading() as connection:
        query = "SELECT count(*) FROM decisions WHERE question = 'purge'"
        assert connection.exec_driver_sql(query).all() == [(1,)]
