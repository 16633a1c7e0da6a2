"""Named steps that bring a journal to the current schema, each applied and recorded in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select

from importer.errors import JournalError
from importer.journal import schema
from importer.journal.dialects import is_server
from importer.journal.migrations import attempts_by_boot, contacts, first_shape, queue, token_limits, updates
from importer.messages import _


def m001_first_shape(connection: Connection) -> None:
    """Create the tables of the first release."""
    first_shape.create(connection)


def m002_fingerprints_of_reports(connection: Connection) -> None:
    """Add the fingerprint of a report's content, so that an equal report need not be written again.

    A journal that 0.1.0 created has the column from its first step.
    """
    if not any(column["name"] == "fingerprint" for column in inspect(connection).get_columns("reports")):
        connection.exec_driver_sql("ALTER TABLE reports ADD COLUMN fingerprint VARCHAR")


def m003_attempts_by_boot(connection: Connection) -> None:
    """Measure attempts by a clock that counts sleep; add tables for ids that arrived, and for answers to questions."""
    attempts_by_boot.apply(connection)


def m004_edited_columns_and_sources_of_reports(connection: Connection) -> None:
    """Add digests of each row's columns, which tell which of them were edited, and the source of each report."""
    connection.exec_driver_sql("ALTER TABLE rows ADD COLUMN column_digests VARCHAR")
    connection.exec_driver_sql("ALTER TABLE reports ADD COLUMN source VARCHAR")
    connection.execute(insert(schema.facts).values(name="column_secret", value=secrets.token_hex(16)))


def m005_corrections_of_runs(connection: Connection) -> None:
    """Add the digest of the corrections with which each run was made."""
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN corrections_digest VARCHAR")


def m006_uncorrected_keys(connection: Connection) -> None:
    """Add the keys that rows have where the corrections are lost under which they were sent."""
    connection.exec_driver_sql(
        "CREATE TABLE uncorrected_keys (digest VARCHAR NOT NULL, import_id INTEGER NOT NULL REFERENCES imports (id),"
        " row_id INTEGER NOT NULL REFERENCES rows (id), partly BOOLEAN NOT NULL,"
        f" PRIMARY KEY (digest, import_id, row_id)){'' if is_server(connection) else ' WITHOUT ROWID'}"
    )


def m007_contacts(connection: Connection) -> None:
    """Add what is known of contacts, and the attempts to create them."""
    contacts.create(connection)


def m008_updates(connection: Connection) -> None:
    """Add the updates of cases whose rows were edited after their creation."""
    updates.apply(connection)


def m009_verifications(connection: Connection) -> None:
    """Add the cases that the CRM showed as the sheet said, so that a verification can go on."""
    connection.exec_driver_sql(
        "CREATE TABLE verifications (row_id INTEGER NOT NULL PRIMARY KEY REFERENCES rows (id),"
        " content_hash VARCHAR NOT NULL, mapping_digest VARCHAR NOT NULL, wolkvox_id VARCHAR NOT NULL, files INTEGER,"
        " at FLOAT NOT NULL)"
    )


def m010_token_limits(connection: Connection) -> None:
    """Add the slots and the pace that all who use a token share."""
    token_limits.create(connection)


def m011_queue(connection: Connection) -> None:
    """Add the imports that were queued for machines, and the shares of their rows."""
    queue.create(connection)


def m012_late_starts(connection: Connection) -> None:
    """Add when it was told last that a queued import had not begun in time."""
    connection.exec_driver_sql("ALTER TABLE queued_imports ADD COLUMN late_told FLOAT")


Step = Callable[[Connection], None]

MIGRATIONS: tuple[Step, ...] = (
    m001_first_shape,
    m002_fingerprints_of_reports,
    m003_attempts_by_boot,
    m004_edited_columns_and_sources_of_reports,
    m005_corrections_of_runs,
    m006_uncorrected_keys,
    m007_contacts,
    m008_updates,
    m009_verifications,
    m010_token_limits,
    m011_queue,
    m012_late_starts,
)


def missing_steps(connection: Connection, path: object) -> tuple[tuple[Step, ...], bool]:
    """Return the steps that a journal lacks, and whether it is a new file that lacks all of them; change nothing.

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
    return tuple(step for step in MIGRATIONS if step.__name__ not in applied), not applied


def migrate(connection: Connection, steps: Sequence[Step], now: float) -> None:
    """Apply the missing steps, inside the caller's transaction; `now` is in seconds since 1970."""
    for step in steps:
        step(connection)
        connection.execute(insert(schema.migrations).values(name=step.__name__, applied_at=now))
