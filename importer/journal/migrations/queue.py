"""Imports that were queued for machines, and the shares in which their rows are handed out.

The tables are frozen as this step leaves them.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, String, Table

metadata = MetaData()

_queued_imports = Table(
    "queued_imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("options", String, nullable=False),
    Column("source_digest", String),
    Column("mapping_digest", String, nullable=False),
    Column("corrections_digest", String),
    Column("every", String),
    Column("until", String),
    Column("expect_by", String),
    Column("user", String, nullable=False),
    Column("submitted_at", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("not_before", Float),
    Column("begun_at", Float),
    Column("run_id", Integer),
    Column("quota_resets_at", Float),
    Column("pause", String),
    Column("exit_status", Integer),
    Column("message", String),
    Column("failures", Integer, nullable=False),
    Column("refusals", String, nullable=False),
    Column("holder", String),
    Column("boot", String),
    Column("began", Float),
    Column("lease", Float),
)

_shares = Table(
    "shares",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("queued_id", Integer, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("rows", String, nullable=False),
    Column("state", String, nullable=False),
    Column("holder", String),
    Column("boot", String),
    Column("began", Float),
    Column("lease", Float),
    Column("tried", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Index("shares_by_queued_import", "queued_id", "state"),
)


def create(connection: Connection) -> None:
    """Add the tables."""
    metadata.create_all(connection, tables=[_queued_imports, _shares])
