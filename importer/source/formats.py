"""What a number format shows: a date or time, a percentage, padding zeros, or nothing beyond plain digits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from functools import lru_cache

# ECMA-376 part 1, 18.8.30: formats that a workbook names by number alone. Excel shows 14 and 22 by the regional
# settings of each computer; the only reading that is the same everywhere is the ISO one.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 11: "0.00E+00",
    37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)",
    9: "0%", 10: "0.00%", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
}  # fmt: skip
REGIONAL = frozenset({14, 22})

_PIECE = re.compile(
    r"""(?P<literal>"[^"]*"|\\.|_.|\*.)|(?P<elapsed>\[(?:h+|m+|s+)\])|(?P<bracket>\[[^\]]*\])"""
    r"""|(?P<half>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+)|(?P<digit>[0#?])|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL,
)
_EXPONENT = re.compile(r"[0#?](?:\.([0#?]*))?E[+-]", re.IGNORECASE)
_LANGUAGES = {0x09: "en", 0x0A: "es", 0x16: "pt"}


class Shows(Enum):
    """What a format makes of a number."""

    PLAIN = "plain"
    MOMENT = "moment"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a format: its kind and what it says."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format's code, what it shows, its sections as pieces, and the language of its month names."""

    code: str
    shows: Shows
    sections: tuple[tuple[Piece, ...], ...]
    language: str = "en"


@lru_cache(maxsize=1024)
def parse(code: str) -> NumberFormat:
    """Return what the format `code` shows, as it is written in a workbook of any language."""
    if code.startswith("[$-F800]"):
        code = "yyyy-mm-dd"  # the system's long date and time, which the file does not know
    elif code.startswith("[$-F400]"):
        code = "hh:mm:ss"
    pieces = [Piece(match.lastgroup or "", match[0]) for match in _PIECE.finditer(code)]
    sections = _sections(pieces)
    first = sections[0]
    if "general" in code.lower():
        shows = Shows.PLAIN
    elif any(piece.kind in ("date", "elapsed") for piece in first):
        shows = Shows.MOMENT
    else:
        shows = Shows.NUMBER if _shows_more(first) else Shows.PLAIN
    return NumberFormat(code, shows, sections, _language(pieces))


def own_format(code: str) -> NumberFormat | None:
    """Return the format `code`, None where it is the general one."""
    return None if "general" in code.lower() else parse(code)


@dataclass(frozen=True, slots=True)
class CellFormats:
    """The number format of each cell style, None for the general one, and the styles that are `regional` dates."""

    by_style: tuple[NumberFormat | None, ...] = ()
    regional: frozenset[int] = frozenset()


def cell_formats(format_ids: Sequence[int], codes: Mapping[int, str]) -> CellFormats:
    """Return the formats of a workbook's cell styles by the number of each; `codes` are those that the file defines."""
    known = {**BUILT_IN, **codes}
    regional = {
        style for style, number in enumerate(format_ids) if number in REGIONAL and known[number] == BUILT_IN[number]
    }
    return CellFormats(tuple(own_format(known.get(number, "General")) for number in format_ids), frozenset(regional))


def plain_text(value: float) -> str:
    """Return the shortest decimal text of a number; of a fraction the 15 digits that Excel keeps."""
    if value == value // 1:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def shown_number(value: float, code: str) -> str | None:
    """Return a number as programs show it that apply its whole format, words and grouping included.

    None where the format shows nothing of its own, and where it is beyond this module.
    """
    number_format = own_format(code)
    if number_format is None or number_format.shows is Shows.MOMENT:
        return None
    section = number_format.sections[0]
    codes = "".join(piece.text for piece in section if piece.kind in {"digit", "other"})
    if exponent := _EXPONENT.search(codes):
        return format(value, f".{len(exponent[1] or '')}E")
    conditional = any(piece.kind == "bracket" and piece.text[1] in "<>=" for piece in section)
    if "/" in codes or conditional or _scales(section) or not any(piece.kind == "digit" for piece in section):
        return None
    return number_text(value, number_format)


def number_text(value: float, number_format: NumberFormat) -> str:
    """Return a number as a format of percentage or padding zeros shows it, with a decimal point."""
    sections = number_format.sections
    negative = value < 0
    if negative and len(sections) > 1:
        section, sign = sections[1], ""
    elif value == 0 and len(sections) > 2:
        section, sign = sections[2], ""
    else:
        section, sign = sections[0], "-" if negative else ""
    percent = any(piece.text == "%" for piece in section)
    amount = Decimal(plain_text(abs(value))) * (100 if percent else 1)
    text = _digits_in_place(amount, section)
    return sign + text if re.search("[1-9]", text) else text


