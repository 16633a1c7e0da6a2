"""Dates and times of a workbook: days since an epoch, shown by a number format, never rounded into another day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from importer.model import Typed
from importer.source.formats import Piece, literal, parse

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
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>[0-9]+)D)?(?:T(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
    r"(?:(?P<seconds>[0-9]+(?:[.,][0-9]+)?)S)?)?"
)
_DAY_US = 86_400_000_000
_FIVE_DIGITS = 100_000  # days; beyond, a stored number of 15 digits is less precise about the time
_LAST_DAY = 2_958_465  # 9999-12-31, the last that Excel shows
EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's moments have no zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same
# Excel counts a 29 February 1900, which did not exist: days before it are one later, and it reads as the day before.
_FICTIONAL_DAY = 60


@dataclass(frozen=True, slots=True)
class _Layout:
    """A number format as a template over a datetime, {0}, and its further parts, {1}, with what it shows of them."""

    template: str
    language: str
    elapsed: bool
    shows_day: bool
    shows_time: bool


class _DateParts:
    """The parts of a moment that `datetime` does not have, each computed when a template asks for it."""

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
def date_cell(serial: float, code: str, *, since_1904: bool) -> Typed | None:
    """Return the cell of a stored number of days as the format `code` shows it; None where Excel shows only `####`.

    Its value is a date, a datetime, a time (where there is no day and the format shows none), or the number of days of
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
    at = (_EPOCH_1904 if since_1904 else EPOCH_1900) + timedelta(days + shift, microseconds=microseconds)
    layout = _layout(code)
    text = layout.template.format(at, _DateParts(at, days, layout.language))
    return Typed(text, _value(serial, at, layout), code)


def elapsed_days(duration: str) -> float | None:
    """Return the days of a duration as ODF writes it, such as PT30H15M00S; None for other text."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    days, hours, minutes = (float(match[unit] or 0) for unit in ("days", "hours", "minutes"))
    seconds = float((match["seconds"] or "0").replace(",", "."))
    elapsed = days + (hours * 3600 + minutes * 60 + seconds) / 86_400
    return -elapsed if match["sign"] else elapsed


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
    """Return whether an `m` means minutes, as it does after hours or before seconds."""
    if section[at].text[0] not in "mM":
        return False
    before = [piece.text.strip("[]")[0] for piece in section[:at] if piece.kind in ("date", "elapsed")]
    after = [piece.text.strip("[]")[0] for piece in section[at + 1 :] if piece.kind in ("date", "elapsed")]
    return bool(before and before[-1] in "hH") or bool(after and after[0] in "sS")
