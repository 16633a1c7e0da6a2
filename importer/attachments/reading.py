"""A file's blocks; where reading is slow, the next one is read while the last is on its way out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import BinaryIO

SLOW = 0.01
"""Seconds that a block may take before the next one is read ahead.

A disk, or the system's cache, is far below that: there a thread costs more than it saves, since the system reads
ahead itself and a connection's own buffer keeps the line busy. A network drive as slow as the line is above it. A
busy processor may look like a slow disk for a moment; that costs the thread, and nothing else.
"""


def blocks(file: BinaryIO, size: int, step: int) -> Iterator[bytes]:
    """Yield `size` bytes of a file, `step` at a time; a block that is shorter is the last, since the file ends there.

    One block at most is read ahead. Whoever closes this iterator waits for it: nothing reads in the file afterwards.
    """
    left = size
    ahead: _Ahead | None = None
    try:
        while left:
            wanted = min(step, left)
            data, seconds = ahead.result() if ahead else _read(file, wanted)
            left -= wanted
            ahead = None
            if left and seconds > SLOW:
                ahead = _Ahead(file, min(step, left))
                ahead.start()
            yield data
            if len(data) < wanted:
                return
    finally:
        if ahead is not None:
            ahead.join()


class _Ahead(threading.Thread):
    """One block that is being read; the thread ends with it, and holds nobody up who leaves the program."""

    def __init__(self, file: BinaryIO, wanted: int) -> None:
        super().__init__(name="read-ahead", daemon=True)
        self._file, self._wanted = file, wanted
        self._read: tuple[bytes, float] | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            self._read = _read(self._file, self._wanted)
        except BaseException as fault:  # noqa: BLE001 - raised again in `result`, where somebody wants the block
            self._fault = fault

    def result(self) -> tuple[bytes, float]:
        """Wait for the block; return it and the seconds that reading it took, or raise what reading raised."""
        self.join()
        if self._read is None:
            raise self._fault or RuntimeError("the block was not asked for")
        return self._read


def _read(file: BinaryIO, wanted: int) -> tuple[bytes, float]:
    """Return the next bytes of the file and the seconds that reading them took."""
    started = time.perf_counter()
    return file.read(wanted), time.perf_counter() - started
