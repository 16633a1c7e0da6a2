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

    Only this process can open that file, and it goes with it. `in_memory` is how many of the first values stay.
    """

    def __init__(self, in_memory: int = 5) -> None:
        self._first: list[T] = []
        self._in_memory = in_memory
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        weakref.finalize(self, self._file.close)

    def append(self, value: T) -> None:
        """Add one value at the end."""
        if len(self._first) < self._in_memory:
            self._first.append(value)
        else:
            pickle.dump(value, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[T]:
        yield from self._first
        position = 0
        while True:
            self._file.seek(position)
            try:
                value: T = pickle.load(self._file)  # noqa: S301 - nobody else can write an anonymous file
            except EOFError:
                return
            position = self._file.tell()
            yield value
