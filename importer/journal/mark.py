"""The high-water mark: how far each journal has come, kept apart from the journals themselves.

A journal that was restored, forked or lost knows less than it did, and would send cases again. So the number of every
attempt is also in a file in the user's state folder, raised after the intent is committed and before the first byte is
sent. Several processes and journals share that file.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from platformdirs import user_state_path
from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from importer.commands import command_line, told
from importer.errors import JournalError
from importer.journal.database import Database
from importer.journal.mark_tables import create_missing, folder, imports, marks, updates
from importer.journal.storage import busy_seconds, computer_id, connect, create_private, make_durable, writing
from importer.journal.watched_file import FileTrace
from importer.journal_place import Place, parse_place
from importer.messages import _
from importer.system.causes import reason_of

Scope = tuple[str, str, str]
"""Tenant, operation and name of an import."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a journal has come: its highest attempt with that attempt's token, and its highest verdict."""

    attempt_id: int = 0
    token: str = ""
    decision_id: int = 0

    def __bool__(self) -> bool:
        """Tell whether it holds anything that could be lost."""
        return bool(self.attempt_id or self.decision_id)


@dataclass(frozen=True, slots=True)
class MarkRecord:
    """What the marks know of a journal: how far it has come, where it was, and which file that was."""

    journal_id: str
    reached: Reached
    place: Place
    trace: FileTrace
    raised_at: float


def _upsert_mark() -> Any:  # noqa: ANN401 - SQLAlchemy's own type has no public name
    new = insert(marks).values({column.name: bindparam(column.name, type_=column.type) for column in marks.columns})
    mine, known = new.excluded, marks.c
    same = and_(mine.attempt_id == known.attempt_id, mine.token == known.token)
    wins = or_(mine.attempt_id > known.attempt_id, same)  # a fork that lags behind moves nothing
    taken = ("attempt_id", "token", "path", "main", "written_at", "wal", "salt", "raised_at")
    return new.on_conflict_do_update(
        index_elements=["journal_id"],
        set_={
            "decision_id": func.max(known.decision_id, mine.decision_id),
            **{name: case((wins, mine[name]), else_=known[name]) for name in taken},
        },
    ).returning(*known)


def _upsert_import() -> Any:  # noqa: ANN401 - as above
    columns = {column.name: bindparam(column.name, type_=column.type) for column in imports.columns}
    new = insert(imports).values(columns)
    return new.on_conflict_do_update(
        index_elements=["tenant", "operation", "name", "journal_id"],
        set_={
            "attempt_id": func.max(imports.c.attempt_id, new.excluded.attempt_id),
            "raised_at": new.excluded.raised_at,
        },
    )


def _upsert_update() -> Any:  # noqa: ANN401 - as above
    new = insert(updates).values({column.name: bindparam(column.name, type_=column.type) for column in updates.columns})
    taken = {name: new.excluded[name] for name in ("update_id", "token")}
    higher = new.excluded.update_id > updates.c.update_id
    return new.on_conflict_do_update(index_elements=["journal_id"], set_=taken, where=higher)


_RAISE_MARK, _RAISE_IMPORT, _RAISE_UPDATE = _upsert_mark(), _upsert_import(), _upsert_update()
_OF_JOURNAL, _UPDATE_OF = (
    select(table).where(table.c.journal_id == bindparam("journal_id")) for table in (marks, updates)
)
_AT_PATH = select(marks).where(marks.c.path == bindparam("path")).order_by(marks.c.raised_at.desc())
_FOLDER_ID = select(folder.c.id)


def state_path() -> Path:
    """Return the file of the marks, in the user's state folder (on Linux, XDG_STATE_HOME moves it)."""
    return user_state_path("case-importer", appauthor=False) / "marks.db"


