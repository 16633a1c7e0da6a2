"""What the journal and the marks need of a computer: durable SQLite files, a safe folder, and an id of its own."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import psutil
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from importer.commands import told
from importer.errors import JournalError, JournalPathRefused
from importer.messages import _

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "fuse.sshfs", "9p", "ncpfs"}
)
_SYNCHRONISED = re.compile(
    r"(onedrive|dropbox|google ?drive|icloud ?drive|mobile documents|cloudstorage|nextcloud|mega(sync)?"
    r"|my drive|mi unidad|meu drive)([ (-].*)?",
    re.IGNORECASE,
)
"""Folder names of synchronising programs, alone or followed by an account: `OneDrive - Company`."""

_LINUX = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_MACOS = ("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
_WINDOWS = r"SOFTWARE\Microsoft\Cryptography"


_patience: ContextVar[float] = ContextVar("patience", default=60.0)

_opener: ContextVar[Callable[[], sqlite3.Connection]] = ContextVar("opener")


def _opened() -> sqlite3.Connection:
    return _opener.get()()


_ENGINE = create_engine("sqlite://", creator=_opened, poolclass=NullPool)
"""One for every SQLite file, because it keeps each statement that it has compiled; it keeps no connection."""


@contextmanager
def waiting_for_journal(seconds: float) -> Iterator[None]:
    """Give up within the block after so many seconds where another program has locked the journal; else after 60."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def busy_seconds() -> float:
    """Return how long another program's lock is waited for."""
    return _patience.get()


def create_private(path: Path) -> None:
    """Create an empty file that only its owner can read, unless it exists; raises OSError where that fails.

    An existing file is not opened: closing it again would release the locks that this process has on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def make_durable(raw: sqlite3.Connection, path: Path) -> None:
    """Put every commit of a connection on the disk; raises JournalError where SQLite does not guarantee that."""
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")  # less could lose an intent on power loss, and send its row twice
    raw.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache; elsewhere without effect
    raw.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten; not every build does so by default
    raw.execute("PRAGMA foreign_keys = ON")
    (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
    if synchronous != 2:
        raise JournalError(_("{path}: SQLite does not guarantee durable commits here.", path=path))


def connect(opener: Callable[[], sqlite3.Connection]) -> Connection:
    """Return the connection that a function opens, as SQLAlchemy uses it; to close it closes the file."""
    token = _opener.set(opener)
    try:
        return _ENGINE.connect()
    finally:
        _opener.reset(token)


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Hold SQLite's write lock on a connection's file from the beginning; commit at the end, undo if the block raises.

    The lock is asked for here, not by a listener of the engine: with one, SQLAlchemy looks for more at every statement.
    """
    with connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield


def read_only(path: Path) -> sqlite3.Connection:
    """Open an existing SQLite file only for reading; raises sqlite3.Error where that fails."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=min(10, busy_seconds()), isolation_level=None
    )


def computer_id(folder_id: str) -> str:
    """Return the id of this computer for a state folder; no id of the machine itself is stored anywhere."""
    return hashlib.sha256(f"{folder_id} {machine_id(sys.platform)}".encode()).hexdigest()[:32]


@cache
def machine_id(system: str) -> str:
    """Return the id that a system, named as in `sys.platform`, gives the machine; empty where it gives none."""
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
    answer = subprocess.run(_MACOS, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - a constant
    lines = (line for line in answer.stdout.splitlines() if "IOPlatformUUID" in line)
    return next(lines, "").rpartition("=")[2].strip(' "')


def _read_windows() -> str:
    registry = importlib.import_module("winreg")
    access = registry.KEY_READ | registry.KEY_WOW64_64KEY
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _WINDOWS, 0, access) as key:
        return str(registry.QueryValueEx(key, "MachineGuid")[0])


def refuse_unsafe(path: Path) -> None:
    """Raise JournalError for network drives and synchronised folders, as far as they can be recognised.

    A database that two machines write over a network drive is corrupted sooner or later, and a synchronising program
    may restore an old copy: either would send cases twice.
    """
    folder = path.resolve().parent  # a link may lead into such a place
    for part in folder.parts:
        if _SYNCHRONISED.fullmatch(part):
            raise JournalPathRefused(
                told(
                    _(
                        "{path}: the journal must not be in a synchronised folder ({part}): an older copy could come"
                        " back and cases would be sent twice. Choose a folder on this computer with --journal.",
                        path=path,
                        part=part,
                    ),
                    _(
                        "{path}: the journal must not be in a synchronised folder ({part}): an older"
                        " copy could come back and cases would be sent twice. Whoever set this program"
                        " up has to choose a folder on this computer for it.",
                        path=path,
                        part=part,
                    ),
                )
            )
    if str(folder).startswith("\\\\") or _on_network_drive(folder):
        raise JournalPathRefused(
            told(
                _(
                    "{path}: the journal must not be on a network drive, where SQLite files get damaged. Choose a"
                    " folder on this computer with --journal.",
                    path=path,
                ),
                _(
                    "{path}: the journal must not be on a network drive, where such files get"
                    " damaged. Whoever set this program up has to choose a folder on this computer for"
                    " it.",
                    path=path,
                ),
            )
        )


def _on_network_drive(folder: Path) -> bool:
    """Tell whether the deepest mount above `folder` is a network file system, as far as the system says so."""
    above = {str(parent) for parent in (folder, *folder.parents)}
    mounts = [mount for mount in psutil.disk_partitions(all=True) if mount.mountpoint in above]
    if not mounts:
        return False
    deepest = max(reversed(mounts), key=lambda mount: len(mount.mountpoint))  # of equal ones the last: it covers them
    return deepest.fstype.casefold() in _NETWORK_FILE_SYSTEMS or "remote" in deepest.opts.split(",")
