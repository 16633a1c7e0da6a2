"""Who is at this computer and with which program, for the record of runs and verdicts."""

from __future__ import annotations

import getpass
from importlib.metadata import version


def user_name() -> str:
    """Return the user's name, `?` where the system knows none (a container that runs under a bare number)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the system and on Python's version
        return "?"


def program_name() -> str:
    """Return this program's name and version."""
    return f"case-importer {version('wolkvox-case-importer')}"
