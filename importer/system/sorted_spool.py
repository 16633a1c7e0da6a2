"""Rows on disk that belong to keys, read by key and in order, for flat memory: a million rows beside many keys."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from importer.errors import SourceError
from importer.messages import _
from importer.system.causes import in_words

Order: TypeAlias = "int | float | bytes | None"
"""What rows are sorted by: of one kind for all rows of a spool, None for those that come last."""

_CACHE = 16_000  # KiB of the file that are kept in memory


_SORTED = """
    SELECT content, place IS NULL, coalesce(place, 0), number FROM row WHERE key = ?
    ORDER BY place IS NULL, place, number
"""
_REPEATED = """
    SELECT number FROM row WHERE EXISTS (
        SELECT 1 FROM row other
        WHERE other.key = row.key AND other.fingerprint = row.fingerprint AND other.number < row.number
    )
"""


class SortedRow(NamedTuple):
    """A row: its number, the key that it belongs to, what sorts it, a fingerprint of its cells, and its content."""

    number: int
    key: bytes
    order: Order
    fingerprint: bytes
    content: bytes


class SortedSpool:
    """Rows that are added once, then read by their keys, sorted.

    They are in a database without a name, which no other program can open, and which disappears with the process.
    """

    def __init__(self, rows: Iterable[SortedRow]) -> None:
        self._file = sqlite3.connect("", check_same_thread=False)
        with _on_disk():
            for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE}", "temp_store = FILE"):
                self._file.execute(f"PRAGMA {setting}")
            self._file.execute(
                "CREATE TABLE row (number INTEGER PRIMARY KEY, key BLOB, place, fingerprint BLOB, content BLOB)"
            )
            self._file.execute("CREATE TABLE asked (key BLOB PRIMARY KEY) WITHOUT ROWID")
            self._file.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?)", rows)
            self._file.execute("CREATE INDEX sorted ON row (key, place IS NULL, place, number)")

    def of(self, keys: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the contents of the rows of any of these keys, sorted; equal ones in the order of their numbers."""
        if len(keys) == 1:
            return (content for content, *_place in self._of(keys[0]))
        return (content for content, *_place in heapq.merge(*map(self._of, keys), key=itemgetter(1, 2, 3)))

    def _of(self, key: bytes) -> Iterator[tuple[bytes, int, Order, int]]:
        with _on_disk():
            yield from self._file.execute(_SORTED, (key,))

    def ask(self, keys: Iterable[bytes]) -> None:
        """Note that somebody has these keys."""
        with _on_disk():
            self._file.executemany("INSERT OR IGNORE INTO asked VALUES (?)", ((key,) for key in keys))

    def of_nobody(self, most: int) -> tuple[int, list[int]]:
        """Return how many rows belong to a key that nobody has, and the numbers of the first of them."""
        return self._listed("SELECT number FROM row WHERE key NOT IN asked", most)

    def repeated(self, most: int) -> tuple[int, list[int]]:
        """Return how many rows have the key and the fingerprint of an earlier row, and the numbers of the first."""
        with _on_disk():
            self._file.execute("CREATE INDEX IF NOT EXISTS alike ON row (key, fingerprint, number)")
        return self._listed(_REPEATED, most)

    def _listed(self, question: str, most: int) -> tuple[int, list[int]]:
        with _on_disk():
            numbers = [number for (number,) in self._file.execute(question)]
        return len(numbers), sorted(numbers)[:most]


@contextmanager
def _on_disk() -> Iterator[None]:
    """Raise a fault of the temporary file, such as a full disk, as a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise no_temporary_file(in_words(str(error))) from error


def no_temporary_file(reason: str) -> SourceError:
    """Return the error that a temporary file cannot be written or read."""
    return SourceError(
        _("The rows of another table do not fit into a temporary file: {reason}. Free some space there.", reason=reason)
    )
