"""One SQLite file: opened safely, one writer, every commit on the disk before it counts."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from importer.clock import Clock
from importer.errors import JournalError, JournalFull
from importer.journal.migrations import migrate
from importer.journal.place import refuse_unsafe
from importer.messages import _

APPLICATION_ID = 0x57434931
"""`WCI1`: tells a journal from any other SQLite file."""

_BUSY_SECONDS = 60
_BEGIN = "BEGIN IMMEDIATE"

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Database:
    """An open journal file, shared by all threads of this process; other processes may have it open too."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open the journal, making it if there is none.

        Raises JournalError where the file is damaged, foreign, of a newer program, or in an unsafe place; such a file
        is never written to. Raises JournalFull where the disk is full.
        """
        self.path, self.clock = path, clock
        refuse_unsafe(path)
        self._lock = threading.RLock()
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda c: c.exec_driver_sql(_BEGIN))
        with self.explained():
            self._connection = (
                self._engine.connect()
            )  # one for all: to fetch it from the pool costs as much as a commit
        try:
            with self.write() as connection:
                migrate(connection, path, clock.wall())
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        """Open the file, for its owner only."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
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
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")  # less could lose an intent on power loss, and send its row twice
        raw.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache; elsewhere without effect
        raw.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten; not every build does so unasked
        raw.execute("PRAGMA foreign_keys = ON")
        (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
        if synchronous != 2:
            raise JournalError(_("{path}: SQLite does not promise durable commits here.", path=self.path))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the one connection for a transaction that is on the disk when the block ends, or undone if it raises."""
        with self._lock, self.explained(), self._connection.begin():
            yield self._connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection for reading what is committed."""
        with self.write() as connection:
            yield connection

    def damages(self) -> list[str]:
        """Return what SQLite finds damaged in the file, having taken the right to write."""
        with self.write() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        return [str(line) for line in found if line != "ok"]

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
