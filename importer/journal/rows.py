"""What the journal knows of rows, and how planning changes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Row, Select, bindparam, insert, or_, select, update

from importer.journal.database import Database
from importer.journal.schema import attempts, column_sets, moment, rows
from importer.model import Identity, JournalRow, Status

T = TypeVar("T")

_AT_ONCE = 500  # values in one IN (…), well under SQLite's limit

_COLUMN_SET = select(column_sets.c.id).where(column_sets.c.names == bindparam("names"))
_NEW_COLUMN_SET = insert(column_sets).returning(column_sets.c.id)


_KNOWN = (
    select(
        *(rows.c.key_digest, column_sets.c.names, rows.c.reference, rows.c.state, rows.c.content_hash),
        *(rows.c.wolkvox_id, rows.c.id_prefijo, rows.c.message),
        *(rows.c.changed, rows.c.sent_at, rows.c.run_id, attempts.c.lease_until),
    )
    .join(column_sets)
    .outerjoin(attempts, attempts.c.id == rows.c.attempt_id)
)


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row of the journal, with its key's digest and the columns that its content hash covers."""

    key_digest: str
    columns: tuple[str, ...]
    row: JournalRow


class Rows:
    """The rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, import_id: int, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these keys, by key digest."""
        query = _KNOWN.where(rows.c.import_id == import_id)
        return {row.key_digest: row for row in self._find(query, rows.c.key_digest, key_digests)}

    def by_reference(self, import_id: int, references: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these references, by reference."""
        # + 0 keeps SQLite to the index of references; by one of the import's it would look at every row for each slice
        query = _KNOWN.where(rows.c.import_id + 0 == import_id)
        return {row.row.reference: row for row in self._find(query, rows.c.reference, references)}

    def _find(self, query: Select[Any], column: Column[Any], values: Sequence[str]) -> Iterator[KnownRow]:
        with self._database.read() as connection:
            for some in _slices(values):
                yield from map(_known_row, connection.execute(query.where(column.in_(some))))

    def similar(self, import_id: int, loose_digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the key digests that bear each of these loose digests; invalid rows do not count."""
        found: dict[str, set[str]] = {}
        query = select(rows.c.loose_digest, rows.c.key_digest).where(
            rows.c.import_id == import_id, rows.c.state != Status.INVALID
        )
        with self._database.read() as connection:
            for some in _slices(loose_digests):
                for loose, key in connection.execute(query.where(rows.c.loose_digest.in_(some))):
                    found.setdefault(loose, set()).add(key)
        return found

    def add(self, import_id: int, fresh: Sequence[tuple[Identity, Status]], columns: Sequence[str]) -> None:
        """Note rows that the journal lacks, planned or invalid; `columns` are those that their content hashes cover."""
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            for some in _slices(fresh):
                values = [_new_row(import_id, identity, state, column_set) for identity, state in some]
                connection.execute(insert(rows).prefix_with("OR IGNORE"), values)  # another process may be faster

    def replan(self, import_id: int, references: Sequence[str]) -> None:
        """Make invalid and rejected rows planned again, whose content was corrected."""
        change = update(rows).where(
            rows.c.import_id == import_id,
            rows.c.reference == bindparam("which"),
            or_(rows.c.state == Status.INVALID, rows.c.state == Status.REJECTED),  # IN cannot be carried out for many
        )
        if references:
            with self._database.write() as connection:
                connection.execute(
                    change.values(state=Status.PLANNED, message=""), [{"which": reference} for reference in references]
                )

    def flag_changed(self, import_id: int, differs: Mapping[str, bool]) -> None:
        """Flag, by reference, created rows whose content differs from what was sent, or no longer does."""
        change = update(rows).where(
            rows.c.import_id == import_id, rows.c.reference == bindparam("which"), rows.c.state == Status.CREATED
        )
        if differs:
            with self._database.write() as connection:
                connection.execute(
                    change.values(changed=bindparam("differs")),
                    [{"which": reference, "differs": value} for reference, value in differs.items()],
                )

    def lacking_ids(self, ids: Iterable[str]) -> list[str]:
        """Return those ids of cases that no row of this journal has, in their order."""
        wanted = list(dict.fromkeys(ids))
        query = select(rows.c.wolkvox_id)
        with self._database.read() as connection:
            known = {
                found
                for some in _slices(wanted)
                for found in connection.scalars(query.where(rows.c.wolkvox_id.in_(some)))
            }
        return [wanted_id for wanted_id in wanted if wanted_id not in known]

    def owner(self, wolkvox_id: str) -> str | None:
        """Return the reference of the row that has this case's id, None where no row has it."""
        with self._database.read() as connection:
            return connection.scalars(select(rows.c.reference).where(rows.c.wolkvox_id == wolkvox_id)).first()


def column_set_id(connection: Connection, columns: Sequence[str]) -> int:
    """Return the number under which a set of columns is recorded, recording it if need be."""
    names = {"names": json.dumps(list(columns), ensure_ascii=False)}
    known: int | None = connection.execute(_COLUMN_SET, names).scalar_one_or_none()
    return connection.execute(_NEW_COLUMN_SET, names).scalar_one() if known is None else known


def _new_row(import_id: int, identity: Identity, state: Status, column_set: int) -> dict[str, object]:
    return {
        "import_id": import_id,
        "key_digest": identity.key_digest,
        "loose_digest": identity.loose_digest,
        "reference": identity.reference,
        "state": state,
        "content_hash": identity.content_hash,
        "column_set_id": column_set,
    }


@cache
def _columns(names: str) -> tuple[str, ...]:
    """Return a set of columns as it is recorded, which is the same for most rows."""
    return tuple(json.loads(names))


def _known_row(row: Row[*tuple[Any, ...]]) -> KnownRow:
    """Return a row of `_KNOWN`."""
    known = JournalRow(
        reference=row.reference,
        status=Status(row.state),
        content_hash=row.content_hash,
        wolkvox_id=row.wolkvox_id,
        id_prefijo=row.id_prefijo,
        message=row.message,
        changed=row.changed,
        sent_at=None if row.sent_at is None else moment(row.sent_at),
        run=row.run_id,
        lease_until=None if row.lease_until is None else moment(row.lease_until),
    )
    return KnownRow(row.key_digest, _columns(row.names), known)


def _slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
