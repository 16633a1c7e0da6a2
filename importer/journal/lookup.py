"""Looking up many values at once, at little more than what the database itself takes for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select

AT_ONCE = 500
"""Values in one statement, well under SQLite's limit."""


class Lookup:
    """A query without parameters, narrowed to the rows of one import that have one of many values in a column.

    Its text is made once: SQLAlchemy would spell out each list of values anew, and take as long for that as the
    database for finding them. What comes back is as the database has it.
    """

    def __init__(
        self, query: Select[*tuple[Any, ...]], of_import: ColumnElement[int], column: ColumnElement[str]
    ) -> None:
        """Narrow the query; `of_import` is what equals the import's number."""
        self._query = query.where(of_import == 0, column.in_([""] * AT_ONCE))
        self._text: str | None = None

    def find(self, connection: Connection, import_id: int, values: Sequence[str]) -> Iterator[Row[*tuple[Any, ...]]]:
        """Yield what the query finds for these values."""
        if self._text is None:
            self._text = str(self._query.compile(connection, compile_kwargs={"render_postcompile": True}))
        for start in range(0, len(values), AT_ONCE):
            some = values[start : start + AT_ONCE]
            padding = [some[-1]] * (AT_ONCE - len(some))  # a value that is asked for twice is found once
            yield from connection.exec_driver_sql(self._text, (import_id, *some, *padding)).all()
