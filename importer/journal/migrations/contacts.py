"""Contacts as the journal knows them, and the attempts to create them; frozen as this step makes the tables."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Float, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

metadata = MetaData()

_new = (
    Table(
        "contacts",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("tenant", String, nullable=False),
        Column("operation", String, nullable=False),
        Column("digest", String, nullable=False),
        Column("state", String, nullable=False),
        Column("how", String, nullable=False),
        Column("search", String),
        Column("attempt_id", Integer),
        Column("wolkvox_id", String),
        Column("message", String, nullable=False),
        Column("rejected", String),
        Column("user", String),
        Column("changed_at", Float, nullable=False),
        UniqueConstraint("tenant", "operation", "digest"),
        Index("contacts_by_state", "tenant", "operation", "state"),
    ),
    Table(
        "contact_attempts",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("contact_id", ForeignKey("contacts.id"), nullable=False),
        Column("run_id", Integer),
        Column("owner", String, nullable=False),
        Column("token", String, nullable=False),
        Column("started_at", Float, nullable=False),
        Column("boot", String, nullable=False),
        Column("began", Float, nullable=False),
        Column("deadline", Float, nullable=False),
        Column("lease", Float, nullable=False),
        Column("fields", String, nullable=False),
        Column("search_value", String),
        Column("ended_at", Float),
        Column("verdict", String),
        Column("http_status", Integer),
        Column("code", String),
        Column("wolkvox_id", String),
        Column("message", String),
        Index("contact_attempts_by_contact", "contact_id"),
        Index("contact_attempts_by_run", "run_id"),
    ),
)


def create(connection: Connection) -> None:
    """Create the tables."""
    metadata.create_all(connection, tables=list(_new))
