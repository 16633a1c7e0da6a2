"""What the journal knows of rows, and how planning changes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from importer.clock import local_datetime
from importer.hosts import same_tenant
from importer.journal.database import Database, batches
from importer.journal.schema import attempts, column_sets, facts, imports, row_spellings, rows, uncorrected_keys
from importer.model import Identity, JournalRow, Status

_NO_CASES = (Status.PLANNED, Status.INVALID, Status.REJECTED)
"""States of rows that are not cases, and cannot be."""

_KNOWN = select(
    *(rows.c.import_id, rows.c.key_digest, rows.c.column_set_id, rows.c.column_digests),
    *(attempts.c.lease, attempts.c.boot),
    *(rows.c.reference, rows.c.state, rows.c.content_hash, rows.c.wolkvox_id, rows.c.id_prefijo, rows.c.message),
    *(rows.c.changed, rows.c.sent_at, rows.c.run_id, rows.c.attempt_id, rows.c.disputed, rows.c.deleted),
).outerjoin_from(
    rows, attempts, and_(attempts.c.id == rows.c.attempt_id, rows.c.state == Status.SENDING)
)  # in any other state the lease is over

_COLUMN_SET = select(column_sets.c.id).where(column_sets.c.names == bindparam("recorded"))
_ADD_COLUMN_SET = insert(column_sets).returning(column_sets.c.id)
_STATES = {state.value: state for state in Status}

_OF_ROW = ["import_id", "row_id", "digest"]
_DIGEST_OF_ROW = select(rows.c.import_id, rows.c.id, bindparam("digest", type_=String)).where(
    rows.c.import_id == bindparam("import_id"), rows.c.key_digest == bindparam("key_digest")
)
_NEW_SPELLING = insert(row_spellings).from_select(_OF_ROW, _DIGEST_OF_ROW)
_NEW_UNCORRECTED = (
    insert(uncorrected_keys)
    .prefix_with("OR IGNORE")  # recorded by an earlier run
    .from_select([*_OF_ROW, "partly"], _DIGEST_OF_ROW.add_columns(bindparam("partly", type_=Boolean)))
)


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
        wolkvox_id, id_prefijo, message, changed, sent_at, run, attempt, disputed, deleted = more
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
            ),
            column_digests or "",
        )

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
        is_case = and_(rows.c.state.not_in(_NO_CASES), rows.c.deleted.is_(False))
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
                values = [_new_row(import_id, identity, state, column_set) for identity, state in some]
                connection.execute(insert(rows).prefix_with("OR IGNORE"), values)  # another process may be faster
                _add_spellings(connection, import_id, [identity for identity, _state in some])
                _add_uncorrected(connection, import_id, [identity for identity, _state in some])

    def add_spellings(self, import_id: int, identities: Sequence[Identity]) -> None:
        """Add the other spellings of the keys of rows that the journal has."""
        with self._database.write() as connection:
            _add_spellings(connection, import_id, identities)

    def add_uncorrected(self, import_id: int, identities: Sequence[Identity]) -> None:
        """Add the keys that rows which the journal has were corrected from."""
        if identities:
            with self._database.write() as connection:
                _add_uncorrected(connection, import_id, identities)

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
        """Return those ids of cases that no row of this journal has, in their order."""
        return self._lacking(rows.c.wolkvox_id, ids)

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

    def owner(self, wolkvox_id: str) -> str | None:
        """Return the reference of the row that has this case's id, None where no row has it."""
        with self._database.read() as connection:
            return connection.scalars(select(rows.c.reference).where(rows.c.wolkvox_id == wolkvox_id)).first()


def column_set_id(connection: Connection, columns: Sequence[str]) -> int:
    """Return the number under which a set of columns is recorded, recording it if need be."""
    names = json.dumps(list(columns), ensure_ascii=False)
    known: int | None = connection.scalars(_COLUMN_SET, {"recorded": names}).one_or_none()
    if known is None:
        known = connection.scalars(_ADD_COLUMN_SET, {"names": names}).one()
    return known


def _having(
    connection: Connection, query: Select[*tuple[Any, ...]], column: ColumnElement[Any], values: Sequence[str]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield what a query finds where a column has one of many values."""
    for some in batches(values):
        yield from connection.execute(query.where(column.in_(some))).all()


def _add_spellings(connection: Connection, import_id: int, identities: Sequence[Identity]) -> None:
    values = [
        {"import_id": import_id, "key_digest": each.key_digest, "digest": digest}
        for each in identities
        for digest in each.spellings
    ]
    if values:
        connection.execute(_NEW_SPELLING, values)


def _add_uncorrected(connection: Connection, import_id: int, identities: Sequence[Identity]) -> None:
    values = [
        {"import_id": import_id, "key_digest": each.key_digest, "digest": digest, "partly": at > 0}
        for each in identities
        for at, digest in enumerate(each.uncorrected)
    ]
    if values:
        connection.execute(_NEW_UNCORRECTED, values)


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
