"""A journal that is looked at without being touched: a private copy, on which everything works and nothing counts."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from importer.errors import JournalError
from importer.journal import rescue
from importer.journal.copying import copy_records
from importer.journal.journal import Journal
from importer.journal.mark import Marks
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.sqlite_database import SqliteDatabase
from importer.journal.storage import read_only
from importer.journal.watched_file import size_of, wal_of
from importer.journal_place import Place, Server
from importer.messages import _
from importer.system.causes import reason_of
from importer.system.clock import Clock, elapsed


@contextmanager
def look_at_journal(place: Place) -> Iterator[Journal]:
    """Give a copy of a journal as it is at this moment; the journal, its folder and the marks stay as they are.

    The copy is of today's version, whatever the journal's, and takes in what was kept aside; it knows nothing where
    there is no journal yet. Raises JournalError where the journal cannot be read.
    """
    with TemporaryDirectory(prefix="case-importer-", ignore_cleanup_errors=True) as folder:
        copy, clock = Path(folder) / "journal.db", None
        try:
            if isinstance(place, Server):
                clock = _copy_from_server(place, copy)
            elif place.is_file():
                _copy(place.resolve(), copy)
            marks = Marks(Path(folder) / "marks.db")
            journal = Journal(copy, clock, marks=marks)
        except (JournalError, sqlite3.Error, OSError) as error:
            if isinstance(place, Server):
                raise
            reason = reason_of(error).replace(str(copy), str(place))
            raise JournalError(_("{path}: the journal cannot be read. {reason}", path=place, reason=reason)) from error
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


def _copy_from_server(server: Server, target: Path) -> Clock:
    """Copy what is committed on a server, and the outcomes that were kept on this computer; return the server's clock.

    A server that has no journal yet, or one of an earlier version, gets one of today's version first.
    """
    with closing(PostgresDatabase(server)) as source, closing(SqliteDatabase(target, Clock())) as copy:
        with source.read() as connection, copy.write() as written:
            copy_records(connection, written)
        kept = source.kept_beside()
        now, boot, since = source.clock.elapsed(), source.clock.boot(), elapsed()
    if kept is not None and rescue.kept(kept):
        shutil.copyfile(rescue.path_of(kept), rescue.path_of(target))

    def server_time() -> float:
        return now + elapsed() - since

    return Clock(server_time, server_time, lambda: boot)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal for reading; SQLite makes files beside it even then, unless it is told that nobody writes."""
    if size_of(wal_of(path)):
        return read_only(path)
    return sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True, isolation_level=None)