def _digits_in_place(amount: Decimal, section: tuple[Piece, ...]) -> str:
    """Put the digits of an amount into the places of a section, from the point outwards."""
    point = next((at for at, piece in enumerate(section) if piece.text == "."), len(section))
    decimals = [piece.text for piece in section[point:] if piece.kind == "digit"]
    exact = Context(prec=len(decimals) + 40)
    rounded = format(amount.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, exact), "f")
    whole, _point, fraction = rounded.partition(".")
    return _whole(whole, section[:point]) + _fraction(fraction, section[point:])


def _whole(digits: str, pieces: tuple[Piece, ...]) -> str:
    """Fill the places before the point from the right; the first place takes every digit that is left."""
    places = [at for at, piece in enumerate(pieces) if piece.kind == "digit"]
    grouped = any(piece.text == "," for piece in pieces)
    rest = "" if digits == "0" else digits
    shown: list[str] = []
    taken = 0
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        if piece.kind != "digit":
            shown.append(literal(piece))
            continue
        while rest or piece.text == "0":
            digit, rest = (rest[-1], rest[:-1]) if rest else ("0", "")
            if grouped and taken and taken % 3 == 0:
                shown.append(",")
            shown.append(digit)
            taken += 1
            if not rest or at != places[0]:
                break
    return "".join(reversed(shown))


def _fraction(digits: str, pieces: tuple[Piece, ...]) -> str:
    """Fill the places after the point; a place `#` shows no zero at the end."""
    shown = ""
    optional = [piece.text != "0" for piece in pieces if piece.kind == "digit"]
    while digits.endswith("0") and optional and optional[len(digits) - 1]:
        digits = digits[:-1]
    left = iter(digits)
    for piece in pieces:
        if piece.kind == "digit":
            shown += next(left, "")
        elif piece.text != "." or digits:
            shown += literal(piece)
    return shown


def literal(piece: Piece) -> str:
    """Return what a piece without digits or date parts shows: quoted and escaped text, a currency sign; no padding."""
    text = piece.text
    if piece.kind == "literal":
        return text[1:-1] if text[0] == '"' else text[1:] if text[0] == "\\" else ""
    if piece.kind == "bracket":
        return text[2:-1].split("-")[0] if text.startswith("[$") else ""
    return "" if text == "," else text


def _sections(pieces: list[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Cut pieces at the semicolons: for positive numbers, negative ones, zero, and text."""
    sections: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece == Piece("other", ";"):
            sections.append([])
        else:
            sections[-1].append(piece)
    return tuple(tuple(section) for section in sections)


def _shows_more(section: tuple[Piece, ...]) -> bool:
    """Return whether a section shows a percentage or at least two padding zeros, and nothing beyond this module."""
    signs = [piece.text for piece in section if piece.kind == "other"]
    beyond = "/" in signs or "e" in "".join(signs).lower() or signs.count("%") > 1
    conditional = any(piece.kind == "bracket" and piece.text[1] in "<>=" for piece in section)
    if beyond or conditional or _scales(section):
        return False
    before_point = "".join(piece.text for piece in section if piece.kind == "digit" or piece.text == ".").split(".")[0]
    return "%" in signs or before_point.count("0") >= 2


def _scales(section: tuple[Piece, ...]) -> bool:
    """Return whether commas after the last digit divide the number by thousands."""
    kinds = [piece.text if piece.text == "," else piece.kind for piece in section if piece.kind != "literal"]
    return any(kind == "," and "digit" not in kinds[at:] for at, kind in enumerate(kinds))


def _language(pieces: list[Piece]) -> str:
    """Return the language that a format names, as `[$-40A]` or `[$-es-CO]`; English where it names none."""
    for piece in pieces:
        if piece.kind == "bracket" and piece.text.startswith("[$") and "-" in piece.text:
            tag = piece.text[2:-1].split("-", 1)[1]
            if tag[:2].lower() in _LANGUAGES.values():
                return tag[:2].lower()
            if re.fullmatch("[0-9A-Fa-f]{1,8}", tag):
                return _LANGUAGES.get(int(tag, 16) & 0x3FF, "en")
    return "en"
