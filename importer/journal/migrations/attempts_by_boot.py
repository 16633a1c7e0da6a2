"""Attempts measured by a clock that counts sleep, ids that arrived, and the questions that were answered.

The tables are frozen as this step leaves them. Attempts of before have no boot: of their leases, what is left by the
wall clock is kept, never more than they had, and it counts from when they are next looked at.
"""

from __future__ import annotations

import time

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

from importer.journal.dialects import is_server

metadata = MetaData()
for _known in ("rows", "runs", "imports"):
    Table(_known, metadata, Column("id", Integer, primary_key=True))  # made by an earlier step; named for the keys

_attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("owner", String, nullable=False),
    Column("token", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("boot", String),
    Column("began", Float),
    Column("deadline", Float),
    Column("lease", Float),
    Column("body_length", Integer, nullable=False),
    Column("search_field", String),
    Column("mark_place", String),
    Column("search_value", String),
    Column("ended_at", Float),
    Column("verdict", String),
    Column("http_status", Integer),
    Column("code", String),
    Column("wolkvox_id", String),
    Column("message", String),
    Index("attempts_by_row", "row_id"),
    Index("attempts_by_run", "run_id"),
)
_new = (
    Table(
        "arrived_ids",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("row_id", ForeignKey("rows.id"), nullable=False),
        Column("attempt_id", Integer),
        Column("wolkvox_id", String, nullable=False),
        Column("how", String, nullable=False),
        Column("dismissed", Boolean, nullable=False),
        Column("arrived_at", Float, nullable=False),
        Index("arrived_ids_by_row", "row_id"),
        Index("arrived_ids_by_wolkvox_id", "wolkvox_id"),
    ),
    Table(
        "row_spellings",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("import_id", ForeignKey("imports.id"), nullable=False),
        Column("row_id", ForeignKey("rows.id"), nullable=False),
        Column("digest", String, nullable=False),
        Index("row_spellings_by_digest", "import_id", "digest"),
    ),
    Table(
        "spot_checks",
        metadata,
        Column("import_id", ForeignKey("imports.id"), primary_key=True),
        Column("source_digest", String, primary_key=True),
        Column("checked_at", Float, nullable=False),
    ),
    Table("facts", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False)),
    Table(
        "computers",
        metadata,
        Column("id", String, primary_key=True),
        Column("first_seen_at", Float, nullable=False),
    ),
    Table(
        "decisions",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("question", String, nullable=False),
        Column("about", String, nullable=False),
        Column("answer", String, nullable=False),
        Column("user", String, nullable=False),
        Column("decided_at", Float, nullable=False),
        Index("decisions_by_question", "question", "about"),
    ),
)
_ADDED = (
    "ALTER TABLE imports ADD COLUMN key_rule VARCHAR",
    "ALTER TABLE rows ADD COLUMN disputed BOOLEAN NOT NULL DEFAULT {no}",
    "ALTER TABLE rows ADD COLUMN deleted BOOLEAN NOT NULL DEFAULT {no}",
    "ALTER TABLE verdicts ADD COLUMN attempt_id INTEGER",
)
_KEPT = (
    "id, row_id, run_id, owner, started_at, body_length, search_field, search_value,"
    " ended_at, verdict, http_status, code, wolkvox_id, message"
)


def apply(connection: Connection) -> None:
    """Change the tables of 0.1.0; every row, attempt and verdict stays."""
    for statement in _ADDED:
        connection.exec_driver_sql(statement.format(no="FALSE" if is_server(connection) else "0"))
    for index in ("attempts_by_row", "attempts_by_run"):
        connection.exec_driver_sql(f"DROP INDEX {index}")
    if is_server(connection):
        connection.exec_driver_sql("DROP TABLE attempts")  # there was no such journal on a server before this step
        metadata.create_all(connection, tables=[_attempts, *_new])
        return
    connection.exec_driver_sql("ALTER TABLE attempts RENAME TO attempts_before")
    metadata.create_all(connection, tables=[_attempts, *_new])
    left = f"min(max(0, lease_until - {time.time()!r}), max(0, lease_until - started_at))"
    lengths = f"0, {left}, {left}"
    connection.exec_driver_sql(
        f"INSERT INTO attempts ({_KEPT}, token, began, deadline, lease)"  # noqa: S608 - no value
        f" SELECT {_KEPT}, '', {lengths} FROM attempts_before"
    )
    connection.exec_driver_sql("DROP TABLE attempts_before")
