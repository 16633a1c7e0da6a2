"""Dates and times of a workbook: days since an epoch, shown by a number format, never rounded into another day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from importer.model import Typed
from importer.source.number_formats.codes import Piece, literal, parse
from importer.source.number_formats.languages import LANGUAGES, Language

_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>[0-9]+)D)?(?:T(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
    r"(?:(?P<seconds>[0-9]+(?:[.,][0-9]+)?)S)?)?"
)
ISO_MOMENT = re.compile(r"[0-9]{4}-|[0-9]{2}:")
"""How the date or the time of a cell `t="d"` begins."""
_DAY_US = 86_400_000_000
_FIVE_DIGITS = 100_000  # days; beyond, a stored number of 15 digits is less precise about the time
_LAST_DAY = 2_958_465  # 9999-12-31, the last that Excel shows
EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's moments have no zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same
# Excel counts a 29 February 1900, which did not exist, and a day 0 of January 1900: days before it are one later.
_FICTIONAL_DAY = 60
_BETWEEN_EPOCHS = 1462  # from one epoch to the other


@dataclass(frozen=True, slots=True)
class _Layout:
    """A number format as a template over a datetime, {0}, and its further parts, {1}, with what it shows of them."""

    template: str
    language: Language
    elapsed: bool
    shows_day: bool
    shows_time: bool


class _Moment(NamedTuple):
    """A moment of a day that Excel shows although it has never been: 0 January and 29 February 1900."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int


_UNREAL = {0: (1900, 1, 0), _FICTIONAL_DAY: (1900, 2, 29)}


