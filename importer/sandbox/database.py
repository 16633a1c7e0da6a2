"""The sandbox's SQLite file: opened, brought to today's version, and used by several threads one after the other."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from importer.errors import UsageError
from importer.messages import _
from importer.system.causes import reason_of

_STEPS = (
    """
    CREATE TABLE cases (
        number INTEGER PRIMARY KEY, wolkvox_id TEXT NOT NULL UNIQUE, id_prefijo TEXT NOT NULL,
        created_at REAL NOT NULL, body TEXT NOT NULL);
    CREATE TABLE parts (
        number INTEGER NOT NULL, attachment INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (number, attachment, part));
    CREATE INDEX cases_by_contact ON cases (json_extract(body, '$.contact') COLLATE NOCASE);
    """,
    """
    CREATE TABLE names (
        number INTEGER NOT NULL, attachment INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (number, attachment));
    CREATE TABLE updates (
        number INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL, files INTEGER NOT NULL);
    CREATE INDEX updates_by_case ON updates (number, at);
    CREATE TABLE deletions (number INTEGER PRIMARY KEY, at REAL NOT NULL);
    CREATE TABLE records (
        number INTEGER PRIMARY KEY AUTOINCREMENT, module TEXT NOT NULL, operation TEXT NOT NULL,
        wolkvox_id TEXT NOT NULL UNIQUE, created_at REAL NOT NULL, fields TEXT NOT NULL);
    CREATE INDEX records_by_address ON records (module, json_extract(fields, '$.emailcontact') COLLATE NOCASE);
    """,
)
"""Each version of the file, as what it adds to the one before: a file of an older version is brought to today's."""


class SandboxDatabase:
    """A SQLite file, or memory only if `path` is None; safe to use from several threads."""

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
            for number, step in enumerate(_STEPS[version:], version + 1):
                self._db.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                _(
                    "{file}: the sandbox cannot store its cases here: {reason}. Choose another file with --store.",
                    file=path,
                    reason=reason_of(error),
                )
            ) from error
        if not 0 <= version <= len(_STEPS):
            raise UsageError(
                _(
                    "{file} was written by another version of case-importer. Choose another file with --store.",
                    file=path,
                )
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one commit, which is undone if the block raises; SQLite's errors become OSError."""
        try:
            with self._lock, self._db:
                yield self._db
        except sqlite3.Error as error:
            raise OSError(str(error)) from error

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of a question."""
        with self._lock, contextlib.suppress(OverflowError):  # a URL may contain a number that SQLite cannot hold
            return self._db.execute(statement, values).fetchall()
        return []
