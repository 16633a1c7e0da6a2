"""Keys that differ in what separates their letters and numbers: INC-001 is INC001 and inc 1, 2026/15 is 2026-15."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from importer.text import loose, unadorned

_LONGEST = 40
_MOST_PIECES = 6
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_SEPARATOR = re.compile(r"[\s._/#:\u00b0-]{0,3}")
_BESIDE_LETTERS = ("", "-", "/", ".", "_", "#")
_BETWEEN_NUMBERS = ("-", "/", ".", "_")
_LETTER_AND_NUMBER = re.compile(r"(?<=[^\W\d_])[._/#:-]+(?=\d)|(?<=\d)[._/#:-]+(?=[^\W\d_])")
_NUMBERED = re.compile(r"(?:#|n[\u00b0.]{0,2}|no[.\u00b0]?|nro\.?|num\.?)?\s*(\d+)", re.IGNORECASE)
_SIGNS = ("", "#", "n\u00b0", "no", "no.", "nro", "nro.")
_YEAR_AND_NUMBER = re.compile(r"((?:19|20)\d\d)[._/-]?(\d{3,})", re.ASCII)
_TAX_NUMBER = re.compile(r"(\d{8,10}|\d{1,3}(?:\.\d{3}){2,3})-?(\d)", re.ASCII)
"""A number of a person or a company with its check digit, as in 900.123.456-7."""


def unseparated(text: str) -> str:
    """Return the loose form of a key part without what separates letters from numbers: INC-001 and inc 1 are inc1."""
    joined = _LETTER_AND_NUMBER.sub("", loose(text))
    return loose(joined) if "0" in joined else joined  # zeros that no mark is before any more


def separated_otherwise(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the keys that are this one with other separators, or none, in one of its parts."""
    for at, part in enumerate(parts):
        text = unadorned(part)
        known = loose(text)
        for other in dict.fromkeys(_written_otherwise(text)) if len(text) <= _LONGEST else ():
            if loose(other) != known:
                yield (*parts[:at], other, *parts[at + 1 :])


def _written_otherwise(text: str) -> Iterator[str]:
    if found := _NUMBERED.fullmatch(text):
        yield from (sign + found[1] for sign in _SIGNS)
    if found := _YEAR_AND_NUMBER.fullmatch(text):
        yield from (mark.join(found.groups()) for mark in ("", *_BETWEEN_NUMBERS))
    if found := _TAX_NUMBER.fullmatch(text):
        number = found[1].replace(".", "")
        yield from (f"{number}{found[2]}", f"{number}-{found[2]}", f"{int(number):,}-{found[2]}".replace(",", "."))
    pieces = _pieces(text)
    if not pieces:
        return
    joints = [one.isdecimal() + other.isdecimal() for one, other in pairwise(pieces)]  # how many sides are numbers
    beside_letters = _BESIDE_LETTERS if 1 in joints else ("",)
    between_numbers = _BETWEEN_NUMBERS if 2 in joints else ("",)
    for marks in product((" ",), beside_letters, between_numbers):
        yield pieces[0] + "".join(marks[joint] + piece for joint, piece in zip(joints, pieces[1:], strict=True))


def _pieces(text: str) -> list[str]:
    """Return the runs of letters and of digits of a text that has several with nothing but separators between them."""
    found = list(_PIECE.finditer(text))
    if not 1 < len(found) <= _MOST_PIECES:
        return []
    between = [text[one.end() : other.start()] for one, other in pairwise(found)]
    around = (text[: found[0].start()], text[found[-1].end() :])
    is_plain = not any(around) and all(map(_SEPARATOR.fullmatch, between))
    return [piece.group() for piece in found] if is_plain else []
