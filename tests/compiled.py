"""What all journals of a process begin with, made once: our statements as SQL, and empty tables.

The tests open thousands.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Dialect
from sqlalchemy.schema import ExecutableDDLElement

from importer.journal.migrations import MIGRATIONS, Step, migrate

Patch = Callable[[Any, str, Any], object]
"""`setattr`, or one that is undone."""


def compile_once(patch: Patch) -> None:
    """Let every journal use what was compiled for the ones before; those in files do so by themselves."""
    patch(importlib.import_module("importer.journal.postgres_database"), "create_engine", _engines_that_share())
    patch(ExecutableDDLElement, "compile", _tables_that_are_known())
    patch(importlib.import_module("importer.journal.sqlite_database"), "migrate", _tables_that_were_made())


def _engines_that_share() -> Callable[..., sqlalchemy.Engine]:
    known: list[Dialect] = []
    compiled: dict[object, object] = {}

    def create_engine(*arguments: Any, **options: Any) -> sqlalchemy.Engine:  # noqa: ANN401 - passed on
        engine = sqlalchemy.create_engine(*arguments, **options)
        if not known or known[0].server_version_info is None:  # its engine could not connect
            known[:] = [engine.dialect]
        else:
            engine.dialect = known[0]  # a part of the keys
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    return create_engine


def _tables_that_are_known() -> Callable[..., object]:
    """Return a function that writes how a table is created, for which SQLAlchemy has no cache itself."""
    afresh, known = ExecutableDDLElement.compile, {}

    def compiled(element: ExecutableDDLElement, **options: Any) -> object:  # noqa: ANN401 - passed on
        what = (type(element), element.element, *options.items())
        if what not in known:
            known[what] = afresh(element, **options)
        return known[what]

    return compiled


def _tables_that_were_made() -> Callable[[Connection, Sequence[Step], float], None]:
    """Return a function that makes all tables of a new journal as its steps made those of the first one."""
    tables: list[str] = []

    def made(connection: Connection, steps: Sequence[Step], now: float) -> None:
        if tuple(steps) != MIGRATIONS:
            migrate(connection, steps, now)
        elif not tables:
            migrate(connection, steps, now)
            query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            tables[:] = connection.exec_driver_sql(query).scalars()  # threads may open their first journals at once
        else:
            cursor = connection.connection.cursor()
            for statement in tables:
                cursor.execute(statement)
            cursor.executemany("INSERT INTO migrations VALUES (?, ?)", [(step.__name__, now) for step in steps])
            cursor.execute("INSERT INTO facts VALUES ('column_secret', ?)", (secrets.token_hex(16),))

    return made
