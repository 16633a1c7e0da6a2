"""Formats of dates, times and numbers as people write them: `DD/MM/YYYY HH:mm`, `#.##0,00`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from importer.messages import _

_TOKEN = re.compile(r"YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|mm|ss|A")
_DATE_FORMAT = re.compile(r"(?:YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|mm|ss|A|[^A-Za-z0-9]|\b(?:T|de)\b)+")
_NUMBER_FORMAT = re.compile(r"(?P<group>#(?P<sign>[.,])##)?0(?:(?P<decimal>[.,])(?P<places>0+))?")

_WRITE = {
    "YYYY": "{0.year:04}",
    "YY": "{0:%y}",
    "MM": "{0.month:02}",
    "M": "{0.month}",
    "DD": "{0.day:02}",
    "D": "{0.day}",
    "HH": "{0.hour:02}",
    "H": "{0.hour}",
    "mm": "{0.minute:02}",
    "ss": "{0.second:02}",
}

_READ = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MMMM": r"(?P<name>[^\W\d_]+)\.?",
    "MMM": r"(?P<name>[^\W\d_]+)\.?",
    "MM": r"(?P<month>\d{1,2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "A": r"(?P<half>[ap]\.?\s?m\.?)",
}


def is_date_format(text: str) -> bool:
    """Return whether a text is a format in which dates or times can be written."""
    return bool(_DATE_FORMAT.fullmatch(text) and _TOKEN.search(text)) and not re.search(r"MMM|A", text)


def is_number_format(text: str) -> bool:
    """Return whether a text is a format of numbers: `0`, `0.00`, `#,##0.00`, `#.##0,00`."""
    parts = _NUMBER_FORMAT.fullmatch(text)
    return parts is not None and (parts["sign"] is None or parts["sign"] != parts["decimal"])


def format_datetime(value: date, form: str) -> str:
    """Return a date, or a date and time, in the format `form`; parts that it lacks are cut off, never rounded."""
    whole = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall time, never shifted
    return _writer(form)(whole)


@lru_cache
def _writer(form: str) -> Callable[[datetime], str]:
    """Return what writes dates in the format `form`; cached, since columns are long."""
    bare = form.replace("{", "{{").replace("}", "}}")
    return _TOKEN.sub(lambda token: _WRITE[token[0]], bare).format


def format_number(number: Decimal, form: str) -> str:
    """Return a number in the format `form`, rounded half up to its decimal places."""
    parts = _NUMBER_FORMAT.fullmatch(form)
    if parts is None:
        raise ValueError(form)
    places = len(parts["places"] or "")
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{rounded:,.{places}f}" if parts["group"] else f"{rounded:.{places}f}"
    signs = {",": parts["sign"] or "", ".": parts["decimal"] or ""}
    return "".join(signs.get(character, character) for character in text)


def reader(form: str) -> re.Pattern[str]:
    """Return what matches texts in the format `form`; raises `ValueError` where that is not a readable format."""
    if not _DATE_FORMAT.fullmatch(form) or not _TOKEN.search(form):
        raise ValueError(_("'{format}' is not a date format; write it like DD/MM/YYYY HH:mm", format=form))
    parts, end = [], 0
    for token in _TOKEN.finditer(form):
        parts += [re.escape(form[end : token.start()]), _READ[token[0]]]
        end = token.end()
    pattern = "".join([*parts, re.escape(form[end:])]).replace(r"\ ", r"\s+")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:  # a duplicate group
        raise ValueError(_("'{format}' has the same part twice", format=form)) from error
