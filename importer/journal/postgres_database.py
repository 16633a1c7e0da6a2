"""A journal in a PostgreSQL database that several machines share: one writer at a time, the server's clock.

Whoever writes first takes one lock on the whole journal, so that commits come one after another as they do with SQLite,
and all that holds there holds here: a call of the CRM takes hundreds of times as long as a commit. Only the limits of a
token, which depend on nothing else, have a lock of their own.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Double,
    Select,
    cast,
    create_engine,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import NullPool

from importer.errors import JournalError
from importer.journal import postgres_words
from importer.journal.database import MOVED_TO, Database, is_moved, refuse_moved, refuse_retired
from importer.journal.migrations import migrate, missing_steps
from importer.journal.postgres_connection import SCHEMA, connect
from importer.journal.schema import facts
from importer.journal.watched_file import FileTrace
from importer.journal_place import Server, folder_of
from importer.system.clock import Clock, elapsed
from importer.system.file_lock import locked

if TYPE_CHECKING:
    import psycopg

OLDEST = 14
"""The oldest version of PostgreSQL that is used: its makers support none before it."""

_LOCK = 0x57434931
"""The first half of the lock's key; the second is the schema's name."""

_NOW: ColumnElement[float] = cast(func.extract("epoch", func.clock_timestamp()), Double)
_ASK_NOW = select(_NOW)
_MOVED_TO_AND_NOW = select(MOVED_TO.scalar_subquery(), _NOW)
_KEY = f"{_LOCK}, hashtext(coalesce(current_schema(), '{SCHEMA}') || :part)"
_TAKE_LOCK = text(f"SELECT pg_advisory_xact_lock({_KEY})")
_TRY_LOCK = text(f"SELECT pg_try_advisory_xact_lock({_KEY})")
_READ_ONLY = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_BOOT = (
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || (SELECT timeline_id FROM"
    " pg_control_checkpoint()) || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_JOURNAL_ID = select(facts.c.value).where(facts.c.name == "journal_id")

_LEASE_PATIENCE = 3.0
"""Seconds that the question may take whether an attempt may still send; after that it may not."""

_COURTESY, _GLANCES = 0.5, 0.005
"""Seconds that who is patient lets others write first, and after which it looks again whether they do."""

_PAUSE = 0.2

_PATIENCE = 15.0
"""Seconds in which a connection that was lost is tried again: a server that is restarted is back by then."""


class PostgresDatabase(Database):
    """The journal's connection to its server, one for each process; it is made again where it was lost."""

    def __init__(self, server: Server, clock: Clock | None = None, *, makes_tables: bool = True) -> None:
        """Connect, and make the journal's tables where some are missing; another `clock` is for tests.

        Raises JournalError where the server cannot be reached or used, or its journal is of a newer program or moved.
        """
        self.place, self._server = server, server
        self._lock = threading.RLock()
        self._boot = self._journal_id = ""
        self._is_own_clock = clock is None
        now = self._now  # one for both: it is the same clock
        self.clock = clock or Clock(now, now, lambda: self._boot)
        self._connection: Connection | None = None
        self._moment: float | None = None
        postgres_words.require_driver(server)
        with self.explained():
            self._engine = create_engine(
                "postgresql+psycopg://", creator=self._connect, poolclass=NullPool, use_native_hstore=False
            )
            self._connection = self._engine.connect()
        try:
            if makes_tables:
                self._bring_up()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        """Connect to the server; raises psycopg's errors, and JournalError where it cannot hold a journal."""
        import psycopg  # noqa: PLC0415 - an extra, and slow to import

        try:
            raw = connect(self._server)
        except psycopg.ProgrammingError as error:  # its words quote the address, and perhaps the password
            raise postgres_words.not_understood(self.place) from error
        try:
            postgres_words.refuse_unusable(raw, self.place, OLDEST)
            (self._boot,) = raw.execute(_BOOT).fetchone() or ("",)  # after a failover it is another one
            raw.rollback()
        except BaseException:
            raw.close()
            raise
        return raw

    def _bring_up(self) -> None:
        """Make the tables that are missing, one process after another."""
        with self._transaction(_TAKE_LOCK, {"part": ""}) as connection:
            if connection.scalars(select(func.current_schema())).one() is None:
                self._make_schema(connection)
            missing, _is_new = missing_steps(connection, self.place)
            migrate(connection, missing, connection.scalars(_ASK_NOW).one())
            refuse_retired(connection, self.place)
            self._journal_id = connection.scalars(_JOURNAL_ID).first() or ""

    def _make_schema(self, connection: Connection) -> None:
        """Make the schema of the tables, unless there is one that this user may not use, or may not make."""
        path, may_create, is_there = connection.exec_driver_sql(
            "SELECT current_setting('search_path'), has_database_privilege(current_database(), 'CREATE'),"
            " EXISTS (SELECT FROM pg_namespace WHERE nspname = current_setting('search_path'))"
        ).one()
        if is_there or path != SCHEMA:  # one that the address names must be there
            raise postgres_words.no_right_in_schema(self.place, path, f"no right to use schema {path}")
        if not may_create:
            raise postgres_words.no_right_to_create(self.place, "permission denied for database")
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")

    @property
    def beside(self) -> Path:
        """The path, in this user's data folder, beside which outcomes are kept that the server does not take."""
        if not self._journal_id:
            with self.read() as connection:
                self._journal_id = connection.scalars(_JOURNAL_ID).one()
        return self._kept_of(self._journal_id)

    def kept_beside(self) -> Path | None:
        """Return the same, None where nothing can have been kept: the journal is new."""
        return self._kept_of(self._journal_id) if self._journal_id else None

    def _kept_of(self, journal_id: str) -> Path:
        folder = folder_of(self.place) / "servers"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / journal_id

    @contextmanager
    def write(self, part: str = "", *, patient: bool = False) -> Iterator[Connection]:
        """Give the connection for a transaction that is on the server's disk when the block ends, or undone."""
        if patient:
            self._let_others_write(part)
        with self._transaction(_TAKE_LOCK, {"part": part}) as connection:
            try:
                moved_to, self._moment = connection.execute(_MOVED_TO_AND_NOW).one()
                refuse_moved(moved_to, self.place)
                yield connection
            finally:
                self._moment = None

    def _let_others_write(self, part: str) -> None:
        """Wait while others write, but not for long: then wait in their line.

        The server lets them in in the order in which they came. With several writes a request, all requests of all
        machines would soon move in step, each waiting for all others; who has an answer to record lets those go first
        who are about to send, and the requests spread.
        """
        until = time.monotonic() + _COURTESY
        while not self._is_free(part) and time.monotonic() < until:
            time.sleep(_GLANCES * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    def _is_free(self, part: str) -> bool:
        """Tell whether nobody writes right now; where the server cannot say so, the transaction will say why."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            with self.explained():
                connection, answer = self._begin(_TRY_LOCK, {"part": part}, patience=0)
                try:
                    return bool(answer.scalar_one())
                finally:
                    self._undo(connection)
        except JournalError:
            return True
        finally:
            self._lock.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection for reading what is committed, all of one moment; nobody waits for it."""
        with self._transaction(_READ_ONLY) as connection:
            refuse_retired(connection, self.place)
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Give the connection for reading, whatever is there: perhaps no journal yet, or one that was moved."""
        with self._transaction(_READ_ONLY) as connection:
            yield connection

    @contextmanager
    def _transaction(self, first: Any, values: Mapping[str, object] | None = None) -> Iterator[Connection]:  # noqa: ANN401
        with self._lock, self.explained():
            connection, _answer = self._begin(first, values, patience=_PATIENCE)
            try:
                yield connection
                connection.commit()
            except BaseException:
                self._undo(connection)
                raise

    def _begin(
        self,
        first: Any,  # noqa: ANN401 - a statement
        values: Mapping[str, object] | None = None,
        *,
        patience: float,
    ) -> tuple[Connection, CursorResult[Any]]:
        """Begin a transaction with a first statement, on a new connection where the last one was lost.

        Nothing was done in it yet, so that trying again repeats nothing.
        """
        until = time.monotonic() + patience
        while True:
            is_new = self._connection is None
            try:
                if self._connection is None:
                    self._connection = self._engine.connect()
                answer = self._connection.execute(first, values)
            except BaseException as error:
                if self._connection is not None:
                    self._undo(self._connection)
                if (
                    not isinstance(error, DatabaseError)
                    or not postgres_words.is_lost(error)
                    or (is_new and time.monotonic() > until)
                ):
                    raise
                self._give_up()
                if is_new:
                    time.sleep(_PAUSE)
            else:
                return self._connection, answer

    def _undo(self, connection: Connection) -> None:
        """Undo a transaction; the connection is given up where that does not succeed."""
        try:
            connection.rollback()
            if not connection.invalidated and not connection.closed:
                return
        except (DatabaseError, DBAPIError):
            pass
        self._give_up()

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    @contextmanager
    def guarding_what_is_aside(self) -> Iterator[None]:
        """Keep the other threads and processes of this computer off, whether the server answers or not."""
        with self._lock, self.explained(), locked(self.beside):
            yield

    keep_aside = guarding_what_is_aside

    def _now(self) -> float:
        """Return the server's time; within a transaction that writes, that at which it could begin to."""
        with self._lock:
            if self._moment is not None:
                return self._moment
            if self._connection is not None and self._connection.in_transaction():
                return float(self._connection.scalars(_ASK_NOW).one())
            with self._transaction(_ASK_NOW) as connection:
                return float(connection.scalars(_ASK_NOW).one())

    def verify(self) -> None:
        """Do nothing: a server has no file that could be replaced unnoticed."""

    def trace(self) -> FileTrace:
        """Return that there are no files."""
        return FileTrace("")

    def still_sends(self, in_flight: Select[Any], number: int, token: str, boot: str, lease: float) -> bool:
        """Ask the server whether an attempt may still send; where it does not answer in time, it may not."""
        asked_at = elapsed()
        if not self._lock.acquire(timeout=_LEASE_PATIENCE):
            return False
        try:
            now = _NOW if self._is_own_clock else literal(self.clock.elapsed())
            query = in_flight.add_columns(now.label("now"))
            connection, answer = self._begin(query, {"number": number, "token": token}, patience=0)
            try:
                found = answer.one_or_none()
            finally:
                self._undo(connection)
        except (DatabaseError, JournalError):
            return False
        finally:
            self._lock.release()
        took = elapsed() - asked_at
        if found is None or took > _LEASE_PATIENCE:
            return False
        holds = found.boot == self.clock.boot() == boot and found.now + took < min(lease, found.lease)
        return bool(holds)

    def damages(self) -> tuple[list[str], int]:
        """Return nothing: the server checks its own pages, and keeps to the references between tables."""
        with self.write():
            return [], 0

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors of the server and of the connection into sentences that say what to do."""
        try:
            yield
        except (DatabaseError, OSError) as error:
            raise postgres_words.explain(error, self.place, SCHEMA) from error


def journal_id_on(server: Server) -> str | None:
    """Return the id of the journal on a server; None where there is none, "" where that cannot be found out.

    A journal that was moved away has none: it is not used any more.
    """
    try:
        with closing(PostgresDatabase(server, makes_tables=False)) as database, database.glance() as connection:
            if missing_steps(connection, server)[1]:
                return None
            return None if is_moved(connection) else connection.scalars(_JOURNAL_ID).first()
    except JournalError:
        return ""
