"""A run in a thread of its own is stopped from another one, as Ctrl-C stops one in a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from promise_support import assert_promise, states, tickets, wait_until
from run_support import Office, ticket

from importer import Connection, EventInterface, Finished, Job, RunStopped, UsageError, load_job, run
from importer.cli.terminal import Terminal
from importer.messages import speaking
from importer.sandbox import Latency, RunningSandbox
from importer.system.stopping import Stop
from importer.workflow.forecast.events import Event, RowSent, SendingStarted, Stopping, WaitingForQuota


class Background:
    """A run in a thread that is not the main one."""

    def __init__(self, job: Job, on_event: Callable[[Event], None] = lambda _event: None, language: str = "en") -> None:
        self.events: list[Event] = []
        self.ended: Finished | BaseException | None = None
        self.ui = EventInterface(self._note, agrees=True)
        self._on_event, self._language = on_event, language
        self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._thread.start()

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self._on_event(event)

    def _run(self, job: Job) -> None:
        with speaking(self._language):
            try:
                self.ended = run(load_job(job), self.ui)
            except BaseException as error:  # noqa: BLE001 - what the thread ends with
                self.ended = error

    def saw(self, kind: type) -> bool:
        """Tell whether there was such an event."""
        return any(isinstance(event, kind) for event in self.events)

    def wait(self) -> Finished | BaseException | None:
        """Return what the run ended with."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.ended


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give an office whose simulated CRM takes a moment for each answer."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with RunningSandbox(latency=Latency(0.05, 0.05)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(tickets(range(1, 31)))
        yield office


def job_of(office: Office, **more: object) -> Job:
    """Return the job of an office."""
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, **more)  # type: ignore[arg-type]


def test_a_stop_lets_the_cases_in_flight_finish(slow: Office) -> None:
    """The run ends with its report, no row is unknown, and the next run goes on; again and again is no harm."""
    started = Background(job_of(slow))
    wait_until(lambda: slow.sandbox.posts >= 4)
    started.ui.stop()
    started.ui.stop()
    finished = started.wait()
    assert isinstance(finished, Finished)
    assert (finished.exit_status, finished.result.reason) == (3, "Paused by request.")
    assert started.saw(Stopping)
    assert 4 <= slow.sandbox.posts < 30
    assert set(assert_promise(slow)) == {"created", "planned"}
    assert (slow.reported()["status"] == "created").sum() == slow.sandbox.posts
    again = Background(job_of(slow, concurrency=8)).wait()
    assert isinstance(again, Finished)
    assert (again.exit_status, slow.sandbox.posts) == (0, 30)


def test_a_second_stop_gives_up_what_is_in_flight(slow: Office) -> None:
    """Their outcome is unknown, which journal and report say; nothing of them is sent again."""
    slow.sandbox.inject("timeout-after-creating:from=6")
    started = Background(job_of(slow))
    wait_until(lambda: slow.sandbox.posts == 7)
    started.ui.stop()
    wait_until(lambda: started.saw(Stopping))
    started.ui.stop(now=True)
    finished = started.wait()
    assert isinstance(finished, Finished)
    assert finished.exit_status == 4
    assert states(slow.journal) == {"created": 5, "unknown": 2, "planned": 23}
    unknown = slow.reported().set_index("status").loc["unknown"]
    assert all("Ctrl-C" not in message for message in unknown["message"])


def test_a_stop_ends_the_wait_for_the_quota(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it would have been; the run is paused, with its report."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write(tickets([1, 2]))
    office.sandbox.inject("quota-exceeded:nth=2")
    started = Background(job_of(office, wait_for_quota=True, concurrency=1))
    wait_until(lambda: started.saw(WaitingForQuota))
    began = time.monotonic()
    started.ui.stop()
    finished = started.wait()
    assert isinstance(finished, Finished)
    assert time.monotonic() - began < 10
    assert (finished.exit_status, list(office.reported()["status"])) == (3, ["created", "planned"])


def test_a_stop_ends_the_searches_before_anything_is_sent(slow: Office) -> None:
    """With --look-first no row that was not looked for is sent, nor counts as looked for."""
    slow.write([ticket(number) for number in range(1, 31)])  # each of another contact: a search each
    started = Background(job_of(slow, look_first=True, quiet_period=0, concurrency=1))
    wait_until(lambda: slow.sandbox.calls("query") >= 2)
    started.ui.stop()
    finished = started.wait()
    assert isinstance(finished, Finished)
    assert (finished.exit_status, slow.sandbox.posts) == (3, 0)
    assert slow.sandbox.calls("query") < 30


def test_a_stop_before_the_first_row_sends_nothing(slow: Office) -> None:
    """While it still plans, or when its forecast is shown, the run ends as if that had been declined."""
    early, at_forecast = (
        EventInterface(agrees=True),
        EventInterface(lambda _event: at_forecast.stop(now=True), agrees=True),
    )
    early.stop()
    for ui in (early, at_forecast):
        with pytest.raises(UsageError, match="nothing was sent"):
            run(load_job(job_of(slow)), ui)
    assert slow.sandbox.posts == 0


def test_a_stop_now_ends_the_report(slow: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops while the report is written has it finished; whoever stops now goes on later without it."""
    slow.write(tickets([1, 2]))
    for now in (False, True):
        slow.write(tickets([1, 2, 3]) if now else tickets([1, 2]))
        with monkeypatch.context() as once:
            ui = EventInterface(agrees=True)

            def begin(self: Stop, ui: EventInterface = ui, now: bool = now) -> None:  # noqa: ARG001, FBT001
                ui.stop(now=now)

            once.setattr(Stop, "begin_report", begin)
            if not now:
                assert run(load_job(job_of(slow)), ui).report == slow.report
            else:
                with pytest.raises(RunStopped, match="without a report"):
                    run(load_job(job_of(slow)), ui)
    assert states(slow.journal) == {"created": 3}


@pytest.mark.parametrize(("language", "words"), [("es", "conexión"), ("pt", "conexão"), ("en", "hung up")])
def test_a_run_speaks_its_own_language_in_all_of_its_threads(
    office: Office, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    """What the workers record of a doubtful row is in the language of the run, not in that of the process."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1)])
    office.sandbox.inject("closed-without-creating")
    finished = Background(job_of(office), language=language).wait()
    assert isinstance(finished, Finished)
    ((_status, issue),) = finished.reasons()
    assert words in issue.message


def test_several_runs_at_once_keep_to_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop is for one run alone; another one in the same process goes on."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with RunningSandbox(latency=Latency(0.03, 0.03)) as sandbox:
        offices = [Office(tmp_path / name, sandbox) for name in ("one", "two")]
        for office in offices:
            office.folder.mkdir()
            office.write(ticket(f"{office.folder.name}-{number}") for number in range(1, 21))
        runs = [Background(job_of(office)) for office in offices]
        wait_until(lambda: all(one.saw(RowSent) and one.saw(SendingStarted) for one in runs))
        runs[0].ui.stop()
        first, second = (one.wait() for one in runs)
        assert isinstance(first, Finished)
        assert isinstance(second, Finished)
        assert (first.exit_status, second.exit_status, second.counts.created) == (3, 0, 20)
        assert first.counts.created < 20


def test_a_second_ctrl_c_while_the_first_is_answered_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a bar nothing of tqdm is made at that moment, which could be interrupted halfway."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importer.cli.terminal.tqdm.get_lock", interrupted)
    Terminal(yes=True).stopping(2)
    assert "Press Ctrl-C again" in capsys.readouterr().err
