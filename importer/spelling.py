"""When two texts are the same key, and when they are nearly the same: THE definitions, for all that compares keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from importer.model import Cell, Fault

_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")

_PLAIN = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9\u2032\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u2212\u2043\u02d7"), "-"),
    **dict.fromkeys(map(ord, "\u2800\u3164\u115f\u1160\uffa0"), ""),  # they look like spaces, and are letters
}


class _Plain(dict[int, str]):
    """What each character is without what programs add or exchange, filled as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category in {"Cf", "Mn", "Me", "Cc"} and not character.isspace():
            character = ""
        self[code] = "-" if category == "Pd" else character
        return self[code]


_UNADORNED = _Plain(_PLAIN)


def canonical(cell: object) -> str:
    """Return a cell's text as it counts for identity: NFC, trimmed, one kind of line end, whole numbers bare."""
    text = str(cell).strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.endswith("0") and (whole := _WHOLE_NUMBER.fullmatch(text)):
        return whole[1]
    return text


def key_parts(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the parts of a key, none where a part is blank or cannot be known."""
    parts = tuple(["" if isinstance(cell, Fault) else canonical(cell) for cell in cells])
    return parts if all(parts) else ()


def seen(cell: Cell) -> str:
    """Return a cell as it counts where rows of one sheet are put together: a person sees no no-break space."""
    return canonical(cell).replace("\u00a0", " ")


def seen_key(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the parts of a key as `seen`; rows whose keys are one by that become one case, or an issue."""
    return tuple(part.replace("\u00a0", " ") for part in key_parts(cells))


def loose(text: str) -> str:
    """Return a canonical key part without what people write differently: leading zeros, case, accents, spaces."""
    if text.isascii():
        bare = text.lower()  # all that the next lines do to ASCII, in a tenth of their time
    else:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = "".join(character for character in folded if not unicodedata.combining(character))
    bare = "".join(bare.split())
    return _LEADING_ZEROS.sub("", bare) if "0" in bare else bare


def loose_2(text: str) -> str:
    """Return `loose` of a text without what programs add or exchange: see `unadorned`."""
    return loose(unadorned(text))


def unadorned(text: str) -> str:
    """Return a text without invisible characters and a leading apostrophe, its dashes and wide characters plain."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", text).translate(_UNADORNED)
    return text.strip().lstrip("'").strip()
