"""Copies of a journal that are whole: taken by SQLite while others may write, read again, never over another file."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path

from importer.errors import JournalError
from importer.journal.durable import read_only
from importer.journal.watched_file import wal_of
from importer.messages import _

_COUNTED = ("rows", "attempts", "verdicts", "runs")


def back_up_beside(path: Path, label: str) -> Path:
    """Copy a journal to the first free name beside it, `journal.db.LABEL.backup`; return where that is.

    Raises JournalError where it cannot be had, such as on a full disk; nothing is left behind then.
    """
    target = next(name for name in _names(path, label) if not name.exists())
    return copy_to(path, target)


def copy_to(path: Path, target: Path) -> Path:
    """Copy what is committed in a journal to a new file that only its owner reads, and read that again; return it.

    Others may write meanwhile: the copy is of one moment. Raises JournalError where the target exists, or the copy
    cannot be written whole; then there is none.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            temporary = Path(file.name)  # readable by its owner only
        _copy(path, temporary)
        _take_name(temporary, target)
    except FileExistsError as error:
        there = error.filename2 or error.filename
        raise JournalError(_("{path}: this file exists already. Name another one.", path=there)) from error
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            _(
                "{path} could not be copied to {target} ({cause}); nothing was changed. See that the folder is there,"
                " that you may write to it, and that there is room for {size} MB.",
                path=path,
                target=target,
                cause=error,
                size=1 + _size(path) // 1_000_000,
            )
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return target


def journal_id_in(path: Path) -> str | None:
    """Return the id of a journal that this process does not use; None where it has none, "" where it cannot be read.

    A journal that was moved away has none: it is not used any more.
    """
    try:
        with closing(read_only(path)) as raw:
            if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
                return None
            found = dict(raw.execute("SELECT name, value FROM facts WHERE name IN ('journal_id', 'moved_to')"))
    except sqlite3.Error:
        return ""
    return None if "moved_to" in found else found.get("journal_id")


def _names(path: Path, label: str) -> list[Path]:
    """Return names for a backup, the plain one first; a thousand are enough for everyone."""
    numbers = count(2)
    labels = [label, *(f"{label}-{next(numbers)}" for _number in range(1000))]
    return [path.with_name(f"{path.name}.{name}.backup") for name in labels]


def _copy(path: Path, target: Path) -> None:
    """Copy the pages, have them on the disk, and hold the copy against the journal."""
    with closing(read_only(path)) as source, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.execute("BEGIN")  # one moment for the copy and for what it is held against
        expected = _counts(source)
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file alone, without a -wal beside it
        damages = [line for (line,) in copy.execute("PRAGMA quick_check") if line != "ok"]
        if damages or _counts(copy) != expected:
            raise sqlite3.DatabaseError(damages[0] if damages else _("the copy is not the same"))
    descriptor = os.open(target, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _counts(raw: sqlite3.Connection) -> list[int]:
    """Return how much is in the tables that matter; those of a journal of any version."""
    known = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    queries = (f"SELECT count(*) FROM {name}" for name in _COUNTED if name in known)  # noqa: S608 - no value
    return [raw.execute(query).fetchone()[0] for query in queries]


def _take_name(temporary: Path, target: Path) -> None:
    """Give a finished file its name, on the disk too; raises FileExistsError where that is taken, even just now."""
    for name in (target, wal_of(target)):  # SQLite would take a `-wal` that is left there for the new file's own
        if name.exists() or name.is_symlink():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(name))
    try:
        os.link(temporary, target)  # unlike a renaming, it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        temporary.rename(target)
    else:
        temporary.unlink()
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(target.parent, os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