class Marks:
    """The marks of all journals that this user's state folder knows.

    Where the file cannot be used, `problem` is the error that every method raises; commands that only read still work.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path or state_path(), clock
        self.problem: JournalError | None = None
        self.computer_id = ""
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        try:
            with self._transaction() as connection:
                create_missing(connection)
                self.computer_id = computer_id(_folder_id(connection))
        except JournalError as error:
            self.problem = error

    def of_journal(self, journal_id: str) -> MarkRecord | None:
        """Return what is known of a journal by its id."""
        return self.known_of(journal_id)[0]

    def known_of(self, journal_id: str) -> tuple[MarkRecord | None, tuple[int, str]]:
        """Return what is known of a journal, and the number and the token of its highest update, 0 for none."""
        with self._transaction() as connection:
            found = _found(connection, _OF_JOURNAL, journal_id=journal_id)
            return found, _update_of(connection, journal_id)

    def at_path(self, path: Place) -> MarkRecord | None:
        """Return what is known of the journal that was last used at a path."""
        with self._transaction() as connection:
            return _found(connection, _AT_PATH, path=str(path))

    def of_import(self, scope: Scope, but: str) -> tuple[MarkRecord, int] | None:
        """Return the other journal that sent for an import most recently, and its highest attempt for it."""
        query = (
            select(marks, imports.c.attempt_id.label("of_import"))
            .join(imports, imports.c.journal_id == marks.c.journal_id)
            .where(imports.c.tenant == scope[0], imports.c.operation == scope[1], imports.c.name == scope[2])
            .where(marks.c.journal_id != but, imports.c.attempt_id > 0)
            .order_by(imports.c.raised_at.desc())
        )
        with self._transaction() as connection:
            found = connection.execute(query).first()
        return None if found is None else (_record(found), found.of_import)

    def imports_of(self, journal_id: str) -> list[Scope]:
        """Return the imports for which a journal has sent, whether the journal itself knows it or not."""
        query = select(imports.c.tenant, imports.c.operation, imports.c.name)
        with self._transaction() as connection:
            found = connection.execute(query.where(imports.c.journal_id == journal_id)).all()
        return [(tenant, operation, name) for tenant, operation, name in found]

    def raise_to(self, record: MarkRecord, imports: dict[Scope, int]) -> MarkRecord:
        """Raise a journal's mark and those of some of its imports; return the mark as it is now, higher or not."""
        now = self._clock()
        with self._transaction() as connection:
            for (tenant, operation, name), attempt_id in imports.items():
                values = {"tenant": tenant, "operation": operation, "name": name, "attempt_id": attempt_id}
                connection.execute(_RAISE_IMPORT, {**values, "journal_id": record.journal_id, "raised_at": now})
            return _record(connection.execute(_RAISE_MARK, _values(record, now)).one())

    def raise_update(self, journal_id: str, update_id: int, token: str) -> tuple[int, str]:
        """Raise the mark of a journal's updates; return it as it is now, higher or not."""
        with self._transaction() as connection:
            connection.execute(_RAISE_UPDATE, {"journal_id": journal_id, "update_id": update_id, "token": token})
            return _update_of(connection, journal_id)

    def set(self, record: MarkRecord, imports: dict[Scope, int]) -> None:
        """Set a journal's mark, even lower than before: a person said that the journal can be trusted again."""
        with self._transaction() as connection:
            for table in (marks, updates):
                connection.execute(table.delete().where(table.c.journal_id == record.journal_id))
        self.raise_to(record, imports)

    def forget_wal(self, path: Place) -> None:
        """Forget the `-wal` file at a path: the one that will be there is not the one that was noted."""
        with self._transaction() as connection:
            connection.execute(
                marks.update().where(marks.c.path == str(path)).values(written_at=None, wal=None, salt=None)
            )

    def close(self) -> None:
        """Close the file; what was raised is on the disk."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        create_private(self.path)
        raw = sqlite3.connect(self.path, timeout=busy_seconds(), isolation_level=None, check_same_thread=False)
        try:
            make_durable(raw, self.path)
        except BaseException:
            raw.close()
            raise
        return raw

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self.problem is not None:
            raise self.problem
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = connect(self._open)
                with writing(self._connection):
                    yield self._connection
        except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> JournalError:
        cause = error.orig if isinstance(error, DatabaseError) and error.orig else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return JournalError(
                told(
                    _(
                        "{path}: the record of how far each journal has come is damaged ({cause}). Nothing is sent"
                        " without it. Move this file and the two beside it (-wal, -shm) away; the next run then asks"
                        " whether the journal was moved to this computer (--moved-here).",
                        path=self.path,
                        cause=reason_of(cause),
                    ),
                    _(
                        "{path}: the record of how far each journal has come is damaged ({cause})."
                        " Nothing is sent without it. Move this file and the two beside it (-wal,"
                        " -shm) to another folder; the page Send then asks whether the journal was"
                        " moved to this computer.",
                        path=self.path,
                        cause=reason_of(cause),
                    ),
                )
            )
        return JournalError(
            _(
                "{path}: the record of how far each journal has come cannot be written ({cause}). Nothing is sent"
                " without it. Check that the disk has room, that the folder exists and that you may write to it. On"
                " Linux, the environment variable XDG_STATE_HOME names another folder.",
                path=self.path,
                cause=reason_of(cause),
            )
        )


class Mark:
    """The mark of one open journal."""

    def __init__(self, marks: Marks, journal_id: str, journal: Database, token_of: Callable[[int], str | None]) -> None:
        """Take the journal's id, its database, and a function that returns the token of one of its attempts."""
        self._marks, self._journal_id, self._journal, self._token_of = marks, journal_id, journal, token_of

    def raise_to(self, attempt_id: int, token: str, scope: Scope) -> None:
        """Write an attempt whose intent is committed to the disk; only then may its first byte be sent.

        Raises JournalError where that fails, where the journal's file is no longer the one that was opened, or where
        another copy of the journal went on meanwhile: then nothing may be sent.
        """
        self._journal.verify()
        reached = Reached(attempt_id, token)
        now = self._marks.raise_to(self._record(reached), {scope: attempt_id}).reached
        if (now.attempt_id, now.token) != (attempt_id, token) and self._token_of(now.attempt_id) != now.token:
            raise self._another_copy(now.attempt_id)

    def raise_update(self, update_id: int, token: str, token_of: Callable[[int], str | None]) -> None:
        """Do for an update what `raise_to` does for an attempt; `token_of` gives the token of one of the journal's."""
        self._journal.verify()
        now = self._marks.raise_update(self._journal_id, update_id, token)
        if now != (update_id, token) and token_of(now[0]) != now[1]:
            raise self._another_copy(now[0])

    def _another_copy(self, number: int) -> JournalError:
        check = command_line("journal", "check", "--journal", self._journal.place)
        values = {"path": self._journal.place, "command": check, "number": number}
        return JournalError(
            told(
                _(
                    "{path}: another copy of this journal is in use: it has made attempt {number}, which this one does"
                    " not have. Nothing more is sent with this one. Remove one of the two; `{command}` shows which"
                    " knows more.",
                    **values,
                ),
                _(
                    "{path}: another copy of this journal is in use, and knows more than this one. Nothing more is sent"
                    " with this one. Ask whoever set this program up which of the two is the right one.",
                    **values,
                ),
            )
        )

    def note(self, reached: Reached, imports: dict[Scope, int] | None = None) -> None:
        """Raise the mark to what the journal has, and note where the journal is."""
        self._marks.raise_to(self._record(reached), imports or {})

    def set(self, reached: Reached, imports: dict[Scope, int]) -> None:
        """Set the mark to what the journal has, even if that is less."""
        self._marks.set(self._record(reached), imports)

    def _record(self, reached: Reached) -> MarkRecord:
        return MarkRecord(self._journal_id, reached, self._journal.place, self._journal.trace(), 0)


