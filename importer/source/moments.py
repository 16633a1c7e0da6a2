"""Dates and times of a workbook: days since an epoch, shown by a format, never rounded into another day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from importer.model import Typed
from importer.source.number_format import NumberFormat, Piece, literal, parse

_MONTHS = {
    "en": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    "es": ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
    "pt": ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"],
}
_DAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "es": ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    "pt": ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"],
}
_DAY_US = 86_400_000_000
_PRECISION_US = 10  # what a stored serial of 15 digits can tell
_LAST_DAY = 2_958_465  # 9999-12-31, the last that Excel shows
# Excel counts a 29 February 1900 that never was: serial 60, shown here as the day before it.
_FICTIONAL_DAY = 60


class _Moment:
    """A stored number of days taken apart; the attributes are what a format can show, computed when it does.

    `day` is None for Excel's day 0, the 0th of January 1900.
    """

    __slots__ = ("day", "days", "language", "microseconds")

    def __init__(self, days: int, microseconds: int, day: date | None, language: str) -> None:
        self.days = days
        self.microseconds = microseconds
        self.day = day
        self.language = language

    year = property(lambda self: self.day.year if self.day else 1900)
    short_year = property(lambda self: self.year % 100)
    month = property(lambda self: self.day.month if self.day else 1)
    month_name = property(lambda self: _MONTHS[self.language][self.month - 1])
    month_day = property(lambda self: self.day.day if self.day else 0)
    weekday_name = property(lambda self: _DAYS[self.language][self.day.weekday() if self.day else 5])
    hour = property(lambda self: self.microseconds // 3_600_000_000)
    hour12 = property(lambda self: self.hour % 12 or 12)
    half = property(lambda self: "AM" if self.hour < 12 else "PM")
    minute = property(lambda self: self.microseconds // 60_000_000 % 60)
    second = property(lambda self: self.microseconds // 1_000_000 % 60)
    fraction = property(lambda self: f"{self.microseconds % 1_000_000:06d}")
    hours = property(lambda self: self.days * 24 + self.hour)
    minutes = property(lambda self: self.hours * 60 + self.minute)
    seconds = property(lambda self: self.minutes * 60 + self.second)


@dataclass(frozen=True, slots=True)
class _Layout:
    """A number format as a template over the attributes of a `_Moment`, and what it shows."""

    template: str
    elapsed: bool
    shows_day: bool
    shows_time: bool


def moment(serial: float, shown_by: NumberFormat, *, since_1904: bool) -> Typed | None:
    """Return the cell of a stored number of days as its format shows it; None where Excel shows only `####`.

    Its value is a date, a datetime, a time where there is no day, or the number of days of an elapsed time.
    Seconds are cut, not rounded: 23:59:59.9999 stays on its day.
    """
    days = int(serial // 1)
    microseconds = round((serial - days) * _DAY_US / _PRECISION_US) * _PRECISION_US
    if microseconds == _DAY_US:
        days, microseconds = days + 1, 0
    if days < 0 or days > _LAST_DAY:
        return None
    day = _day(days, since_1904=since_1904)
    layout = _layout(shown_by.code)
    text = layout.template.format(_Moment(days, microseconds, day, shown_by.language))
    return Typed(text, _value(serial, microseconds, day, layout), shown_by.code)


def _day(days: int, *, since_1904: bool) -> date | None:
    if since_1904:
        return date(1904, 1, 1) + timedelta(days)
    if days == 0:
        return None
    return (date(1899, 12, 31) if days < _FICTIONAL_DAY else date(1899, 12, 30)) + timedelta(days)


def _value(serial: float, microseconds: int, day: date | None, layout: _Layout) -> date | datetime | time | float:
    """Return what the cell is: where the format shows no day, a number below one is a time of day."""
    if layout.elapsed:
        return serial
    if day is None or (serial < 1 and not layout.shows_day):
        return _clock(microseconds)
    return datetime.combine(day, _clock(microseconds)) if microseconds or layout.shows_time else day


def _clock(microseconds: int) -> time:
    return (datetime.min + timedelta(microseconds=microseconds)).time()


@lru_cache(maxsize=1024)
def _layout(code: str) -> _Layout:
    """Return what a number format makes of a moment."""
    section = parse(code).sections[0]
    twelve = any(piece.kind == "half" for piece in section)
    template = ""
    place = 0
    for at, piece in enumerate(section):
        place = place + 1 if piece.kind == "digit" else 0
        if piece.kind == "digit":
            template += f"{{0.fraction[{place - 1}]}}" if place <= 6 else "0"
        elif piece.kind == "half":
            template += "{0.half}"
        elif piece.kind == "elapsed":
            unit = {"h": "hours", "m": "minutes", "s": "seconds"}[piece.text[1].lower()]
            template += f"{{0.{unit}:0{len(piece.text) - 2}d}}"
        elif piece.kind == "date":
            template += _field(piece.text.lower(), minutes=_means_minutes(section, at), twelve=twelve)
        else:
            template += literal(piece).replace("{", "{{").replace("}", "}}")
    parts = {piece.text[0].lower() for piece in section if piece.kind == "date"}
    return _Layout(
        template,
        elapsed=any(piece.kind == "elapsed" for piece in section),
        shows_day=bool(parts & {"y", "d"}),
        shows_time=bool(parts & {"h", "s"}),
    )


def _field(token: str, *, minutes: bool, twelve: bool) -> str:
    """Return the template's field for a part of a date or a time, such as `yyyy`, `m` or `dddd`."""
    letter, width = token[0], len(token)
    if letter == "y":
        return "{0.year}" if width > 2 else "{0.short_year:02d}"
    if letter in "md" and width > 2 and not minutes:
        name = "month_name" if letter == "m" else "weekday_name"
        return {3: f"{{0.{name}:.3}}", 5: f"{{0.{name}:.1}}"}.get(width, f"{{0.{name}}}")
    if letter == "m":
        attribute = "minute" if minutes else "month"
    else:
        attribute = {"d": "month_day", "h": "hour12" if twelve else "hour", "s": "second"}[letter]
    return f"{{0.{attribute}:0{width}d}}"


def _means_minutes(section: tuple[Piece, ...], at: int) -> bool:
    """Return whether an `m` is minutes: it stands after hours or before seconds."""
    if section[at].text[0] not in "mM":
        return False
    before = [piece.text.strip("[]")[0] for piece in section[:at] if piece.kind in ("date", "elapsed")]
    after = [piece.text.strip("[]")[0] for piece in section[at + 1 :] if piece.kind in ("date", "elapsed")]
    return bool(before and before[-1] in "hH") or bool(after and after[0] in "sS")
