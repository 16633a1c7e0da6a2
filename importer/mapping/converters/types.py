"""The types of a field in the CRM, and how a cell becomes a value of each.

A converter takes a stripped text, or a true number, boolean or date of a workbook, and returns the JSON value. It
raises `Refused` where the cell has no such value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from importer.mapping.converters.formats import format_datetime
from importer.mapping.converters.markup import html_to_text
from importer.mapping.converters.numbers import NumberReader, fractional, whole
from importer.mapping.converters.zones import MomentReader
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import Refused
from importer.mapping.words import Words
from importer.messages import _, shorten
from importer.model import Typed
from importer.text import as_yaml, folded_address, unaccented

SINGLE_TEXTS = frozenset({"text", "email", "phone", "url", "html", "list"})
"""The types whose values are single texts."""

DATES_AND_TIMES = frozenset({"date", "datetime", "time"})
NUMBERS = frozenset({"integer", "decimal", "currency"})

CellValue: TypeAlias = "str | Typed"
Converter: TypeAlias = Callable[[CellValue], object]
Observer: TypeAlias = Callable[[Iterable[str]], None]

DEFAULT_FORMATS = {"date": "YYYY-MM-DD", "datetime": "YYYY-MM-DD HH:mm:ss", "time": "HH:mm:ss"}
_TRUE = frozenset({"true", "t", "yes", "y", "si", "s", "sim", "verdadero", "verdadeiro", "v", "x", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "nao", "falso", "off", "0"})
_MAILTO = re.compile(r"mailto:\s*(?P<address>[^\s?]+)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_HYPERLINK = re.compile(
    r"(?P<shown>[^#]*)#(?P<mail>mailto:\s*)?(?:https?://)?(?P<address>[^\s?#@/]+@[^\s?#@/]+)/?(?:\?[^#]*)?(?:#[^#]*){1,2}",
    re.IGNORECASE | re.DOTALL,
)
"""A hyperlink as Access exports it: the text that it shows, its target, a place in that, and a hint."""

_URL = re.compile(r"https?://[^\s/?#.]+(?:[.:][^\s/?#]+)?(?:[/?#]\S*)?", re.IGNORECASE)


def converter(spec: FieldSpec) -> tuple[Converter, Observer | None]:
    """Return what converts a cell to the field's type, and what must observe the whole column before, if anything."""
    if spec.type in DATES_AND_TIMES:
        reader = MomentReader(spec.read or (), spec.zone, spec.century)
        form = spec.format or DEFAULT_FORMATS[spec.type]
        if spec.type == "time":
            return lambda cell: format_datetime(datetime.combine(date.min, reader.read_time(cell)), form), None
        return lambda cell: format_datetime(reader.read(cell), form), reader.observe
    if spec.type in NUMBERS:
        numbers = NumberReader(spec.decimal_sign, money=spec.type == "currency")
        to_json = whole if spec.type == "integer" else fractional
        return lambda cell: to_json(numbers.read(cell), str(cell)), numbers.observe
    return _CONVERTERS[spec.type](spec), None


def constant(spec: FieldSpec, text: str) -> object:
    """Return the JSON value of a text that is written in the mapping, and is a value of the CRM already."""
    if spec.type == "boolean":
        return boolean(text)
    if spec.type in NUMBERS:
        number = NumberReader(".").read(text)
        return whole(number, text) if spec.type == "integer" else fractional(number, text)
    if spec.type == "multi-select" and spec.format != "text":
        return options_in(text, spec.separator)
    return text


def boolean(cell: CellValue) -> bool:
    """Return whether a cell means yes; raises `Refused` where it means neither yes nor no."""
    if isinstance(cell, Typed) and isinstance(cell.value, bool):
        return cell.value
    word = unaccented(str(cell))
    if word not in _TRUE | _FALSE:
        raise Refused(
            "not-a-boolean",
            _("'{value}' is neither yes nor no", value=shorten(str(cell))),
            _(
                "Write true or false, or add what it means to `values` in the mapping: `{value}: true`",
                value=as_yaml(str(cell)),
            ),
        )
    return word in _TRUE


def options_in(text: str, separator: str | None) -> list[str]:
    """Return the distinct options in a text, in their order."""
    return list(dict.fromkeys(option for part in text.split(separator) if (option := part.strip())))


def _option(text: str, options: Words[str]) -> str:
    """Return the option that equals a text without case and accents, or the text itself for validation to refuse."""
    alike = options.alike(text)
    return alike[0] if len(alike) == 1 else text


def _list(spec: FieldSpec) -> Converter:
    options = Words((option, option) for option in spec.allowed or ())
    return lambda cell: _option(str(cell), options)


