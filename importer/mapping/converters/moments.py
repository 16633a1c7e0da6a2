"""Dates and times: true ones as they are, texts by the format that the mapping gives or the whole column proves.

Wall-clock time throughout: a UTC offset after a time is passed over here; `zones` applies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
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
_WEEKDAY = r"(?:(?P<weekday>[^\W\d_]+)(?:[-\s]feira)?\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:\.?[º°]|ro|ero|er|o|st|nd|rd|th)?"
_NAME = r"(?P<name>[^\W\d_]{3,})\.?"


def _with_time(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + _TIME_AFTER, re.IGNORECASE)


_YEAR_FIRST = _with_time(r"(?P<year>\d{4})([-/.])(?P<one>\d{1,2})\2(?P<two>\d{1,2})")
_YEAR_LAST = _with_time(r"(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\2(?P<year>\d{4})")
_LIKE_A_DATE = re.compile(r"(?P<one>\d{1,4})(?P<sign>[-/.])(?P<two>\d{1,2})(?P=sign)(?P<year>\d{2}|\d{4})(?:[ T].*)?")
_NAMED = (
    _with_time(rf"{_WEEKDAY}{_DAY}(?:\s+de\s+|[-/.\s]\s*){_NAME}(?:\s+del?\s+|[-/.,\s]\s*)(?P<year>\d{{4}})"),
    _with_time(rf"{_WEEKDAY}{_NAME}\s+{_DAY},?\s+(?:del?\s+)?(?P<year>\d{{4}})"),
)
_SHAPES = {
    _YEAR_LAST: {"one": "DD/MM/YYYY", "two": "MM/DD/YYYY"},
    _YEAR_FIRST: {"two": "YYYY-MM-DD", "one": "YYYY-DD-MM"},
}
"""The formats of dates in digits, by the group that is the day."""

_OTHER_FORMS = (
    *(f"DD{sign}MMM{sign}YY" for sign in "-/. "), "DD MM YYYY", "DD MM YY", "YYYYMMDD", "DDMMYYYY",
    "D de MMMM de YYYY", *(f"D{sign}MMM{sign}YYYY" for sign in "-/. "), "MMMM D, YYYY",
)  # fmt: skip
"""Formats that a column never proves, so that the mapping has to name them, or those in words, if it names any."""

CENTURY = 1930
"""The first of the hundred years that two digits mean, as in Excel."""

_TIME_ALONE = re.compile(_CLOCK, re.IGNORECASE)
_TIME_FORMS = ("HH:mm", "HH:mm:ss", "HH.mm", "HHmm")
"""Formats of times that the mapping has to name, or the usual ones, if it names others."""

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

_WEEKDAYS = {
    word: number
    for language in (
        "lunes martes miercoles jueves viernes sabado domingo",
        "lun mar mie jue vie sab dom",
        "segunda terca quarta quinta sexta sabado domingo",
        "seg ter qua qui sex sab dom",
        "monday tuesday wednesday thursday friday saturday sunday",
        "mon tue wed thu fri sat sun",
    )
    for number, word in enumerate(language.split())
}
"""The days of the week from Monday, 0; other words before a date mean nothing."""


class DateTimeReader:
    """Reads the dates and times of one column.

    `formats` are those of the mapping; without any, `observe` collects what proves the order of day and month in the
    column: a part above 12. A year of two digits is one of the hundred years that begin with `century`.
    """

    def __init__(self, formats: Sequence[str] = (), century: int = CENTURY) -> None:
        self._forms = tuple(formats)
        self._formats = [_pattern(form) for form in formats]
        self._century = century
        self._proofs: dict[str, str] = {}

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column, before the first of them is read."""
        for text in texts:
            for shape, forms in _SHAPES.items():
                if parts := shape.fullmatch(text):
                    one, two = int(parts["one"]), int(parts["two"])
                    if 12 < max(one, two) <= 31 and 1 <= min(one, two) <= 12:
                        self._proofs.setdefault(forms["one" if one > two else "two"], text)

    @property
    def order(self) -> str | None:
        """The one format of dates in digits that the column proves, None without proof."""
        return next(iter(self._proofs)) if len(self._proofs) == 1 else None

    def read(self, cell: str | Typed) -> datetime:
        """Return the date and time of a cell, midnight for a date alone; raises `Refused`."""
        if isinstance(cell, Typed) and not (self._formats and _is_number(cell)):
            return _typed_datetime(cell)
        text = str(cell)
        try:
            return self._by_formats(text) if self._formats else self._by_proof(text)
        except ValueError as error:  # such as February 30
            raise _not_a_date(text, self._forms) from error

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
        raise _not_a_time(text, self._forms)

    def _by_formats(self, text: str) -> datetime:
        for pattern in self._formats:
            if parts := pattern.fullmatch(text):
                return _datetime(parts, *_day_and_month(parts), self._century)
        raise _not_a_date(text, self._forms)

    def _by_proof(self, text: str) -> datetime:
        for shape in _SHAPES:
            if parts := shape.fullmatch(text):
                return _datetime(parts, *self._day_and_month_of(parts))
        for shape in _NAMED:
            parts = shape.fullmatch(text)
            if parts and unaccented(parts["name"]) in _MONTHS:  # else it may be the `del` of `marzo 15 del 2026`
                moment = _datetime(parts, *_day_and_month(parts))
                if _WEEKDAYS.get(unaccented(parts["weekday"] or ""), moment.weekday()) != moment.weekday():
                    raise _another_weekday(text)
                return moment
        raise _not_a_date(text)

    def _day_and_month_of(self, parts: Parts) -> tuple[int, int]:
        """Return day and month in digits; raises `Refused` where the column does not prove which is which."""
        one, two = int(parts["one"]), int(parts["two"])
        forms = _SHAPES[parts.re]
        proofs = [form for form in forms.values() if form in self._proofs]
        if not proofs and parts.re is _YEAR_FIRST:
            proofs = [forms["two"]]  # the ISO order needs no proof
        if one != two and len(proofs) != 1:
            raise self._unclear(parts[0], proofs)
        return (one, two) if proofs == [forms["one"]] else (two, one)

    def _unclear(self, text: str, proofs: Sequence[str]) -> Refused:
        if proofs:
            one, two = (self._proofs[form] for form in proofs)
            message = _("'{one}' and '{two}' in this column differ in the order of day and month", one=one, two=two)
        else:
            message = _("'{value}' may be day/month or month/day, and no date in the column proves which", value=text)
        form = proofs[0] if proofs else "DD/MM/YYYY"
        remedy = _('Add the format of the cells to the field in the mapping, such as `read: "{format}"`', format=form)
        return Refused("date-format-unclear", message, remedy)


