"""Sequences on disk: written once from front to back, read as often as wanted, memory flat."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Values that are kept in memory while they are few, and then in an anonymous temporary file.

    `file` has no name, so that nobody else can open it, and goes with the process. `in_memory` is how many of the first
    values stay out of it: none where another process is to write it.
    """

    def __init__(self, in_memory: int = 5) -> None:
        self._first: list[T] = []
        self._in_memory = in_memory
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
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
            self.file.seek(position)
            try:
                value: T = pickle.load(self.file)  # noqa: S301 - nobody else can write an anonymous file
            except EOFError:
                return
            position = self.file.tell()
            yield value
