"""Rows that a report knows, taken over into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from importer.journal import ids
from importer.journal.database import Database
from importer.journal.doubts import Decision, record_decision
from importer.journal.new_rows import column_set_id
from importer.journal.schema import attempts, rows
from importer.messages import _
from importer.model import Identity, Status


@dataclass(frozen=True, slots=True)
class Adopted:
    """A row as a report has it: created with its ids, or doubtful, with the ids that are known of it."""

    identity: Identity
    state: Status
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""


class Adoptions:
    """What a journal takes over from reports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adopt(self, import_id: int, adopted: Sequence[Adopted], columns: Sequence[str]) -> int:
        """Take rows over from a report; return how many became created or doubtful by that.

        A row that the journal already has as created stays as it is where the id is the same, and becomes a conflict
        where it is another. A row whose id another row of the tenant and operation has is left as it is.
        """
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            return sum(self._adopt(connection, import_id, row, column_set) for row in adopted)

    def _adopt(self, connection: Connection, import_id: int, row: Adopted, column_set: int) -> bool:
        values: dict[str, object] = {
            "state": row.state,
            "wolkvox_id": row.wolkvox_id,
            "id_prefijo": row.id_prefijo,
            "message": row.message,
            "content_hash": row.identity.content_hash,
            "column_digests": row.identity.column_digests,
            "column_set_id": column_set,
            "deleted": False,
        }
        known = connection.execute(
            select(rows.c.id, rows.c.state, rows.c.wolkvox_id, rows.c.attempt_id).where(
                rows.c.import_id == import_id, rows.c.key_digest == row.identity.key_digest
            )
        ).one_or_none()
        if ids.holder(connection, import_id, known.id if known else 0, row.wolkvox_id) is not None:
            return False
        if ids.was_deleted(connection, import_id, row.wolkvox_id):
            return False  # the report was written before a person said that this case was deleted
        if known is None:
            row_id = _add(connection, import_id, row.identity, values)
        elif known.state == Status.CREATED and known.wolkvox_id == row.wolkvox_id:
            return False
        elif row.state is not Status.CREATED and known.state not in {Status.PLANNED, Status.INVALID}:
            return False  # the journal knows more than the report
        else:
            row_id = known.id
            if known.state in {Status.CREATED, Status.CONFLICT}:
                several = ", ".join(filter(None, (known.wolkvox_id, row.wolkvox_id)))
                values = {"state": Status.CONFLICT, "message": _("Several cases exist: {ids}.", ids=several)}
            connection.execute(update(rows).where(rows.c.id == row_id).values(**values))
            connection.execute(update(attempts).where(attempts.c.row_id == row_id).values(search_value=None))
        now = self._database.clock.wall()
        ids.note(connection, ids.Arrival(row_id, "adopted", now), (row.wolkvox_id,) if row.wolkvox_id else ())
        decision = Decision(row.state, "adopted", row.wolkvox_id, row.id_prefijo)
        of_row = (row_id, known.attempt_id if known else None)
        record_decision(connection, of_row, decision, Status(str(values["state"])), now)
        return True


def _add(connection: Connection, import_id: int, identity: Identity, values: dict[str, object]) -> int:
    who = {
        "import_id": import_id,
        "key_digest": identity.key_digest,
        "loose_digest": identity.loose_digest,
        "reference": identity.reference,
    }
    row_id: int = connection.execute(insert(rows).values(**who, **values).returning(rows.c.id)).scalar_one()
    return row_id