def _multi_select(spec: FieldSpec) -> Converter:
    allowed = Words((option, option) for option in spec.allowed or ())

    def convert(cell: CellValue) -> object:
        options = list(dict.fromkeys(_option(option, allowed) for option in options_in(str(cell), spec.separator)))
        if spec.format == "text":
            return (spec.separator or "").join(options) or None
        return options or None

    return convert


def _url(cell: CellValue) -> str:
    text = str(cell)
    if not _URL.fullmatch(text):
        raise Refused(
            "not-a-url",
            _("'{value}' is not a web address", value=shorten(text)),
            _("Write the whole address, such as https://example.com/page"),
        )
    return text


def address(text: str) -> str:
    """Return an e-mail address from a cell that may have it as a link: `mailto:ana@example.com?subject=Hola`.

    Access exports one as `ana@example.com#mailto:ana@example.com#`; where it shows another address than it leads to,
    it stays as it is, for validation to refuse. A letter and its accent are one character then (NFC), as the check of
    addresses knows letters.
    """
    text = unicodedata.normalize("NFC", text)
    if link := _MAILTO.fullmatch(text):
        return link["address"]
    link = _HYPERLINK.fullmatch(text)
    if link is None:
        return text
    is_same = folded_address(link["shown"]) == folded_address(link["address"])
    is_named = bool(link["mail"]) and "@" not in link["shown"]
    return link["address"] if is_same or is_named else text


# Phone numbers, by the metadata of the library `phonenumbers`.

_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015\u2212]+")
_TEL = re.compile(r"\Atel:\s*", re.IGNORECASE)
_OLD_MEXICAN = re.compile(r"(\+?52|)(?:1|01|04[45])(\d{10})")
_COLOMBIA = 57
_OLD_COLOMBIAN = re.compile(r"(?:57)?([1245678]\d{7})")
"""A landline as dialled until 2021: an area of one digit and seven digits; the area became three digits, 601 to 608."""


def _phone(spec: FieldSpec) -> Converter:
    country, form = spec.country or "", spec.format or "international"
    return lambda cell: phone(_TEL.sub("", str(cell)), country, form)


def phone(text: str, country: str, form: str) -> str:
    """Return a phone number as `form` says: `+573001234567` (international) or `3001234567` (national).

    A number of another country keeps its calling code in both forms. Raises `Refused` where the numbering plan of its
    country has no such number.
    """
    digits = _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits.removeprefix("+").isdecimal():
        raise _not_a_phone(_("'{value}' is not a phone number", value=shorten(text)))
    if digits.startswith("+52") or country == "MX":
        digits = _OLD_MEXICAN.sub(r"\1\2", digits) if _OLD_MEXICAN.fullmatch(digits) else digits
    number = _of_the_plan(_parsed(digits, country, text), text)
    if form == "national" and number.country_code == phonenumbers.country_code_for_region(country):
        return phonenumbers.national_significant_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(digits: str, country: str, text: str) -> phonenumbers.PhoneNumber:
    """Return the number in digits; raises `Refused` where they begin with the calling code of no country."""
    try:
        return phonenumbers.parse(digits, country)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise _not_a_phone(_("'{value}' begins with a calling code of no country", value=shorten(text))) from error
        raise _not_a_phone(_("'{value}' is not a phone number", value=shorten(text))) from error


def _of_the_plan(number: phonenumbers.PhoneNumber, text: str) -> phonenumbers.PhoneNumber:
    """Return a number, or its successor in today's plan; raises `Refused` where its country's plan has neither."""
    old = _OLD_COLOMBIAN.fullmatch(str(number.national_number)) if number.country_code == _COLOMBIA else None
    if old is not None:
        number = phonenumbers.PhoneNumber(_COLOMBIA, int(f"60{old[1]}"))
    if phonenumbers.is_valid_number(number):
        return number
    named = {"value": shorten(text), "country": phonenumbers.region_code_for_country_code(number.country_code or 0)}
    length = phonenumbers.is_possible_number_with_reason(number)
    if length == ValidationResult.TOO_LONG:
        raise _not_a_phone(_("'{value}' has too many digits for a phone number of {country}", **named))
    if length in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        raise _not_a_phone(_("'{value}' has too few digits for a phone number of {country}", **named))
    raise _not_a_phone(_("'{value}' is not a possible phone number of {country}", **named))


def _not_a_phone(message: str) -> Refused:
    remedy = _("Correct the number; a number of another country begins with + and its calling code")
    return Refused("not-a-phone", message, remedy)


_CONVERTERS: Mapping[str, Callable[[FieldSpec], Converter]] = {
    "text": lambda _spec: str,
    "email": lambda _spec: lambda cell: address(str(cell)),
    "html": lambda _spec: lambda cell: html_to_text(str(cell)),
    "url": lambda _spec: _url,
    "boolean": lambda _spec: boolean,
    "phone": _phone,
    "list": _list,
    "multi-select": _multi_select,
}
"""The types that do not depend on the whole column."""
