"""A journal handed over between a file and a server: whole, and read again, before it counts."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from importer.commands import command_line
from importer.errors import JournalError
from importer.journal.backup import take_name
from importer.journal.copying import TABLES, copy_records
from importer.journal.dialects import binary_order
from importer.journal.migrations import missing_steps
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.schema import contacts, decisions, facts, imports, runs
from importer.journal.sqlite_database import SqliteDatabase
from importer.journal_place import Server
from importer.messages import _
from importer.system.causes import reason_of
from importer.system.clock import Clock

_AT_ONCE = 5_000


def copy_to_server(source: Connection, target: Server) -> Server:
    """Write the records that a connection sees to a server, in one transaction, and compare them; return the server.

    Raises JournalError where a journal is there already that knows something, or the copy is not the same.
    """
    with closing(PostgresDatabase(target, makes_tables=False)) as there, there.glance() as connection:
        if not missing_steps(connection, target)[1]:
            _refuse_used(connection, target, _id_of(source))  # without its lock: it may be the same journal
    with closing(PostgresDatabase(target)) as copy, copy.write() as connection:
        _refuse_used(connection, target)
        copy_records(source, connection)
        _refuse_other(source, connection, target)
    return target


def copy_from_server(source: Connection, server: Server, target: Path) -> Path:
    """Write the records that a connection to a server sees to a new file, and compare them; return the file.

    Raises JournalError where the file exists, or the copy is not the same; then there is none.
    """
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
            written = Path(folder) / target.name
            with closing(SqliteDatabase(written, Clock())) as copy, copy.write() as connection:
                copy_records(source, connection)
                _refuse_other(source, connection, target)
            with closing(sqlite3.connect(written, isolation_level=None)) as raw:
                raw.execute("PRAGMA journal_mode = DELETE")  # a single file, without a -wal beside it
            take_name(written, target)
    except FileExistsError as error:
        existing = error.filename2 or error.filename
        raise JournalError(_("{path}: this file exists already. Choose another name.", path=existing)) from error
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            _(
                "{path} could not be copied to {target} ({cause}); nothing was changed. Check that the folder exists,"
                " that you may write to it, and that the disk has room.",
                path=server,
                target=target,
                cause=reason_of(error),
            )
        ) from error
    return target


def _id_of(connection: Connection) -> str | None:
    return connection.scalars(select(facts.c.value).where(facts.c.name == "journal_id")).first()


def _refuse_used(connection: Connection, target: Server, own_id: str | None = None) -> None:
    """Raise JournalError where a journal is there that knows something, or is the one that is copied."""
    used = (connection.execute(select(table).limit(1)).first() for table in (imports, runs, contacts, decisions))
    if any(used) or (own_id and _id_of(connection) == own_id):
        raise JournalError(
            _("{path}: there is a journal already, which is not overwritten. Name another database.", path=target)
        )


def _refuse_other(source: Connection, copy: Connection, target: object) -> None:
    """Raise JournalError unless every record of the copy is as it is in the journal."""
    for table in TABLES:
        with closing(_records(source, table)) as records, closing(_records(copy, table)) as copies:
            is_same = all(record == copied for record, copied in zip_longest(records, copies))
        if not is_same:
            raise JournalError(
                _(
                    "{path}: the copy is not the same as the journal ({table}), and was not kept. Try again; where"
                    " that does not help, check the journal with `{command}`.",
                    path=target,
                    command=command_line("journal", "check"),
                    table=table.name,
                )
            )


def _records(connection: Connection, table: Table) -> Generator[tuple[Any, ...], None, None]:
    """Yield the records of a table in the order of its key, which is the same in both databases."""
    key = (binary_order(connection, column) for column in table.primary_key)
    found = connection.execute(select(table).order_by(*key), execution_options={"yield_per": _AT_ONCE})
    with closing(found):
        yield from (tuple(record) for record in found)
