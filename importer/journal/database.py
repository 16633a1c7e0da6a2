"""One SQLite file: opened safely, one writer, every commit on the disk before it counts."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from importer.errors import JournalError, JournalFull
from importer.journal.migrations import migrate
from importer.journal.place import refuse_unsafe
from importer.messages import _

APPLICATION_ID = 0x57434931
"""`WCI1`: tells a journal from any other SQLite file."""

_BUSY_SECONDS = 60


class Database:
    """An open journal file, shared by all threads of this process; other processes may have it open too."""

    def __init__(self, path: Path) -> None:
        """Open the journal, making it if there is none.

        Raises JournalError where the file is damaged, foreign, of a newer program, or in an unsafe place; such a file
        is never written to. Raises JournalFull where the disk is full.
        """
        self.path = path
        refuse_unsafe(path)
        self._lock = threading.RLock()
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        with self.write() as connection:
            migrate(connection, path)

    def _connect(self) -> sqlite3.Connection:
        """Open the file for its owner only, check that it is a journal, and make its commits durable."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        raw = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        (application,) = raw.execute("PRAGMA application_id").fetchone()
        (tables,) = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION_ID:
            raw.close()
            raise JournalError(
                _("{path}: this is a database of another program. Name another file with --journal.", path=self.path)
            )
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")  # less could lose an intent on power loss, and send its row twice
        raw.execute("PRAGMA foreign_keys = ON")
        (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
        if synchronous != 2:
            raise JournalError(_("{path}: SQLite does not promise durable commits here.", path=self.path))
        return raw

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the one connection for a transaction that is on the disk when the block ends, or undone if it raises."""
        with self._lock, self.explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection for reading what is committed."""
        with self.write() as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._engine.dispose()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into sentences with a remedy."""
        try:
            yield
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> JournalError:
        cause = str(error.orig) if isinstance(error, DatabaseError) else str(error)
        if "full" in cause or "disk I/O" in cause or "No space" in cause:
            return JournalFull(
                _(
                    "{path}: the disk under the journal is full or failing ({cause}). Make room and give the same"
                    " command again; what was sent is not sent twice.",
                    path=self.path,
                    cause=cause,
                )
            )
        if "locked" in cause and isinstance(error, OperationalError):
            return JournalError(
                _("{path}: another program keeps the journal locked. Close it and try again.", path=self.path)
            )
        return JournalError(
            _(
                "{path}: the journal cannot be used ({cause}). It was not changed. Bring it back from a backup, or take"
                " the ids from its last report with `case-importer adopt` into a new one (--journal).",
                path=self.path,
                cause=cause,
            )
        )
