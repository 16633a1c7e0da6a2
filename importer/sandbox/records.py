"""The sandbox's records of modules other than cases, contacts among them."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.sandbox.database import SandboxDatabase

CONTACTS = "contacts"
ADDRESS = "emailcontact"
_LISTED = ""
"""The operation of the contacts that the configuration lists: they belong to every operation."""

_VALUE = "CAST(CASE type WHEN 'object' THEN json_extract(value, '$.value') ELSE value END AS TEXT)"
_COMPARED = {
    "wolkvox_id": ("wolkvox_id", "{}"),
    ADDRESS: (f"json_extract(fields, '$.{ADDRESS}')", "{}"),  # as its index has it: a migration asks for thousands
}
_ANY = (_VALUE, "EXISTS (SELECT 1 FROM json_each(fields) WHERE key = ? AND {})")
"""What is compared of a field, and the condition around the comparison."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record: its module, its id, and the fields that it was created with; `created_at` is in seconds since 1970.

    A contact that the configuration lists has no operation.
    """

    number: int
    module: str
    operation: str
    wolkvox_id: str
    created_at: float
    fields: Mapping[str, Any]


class Records:
    """The records in a sandbox's database; who looks for one before making it holds the `lock`."""

    def __init__(self, database: SandboxDatabase) -> None:
        self._database = database
        self.lock = threading.RLock()

    def list_contacts(self, addresses: Iterable[str]) -> None:
        """Let exactly these contacts exist beside those that calls have created; their ids never change."""
        rows = {
            hashlib.sha256(address.casefold().encode()).hexdigest()[:24]: {
                "idcontact": str(number),
                "namecontact": address.partition("@")[0],
                ADDRESS: address,
            }
            for number, address in enumerate(addresses, 1)
        }
        with self._database.writing() as db:
            db.execute("DELETE FROM records WHERE operation = ?", (_LISTED,))
            for wolkvox_id, fields in rows.items():
                _insert(db, StoredRecord(0, CONTACTS, _LISTED, wolkvox_id, 0.0, fields))

    def add(self, module: str, operation: str, fields: Iterable[Mapping[str, object]]) -> list[StoredRecord]:
        """Store records in one commit, and return them with made-up ids; raises `OSError` if that fails."""
        now = time.time()
        with self._database.writing() as db:
            return [_insert(db, StoredRecord(0, module, operation, new_id(now), now, each)) for each in fields]

    def delete(self, module: str, operation: str, wolkvox_ids: Sequence[str]) -> int:
        """Delete records by their ids; return how many there were."""
        with self._database.writing() as db:
            statement = "DELETE FROM records WHERE module = ? AND operation = ? AND wolkvox_id = ?"
            return sum(db.execute(statement, (module, operation, each)).rowcount for each in wolkvox_ids)

    @staticmethod
    def forget(db: sqlite3.Connection) -> None:
        """Delete what calls have created, as part of a commit."""
        db.execute("DELETE FROM records WHERE operation <> ?", (_LISTED,))

    def all(self, module: str = CONTACTS) -> list[StoredRecord]:
        """Return every record of a module that a call has created, oldest first."""
        statement = "SELECT * FROM records WHERE module = ? AND operation <> ? ORDER BY number"
        return [_record(row) for row in self._database.rows(statement, module, _LISTED)]

    def page(self, text: str, offset: int, limit: int) -> tuple[list[StoredRecord], int]:
        """Return one page of the records of all modules that contain `text`, newest first, and how many there are."""
        where = "WHERE instr(lower(module || ' ' || wolkvox_id || ' ' || fields), lower(?))"
        total = self._database.rows(f"SELECT count(*) FROM records {where}", text)[0][0]  # noqa: S608  # a constant
        statement = f"SELECT * FROM records {where} ORDER BY number DESC LIMIT ? OFFSET ?"  # noqa: S608  # a constant
        return [_record(row) for row in self._database.rows(statement, text, limit, offset)], total

    def contact(self, operation: str, address: str, *, ignore_case: bool = True) -> StoredRecord | None:
        """Return the first contact with this address, None if there is none."""
        alike = self.query(CONTACTS, operation, ADDRESS, address, ignore_case=ignore_case, until=time.time())
        return alike[0] if alike else None

    def query(  # noqa: PLR0913  # what a search is made of
        self,
        module: str,
        operation: str,
        searched: str,
        value: str,
        *,
        partial: bool = False,
        ignore_case: bool,
        until: float,
    ) -> list[StoredRecord]:
        """Return the records created up to `until` whose field has the value, oldest first; `wolkvox_id` is one too.

        Of a field that is an object, such as a telephone, its `value` is compared.
        """
        fold, collation = ("lower", "NOCASE") if ignore_case else ("", "BINARY")
        compared, around = _COMPARED.get(searched, _ANY)
        alike = f"instr({fold}({compared}), {fold}(?))" if partial else f"{compared} = ? COLLATE {collation}"
        where, values = around.format(alike), [value] if searched in _COMPARED else [searched, value]
        statement = (
            f"SELECT * FROM records WHERE module = ? AND {where} AND operation IN (?, ?) AND created_at <= ?"  # noqa: S608  # no user's text
            " ORDER BY number"
        )
        rows = self._database.rows(statement, module, *values, operation, _LISTED, until)
        return [_record(row) for row in rows]

    def between(self, module: str, operation: str, start: float, end: float) -> list[StoredRecord]:
        """Return the records created from `start` to `end`, oldest first."""
        statement = (
            "SELECT * FROM records WHERE module = ? AND operation IN (?, ?) AND created_at BETWEEN ? AND ?"
            " ORDER BY number"
        )
        return [_record(row) for row in self._database.rows(statement, module, operation, _LISTED, start, end)]


def new_id(now: float) -> str:
    """Return a made-up id: 24 hexadecimal digits, of which the first are the time."""
    return f"{int(now):08x}{secrets.token_hex(8)}"


def _insert(db: sqlite3.Connection, record: StoredRecord) -> StoredRecord:
    """Store a record, and return it with its number."""
    text = json.dumps(record.fields, ensure_ascii=False)
    statement = "INSERT INTO records (module, operation, wolkvox_id, created_at, fields) VALUES (?, ?, ?, ?, ?)"
    values = (record.module, record.operation, record.wolkvox_id, record.created_at, text)
    return replace(record, number=db.execute(statement, values).lastrowid or 0)


def _record(row: Any) -> StoredRecord:  # noqa: ANN401  # a row of sqlite3
    number, module, operation, wolkvox_id, created_at, fields = row
    return StoredRecord(number, module, operation, wolkvox_id, created_at, json.loads(fields))
