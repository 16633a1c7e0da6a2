"""What the journal knows of rows, and how planning changes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    bindparam,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from importer.clock import Clock
from importer.hosts import same_tenant
from importer.journal.database import Database
from importer.journal.schema import attempts, column_sets, imports, moment, row_spellings, rows
from importer.model import Identity, JournalRow, Status

# MERGED importer.journal.rows: Looking up many values at once, at little more than what the database itself takes for it.

AT_ONCE = 500
"""Values in one statement, well under SQLite's limit."""


class Lookup:
    """A query without parameters, narrowed to the rows of one import that have one of many values in a column.

    Its text is made once: SQLAlchemy would spell out each list of values anew, and take as long for that as the
    database for finding them. What comes back is as the database has it.
    """

    def __init__(
        self, query: Select[*tuple[Any, ...]], of_import: ColumnElement[int], column: ColumnElement[str]
    ) -> None:
        """Narrow the query; `of_import` is what equals the import's number."""
        self._query = query.where(of_import == 0, column.in_([""] * AT_ONCE))
        self._text: str | None = None

    def find(self, connection: Connection, import_id: int, values: Sequence[str]) -> Iterator[Row[*tuple[Any, ...]]]:
        """Yield what the query finds for these values."""
        if self._text is None:
            self._text = str(self._query.compile(connection, compile_kwargs={"render_postcompile": True}))
        for start in range(0, len(values), AT_ONCE):
            some = values[start : start + AT_ONCE]
            padding = [some[-1]] * (AT_ONCE - len(some))  # a value that is asked for twice is found once
            yield from connection.exec_driver_sql(self._text, (import_id, *some, *padding)).all()


# MERGED importer.journal.rows: What the journal knows of rows, and how planning changes it.

T = TypeVar("T")

_NO_CASES = (Status.PLANNED, Status.INVALID, Status.REJECTED)
"""States of rows that are no cases, and cannot be."""

_STATES = {state.value: state for state in Status}

_COLUMN_SET = select(column_sets.c.id).where(column_sets.c.names == bindparam("names"))
_NEW_COLUMN_SET = insert(column_sets).returning(column_sets.c.id)


def _written(state: Status) -> BindParameter[str]:
    """Return a state as a part of a statement's text."""
    return literal(state.value, String, literal_execute=True)


# Statements of every row, built once: building them costs more than carrying them out.
_KNOWN = (
    select(
        *(rows.c.key_digest, rows.c.column_set_id, rows.c.reference, rows.c.state, rows.c.content_hash),
        *(rows.c.wolkvox_id, rows.c.id_prefijo, rows.c.message),
        *(rows.c.changed, rows.c.sent_at, rows.c.run_id, attempts.c.lease, attempts.c.boot),
        *(rows.c.attempt_id, rows.c.disputed, rows.c.deleted),
    )
    .select_from(rows)
    .outerjoin(attempts, and_(attempts.c.id == rows.c.attempt_id, rows.c.state == _written(Status.SENDING)))
)  # the lease of a row in another state is over
_BY_KEY = Lookup(_KNOWN, rows.c.import_id, rows.c.key_digest)
# + 0 keeps SQLite to the index of references; by one of the import's it would look at every row for each slice
_BY_REFERENCE = Lookup(_KNOWN, rows.c.import_id + literal_column("0"), rows.c.reference)
_SIMILAR = Lookup(
    select(rows.c.loose_digest, rows.c.key_digest).where(rows.c.state != _written(Status.INVALID)),
    rows.c.import_id,
    rows.c.loose_digest,
)
_SPELT = Lookup(
    select(row_spellings.c.digest, rows.c.key_digest)
    .join(rows, rows.c.id == row_spellings.c.row_id)
    .where(rows.c.state != _written(Status.INVALID)),
    row_spellings.c.import_id,
    row_spellings.c.digest,
)
_NEW_SPELLING = insert(row_spellings).from_select(
    ["import_id", "row_id", "digest"],
    select(rows.c.import_id, rows.c.id, bindparam("digest", type_=String)).where(
        rows.c.import_id == bindparam("import_id"), rows.c.key_digest == bindparam("key_digest")
    ),
)


class KnownRow(NamedTuple):
    """A row of the journal, with its key's digest and the columns that its content hash covers."""

    key_digest: str
    columns: tuple[str, ...]
    row: JournalRow


