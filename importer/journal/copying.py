"""All records of a journal, written into another one: between a file and a server, in either direction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, delete, insert, select

from importer.journal.dialects import continue_numbers
from importer.journal.schema import metadata, migrations, token_pace, token_slots

_OF_ITS_OWN = {migrations, token_slots, token_pace}
"""What each journal has of its own: its migrations, and what its machines are sending right now."""

TABLES: Sequence[Table] = [table for table in metadata.sorted_tables if table not in _OF_ITS_OWN]
"""What is copied: those that others refer to come first."""

_AT_ONCE = 5_000


def copy_records(source: Connection, target: Connection) -> None:
    """Make the records of one journal those of another, under the same numbers; both are of today's version."""
    for table in reversed(TABLES):
        target.execute(delete(table))
    for table in TABLES:
        found = source.execute(select(table), execution_options={"yield_per": _AT_ONCE})
        for some in found.mappings().partitions(_AT_ONCE):
            target.execute(insert(table), [dict(record) for record in some])
    for table in TABLES:
        continue_numbers(target, table)
