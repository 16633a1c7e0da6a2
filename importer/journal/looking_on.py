"""A journal that is looked at without being touched: a private copy, on which everything works and nothing counts."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from importer.causes import reason_of
from importer.errors import JournalError
from importer.journal import rescue
from importer.journal.journal import Journal
from importer.journal.mark import Marks
from importer.journal.storage import read_only
from importer.journal.watched_file import size_of, wal_of
from importer.messages import _


@contextmanager
def look_at_journal(path: Path) -> Iterator[Journal]:
    """Give a copy of a journal as it is at this moment; the journal, its folder and the marks stay as they are.

    The copy is of today's version, whatever the journal's, and takes in what was kept aside; it knows nothing where
    there is no journal yet. Raises JournalError where the journal cannot be read.
    """
    with TemporaryDirectory(prefix="case-importer-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / path.name
        try:
            if path.is_file():
                _copy(path.resolve(), copy)
            marks = Marks(Path(folder) / "marks.db")
            journal = Journal(copy, marks=marks)
        except (JournalError, sqlite3.Error, OSError) as error:
            reason = reason_of(error).replace(str(copy), str(path))
            raise JournalError(_("{path}: the journal cannot be read. {reason}", path=path, reason=reason)) from error
        with journal:
            yield journal


def _copy(path: Path, target: Path) -> None:
    """Copy what is committed, and the outcomes that were kept beside it."""
    target.touch(mode=0o600)
    with closing(open_for_reading(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone()  # raises where it is locked: a copy waits forever
        source.backup(copy)
    if rescue.kept(path):
        shutil.copyfile(rescue.path_of(path), rescue.path_of(target))


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal for reading; SQLite makes files beside it even then, unless it is told that nobody writes."""
    if size_of(wal_of(path)):
        return read_only(path)
    return sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True, isolation_level=None)