class Rows:
    """The rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._column_sets: dict[int, tuple[str, ...]] = {}

    def known(self, import_id: int, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these keys, by key digest."""
        return {row.key_digest: row for row in self._find(_BY_KEY, import_id, key_digests)}

    def by_reference(self, import_id: int, references: Sequence[str]) -> dict[str, KnownRow]:
        """Return what the journal has of these references, by reference."""
        return {row.row.reference: row for row in self._find(_BY_REFERENCE, import_id, references)}

    def _find(self, query: Lookup, import_id: int, values: Sequence[str]) -> Iterator[KnownRow]:
        with self._database.read() as connection:
            for found in query.find(connection, import_id, values):
                key_digest, column_set = found[0], found[1]
                if column_set not in self._column_sets:  # hundreds of thousands of rows share a few of them
                    self._column_sets = dict(_all_column_sets(connection))
                yield KnownRow(key_digest, self._column_sets[column_set], _journal_row(found, self._database.clock))

    def similar(self, import_id: int, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the digests of the keys that have each of these spellings; invalid rows do not count."""
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            spelt = connection.execute(
                select(row_spellings.c.id).where(row_spellings.c.import_id == import_id).limit(1)
            ).first()
            for query in (_SIMILAR, _SPELT) if spelt else (_SIMILAR,):
                for digest, key in query.find(connection, import_id, digests):
                    found.setdefault(digest, set()).add(key)
        return found

    def has_cases(self, import_id: int) -> bool:
        """Tell whether some row of an import is a case, or may be one."""
        query = select(rows.c.id).where(rows.c.import_id == import_id, rows.c.state.not_in(_NO_CASES))
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def cases_of(self, key_digests: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Yield these keys with the imports, by number, that created cases under them, or may have.

        A case that a person declared to be gone from the CRM is none. Narrowed to some imports, the query would leave
        the index of keys, and look at every row of theirs.
        """
        query = select(rows.c.key_digest, rows.c.import_id).where(
            rows.c.state.not_in(_NO_CASES), rows.c.deleted.is_(False)
        )
        with self._database.read() as connection:
            for some in _slices(key_digests):
                for found in connection.execute(query.where(rows.c.key_digest.in_(some))).all():
                    yield found.key_digest, found.import_id

    def columns(self, import_id: int) -> frozenset[str]:
        """Return the columns that the content hashes of an import's rows cover."""
        used = select(rows.c.column_set_id).where(rows.c.import_id == import_id).distinct()
        query = select(column_sets.c.names).where(column_sets.c.id.in_(used))
        with self._database.read() as connection:
            return frozenset(name for names in connection.scalars(query) for name in json.loads(names))

    def add(self, import_id: int, fresh: Sequence[tuple[Identity, Status]], columns: Sequence[str]) -> None:
        """Note rows that the journal lacks, planned or invalid; `columns` are those that their content hashes cover."""
        with self._database.write() as connection:
            column_set = column_set_id(connection, columns)
            for some in _slices(fresh):
                values = [_new_row(import_id, identity, state, column_set) for identity, state in some]
                connection.execute(insert(rows).prefix_with("OR IGNORE"), values)  # another process may be faster
                _add_spellings(connection, import_id, [identity for identity, _state in some])

    def add_spellings(self, import_id: int, identities: Sequence[Identity]) -> None:
        """Note the other spellings of the keys of rows that the journal has."""
        with self._database.write() as connection:
            _add_spellings(connection, import_id, identities)

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

    def holders(self, tenant: str, operation: str, ids: Sequence[str]) -> dict[str, str]:
        """Return, by id, the reference of the row of a tenant and operation, in whatever import, that has this case."""
        query = (
            select(rows.c.wolkvox_id, rows.c.reference, imports.c.tenant)
            .join(imports, imports.c.id == rows.c.import_id)
            .where(imports.c.operation == operation)
        )
        with self._database.read() as connection:
            return {
                found.wolkvox_id: found.reference
                for some in _slices(ids)
                for found in connection.execute(query.where(rows.c.wolkvox_id.in_(some)))
                if same_tenant(found.tenant, tenant)
            }

    def lacking_references(self, references: Iterable[str]) -> list[str]:
        """Return those references that no row of this journal has, in their order."""
        wanted = list(dict.fromkeys(references))
        query = select(rows.c.reference)
        with self._database.read() as connection:
            known = {
                found
                for some in _slices(wanted)
                for found in connection.scalars(query.where(rows.c.reference.in_(some)))
            }
        return [reference for reference in wanted if reference not in known]

    def owner(self, wolkvox_id: str) -> str | None:
        """Return the reference of the row that has this case's id, None where no row has it."""
        with self._database.read() as connection:
            return connection.scalars(select(rows.c.reference).where(rows.c.wolkvox_id == wolkvox_id)).first()


def column_set_id(connection: Connection, columns: Sequence[str]) -> int:
    """Return the number under which a set of columns is recorded, recording it if need be."""
    names = {"names": json.dumps(list(columns), ensure_ascii=False)}
    known: int | None = connection.execute(_COLUMN_SET, names).scalar_one_or_none()
    return connection.execute(_NEW_COLUMN_SET, names).scalar_one() if known is None else known


def _add_spellings(connection: Connection, import_id: int, identities: Sequence[Identity]) -> None:
    values = [
        {"import_id": import_id, "key_digest": each.key_digest, "digest": digest}
        for each in identities
        for digest in each.spellings
    ]
    if values:
        connection.execute(_NEW_SPELLING, values)


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


def _all_column_sets(connection: Connection) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield every set of columns with its number."""
    for number, names in connection.execute(select(column_sets.c.id, column_sets.c.names)):
        yield number, tuple(json.loads(names))


def _journal_row(found: Row[*tuple[Any, ...]], clock: Clock) -> JournalRow:
    """Return a row of `_KNOWN`; to ask for each of its columns by name would take as long as the query."""
    (_key, _set, reference, state, content_hash, wolkvox_id, id_prefijo, message, *more) = found
    changed, sent_at, run, lease, boot, attempt, disputed, deleted = more
    return JournalRow(
        reference,
        _STATES[state],
        content_hash,
        wolkvox_id,
        id_prefijo,
        message,
        bool(changed),
        sent_at,
        run,
        moment(clock.wall() + lease - clock.elapsed()) if lease is not None and boot == clock.boot() else None,
        attempt,
        bool(disputed),
        bool(deleted),
    )


def _slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))
