"""A log that several processes append to, and that begins anew once it is large: `log`, then `log.1`, and so on.

Who finds it too large renames it while it holds a lock; the others see at their next line that the name means another
file. Nothing is lost but what the oldest file had. Where it cannot be renamed now (on Windows while another program has
it open), it goes on growing.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from importer.system.file_lock import locked

_TRY_AGAIN = 30.0
"""Seconds to wait after a log could not be renamed."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How large a log may grow, in bytes, and how many full ones are kept beside it."""

    size: int
    keep: int


class RotatingLog(logging.Handler):
    """Appends records as lines to a file that begins anew once it is full; raises OSError where none can be opened."""

    def __init__(self, path: Path, rotation: Rotation) -> None:
        super().__init__()
        self._path, self._rotation, self._not_before = path, rotation, 0.0
        self._descriptor = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; what cannot be written ends no run."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._follow()
            self._make_room(len(line))
            while line:
                line = line[os.write(self._descriptor, line) :]
        except Exception:  # noqa: BLE001 - as all handlers do
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)

    def _follow(self) -> None:
        """Open the file again where another process has renamed it."""
        mine = os.fstat(self._descriptor)
        try:
            now = self._path.stat()
            is_mine = (now.st_dev, now.st_ino) == (mine.st_dev, mine.st_ino)
        except FileNotFoundError:
            is_mine = False
        if not is_mine:
            os.close(self._descriptor)
            self._descriptor = -1
            self._descriptor = self._open()

    def _make_room(self, length: int) -> None:
        """Let the file begin anew where a line would make it too large."""
        if self._is_full(length) and time.monotonic() >= self._not_before:
            try:
                with locked(self._path):
                    self._follow()
                    if self._is_full(length):
                        self._rename_all()
            except OSError:
                self._not_before = time.monotonic() + _TRY_AGAIN
            if self._descriptor < 0:
                self._descriptor = self._open()
            self._follow()

    def _is_full(self, length: int) -> bool:
        now = os.fstat(self._descriptor)
        return stat.S_ISREG(now.st_mode) and now.st_size > 0 and now.st_size + length > self._rotation.size

    def _rename_all(self) -> None:
        """Give each file the next number; raises OSError where one of them is no log, so that nothing is replaced."""
        names = [self._path, *(numbered(self._path, number) for number in range(1, self._rotation.keep + 1))]
        if not all(map(is_log, names)):
            raise FileExistsError
        os.close(self._descriptor)  # Windows renames no open file
        self._descriptor = -1
        for before, after in reversed(list(pairwise(names))):
            if before.exists():
                before.replace(after)


def numbered(path: Path, number: int) -> Path:
    """Return the name of a full log: `log.jsonl.1` is the newest."""
    return path.with_name(f"{path.name}.{number}")


def is_log(path: Path) -> bool:
    """Tell whether a file is one of our logs, or is not there."""
    if not path.is_file():
        return not path.exists()
    with path.open("rb") as file:
        return file.read(1) in {b"", b"{"}
