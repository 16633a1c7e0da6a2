"""Keys that a spreadsheet program takes for dates when it opens a CSV file: 3-12 becomes 03-dic, 2024-5 may-24."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, time
from itertools import chain, islice, product

from importer.source import month_number, short_month_names
from importer.workflow.keys.lookalikes import moments

_MARKS = ("-", "/", ".")
"""What separates the numbers of a text that a program takes for a date."""

_MOST_WITH_ONE_MARK = 100
"""The most keys that one may have been; some are left out only of a key of several parts that are dates."""

_LONGEST = 40
_NAME = r"(?P<month>[^\W\d_]{3,})\.?"
_BETWEEN = r"(?:\.?[-/ ]|\.|\.?[ ]de[ ])"
_MAY_BE_DATE = re.compile(r"\d{1,4}[-/. ]|[^\W\d_]{3}")
_DAY_AND_MONTH = re.compile(rf"(?P<day>\d{{1,2}}){_BETWEEN}{_NAME}")
_MONTH_AND_YEAR = re.compile(rf"{_NAME}{_BETWEEN}(?P<year>\d{{4}}|\d{{2}})")
_TWO_NUMBERS = re.compile(r"(\d{1,2}|\d{4})([-/.])(\d{1,2}|\d{4})", re.ASCII)
_THREE_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_FIRST = re.compile(r"\d{4}", re.ASCII)
_LAST_DAY = 31
_PIVOT = 30
"""Excel takes the years from 30 to 99 for 1930 to 1999."""


def before_and_after(parts: Sequence[str], others: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the keys that this one may have been before a program took them for dates, or may have become by that.

    `others` are the forms that are known to mean the same, as `lookalikes.spellings` has them: the ISO form of a cell
    that is a date. Zeros in front of numbers matter only after a point (see `text.loose`).
    """
    if not any(map(_MAY_BE_DATE.match, chain(parts, *others))):
        return  # like most keys
    found = [
        next(filter(None, (_numbers_of(form) for form in dict.fromkeys((part, *forms)))), ())
        for part, *forms in zip(parts, *others, strict=True)
    ]
    for mark in _MARKS if any(found) else ():  # a sheet has one for all of its keys
        choices = [
            [part, *(text for each in numbers for text in _written(each, mark))]
            for part, numbers in zip(parts, found, strict=True)
        ]
        yield from islice(product(*choices), 1, _MOST_WITH_ONE_MARK)  # the first is the key as it is
    for at, part in enumerate(parts):
        for shown in dict.fromkeys(_shown_for(part)):
            yield (*parts[:at], shown, *parts[at + 1 :])


def _numbers_of(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the numbers, in every order, that a program may have shown as this date; none if it is no date."""
    if len(text) > _LONGEST or not _MAY_BE_DATE.match(text):
        return ()
    if found := _DAY_AND_MONTH.fullmatch(text):
        day, month = int(found["day"]), month_number(found["month"])
        return _day_and_month(day, month) if month and 1 <= day <= _LAST_DAY else ()
    if found := _MONTH_AND_YEAR.fullmatch(text):
        month, year = month_number(found["month"]), int(found["year"])
        return _month_and_year(month, year) if month else ()
    numbers: list[tuple[str, ...]] = []
    for moment in moments(text):
        if moment.time() == time():
            day, month, year = moment.day, moment.month, moment.year
            numbers += _day_and_month(day, month)
            numbers += _month_and_year(month, year) if day == 1 else ()
            numbers += _day_month_and_year(moment, text)
    return tuple(dict.fromkeys(numbers))


def _written(numbers: Sequence[str], mark: str) -> Iterator[str]:
    """Yield numbers with a mark between them; after a point a zero counts, so with and without one."""
    if mark != ".":
        yield mark.join(numbers)
        return
    first, *later = numbers
    for each in product(*(dict.fromkeys((number.lstrip("0") or "0", number.zfill(2))) for number in later)):
        yield mark.join((first, *each))


def _day_and_month(day: int, month: int) -> tuple[tuple[str, ...], ...]:
    return tuple(dict.fromkeys(((str(day), str(month)), (str(month), str(day)))))


def _month_and_year(month: int, year: int) -> tuple[tuple[str, ...], ...]:
    """Return a month and its year in both orders, with two and four digits; 35 may be 1935 or 2035."""
    if year >= 100:
        years = [str(year), f"{year % 100:02}"]
    else:
        years = [f"{year:02}", *([str(1900 + year)] if year >= _PIVOT else []), str(2000 + year)]
    return tuple(pair for shown in years for pair in ((str(month), shown), (shown, str(month))))


def _day_month_and_year(day: date, text: str) -> Iterator[tuple[str, ...]]:
    """Yield day, month and a year of one or two digits, in the order of the text; in any if the year is its first.

    A program keeps the order: the same two numbers the other way round are another day, and another key.
    """
    year, one, two = f"{day.year % 100:02}", str(day.day), str(day.month)
    first = re.match(r"\d+", text)
    day_first = first is None or int(first[0]) == day.day
    if _YEAR_FIRST.match(text) or day_first:
        yield one, two, year
    if _YEAR_FIRST.match(text) or not day_first:
        yield two, one, year
    if day.year % 100 > _LAST_DAY:  # no day, so that the program takes it for the year
        yield year, two, one


def _shown_for(text: str) -> Iterator[str]:
    """Yield the texts that a program may show for a text of two or three numbers that it takes for a date."""
    if found := _TWO_NUMBERS.fullmatch(text):
        yield from _with_name(found[1], found[3])
        yield from _with_name(found[3], found[1])
    elif found := _THREE_NUMBERS.fullmatch(text):
        one, two, three = int(found[1]), int(found[3]), int(found[4])
        if len(found[4]) == 1 or found[2] == ".":  # other short dates are among the spellings of a key
            yield from _in_iso_order((three, two, one), (three, one, two))
        if one > _LAST_DAY:
            yield from _in_iso_order((one, two, three))


def _with_name(month: str, other: str) -> Iterator[str]:
    """Yield a month by its name and the other number, if it may be the day or the year."""
    if len(month) > 2 or not 1 <= int(month) <= 12:
        return
    for name, mark in product(short_month_names(int(month)), "-/"):
        if len(other) <= 2 and 1 <= int(other) <= _LAST_DAY:
            yield f"{other}{mark}{name}"
        if len(other) == 4 or int(other) > 12:
            yield f"{name}{mark}{other[-2:]}"


def _in_iso_order(*days: tuple[int, int, int]) -> Iterator[str]:
    for year, month, day in days:
        with contextlib.suppress(ValueError):
            yield date(year + (2000 if year < _PIVOT else 1900), month, day).isoformat()
