"""The bytes of a source as they were when it was read."""

from __future__ import annotations

import hashlib
import io
import tempfile
import weakref
from typing import BinaryIO

BLOCK = 1 << 20


class Snapshot:
    """A copy of a file's bytes in an anonymous temporary file; saving the file later does not change it.

    `digest` is the sha256 of the bytes in hexadecimal, `size` their number.
    """

    def __init__(self, source: BinaryIO) -> None:
        """Copy `source` to its end."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer, with the last reader gone
        weakref.finalize(self, self._file.close)
        digest = hashlib.sha256()
        while block := source.read(BLOCK):
            digest.update(block)
            self._file.write(block)
        self.digest = digest.hexdigest()
        self.size = self._file.tell()

    def open(self) -> io.BufferedReader:
        """Return a reader with a position of its own, at the first byte."""
        return io.BufferedReader(_View(self, self._file), BLOCK)


class _View(io.RawIOBase):
    """One reader of a snapshot; several may read in turns."""

    def __init__(self, owner: Snapshot, file: BinaryIO) -> None:
        super().__init__()
        self._owner = owner  # keeps the file open while it is read
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._owner.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub asks for any buffer
        self._file.seek(self._position)
        count = self._file.readinto(buffer)  # type: ignore[attr-defined]  # a buffered file has it
        self._position += count
        return int(count)
