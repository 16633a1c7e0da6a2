"""The slots and the pace of a token, shared by all processes and machines that use one journal.

The tables are frozen as this step leaves them.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Float, Integer, MetaData, String, Table

metadata = MetaData()

_slots = Table(
    "token_slots",
    metadata,
    Column("scope", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("holder", String),
    Column("owner", String),
    Column("boot", String),
    Column("began", Float),
    Column("lease", Float),
)

_pace = Table(
    "token_pace",
    metadata,
    Column("scope", String, primary_key=True),
    Column("boot", String, nullable=False),
    Column("noted", Float, nullable=False),
    Column("next_start", Float, nullable=False),
    Column("gate", Float, nullable=False),
    Column("doubts", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
)


def create(connection: Connection) -> None:
    """Add the tables."""
    metadata.create_all(connection, tables=[_slots, _pace])
