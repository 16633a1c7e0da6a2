"""The fate of a command's process: at a named step, it kills itself, stops, or finds the disk full.

A nursery (see nursery.py) lets the process of a command meet it: `step` and `when` (`before` or `after`) say where,
`nth` at which time the command comes there. It is killed with SIGKILL there; with `lease` and `pid` it stops, having
written its number into a file; with `full`, no file beside that journal can grow from then on. A `hasty` one waits for
nothing before it asks or sends again.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import importer.cli.run
import importer.cli.settle
import importer.journal
import importer.pipeline
import importer.report
import importer.workflow.jobs.adopting
import importer.workflow.jobs.settle_job
import importer.workflow.sending.token_limits
from importer.crm import Crm, connections, transport
from importer.journal import attempts, contact_attempts, contacts, doubts, imports, leases, rows, runs, updates

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

UPDATE_STEPS: dict[str, tuple[Any, str]] = {
    "update-intent": (updates.Updates, "claim"),
    "update-mark": (importer.journal.Journal, "raise_update"),
    "update-sent": (Crm, "update_case"),
    "update-outcome": (updates.Updates, "conclude"),
}
"""The steps of an update, in the same way."""


CONTACT_STEPS: dict[str, tuple[Any, str]] = {
    "contact-noted": (contacts.Contacts, "note"),
    "contact-intent-committed": (contact_attempts.ContactAttempts, "claim"),
    "contact-answer-read": (transport.HttpTransport, "exchange"),
    "contact-outcome-committed": (contact_attempts.ContactAttempts, "conclude"),
}
"""The steps of an attempt to create a contact."""


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
    owner, name = {**STEPS, **UPDATE_STEPS, **CONTACT_STEPS}[step]
    sends = {"whole-body-sent": "insertAttach", "answer-read": "insertAttach", "contact-answer-read": "custom/insert"}
    path = sends.get(step)
    _hook(owner, name, when, countdown, lambda arguments: path is None or _is_call(arguments, path))


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


def _is_call(arguments: tuple[Any, ...], path: str) -> bool:
    """Tell whether an HTTP call goes to this path, and does not ask for the quota, for example."""
    return any(path in str(getattr(argument, "url", argument)) for argument in arguments)


def stop() -> None:
    """Stop this process until it is continued, as a closed laptop or a paused container is.

    The stop may reach this thread a little later, which therefore waits here until the process is continued.
    """
    os.kill(os.getpid(), signal.SIGSTOP)
    signal.sigwait({signal.SIGCONT})


def shorten_leases(seconds: float) -> None:
    """Give every attempt of this process a lease of so many seconds."""
    importer.workflow.sending.token_limits.Crm = partial(Crm, deadline=seconds)  # type: ignore[attr-defined]
    leases.MARGIN = 0.0  # type: ignore[misc]


WAITING = ("crm.pacing", "workflow.sending.sending", "workflow.contacts.making", "workflow.verifying.asking")
"""The modules that wait before they ask or send again."""


def wait_for_nothing(replace: Callable[[str, Any], None]) -> None:
    """Let nothing wait before it is asked or sent again; `replace` takes a name and what it is from then on."""
    for module in WAITING:
        replace(f"importer.{module}.backoff", lambda _times, **_options: 0.0)


def _replace(name: str, value: Any) -> None:  # noqa: ANN401 - a function
    module, _dot, own = name.rpartition(".")
    setattr(importlib.import_module(module), own, value)


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


def meet(
    *,
    step: str | None = None,
    when: str = "before",
    nth: int = 1,
    lease: float | None = None,
    pid: str = "",
    full: str | None = None,
    hasty: bool = False,
) -> None:
    """Let this process meet its fate at a step."""
    if hasty:
        wait_for_nothing(_replace)
    if step is None:
        return
    act = die if full is None else partial(fill_the_disk, Path(full))
    if lease is not None:
        shorten_leases(lease)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})  # every thread's from here on
        write_at_once(Path(pid), str(os.getpid()))
        act = stop
    hook(step, when, Countdown(nth, act))
