"""What the tests make of the machine that they run on; imported before all else, as it holds for all that follows."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - only asked whether it is there
ROOM = 4 << 30
"""How many bytes must be free there; one whole run leaves about a fifth of that."""


def keep_what_is_compiled() -> None:
    """Keep the compiled tests even where `PYTHONDONTWRITEBYTECODE` is set: pytest needs ten seconds to make them."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def work_in_memory() -> None:
    """Put all temporary files into memory where the system offers a folder there: thousands of journals wait for disks.

    Whoever sets `TMPDIR` has chosen.
    """
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM


keep_what_is_compiled()
work_in_memory()
