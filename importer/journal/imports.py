"""The imports that a journal knows, the reports that were written of them, and what people decided about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, or_, select, update

from importer.journal.database import Database, batches
from importer.journal.dialects import insert_or_ignore
from importer.journal.runs import user_name
from importer.journal.schema import (
    aliases,
    arrived_ids,
    attempts,
    decisions,
    imports,
    reports,
    row_spellings,
    rows,
    runs,
    spot_checks,
    uncorrected_keys,
    updates,
    verdicts,
)
from importer.messages import _
from importer.model import MAY_BE_CASES, Status
from importer.model.edits import UpdateState
from importer.system.hosts import same_tenant

_BY_NAME = (
    select(imports)
    .where(imports.c.operation == bindparam("of_operation"), imports.c.name == bindparam("called"))
    .order_by(imports.c.id)
)
_BY_ALIAS = (
    select(imports, aliases.c.tenant.label("as_tenant"))
    .join(aliases, aliases.c.import_id == imports.c.id)
    .where(aliases.c.operation == bindparam("of_operation"), aliases.c.name == bindparam("called"))
    .order_by(aliases.c.id)
)


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """An import as the journal knows it.

    `bound_to` is the digest of its only file under `key: content`; `key_rule` is what identifies its rows, as JSON,
    None where no run has recorded it.
    """

    id: int
    tenant: str
    operation: str
    name: str
    bound_to: str | None
    key_rule: str | None = None

    @property
    def scope(self) -> tuple[str, str, str]:
        """Return tenant, operation and name."""
        return self.tenant, self.operation, self.name

    @property
    def notes_spellings(self) -> bool:
        """Tell whether all rows of the import were noted with the other spellings of their keys."""
        return self.key_rule is not None and json.loads(self.key_rule).get("spellings") is True


class Imports:
    """The imports of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant: str, operation: str, name: str) -> ImportRecord | None:
        """Return the import of a scope, or the one of which the scope is an alias; None where there is neither.

        An import that an earlier version recorded under another name of this computer is found too.
        """
        wanted = {"of_operation": operation, "called": name}
        with self._database.read() as connection:
            own = [(each.tenant, each) for each in connection.execute(_BY_NAME, wanted)]
            others = [(each.as_tenant, each) for each in connection.execute(_BY_ALIAS, wanted)]
        for candidates in (own, others):
            exact = [each for recorded, each in candidates if recorded == tenant]
            alike = [each for recorded, each in candidates if same_tenant(recorded, tenant)]
            if found := exact or alike:
                return _import_record(found[0])
        return None

    def named(self, name: str) -> list[ImportRecord]:
        """Return every import of that name, whatever its server and operation."""
        with self._database.read() as connection:
            return [
                _import_record(found) for found in connection.execute(select(imports).where(imports.c.name == name))
            ]

    def scopes_named(self, name: str) -> list[tuple[str, str, ImportRecord]]:
        """Return the tenants and operations under which imports of that name are known, aliases last; each import once.

        An import is found by that name together with its tenant and operation here, which may be those of an alias.
        """
        as_alias = (
            select(imports, aliases.c.tenant.label("as_tenant"), aliases.c.operation.label("as_operation"))
            .join(aliases, aliases.c.import_id == imports.c.id)
            .where(aliases.c.name == name)
            .order_by(aliases.c.id)
        )
        found = {record.id: (record.tenant, record.operation, record) for record in self.named(name)}
        with self._database.read() as connection:
            for each in connection.execute(as_alias):
                found.setdefault(each.id, (each.as_tenant, each.as_operation, _import_record(each)))
        return list(found.values())

    def all(self) -> list[ImportRecord]:
        """Return every import."""
        with self._database.read() as connection:
            return [_import_record(found) for found in connection.execute(select(imports).order_by(imports.c.id))]

    def also_called(self, record: ImportRecord, tenant: str, operation: str, name: str) -> None:
        """Make a scope an alias of this import."""
        with self._database.write() as connection:
            _add_alias(connection, record, (tenant, operation, name))

    def aliases_of(self, record: ImportRecord) -> list[tuple[str, str, str]]:
        """Return the scopes under which an import is also known; rows may have references made from any of them."""
        query = select(aliases.c.tenant, aliases.c.operation, aliases.c.name).where(aliases.c.import_id == record.id)
        with self._database.read() as connection:
            found = [(tenant, operation, name) for tenant, operation, name in connection.execute(query)]
        return [scope for scope in found if scope != record.scope]

    def join(self, record: ImportRecord, other: ImportRecord) -> bool:
        """Make an import one with another, of which its name is an alias from then on; every row keeps its reference.

        Where both have a row with one key, the one that is a case, or may be, keeps the key; if both are, a person has
        to say which case counts. Returns False, and changes nothing, while rows of one of them are being sent.
        """
        of_both = rows.c.import_id.in_((record.id, other.id))
        in_flight = select(rows.c.id).where(of_both, rows.c.state == Status.SENDING)
        updating = select(updates.c.id).join(rows, rows.c.update_id == updates.c.id)
        updating = updating.where(of_both, updates.c.state == UpdateState.SENDING)
        with self._database.write() as connection:
            if any(connection.execute(query).first() for query in (in_flight, updating)):
                return False
            for pair in connection.execute(_with_one_key(record.id, other.id)).all():
                _keep_one_key(connection, pair, other.id)
            checked = spot_checks.c.import_id == record.id  # of its files only, which the other may never have seen
            connection.execute(delete(spot_checks).where(checked))
            for table in (rows, row_spellings, uncorrected_keys, runs, reports, aliases):
                connection.execute(update(table).where(table.c.import_id == record.id).values(import_id=other.id))
            connection.execute(delete(imports).where(imports.c.id == record.id))
            _add_alias(connection, other, record.scope)
        return True

    def bind(self, record: ImportRecord, digest: str) -> None:
        """Bind an import to the only file that it is for."""
        with self._database.write() as connection:
            connection.execute(update(imports).where(imports.c.id == record.id).values(bound_to=digest))

    def set_key_rule(self, record: ImportRecord, key_rule: str) -> None:
        """Record what identifies the rows of an import."""
        with self._database.write() as connection:
            connection.execute(update(imports).where(imports.c.id == record.id).values(key_rule=key_rule))

    def add(
        self, tenant: str, operation: str, name: str, bound_to: str | None, key_rule: str | None = None
    ) -> ImportRecord:
        """Record a new import and return it; where another process was faster, return the one that it recorded."""
        values = {"tenant": tenant, "operation": operation, "name": name, "bound_to": bound_to, "key_rule": key_rule}
        with self._database.write() as connection:
            fresh = insert_or_ignore(connection, imports)
            connection.execute(fresh.values(**values, created_at=self._database.clock.wall()))
            found = connection.execute(_in_scope(tenant, operation, name)).one()
        return _import_record(found)

    def knowing(self, key_digests: Sequence[str]) -> list[tuple[ImportRecord, int]]:
        """Return the imports that have cases under some of these keys, or may have, with their number, most first."""
        counts: dict[int, int] = {}
        with self._database.read() as connection:
            for some in batches(key_digests):
                query = (
                    select(rows.c.import_id, func.count())
                    .where(
                        rows.c.key_digest.in_(some),
                        rows.c.state.in_(MAY_BE_CASES),
                        or_(rows.c.deleted.is_(False), rows.c.state != Status.CREATED),
                    )
                    .group_by(rows.c.import_id)
                )
                for number, known in connection.execute(query):
                    counts[number] = counts.get(number, 0) + known
            found = connection.execute(select(imports).where(imports.c.id.in_(list(counts)))).all()
        return sorted(((_import_record(each), counts[each.id]) for each in found), key=lambda pair: -pair[1])

    def is_spot_checked(self, record: ImportRecord, source_digest: str) -> bool:
        """Tell whether the CRM was asked for some rows of this source before its first row was sent."""
        query = select(spot_checks.c.checked_at).where(
            spot_checks.c.import_id == record.id, spot_checks.c.source_digest == source_digest
        )
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def note_spot_check(self, record: ImportRecord, source_digest: str) -> None:
        """Record that the CRM was asked for some rows of a source, and had none of them from elsewhere."""
        values = {"import_id": record.id, "source_digest": source_digest, "checked_at": self._database.clock.wall()}
        with self._database.write() as connection:
            connection.execute(insert_or_ignore(connection, spot_checks).values(**values))

    def note_report(self, import_id: int, digest: str, source: str | None = None) -> None:
        """Record a report of a source as it was written, to recognise an edited one."""
        now = self._database.clock.wall()
        values = {"digest": digest, "import_id": import_id, "written_at": now, "source": source}
        with self._database.write() as connection:
            connection.execute(insert_or_ignore(connection, reports).values(**values))

    def is_report(self, digest: str) -> bool:
        """Tell whether a file with this digest is a report as this journal's runs wrote it."""
        with self._database.read() as connection:
            return connection.execute(select(reports.c.digest).where(reports.c.digest == digest)).first() is not None

    def scope_of_report(self, digest: str) -> tuple[str, str, str] | None:
        """Return the scope of the import of a report that is as it was written, None for other files."""
        query = select(imports.c.tenant, imports.c.operation, imports.c.name).join(reports)
        with self._database.read() as connection:
            found = connection.execute(query.where(reports.c.digest == digest)).first()
        return None if found is None else (found.tenant, found.operation, found.name)

    def source_of_report(self, digest: str) -> str | None:
        """Return the source of a report that is as it was written, None where that is not known."""
        with self._database.read() as connection:
            return connection.scalars(select(reports.c.source).where(reports.c.digest == digest)).first()


