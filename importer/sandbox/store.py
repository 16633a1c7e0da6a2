"""The sandbox's cases and their attachments, kept in SQLite."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

from importer.sandbox.database import SandboxDatabase
from importer.sandbox.records import Records, new_id

_REFERENCE = re.compile(r"WCI-[0-9A-HJKMNP-TV-Z]{16}", re.IGNORECASE)

# What each field of `queryCases` is compared with. The documented fields missing here are about things that the sandbox
# does not have, such as a contact's phone.
SEARCHABLE: Mapping[str, str] = {
    "status": "json_extract(body, '$.status')",
    "priority": "json_extract(body, '$.priority')",
    "email contact": "json_extract(body, '$.contact')",
    "description": "json_extract(body, '$.description')",
    "idCase": "number",
    "idPrefijo": "id_prefijo",
    "prefix": "substr(id_prefijo, 1, instr(id_prefijo, '-') - 1)",
    "responsible user": "json_extract(body, '$.responsible')",
    "owner user": "json_extract(body, '$.owner')",
    "solution": "json_extract(body, '$.solution')",
    "wolkvox-id": "wolkvox_id",
    "type case": "json_extract(body, '$.\"case-type\"')",
}


_CASES = "SELECT cases.*, (SELECT max(at) FROM updates WHERE updates.number = cases.number) FROM cases"
_LAST_NUMBER = "(SELECT coalesce(max(number), 0) FROM cases), (SELECT coalesce(max(number), 0) FROM deletions)"


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One case: the fields it has now, its ids, and its attachments.

    `created_at` and `modified_at` are in seconds since 1970. `attachments` are the files' contents; listings leave
    them out.
    """

    number: int
    wolkvox_id: str
    id_prefijo: str
    created_at: float
    body: Mapping[str, Any]
    attachments: tuple[bytes, ...] = field(default=(), repr=False)
    modified_at: float = 0.0

    @property
    def reference(self) -> str | None:
        """The importer's reference in the description or a form field, in capitals; None if there is none."""
        texts = [self.body.get("description"), *dict(self.body.get("form") or {}).values()]
        found = (_REFERENCE.search(text) for text in texts if isinstance(text, str))
        return next((match[0].upper() for match in found if match), None)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to store: its bytes in chunks, and its name where there is one."""

    chunks: Iterable[bytes]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CaseUpdate:
    """One update of a case: when it came, what was sent without its files, and how many files came with it."""

    at: float
    sent: Mapping[str, Any]
    files: int


class Store:
    """A SQLite file of cases and other records, or memory only if `path` is None; safe to use from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file, readable by its owner only; raises `UsageError` if that fails."""
        self._database = SandboxDatabase(path)
        self.records = Records(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def forget(self) -> None:
        """Delete every case, and the records that calls have created; numbers start at 1 again."""
        with self._database.writing() as db:
            for table in ("cases", "parts", "names", "updates", "deletions"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  # the names above
            self.records.forget(db)

    def add(self, body: Mapping[str, object], files: Sequence[StoredFile], prefix: str) -> StoredCase:
        """Store a case and its attachments in one commit, and return it with made-up ids.

        Raises `OSError` if the file cannot be written, and anything the attachments raise; nothing is stored then.
        """
        with self._database.writing() as db:
            now = time.time()
            wolkvox_id = new_id(now)
            number = db.execute(f"SELECT 1 + max({_LAST_NUMBER})").fetchone()[0]  # a constant
            id_prefijo = f"{prefix}-{number}"
            text = json.dumps(body, ensure_ascii=False)
            db.execute("INSERT INTO cases VALUES (?, ?, ?, ?, ?)", (number, wolkvox_id, id_prefijo, now, text))
            _add_files(db, number, files, 0)
            return StoredCase(number, wolkvox_id, id_prefijo, now, body, modified_at=now)

    def update(
        self,
        number: int,
        change: Callable[[Mapping[str, Any]], Mapping[str, object]],
        sent: Mapping[str, object],
        files: Sequence[StoredFile],
        *,
        replaces_files: bool,
    ) -> None:
        """Change a case's body and its attachments in one commit, and keep what was sent; raises as `add` does."""
        with self._database.writing() as db:
            body = json.loads(db.execute("SELECT body FROM cases WHERE number = ?", (number,)).fetchone()[0])
            text = json.dumps(change(body), ensure_ascii=False)
            db.execute("UPDATE cases SET body = ? WHERE number = ?", (text, number))
            if replaces_files and files:
                for table in ("parts", "names"):
                    db.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608  # the names above
            last = db.execute("SELECT coalesce(max(attachment), -1) FROM parts WHERE number = ?", (number,))
            _add_files(db, number, files, 1 + last.fetchone()[0])
            written = (number, time.time(), json.dumps(sent, ensure_ascii=False), len(files))
            db.execute("INSERT INTO updates VALUES (?, ?, ?, ?)", written)

    def delete(self, number: int) -> None:
        """Delete a case; its number is not given again."""
        with self._database.writing() as db:
            db.execute("INSERT INTO deletions VALUES (?, ?)", (number, time.time()))
            for table in ("cases", "parts", "names", "updates"):
                db.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608  # the names above

    def updates(self, number: int) -> list[CaseUpdate]:
        """Return the updates of a case, oldest first."""
        rows = self._rows("SELECT at, body, files FROM updates WHERE number = ? ORDER BY at", number)
        return [CaseUpdate(at, json.loads(sent), files) for at, sent, files in rows]

    @property
    def cases(self) -> list[StoredCase]:
        """Every case in order of creation, attachments included."""
        return [self._case(row, whole=True) for row in self._rows(f"{_CASES} ORDER BY number")]

    def case(self, number: int) -> StoredCase | None:
        """Return one case without its attachments, None if there is no such number."""
        rows = self._rows(f"{_CASES} WHERE number = ?", number)
        return self._case(rows[0]) if rows else None

    def case_with_id(self, wolkvox_id: str) -> StoredCase | None:
        """Return the case with this id, without its attachments; None if there is none."""
        rows = self._rows(f"{_CASES} WHERE wolkvox_id = ?", wolkvox_id)
        return self._case(rows[0]) if rows else None

    def find(self, text: str, offset: int, limit: int) -> tuple[list[StoredCase], int]:
        """Return one page of the cases that contain `text` anywhere, newest first, and how many there are."""
        where = "WHERE instr(lower(wolkvox_id || ' ' || id_prefijo || ' ' || body), lower(?))"
        total = self._rows(f"SELECT count(*) FROM cases {where}", text)[0][0]  # noqa: S608  # the constant above
        rows = self._rows(f"{_CASES} {where} ORDER BY number DESC LIMIT ? OFFSET ?", text, limit, offset)
        return [self._case(row) for row in rows], total

    def query(self, searched: str, value: str, *, partial: bool, ignore_case: bool, until: float) -> list[StoredCase]:
        """Return the cases created up to `until` whose field, a key of `SEARCHABLE`, has the value, oldest first."""
        expression = SEARCHABLE[searched]
        if partial:
            fold = "lower" if ignore_case else ""
            where = f"instr({fold}({expression}), {fold}(?))"
        else:
            where = f"{expression} = ? COLLATE {'NOCASE' if ignore_case else 'BINARY'}"
        statement = f"{_CASES} WHERE {where} AND created_at <= ? ORDER BY number"  # no user's text
        return [self._case(row) for row in self._rows(statement, value, until)]

    def between(self, start: float, end: float, *, modified: bool) -> list[StoredCase]:
        """Return the cases created, or last modified, from `start` to `end`, oldest first."""
        every = (self._case(row) for row in self._rows(f"{_CASES} ORDER BY number"))
        return [case for case in every if start <= (case.modified_at if modified else case.created_at) <= end]

    def sizes(self, number: int) -> list[int]:
        """Return the size in bytes of each attachment of a case."""
        statement = "SELECT sum(length(data)) FROM parts WHERE number = ? GROUP BY attachment ORDER BY attachment"
        return [size for (size,) in self._rows(statement, number)]

    def attachment(self, number: int, attachment: int) -> Iterator[bytes]:
        """Yield one attachment in chunks; nothing if there is no such attachment."""
        statement = "SELECT data FROM parts WHERE number = ? AND attachment = ? AND part = ?"
        part = 0
        while rows := self._rows(statement, number, attachment, part):
            yield rows[0][0]
            part += 1

    def names(self, number: int) -> dict[int, str]:
        """Return the names of a case's attachments that have one, by their positions."""
        return dict(self._rows("SELECT attachment, name FROM names WHERE number = ?", number))

    def _rows(self, statement: str, *values: object) -> list[Any]:
        return self._database.rows(statement, *values)

    def _case(self, row: Any, *, whole: bool = False) -> StoredCase:  # noqa: ANN401  # a row of sqlite3
        number, wolkvox_id, id_prefijo, created_at, body, modified_at = row
        attachments = (b"".join(self.attachment(number, at)) for at in range(len(self.sizes(number)))) if whole else ()
        values = (number, wolkvox_id, id_prefijo, created_at, json.loads(body), tuple(attachments))
        return StoredCase(*values, modified_at=modified_at or created_at)


def _add_files(db: sqlite3.Connection, number: int, files: Iterable[StoredFile], start: int) -> None:
    """Store the contents of a case's further attachments, of which the first has the position `start`."""
    for position, file in enumerate(files, start):
        parts = enumerate(itertools.chain(file.chunks, [b""]))  # so that an empty attachment has a row too
        rows = ((number, position, index, part) for index, part in parts)
        db.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)
        if file.name:
            db.execute("INSERT INTO names VALUES (?, ?, ?)", (number, position, file.name))


def default_store() -> Path:
    """Return the file in the user's data folder where the sandbox stores its cases by default."""
    return platformdirs.user_data_path("case-importer", appauthor=False) / "sandbox.db"
