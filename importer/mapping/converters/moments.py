"""Dates and times: true ones as they are, texts by the format that the mapping gives or the whole column proves.

Wall-clock time throughout: a UTC offset after a time is passed over here; `zones` applies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import TypeAlias

from importer.mapping.converters.formats import reader
from importer.mapping.refusal import Refused
from importer.messages import _, shorten
from importer.model import Typed
from importer.text import unaccented

Parts: TypeAlias = "re.Match[str]"

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap]\.?\s?m\b\.?))?"
    r"(?:\s*(?:Z|UTC|GMT)?(?:[+-]\d{2}(?::?\d{2})?)?)"
)
_TIME_AFTER = rf"(?:(?:T|,?\s+){_CLOCK})?"
_WEEKDAY = r"(?:[^\W\d_]+\.?,?\s+)?"
_NAME = r"(?P<name>[^\W\d_]{3,})\.?"


def _with_time(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + _TIME_AFTER, re.IGNORECASE)


_YEAR_FIRST = _with_time(r"(?P<year>\d{4})([-/.])(?P<one>\d{1,2})\2(?P<two>\d{1,2})")
_YEAR_LAST = _with_time(r"(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\2(?P<year>\d{4})")
_NAMED = (
    _with_time(
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\s+de\s+|[-/.\s]\s*){_NAME}(?:\s+del?\s+|[-/,\s]\s*)(?P<year>\d{{4}})"
    ),
    _with_time(rf"{_WEEKDAY}{_NAME}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})"),
)
_ORDERS = {"one": "DD/MM/YYYY", "two": "MM/DD/YYYY"}
"""The format of a date with the year last, by the group that is the day."""

_TIME_ALONE = re.compile(_CLOCK, re.IGNORECASE)

_MONTHS = {
    word: number
    for language in (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sept oct nov dec",
        "jan feb mar apr may jun jul aug setiembre oct nov dec",
    )
    for number, word in enumerate(language.split(), 1)
}


class DateTimeReader:
    """Reads the dates and times of one column.

    `formats` are those of the mapping; without any, `observe` collects what proves the order of day and month in the
    column: a part above 12.
    """

    def __init__(self, formats: Sequence[str] = ()) -> None:
        self._formats = [self._pattern(form) for form in formats]
        self._proofs: dict[str, str] = {}

    @staticmethod
    def _pattern(form: str) -> re.Pattern[str]:
        pattern = reader(form)
        return pattern if "hour" in pattern.groupindex else _with_time(pattern.pattern)

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column, before the first of them is read."""
        for text in texts:
            if parts := _YEAR_LAST.fullmatch(text):
                for day, month in (("one", "two"), ("two", "one")):
                    if 12 < int(parts[day]) <= 31 and int(parts[month]) <= 12:
                        self._proofs.setdefault(day, text)

    @property
    def order(self) -> str | None:
        """The format of dates with the year last that the column proves, None without proof."""
        return _ORDERS[next(iter(self._proofs))] if len(self._proofs) == 1 else None

    def read(self, cell: str | Typed) -> datetime:
        """Return the date and time of a cell, midnight for a date alone; raises `Refused`."""
        if isinstance(cell, Typed):
            return _typed_datetime(cell)
        try:
            return self._by_formats(cell) if self._formats else self._by_proof(cell)
        except ValueError as error:  # such as February 30
            raise _not_a_date(cell) from error

    def read_time(self, cell: str | Typed) -> time:
        """Return the time of day of a cell; raises `Refused`."""
        if isinstance(cell, Typed) and isinstance(cell.value, datetime):
            return cell.value.time()
        if isinstance(cell, Typed) and isinstance(cell.value, time):
            return cell.value
        text = str(cell)
        shapes = [pattern for pattern in self._formats if "hour" in pattern.groupindex] or [_TIME_ALONE]
        for shape in shapes:
            if parts := shape.fullmatch(text):
                return _clock_of(parts, text)
        raise _not_a_time(text)

    def _by_formats(self, text: str) -> datetime:
        for pattern in self._formats:
            if parts := pattern.fullmatch(text):
                return _datetime(parts, *_day_and_month(parts))
        raise _not_a_date(text)

    def _by_proof(self, text: str) -> datetime:
        if parts := _YEAR_FIRST.fullmatch(text):  # the ISO order needs no proof
            return _datetime(parts, day=int(parts["two"]), month=int(parts["one"]))
        if parts := _YEAR_LAST.fullmatch(text):
            one, two = int(parts["one"]), int(parts["two"])
            if one != two and self.order is None:
                raise self._unclear(text)
            day, month = (two, one) if self.order == _ORDERS["two"] else (one, two)
            return _datetime(parts, day, month)
        for shape in _NAMED:
            if parts := shape.fullmatch(text):
                return _datetime(parts, *_day_and_month(parts))
        raise _not_a_date(text)

    def _unclear(self, text: str) -> Refused:
        if self._proofs:
            one, two = self._proofs["one"], self._proofs["two"]
            message = _("'{one}' and '{two}' in this column differ in the order of day and month", one=one, two=two)
        else:
            message = _("'{value}' may be day/month or month/day, and no date in the column proves which", value=text)
        return Refused(
            "date-format-unclear", message, _('Add the format of the cells to the mapping, such as read: "DD/MM/YYYY"')
        )


def _typed_datetime(cell: Typed) -> datetime:
    value = cell.value
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall time, never shifted
    raise _not_a_date(cell.text)


def _day_and_month(parts: Parts) -> tuple[int, int]:
    named = parts.re.groupindex
    day = int(parts["day"]) if "day" in named else 1
    if "name" in named:
        return day, _MONTHS.get(unaccented(parts["name"]), 0)
    return day, int(parts["month"]) if "month" in named else 1


def _datetime(parts: Parts, day: int, month: int) -> datetime:
    named = parts.re.groupindex
    if "short_year" in named:
        short = int(parts["short_year"])
        year = short + (2000 if short < 69 else 1900)
    else:
        year = int(parts["year"])
    clock = _clock(parts) or time()
    return datetime.combine(date(year, month, day), clock)


def _clock(parts: Parts) -> time | None:
    """Return the time of day in a text, None where it has none; raises `ValueError` for 25:00."""
    found = parts.groupdict()
    if not found.get("hour"):
        return None
    hour = int(found["hour"])
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0].casefold() == "p" else 0)
    return time(hour, int(found.get("minute") or 0), int(found.get("second") or 0))


def _clock_of(parts: Parts, text: str) -> time:
    try:
        return _clock(parts) or time()
    except ValueError as error:  # 25:00
        raise _not_a_time(text) from error


def _not_a_time(text: str) -> Refused:
    return Refused(
        "not-a-time",
        _("'{value}' is not a time of day", value=shorten(text)),
        _('Write it like 14:05:00, or add the format of the cells to the mapping, such as read: "HH:mm"'),
    )


def _not_a_date(text: str | Typed) -> Refused:
    return Refused(
        "not-a-date",
        _("'{value}' is not a readable date", value=shorten(str(text))),
        _('Correct the cell, or add the format of the cells to the mapping, such as read: "DD/MM/YYYY"'),
    )
