"""Of which type a column is: what its cells prove, what its header says of them, and the evidence in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from importer.mapping.converters.moments import CENTURY, DateTimeReader
from importer.mapping.converters.numbers import NumberReader, whole
from importer.mapping.converters.types import boolean, phone
from importer.mapping.converters.zones import names_zone
from importer.mapping.document import Node
from importer.mapping.drafting.headers import AMOUNTS, BIRTHS, NAMES, PHONES, words_of
from importer.mapping.drafting.profiles import Profile
from importer.mapping.refusal import Refused
from importer.messages import _
from importer.model import Typed

_TAG = re.compile(
    r"</?(?:p|br|div|span|b|i|u|strong|em|ul|ol|li|table|tbody|tr|td|th|a|img|h[1-6]|html|body|font|hr|pre|style)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_HTML = 0.05  # of the filled cells have tags: more than a text that mentions one
_MOST_WRONG = 0.1  # of the texts are no dates, in a column of dates; or are not in a country's plan
_SAMPLE = 100  # texts show of which other countries telephone numbers may be
_DATE = re.compile(r"(?P<first>\d+)(?P<sign>[-/.])\d+(?P=sign)(?P<last>\d+)")
_CODE = re.compile(r"\d{7,}|\d{1,3}([., '])\d{3}(?:\1\d{3})+")
_COUNTRIES = (
    "CO", "MX", "BR", "AR", "CL", "PE", "EC", "VE", "PY", "US", "ES", "PT",
)  # fmt: skip
"""The countries by whose plan telephone numbers are tried; plans of fewer than nine digits fit too many by chance."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to be: the keys for its field, and the evidence in words.

    Where the cells leave a question, `choices` are the keys of which a person has to choose, if any are known.
    """

    keys: dict[str, Node]
    evidence: str
    choices: tuple[dict[str, Node], ...] = ()


def guess_type(profile: Profile) -> Guess:
    """Return the type that a column's cells prove; text, where they prove none."""
    if profile.emails:
        return Guess({"type": "email"}, _("e-mail addresses"))
    for guess in (_as_html, _as_phone, _as_boolean, _as_date, _as_number):
        if found := guess(profile):
            return found
    return Guess({}, _("text, {count} different", count=len(profile.counts)))


def is_html(profile: Profile) -> bool:
    """Return whether more of a column's cells have HTML than may only mention it."""
    tagged = sum(rows for text, rows in profile.counts.items() if _TAG.search(text))
    return tagged > 0 and tagged >= _HTML * profile.counts.total()


def _as_html(profile: Profile) -> Guess | None:
    return Guess({"type": "html"}, _("HTML")) if is_html(profile) else None


def _as_phone(profile: Profile) -> Guess | None:
    """Return telephone numbers by the plan that has most of them; by the header, or where all begin with `+`."""
    if not (is_of(profile, PHONES) or profile.mostly(lambda text: text.startswith("+"))):
        return None
    for country in _COUNTRIES:
        if profile.mostly(partial(_is_phone, country)):
            return Guess({"type": "phone", "country": country}, _whose(country, profile))
    return None


def _whose(country: str, profile: Profile) -> str:
    """Return the question whether telephone numbers are of that country, or of others whose plans have them, too."""
    local = [text for text in profile.counts if not text.startswith("+")][:_SAMPLE]
    others = [
        other
        for other in _COUNTRIES
        if other != country
        and local
        and sum(_is_phone(other, text) for text in local) >= len(local) * (1 - _MOST_WRONG)
    ]
    if not others:
        return _("telephone numbers; are those without a calling code of {country}?", country=country)
    return _(
        "telephone numbers; are those without a calling code of {country}? They may also be of {others}",
        country=country,
        others=", ".join(others),
    )


def _is_phone(country: str, text: str) -> bool:
    return _reads(lambda cell: phone(str(cell), country, "national"), text)


def _as_date(profile: Profile) -> Guess | None:
    texts = [text for text in profile.counts if text not in profile.typed]
    reader = DateTimeReader()
    reader.observe(texts)
    if not profile.mostly(lambda text: _reads(reader.read, profile.cell(text), unclear=True)):
        return _as_short_date(profile, texts)
    kind = _kind_of_date(profile)
    zoned = (
        _("<-- times of a time zone: add zone: America/Bogota, or the one where you are")
        if any(map(names_zone, texts))
        else ""
    )
    if reader.order and reader.order != "YYYY-MM-DD":
        forms = _as_written(reader.order, texts)
        stated = DateTimeReader(forms)
        keys: dict[str, Node] = {"type": kind}
        if all(_reads(stated.read, text) for text in texts if _reads(reader.read, text)):
            keys["read"] = _one_or_all(forms)
        return Guess(keys, zoned or _("a day above 12 proves {order}", order=", ".join(forms)))
    if profile.mostly(lambda text: _reads(reader.read, profile.cell(text))):
        return Guess({"type": kind}, zoned or _("unambiguous dates"))
    why = _("<-- dates, but none proves the order of day and month: add read")
    return Guess({"type": kind}, why, tuple(_readings(profile, texts, kind)))


