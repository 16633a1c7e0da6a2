"""The other forms in which programs show a key: 1,234 and 1.234 may be 1234, 31/12/2024 may be 45657."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice, product

from importer.model import Cell, CellError, Reread, Typed
from importer.source import month_number, shown_number
from importer.text import loose, unadorned

_LONGEST = 40
"""The most characters of a number or a date; a longer key is neither."""

_MOST = 16
"""The most other spellings of one key; in a key of many parts, some combinations are left out."""

_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBER = re.compile(r"([+-]?)(\d[\d.,']*|[.,]\d+)(?:e([+-]?\d{1,2}))?", re.IGNORECASE)
_NUMBER_OR_DATE = re.compile(r"[-+0-9.,'/: eEtTzZaApPmM$()\u20ac\u00a3]{2,40}")
_NO_CURRENCY = str.maketrans("", "", "$\u20ac\u00a3")
_GROUPED = re.compile(r"\d{1,3}(?:[.,']\d{3})+")
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]0+)?)?(?:z|[ ]?(?P<half>[ap])\.?[ ]?m?\.?)?"
)
_TIME_ALONE = re.compile(_CLOCK, re.IGNORECASE)
_TIME = rf"(?:(?:,?[ ]+|t){_CLOCK})?"
_WEEKDAY = r"(?:[^\W\d_]+(?:-feira)?[.]?,?[ ]+)?"
_NAME = r"(?P<name>[^\W\d_]{3,})\.?"
_DATES = tuple(
    re.compile(pattern + _TIME, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})",
        r"(?P<day>\d{1,2})(?P<mark>[-/])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{2})",
    )
)
_NAMED_DATES = tuple(
    re.compile(_WEEKDAY + pattern + _TIME, re.IGNORECASE)
    for pattern in (
        rf"(?P<day>\d{{1,2}})\.?(?:[ ]+de[ ]+|[-/ ]){_NAME}(?:[ ]+del?[ ]+|[-/ ])(?P<year>\d{{4}}|\d{{2}})",
        rf"{_NAME}[ ]+(?P<day>\d{{1,2}}),?[ ]+(?P<year>\d{{4}})",
    )
)
_HAS_MONTH = re.compile(
    r"(?:^|[\s/-])(?:jan|ene|gen|f[eé][bv]|mar|mrz|mär|a[bpv]r|ma[iyg]|ju[nli]|giu|lug|a[gu][oug]|aoû|set|sep|o[cku]t|ott|nov"
    r"|d[ieé][czs])",
    re.IGNORECASE,
)
_LONGEST_DATE = 60
_MARKED = re.compile(r"\d[.,]\d")
_OTHER_MARKS = str.maketrans(",.", ".,")
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - times in sheets have no zone
_DAYS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d"),
    *("%Y-%m-%d 00:00:00", "%d/%m/%Y 00:00:00", "%d/%m/%Y 00:00"),
)
_CLOCK_TIMES = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M"),
)
_SHORTEST_DATE = len("1/2/24")
_SERIALS = range(18_264, 73_051)
"""Serial numbers of the days from 1950 to 2099: tickets have no other dates."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another form in which a program may show a key, part by part, to be compared by `loose`.

    It is `bare` if it lacks the words or digits that the format of a cell adds to its number.
    """

    parts: tuple[str, ...]
    bare: bool = False


def spellings(cells: Sequence[Cell], parts: Sequence[str]) -> tuple[Spelling, ...]:
    """Return the other forms in which programs may show a key, given its cells and its canonical parts.

    They are what the key means rather than how it is written (1,234 and 1.234 mean 1234). If two keys may be one, they
    share such a form, or one of them is a form of the other.
    """
    others = [_of_cell(cell, part) for cell, part in zip(cells, parts, strict=True)]
    if not any(others):
        return ()
    choices = [[(part, False), *more] for part, more in zip(parts, others, strict=True)]
    combined = islice(product(*choices), 1, _MOST + 1)  # the first is the key as it is
    return tuple(Spelling(tuple(text for text, _ in each), any(bare for _, bare in each)) for each in combined)


def elaborate_spellings(parts: Sequence[str], *, all_of_them: bool) -> Iterator[tuple[str, ...]]:
    """Yield more elaborate forms of a key whose parts are plain.

    An elaborate key whose other spellings were recorded with it is found by those, except for zeros at the end of a
    fraction, which may or may not belong to it. `all_of_them` is for keys that were recorded without other spellings.
    """
    for at, part in enumerate(parts):
        plain = unadorned(part)
        if all_of_them or "." in plain or "," in plain:
            for other in dict.fromkeys(_elaborate(plain)):
                yield (*parts[:at], other, *parts[at + 1 :])


def _of_cell(cell: Cell, part: str) -> list[tuple[str, bool]]:
    """Return the other spellings of one cell, each with whether it is bare."""
    if isinstance(cell, CellError) or _is_plain(cell, part):
        return []
    text = unadorned(str(cell))
    if isinstance(cell, Typed):
        found = list(_of_value(cell, text))
    else:
        numbers = _numbers(text) if _NUMBER_OR_DATE.fullmatch(text) else ()
        found = [(meaning, False) for meaning in (*numbers, *_dates(text))]
        if not found and _MARKED.search(text):
            found = [(text.translate(_OTHER_MARKS), False)]  # on a Spanish computer
    if isinstance(cell, Typed | Reread) and cell.earlier:
        found.append((cell.earlier, True))  # also what programs read that do not know the format
    if not found and text == part:
        return []
    known = loose(part)
    return [each for each in dict.fromkeys(((text, False), *found)) if loose(each[0]) != known]


def _is_plain(cell: str | Typed, part: str) -> bool:
    """Tell whether a cell obviously has no other spelling, like most keys: T-0001, 12345."""
    if isinstance(cell, Typed):
        is_count = type(cell.value) is int and cell.value >= 0  # one below zero may be in parentheses
        return is_count and str(cell.value) == part and _adds_nothing(cell.number_format)
    if isinstance(cell, Reread):
        return False
    is_name = part[:1].isalpha() and not (" " in part or "," in part or "." in part)  # March 17, 2024
    return part == cell and part.isascii() and part.isprintable() and (part.isdigit() or is_name)


@lru_cache(maxsize=1024)
def _adds_nothing(number_format: str) -> bool:
    """Tell whether a format shows whole numbers as their digits alone, grouped or not."""
    shown = shown_number(1234567, number_format)
    return shown is None or shown.replace(",", "") == "1234567"


def _of_value(cell: Typed, text: str) -> Iterator[tuple[str, bool]]:
    """Yield the value of a number or a date, whatever its format, and what other computers show of it."""
    value = cell.value
    if isinstance(value, bool):
        return
    if isinstance(value, date | time):
        yield from ((meaning, False) for meaning in (*_of_moment(value), *_dates(text)))
        return
    plain = str(value) if isinstance(value, int) else _plain_number(Decimal(repr(value)))
    yield plain, not _is_number(text, plain)  # with words or rounding, other values may show the same digits
    shown = shown_number(value, cell.number_format)
    if shown is not None:
        yield shown, False
        if not _is_number(shown, plain):
            yield shown.translate(_OTHER_MARKS), False
            yield shown.replace(",", ""), False


def _of_moment(value: date | time) -> Iterator[str]:
    """Yield the meanings of a date or a time, and the date with the month first, as computers in the USA show it."""
    if isinstance(value, time):
        yield f"{value:%H:%M:%S}"
        return
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    yield from _meanings(moment.replace(tzinfo=None))
    if moment.second or moment.microsecond:  # most formats do not show them
        yield from _meanings(moment.replace(second=0, microsecond=0, tzinfo=None))
    yield f"{value.month}/{value.day}/{value.year}" + (f" {moment:%H:%M}" if moment.time() != time() else "")


def _is_number(text: str, plain: str) -> bool:
    """Tell whether a text by itself means this number."""
    return any(Decimal(number) == Decimal(plain) for number in (text, *_numbers(text)) if _DECIMAL.fullmatch(number))


def _plain_number(number: Decimal) -> str:
    """Return a number's shortest text without an exponent, with the 15 digits that spreadsheets keep."""
    text = f"{Decimal(f'{number:.15g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _numbers(text: str) -> Iterator[str]:
    """Yield the numbers that a text may be: grouped thousands, a decimal comma, an exponent, (5) for -5."""
    written = "".join(text.split())
    text = written.translate(_NO_CURRENCY)
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return
    sign, digits, exponent = found[1].replace("+", ""), found[2], found[3]
    for number in _readings(digits):
        if exponent:
            yield sign + _plain_number(Decimal(number).scaleb(int(exponent)))
        elif sign + number != written:
            yield sign + number


