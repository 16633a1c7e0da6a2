"""Rows that the journal does not have yet, with all that identifies them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Boolean, Connection, String, bindparam, insert, select

from importer.journal.dialects import insert_or_ignore
from importer.journal.schema import column_sets, row_spellings, rows, uncorrected_keys
from importer.model import Identity, Status

_COLUMN_SET = select(column_sets.c.id).where(column_sets.c.names == bindparam("recorded"))
_ADD_COLUMN_SET = insert(column_sets).returning(column_sets.c.id)
_OF_ROW = ["import_id", "row_id", "digest"]
_DIGEST_OF_ROW = select(rows.c.import_id, rows.c.id, bindparam("digest", type_=String)).where(
    rows.c.import_id == bindparam("import_id"), rows.c.key_digest == bindparam("key_digest")
)
_NEW_SPELLING = insert(row_spellings).from_select(_OF_ROW, _DIGEST_OF_ROW)
_UNCORRECTED = _DIGEST_OF_ROW.add_columns(bindparam("partly", type_=Boolean))


def column_set_id(connection: Connection, columns: Sequence[str]) -> int:
    """Return the number under which a set of columns is recorded, recording it if need be."""
    names = json.dumps(list(columns), ensure_ascii=False)
    known: int | None = connection.scalars(_COLUMN_SET, {"recorded": names}).one_or_none()
    if known is None:
        known = connection.scalars(_ADD_COLUMN_SET, {"names": names}).one()
    return known


def insert_rows(
    connection: Connection, import_id: int, fresh: Sequence[tuple[Identity, Status]], column_set: int
) -> None:
    """Add rows with their spellings and uncorrected keys; those that another process was faster to add stay."""
    values = [_new_row(import_id, identity, state, column_set) for identity, state in fresh]
    connection.execute(insert_or_ignore(connection, rows), values)
    identities = [identity for identity, _state in fresh]
    insert_spellings(connection, import_id, identities)
    insert_uncorrected(connection, import_id, identities)


def insert_spellings(connection: Connection, import_id: int, identities: Sequence[Identity]) -> None:
    """Add the other forms in which programs show the keys of rows that the journal has."""
    values = [
        {"import_id": import_id, "key_digest": each.key_digest, "digest": digest}
        for each in identities
        for digest in each.spellings
    ]
    if values:
        connection.execute(_NEW_SPELLING, values)


def insert_uncorrected(connection: Connection, import_id: int, identities: Sequence[Identity]) -> None:
    """Add the keys that the cells of rows make without their corrections."""
    values = [
        {"import_id": import_id, "key_digest": each.key_digest, "digest": digest, "partly": at > 0}
        for each in identities
        for at, digest in enumerate(each.uncorrected)
    ]
    if values:
        new = insert_or_ignore(connection, uncorrected_keys)  # an earlier run may have recorded them
        connection.execute(new.from_select([*_OF_ROW, "partly"], _UNCORRECTED), values)


def _new_row(import_id: int, identity: Identity, state: Status, column_set: int) -> dict[str, object]:
    return {
        "import_id": import_id,
        "key_digest": identity.key_digest,
        "loose_digest": identity.loose_digest,
        "reference": identity.reference,
        "state": state,
        "content_hash": identity.content_hash,
        "column_digests": identity.column_digests,
        "column_set_id": column_set,
    }
