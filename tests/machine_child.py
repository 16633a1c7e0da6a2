"""A worker for the tests of several machines, whose leases are short: `main` is that of the program."""

from __future__ import annotations

import importlib
import os
import platform
import secrets
import signal
import sys
from functools import partial
from pathlib import Path

from crash_child import write_at_once

from importer.crm import Crm

LEASES = ("journal.queue.LEASE", "machines.jobs.LEASE", "machines.heartbeat.LEASE")
OWNERS = ("journal.leases", "journal.slots", "journal.runs", "journal.watching", "machines.working")
MARGINS = ("journal.leases.MARGIN", "journal.slots.MARGIN", "machines.jobs._MARGIN")


def be_hasty(lease: float, deadline: float) -> None:
    """Let this process hold shares for `lease` seconds, and give up a request after `deadline`."""
    values: dict[str, object] = {**dict.fromkeys(LEASES, lease), **dict.fromkeys(MARGINS, deadline / 4)}
    owner = (
        f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"  # not that of the process from which it was forked
    )
    values |= {f"{module}.OWNER": owner for module in OWNERS}
    values |= {"workflow.sending.token_limits.QUESTION": deadline, "machines.working._LOOK_FOR_JOBS": lease / 4}
    for name, value in values.items():
        module, _dot, own = name.rpartition(".")
        setattr(importlib.import_module(f"importer.{module}"), own, value)
    limits = importlib.import_module("importer.workflow.sending.token_limits")
    limits.Crm = partial(Crm, deadline=deadline)  # type: ignore[attr-defined]


def main() -> None:
    """Be a worker: the first words are the seconds of its leases and of a request, and the file for its number."""
    lease, deadline, path = sys.argv[1:4]
    del sys.argv[1:4]
    be_hasty(float(lease), float(deadline))
    if hasattr(signal, "alarm"):
        signal.alarm(3600)
    write_at_once(Path(path), str(os.getpid()))
    importlib.import_module("importer.__main__").main()