@lru_cache(maxsize=256)
def _pattern(form: str) -> re.Pattern[str]:
    """Return what matches dates in a format, and a time after them where the format has none."""
    pattern = reader(form)
    return pattern if "hour" in pattern.groupindex else _with_time(pattern.pattern)


def _is_number(cell: Typed) -> bool:
    """Return whether a cell is a number, such as 20240317, which a format of the mapping may make a date of."""
    return isinstance(cell.value, int | float) and not isinstance(cell.value, bool)


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


def _datetime(parts: Parts, day: int, month: int, century: int = CENTURY) -> datetime:
    clock = _clock(parts) or time()
    return datetime.combine(date(_year(parts, century), month, day), clock)


def _year(parts: Parts, century: int = CENTURY) -> int:
    if "short_year" in parts.re.groupindex:
        return century + (int(parts["short_year"]) - century) % 100
    return int(parts["year"])


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


def _not_a_time(text: str, forms: Sequence[str] = ()) -> Refused:
    """Return why a text is not read as a time; a format is proposed only if it reads it and is not there already."""
    message = _("'{value}' is not a time of day", value=shorten(text))
    form = next((form for form in _TIME_FORMS if form not in forms and _is_time_in(form, text)), None)
    if form is None:
        return Refused("not-a-time", message, _right_time())
    remedy = _('Add the format of the cells to the field in the mapping, such as `read: "{format}"`', format=form)
    return Refused("not-a-time", message, remedy)


def _right_time() -> str:
    return _("Write a time from 00:00 to 23:59 with two digits for the minutes, such as 14:05")


def _is_time_in(form: str, text: str) -> bool:
    parts = reader(form).fullmatch(text)
    try:
        return parts is not None and _clock(parts) is not None
    except ValueError:  # such as 25:00
        return False


def _another_weekday(text: str) -> Refused:
    message = _("'{value}' names a day of the week that is not the one of its date", value=shorten(text))
    return Refused("weekday-differs", message, _("Correct the cell"))


_LIKE_SECONDS = re.compile(r"1\d{9}(\.\d+)?")
"""Seconds since 1970, of a day from 2001 to 2033."""