class Decisions:
    """What people decided before a run, so that each question is asked once: answers, with who gave them and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, question: str, about: str, answer: str) -> None:
        """Record an answer; earlier answers to the same question are kept, and the last one counts."""
        values = {"question": question, "about": about, "answer": answer, "user": user_name()}
        with self._database.write() as connection:
            connection.execute(insert(decisions).values(**values, decided_at=self._database.clock.wall()))

    def answered(self, question: str, about: str = "") -> str | None:
        """Return the last answer to a question, None where it was never answered."""
        query = (
            select(decisions.c.answer)
            .where(decisions.c.question == question, decisions.c.about == about)
            .order_by(decisions.c.id.desc())
        )
        with self._database.read() as connection:
            return connection.scalars(query).first()


def _add_alias(connection: Connection, record: ImportRecord, scope: tuple[str, str, str]) -> None:
    tenant, operation, name = scope
    values = {"tenant": tenant, "operation": operation, "name": name, "import_id": record.id}
    known = [aliases.c[name] == value for name, value in list(values.items())[:3]]
    connection.execute(delete(aliases).where(*known))
    connection.execute(insert(aliases).values(**values))


def _with_one_key(import_id: int, other_id: int) -> Select[Any]:
    """Return the query for the rows of two imports that have the same key, side by side."""
    one, two = rows.alias(), rows.alias()
    columns = ("id", "key_digest", "reference", "state", "wolkvox_id")
    both = [table.c[name].label(f"{which}_{name}") for which, table in (("one", one), ("two", two)) for name in columns]
    same = two.c.key_digest == one.c.key_digest
    return select(*both).join_from(one, two, same).where(one.c.import_id == import_id, two.c.import_id == other_id)


def _keep_one_key(connection: Connection, pair: Row[Any], other_id: int) -> None:
    """Leave their key to one of two rows that have the same.

    The other one is known by its reference alone from then on, or forgotten if nothing was ever sent or decided of it.
    """
    is_case = pair.one_state in MAY_BE_CASES, pair.two_state in MAY_BE_CASES
    aside, key = (pair.two_id, pair.two_key_digest) if is_case == (True, False) else (pair.one_id, pair.one_key_digest)
    kept = pair.one_id if aside == pair.two_id else pair.two_id
    connection.execute(delete(row_spellings).where(row_spellings.c.row_id == aside))
    _move_uncorrected(connection, (aside, kept), other_id, kept)
    history = (select(table.c.id).where(table.c.row_id == aside) for table in (attempts, arrived_ids, verdicts))
    if any(connection.execute(query).first() for query in history):
        change = {"key_digest": f"{key} {aside}", "loose_digest": ""}
        connection.execute(update(rows).where(rows.c.id == aside).values(**change))
    else:
        connection.execute(delete(rows).where(rows.c.id == aside))
    if all(is_case):
        cases = (pair.two_wolkvox_id or pair.two_reference, pair.one_wolkvox_id or pair.one_reference)
        message = _("Two imports made a case of this key: {ids}.", ids=", ".join(cases))
        conflict = {"state": Status.CONFLICT, "message": message}
        connection.execute(update(rows).where(rows.c.id == pair.two_id).values(**conflict))


def _move_uncorrected(connection: Connection, of: tuple[int, int], other_id: int, kept: int) -> None:
    """Give the uncorrected keys of two rows to the one that is kept, each once."""
    mine, partly = uncorrected_keys.c.row_id.in_(of), uncorrected_keys.c.partly
    query = select(uncorrected_keys.c.digest, partly).where(mine).order_by(partly.desc())
    found = {digest: is_partly for digest, is_partly in connection.execute(query)}  # noqa: C416 - no pairs to mypy
    connection.execute(delete(uncorrected_keys).where(mine))
    values = [{"digest": key, "import_id": other_id, "row_id": kept, "partly": found[key]} for key in found]
    if values:
        connection.execute(insert_or_ignore(connection, uncorrected_keys), values)


def _in_scope(tenant: str, operation: str, name: str) -> Select[Any]:
    return select(imports).where(imports.c.tenant == tenant, imports.c.operation == operation, imports.c.name == name)


def _import_record(found: Row[Any]) -> ImportRecord:
    return ImportRecord(found.id, found.tenant, found.operation, found.name, found.bound_to, found.key_rule)