def _readings(digits: str) -> Iterator[str]:
    """Yield the numbers that digits with points, commas and apostrophes may mean."""
    marks = [character for character in digits if not character.isdigit()]
    if not marks:
        yield digits
        return
    whole, _, fraction = digits.rpartition(marks[-1])
    if len(set(marks)) == 1 and _GROUPED.fullmatch(digits) and not digits.startswith("0"):
        yield "".join(filter(str.isdigit, digits))
    if marks.count(marks[-1]) == 1 and marks[-1] != "'" and fraction:
        if marks[:-1] and not _GROUPED.fullmatch(whole):
            return
        bare = "".join(filter(str.isdigit, whole)) or "0"
        yield bare if not fraction.strip("0") else f"{bare}.{fraction}"


def _dates(text: str) -> Iterator[str]:
    """Yield the forms of the dates and times that a text may show."""
    for moment in moments(text):
        yield from _meanings(moment)
    if (found := _TIME_ALONE.fullmatch(text)) and (clock := _clock(found)):
        yield f"{clock:%H:%M:%S}"


def moments(text: str) -> Iterator[datetime]:
    """Yield the dates and times that a text may show; an ambiguous one has the day before the month."""
    if not _SHORTEST_DATE <= len(text) <= _LONGEST_DATE:
        return
    for pattern in _NAMED_DATES if _HAS_MONTH.search(text) else _DATES:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            month = month_number(parts["name"]) if "name" in parts else int(parts["month"])
            year, day, clock = int(parts["year"]), int(parts["day"]), _clock(found)
            if month > 12 and day <= 12:
                month, day = day, month
            with contextlib.suppress(ValueError):
                yield datetime.combine(date(year + 2000 if year < 100 else year, month, day), clock or time())


