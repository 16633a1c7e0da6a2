"""Keep the computer awake while cases are sent: a run that sleeps in between leaves rows in doubt.

Each system has its own way, and where there is none, nothing happens: a run must never depend on it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001
"""Flags of Windows' SetThreadExecutionState: until further notice, do not fall asleep; the screen may."""

_SECONDS_TO_END = 5.0


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a helper that ends once its input is closed, or this process is gone."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)  # noqa: S603 - our own words


def _tell_windows(state: int) -> None:
    ctypes.WinDLL("kernel32").SetThreadExecutionState(state)  # type: ignore[attr-defined, unused-ignore]


@dataclass(frozen=True, slots=True)
class Machine:
    """What keeping awake needs of a system; a test has another one."""

    system: str = sys.platform
    find: Callable[[str], str | None] = shutil.which
    start: Callable[[Sequence[str]], subprocess.Popen[bytes]] = field(default=_start)
    tell_windows: Callable[[int], None] = field(default=_tell_windows)


@contextmanager
def keep_awake(machine: Machine = Machine()) -> Iterator[bool]:
    """Keep the computer awake within the block, which one thread enters and leaves; give whether that is so."""
    if machine.system == "win32":
        with _windows(machine) as kept:
            yield kept
        return
    helper = _helper(machine)
    try:
        yield helper is not None
    finally:
        if helper is not None:
            _end(helper)


@contextmanager
def _windows(machine: Machine) -> Iterator[bool]:
    """Ask Windows, which forgets what a thread asked for once that thread ends."""
    try:
        machine.tell_windows(_CONTINUOUS | _SYSTEM_REQUIRED)
    except (OSError, AttributeError):
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            machine.tell_windows(_CONTINUOUS)


def _helper(machine: Machine) -> subprocess.Popen[bytes] | None:
    """Start the program that keeps macOS or Linux awake; None where there is none, or it cannot be started."""
    command: tuple[str, ...] = ()
    if machine.system == "darwin":
        command = ("caffeinate", "-i", "-w", str(os.getpid()))  # -i: not by being idle; -w: as long as this process
    elif machine.system.startswith("linux"):
        command = ("systemd-inhibit", "--what=idle:sleep", "--who=case-importer", "--why=sending cases", "cat")
    found = machine.find(command[0]) if command else None
    if found is None:
        return None
    try:
        return machine.start((found, *command[1:]))
    except OSError:
        return None


def _end(helper: subprocess.Popen[bytes]) -> None:
    """End the helper; whatever comes of that, the run is over."""
    with suppress(OSError, subprocess.TimeoutExpired):
        if helper.stdin is not None:
            helper.stdin.close()
        helper.terminate()
        helper.wait(_SECONDS_TO_END)
