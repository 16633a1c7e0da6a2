"""How this program starts itself again: by the Python that runs it, or as the program of a bundle, which has no Python.

A child has its own standard streams, and never a console window of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUN_SCRIPT = "--run-script"
"""The first word by which the program of a bundle is told to run a script of ours instead of a command."""

NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Flag for a child on Windows, where a program without a console would otherwise open one for it."""


def is_bundle() -> bool:
    """Tell whether this is the folder that runs without Python, made by `make bundle`."""
    return bool(getattr(sys, "frozen", False))


def program() -> tuple[str, ...]:
    """Return the words that start `case-importer`."""
    if is_bundle():
        return (str(_bundled("case-importer")),)
    return (sys.executable, "-P", "-m", "importer")


def script(path: Path) -> tuple[str, ...]:
    """Return the words that run a script of ours, which imports nothing of the importer."""
    if is_bundle():
        return (str(_bundled("case-importer")), RUN_SCRIPT, str(path.with_suffix(".py")))
    return (sys.executable, "-P", str(path))


def _bundled(name: str) -> Path:
    """Return a program of this bundle: the one with a console, whichever of them is running."""
    return Path(sys.executable).with_name(name + Path(sys.executable).suffix)
