"""The languages that people are spoken to in, and the one place that decides which it is."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Mapping

LANGUAGES = ("en", "es", "pt")
"""English, Spanish as Colombia writes it, and Portuguese as Brazil does."""

VARIABLE = "CASE_IMPORTER_LANG"
"""The environment variable that names the language of this program alone."""

_SYSTEM_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_OF_WINDOWS = {0x09: "en", 0x0A: "es", 0x16: "pt"}
_PRIMARY_LANGUAGE = 0x3FF  # the bits of a LANGID that are not the country


def known_language(tag: str) -> str | None:
    """Return the language that a tag such as `es`, `es-MX`, `pt_BR.UTF-8` or `EN` means; None if we do not speak it."""
    found = re.match(r"([a-z]+)(?:[-_.@]|$)", tag.strip().lower())
    return found[1] if found and found[1] in LANGUAGES else None


def _shown_by_windows() -> int:
    """Return the LANGID of the language that Windows shows to this user; 0 where this is not Windows."""
    if sys.platform != "win32":
        return 0
    langid: int = ctypes.windll.kernel32.GetUserDefaultUILanguage()
    return langid


def chosen_language(
    environ: Mapping[str, str] = os.environ, shown_by_windows: Callable[[], int] = _shown_by_windows
) -> str:
    """Return the language that the environment chooses: ours if it is set, else the system's; English if unknown.

    The first variable that is set decides, as everywhere; `C` and `POSIX` are English.
    """
    for name in (VARIABLE, *_SYSTEM_VARIABLES):
        if tag := environ.get(name):
            return known_language(tag) or "en"
    return _OF_WINDOWS.get(shown_by_windows() & _PRIMARY_LANGUAGE, "en")
