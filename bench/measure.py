"""Whole processes, timed from outside, their memory as the operating system accounts for it.

A child's peak begins with its parent's size, so this module and those that import it stay small.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
Command = list[str]
MEGABYTE = 1_000_000
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which ru_maxrss counts


@dataclass(frozen=True)
class Process:
    """One process that has ended: wall-clock seconds, and the most memory it held, in MB."""

    seconds: float
    peak_mb: float


def measure(command: Command, allowed: tuple[int, ...] = (0,)) -> Process:
    """Run a command to its end with its output in a log; stop the benchmark at an exit status that is not allowed."""
    log = Path("last.log")
    with log.open("wb") as stream:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment())  # noqa: S603 - ours
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in allowed:
        sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{log.read_text('utf-8', 'replace')[-2000:]}")
    return Process(seconds, usage.ru_maxrss * PEAK_UNIT / MEGABYTE)


def pairs(
    one: Callable[[], Command], other: Callable[[], Command], times: int = 3, allowed: tuple[int, ...] = (0,)
) -> tuple[float, float]:
    """Run two commands in turn, so that a busy moment meets both; return the median seconds of each."""
    ones, others = [], []
    for _ in range(times):
        ones.append(measure(one(), allowed).seconds)
        others.append(measure(other(), allowed).seconds)
    return statistics.median(ones), statistics.median(others)


@contextmanager
def serving(latency: float = 0.0) -> Iterator[str]:
    """Run the benchmark's CRM in a process of its own; give its URL."""
    command = [sys.executable, "-m", "bench.server", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:  # noqa: S603 - ours
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def environment() -> dict[str, str]:
    """Return the environment of every process here: a token, our modules, no proxy, none of the user's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"WOLKVOX_TOKEN": "bench", "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(Path.cwd())}
