"""Clocks: one that counts sleep, by which leases and deadlines are measured, and the wall clock, for people.

Python's own `time.monotonic` stops while Linux or macOS sleeps. Each system has a clock that does not; it starts with
the system, so that its times can only be compared within one boot.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_LINUX_BOOT = "/proc/sys/kernel/random/boot_id"
_LINUX_TIME_NAMESPACE = "/proc/self/ns/time"
_LINUX_TIME_OFFSETS = "/proc/self/timens_offsets"
_WINDOWS_BOOT = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
_SYSCTL = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


def elapsed() -> float:
    """Return seconds on a clock that never goes back, cannot be set, and goes on while the computer sleeps.

    Times of different processes can be compared where their `boot_id` is the same.
    """
    return _clock()


def boot_id() -> str:
    """Return an id of the clock behind `elapsed`: two processes have the same one only where they share the clock.

    Where the system has no such id, it is an id of this process alone: no other process can then compare its times
    with those of this one, and a process that finds another id than its own has to wait as if no time had passed.
    """
    return _boot_id(sys.platform, os.getpid())


def local_datetime(seconds: float) -> datetime:
    """Return seconds since 1970 as date and time in the user's time zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def clock_of(system: str) -> Callable[[], float]:
    """Return the clock that counts sleep on a system, named as in `sys.platform`."""
    if system.startswith("linux"):
        return _system_clock("CLOCK_BOOTTIME")
    if system == "darwin":
        return _system_clock("CLOCK_MONOTONIC")  # unlike `time.monotonic`, which stops there during sleep
    return time.monotonic  # on Windows, both of the sources that Python has used count sleep


def read_boot_id(system: str) -> str | None:
    """Return the id that a system, named as in `sys.platform`, gives its boot; None where it gives none."""
    readers = {"linux": _read_linux, "darwin": _read_macos, "win32": _read_windows}
    try:
        found = readers["linux" if system.startswith("linux") else system]()
    except (KeyError, OSError, ImportError, ValueError, subprocess.SubprocessError):
        return None
    return found.strip() or None


def _system_clock(name: str) -> Callable[[], float]:
    number = getattr(time, name, None)
    if number is None:
        return time.monotonic
    read: Callable[[int], float] = time.clock_gettime
    return lambda: read(number)


@cache
def _boot_id(system: str, process: int) -> str:
    """Return a boot's id, once for each process: where the system has none, a fork must get an id of its own."""
    return read_boot_id(system) or f"process {process} {uuid.uuid4()}"


def _read_linux() -> str:
    """Return the ids of the boot and of the time namespace, which may shift its clock by an offset of its own.

    The number of a namespace that is gone can be used again, and so its offsets are part of the id.
    """
    boot = Path(_LINUX_BOOT).read_text("ascii").strip()
    if not boot:
        return ""
    try:
        namespace = str(Path(_LINUX_TIME_NAMESPACE).readlink())
        offsets = Path(_LINUX_TIME_OFFSETS).read_text("ascii")
    except FileNotFoundError:  # a kernel from before there were such namespaces
        return boot
    return " ".join((boot, namespace, *offsets.split()))


def _read_macos() -> str:
    answer = subprocess.run(_SYSCTL, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - a constant
    return answer.stdout


def _read_windows() -> str:
    registry = importlib.import_module("winreg")
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _WINDOWS_BOOT) as key:
        number, _kind = registry.QueryValueEx(key, "BootId")
    return f"boot {number}"


_clock = clock_of(sys.platform)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks that the journal uses: the wall's for people, the one that counts sleep for decisions."""

    wall: Callable[[], float] = time.time
    elapsed: Callable[[], float] = elapsed
    boot: Callable[[], str] = boot_id

    def both(self) -> tuple[float, float]:
        """Return the time that counts sleep, and the wall's; a server that has one clock for both is asked once."""
        elapsed_now = self.elapsed()
        return elapsed_now, elapsed_now if self.wall is self.elapsed else self.wall()
