"""Sequences on disk, for flat memory: written once from front to back, read as often as needed."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """A sequence of values: the first few are kept in memory, the others in an anonymous temporary file.

    `file` has no name, so that no other program can open it, and disappears with the process. `in_memory` is how many
    values are kept in memory: 0 where another process writes the file.
    """

    def __init__(self, in_memory: int = 5) -> None:
        self._first: list[T] = []
        self._in_memory = in_memory
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        self._lock = Lock()  # several threads may read at once, each from its own position
        weakref.finalize(self, self.file.close)

    def append(self, value: T) -> None:
        """Add one value at the end."""
        if len(self._first) < self._in_memory:
            self._first.append(value)
        else:
            pickle.dump(value, self.file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[T]:
        yield from self._first
        position = 0
        while True:
            with self._lock:
                self.file.seek(position)
                try:
                    value: T = pickle.load(self.file)  # noqa: S301 - no other program can write an anonymous file
                except EOFError:
                    return
                position = self.file.tell()
            yield value
