"""Named steps that bring a journal to this program's shape, each applied and recorded in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, inspect, select

from importer.errors import JournalError
from importer.journal import schema
from importer.messages import _


def m001_first_shape(connection: Connection) -> None:
    """Make the tables of the first release."""
    schema.metadata.create_all(connection)


def m002_fingerprints_of_reports(connection: Connection) -> None:
    """Let a report be noted with what it says, so that one that says the same need not be written again.

    A new journal has the column from its first step, which makes the tables as they are now.
    """
    if not any(column["name"] == "fingerprint" for column in inspect(connection).get_columns("reports")):
        connection.exec_driver_sql("ALTER TABLE reports ADD COLUMN fingerprint VARCHAR")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (m001_first_shape, m002_fingerprints_of_reports)


def migrate(connection: Connection, path: object, now: float) -> None:
    """Apply what is missing, inside the caller's transaction; `now` is in seconds since 1970.

    Raises JournalError where the journal was written by a newer program.
    """
    applied: set[str] = set()
    if inspect(connection).has_table(schema.migrations.name):
        applied = set(connection.scalars(select(schema.migrations.c.name)))
    if newer := applied - {step.__name__ for step in MIGRATIONS}:
        raise JournalError(
            _(
                "{path}: this journal was written by a newer version of case-importer ({steps}). Install that version"
                " again; this one would not understand what it finds.",
                path=path,
                steps=", ".join(sorted(newer)),
            )
        )
    for step in MIGRATIONS:
        if step.__name__ not in applied:
            step(connection)
            connection.execute(insert(schema.migrations).values(name=step.__name__, applied_at=now))
