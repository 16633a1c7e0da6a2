"""Who is at this computer, for the record of runs and verdicts."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """Return the user's name, `?` where the system knows none (a container that runs under a bare number)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the system and on Python's version
        return "?"
