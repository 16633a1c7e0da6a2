"""The journal's own tables, in a file or on a server, as tests read and change them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from importer.journal.postgres_connection import connect
from importer.journal_place import Place, Server


def ask(place: Place, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Execute a statement, with `?` for each value, and commit it; return what it yields."""
    if isinstance(place, Server):
        with closing(connect(place)) as server, server:
            cursor = server.execute(statement.replace("?", "%s") if values else statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(place)) as file, file:
        return file.execute(statement, values).fetchall()
