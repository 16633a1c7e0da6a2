"""SQLite files whose commits are on the disk before they count: the journal, and the marks beside it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from importer.errors import JournalError
from importer.messages import _


def create_private(path: Path) -> None:
    """Create an empty file that only its owner reads, unless there is one; raises OSError where that fails.

    A file that exists is not opened: closing it again would release the locks that this process has on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def make_durable(raw: sqlite3.Connection, path: Path) -> None:
    """Have every commit of a connection on the disk; raises JournalError where SQLite does not promise that."""
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")  # less could lose an intent on power loss, and send its row twice
    raw.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache; elsewhere without effect
    raw.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten; not every build does so unasked
    raw.execute("PRAGMA foreign_keys = ON")
    (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
    if synchronous != 2:
        raise JournalError(_("{path}: SQLite does not promise durable commits here.", path=path))


def read_only(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must exist for reading alone; raises sqlite3.Error where that fails."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)
