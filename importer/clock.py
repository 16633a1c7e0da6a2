"""Time that has passed, sleep included: what leases and deadlines are measured by, whatever the wall clock shows.

Python's own `time.monotonic` stands still while Linux or macOS sleeps. Each system has a clock that does not; it starts
with the system, so that two moments can only be compared within one boot.
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
from functools import cache
from pathlib import Path

_LINUX_BOOT = "/proc/sys/kernel/random/boot_id"
_LINUX_TIME_NAMESPACE = "/proc/self/ns/time"
_LINUX_TIME_OFFSETS = "/proc/self/timens_offsets"
_WINDOWS_BOOT = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
_SYSCTL = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


def elapsed() -> float:
    """Return seconds on a clock that never goes back, is never set, and goes on while the computer sleeps.

    Moments of different processes compare where their `boot_id` is the same.
    """
    return _clock()


def boot_id() -> str:
    """Return what names the time line of `elapsed`: it is the same for two processes only where their clocks are one.

    Where the system does not tell, it is an id of this process alone: nobody can then compare a moment with one of
    this process, and whoever finds another id than their own has to wait as if no time had passed.
    """
    return _boot_id(sys.platform, os.getpid())


def clock_of(system: str) -> Callable[[], float]:
    """Return the clock that counts sleep on a system, named as in `sys.platform`."""
    if system.startswith("linux"):
        return _system_clock("CLOCK_BOOTTIME")
    if system == "darwin":
        return _system_clock("CLOCK_MONOTONIC")  # unlike `time.monotonic`, which stands still there in a sleep
    return time.monotonic  # on Windows, both of the sources that Python has used count sleep


def read_boot_id(system: str) -> str | None:
    """Return what a system, named as in `sys.platform`, calls its boot; None where it does not tell."""
    readers = {"linux": _read_linux, "darwin": _read_macos, "win32": _read_windows}
    try:
        told = readers["linux" if system.startswith("linux") else system]()
    except (KeyError, OSError, ImportError, ValueError, subprocess.SubprocessError):
        return None
    return told.strip() or None


def _system_clock(name: str) -> Callable[[], float]:
    number = getattr(time, name, None)
    if number is None:
        return time.monotonic
    read: Callable[[int], float] = time.clock_gettime
    return lambda: read(number)


@cache
def _boot_id(system: str, process: int) -> str:
    """Return a boot's id; read once for each process, since a fork has no id of its own where the system has none."""
    return read_boot_id(system) or f"process {process} {uuid.uuid4()}"


def _read_linux() -> str:
    """Name the boot and the time namespace: each may have put its clock forward by an offset of its own.

    The namespace's number is given to another one once it is gone, and so its offsets are part of the name.
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
    told = subprocess.run(_SYSCTL, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - a constant
    return told.stdout


def _read_windows() -> str:
    registry = importlib.import_module("winreg")
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _WINDOWS_BOOT) as key:
        number, _kind = registry.QueryValueEx(key, "BootId")
    return f"boot {number}"


_clock = clock_of(sys.platform)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks that the journal goes by: the wall's for people, the one that counts sleep for what decides."""

    wall: Callable[[], float] = time.time
    elapsed: Callable[[], float] = elapsed
    boot: Callable[[], str] = boot_id
