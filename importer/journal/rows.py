"""What the journal knows of rows, and how planning changes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from importer.journal.database import Database
from importer.journal.imports import moment
from importer.journal.schema import attempts, column_sets, rows
from importer.model import Identity, JournalRow, Status

T = TypeVar("T")

_AT_ONCE = 500  # values in one IN (…), well under SQLite's limit


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row that the journal has already, with the columns that its content hash covers."""

    key_digest: str
    columns: tuple[str, ...]
    row: JournalRow


class Rows:
    """The rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, import_id: int, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these keys, by key digest."""
        query = select(rows, column_sets.c.names, attempts.c.lease_until).join(column_sets)
        query = query.outerjoin(attempts, attempts.c.id == rows.c.attempt_id).where(rows.c.import_id == import_id)
        found: dict[str, KnownRow] = {}
        with self._database.read() as connection:
            for some in _slices(key_digests):
                for row in connection.execute(query.where(rows.c.key_digest.in_(some))):
                    found[row.key_digest] = KnownRow(row.key_digest, tuple(json.loads(row.names)), _journal_row(row))
        return found

    def similar(self, import_id: int, loose_digests: Sequence[str]) -> dict[str, set[str]]:
        """Return, for each loose digest that the journal has, the key digests that bear it."""
        found: dict[str, set[str]] = {}
        query = select(rows.c.loose_digest, rows.c.key_digest).where(rows.c.import_id == import_id)
        with self._database.read() as connection:
            for some in _slices(loose_digests):
                for loose, key in connection.execute(query.where(rows.c.loose_digest.in_(some))):
                    found.setdefault(loose, set()).add(key)
        return found

    def by_reference(self, import_id: int, references: Sequence[str]) -> dict[str, JournalRow]:
        """Return what the journal has of these references."""
        query = select(rows, attempts.c.lease_until).outerjoin(attempts, attempts.c.id == rows.c.attempt_id)
        query = query.where(rows.c.import_id == import_id)
        with self._database.read() as connection:
            return {
                row.reference: _journal_row(row)
                for some in _slices(references)
                for row in connection.execute(query.where(rows.c.reference.in_(some)))
            }

    def add(self, import_id: int, fresh: Sequence[Identity], columns: Sequence[str]) -> None:
        """Note rows that the journal lacks as planned; `columns` are those that their content hashes cover."""
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            for some in _slices(fresh):
                values = [_planned(import_id, identity, column_set) for identity in some]
                connection.execute(insert(rows).prefix_with("OR IGNORE"), values)  # another process may be faster

    def revise(self, import_id: int, differs: Mapping[str, bool]) -> None:
        """Note, by reference, whether a row's content differs from what the journal has.

        A rejected row that differs becomes planned again; a created row is flagged `changed`, or no longer.
        """
        mine = (rows.c.import_id == import_id) & (rows.c.reference == bindparam("which"))
        flag = update(rows).where(mine, rows.c.state == Status.CREATED).values(changed=bindparam("differs"))
        again = update(rows).where(mine, rows.c.state == Status.REJECTED).values(state=Status.PLANNED, message="")
        with self._database.write() as connection:
            if flags := [{"which": reference, "differs": value} for reference, value in differs.items()]:
                connection.execute(flag, flags)
            if edited := [{"which": reference} for reference, value in differs.items() if value]:
                connection.execute(again, edited)

    def counts(self, import_id: int) -> dict[Status, int]:
        """Return how many rows of an import are in each state."""
        query = select(rows.c.state, func.count()).where(rows.c.import_id == import_id).group_by(rows.c.state)
        with self._database.read() as connection:
            return {Status(state): number for state, number in connection.execute(query)}

    def retry_rejected(self, import_id: int) -> int:
        """Make every rejected row planned again; return how many."""
        change = update(rows).where(rows.c.import_id == import_id, rows.c.state == Status.REJECTED)
        with self._database.write() as connection:
            return connection.execute(change.values(state=Status.PLANNED, message="")).rowcount


def column_set_id(connection: Connection, columns: Sequence[str]) -> int:
    """Return the number under which a set of columns is recorded, recording it if need be."""
    names = json.dumps(list(columns), ensure_ascii=False)
    connection.execute(insert(column_sets).prefix_with("OR IGNORE").values(names=names))
    number: int = connection.execute(select(column_sets.c.id).where(column_sets.c.names == names)).scalar_one()
    return number


def _planned(import_id: int, identity: Identity, column_set: int) -> dict[str, object]:
    return {
        "import_id": import_id,
        "key_digest": identity.key_digest,
        "loose_digest": identity.loose_digest,
        "reference": identity.reference,
        "state": Status.PLANNED,
        "content_hash": identity.content_hash,
        "column_set_id": column_set,
    }


def _journal_row(row: Row[Any]) -> JournalRow:
    return JournalRow(
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


def _slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
