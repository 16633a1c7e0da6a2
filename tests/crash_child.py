"""A process that kills itself at a named step of a command: `python crash_child.py`, then a JSON object a line.

It says when it is ready. Each line says `arguments` (a command line), and maybe `environment`, `folder`, `step`, `when`
(`before` or `after`) and `nth`. A forked process runs the command and kills itself with SIGKILL when it comes to the
step for the n-th time; the answer is a line with its exit status, negative for a signal. Forking saves the seconds that
imports take.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import importer.cli.run
import importer.cli.settle
import importer.pipeline
import importer.report
import importer.workflow.adopting
import importer.workflow.settle_job
from importer.cli.main import execute
from importer.crm import Crm, connections, transport
from importer.journal import attempts, doubts, imports, rows, runs

STEPS: dict[str, tuple[Any, str]] = {
    "import-noted": (imports.Imports, "add"),
    "rows-noted": (rows.Rows, "add"),
    "run-begun": (runs.Runs, "start"),
    "intent-committed": (attempts.Attempts, "claim"),
    "first-byte-sent": (transport.Upload, "__iter__"),
    "whole-body-sent": (connections.DeadlineConnection, "request"),
    "answer-read": (transport.HttpTransport, "exchange"),
    "outcome-committed": (attempts.Attempts, "conclude"),
    "report-written": (importer.report, "write"),
    "report-noted": (imports.Imports, "note_report"),
    "run-ended": (runs.Runs, "end"),
    "verdict-committed": (doubts.Doubts, "decide"),
}
"""Each step by the function that takes it: `before` is before its call, `after` once it has returned."""


class Countdown:
    """Counts the calls of a step, and acts at the n-th."""

    def __init__(self, nth: int, act: Callable[[], None]) -> None:
        self._left, self._act, self._lock = nth, act, threading.Lock()

    def count(self) -> None:
        """Count a call; act if it is the n-th."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._act()


def die() -> None:
    """End this process as `kill -9` does: nothing is flushed, closed or rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def hook(step: str, when: str, countdown: Countdown) -> None:
    """Count every call of the step's function that is about a case, before or after it."""
    owner, name = STEPS[step]
    about_a_case = step not in {"whole-body-sent", "answer-read"}
    _hook(owner, name, when, countdown, lambda arguments: about_a_case or _is_case(arguments))


def _hook(owner: Any, name: str, when: str, countdown: Countdown, is_step: Callable[[tuple[Any, ...]], bool]) -> None:  # noqa: ANN401 - a class or a module
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        counts = is_step(arguments)
        if counts and when == "before":
            countdown.count()
        result = original(*arguments, **options)
        if counts and when == "after":
            countdown.count()
        return result

    def first_chunk(body: transport.Upload) -> Iterator[bytes]:
        for number, chunk in enumerate(original(body)):
            if number == 0 and when == "before":
                countdown.count()
            yield chunk
            if number == 0 and when == "after":
                countdown.count()

    setattr(owner, name, first_chunk if name == "__iter__" else wrapped)


def _is_case(arguments: tuple[Any, ...]) -> bool:
    """Tell whether an HTTP call sends a case, and does not ask for the quota."""
    return any("insertAttach" in str(getattr(argument, "url", argument)) for argument in arguments)


def stop() -> None:
    """Stop this process until it is continued, as a closed laptop or a paused container is.

    The stop may reach this thread a little later, which therefore waits here until the process is continued.
    """
    os.kill(os.getpid(), signal.SIGSTOP)
    signal.sigwait({signal.SIGCONT})


def shorten_leases(seconds: float) -> None:
    """Give every attempt of this process a lease of so many seconds."""
    importer.pipeline.Crm = partial(Crm, deadline=seconds)  # type: ignore[attr-defined]
    attempts.MARGIN = 0.0  # type: ignore[misc]


def write_at_once(path: Path, text: str) -> None:
    """Write a file that another process waits for: it never sees one that is still empty."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, "ascii")
    unfinished.replace(path)


def fill_the_disk(journal: Path) -> None:
    """Let no file of this process grow beyond the size of the journal's largest file now."""
    import resource  # noqa: PLC0415 - Windows, which has no fork either, has none

    largest = max(file.stat().st_size for file in journal.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def carry_out(order: dict[str, Any]) -> int:
    """Run a command in a process of its own; return its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            os.environ.update(order.get("environment", {}))
            os.chdir(order.get("folder", "."))
            quiet = os.open(order.get("output", os.devnull), os.O_WRONLY | os.O_CREAT)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            if "step" in order:
                full = order.get("full")
                act = die if full is None else lambda: fill_the_disk(Path(full))
                if "lease" in order:
                    shorten_leases(order["lease"])
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})  # every thread's from here on
                    write_at_once(Path(order["pid"]), str(os.getpid()))
                    act = stop
                hook(order["step"], order["when"], Countdown(order["nth"], act))
            status = execute(order["arguments"])
            sys.stderr.flush()
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - never back into the parent's loop
            os._exit(99)
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(f"{carry_out(json.loads(line))}\n")
        answers.flush()
