"""Files on the disk: put in their places whole or not at all, under names for every system; which have changed."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from pathlib import Path

PATIENCE = 1.0
"""Seconds for which Windows is asked again to replace a file: a virus scanner or an index holds new files that long."""

_PAUSE = 0.05
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)


def replace(temporary: Path, path: Path) -> None:
    """Move a finished file to `path` in one step, over what is there, and have the folder on the disk know it.

    Raises OSError as the system does: on Windows PermissionError, where a program such as Excel holds `path` open.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            temporary.replace(path)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            flush_folder(path.parent)
            return


def flush_folder(folder: Path) -> None:
    """Have a folder on the disk know its files; Windows keeps its folders in order by itself, and so do some drives."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
                raise
        finally:
            os.close(descriptor)


def state_of(path: Path) -> tuple[int, ...]:
    """Return what is another tuple once a file was changed or replaced; raises OSError where there is none."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_device(name: str) -> bool:
    """Tell whether Windows takes a file of this name for a device, such as `CON` or `nul.csv`."""
    return name.split(".", maxsplit=1)[0].rstrip().casefold() in _DEVICES


def not_a_device(name: str) -> str:
    """Return a name that Windows takes for a file: the name itself, or with `_` before it."""
    return f"_{name}" if is_device(name) else name


def plain_stem(text: str, longest: int, *, instead: str = "-") -> str:
    """Return what a text gives as the name of a file before its ending, on every system; empty where nothing is left.

    It has no sign that Windows forbids, no dot or space at its ends, and is no device.
    """
    return not_a_device(_NOT_IN_NAMES.sub(instead, text).strip(". ")[:longest].strip(". "))
