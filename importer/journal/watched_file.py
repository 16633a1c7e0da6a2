"""The journal's file as the file system knows it: what is refused before SQLite opens it, and that it stays the same.

SQLite trusts the names of its files. It replays whatever is in `-wal`, deletes it beside an empty file, and goes on
writing to a file that has lost its name. Each of these loses attempts, and a lost attempt is a case sent twice.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from importer.commands import adopt_command, command_line, run_command, same_command, told
from importer.errors import JournalError
from importer.journal.storage import read_only
from importer.messages import _

_SALT = slice(16, 20)
"""Where the header of a `-wal` file has its first salt (https://sqlite.org/fileformat2.html#the_write_ahead_log)."""

_RESETS = 1 << 16
"""How often a `-wal` file may have started over since its salt was noted: SQLite adds 1 each time."""


@dataclass(frozen=True, slots=True)
class FileTrace:
    """What a journal's files were when they were last used; None where that was not noted.

    `written_at` is when the main file was last written, in nanoseconds since 1970; SQLite writes to it only now and
    then.
    """

    main: str
    written_at: int | None = None
    wal: str | None = None
    salt: int | None = None


def wal_of(path: Path) -> Path:
    """Return the path of the file that holds what is committed but not yet in the main file."""
    return path.with_name(path.name + "-wal")


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 where there is none."""
    now = _stat(path)
    return now.st_size if now else 0


def refuse_before_opening(path: Path, trace: FileTrace | None) -> None:
    """Raise JournalError where SQLite must not even open the file; `trace` is what was noted of it earlier."""
    wal = size_of(wal_of(path))
    if not size_of(path) and wal:
        raise JournalError(
            told(
                _(
                    "{path}: the file is empty or missing, but the last commits are still in {wal}, which SQLite"
                    " would delete. Do not delete it: restore the journal's file from a backup, or move both"
                    " files away, take the ids of the last reports with `{adopt}`, and then run `{look_first}`.",
                    path=path,
                    adopt=adopt_command(),
                    look_first=run_command("--look-first"),
                    wal=wal_of(path).name,
                ),
                _(
                    "{path}: the file is empty or missing, but what was recorded last is still in"
                    " {wal}. Do not delete that: restore the journal's file from a backup, or ask"
                    " whoever set this program up.",
                    path=path,
                    wal=wal_of(path).name,
                ),
            )
        )
    if not path.is_file():
        return  # there is none yet; a folder is refused by SQLite
    now = path.stat()
    if now.st_nlink > 1:
        raise JournalError(
            told(
                _(
                    "{path}: this file has {count} names (hard links). SQLite keeps the last commits under one of"
                    " them, so that the others would be an older journal. Keep one name and delete the others, or"
                    " make a copy with `{command}`.",
                    path=path,
                    command=command_line("journal", "copy", "COPY", "--journal", path),
                    count=now.st_nlink,
                ),
                _for_whoever_set_it_up(path),
            )
        )
    if trace is None:
        return
    rollback = path.with_name(path.name + "-journal")  # left by a crash of a mode of SQLite that is not used here
    foreign = rollback if size_of(rollback) else wal_of(path)
    if size_of(rollback) or (wal and not (_belongs(path, trace) and _fits(path, trace))):
        raise JournalError(
            told(
                _(
                    "{path}: this file and {foreign} do not belong together: one of them was put there since the"
                    " journal was last used. SQLite would mix the two. Restore both as they were together, or a"
                    " backup without such a file. Otherwise move {foreign} away; `{command}` then says what is"
                    " missing.",
                    path=path,
                    command=command_line("journal", "check", "--journal", path),
                    foreign=foreign.name,
                ),
                _for_whoever_set_it_up(path),
            )
        )


def _for_whoever_set_it_up(path: Path) -> str:
    """Return what the page says where an office cannot repair the journal's file itself."""
    return _(
        "{path}: the journal's file was copied or replaced since it was last used here. Nothing is sent with it, and"
        " nothing is lost. Do not delete it: ask whoever set this program up.",
        path=path,
    )


def _fits(path: Path, trace: FileTrace) -> bool:
    """Tell whether the main file, if it was written since it was last used, is whole together with its `-wal`.

    That it was written proves nothing: SQLite does so itself. But a backup that was copied over it lacks pages.
    """
    if trace.written_at in {None, _written_at(path)}:
        return True
    try:
        with closing(read_only(path)) as raw:
            return bool(raw.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        return True  # locked: it is in use
    except sqlite3.DatabaseError:
        return False


def _belongs(path: Path, trace: FileTrace) -> bool:
    """Tell whether the `-wal` file may be the one that was there; where the main file is another one, it always may."""
    if _inode(trace.main) != _inode(_identity(_stat(path))):
        return True
    if trace.wal is not None and _inode(trace.wal) != _inode(_identity(_stat(wal_of(path)))):
        return False
    salt = _read_salt(path)
    return trace.wal is None or trace.salt is None or salt is None or (salt - trace.salt) % (1 << 32) < _RESETS


class WatchedFile:
    """The file of an open journal, which must stay the file that its path names."""

    def __init__(self, path: Path) -> None:
        """Remember which file it is, just after it was opened."""
        self.path, self._wal_path = path, wal_of(path)
        self._main = _identity(_stat(path))
        self._wal: str | None = None
        self._wal_size = 0
        self._lock = threading.Lock()

    def note_wal(self) -> None:
        """Remember which `-wal` file SQLite made; it exists from the first transaction until the last close."""
        self._wal = _identity(_stat(self._wal_path))
        self._wal_size = size_of(self._wal_path)

    def trace(self) -> FileTrace:
        """Return what the files are now."""
        written_at = _written_at(self.path)
        return FileTrace(self._main or "", written_at, self._wal, _read_salt(self.path) if self._wal else None)

    def verify(self) -> None:
        """Raise JournalError where the path now names another file, or none, or its `-wal` file was replaced."""
        now = _stat(self.path)
        if _identity(now) != self._main or not now or not now.st_size:
            raise self._replaced(self.path)
        if self._wal is None:
            return
        with self._lock:  # another thread may see it grow meanwhile
            now = _stat(self._wal_path)
            if _identity(now) != self._wal or not now or now.st_size < self._wal_size:
                raise self._replaced(self._wal_path)
            self._wal_size = now.st_size

    def _replaced(self, path: Path) -> JournalError:
        return JournalError(
            told(
                _(
                    "{path} was replaced or deleted while it was in use. Nothing more is sent. Restore the file"
                    " as it was and run `{command}`. If it is lost: take the ids of every later report with"
                    " `{adopt}`, then run `{look_first}`.",
                    path=path,
                    command=same_command(),
                    adopt=adopt_command(),
                    look_first=run_command("--look-first"),
                ),
                _(
                    "{path} was replaced or deleted while it was in use. Nothing more is sent. Restore the file"
                    " as it was and try again. If it is lost, take over every later report (“I have the report of"
                    " what was sent”), or choose “First search the CRM for every row”.",
                    path=path,
                ),
            )
        )


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _identity(now: os.stat_result | None) -> str | None:
    """Return device and inode (on Windows, volume and file number) as text, which holds any size; None: no file."""
    return None if now is None else f"{now.st_dev}:{now.st_ino}"


def _inode(identity: str | None) -> str | None:
    """Return the inode alone: a device may get another number each time the computer starts."""
    return None if identity is None else identity.rpartition(":")[2]


def _written_at(path: Path) -> int | None:
    now = _stat(path)
    return now.st_mtime_ns if now else None


def _read_salt(path: Path) -> int | None:
    """Return the first salt of the `-wal` file; None while it has none. SQLite does not lock that file."""
    try:
        descriptor = os.open(wal_of(path), os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        header = os.read(descriptor, 32)
    finally:
        os.close(descriptor)
    return int.from_bytes(header[_SALT], "big") if len(header) == 32 else None
