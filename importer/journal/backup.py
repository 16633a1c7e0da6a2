"""Copies of a journal that are whole: made by SQLite while others may write, read again, never over another file.

SQLite copies pages between its own connections, so that this module uses them instead of SQLAlchemy's.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, select

from importer.errors import JournalError
from importer.journal.schema import attempts, facts, rows, runs, verdicts
from importer.journal.storage import read_only
from importer.journal.watched_file import size_of, wal_of
from importer.messages import _
from importer.system.causes import reason_of
from importer.system.disk import flush_folder

_COUNTED = {table.name: str(select(func.count()).select_from(table)) for table in (rows, attempts, verdicts, runs)}
_FACTS = str(select(facts.c.name, facts.c.value))


def back_up_beside(path: Path, label: str) -> Path:
    """Copy a journal to the first free name beside it, `journal.db.LABEL.backup`; return that path.

    Raises JournalError where it cannot be made, such as on a full disk; nothing is left behind then.
    """
    labels = [label, *(f"{label}-{number}" for number in range(2, 1002))]
    names = [path.with_name(f"{path.name}.{name}.backup") for name in labels]
    return copy_to(path, next(name for name in names if not name.exists()))


def own_backups(path: Path) -> list[Path]:
    """Return the backups of a journal that this program made beside it under names of its own."""
    beside, stamped = re.escape(path.name), rf"{re.escape(path.stem)}\.\d{{8}}-\d{{6}}\.backup{re.escape(path.suffix)}"
    name = re.compile(rf"{beside}\.before-\w+(-\d+)?\.backup|{stamped}")
    return sorted(one for one in path.parent.glob("*backup*") if name.fullmatch(one.name) and one.is_file())


def copy_to(path: Path, target: Path) -> Path:
    """Copy what is committed in a journal to a new file that only its owner can read, and read it again; return it.

    Others may write meanwhile: the copy is of one moment. Raises JournalError where the target exists, or the copy
    cannot be written whole; then there is no copy.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            temporary = Path(file.name)  # readable by its owner only
        _copy(path, temporary)
        take_name(temporary, target)
    except FileExistsError as error:
        existing = error.filename2 or error.filename
        raise JournalError(_("{path}: this file exists already. Choose another name.", path=existing)) from error
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            _(
                "{path} could not be copied to {target} ({cause}); nothing was changed. Check that the folder exists,"
                " that you may write to it, and that it has room for {size} MB.",
                path=path,
                target=target,
                cause=reason_of(error),
                size=1 + size_of(path) // 1_000_000,
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
            found = dict(raw.execute(_FACTS)) if _has_table(raw, facts.name) else {}
    except sqlite3.Error:
        return ""
    return None if "moved_to" in found else found.get("journal_id")


def _copy(path: Path, target: Path) -> None:
    """Copy the pages, flush them to the disk, and compare the copy with the journal."""
    with closing(read_only(path)) as source, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.execute("BEGIN")  # one moment for the copy and for the counts that it is compared with
        expected = _counts(source)
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # a single file, without a -wal beside it
        damages = [line for (line,) in copy.execute("PRAGMA quick_check") if line != "ok"]
        if damages or _counts(copy) != expected:
            raise sqlite3.DatabaseError(damages[0] if damages else _("the copy is not the same"))
    _flush(target)


def _counts(raw: sqlite3.Connection) -> list[int]:
    """Return how many records the tables that matter have, in a journal of any version."""
    return [raw.execute(query).fetchone()[0] for table, query in _COUNTED.items() if _has_table(raw, table)]


def _has_table(raw: sqlite3.Connection, name: str) -> bool:
    return raw.execute(f"PRAGMA table_info({name})").fetchone() is not None


def take_name(temporary: Path, target: Path) -> None:
    """Give a finished file its name, on the disk too; raises FileExistsError where that is taken, even just now."""
    for name in (target, wal_of(target)):  # SQLite would take a `-wal` that was left there for the new file's own
        if name.exists() or name.is_symlink():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(name))
    try:
        os.link(temporary, target)  # unlike renaming, it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        temporary.rename(target)
    else:
        temporary.unlink()
    flush_folder(target.parent)


def _flush(path: Path) -> None:
    """Have the content of a file on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
