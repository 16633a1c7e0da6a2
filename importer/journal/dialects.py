"""The few statements that SQLite and PostgreSQL each say in their own words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, collate, func, select
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Return the statement that adds records, where those that are there already stay as they are."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_replace(connection: Connection, table: Table, key: tuple[str, ...], *changed: str) -> Insert:
    """Return the statement that adds records; of those with the same key, the named columns are replaced."""
    new = _insert(connection, table)
    return new.on_conflict_do_update(index_elements=list(key), set_={name: new.excluded[name] for name in changed})


def _insert(connection: Connection, table: Table) -> Insert:
    return postgresql.insert(table) if is_server(connection) else sqlite.insert(table)


def is_server(connection: Connection) -> bool:
    """Tell whether a connection is to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def continue_numbers(connection: Connection, table: Table) -> None:
    """Let the next record of a table get the number after the highest; SQLite does so by itself."""
    number = table.autoincrement_column
    if number is not None and is_server(connection):
        sequence = func.pg_get_serial_sequence(table.name, number.name)
        highest = select(func.max(number)).scalar_subquery()
        connection.execute(select(func.setval(sequence, func.coalesce(highest, 0) + 1, False)))  # noqa: FBT003


def binary_order(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return how to order by a column so that both databases agree: texts by their code points."""
    return collate(column, "C") if is_server(connection) and isinstance(column.type, String) else column
