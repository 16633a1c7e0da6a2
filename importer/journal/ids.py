"""Ids of cases: every id that arrived is kept, and each belongs to one row of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from importer.journal.database import batches
from importer.journal.schema import arrived_ids, attempts, imports, rows
from importer.model import Status


def holder(connection: Connection, import_id: int, row_id: int, wolkvox_id: str | None) -> Row[Any] | None:
    """Return another row of the same tenant and operation that has this id, None where no other has it."""
    if wolkvox_id is None:
        return None
    found = _in_operation(select(rows.c.id, rows.c.reference), import_id)
    query = found.where(rows.c.wolkvox_id == wolkvox_id, rows.c.id != row_id)
    return connection.execute(query).first()


def claimant(connection: Connection, import_id: int, row_id: int, wolkvox_id: str | None) -> Row[Any] | None:
    """Return another row of the same tenant and operation that has this id, or for which it arrived unsettled."""
    if wolkvox_id is None:
        return None
    query = _in_operation(select(rows.c.id, rows.c.reference), import_id).join(
        arrived_ids, arrived_ids.c.row_id == rows.c.id
    )
    noted = arrived_ids.c.wolkvox_id == wolkvox_id, arrived_ids.c.dismissed.is_(False), rows.c.id != row_id
    return holder(connection, import_id, row_id, wolkvox_id) or connection.execute(query.where(*noted)).first()


def holders(connection: Connection, import_id: int, wanted: Sequence[str]) -> dict[str, Row[Any]]:
    """Return, by id, the rows of the same tenant and operation that have these ids."""
    found: dict[str, Row[Any]] = {}
    columns = select(rows.c.id, rows.c.reference, rows.c.wolkvox_id, rows.c.state, rows.c.deleted)
    for some in batches(wanted):
        query = _in_operation(columns, import_id).where(rows.c.wolkvox_id.in_(some))
        found.update((row.wolkvox_id, row) for row in connection.execute(query))
    return found


def _in_operation(query: Select[*tuple[Any, ...]], import_id: int) -> Select[*tuple[Any, ...]]:
    """Narrow a query of rows to all imports of the tenant and operation of one import."""
    ours = imports.alias("ours")
    return (
        query.join(imports, imports.c.id == rows.c.import_id)
        .join(ours, (ours.c.tenant == imports.c.tenant) & (ours.c.operation == imports.c.operation))
        .where(ours.c.id == import_id)
    )


def dispute(connection: Connection, row_id: int, *, disputed: bool = True) -> None:
    """Flag a created row whose id was also given to another row, or remove the flag."""
    created = rows.c.id == row_id, rows.c.state == Status.CREATED
    connection.execute(update(rows).where(*created).values(disputed=disputed))


@dataclass(frozen=True, slots=True)
class Arrival:
    """How, when, and for which row and attempt an id arrived."""

    row_id: int
    how: str
    at: float
    attempt_id: int | None = None


def note(connection: Connection, arrival: Arrival, arrived: Iterable[str]) -> None:
    """Keep ids that arrived for a row, each once for an attempt; nothing ever deletes them."""
    for wolkvox_id in arrived:
        values = {"row_id": arrival.row_id, "attempt_id": arrival.attempt_id, "wolkvox_id": wolkvox_id}
        same = [arrived_ids.c[name] == value for name, value in {**values, "how": arrival.how}.items()]
        if connection.execute(select(arrived_ids.c.id).where(*same)).first() is None:
            fresh = {**values, "how": arrival.how, "dismissed": False, "arrived_at": arrival.at}
            connection.execute(insert(arrived_ids).values(**fresh))


def open_ids(connection: Connection, import_id: int, row_id: int) -> tuple[str, ...]:
    """Return the ids that arrived for a row, are not settled, and belong to no other row."""
    query = (
        select(arrived_ids.c.wolkvox_id)
        .where(arrived_ids.c.row_id == row_id, arrived_ids.c.dismissed.is_(False))
        .order_by(arrived_ids.c.id)
    )
    found = tuple(dict.fromkeys(connection.scalars(query)))
    taken = {wolkvox_id for wolkvox_id, row in holders(connection, import_id, found).items() if row.id != row_id}
    return tuple(wolkvox_id for wolkvox_id in found if wolkvox_id not in taken)


def open_ids_of(connection: Connection, row_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """Return, by row, the ids that arrived and are not settled, including those that another row has."""
    found: dict[int, dict[str, None]] = {}
    for some in batches(row_ids):
        query = select(arrived_ids.c.row_id, arrived_ids.c.wolkvox_id).where(
            arrived_ids.c.row_id.in_(some), arrived_ids.c.dismissed.is_(False)
        )
        for row_id, wolkvox_id in connection.execute(query.order_by(arrived_ids.c.id)):
            found.setdefault(row_id, {})[wolkvox_id] = None
    return {row_id: tuple(ids) for row_id, ids in found.items()}


def dismiss(connection: Connection, row_id: int, *, but: str | None = None) -> None:
    """Keep the ids of a row only as history: what settled the row has taken them into account."""
    change = update(arrived_ids).where(arrived_ids.c.row_id == row_id, arrived_ids.c.wolkvox_id != (but or ""))
    connection.execute(change.values(dismissed=True))


def has_unknown(connection: Connection, import_id: int) -> bool:
    """Tell whether a row of an import is unknown."""
    query = select(rows.c.id).where(rows.c.import_id == import_id, rows.c.state == Status.UNKNOWN)
    return connection.execute(query.limit(1)).first() is not None


def forget_controls(connection: Connection, import_id: int) -> None:
    """Erase the values by which created cases of an import can be searched."""
    created = select(rows.c.attempt_id).where(rows.c.import_id == import_id, rows.c.state == Status.CREATED)
    kept = attempts.c.search_value.is_not(None) & attempts.c.id.in_(created)
    connection.execute(update(attempts).where(kept).values(search_value=None))
