"""What a number format shows: a moment, a percentage, padding zeros, or nothing that plain digits do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from functools import lru_cache

from importer.model import Typed

# MERGED importer.source.formats: What a number format shows: a moment, a percentage, padding zeros, or nothing that plain digits do not.

# ECMA-376 part 1, 18.8.30: formats that a workbook names by number alone. Excel shows 14 and 22 by the regional
# settings of whoever looks; the only reading that is the same for everyone is the ISO one.
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


def telling(code: str) -> NumberFormat | None:
    """Return the format `code`, None where it says no more than that a number is one."""
    return None if "general" in code.lower() else parse(code)


def plain_text(value: float) -> str:
    """Return the shortest decimal text of a number; of a fraction the 15 digits that Excel keeps."""
    if value == value // 1:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def shown_number(value: float, code: str) -> str | None:
    """Return a number as programs show it that follow its whole format, words and grouping included.

    None where the format says nothing, and where it is beyond this module.
    """
    number_format = telling(code)
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


# MERGED importer.source.formats: Dates and times of a workbook: days since an epoch, shown by a format, never rounded into another day.

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
_DURATION = re.compile(r"PT([0-9]+)H([0-9]+)M([0-9.]+)S")
_DAY_US = 86_400_000_000
_FIVE_DIGITS = 100_000  # days; a stored number of 15 digits tells less of the time beyond
_LAST_DAY = 2_958_465  # 9999-12-31, the last that Excel shows
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's moments have no zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same
# Excel counts a 29 February 1900 that never was, so days before it lie one later; it is shown as the day before it.
_FICTIONAL_DAY = 60


@dataclass(frozen=True, slots=True)
class _Layout:
    """A number format as a template over a datetime, {0}, and what else it may show of it, {1}; and what it shows."""

    template: str
    language: str
    elapsed: bool
    shows_day: bool
    shows_time: bool


class _More:
    """What a datetime does not tell of itself, each worked out when a template asks for it."""

    __slots__ = ("_at", "_days", "_language")

    def __init__(self, at: datetime, days: int, language: str) -> None:
        self._at = at
        self._days = days
        self._language = language

    @property
    def short_year(self) -> int:
        return self._at.year % 100

    @property
    def month_name(self) -> str:
        return _MONTHS[self._language].split()[self._at.month - 1]

    @property
    def weekday_name(self) -> str:
        return _DAYS[self._language].split()[self._at.weekday()]

    @property
    def hour12(self) -> int:
        return self._at.hour % 12 or 12

    @property
    def half(self) -> str:
        return "AM" if self._at.hour < 12 else "PM"

    @property
    def fraction(self) -> str:
        return f"{self._at.microsecond:06d}"

    @property
    def hours(self) -> int:
        return self._days * 24 + self._at.hour

    @property
    def minutes(self) -> int:
        return self.hours * 60 + self._at.minute

    @property
    def seconds(self) -> int:
        return self.minutes * 60 + self._at.second


@lru_cache(maxsize=4096)
def moment(serial: float, code: str, *, since_1904: bool) -> Typed | None:
    """Return the cell of a stored number of days as the format `code` shows it; None where Excel shows only `####`.

    Its value is a date, a datetime, a time where the format shows no day and there is none, or the number of days of
    an elapsed time. Seconds are cut, not rounded: 23:59:59.9999 stays on its day.
    """
    days = int(serial // 1)
    precision = 10 if days < _FIVE_DIGITS else 100
    microseconds = round((serial - days) * _DAY_US / precision) * precision
    if microseconds == _DAY_US:
        days, microseconds = days + 1, 0
    if not 0 <= days <= _LAST_DAY - (1462 if since_1904 else 0):
        return None
    shift = 1 if days < _FICTIONAL_DAY and not since_1904 else 0
    at = (_EPOCH_1904 if since_1904 else _EPOCH_1900) + timedelta(days + shift, microseconds=microseconds)
    layout = _layout(code)
    text = layout.template.format(at, _More(at, days, layout.language))
    return Typed(text, _value(serial, at, layout), code)


def elapsed_days(duration: str) -> float | None:
    """Return the days of a duration as ODF writes it, such as PT30H15M00S; None for other text."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    return (float(match[1]) * 3600 + float(match[2]) * 60 + float(match[3])) / 86_400


def _value(serial: float, at: datetime, layout: _Layout) -> date | datetime | time | float:
    if layout.elapsed:
        return serial
    if serial < 1 and not layout.shows_day:
        return at.time()
    has_time = layout.shows_time or at.hour or at.minute or at.second or at.microsecond
    return at if has_time else at.date()


@lru_cache(maxsize=1024)
def _layout(code: str) -> _Layout:
    """Return what a number format makes of a moment."""
    number_format = parse(code)
    section = number_format.sections[0]
    twelve = any(piece.kind == "half" for piece in section)
    template = ""
    place = 0
    for at, piece in enumerate(section):
        place = place + 1 if piece.kind == "digit" else 0
        if piece.kind == "digit":
            template += f"{{1.fraction[{place - 1}]}}" if place <= 6 else "0"
        elif piece.kind == "half":
            template += "{1.half}"
        elif piece.kind == "elapsed":
            unit = {"h": "hours", "m": "minutes", "s": "seconds"}[piece.text[1].lower()]
            template += f"{{1.{unit}:0{len(piece.text) - 2}d}}"
        elif piece.kind == "date":
            template += _field(piece.text.lower(), minutes=_means_minutes(section, at), twelve=twelve)
        else:
            shown = "," if piece.text == "," else literal(piece)
            template += shown.replace("{", "{{").replace("}", "}}")
    parts = {piece.text[0].lower() for piece in section if piece.kind == "date"}
    return _Layout(
        template,
        number_format.language,
        elapsed=any(piece.kind == "elapsed" for piece in section),
        shows_day=bool(parts & {"y", "d"}),
        shows_time=bool(parts & {"h", "s"}),
    )


def _field(token: str, *, minutes: bool, twelve: bool) -> str:
    """Return the template's field for a part of a date or a time, such as `yyyy`, `m` or `dddd`."""
    letter, width = token[0], len(token)
    if letter == "y":
        return "{0.year}" if width > 2 else "{1.short_year:02d}"
    if letter in "md" and width > 2 and not minutes:
        name = "month_name" if letter == "m" else "weekday_name"
        return {3: f"{{1.{name}:.3}}", 5: f"{{1.{name}:.1}}"}.get(width, f"{{1.{name}}}")
    if letter == "m":
        attribute = "0.minute" if minutes else "0.month"
    else:
        attribute = {"d": "0.day", "h": "1.hour12" if twelve else "0.hour", "s": "0.second"}[letter]
    return f"{{{attribute}:0{width}d}}" if width > 1 else f"{{{attribute}}}"


def _means_minutes(section: tuple[Piece, ...], at: int) -> bool:
    """Return whether an `m` is minutes: it stands after hours or before seconds."""
    if section[at].text[0] not in "mM":
        return False
    before = [piece.text.strip("[]")[0] for piece in section[:at] if piece.kind in ("date", "elapsed")]
    after = [piece.text.strip("[]")[0] for piece in section[at + 1 :] if piece.kind in ("date", "elapsed")]
    return bool(before and before[-1] in "hH") or bool(after and after[0] in "sS")
