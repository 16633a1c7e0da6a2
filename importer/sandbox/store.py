"""The sandbox's cases and their attachments, kept in SQLite."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

from importer.causes import reason_of
from importer.errors import UsageError
from importer.messages import _

_VERSION = 1
_REFERENCE = re.compile(r"WCI-[0-9A-HJKMNP-TV-Z]{16}", re.IGNORECASE)
_SCHEMA = f"""
    CREATE TABLE cases (
        number INTEGER PRIMARY KEY, wolkvox_id TEXT NOT NULL UNIQUE, id_prefijo TEXT NOT NULL,
        created_at REAL NOT NULL, body TEXT NOT NULL);
    CREATE TABLE parts (
        number INTEGER NOT NULL, attachment INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (number, attachment, part));
    CREATE INDEX cases_by_contact ON cases (json_extract(body, '$.contact') COLLATE NOCASE);
    PRAGMA user_version = {_VERSION};
"""

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


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One case: the fields it was created with, its ids, and its attachments.

    `created_at` is in seconds since 1970. `attachments` are the files' contents; listings leave them out.
    """

    number: int
    wolkvox_id: str
    id_prefijo: str
    created_at: float
    body: Mapping[str, Any]
    attachments: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def reference(self) -> str | None:
        """The importer's reference in the description or a form field, in capitals; None if there is none."""
        texts = [self.body.get("description"), *dict(self.body.get("form") or {}).values()]
        found = (_REFERENCE.search(text) for text in texts if isinstance(text, str))
        return next((match[0].upper() for match in found if match), None)


class Store:
    """A SQLite file of cases, or memory only if `path` is None; safe to use from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file, readable by its owner only; raises `UsageError` if that fails."""
        self._lock = threading.RLock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                _(
                    "{file}: the sandbox cannot store its cases here: {reason}. Choose another file with --store.",
                    file=path,
                    reason=reason_of(error),
                )
            ) from error
        if version not in (0, _VERSION):
            raise UsageError(
                _(
                    "{file} was written by another version of case-importer. Choose another file with --store.",
                    file=path,
                )
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def forget(self) -> None:
        """Delete every case; numbers start at 1 again."""
        with self._lock, self._db:
            for table in ("cases", "parts"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # the two names above

    def add(self, body: Mapping[str, object], attachments: Sequence[Iterable[bytes]], prefix: str) -> StoredCase:
        """Store a case and its attachments in one commit, and return it with made-up ids.

        Raises `OSError` if the file cannot be written, and anything the attachments raise; nothing is stored then.
        """
        try:
            with self._lock, self._db:
                return self._add(body, attachments, prefix)
        except sqlite3.Error as error:
            raise OSError(str(error)) from error

    def _add(self, body: Mapping[str, object], attachments: Sequence[Iterable[bytes]], prefix: str) -> StoredCase:
        now = time.time()
        wolkvox_id = f"{int(now):08x}{secrets.token_hex(8)}"
        number = self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM cases").fetchone()[0]
        id_prefijo = f"{prefix}-{number}"
        text = json.dumps(body, ensure_ascii=False)
        self._db.execute("INSERT INTO cases VALUES (?, ?, ?, ?, ?)", (number, wolkvox_id, id_prefijo, now, text))
        for position, content in enumerate(attachments):
            parts = enumerate(itertools.chain(content, [b""]))  # so that an empty attachment has a row too
            rows = ((number, position, index, part) for index, part in parts)
            self._db.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)
        return StoredCase(number, wolkvox_id, id_prefijo, now, body)

    @property
    def cases(self) -> list[StoredCase]:
        """Every case in order of creation, attachments included."""
        return [self._case(row, whole=True) for row in self._rows("SELECT * FROM cases ORDER BY number")]

    def case(self, number: int) -> StoredCase | None:
        """Return one case without its attachments, None if there is no such number."""
        rows = self._rows("SELECT * FROM cases WHERE number = ?", number)
        return self._case(rows[0]) if rows else None

    def find(self, text: str, offset: int, limit: int) -> tuple[list[StoredCase], int]:
        """Return one page of the cases that contain `text` anywhere, newest first, and how many there are."""
        where = "WHERE instr(lower(wolkvox_id || ' ' || id_prefijo || ' ' || body), lower(?))"
        total = self._rows(f"SELECT count(*) FROM cases {where}", text)[0][0]  # noqa: S608  # the constant above
        rows = self._rows(f"SELECT * FROM cases {where} ORDER BY number DESC LIMIT ? OFFSET ?", text, limit, offset)  # noqa: S608
        return [self._case(row) for row in rows], total

    def query(self, searched: str, value: str, *, partial: bool, ignore_case: bool, until: float) -> list[StoredCase]:
        """Return the cases created up to `until` whose field, a key of `SEARCHABLE`, has the value, oldest first."""
        expression = SEARCHABLE[searched]
        if partial:
            fold = "lower" if ignore_case else ""
            where = f"instr({fold}({expression}), {fold}(?))"
        else:
            where = f"{expression} = ? COLLATE {'NOCASE' if ignore_case else 'BINARY'}"
        statement = f"SELECT * FROM cases WHERE {where} AND created_at <= ? ORDER BY number"  # noqa: S608  # no user's text
        return [self._case(row) for row in self._rows(statement, value, until)]

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

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._lock, contextlib.suppress(OverflowError):  # a URL may contain a number that SQLite cannot hold
            return self._db.execute(statement, values).fetchall()
        return []

    def _case(self, row: Any, *, whole: bool = False) -> StoredCase:  # noqa: ANN401  # a row of sqlite3
        number, wolkvox_id, id_prefijo, created_at, body = row
        attachments = (b"".join(self.attachment(number, at)) for at in range(len(self.sizes(number)))) if whole else ()
        return StoredCase(number, wolkvox_id, id_prefijo, created_at, json.loads(body), tuple(attachments))


def default_store() -> Path:
    """Return the file in the user's data folder where the sandbox stores its cases by default."""
    return platformdirs.user_data_path("case-importer", appauthor=False) / "sandbox.db"
