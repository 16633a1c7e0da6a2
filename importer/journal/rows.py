"""What the journal knows of rows, and how planning changes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from importer.journal.database import Database, batches
from importer.journal.ids import DELETED
from importer.journal.new_rows import column_set_id, insert_rows, insert_spellings, insert_uncorrected
from importer.journal.schema import (
    arrived_ids,
    attempts,
    column_sets,
    facts,
    imports,
    row_spellings,
    rows,
    uncorrected_keys,
    updates,
)
from importer.model import Identity, JournalRow, Status
from importer.model.edits import LastUpdate, Refusal, UpdateState
from importer.system.clock import local_datetime
from importer.system.hosts import same_tenant

_NO_CASES = (Status.PLANNED, Status.INVALID, Status.REJECTED)
"""States of rows that are not cases, and cannot be."""

_OF_UPDATE = (
    *("state", "content_hash", "message", "run_id", "started_at", "ended_at", "boot", "deadline", "lease"),
    *("column_set_id", "column_digests", "id", "row_id"),
)
_KNOWN: Select[*tuple[Any, ...]] = select(
    *(rows.c.import_id, rows.c.key_digest, rows.c.column_set_id, rows.c.column_digests),
    *(attempts.c.lease, attempts.c.boot),
    *(rows.c.reference, rows.c.state, rows.c.content_hash, rows.c.wolkvox_id, rows.c.id_prefijo, rows.c.message),
    *(rows.c.changed, rows.c.sent_at, rows.c.run_id, rows.c.attempt_id, rows.c.disputed, rows.c.deleted),
    *(updates.c[name] for name in _OF_UPDATE),
)
_KNOWN = _KNOWN.outerjoin_from(
    rows, attempts, and_(attempts.c.id == rows.c.attempt_id, rows.c.state == Status.SENDING)
).outerjoin(updates, updates.c.id == rows.c.update_id)  # in any other state the lease of the attempt is over

_STATES = {state.value: state for state in Status}


class KnownRow(NamedTuple):
    """A row of the journal, with its key's digest and the columns that its content hash covers.

    `column_digests` are those of its columns (`identity.column_digests`), empty where none were recorded.
    """

    key_digest: str
    columns: tuple[str, ...]
    row: JournalRow
    column_digests: str = ""


class Rows:
    """The rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._column_sets: dict[int, tuple[str, ...]] = {}

    @cached_property
    def column_secret(self) -> bytes:
        """The key under which this journal's digests of columns are made."""
        query = select(facts.c.value).where(facts.c.name == "column_secret")
        with self._database.read() as connection:
            return bytes.fromhex(connection.scalars(query).first() or "")

    def known(self, import_id: int, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these keys, by key digest."""
        query = _KNOWN.where(rows.c.import_id == import_id)
        return {row.key_digest: row for row in self._find(import_id, query, rows.c.key_digest, key_digests)}

    def by_reference(self, import_id: int, references: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these references, by reference.

        The query names no import: SQLite would read every row of it for each batch, instead of the unique references.
        """
        return {row.row.reference: row for row in self._find(import_id, _KNOWN, rows.c.reference, references)}

    def _find(
        self, import_id: int, query: Select[*tuple[Any, ...]], column: ColumnElement[str], values: Sequence[str]
    ) -> list[KnownRow]:
        with self._database.read() as connection:
            return [
                self._known_row(connection, found)
                for found in _having(connection, query, column, values)
                if found[0] == import_id
            ]

    def _known_row(self, connection: Connection, found: Row[*tuple[Any, ...]]) -> KnownRow:
        """Return a row of `_KNOWN`; it is unpacked because reading each value by its name takes twice as long."""
        _import, key_digest, column_set, column_digests, lease, boot, reference, state, content_hash, *more = found
        wolkvox_id, id_prefijo, message, changed, sent_at, run, attempt, disputed, deleted, *updated = more
        clock, lease_until = self._database.clock, None
        if lease is not None and boot == clock.boot():
            lease_until = local_datetime(clock.wall() + lease - clock.elapsed())
        return KnownRow(
            key_digest,
            self._columns_of(connection, column_set),
            JournalRow(
                reference,
                _STATES[state],
                content_hash,
                wolkvox_id,
                id_prefijo,
                message,
                changed,
                sent_at,
                run,
                lease_until,
                attempt,
                disputed,
                deleted,
                None if updated[0] is None else self._last_update(connection, *updated),
            ),
            column_digests or "",
        )

    def _last_update(  # noqa: PLR0913, PLR0917 - the columns of `_OF_UPDATE`
        self,
        connection: Connection,
        state: str,
        content_hash: str,
        message: str,
        run: int,
        started_at: float,
        ended_at: float | None,
        boot: str,
        deadline: float,
        lease: float,
        column_set: int,
        digests: str,
        number: int,
        row: int,
    ) -> LastUpdate:
        clock, columns = self._database.clock, self._columns_of(connection, column_set)
        left = max(deadline, lease) - clock.elapsed()
        over_at = local_datetime(clock.wall() + left) if boot == clock.boot() else None
        at = ended_at or started_at
        refused = _refused_since(connection, row, number) if state == UpdateState.UNKNOWN else None
        return LastUpdate(UpdateState(state), content_hash, message, run, at, over_at, columns, digests, refused)

    def _columns_of(self, connection: Connection, column_set: int) -> tuple[str, ...]:
        """Return the columns of a set; they never change, and hundreds of thousands of rows share a few sets."""
        if column_set not in self._column_sets:
            query = select(column_sets.c.names).where(column_sets.c.id == column_set)
            self._column_sets[column_set] = tuple(json.loads(connection.scalars(query).one()))
        return self._column_sets[column_set]

    def similar(self, import_id: int, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the digests of the keys that have each of these spellings; invalid rows do not count."""
        loose = select(rows.c.loose_digest, rows.c.key_digest).where(
            rows.c.import_id == import_id, rows.c.state != Status.INVALID
        )
        spelled = (
            select(row_spellings.c.digest, rows.c.key_digest)
            .join(rows, rows.c.id == row_spellings.c.row_id)
            .where(row_spellings.c.import_id == import_id, rows.c.state != Status.INVALID)
        )
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for digest, key in (
                *_having(connection, loose, rows.c.loose_digest, digests),
                *_having(connection, spelled, row_spellings.c.digest, digests),
            ):
                found.setdefault(digest, set()).add(key)
        return found

    def uncorrected(self, import_id: int, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return, by these digests, the keys of the rows that have one of them where their corrections are lost."""
        query = (
            select(uncorrected_keys.c.digest, rows.c.key_digest)
            .join(rows, rows.c.id == uncorrected_keys.c.row_id)
            .where(uncorrected_keys.c.import_id == import_id)
        )
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return found  # as in most imports
            for digest, key in _having(connection, query, uncorrected_keys.c.digest, digests):
                found.setdefault(digest, set()).add(key)
        return found

    def uncorrected_of(self, import_id: int) -> list[tuple[str, str]]:
        """Return the references of the rows of an import that were corrected, each with a key that it had before.

        Those come first that they have without any correction.
        """
        query = (
            select(rows.c.reference, uncorrected_keys.c.digest)
            .join(rows, rows.c.id == uncorrected_keys.c.row_id)
            .where(uncorrected_keys.c.import_id == import_id)
            .order_by(uncorrected_keys.c.partly, rows.c.id)
        )
        with self._database.read() as connection:
            return [(reference, digest) for reference, digest in connection.execute(query)]

    def of_run(self, import_id: int, run_id: int) -> list[JournalRow]:
        """Return the rows that a run sent, as they are now, in the order in which it sent them first."""
        first = select(func.min(attempts.c.id)).where(attempts.c.run_id == run_id, attempts.c.row_id == rows.c.id)
        sent = select(rows.c.reference).where(
            rows.c.import_id == import_id,
            rows.c.id.in_(select(attempts.c.row_id).where(attempts.c.run_id == run_id)),
        )
        with self._database.read() as connection:
            references = list(connection.scalars(sent.order_by(first.correlate(rows).scalar_subquery())))
        found = self.by_reference(import_id, references)
        return [found[reference].row for reference in references]

    def has_cases(self, import_id: int) -> bool:
        """Tell whether some row of an import is a case, or may be one."""
        query = select(rows.c.id).where(rows.c.import_id == import_id, rows.c.state.not_in(_NO_CASES))
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def cases_by_import(self) -> dict[int, int]:
        """Return how many rows of each import, by its number, are cases or may be; those without any are left out."""
        query = (
            select(rows.c.import_id, func.count().label("cases"))
            .where(rows.c.state.not_in(_NO_CASES))
            .group_by(rows.c.import_id)
        )
        with self._database.read() as connection:
            return {found.import_id: found.cases for found in connection.execute(query)}

    def cases_of(self, key_digests: Sequence[str]) -> list[tuple[str, int]]:
        """Return these keys with the imports, by number, that created cases under them, or may have.

        A case that a person declared to be gone from the CRM does not count; one whose key was corrected counts under
        the uncorrected one, too. Narrowed to some imports, the query would leave the index of keys, and read every row
        of theirs.
        """
        is_case = and_(rows.c.state.not_in(_NO_CASES), or_(rows.c.deleted.is_(False), rows.c.state != Status.CREATED))
        query = select(rows.c.key_digest, rows.c.import_id).where(is_case)
        uncorrected = select(uncorrected_keys.c.digest, rows.c.import_id).join(rows).where(is_case)
        with self._database.read() as connection:
            found = [
                *_having(connection, query, rows.c.key_digest, key_digests),
                *_having(connection, uncorrected, uncorrected_keys.c.digest, key_digests),
            ]
            return [(digest, import_id) for digest, import_id in found]

    def columns(self, import_id: int) -> frozenset[str]:
        """Return the columns that the content hashes of an import's rows cover."""
        used = select(rows.c.column_set_id).where(rows.c.import_id == import_id).distinct()
        query = select(column_sets.c.names).where(column_sets.c.id.in_(used))
        with self._database.read() as connection:
            return frozenset(name for names in connection.scalars(query) for name in json.loads(names))

    def add(self, import_id: int, fresh: Sequence[tuple[Identity, Status]], columns: Sequence[str]) -> None:
        """Add rows that the journal lacks, planned or invalid; `columns` are those that their content hashes cover."""
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            for some in batches(fresh):
                insert_rows(connection, import_id, some, column_set)

    def add_spellings(self, import_id: int, identities: Sequence[Identity]) -> None:
        """Add the other spellings of the keys of rows that the journal has."""
        with self._database.write() as connection:
            insert_spellings(connection, import_id, identities)

    def add_uncorrected(self, import_id: int, identities: Sequence[Identity]) -> None:
        """Add the keys that rows which the journal has were corrected from."""
        if identities:
            with self._database.write() as connection:
                insert_uncorrected(connection, import_id, identities)

    def replan(self, import_id: int, references: Sequence[str]) -> None:
        """Make invalid and rejected rows planned again, because their content was corrected."""
        change = update(rows).where(
            rows.c.import_id == import_id,
            rows.c.reference == bindparam("which"),
            or_(rows.c.state == Status.INVALID, rows.c.state == Status.REJECTED),  # executemany takes no IN
        )
        if references:
            with self._database.write() as connection:
                connection.execute(
                    change.values(state=Status.PLANNED, message=""), [{"which": reference} for reference in references]
                )

    def flag_changed(self, import_id: int, differs: Mapping[str, bool]) -> None:
        """Set, by reference, whether the content of created rows differs from what was sent."""
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
        """Return those ids of cases that no row of this journal has, or had until they were deleted; in their order."""
        lacking = self._lacking(rows.c.wolkvox_id, ids)
        if not lacking:
            return []
        gone = select(arrived_ids.c.wolkvox_id).where(arrived_ids.c.how == DELETED)
        with self._database.read() as connection:
            known = {found for (found,) in _having(connection, gone, arrived_ids.c.wolkvox_id, lacking)}
        return [one for one in lacking if one not in known]

    def lacking_references(self, references: Iterable[str]) -> list[str]:
        """Return those references that no row of this journal has, in their order."""
        return self._lacking(rows.c.reference, references)

    def _lacking(self, column: ColumnElement[Any], values: Iterable[str]) -> list[str]:
        wanted = list(dict.fromkeys(values))
        with self._database.read() as connection:
            known = {value for (value,) in _having(connection, select(column), column, wanted)}
        return [value for value in wanted if value not in known]

    def holders(self, tenant: str, operation: str, ids: Sequence[str]) -> dict[str, str]:
        """Return, by id, the reference of the row of a tenant and operation, in any import, that has this case."""
        query = (
            select(rows.c.wolkvox_id, rows.c.reference, imports.c.tenant)
            .join(imports, imports.c.id == rows.c.import_id)
            .where(imports.c.operation == operation)
        )
        with self._database.read() as connection:
            return {
                found.wolkvox_id: found.reference
                for found in _having(connection, query, rows.c.wolkvox_id, ids)
                if same_tenant(found.tenant, tenant)
            }

    def declared_deleted(self, tenant: str, operation: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of these ids whose cases a person declared deleted, in any import of a tenant and operation."""
        query = (
            select(arrived_ids.c.wolkvox_id, imports.c.tenant)
            .join(rows, rows.c.id == arrived_ids.c.row_id)
            .join(imports, imports.c.id == rows.c.import_id)
            .where(imports.c.operation == operation, arrived_ids.c.how == DELETED)
        )
        with self._database.read() as connection:
            found = list(_having(connection, query, arrived_ids.c.wolkvox_id, ids))
        return frozenset(one.wolkvox_id for one in found if same_tenant(one.tenant, tenant))

    def owner(self, wolkvox_id: str) -> str | None:
        """Return the reference of the row that has this case's id, None where no row has it."""
        with self._database.read() as connection:
            return connection.scalars(select(rows.c.reference).where(rows.c.wolkvox_id == wolkvox_id)).first()


def _refused_since(connection: Connection, row: int, lost: int) -> Refusal | None:
    """Return the update of a row that the CRM refused last, after one that was lost."""
    refused = updates.c.row_id == row, updates.c.id > lost, updates.c.state == UpdateState.REFUSED
    query = (
        select(updates.c.content_hash, updates.c.message, updates.c.run_id)
        .where(*refused)
        .order_by(updates.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    return None if found is None else Refusal(*found)


def _having(
    connection: Connection, query: Select[*tuple[Any, ...]], column: ColumnElement[Any], values: Sequence[str]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield what a query finds where a column has one of many values."""
    for some in batches(values):
        yield from connection.execute(query.where(column.in_(some))).all()
