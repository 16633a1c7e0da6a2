"""What the rows of an import contained, as the digests that were recorded with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import select

from importer.journal.database import Database
from importer.journal.schema import column_sets, rows
from importer.model import Status

_BATCH_SIZE = 10_000


class RecordedContent(NamedTuple):
    """The key of a row, the digests of its columns (`identity.column_digests`) and its case, if it has an id.

    The digests are those of `columns` in the order of their names; empty where none were recorded.
    """

    key_digest: str
    columns: tuple[str, ...]
    column_digests: str
    reference: str
    wolkvox_id: str | None
    status: Status


class Contents:
    """The contents that were recorded of rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_import(self, import_id: int) -> Iterator[list[RecordedContent]]:
        """Yield the contents of an import's rows, in batches; invalid rows do not count."""
        query = (
            select(
                rows.c.id,
                rows.c.key_digest,
                column_sets.c.names,
                rows.c.column_digests,
                rows.c.reference,
                rows.c.wolkvox_id,
                rows.c.state,
            )
            .join(column_sets, column_sets.c.id == rows.c.column_set_id)
            .where(rows.c.import_id == import_id, rows.c.state != Status.INVALID)
            .order_by(rows.c.id)
            .limit(_BATCH_SIZE)
        )
        latest = 0
        while True:
            with self._database.read() as connection:
                found = connection.execute(query.where(rows.c.id > latest)).all()
            if not found:
                return
            yield [
                RecordedContent(key, _columns_of(names), digests or "", reference, wolkvox_id, Status(state))
                for _id, key, names, digests, reference, wolkvox_id, state in found
            ]
            latest = found[-1][0]


@lru_cache(maxsize=64)
def _columns_of(names: str) -> tuple[str, ...]:
    """Return the columns of a set; hundreds of thousands of rows share a few sets."""
    return tuple(json.loads(names))