def _clock(found: re.Match[str]) -> time | None:
    """Return the time of day that was found in a text; None for 25:00."""
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if half := found["half"]:
        hour = hour % 12 + (12 if half in "pP" else 0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _meanings(moment: datetime) -> Iterator[str]:
    """Yield a date in ISO order, and as the number that spreadsheets store."""
    moment = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    yield moment.date().isoformat() if moment.time() == time() else moment.isoformat(" ")
    yield f"{(moment - _FIRST_DAY) / timedelta(days=1):.15g}"


def _elaborate(text: str) -> Iterator[str]:
    """Yield the more elaborate forms of a plain text, number or date that `spellings` would understand."""
    for moment in (*moments(text), *_moment_of_number(text)):
        for written in _DAYS if moment.time() == time() else _CLOCK_TIMES:
            yield f"{moment:{written}}"
    for number in (text, *_numbers(text)):
        if len(number) <= _LONGEST and number.isascii() and _DECIMAL.fullmatch(number):
            for written in _elaborate_number(number):
                yield from (written, *_as_amounts(written))
    if "-" in text:
        yield from (text.replace("-", dash) for dash in "\u2010\u2011\u2012\u2013\u2014\u2212")
    yield from (mark + text for mark in "'\u2019\ufeff\u200b")


def _elaborate_number(number: str) -> Iterator[str]:
    """Yield a plain number with grouped thousands, a decimal comma, more or fewer zeros, or an exponent."""
    whole, _, fraction = number.partition(".")
    tails = dict.fromkeys(
        (fraction, fraction.rstrip("0"), *(fraction.rstrip("0").ljust(places, "0") for places in (2, 3, 4)))
    )
    for tail in tails if fraction else ("",):
        for group, point in ((",", "."), (".", ",")):
            yield whole + (point + tail if tail else "")
            yield f"{int(whole):,}".replace(",", group) + (point + tail if tail else "")
    if not fraction and number.endswith("0") and (digits := number.strip("-0")):
        power = len(number.lstrip("-")) - 1
        for point in ".,":
            mantissa = f"{number[:-power]}{point}{digits[1:]}" if len(digits) > 1 else number[:-power]
            yield from (f"{mantissa}e+{power}", f"{mantissa}e{power}")


def _as_amounts(number: str) -> tuple[str, ...]:
    """Return a number with the signs of an amount of money, and one below zero in parentheses."""
    if number.startswith("-"):
        return f"({number[1:]})", f"-${number[1:]}", f"(${number[1:]})"
    return (f"${number}",)


def _moment_of_number(text: str) -> Iterator[datetime]:
    """Yield the date and time that a number stands for, if a ticket can have it."""
    if len(text) <= _LONGEST and text.isascii() and _DECIMAL.fullmatch(text) and int(Decimal(text)) in _SERIALS:
        yield (_FIRST_DAY + timedelta(days=float(text)) + timedelta(milliseconds=500)).replace(microsecond=0)
