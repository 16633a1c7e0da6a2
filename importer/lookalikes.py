"""The other ways in which programs show a key: 1,234 and 1.234 may be 1234, 31/12/2024 may be 45657."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice, product

from importer.model import Cell, Fault, Typed
from importer.spelling import loose, loose_2

_LONGEST = 40
"""Characters of a number or a date; a longer key is neither."""

_MOST = 16
"""Other spellings of one key that are remembered: some parts of a key of many parts are then shown as they are."""

_NUMBER = re.compile(r"([+-]?)(\d[\d.,']*|[.,]\d+)(?:e([+-]?\d{1,2}))?")
_GROUPED = re.compile(r"\d{1,3}(?:[.,']\d{3})+")
_TIME = r"(?:t?(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]0+)?)?z?)?"
_DATES = (
    re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TIME),
    re.compile(r"(?P<day>\d{1,2})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})" + _TIME),
    re.compile(r"(?P<day>\d{1,2})(?P<mark>[-/])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{2})" + _TIME),
)
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's moments have no zone
_SERIALS = range(18_264, 73_051)
"""Serial numbers of the days from 1950 to 2099: others are no dates of tickets."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another way in which a program may show a key, part by part; `bare`: without the words that a format adds."""

    parts: tuple[str, ...]
    bare: bool = False


def spellings(cells: Sequence[Cell], parts: Sequence[str]) -> tuple[Spelling, ...]:
    """Return the other ways in which programs may show a key, given its cells and its canonical parts.

    They are what the key means rather than how it is written (1,234 and 1.234 mean 1234), so that two keys that may be
    one have one of them in common, or one has the other itself.
    """
    others = [_of_cell(cell, part) for cell, part in zip(cells, parts, strict=True)]
    if not any(others):
        return ()
    choices = [[(loose(part), False), *more] for part, more in zip(parts, others, strict=True)]
    combined = islice(product(*choices), 1, _MOST + 1)  # the first is the key as it is
    return tuple(Spelling(tuple(text for text, _ in each), any(bare for _, bare in each)) for each in combined)


def elaborate_spellings(parts: Sequence[str], *, all_of_them: bool) -> Iterator[tuple[str, ...]]:
    """Yield more elaborate ways to show a key whose parts are plain numbers or moments.

    Where the other spellings of an elaborate key were noted with it, it is found by those, but for the zeros at the
    end of a fraction: no text tells whether those are a part of it. `all_of_them` is for keys that were noted alone.
    """
    for at, part in enumerate(parts):
        plain = loose_2(part)
        if all_of_them or "." in plain or "," in plain:
            for other in dict.fromkeys(_shown_otherwise(plain)):
                yield (*parts[:at], other, *parts[at + 1 :])


def _of_cell(cell: Cell, text: str) -> list[tuple[str, bool]]:
    """Return the other spellings of one cell, each with whether it is bare."""
    if isinstance(cell, Typed):
        found = list(_of_value(cell, text))
    elif isinstance(cell, Fault) or (text.isascii() and (text.isdigit() or text[:1].isalpha())):
        return []  # most keys: T-0001, 12345
    else:
        found = [(meaning, False) for meaning in (*_numbers(loose_2(text)), *_dates(loose_2(text)))]
    known = loose(text)
    first = [(plain, False)] if (plain := loose_2(text)) != known else []
    return [each for each in dict.fromkeys((*first, *found)) if each[0] != known]


def _of_value(cell: Typed, text: str) -> Iterator[tuple[str, bool]]:
    """Yield what a number or a moment is, however it is shown."""
    value = cell.value
    if isinstance(value, bool | time):
        return
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        yield from ((meaning, False) for meaning in _moment(moment.replace(tzinfo=None)))
        return
    plain = str(value) if isinstance(value, int) else _plain_number(Decimal(repr(value)))
    if plain == text:
        return
    shown = [Decimal(number) for number in (loose_2(text), *_numbers(loose_2(text))) if _DECIMAL.fullmatch(number)]
    yield plain, Decimal(plain) not in shown  # words or rounding: other values may be shown with the same digits


_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")


def _plain_number(number: Decimal) -> str:
    """Return a number's shortest text without an exponent, with the 15 digits that spreadsheets keep."""
    text = f"{Decimal(f'{number:.15g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _numbers(text: str) -> Iterator[str]:
    """Yield the numbers that a text, loosened, may be: grouped thousands, a decimal comma, an exponent."""
    text = text.strip("$\u20ac\u00a3")
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return
    sign, digits, exponent = found[1].replace("+", ""), found[2], found[3]
    for number in _readings(digits):
        if exponent:
            yield sign + _plain_number(Decimal(number).scaleb(int(exponent)))
        elif sign + number != text:
            yield sign + number


def _readings(digits: str) -> Iterator[str]:
    """Yield what digits with points, commas and apostrophes may mean."""
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
    """Yield the moment that a text, loosened, shows, as `_moment` does."""
    if not 6 <= len(text) <= _LONGEST:
        return
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
            if month > 12 >= day:
                month, day = day, month
            hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
            try:
                yield from _moment(datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second))  # noqa: DTZ001
            except ValueError:
                continue


def _moment(moment: datetime) -> Iterator[str]:
    """Yield a moment in the order of the calendar, and as the number of its day."""
    moment = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    bare = moment.time() == time()
    yield loose(moment.date().isoformat() if bare else moment.isoformat(" "))
    days = (moment - _FIRST_DAY) / timedelta(days=1)
    yield f"{days:.15g}"


def _shown_otherwise(text: str) -> Iterator[str]:
    """Yield the more elaborate ways to show a plain number or a moment that `_numbers` and `_dates` understand."""
    for day in _days(text):
        yield from (f"{day:%Y-%m-%d}", f"{day:%Y-%m-%d} 00:00:00", f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}")
        yield from (f"{day:%d/%m/%y}", f"{day:%d/%m/%Y} 00:00:00", f"{day.month}/{day.day}/{day.year}")
    for number in (text, *_numbers(text)):
        if len(number) <= _LONGEST and _DECIMAL.fullmatch(number):
            yield from _elaborate(number)


def _elaborate(number: str) -> Iterator[str]:
    """Yield a plain number with grouped thousands, a decimal comma, more or fewer zeros, or an exponent."""
    whole, _, fraction = number.partition(".")
    grouped = f"{int(whole):,}" if whole.isascii() else whole
    short = fraction.rstrip("0")
    fractions = (
        dict.fromkeys((fraction, short, *(short.ljust(places, "0") for places in (2, 3, 4)))) if fraction else [""]
    )
    for tail in fractions:
        for group, point in ((",", "."), (".", ",")):
            yield whole + (point + tail if tail else "")
            yield grouped.replace(",", group) + (point + tail if tail else "")
    if not fraction and number.endswith("0") and (bare := number.rstrip("0")) not in {"", "-"}:
        zeros, digits = len(number) - len(bare), bare.lstrip("-")
        power = zeros + len(digits) - 1
        mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
        sign = "-" if number.startswith("-") else ""
        yield from (
            f"{sign}{mantissa}e+{power}",
            f"{sign}{mantissa}e{power}",
            f"{sign}{mantissa.replace('.', ',')}e+{power}",
        )


def _days(text: str) -> Iterable[date]:
    """Yield the day that a text is, written as a day or as its number."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) in _SERIALS:
        yield (_FIRST_DAY + timedelta(days=int(text))).date()
    for meaning in _dates(text):
        if meaning.isdigit():
            yield (_FIRST_DAY + timedelta(days=int(meaning))).date()
