"""The tables of the file of marks, which several processes and journals of a user share."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Float, Integer, MetaData, String, Table, inspect

metadata = MetaData()
folder = Table("folder", metadata, Column("id", String, primary_key=True))
marks = Table(
    "marks",
    metadata,
    Column("journal_id", String, primary_key=True),
    Column("attempt_id", Integer, nullable=False),
    Column("token", String, nullable=False),
    Column("decision_id", Integer, nullable=False),  # the highest verdict of the journal: `adopt` sends nothing
    Column("path", String, nullable=False),
    Column("main", String, nullable=False),
    Column("written_at", Integer),
    Column("wal", String),
    Column("salt", Integer),
    Column("raised_at", Float, nullable=False),
)
imports = Table(
    "imports",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("journal_id", String, primary_key=True),
    Column("attempt_id", Integer, nullable=False),
    Column("raised_at", Float, nullable=False),
)
updates = Table(  # a table of its own, because the file may be of a version that knew none
    "updates",
    metadata,
    Column("journal_id", String, primary_key=True),
    Column("update_id", Integer, nullable=False),
    Column("token", String, nullable=False),
)


def create_missing(connection: Connection) -> None:
    """Create the tables that the file lacks; which are there is one question, asked each time a journal is opened."""
    there = inspect(connection).get_table_names()
    for table in metadata.sorted_tables:
        if table.name not in there:
            table.create(connection, checkfirst=False)
