"""Ids of cases: every id that arrived is kept, and each belongs to one row of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Float, Row, Select, bindparam, insert, literal, select, union_all, update

from importer.journal.database import batches
from importer.journal.schema import arrived_ids, attempts, imports, rows
from importer.model import Status

DELETED = "deleted"
"""How an id arrived of whose case a person said that it is gone from the CRM."""

_OURS = imports.alias("ours")


def _in_operation(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Narrow a query of rows to all imports of the tenant and operation of the import `import_id`."""
    return (
        query.join(imports, imports.c.id == rows.c.import_id)
        .join(_OURS, (_OURS.c.tenant == imports.c.tenant) & (_OURS.c.operation == imports.c.operation))
        .where(_OURS.c.id == bindparam("import_id"))
    )


_OTHER_ROWS = _in_operation(select(rows.c.id, rows.c.reference)).where(rows.c.id != bindparam("row_id"))
_HOLDER = _OTHER_ROWS.where(rows.c.wolkvox_id == bindparam("wolkvox_id"))
_CLAIMANTS = _OTHER_ROWS.join(arrived_ids, arrived_ids.c.row_id == rows.c.id).where(
    arrived_ids.c.wolkvox_id == bindparam("wolkvox_id"), arrived_ids.c.dismissed.is_(False)
)
_HOLDER_OR_CLAIMANT = (
    union_all(_HOLDER.add_columns(literal(0).label("rank")), _CLAIMANTS.add_columns(literal(1).label("rank")))
    .order_by("rank")
    .limit(1)
)
_HOLDERS = _in_operation(select(rows.c.id, rows.c.reference, rows.c.wolkvox_id, rows.c.state, rows.c.deleted)).where(
    rows.c.wolkvox_id.in_(bindparam("wanted", expanding=True))
)
_ARRIVAL = {
    name: bindparam(name, type_=arrived_ids.c[name].type) for name in ("row_id", "attempt_id", "wolkvox_id", "how")
}
_SAME_ARRIVAL = select(arrived_ids.c.id).where(
    *(arrived_ids.c[name].is_not_distinct_from(value) for name, value in _ARRIVAL.items())
)
_ADD_ARRIVAL = insert(arrived_ids).from_select(
    [*_ARRIVAL, "dismissed", "arrived_at"],
    select(*_ARRIVAL.values(), literal(False), bindparam("at", type_=Float)).where(~_SAME_ARRIVAL.exists()),  # noqa: FBT003
)
_ANOTHER_HAS_IT = (
    _in_operation(select(rows.c.id))
    .where(rows.c.wolkvox_id == arrived_ids.c.wolkvox_id, rows.c.id != arrived_ids.c.row_id)
    .correlate(arrived_ids)
    .exists()
)
_OPEN_IDS = (
    select(arrived_ids.c.wolkvox_id)
    .where(arrived_ids.c.row_id == bindparam("row_id"), arrived_ids.c.dismissed.is_(False), ~_ANOTHER_HAS_IT)
    .order_by(arrived_ids.c.id)
)
_DELETED = (
    _in_operation(select(arrived_ids.c.id).join(rows, rows.c.id == arrived_ids.c.row_id))
    .where(arrived_ids.c.wolkvox_id == bindparam("wolkvox_id"), arrived_ids.c.how == DELETED)
    .limit(1)
)
_UNKNOWN = select(rows.c.id).where(rows.c.import_id == bindparam("import_id"), rows.c.state == Status.UNKNOWN).limit(1)


def holder(connection: Connection, import_id: int, row_id: int, wolkvox_id: str | None) -> Row[Any] | None:
    """Return another row of the same tenant and operation that has this id, None where no other has it."""
    if wolkvox_id is None:
        return None
    values = {"import_id": import_id, "row_id": row_id, "wolkvox_id": wolkvox_id}
    return connection.execute(_HOLDER, values).first()


def claimant(connection: Connection, import_id: int, row_id: int, wolkvox_id: str | None) -> Row[Any] | None:
    """Return another row of the same tenant and operation that has this id, or for which it arrived unsettled."""
    if wolkvox_id is None:
        return None
    values = {"import_id": import_id, "row_id": row_id, "wolkvox_id": wolkvox_id}
    return connection.execute(_HOLDER_OR_CLAIMANT, values).first()


def holders(connection: Connection, import_id: int, wanted: Sequence[str]) -> dict[str, Row[Any]]:
    """Return, by id, the rows of the same tenant and operation that have these ids."""
    found: dict[str, Row[Any]] = {}
    for some in batches(wanted):
        holding = connection.execute(_HOLDERS, {"import_id": import_id, "wanted": some})
        found.update((row.wolkvox_id, row) for row in holding)
    return found


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
        connection.execute(_ADD_ARRIVAL, {**asdict(arrival), "wolkvox_id": wolkvox_id})


def open_ids(connection: Connection, import_id: int, row_id: int) -> tuple[str, ...]:
    """Return the ids that arrived for a row, are not settled, and belong to no other row."""
    return tuple(dict.fromkeys(connection.scalars(_OPEN_IDS, {"import_id": import_id, "row_id": row_id})))


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


def was_deleted(connection: Connection, import_id: int, wolkvox_id: str | None) -> bool:
    """Tell whether an id is that of a case which a person declared deleted, and which no row has now."""
    if wolkvox_id is None:
        return False
    values = {"import_id": import_id, "wolkvox_id": wolkvox_id}
    return connection.execute(_DELETED, values).first() is not None and not holders(connection, import_id, [wolkvox_id])


def gone(connection: Connection, import_id: int) -> frozenset[str]:
    """Return the ids of the cases of an import that a person declared deleted, and that no row has now."""
    declared = (
        select(arrived_ids.c.wolkvox_id)
        .join(rows, rows.c.id == arrived_ids.c.row_id)
        .where(rows.c.import_id == import_id, arrived_ids.c.how == DELETED)
    )
    held = select(rows.c.wolkvox_id).where(rows.c.import_id == import_id, rows.c.wolkvox_id.in_(declared))
    return frozenset(connection.scalars(declared)) - frozenset(connection.scalars(held))


def dismiss(connection: Connection, row_id: int, *, but: str | None = None) -> None:
    """Keep the ids of a row only as history: what settled the row has taken them into account."""
    change = update(arrived_ids).where(arrived_ids.c.row_id == row_id, arrived_ids.c.wolkvox_id != (but or ""))
    connection.execute(change.values(dismissed=True))


def has_unknown(connection: Connection, import_id: int) -> bool:
    """Tell whether a row of an import is unknown."""
    return connection.execute(_UNKNOWN, {"import_id": import_id}).first() is not None


def forget_controls(connection: Connection, import_id: int) -> None:
    """Erase the values by which created cases of an import can be searched."""
    created = select(rows.c.attempt_id).where(rows.c.import_id == import_id, rows.c.state == Status.CREATED)
    kept = attempts.c.search_value.is_not(None) & attempts.c.id.in_(created)
    connection.execute(update(attempts).where(kept).values(search_value=None))