_LIKE_SERIAL = re.compile(r"(?P<days>[2-6]\d{4})(?:[.,]\d+)?")
"""Excel's number of a day from 1954 to 2091, as it stands in a cell without a format of dates."""

_DAY_ZERO = date(1899, 12, 30)  # of Excel's numbers, where they mean a day after February 1900

_WITH_CLOCK = re.compile(r"(?P<date>.+?)(?:T|,?\s+)(?P<clock>\d{1,2}:.*)")


def _not_a_date(text: str, forms: Sequence[str] = ()) -> Refused:
    """Return why a text is not read as a date, and what helps; `forms` are the formats that the field has already."""
    text = text.strip()
    shown = shorten(text)
    message, remedy = _("'{value}' is not a readable date", value=shown), _("Correct the cell")
    if _LIKE_SECONDS.fullmatch(text):
        remedy = _(
            "If these are seconds since 1970, add `read: epoch` to the field in the mapping, and the zone of the"
            " cases to `source`, such as `zone: America/Bogota`"
        )
    elif (form := _likely_format(text, forms)) is not None:
        remedy = _(
            'Correct the cell, or add the format of the cells to the field in the mapping, such as `read: "{format}"`',
            format=form,
        )
    elif serial := _LIKE_SERIAL.fullmatch(text):
        day = _DAY_ZERO + timedelta(days=int(serial["days"]))
        message = _("'{value}' is not a readable date, but may be Excel's number for {day}", value=shown, day=day)
        remedy = _("If it is, give the cells a date format in Excel and save the sheet again; else correct the cell")
    elif clock := _wrong_clock(text, forms):
        message, remedy = _("'{value}' is not a time of day", value=shorten(clock)), _right_time()
    elif _has_no_such_day(text, forms):
        message = _("'{value}' is a day that does not exist", value=shown)
    return Refused("not-a-date", message, remedy)


def _likely_format(text: str, forms: Sequence[str] = ()) -> str | None:
    """Return a format in which a text is a date, other than the `forms` that did not read it; None if none is known."""
    found = _LIKE_A_DATE.fullmatch(text)
    likely = _OTHER_FORMS if found is None else (_form_of(found),)
    return next((form for form in likely if form not in forms and _is_date_in(form, text)), None)


def _form_of(found: Parts) -> str:
    """Return the format of a date in digits: the day is first, unless that cannot be."""
    sign = found["sign"]
    two_is_day = int(found["two"]) > _MONTHS["december"]
    if len(found["one"]) > len("DD"):
        return sign.join(("YYYY", "DD", "MM") if two_is_day else ("YYYY", "MM", "DD"))
    day_and_month = ("MM", "DD") if two_is_day else ("DD", "MM")
    return sign.join((*day_and_month, "Y" * len(found["year"])))


def _is_date_in(form: str, text: str) -> bool:
    parts = _pattern(form).fullmatch(text)
    try:
        return parts is not None and bool(_datetime(parts, *_day_and_month(parts)))
    except ValueError:  # such as month 20
        return False


def _wrong_clock(text: str, forms: Sequence[str]) -> str | None:
    """Return what stands for the time after a readable date, but is none, such as 24:00; None if there is no such."""
    found = _WITH_CLOCK.fullmatch(text)
    if found is None or _is_time(found["clock"]):
        return None
    day = found["date"]
    is_date = _likely_format(day) is not None or any(_is_date_in(form, day) for form in forms)
    return found["clock"] if is_date else None


def _is_time(text: str) -> bool:
    parts = _TIME_ALONE.fullmatch(text)
    try:
        return parts is not None and _clock(parts) is not None
    except ValueError:
        return False


def _has_no_such_day(text: str, forms: Sequence[str]) -> bool:
    """Return whether a text is written like a date, but of a day that no calendar has."""
    if found := _LIKE_A_DATE.fullmatch(text):
        return _is_day(_form_of(found), text) is False
    parts = next((parts for shape in _NAMED if (parts := shape.fullmatch(text))), None)
    if parts is not None:
        return unaccented(parts["name"]) in _MONTHS
    return any(_is_day(form, text) is False for form in forms)


def _is_day(form: str, text: str) -> bool | None:
    """Return whether a text in a format names a day that exists, None where it is not in this format."""
    parts = _pattern(form).fullmatch(text)
    if parts is None or unaccented(parts.groupdict().get("name") or "enero") not in _MONTHS:
        return None
    day, month = _day_and_month(parts)
    try:
        return bool(date(_year(parts), month, day))
    except ValueError:
        return False
