"""A number as a section of its format shows it: digits in their places, and the text around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from importer.source.number_formats.codes import (
    NumberFormat,
    Piece,
    Section,
    Shows,
    is_fraction,
    literal,
    own_format,
    scale,
)

_POINT = Piece("other", ".")
_COMMA = Piece("other", ",")
_PERCENT = Piece("other", "%")


def plain_text(value: float) -> str:
    """Return the shortest decimal text of a number; of a fraction the 15 digits that Excel keeps."""
    if value == value // 1:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def shown_number(value: float, code: str) -> str | None:
    """Return a number as programs show it that apply its whole format, words and grouping included.

    None where the format shows nothing of its own, or a date.
    """
    number_format = own_format(code)
    section = None if number_format is None else number_format.section(value)
    if section is None or section.shows in (Shows.MOMENT, Shows.NOTHING):
        return None
    return section_text(value, section)


def number_text(value: float, number_format: NumberFormat) -> str:
    """Return a number as its format shows it, with a decimal point; its plain text where Excel shows only `####`."""
    section = number_format.section(value)
    return plain_text(value) if section is None else section_text(value, section)


def section_text(value: float, section: Section) -> str:
    """Return a number as a section that is for it shows it, with a decimal point."""
    pieces = section.pieces
    if section.shows is Shows.NOTHING:
        return ""
    amount = Decimal(plain_text(abs(value))).scaleb(2 * pieces.count(_PERCENT) - 3 * scale(pieces))
    kinds = {piece.kind for piece in pieces}
    if "general" in kinds:
        text = "".join(plain_text(abs(value)) if piece.kind == "general" else _around(piece) for piece in pieces)
    elif "digit" not in kinds:
        text = "".join(map(_around, pieces))
    elif is_fraction(pieces):
        text = _as_fraction(amount, pieces)
    elif "exponent" in kinds:
        text = _with_exponent(amount, pieces)
    else:
        text = _digits_in_place(amount, pieces)
    negative = value < 0 and not section.unsigned
    if negative and ("digit" not in kinds or re.search("[1-9]", text)):
        text = f"-{text}"
    return text.strip()


def _around(piece: Piece) -> str:
    """Return what a piece without digits shows; a place that is left as wide as a character is a space."""
    return " " if piece.text[0] == "_" and piece.kind == "literal" else literal(piece)


def _digits_in_place(amount: Decimal, pieces: Sequence[Piece]) -> str:
    """Put the digits of an amount into the places of a section, from the point outwards."""
    point = pieces.index(_POINT) if _POINT in pieces else len(pieces)
    decimals = [piece.text for piece in pieces[point:] if piece.kind == "digit"]
    exact = Context(prec=len(decimals) + 40)
    rounded = format(amount.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, exact), "f")
    whole, _point, fraction = rounded.partition(".")
    return _whole(whole, pieces[:point]) + _fraction(fraction, pieces[point:])


def _whole(digits: str, pieces: Sequence[Piece]) -> str:
    """Fill the places before the point from the right; the first place takes every digit that is left."""
    places = [at for at, piece in enumerate(pieces) if piece.kind == "digit"]
    commas = [at for at, piece in enumerate(pieces) if piece == _COMMA]
    grouped = any(places[0] < at < places[-1] for at in commas) if places else False  # behind the last, they divide
    rest = "" if digits == "0" else digits
    shown: list[str] = []
    taken = 0
    if not places:
        return "".join(map(_around, pieces)) + rest
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        if piece.kind != "digit":
            shown.append(_around(piece))
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


def _fraction(digits: str, pieces: Sequence[Piece]) -> str:
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
            shown += _around(piece)
    return shown


def _as_fraction(amount: Decimal, pieces: Sequence[Piece]) -> str:
    """Return an amount as a fraction, after the whole number where the section has a place for it."""
    at = next(place for place, piece in enumerate(pieces) if piece == Piece("other", "/"))
    below = "".join(piece.text for piece in pieces[at + 1 :] if piece.kind == "digit" or piece.text.isdecimal())
    end = max(
        (place for place, piece in enumerate(pieces) if piece.kind == "digit" or piece.text.isdecimal()), default=at
    )
    start = at
    while start and pieces[start - 1].kind == "digit":
        start -= 1
    whole_places = [place for place in range(start) if pieces[place].kind == "digit"]
    exact = Fraction(amount)
    whole = int(exact) if whole_places else 0
    if any(digit in below for digit in "123456789"):
        denominator = int(below.translate({ord("#"): "0", ord("?"): "0"}))
        part = Fraction(round((exact - whole) * denominator), 1)
        top, bottom = int(part), denominator
    else:
        part = (exact - whole).limit_denominator(10 ** len(below) - 1 if below else 1)
        top, bottom = part.numerator, part.denominator
    if whole_places and top == bottom:
        whole, top = whole + 1, 0
    first = whole_places[0] if whole_places else start
    before, after = ("".join(map(_around, some)) for some in (pieces[:first], pieces[end + 1 :]))
    fraction = f"{top}/{bottom}" if top or not whole_places else ""
    number = " ".join(filter(None, [str(whole) if whole or (not top and whole_places) else "", fraction]))
    return f"{before}{number}{after}"


def _with_exponent(amount: Decimal, pieces: Sequence[Piece]) -> str:
    """Return an amount with an exponent, which is a multiple of the number of places before the point."""
    at = next(place for place, piece in enumerate(pieces) if piece.kind == "exponent")
    mantissa = pieces[:at]
    places = [
        piece.kind == "digit" for piece in (mantissa[: mantissa.index(_POINT)] if _POINT in mantissa else mantissa)
    ]
    step = max(1, sum(places))
    exponent = amount.adjusted() // step * step if amount else 0
    text = _digits_in_place(amount.scaleb(-exponent), mantissa)
    digits = [piece for piece in pieces[at + 1 :] if piece.kind == "digit"]
    sign = "-" if exponent < 0 else "+" if pieces[at].text.endswith("+") else ""
    after = "".join(_around(piece) for piece in pieces[at + 1 :] if piece.kind != "digit")
    return f"{text}{pieces[at].text[0]}{sign}{abs(exponent):0{len(digits)}d}{after}"


def text_in_format(text: str, pieces: Sequence[Piece]) -> str:
    """Return a text as the section for texts shows it."""
    return "".join(text if piece.text == "@" and piece.kind == "other" else _around(piece) for piece in pieces).strip()
