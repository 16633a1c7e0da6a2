"""SQLite files whose commits are on the disk before they count: the journal, and the marks beside it."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path

import psutil

from importer.errors import JournalError
from importer.messages import _

# MERGED importer.journal.storage: SQLite files whose commits are on the disk before they count: the journal, and the marks beside it.


def create_private(path: Path) -> None:
    """Create an empty file that only its owner reads, unless there is one; raises OSError where that fails.

    A file that exists is not opened: closing it again would release the locks that this process has on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def make_durable(raw: sqlite3.Connection, path: Path) -> None:
    """Have every commit of a connection on the disk; raises JournalError where SQLite does not promise that."""
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")  # less could lose an intent on power loss, and send its row twice
    raw.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache; elsewhere without effect
    raw.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten; not every build does so unasked
    raw.execute("PRAGMA foreign_keys = ON")
    (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
    if synchronous != 2:
        raise JournalError(_("{path}: SQLite does not promise durable commits here.", path=path))


def read_only(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must exist for reading alone; raises sqlite3.Error where that fails."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)


# MERGED importer.journal.storage: Which computer this is: its user's state folder, on this very machine.

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


# MERGED importer.journal.storage: Where a journal may lie: on a disk of this machine that nothing synchronises.

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "fuse.sshfs", "9p", "ncpfs"}
)
_SYNCHRONISED = re.compile(
    r"(onedrive|dropbox|google ?drive|icloud ?drive|mobile documents|cloudstorage|nextcloud|mega(sync)?"
    r"|my drive|mi unidad|meu drive)([ (-].*)?",
    re.IGNORECASE,
)
"""What synchronising programs call their folders, alone or followed by an account: `OneDrive - Company`."""


def refuse_unsafe(path: Path) -> None:
    """Raise JournalError where SQLite cannot keep its word: network drives and synchronised folders, where they show.

    A database that two machines write over a network drive is corrupted sooner or later, and a synchronising program
    may bring back an old copy: either would send cases twice.
    """
    folder = path.resolve().parent  # a link may lead into such a place
    for part in folder.parts:
        if _SYNCHRONISED.fullmatch(part):
            raise JournalError(
                _(
                    "{path}: the journal cannot lie in a synchronised folder ({part}): an older copy could come back"
                    " and cases would be sent twice. Choose a folder of this computer with --journal.",
                    path=path,
                    part=part,
                )
            )
    if str(folder).startswith("\\\\") or _on_network_drive(folder):
        raise JournalError(
            _(
                "{path}: the journal cannot lie on a network drive: SQLite files are damaged there. Choose a folder of"
                " this computer with --journal.",
                path=path,
            )
        )


def _on_network_drive(folder: Path) -> bool:
    """Tell whether the deepest mount above `folder` is a network file system, where the system tells."""
    above = {str(parent) for parent in (folder, *folder.parents)}
    mounts = [mount for mount in psutil.disk_partitions(all=True) if mount.mountpoint in above]
    if not mounts:
        return False
    deepest = max(reversed(mounts), key=lambda mount: len(mount.mountpoint))  # of equal ones the last: it covers them
    return deepest.fstype.casefold() in _NETWORK_FILE_SYSTEMS or "remote" in deepest.opts.split(",")
