"""Updates of cases whose rows were edited, and the newest update of each row.

The table is frozen as this step leaves it.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Float, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData()
for _known in ("rows", "runs", "column_sets"):
    Table(_known, metadata, Column("id", Integer, primary_key=True))  # made by an earlier step; named for the keys

_updates = Table(
    "updates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("owner", String, nullable=False),
    Column("token", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("boot", String, nullable=False),
    Column("began", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("lease", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("ended_at", Float),
    Column("http_status", Integer),
    Column("code", String),
    Column("message", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("column_digests", String, nullable=False),
    Column("column_set_id", ForeignKey("column_sets.id"), nullable=False),
    Index("updates_by_row", "row_id"),
    Index("updates_by_run", "run_id"),
)


def apply(connection: Connection) -> None:
    """Add the table, and to each row the number of its newest update."""
    _updates.create(connection)
    connection.exec_driver_sql("ALTER TABLE rows ADD COLUMN update_id INTEGER")
