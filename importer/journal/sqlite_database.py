"""One SQLite file: opened safely, one writer, every commit on the disk before it counts."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select, table
from sqlalchemy.exc import DatabaseError

from importer.commands import adopt_command, told
from importer.errors import JournalError, JournalFull, JournalPathRefused
from importer.journal.backup import back_up_beside
from importer.journal.database import Database, refuse_retired
from importer.journal.mark import MarkRecord
from importer.journal.migrations import migrate, missing_steps
from importer.journal.storage import busy_seconds, connect, create_private, make_durable, refuse_unsafe, writing
from importer.journal.watched_file import FileTrace, WatchedFile, refuse_before_opening
from importer.messages import _
from importer.system.causes import reason_of
from importer.system.clock import Clock

APPLICATION_ID = 0x57434931
"""`WCI1`: distinguishes a journal from any other SQLite file."""

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_HAS_CONTENT = str(select(func.count()).select_from(table("sqlite_master")))
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class SqliteDatabase(Database):
    """An open journal file, shared by all threads of this process; other processes may have it open too."""

    def __init__(self, path: Path, clock: Clock, known: MarkRecord | None = None) -> None:
        """Open the journal, creating it if there is none.

        `known` is what the marks know of the file at this path. Raises JournalError where the file is damaged, foreign,
        of a newer program, not what it was, or in an unsafe place; such a file is never written to. Raises JournalFull
        where the disk is full. Where the journal was moved, its first transaction raises JournalError.
        """
        self.place = self.path = path.resolve()  # `-wal` is beside the file, not beside a symbolic link to it
        self.clock = clock
        refuse_unsafe(path)
        refuse_before_opening(self.path, known.trace if known else None)
        self._lock = threading.RLock()
        self._is_ready = False
        with self.explained():
            self._connection = connect(self._open)
        self._file = WatchedFile(self.path)
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
        self._file.note_wal()
        self._is_ready = True  # from now on, each transaction raises where the journal was moved

    def _open(self) -> sqlite3.Connection:
        """Open the file, which only its owner can read."""
        create_private(self.path)
        raw = sqlite3.connect(self.path, timeout=busy_seconds(), isolation_level=None, check_same_thread=False)
        try:
            self._prepare(raw)
        except BaseException:
            raw.close()
            raise
        return raw

    def _prepare(self, raw: sqlite3.Connection) -> None:
        """Check that the file is a journal, or empty, and make its commits durable."""
        (application,) = raw.execute("PRAGMA application_id").fetchone()
        (content,) = raw.execute(_HAS_CONTENT).fetchone()
        if application != APPLICATION_ID and (content or application):
            raise JournalPathRefused(
                told(
                    _(
                        "{path}: this is a database of another program. Name another file with --journal.",
                        path=self.path,
                    ),
                    _(
                        "{path}: this is a file of another program, not a journal. Whoever set this"
                        " program up has to choose another file for the journal.",
                        path=self.path,
                    ),
                )
            )
        if not application:
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        make_durable(raw, self.path)

    @property
    def beside(self) -> Path:
        """The journal's file."""
        return self.path

    @contextmanager
    def write(self, _part: str = "", *, patient: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - on a server
        """Give the connection for a transaction that is on the disk when the block ends, or undone if it raises.

        SQLite's own lock is on all parts. Raises JournalError where the path no longer names the file that was opened,
        before or after.
        """
        with self._lock, self.explained():
            self._file.verify()
            with writing(self._connection):
                self._refuse_retired()
                yield self._connection
            self._file.verify()

    @contextmanager
    def keep_aside(self) -> Iterator[None]:
        """Hold the journal's write lock, as far as it can be had, to write the file of outcomes beside the journal.

        The path is not verified: an answer is kept even where the journal's file was replaced or deleted.
        """
        with self._lock, self.explained(), ExitStack() as held:
            try:
                held.enter_context(writing(self._connection))
            except DatabaseError:
                yield  # an answer must not be lost because the journal cannot be locked
            else:
                self._refuse_retired()  # it will not be opened again, so that what is kept beside it would be lost
                yield

    def guarding_what_is_aside(self) -> AbstractContextManager[Connection]:
        """Hold the journal's write lock."""
        return self.write()

    def _refuse_retired(self) -> None:
        if self._is_ready:
            refuse_retired(self._connection, self.path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection for reading what is committed; SQLite's own lock keeps it to one moment."""
        with self.write() as connection:
            yield connection

    def verify(self) -> None:
        """Raise JournalError where the path now names another file, or none, or its `-wal` file was replaced."""
        self._file.verify()

    def trace(self) -> FileTrace:
        """Return what the journal's files are now."""
        return self._file.trace()

    def still_sends(
        self,
        in_flight: Select[Any],  # noqa: ARG002
        number: int,  # noqa: ARG002
        token: str,  # noqa: ARG002
        boot: str,
        lease: float,
    ) -> bool:
        """Tell whether an attempt may still send: no other process can have seen the end of its lease yet.

        It may not where the journal's file is now another one, which would not know what was sent. What this computer
        knows is enough, so that the database is not asked.
        """
        try:
            self.verify()
        except JournalError:
            return False
        return self.clock.boot() == boot and self.clock.elapsed() < lease

    def damages(self) -> tuple[list[str], int]:
        """Return what SQLite finds damaged in the file, and how many records refer to others that are missing."""
        with self.write() as connection:
            lines = [str(line) for line in connection.exec_driver_sql("PRAGMA quick_check").scalars() if line != "ok"]
            return lines, len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors of SQLite and the disk into sentences that say what to do."""
        try:
            yield
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> JournalError:
        cause = error.orig if isinstance(error, DatabaseError) and error.orig else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code: what the extended ones are kinds of
        values = {"path": self.path, "cause": reason_of(cause)}
        if code in _FULL or (isinstance(cause, OSError) and cause.errno in _NO_ROOM):
            return JournalFull(
                _(
                    "{path}: the disk of the journal is full or failing ({cause}). Make room and continue the run;"
                    " nothing is sent twice.",
                    **values,
                )
            )
        if code == sqlite3.SQLITE_BUSY:
            return JournalError(
                _("{path}: another program has locked the journal. Close it and try again.", path=self.path)
            )
        if code in _DAMAGED:
            return JournalError(
                told(
                    _(
                        "{path}: this is not a journal, or a damaged one ({cause}). It was not changed. Restore it"
                        " from a backup, or take the ids of its last report into a new one with `{command}`.",
                        command=adopt_command(into_another=True),
                        **values,
                    ),
                    _(
                        "{path}: this is not a journal, or a damaged one ({cause}). It was not"
                        " changed. Whoever set this program up has to restore it from a backup;"
                        " without one, a new journal takes the ids from the last reports.",
                        **values,
                    ),
                )
            )
        return JournalPathRefused(
            told(
                _(
                    "{path}: the journal cannot be used ({cause}). Check that its folder exists and that you may write"
                    " to it, or name another file with --journal.",
                    **values,
                ),
                _(
                    "{path}: the journal cannot be used ({cause}). Check in Explorer that its folder"
                    " is there and that you may write to it, or ask whoever set this program up to"
                    " choose another file for it.",
                    **values,
                ),
            )
        )
