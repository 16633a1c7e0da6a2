"""Statements of every row: Core expressions that are compiled once, and carried out by the database's own driver.

SQLAlchemy's way of carrying out a statement costs each row several times what the database does for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.engine.interfaces import DBAPICursor


class Prepared:
    """A Core statement in one database's SQL; `columns` are those that an UPDATE sets, by their own names.

    Its values go to the driver as they are, so they have to be what any driver takes: numbers, texts, None.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> None:
        compiled = dialect.statement_compiler(dialect, statement, column_keys=columns)
        self._sql = str(compiled)
        self._places = compiled.positiontup  # None where the driver takes values by name
        self._constants = dict(compiled.params)

    def run(self, cursor: DBAPICursor, values: Mapping[str, object]) -> DBAPICursor:
        """Carry it out with these values by name; return the cursor, which holds what it gives back."""
        named = {**self._constants, **values}
        cursor.execute(self._sql, named if self._places is None else tuple(map(named.__getitem__, self._places)))
        return cursor