def _folder_id(connection: Connection) -> str:
    """Return the id of this state folder, made once."""
    found: str | None = connection.scalars(_FOLDER_ID).first()
    if found is None:
        found = uuid4().hex
        connection.execute(folder.insert().values(id=found))
    return found


def _found(connection: Connection, query: Select[Any], **values: object) -> MarkRecord | None:
    found = connection.execute(query, values).first()
    return None if found is None else _record(found)


def _update_of(connection: Connection, journal_id: str) -> tuple[int, str]:
    found = connection.execute(_UPDATE_OF, {"journal_id": journal_id}).first()
    return (found.update_id, found.token) if found else (0, "")


def _values(record: MarkRecord, now: float) -> dict[str, object]:
    return {
        "journal_id": record.journal_id,
        "attempt_id": record.reached.attempt_id,
        "token": record.reached.token,
        "decision_id": record.reached.decision_id,
        "path": str(record.place),
        "main": record.trace.main,
        "written_at": record.trace.written_at,
        "wal": record.trace.wal,
        "salt": record.trace.salt,
        "raised_at": now,
    }


def _record(found: Row[Any]) -> MarkRecord:
    return MarkRecord(
        found.journal_id,
        Reached(found.attempt_id, found.token, found.decision_id),
        parse_place(found.path),
        FileTrace(found.main, found.written_at, found.wal, found.salt),
        found.raised_at,
    )
