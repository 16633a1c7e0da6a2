"""What version 1 of the reading took from a number: rows were recorded under it, and are recognised by it for ever.

Nothing here is ever corrected, and no cell is read by it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from math import inf

from importer.source.number_formats.codes import Piece, Shows, parse
from importer.source.number_formats.rendering import plain_text

_PIECE = re.compile(
    r"""(?P<literal>"[^"]*"|\\.|_.|\*.)|(?P<elapsed>\[(?:h+|m+|s+)\])|(?P<bracket>\[[^\]]*\])"""
    r"""|(?P<half>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+)|(?P<digit>[0#?])|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL,
)
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
}
_LANGUAGES = {0x09: "en", 0x0A: "es", 0x16: "pt"}
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's moments have no zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same
_LAST_DAY = 2_958_465

Section = tuple[Piece, ...]


def text_of(value: float, code: str, *, since_1904: bool) -> str | None:
    """Return the text that was taken from a number with this format; None where its format did not count."""
    if "general" in code.lower():
        return None
    pieces, language = _parsed(code)
    first = pieces[0]
    if any(piece.kind in ("date", "elapsed") for piece in first):
        return _moment(value, first, language, since_1904=since_1904)
    return _number(value, pieces) if _shows_more(first) else None


@lru_cache(maxsize=1024)
def same_from(code: str) -> float:
    """Return from which number on version 1 certainly took the same text as today; infinity where that is unknown."""
    today = parse(code)
    if "general" in code.lower() or len(today.sections) > 1 or today.sections[0].condition is not None:
        return inf
    sections, language = _parsed(code)
    first = sections[0]
    if len(sections) > 1 or first != today.sections[0].pieces:
        return inf
    if any(piece.kind in ("date", "elapsed") for piece in first):
        halves = [piece.text for piece in first if piece.kind == "half"]
        is_same = language == today.language and (not halves or (halves == ["AM/PM"] and language != "es"))
        return 61 if is_same else inf  # Excel counts days before it that have never been
    has_gaps = any(piece.kind == "literal" and piece.text[0] == "_" for piece in first)
    kinds = [piece.text if piece.text == "." else piece.kind for piece in first]
    has_lone_point = "." in kinds and "digit" not in kinds[kinds.index(".") :]
    shows_number = _shows_more(first) and today.sections[0].shows is Shows.NUMBER
    return 0 if shows_number and not has_gaps and not has_lone_point else inf


@lru_cache(maxsize=1024)
def _parsed(code: str) -> tuple[tuple[Section, ...], str]:
    if code.startswith("[$-F800]"):
        code = "yyyy-mm-dd"
    elif code.startswith("[$-F400]"):
        code = "hh:mm:ss"
    pieces = [Piece(match.lastgroup or "", match[0]) for match in _PIECE.finditer(code)]
    sections: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece == Piece("other", ";"):
            sections.append([])
        else:
            sections[-1].append(piece)
    return tuple(tuple(section) for section in sections), _language(pieces)


def _language(pieces: list[Piece]) -> str:
    for piece in pieces:
        if piece.kind == "bracket" and piece.text.startswith("[$") and "-" in piece.text:
            tag = piece.text[2:-1].split("-", 1)[1]
            if tag[:2].lower() in _LANGUAGES.values():
                return tag[:2].lower()
            if re.fullmatch("[0-9A-Fa-f]{1,8}", tag):
                return _LANGUAGES.get(int(tag, 16) & 0x3FF, "en")
    return "en"


def _shows_more(section: Section) -> bool:
    signs = [piece.text for piece in section if piece.kind == "other"]
    beyond = "/" in signs or "e" in "".join(signs).lower() or signs.count("%") > 1
    conditional = any(piece.kind == "bracket" and piece.text[1:2] in tuple("<>=") for piece in section)
    kinds = [piece.text if piece.text == "," else piece.kind for piece in section if piece.kind != "literal"]
    scales = any(kind == "," and "digit" not in kinds[at:] for at, kind in enumerate(kinds))
    if beyond or conditional or scales:
        return False
    before_point = "".join(piece.text for piece in section if piece.kind == "digit" or piece.text == ".").split(".")[0]
    return "%" in signs or before_point.count("0") >= 2


def _number(value: float, sections: tuple[Section, ...]) -> str:
    section, sign = sections[0], "-" if value < 0 else ""
    if value < 0 and len(sections) > 1:
        section, sign = sections[1], ""
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    percent = any(piece.text == "%" for piece in section)
    amount = Decimal(plain_text(abs(value))) * (100 if percent else 1)
    point = next((at for at, piece in enumerate(section) if piece.text == "."), len(section))
    decimals = [piece.text for piece in section[point:] if piece.kind == "digit"]
    exact = Context(prec=len(decimals) + 40)
    rounded = format(amount.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, exact), "f")
    whole, _point, fraction = rounded.partition(".")
    text = _whole(whole, section[:point]) + _fraction(fraction, section[point:])
    return sign + text if re.search("[1-9]", text) else text


def _whole(digits: str, pieces: Section) -> str:
    places = [at for at, piece in enumerate(pieces) if piece.kind == "digit"]
    grouped = any(piece.text == "," for piece in pieces)
    rest = "" if digits == "0" else digits
    shown: list[str] = []
    taken = 0
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        if piece.kind != "digit":
            shown.append(_literal(piece))
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


def _fraction(digits: str, pieces: Section) -> str:
    shown = ""
    optional = [piece.text != "0" for piece in pieces if piece.kind == "digit"]
    while digits.endswith("0") and optional and optional[len(digits) - 1]:
        digits = digits[:-1]
    left = iter(digits)
    for piece in pieces:
        if piece.kind == "digit":
            shown += next(left, "")
        elif piece.text != "." or digits:
            shown += _literal(piece)
    return shown


def _literal(piece: Piece) -> str:
    text = piece.text
    if piece.kind == "literal":
        return text[1:-1] if text[0] == '"' else text[1:] if text[0] == "\\" else ""
    if piece.kind == "bracket":
        return text[2:-1].split("-")[0] if text.startswith("[$") else ""
    return "" if text == "," else text


def _moment(serial: float, section: Section, language: str, *, since_1904: bool) -> str | None:
    days = int(serial // 1)
    precision = 10 if days < 100_000 else 100
    microseconds = round((serial - days) * 86_400_000_000 / precision) * precision
    if microseconds == 86_400_000_000:
        days, microseconds = days + 1, 0
    if not 0 <= days <= _LAST_DAY - (1462 if since_1904 else 0):
        return plain_text(serial)
    shift = 1 if days < 60 and not since_1904 else 0
    at = (_EPOCH_1904 if since_1904 else _EPOCH_1900) + timedelta(days + shift, microseconds=microseconds)
    twelve = any(piece.kind == "half" for piece in section)
    hours = days * 24 + at.hour
    elapsed = {"h": hours, "m": hours * 60 + at.minute, "s": (hours * 60 + at.minute) * 60 + at.second}
    text, place = "", 0
    for index, piece in enumerate(section):
        place = place + 1 if piece.kind == "digit" else 0
        if piece.kind == "digit":
            text += f"{at.microsecond:06d}"[place - 1] if place <= 6 else "0"
        elif piece.kind == "half":
            text += "AM" if at.hour < 12 else "PM"
        elif piece.kind == "elapsed":
            text += f"{elapsed[piece.text[1].lower()]:0{len(piece.text) - 2}d}"
        elif piece.kind == "date":
            text += _date_part(piece.text.lower(), at, language, minutes=_is_minutes(section, index), twelve=twelve)
        else:
            text += "," if piece.text == "," else _literal(piece)
    return text


def _date_part(token: str, at: datetime, language: str, *, minutes: bool, twelve: bool) -> str:
    letter, width = token[0], len(token)
    if letter == "y":
        return str(at.year) if width > 2 else f"{at.year % 100:02d}"
    if letter in "md" and width > 2 and not minutes:
        name = _MONTHS[language].split()[at.month - 1] if letter == "m" else _DAYS[language].split()[at.weekday()]
        return {3: name[:3], 5: name[:1]}.get(width, name)
    hour = at.hour % 12 or 12 if twelve else at.hour
    number = {"m": at.minute if minutes else at.month, "d": at.day, "h": hour, "s": at.second}[letter]
    return f"{number:0{width}d}" if width > 1 else str(number)


def _is_minutes(section: Section, at: int) -> bool:
    if section[at].text[0] not in "mM":
        return False
    before = [piece.text.strip("[]")[0] for piece in section[:at] if piece.kind in ("date", "elapsed")]
    after = [piece.text.strip("[]")[0] for piece in section[at + 1 :] if piece.kind in ("date", "elapsed")]
    return bool(before and before[-1] in "hH") or bool(after and after[0] in "sS")
