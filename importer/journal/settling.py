"""Doubtful rows, and what settles them: a search, a person's verdict, or the ids of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from importer.journal.database import Database
from importer.journal.rows import column_set_id
from importer.journal.schema import attempts, moment, rows, verdicts
from importer.journal.user import user_name
from importer.messages import _
from importer.model import Identity, Status

_OF_ATTEMPT = ("body_length", "search_field", "search_value", "lease_until", "clock_gap")
DOUBTFUL = (Status.UNKNOWN, Status.CONFLICT)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that may or may not be a case.

    `search_value` is what was sent in the field that the CRM calls `search_field`, None where nothing is known of an
    attempt (an adopted row). `lease_until` is when the last attempt had certainly ended; `clock_gap` is how far the
    clock stood from the time since the computer's start when it began, both in seconds.
    """

    row_id: int
    attempt_id: int | None
    reference: str
    state: Status
    message: str
    body_length: int = 0
    search_field: str | None = None
    search_value: str | None = None
    lease_until: datetime | None = None
    clock_gap: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What settles a doubtful row; `how` is `search`, `by-hand`, `report`, `look-first` or `adopted`."""

    state: Status
    how: str
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A row as a report has it: created with its ids, or doubtful without one."""

    identity: Identity
    state: Status
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""


class Settling:
    """The doubtful rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def doubts(self, import_id: int) -> list[Doubt]:
        """Return the rows of an import that are unknown or conflicting, in the order in which they were sent."""
        query = (
            select(rows, *(attempts.c[name] for name in _OF_ATTEMPT))
            .outerjoin(attempts, attempts.c.id == rows.c.attempt_id)
            .where(rows.c.import_id == import_id, rows.c.state.in_(DOUBTFUL))
            .order_by(rows.c.attempt_id)
        )
        with self._database.read() as connection:
            return [_doubt(found) for found in connection.execute(query)]

    def decide(self, doubt: Doubt, decision: Decision) -> bool:
        """Commit what settles a row, and who said so; False where the row has moved on since it was looked at.

        The value by which the row was searched is erased once it is settled.
        """
        same = rows.c.attempt_id.is_(None) if doubt.attempt_id is None else rows.c.attempt_id == doubt.attempt_id
        change = {
            "state": decision.state,
            "wolkvox_id": decision.wolkvox_id,
            "id_prefijo": decision.id_prefijo,
            "message": decision.message,
        }
        with self._database.write() as connection:
            moved = connection.execute(
                update(rows).where(rows.c.id == doubt.row_id, same, rows.c.state == doubt.state).values(**change)
            ).rowcount
            if moved:
                self._record(connection, doubt.row_id, decision)
                if decision.state not in DOUBTFUL:
                    connection.execute(
                        update(attempts).where(attempts.c.row_id == doubt.row_id).values(search_value=None)
                    )
        return bool(moved)

    def found_first(self, import_id: int, reference: str, decision: Decision) -> bool:
        """Commit that a planned row was found in the CRM before it was sent; False where it is not planned any more."""
        planned = (rows.c.import_id == import_id, rows.c.reference == reference, rows.c.state == Status.PLANNED)
        change = {"state": decision.state, "wolkvox_id": decision.wolkvox_id, "id_prefijo": decision.id_prefijo}
        with self._database.write() as connection:
            row_id = connection.execute(select(rows.c.id).where(*planned)).scalar_one_or_none()
            if row_id is None:
                return False
            connection.execute(update(rows).where(rows.c.id == row_id).values(**change, message=decision.message))
            self._record(connection, row_id, decision)
        return True

    def begin_anew(self, doubts: Iterable[Doubt], clock_gap: float) -> None:
        """Let the quiet period of these rows begin now: the clock cannot tell how long ago they were sent."""
        now = self._database.clock()
        with self._database.write() as connection:
            for doubt in doubts:
                connection.execute(
                    update(attempts)
                    .where(attempts.c.id == doubt.attempt_id)
                    .values(lease_until=now, clock_gap=clock_gap)
                )

    def adopt(self, import_id: int, adopted: Sequence[Adopted], columns: Sequence[str]) -> int:
        """Take rows over from a report; return how many became created or doubtful by that.

        A row that the journal has as created already is left alone where the id is the same, and becomes a conflict
        where it is another.
        """
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            return sum(self._adopt(connection, import_id, row, column_set) for row in adopted)

    def _adopt(self, connection: Connection, import_id: int, row: Adopted, column_set: int) -> bool:
        values = {
            "state": row.state,
            "wolkvox_id": row.wolkvox_id,
            "id_prefijo": row.id_prefijo,
            "message": row.message,
            "content_hash": row.identity.content_hash,
            "column_set_id": column_set,
        }
        known = connection.execute(
            select(rows.c.id, rows.c.state, rows.c.wolkvox_id).where(
                rows.c.import_id == import_id, rows.c.key_digest == row.identity.key_digest
            )
        ).one_or_none()
        if known is None:
            who = {
                "import_id": import_id,
                "key_digest": row.identity.key_digest,
                "loose_digest": row.identity.loose_digest,
                "reference": row.identity.reference,
            }
            row_id = connection.execute(insert(rows).values(**who, **values).returning(rows.c.id)).scalar_one()
        elif known.state == Status.CREATED and known.wolkvox_id == row.wolkvox_id:
            return False
        elif row.state is not Status.CREATED and known.state not in {Status.PLANNED, Status.INVALID}:
            return False  # the journal knows more than the report
        else:
            row_id = known.id
            if known.state in {Status.CREATED, Status.CONFLICT}:
                ids = [known.wolkvox_id, row.wolkvox_id]
                message = _("Several cases exist: {ids}.", ids=", ".join(filter(None, ids)))
                values = {"state": Status.CONFLICT, "message": message}
            connection.execute(update(rows).where(rows.c.id == row_id).values(**values))
            connection.execute(update(attempts).where(attempts.c.row_id == row_id).values(search_value=None))
        self._record(connection, row_id, Decision(row.state, "adopted", row.wolkvox_id, row.id_prefijo))
        return True

    def _record(self, connection: Connection, row_id: int, decision: Decision) -> None:
        connection.execute(
            insert(verdicts).values(
                row_id=row_id,
                how=decision.how,
                state=decision.state,
                wolkvox_id=decision.wolkvox_id,
                user=user_name(),
                decided_at=self._database.clock(),
            )
        )


def _doubt(found: Row[Any]) -> Doubt:
    return Doubt(
        row_id=found.id,
        attempt_id=found.attempt_id,
        reference=found.reference,
        state=Status(found.state),
        message=found.message,
        body_length=found.body_length or 0,
        search_field=found.search_field,
        search_value=found.search_value,
        lease_until=None if found.lease_until is None else moment(found.lease_until),
        clock_gap=found.clock_gap,
    )
