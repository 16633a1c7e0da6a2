"""Sequences on disk: written once from front to back, read as often as wanted, memory flat."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Values in an anonymous temporary file that only this process can open and that goes with it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        weakref.finalize(self, self._file.close)

    def append(self, value: T) -> None:
        """Add one value at the end."""
        pickle.dump(value, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[T]:
        position = 0
        while True:
            self._file.seek(position)
            try:
                value: T = pickle.load(self._file)  # noqa: S301 - nobody else can write an anonymous file
            except EOFError:
                return
            position = self._file.tell()
            yield value