class _DateParts:
    """The parts of a moment that `datetime` does not have, each computed when a template asks for it.

    `days` count from the epoch, `weekday` is the day of the week from Monday, 0.
    """

    __slots__ = ("_at", "_days", "_language", "_weekday")

    def __init__(self, at: datetime | _Moment, days: int, weekday: int, language: Language) -> None:
        self._at = at
        self._days = days
        self._weekday = weekday
        self._language = language

    @property
    def short_year(self) -> int:
        return self._at.year % 100

    @property
    def buddhist_year(self) -> int:
        return self._at.year + 543

    @property
    def short_buddhist_year(self) -> int:
        return self.buddhist_year % 100

    @property
    def month_name(self) -> str:
        return self._language.months[self._at.month - 1]

    @property
    def short_month_name(self) -> str:
        return self._language.short_months[self._at.month - 1]

    @property
    def weekday_name(self) -> str:
        return self._language.days[self._weekday]

    @property
    def short_weekday_name(self) -> str:
        return self._language.short_days[self._weekday]

    @property
    def hour12(self) -> int:
        return self._at.hour % 12 or 12

    @property
    def half(self) -> str:
        return self._language.halves[self._at.hour >= 12]

    @property
    def initial(self) -> dict[str, str]:
        return {letters: letters[self._at.hour >= 12] for letters in ("ap", "AP", "aP", "Ap")}

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

    Its value is a date, a datetime, a time (where there is no day and the format shows none), or the number of days:
    of an elapsed time, and of a day that Excel shows although it has never been. Seconds are cut, not rounded:
    23:59:59.9999 stays on its day. Where the calendar begins in 1904, times below zero are shown, with a minus.
    """
    section = parse(code).section(serial)
    if serial < 0 and since_1904:
        return _below_zero(serial, code, is_signed=section is not None and not section.unsigned)
    days = int(serial // 1)
    precision = 10 if days < _FIVE_DIGITS else 100
    microseconds = round((serial - days) * _DAY_US / precision) * precision
    if microseconds == _DAY_US:
        days, microseconds = days + 1, 0
    if section is None or not 0 <= days <= _LAST_DAY - (_BETWEEN_EPOCHS if since_1904 else 0):
        return None
    shift = 1 if days < _FICTIONAL_DAY and not since_1904 else 0
    at = (_EPOCH_1904 if since_1904 else EPOCH_1900) + timedelta(days + shift, microseconds=microseconds)
    layout = _layout(code, parse(code).sections.index(section))
    weekday = (days + (_BETWEEN_EPOCHS if since_1904 else 0) + 5) % 7
    unreal = None if since_1904 else _UNREAL.get(days)
    shown = _Moment(*unreal, at.hour, at.minute, at.second, at.microsecond) if unreal else at
    text = layout.template.format(shown, _DateParts(shown, days, weekday, layout.language))
    value = _value(serial, at, layout)
    return Typed(text, serial if unreal and isinstance(value, date) else value, code)


def _below_zero(serial: float, code: str, *, is_signed: bool) -> Typed | None:
    """Return the cell of a time below zero; None for a day, which no one means."""
    ahead = date_cell(-serial, code, since_1904=True)
    if ahead is None or isinstance(ahead.value, date):
        return None
    return Typed(f"-{ahead.text}" if is_signed else ahead.text, serial, code)


def serial_of(moment: str, *, since_1904: bool) -> float | None:
    """Return the number of days of a date or time in ISO 8601, as `t="d"` cells have it; None for other text.

    A sheet has no zones: of a moment that names one, Excel shows the wall clock as it is written.
    """
    try:
        if moment[2:3] == ":":
            clock = time.fromisoformat(moment)
            return (clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6) / 86_400
        at = datetime.fromisoformat(moment).replace(tzinfo=None)
    except ValueError:
        return None
    if since_1904:
        return (at - _EPOCH_1904) / timedelta(days=1)
    days = (at - EPOCH_1900) / timedelta(days=1)
    return days if days > _FICTIONAL_DAY else days - 1


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
def _layout(code: str, at_section: int) -> _Layout:
    """Return what a section of a number format makes of a moment."""
    number_format = parse(code)
    section = number_format.sections[at_section].pieces
    twelve = any(piece.kind == "half" for piece in section)
    template = ""
    place = 0
    for at, piece in enumerate(section):
        place = place + 1 if piece.kind == "digit" else 0
        if piece.kind == "digit":
            template += f"{{1.fraction[{place - 1}]}}" if place <= 6 else "0"
        elif piece.kind == "half":
            template += "{1.half}" if piece.text.upper() == "AM/PM" else f"{{1.initial[{piece.text[::2]}]}}"
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
        LANGUAGES[number_format.language],
        elapsed=any(piece.kind == "elapsed" for piece in section),
        shows_day=bool(parts & {"y", "d", "e", "b"}),
        shows_time=bool(parts & {"h", "s"}),
    )


def _field(token: str, *, minutes: bool, twelve: bool) -> str:
    """Return the template's field for a part of a date or a time, such as `yyyy`, `m` or `dddd`."""
    letter, width = token[0], len(token)
    if letter == "b":
        return "{1.buddhist_year}" if width > 2 else "{1.short_buddhist_year:02d}"
    if letter in "ye":
        return "{0.year}" if width > 2 or letter == "e" else "{1.short_year:02d}"
    if letter in "md" and width > 2 and not minutes:
        name = "month_name" if letter == "m" else "weekday_name"
        return {3: f"{{1.short_{name}}}", 5: f"{{1.{name}:.1}}"}.get(width, f"{{1.{name}}}")
    if letter == "m":
        attribute = "0.minute" if minutes else "0.month"
    else:
        attribute = {"d": "0.day", "h": "1.hour12" if twelve else "0.hour", "s": "0.second"}[letter]
    return f"{{{attribute}:0{width}d}}" if width > 1 else f"{{{attribute}}}"


def _means_minutes(section: Sequence[Piece], at: int) -> bool:
    """Return whether an `m` means minutes, as it does after hours or before seconds."""
    if section[at].text[0] not in "mM":
        return False
    before = [piece.text.strip("[]")[0] for piece in section[:at] if piece.kind in ("date", "elapsed")]
    after = [piece.text.strip("[]")[0] for piece in section[at + 1 :] if piece.kind in ("date", "elapsed")]
    return bool(before and before[-1] in "hH") or bool(after and after[0] in "sS")
