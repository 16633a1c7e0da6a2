"""Which computer this is: its user's state folder, on this very machine.

A home folder that is copied to another computer brings the state folder and the journal along, and both computers would
go on with them. The machine's own id, where the system tells one, makes two of what would otherwise look like one.
"""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path

_LINUX = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_MACOS = ("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
_WINDOWS = r"SOFTWARE\Microsoft\Cryptography"


def computer_id(folder_id: str) -> str:
    """Return the id of this computer for a state folder; no id of the machine itself is kept anywhere."""
    return hashlib.sha256(f"{folder_id} {machine_id(sys.platform)}".encode()).hexdigest()[:32]


@cache
def machine_id(system: str) -> str:
    """Return what a system, named as in `sys.platform`, calls the machine; empty where it does not tell."""
    try:
        if system == "win32":
            return _read_windows()
        return _read_macos() if system == "darwin" else _read_linux()
    except (OSError, ImportError, ValueError, subprocess.SubprocessError):
        return ""


def _read_linux() -> str:
    found = (Path(name).read_text("ascii").strip() for name in _LINUX if Path(name).is_file())
    return next(filter(None, found), "")


def _read_macos() -> str:
    told = subprocess.run(_MACOS, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - a constant
    lines = (line for line in told.stdout.splitlines() if "IOPlatformUUID" in line)
    return next(lines, "").rpartition("=")[2].strip(' "')


def _read_windows() -> str:
    registry = importlib.import_module("winreg")
    access = registry.KEY_READ | registry.KEY_WOW64_64KEY
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _WINDOWS, 0, access) as key:
        return str(registry.QueryValueEx(key, "MachineGuid")[0])
