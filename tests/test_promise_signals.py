"""Ctrl-C once and twice in a real process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from nursery import Nursery
from promise_support import assert_promise, states, tickets, wait_until
from run_support import Give, Office

from importer.cli.terminal import Terminal
from importer.model import Outcome
from importer.pipeline import run
from importer.sandbox import Latency, RunningSandbox
from importer.settings import Connection
from importer.workflow.job import Job, load_job

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")

ROWS = 24


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Office]:
    """Give an office whose simulated CRM takes a while for each answer."""
    with RunningSandbox(latency=Latency(0.2, 0.2)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(tickets(range(1, ROWS + 1)))
        yield office


@dataclass(frozen=True)
class Running:
    """A run in a process of its own."""

    process: subprocess.Popen[str]
    id_file: Path

    def press_ctrl_c(self) -> None:
        """Send it what Ctrl-C does."""
        os.kill(int(self.id_file.read_text("ascii")), signal.SIGINT)


def start(office: Office, nursery: Nursery, workers: str) -> Running:
    """Start a run with so many workers."""
    id_file = office.folder / "process.id"
    words = office.arguments("run", "--yes", "--concurrency", workers)
    return Running(nursery.start(id_file, *words, **office.environment), id_file)


@pytest.mark.parametrize("workers", ["1", "4"])
def test_o19_ctrl_c_once_lets_the_cases_in_flight_finish(
    workers: str, slow: Office, give: Give, nursery: Nursery
) -> None:
    """The run ends with exit status 3 and a report; nothing is unknown, and the same command goes on."""
    running = start(slow, nursery, workers)
    wait_until(lambda: slow.sandbox.posts >= 4)
    running.press_ctrl_c()
    out, err = running.process.communicate(timeout=60)
    assert running.process.returncode == 3, err
    assert "Stopping" in err
    assert "Ctrl-C" in out
    assert "Traceback" not in err
    assert set(assert_promise(slow)) == {"created", "planned"}
    assert (slow.reported()["status"] == "created").sum() == states(slow.journal)["created"] == slow.sandbox.posts
    assert give(slow.arguments("run", "--yes", "--concurrency", "16")).status == 0
    assert (assert_promise(slow), slow.sandbox.posts) == ({"created": ROWS}, ROWS)


def test_o19_ctrl_c_twice_makes_them_unknown(slow: Office, nursery: Nursery) -> None:
    """The run ends at once with exit status 4; the cases in flight are named as unknown, and are not sent again."""
    slow.sandbox.inject("timeout-after-creating:from=4")
    running = start(slow, nursery, "2")
    assert running.process.stderr
    wait_until(lambda: slow.sandbox.posts == 5)
    running.press_ctrl_c()
    while "the answers to 2 cases" not in (line := running.process.stderr.readline()):
        assert line, "it ended without a word"
    running.press_ctrl_c()
    _out, err = running.process.communicate(timeout=60)
    assert running.process.returncode == 4, err
    assert "Traceback" not in err
    assert assert_promise(slow) == {"created": 3, "unknown": 2, "planned": ROWS - 5}
    assert list(slow.reported()["status"]).count("unknown") == 2


def interrupted(*_arguments: object, **_options: object) -> None:
    """Act as if someone had pressed Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "moment",
    [
        "importer.pipeline.report_outcome",
        "importer.report.write",
        "importer.journal.runs.Runs.end",
        "importer.cli.run.print_finished",
    ],
)
def test_o19_o32_ctrl_c_while_or_after_the_report_is_written(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The message says how many cases were created, and not that nothing was sent; the next run has every id."""
    office.write(tickets([1, 2]))
    with monkeypatch.context() as once:
        once.setattr(moment, interrupted)
        result = give(office.arguments("run", "--yes"))
    assert result.status == 3
    assert "2 cases were created in this run" in result.err
    assert "nothing was sent" not in result.err
    assert give(office.arguments("run", "--yes")).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 2}, 2)


def test_o19_ctrl_c_ends_the_wait_for_a_quota(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends as it would without --wait-for-quota: paused, with its report."""
    office.write(tickets([1, 2]))
    office.sandbox.inject("quota-exceeded:nth=2")
    monkeypatch.setattr(Terminal, "waiting", interrupted)
    result = give(office.arguments("run", "--yes", "--wait-for-quota", "--concurrency", "1"))
    assert result.status == 3
    assert list(office.reported()["status"]) == ["created", "planned"]


@pytest.mark.parametrize("after", [0.1, 0.2, 0.4, 0.8])
def test_o32_ctrl_c_while_the_program_is_loaded_is_no_traceback(office: Office, after: float) -> None:
    """However early it comes, no line of the program is in a traceback, and nothing was sent."""
    office.write(tickets([1, 2]))
    process = office.start("run")  # without --yes it sends nothing
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert "/importer/" not in err  # Python's own start cannot be handled
    assert office.sandbox.posts == 0


class Faulty(Terminal):
    """A user interface that sees Ctrl-C after a few rows, and fails when it is told of it."""

    def __init__(self) -> None:
        """Begin before the first row."""
        super().__init__(yes=True)
        self._rows = count(1)  # several workers may count at once

    def sent(self, outcome: Outcome) -> None:  # noqa: ARG002 - what a run calls
        """Have Ctrl-C pressed after the sixth row, which the main thread notices and not the worker's."""
        if next(self._rows) == 6:
            os.kill(os.getpid(), signal.SIGINT)

    def stopping(self, in_flight: int) -> None:  # noqa: ARG002 - what a run calls
        """Fail."""
        raise ValueError("the interface is faulty")


def test_o19_a_faulty_interface_gives_up_no_case(slow: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user interface fails at Ctrl-C, the cases in flight still get their answers first."""
    for name, value in slow.environment.items():
        monkeypatch.setenv(name, value)
    job = Job(slow.source, slow.mapping, Connection(slow.sandbox.url, "demo"), slow.journal)
    with pytest.raises(ValueError, match="faulty"):
        run(load_job(job), Faulty())
    assert set(assert_promise(slow)) == {"created", "planned"}
