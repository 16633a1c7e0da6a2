"""A process that kills itself at a named step of a command: `python crash_child.py`, then a JSON object a line.

Each line says `arguments` (a command line), and maybe `environment`, `step`, `when` (`before` or `after`) and `nth`.
A process is forked for it that carries the command out and, at the n-th time that it comes to the step, kills itself
with SIGKILL; the answer is a line with its exit status, negative for a signal. Forking spares the seconds that imports
take.
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
from importer.cli.main import _carry_out
from importer.crm import Crm, connections, transport
from importer.journal import attempts, imports, rows, runs, settling

STEPS: dict[str, tuple[Any, str]] = {
    "import-noted": (imports.Imports, "add"),
    "rows-noted": (rows.Rows, "add"),
    "run-begun": (runs.Runs, "start"),
    "intent-committed": (attempts.Attempts, "claim"),
    "first-byte-sent": (transport.Upload, "__iter__"),
    "whole-body-sent": (connections.DeadlineConnection, "request"),
    "answer-read": (transport.Transport, "exchange"),
    "outcome-committed": (attempts.Attempts, "conclude"),
    "report-written": (importer.report, "write"),
    "report-noted": (imports.Imports, "note_report"),
    "run-ended": (runs.Runs, "end"),
    "verdict-committed": (settling.Settling, "decide"),
}
"""Each step by the function that takes it: `before` is before its call, `after` once it has returned."""


class Fate:
    """Counts the visits to one side of a step, and ends the process at the n-th."""

    def __init__(self, nth: int, strike: Callable[[], None]) -> None:
        self._left, self._strike, self._lock = nth, strike, threading.Lock()

    def meet(self) -> None:
        """Count a visit; where it is the n-th, strike."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._strike()


def die() -> None:
    """End this process as `kill -9` does: nothing is flushed, closed or rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def lie_in_wait(step: str, when: str, fate: Fate) -> None:
    """Have the fate met before or after every call of the step's function that is about a case."""
    owner, name = STEPS[step]
    about_a_case = step not in {"whole-body-sent", "answer-read"}
    _lie_in_wait(owner, name, when, fate, lambda arguments: about_a_case or _is_case(arguments))


def _lie_in_wait(owner: Any, name: str, when: str, fate: Fate, is_step: Callable[[tuple[Any, ...]], bool]) -> None:  # noqa: ANN401 - a class or a module
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        counts = is_step(arguments)
        if counts and when == "before":
            fate.meet()
        result = original(*arguments, **options)
        if counts and when == "after":
            fate.meet()
        return result

    def first_chunk(body: transport.Upload) -> Iterator[bytes]:
        for number, chunk in enumerate(original(body)):
            if number == 0 and when == "before":
                fate.meet()
            yield chunk
            if number == 0 and when == "after":
                fate.meet()

    setattr(owner, name, first_chunk if name == "__iter__" else wrapped)


def _is_case(arguments: tuple[Any, ...]) -> bool:
    """Tell whether an HTTP call sends a case, and does not ask for the quota."""
    return any("insertAttach" in str(getattr(argument, "url", argument)) for argument in arguments)


def stop() -> None:
    """Stop this process until somebody lets it go on, as a closed laptop or a paused container does.

    A signal to the whole process may come a moment later for this thread, which therefore waits for its end here.
    """
    os.kill(os.getpid(), signal.SIGSTOP)
    signal.sigwait({signal.SIGCONT})


def shorten_leases(seconds: float) -> None:
    """Let every attempt of this process have a lease of so many seconds."""
    importer.pipeline.Crm = partial(Crm, deadline=seconds)  # type: ignore[attr-defined]
    attempts.MARGIN = 0.0  # type: ignore[misc]


def fill_the_disk(journal: Path) -> None:
    """Let no file of this process grow beyond what the journal's own need by now."""
    import resource  # noqa: PLC0415 - Windows, which has no fork either, has none

    largest = max(file.stat().st_size for file in journal.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def carry_out(order: dict[str, Any]) -> int:
    """Carry a command out in a process of its own; return its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            os.environ.update(order.get("environment", {}))
            quiet = os.open(order.get("output", os.devnull), os.O_WRONLY | os.O_CREAT)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            if "step" in order:
                full = order.get("full")
                strike = die if full is None else lambda: fill_the_disk(Path(full))
                if "lease" in order:
                    shorten_leases(order["lease"])
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})  # every thread's from here on
                    Path(order["pid"]).write_text(str(os.getpid()), "ascii")
                    strike = stop
                lie_in_wait(order["step"], order["when"], Fate(order["nth"], strike))
            status = _carry_out(order["arguments"])
            sys.stderr.flush()
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - never back into the parent's loop
            os._exit(99)
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        answers.write(f"{carry_out(json.loads(line))}\n")
        answers.flush()
