"""One sequence of numbers for attempts of every kind: by it the high-water mark knows how far a journal has come."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from importer.journal.schema import attempts, contact_attempts

_KINDS = (attempts, contact_attempts)
_HIGHEST = select(*(select(func.max(kind.c.id)).scalar_subquery() for kind in _KINDS))
_TOKENS = tuple(select(kind.c.token).where(kind.c.id == bindparam("number")) for kind in _KINDS)


def next_number(connection: Connection) -> int:
    """Return the number of the next attempt, of whatever kind."""
    return _highest(connection) + 1


def newest(connection: Connection) -> tuple[int, str]:
    """Return the number and the token of the newest attempt; 0 and an empty text before the first."""
    number = _highest(connection)
    return number, token_of(connection, number) or ""


def token_of(connection: Connection, number: int) -> str | None:
    """Return the token of an attempt, None where the journal has none of this number."""
    found = (connection.scalars(query, {"number": number}).first() for query in _TOKENS)
    return next((token for token in found if token is not None), None)


def _highest(connection: Connection) -> int:
    return max(number or 0 for number in connection.execute(_HIGHEST).one())
