"""Open files that somebody else has named, without waiting and without being led elsewhere.

A path says where a file was when somebody looked. Between a look and the opening it may have become a pipe, which
waits for ever, a device, which never ends, or a link to another file. So a file is judged by its descriptor, once it is
open: what was checked is what is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from importer.messages import _

BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system opens a name relative to an open folder; Windows does not, and is watched before and after."""

_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# O_PATH asks for no right to list the folder, only for the right to go through it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

Identity = tuple[int, int, int, int]
"""What makes a file the one that was looked at: its device, its number there, its size and its time of change."""


class NotOrdinary(OSError):
    """What bears the name is a pipe, a device or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, _("it is not an ordinary file"), str(path))


class Moved(OSError):
    """A file, or a folder on the way to it, became a link or another one while it was looked at."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ELOOP, _("it turned into a link while it was looked at"), str(path))


def identity_of(status: os.stat_result) -> Identity:
    """Return what makes an open file itself."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def open_ordinary(path: Path) -> BinaryIO:
    """Return the file at `path`, open for reading.

    Raises `OSError` as `open` does, and at once for a pipe, a device or a socket, which `open` would wait for.
    """
    _refuse_special(path, os.stat(path))  # noqa: PTH116 - some devices do something when they are opened
    return _judged(path, os.open(path, _FILE))


def open_below(root: Path, path: Path) -> BinaryIO:
    """Return the file at `path`, which lies below `root`, open for reading; no link on the way is followed.

    Both are absolute, links in `path` resolved. Raises `OSError`; `Moved` where there is a link now all the same.
    """
    if not BY_DESCRIPTOR:
        return _open_watched(path)
    with _folder_below(root, path.parent) as place:
        _refuse_special(path, os.stat(path.name, dir_fd=place, follow_symlinks=False))
        return _judged(path, _step(path, path.name, _FILE, place))


def names_below(root: Path, folder: Path) -> list[str]:
    """Return the names in a folder that is `root` or lies below it, with the same care and errors as `open_below`."""
    if not BY_DESCRIPTOR:
        _refuse_moved(folder)
        names = os.listdir(folder)  # noqa: PTH208 - names, and no paths
        _refuse_moved(folder)
        return names
    with _folder_below(root, folder) as place:
        listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
    try:
        return os.listdir(listed)  # noqa: PTH208 - a descriptor has no path
    finally:
        os.close(listed)


@contextmanager
def _folder_below(root: Path, folder: Path) -> Iterator[int]:
    """Open a folder component by component, for the length of a block."""
    place = os.open(root, _FOLDER)
    try:
        for part in folder.relative_to(root).parts:
            inner = _step(folder, part, _FOLDER, place)
            os.close(place)
            place = inner
        yield place
    finally:
        os.close(place)


def _step(path: Path, part: str, flags: int, place: int) -> int:
    """Open what `part` is in the open folder `place`; a link is not followed."""
    try:
        return os.open(part, flags | _NO_LINK, dir_fd=place)
    except OSError as error:
        if stat.S_ISLNK(os.stat(part, dir_fd=place, follow_symlinks=False).st_mode):
            raise Moved(path) from error
        raise


def _open_watched(path: Path) -> BinaryIO:
    """Open a file where nothing can be opened relative to a folder: its real place is the same before and after."""
    _refuse_moved(path)
    _refuse_special(path, path.lstat())
    file = _judged(path, os.open(path, _FILE))
    try:
        _refuse_moved(path)
        if identity_of(os.fstat(file.fileno())) != identity_of(path.lstat()):
            raise Moved(path)
    except OSError:
        file.close()
        raise
    return file


def _refuse_moved(path: Path) -> None:
    if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
        raise Moved(path)


def _refuse_special(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise Moved(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise NotOrdinary(path)


def _judged(path: Path, descriptor: int) -> BinaryIO:
    """Return the file of an open descriptor, which is closed where it is not an ordinary file."""
    try:
        _refuse_special(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")  # raises IsADirectoryError for a folder
    except OSError:
        os.close(descriptor)
        raise
