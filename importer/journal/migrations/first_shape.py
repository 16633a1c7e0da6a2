"""The tables of version 0.1.0, frozen: what a journal of that version looks like, whatever the program uses today."""

from __future__ import annotations

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
    UniqueConstraint,
)

metadata = MetaData()

migrations = Table(
    "migrations",
    metadata,
    Column("name", String, primary_key=True),
    Column("applied_at", Float, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("name", String, nullable=False),
    Column("bound_to", String),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant", "operation", "name"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("name", String, nullable=False),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    UniqueConstraint("tenant", "operation", "name"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("source", String, nullable=False),
    Column("source_digest", String, nullable=False),
    Column("mapping_digest", String, nullable=False),
    Column("server", String, nullable=False),
    Column("user", String, nullable=False),
    Column("program", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("calls", Integer),
    Column("counts", String),
    Column("exit_status", Integer),
)

column_sets = Table(
    "column_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("names", String, nullable=False, unique=True),
)

rows = Table(
    "rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("key_digest", String, nullable=False),
    Column("loose_digest", String, nullable=False),
    Column("reference", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("column_set_id", ForeignKey("column_sets.id"), nullable=False),
    Column("changed", Boolean, nullable=False, default=False),
    Column("attempt_id", Integer),
    Column("wolkvox_id", String),
    Column("id_prefijo", String),
    Column("message", String, nullable=False, default=""),
    Column("sent_at", Float),
    Column("run_id", Integer),
    UniqueConstraint("import_id", "key_digest"),
    Index("rows_by_loose_digest", "import_id", "loose_digest"),
    Index("rows_by_state", "import_id", "state"),
    Index("rows_by_key_digest", "key_digest"),
    Index("rows_by_wolkvox_id", "wolkvox_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("owner", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("clock_gap", Float, nullable=False),
    Column("body_length", Integer, nullable=False),
    Column("search_field", String),
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

reports = Table(
    "reports",
    metadata,
    Column("digest", String, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("written_at", Float, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("how", String, nullable=False),
    Column("state", String, nullable=False),
    Column("wolkvox_id", String),
    Column("user", String, nullable=False),
    Column("decided_at", Float, nullable=False),
)


def create(connection: Connection) -> None:
    """Create the tables."""
    metadata.create_all(connection)
