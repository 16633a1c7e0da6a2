"""A lock on a file that is replaced: a file beside it, locked by the system, which lets go when a process dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from importer.messages import _

PATIENCE = 10.0
"""Seconds to wait for another writer, who needs a fraction of one."""

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _let_go(beside: Path, descriptor: int) -> None:
        os.close(descriptor)
        with suppress(OSError):  # Windows removes no file that another writer has opened meanwhile
            beside.unlink()

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go(beside: Path, descriptor: int) -> None:
        with suppress(OSError):
            beside.unlink()  # while it is locked, so that nobody locks it in between
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other writers of `path` out for the time of a block; raises OSError where another one does not end.

    The lock is an empty file beside it, removed at the end. One that is left of a process that died is nobody's lock.
    """
    beside = path.with_name(f".{path.name}.lock")
    descriptor = _lock(beside)
    try:
        yield
    finally:
        _let_go(beside, descriptor)


def _lock(beside: Path) -> int:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(PermissionError if sys.platform == "win32" else FileNotFoundError):  # it is being removed
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            if _try_to_lock(descriptor) and _is_still_there(beside, descriptor):
                return descriptor
            os.close(descriptor)
        if time.monotonic() > until:
            raise OSError(_("another program is writing it"))
        time.sleep(0.005)


def _is_still_there(beside: Path, descriptor: int) -> bool:
    """Tell whether the locked file is the one that others find, and not one that its last owner has just removed."""
    try:
        found, mine = beside.stat(), os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_ino, found.st_dev) == (mine.st_ino, mine.st_dev)