def _readings(profile: Profile, texts: Sequence[str], kind: str) -> Iterator[dict[str, Node]]:
    """Yield the ways to read dates of which none proves the order."""
    for order in ("DD/MM/YYYY", "MM/DD/YYYY"):
        for clock in ("", " HH:mm", " HH:mm:ss"):
            forms = tuple(f"{form}{clock}" for form in _as_written(order, texts))
            read = DateTimeReader(forms).read
            if forms and profile.mostly(lambda text, read=read: _reads(read, profile.cell(text))):  # type: ignore[misc]
                yield {"type": kind, "read": _one_or_all(forms)}
                break


def _as_short_date(profile: Profile, texts: Sequence[str]) -> Guess | None:
    """Return dates with years of two digits, in the order that fits most and has the fewest years."""
    fitting = []
    for order, year in (("DD/MM/YY", "last"), ("MM/DD/YY", "last"), ("YY/MM/DD", "first")):
        if not (forms := _as_written(order, texts)):
            continue
        read, most = DateTimeReader(forms).read, int(_MOST_WRONG * len(profile.counts))
        misread = (text for text in profile.counts if not _reads(read, profile.cell(text)))
        wrong = sum(1 for _text in islice(misread, most + 1))
        if wrong <= most:
            years = {found[year] for text in texts if (found := _DATE.match(text))}
            fitting.append((wrong, len(years), forms))
    if not fitting:
        return None
    fitting.sort(key=lambda each: each[:2])
    if len(fitting) > 1 and fitting[0][:2] == fitting[1][:2]:
        equal = [forms for *rank, forms in fitting if rank == [*fitting[0][:2]]]
        why = _("<-- dates, but none proves the order of day and month: add type: date and read")
        kind = _kind_of_date(profile)
        return Guess({}, why, tuple({"type": kind, "read": _one_or_all(forms)} for forms in equal))
    keys: dict[str, Node] = {"type": _kind_of_date(profile), "read": _one_or_all(fitting[0][2])}
    first = CENTURY
    if is_of(profile, BIRTHS):
        first = datetime.now(UTC).year - 99
        keys["century"] = str(first)
    return Guess(keys, _("two digits are a year from {first} to {last}; is that so?", first=first, last=first + 99))


def _as_written(order: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return an order of day, month and year with the signs that the texts have between them."""
    signs = dict.fromkeys(found["sign"] for text in texts if (found := _DATE.match(text)))
    return tuple(re.sub("[-/]", sign, order) for sign in signs)


def _one_or_all(forms: Sequence[str]) -> Node:
    return forms[0] if len(forms) == 1 else [*forms]


def _kind_of_date(profile: Profile) -> str:
    return "datetime" if profile.mostly(lambda text: _has_time(profile.cell(text))) else "date"


def _as_number(profile: Profile) -> Guess | None:
    """Return numbers that count or measure; what only names something, such as a code, stays text."""
    measured = is_of(profile, AMOUNTS)
    if any(re.fullmatch(r"0\d+", text) for text in profile.counts) or (not measured and _is_named(profile)):
        return None
    plain, money = NumberReader(), NumberReader(money=True)
    for each in (plain, money):
        each.observe(text for text in profile.counts if text not in profile.typed)
    reader = next((each for each in (plain, money) if _reads_most(profile, each)), None)
    if reader is None:
        return None
    kind = "currency" if reader is money else "decimal"
    if reader.sign:
        keys: dict[str, Node] = {"type": kind, "decimal_sign": reader.sign}
        return Guess(keys, _("numbers; the column proves the decimal sign '{sign}'", sign=reader.sign))
    counts = reader is plain and profile.mostly(partial(_is_whole, reader))
    return Guess({"type": "integer" if counts else kind}, _("numbers"))


def _is_whole(reader: NumberReader, text: str) -> bool:
    return _reads(lambda cell: whole(reader.read(cell), text), text)


def _reads_most(profile: Profile, reader: NumberReader) -> bool:
    return profile.mostly(lambda text: _reads(reader.read, profile.cell(text)))


def _is_named(profile: Profile) -> bool:
    """Return whether a column's header or its long whole numbers are those of identity numbers and codes."""
    if is_of(profile, NAMES):
        return True
    fractions = any(re.search(r"[.,]\d{1,2}$", text) for text in profile.counts)
    return not fractions and any(_CODE.fullmatch(text) for text in profile.counts)


def _as_boolean(profile: Profile) -> Guess | None:
    texts = list(profile.counts)
    if not 0 < len(texts) <= 3 or not all(_reads(boolean, profile.cell(text)) for text in texts):
        return None
    if all(map(str.isdigit, texts)) and (len(texts) == 1 or is_of(profile, AMOUNTS)):
        return None  # a count may not have gone beyond 1 yet
    return Guess({"type": "boolean"}, _("yes or no"))


def is_of(profile: Profile, words: frozenset[str]) -> bool:
    """Return whether a column's header has one of these words."""
    return not words.isdisjoint(words_of(profile.column).split())


def _has_time(cell: str | Typed) -> bool:
    if isinstance(cell, str):
        return ":" in cell
    return any(getattr(cell.value, part, 0) for part in ("hour", "minute"))


def _reads(read: Callable[[str | Typed], object], cell: str | Typed, *, unclear: bool = False) -> bool:
    """Return whether a cell can be read; with `unclear`, also where only the order or sign is not proved."""
    try:
        read(cell)
    except Refused as refused:
        return unclear and refused.problem.code.endswith("-unclear")
    return True
