"""The guess of version 1 of the reading at a text's encoding, kept so that its rows are still recognized.

Rows were recorded under the text that this guess gave. Nothing else may use it.
"""

from __future__ import annotations

import re

_CODECS = ("cp1252", "mac_roman", "cp850")
_LETTERS = frozenset("áéíóúüñçàâãêôõÁÉÍÓÚÜÑÇÀÂÃÊÔÕ¿¡ºª€°")
_WELL_FORMED = re.compile(rb"(?:[\xc2-\xf4][\x80-\xbf]{1,3})+")


def guess(foreign: bytes) -> str:
    """Return the codec that was taken for a text that is not UTF-8; `foreign` has its runs of bytes beyond ASCII."""
    pieces = foreign.split()
    if sum(bool(_WELL_FORMED.fullmatch(piece)) for piece in pieces) > len(pieces) / 2:
        return "utf-8"

    def letters(codec: str) -> int:
        return sum(character in _LETTERS for character in foreign.decode(codec, "replace"))

    return max(_CODECS, key=letters)
