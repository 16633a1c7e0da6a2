"""Dates and times: true ones as they are, texts by a named format or by one that the whole column proves.

Wall-clock time throughout: an offset behind a time is dropped, never applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import TypeAlias

from importer.mapping.formats import reader
from importer.mapping.refusal import Refused
from importer.mapping.words import fold
from importer.messages import _, shorten
from importer.model import Typed

Parts: TypeAlias = "re.Match[str]"

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap]\.?\s?m\b\.?))?"
    r"(?:\s*(?:Z|UTC|GMT)?(?:[+-]\d{2}:?\d{2})?)"
)
_TIME_BEHIND = rf"(?:(?:T|,?\s+){_CLOCK})?"
_WEEKDAY = r"(?:[^\W\d_]+\.?,?\s+)?"
_NAME = r"(?P<name>[^\W\d_]{3,})\.?"


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + _TIME_BEHIND, re.IGNORECASE)


_YEAR_FIRST = _shape(r"(?P<year>\d{4})([-/.])(?P<one>\d{1,2})\2(?P<two>\d{1,2})")
_YEAR_LAST = _shape(r"(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\2(?P<year>\d{4})")
_NAMED = (
    _shape(rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\s+de\s+|[-/.\s]\s*){_NAME}(?:\s+del?\s+|[-/,\s]\s*)(?P<year>\d{{4}})"),
    _shape(rf"{_WEEKDAY}{_NAME}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})"),
)
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


class MomentReader:
    """Reads the dates and times of one column.

    `formats` are those that the mapping names; without any, `observe` gathers from the column what proves the
    order of day and month: a part above 12.
    """

    def __init__(self, formats: Sequence[str] = ()) -> None:
        self._formats = [self._with_time(form) for form in formats]
        self._proofs: dict[tuple[re.Pattern[str], str], str] = {}

    @staticmethod
    def _with_time(form: str) -> re.Pattern[str]:
        pattern = reader(form)
        return pattern if "hour" in pattern.groupindex else _shape(pattern.pattern)

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column before any of them is read."""
        if self._formats:
            return
        for text in texts:
            for shape in (_YEAR_FIRST, _YEAR_LAST):
                if parts := shape.fullmatch(text):
                    for place in ("one", "two"):
                        if int(parts[place]) > 12:
                            self._proofs.setdefault((shape, place), text)

    @property
    def order(self) -> str | None:
        """The format of dates with the year last that the column proves, None where it proves none."""
        day = self._day_of(_YEAR_LAST)
        return {"one": "DD/MM/YYYY", "two": "MM/DD/YYYY"}.get(day) if day else None

    def read(self, cell: str | Typed) -> datetime:
        """Return the moment of a cell, midnight where it is a date alone; raises `Refused`."""
        if isinstance(cell, Typed):
            return _true_moment(cell)
        try:
            return self._named(cell) if self._formats else self._proved(cell)
        except ValueError as error:  # a day or an hour that does not exist
            raise _no_date(cell) from error

    def read_time(self, cell: str | Typed) -> time:
        """Return the time of day of a cell; raises `Refused`."""
        if isinstance(cell, Typed) and isinstance(cell.value, datetime):
            return cell.value.time()
        if isinstance(cell, Typed) and isinstance(cell.value, time):
            return cell.value
        text = str(cell)
        shapes = [pattern for pattern in self._formats if "hour" in pattern.groupindex] or [_TIME_ALONE]
        for shape in shapes:
            if (parts := shape.fullmatch(text)) and (found := _clock(parts)) is not None:
                return found
        raise Refused(
            "not-a-time",
            _("'{value}' is no time of day", value=shorten(text)),
            _("Write it like 14:05:00, or name how the cells write it: read: {example}", example='"HH:mm"'),
        )

    def _named(self, text: str) -> datetime:
        for pattern in self._formats:
            if parts := pattern.fullmatch(text):
                return _moment(parts, *_day_and_month(parts))
        raise _no_date(text)

    def _proved(self, text: str) -> datetime:
        for shape in _NAMED:
            if parts := shape.fullmatch(text):
                return _moment(parts, *_day_and_month(parts))
        for shape in (_YEAR_FIRST, _YEAR_LAST):
            if parts := shape.fullmatch(text):
                one, two = int(parts["one"]), int(parts["two"])
                day = self._day_of(shape)
                if day is None and one != two:
                    raise self._unclear(shape, text)
                return _moment(parts, one, two) if day == "one" else _moment(parts, two, one)
        raise _no_date(text)

    def _day_of(self, shape: re.Pattern[str]) -> str | None:
        """Return which part of a numeric date is the day: "one", "two", or None where the column does not tell."""
        proved = [place for place in ("one", "two") if (shape, place) in self._proofs]
        if not proved and shape is _YEAR_FIRST:
            return "two"  # the ISO order needs no further proof
        return proved[0] if len(proved) == 1 else None

    def _unclear(self, shape: re.Pattern[str], text: str) -> Refused:
        examples = [self._proofs[shape, place] for place in ("one", "two") if (shape, place) in self._proofs]
        if examples:
            message = _("'{one}' and '{two}' in this column have day and month in different order",
                        one=examples[0], two=examples[-1])  # fmt: skip
        else:
            message = _("'{value}' may be day/month or month/day, and nothing in the column tells which", value=text)
        return Refused("date-format-unclear", message, _('Name how the cells write dates, such as read: "DD/MM/YYYY"'))


def _true_moment(cell: Typed) -> datetime:
    value = cell.value
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall time, never shifted
    raise _no_date(cell.text)


def _day_and_month(parts: Parts) -> tuple[int, int]:
    named = parts.re.groupindex
    month = _MONTHS.get(fold(parts["name"]), 0) if "name" in named else int(parts["month"]) if "month" in named else 1
    return int(parts["day"]) if "day" in named else 1, month


def _moment(parts: Parts, day: int, month: int) -> datetime:
    named = parts.re.groupindex
    if "short_year" in named:
        short = int(parts["short_year"])
        year = short + (2000 if short < 69 else 1900)
    else:
        year = int(parts["year"])
    clock = _clock(parts) or time()
    return datetime.combine(date(year, month, day), clock)


def _clock(parts: Parts) -> time | None:
    """Return the time of day that stands in a text; raises `ValueError` for 25:00."""
    found = parts.groupdict()
    if not found.get("hour"):
        return None
    hour = int(found["hour"])
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0].casefold() == "p" else 0)
    return time(hour, int(found.get("minute") or 0), int(found.get("second") or 0))


def _no_date(text: str | Typed) -> Refused:
    return Refused(
        "not-a-date",
        _("'{value}' is no date that can be read", value=shorten(str(text))),
        _('Correct the cell, or name how the cells write dates, such as read: "DD/MM/YYYY"'),
    )
