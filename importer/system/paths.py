"""Names and paths as cells write them, several of them perhaps, with a sign between them."""

from __future__ import annotations

import re

BETWEEN_NAMES = (";", "|", ",", "\n")
"""The signs that people write between the names of several files, the likeliest first."""

_SIGN = rf"[^\s;|,]\s*([{''.join(BETWEEN_NAMES)}])\s*"
_ROOT = re.compile(r"[A-Za-z]:[\\/]|[\\/]")
_UNMISTAKABLE = r"[A-Za-z]:[\\/]|\\\\|//"
_FIRST_FOLDER = re.compile(r"[\\/][^\\/]+[\\/]")


def between_paths(text: str, *, sure: bool = False) -> str | None:
    """Return the sign after which another drive, share or root begins in a text; None where it has one at most.

    A folder may have a comma at the end of its name: `sure` takes a single slash for a root only where the folder after
    it is the one that the text begins with.
    """
    root = _ROOT.pattern
    if sure:
        first = _FIRST_FOLDER.match(text)
        root = f"{_UNMISTAKABLE}|{re.escape(first[0])}" if first else _UNMISTAKABLE
    found = re.search(f"{_SIGN}(?={root})", text)
    return found[1] if found else None


def absolute_paths(text: str, sign: str | None) -> list[str]:
    """Return the absolute paths in a text with this sign between them."""
    parts = (part.strip() for part in (text.split(sign) if sign else [text]))
    return [part for part in parts if _ROOT.match(part)]
