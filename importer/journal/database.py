"""One SQLite file: opened safely, one writer, every commit on the disk before it counts."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from importer.clock import Clock
from importer.errors import JournalError, JournalFull
from importer.journal.mark import MarkRecord
from importer.journal.migrations import migrate, missing_steps
from importer.journal.schema import facts
from importer.journal.storage import create_private, make_durable, read_only, refuse_unsafe
from importer.journal.watched_file import WatchedFile, refuse_at_once, wal_of
from importer.messages import _

# MERGED importer.journal.database: Copies of a journal that are whole: taken by SQLite while others may write, read again, never over another file.

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


# MERGED importer.journal.database: One SQLite file: opened safely, one writer, every commit on the disk before it counts.

APPLICATION_ID = 0x57434931
"""`WCI1`: tells a journal from any other SQLite file."""

_BUSY_SECONDS = 60
_BEGIN = "BEGIN IMMEDIATE"

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MOVED_TO = select(facts.c.value).where(facts.c.name == "moved_to")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Database:
    """An open journal file, shared by all threads of this process; other processes may have it open too."""

    def __init__(self, path: Path, clock: Clock, known: MarkRecord | None = None) -> None:
        """Open the journal, making it if there is none.

        `known` is what the marks have of the file at this path. Raises JournalError where the file is damaged, foreign,
        of a newer program, not what it was, moved, or in an unsafe place; such a file is never written to. Raises
        JournalFull where the disk is full.
        """
        self.path, self.clock = path.resolve(), clock  # a symbolic link is no second name: `-wal` is beside the file
        refuse_unsafe(path)
        refuse_at_once(self.path, known.trace if known else None)
        self._lock = threading.RLock()
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda c: c.exec_driver_sql(_BEGIN))
        self._is_ready = False
        with self.explained():
            self._connection = (
                self._engine.connect()
            )  # one for all: to fetch it from the pool costs as much as a commit
        self.file = WatchedFile(self.path)
        try:
            self._bring_up()
        except BaseException:
            self.close()
            raise

    def _bring_up(self) -> None:
        """Apply the migrations that are missing, after a backup where there is something to lose."""
        with self.write() as connection:
            missing, is_new = missing_steps(connection, self.path)
            if missing and not is_new:
                back_up_beside(self.path, f"before-{missing[0].__name__}")
            migrate(connection, missing, self.clock.wall())
        self.file.note_wal()
        self._is_ready = True
        with self.read():
            pass  # says so where the journal was moved

    def _connect(self) -> sqlite3.Connection:
        """Open the file, for its owner only."""
        create_private(self.path)
        raw = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(raw)
        except BaseException:
            raw.close()
            raise
        return raw

    def _prepare(self, raw: sqlite3.Connection) -> None:
        """Check that the file is a journal, or nothing yet, and make its commits durable."""
        (application,) = raw.execute("PRAGMA application_id").fetchone()
        (tables,) = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION_ID and (tables or application):
            raise JournalError(
                _("{path}: this is a database of another program. Name another file with --journal.", path=self.path)
            )
        if not application:
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_durable(raw, self.path)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the one connection for a transaction that is on the disk when the block ends, or undone if it raises.

        Raises JournalError where the path does not name the file any more that was opened, before or after.
        """
        with self._lock, self.explained():
            self.file.verify()
            with self._connection.begin():
                self._refuse_retired()
                yield self._connection
            self.file.verify()

    @contextmanager
    def keep_aside(self) -> Iterator[None]:
        """Be the only one who writes the file of outcomes beside the journal, as far as the journal allows that.

        Where the path names another file by now, or none, other processes keep nothing either that would be lost.
        """
        with self._lock, self.explained():
            try:
                transaction = self._connection.begin()
            except DatabaseError:
                yield  # an answer must not be lost because the journal cannot be locked
            else:
                with transaction:
                    self._refuse_retired()  # nobody will open it again and find what is kept beside it
                    yield

    def _refuse_retired(self) -> None:
        """Raise JournalError where `journal move` took the journal elsewhere, even while this process has it open."""
        if self._is_ready and (elsewhere := self._connection.scalars(_MOVED_TO).first()):
            raise JournalError(
                _(
                    "{path}: this journal was moved to {elsewhere}. Use that one (--journal {elsewhere}); nothing is"
                    " sent with this one.",
                    path=self.path,
                    elsewhere=elsewhere,
                )
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection for reading what is committed."""
        with self.write() as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
            self._engine.dispose()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into sentences with a remedy."""
        try:
            yield
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> JournalError:
        cause = error.orig if isinstance(error, DatabaseError) and error.orig else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code: what the extended ones are kinds of
        values = {"path": self.path, "cause": cause}
        if code in _FULL or (isinstance(cause, OSError) and cause.errno in _NO_ROOM):
            return JournalFull(
                _(
                    "{path}: the disk under the journal is full or failing ({cause}). Make room and give the same"
                    " command again; what was sent is not sent twice.",
                    **values,
                )
            )
        if code == sqlite3.SQLITE_BUSY:
            return JournalError(
                _("{path}: another program keeps the journal locked. Close it and try again.", path=self.path)
            )
        if code in _DAMAGED:
            return JournalError(
                _(
                    "{path}: this is no journal, or a damaged one ({cause}). It was not changed. Bring it back from a"
                    " backup, or take the ids from its last report with `case-importer adopt` into a new one"
                    " (--journal).",
                    **values,
                )
            )
        return JournalError(
            _(
                "{path}: the journal cannot be used ({cause}). See that its folder is there and that you may write to"
                " it, or name another file with --journal.",
                **values,
            )
        )
