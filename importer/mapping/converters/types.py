"""The types that a field can have in the CRM, and how a cell becomes a value of each.

A converter takes a stripped text, or a true number, boolean or moment of a workbook, and returns what JSON shall
hold; it raises `Refused` where the cell has no such value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias

from importer.mapping.converters.formats import write_moment
from importer.mapping.converters.markup import text_of
from importer.mapping.converters.moments import MomentReader
from importer.mapping.converters.numbers import NumberReader, fractional, whole
from importer.mapping.converters.phones import phone
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import Refused
from importer.mapping.words import Words, fold
from importer.messages import _, shorten
from importer.model import Typed

TEXTUAL = frozenset({"text", "email", "phone", "url", "html", "list"})
"""The types whose values are single texts."""

MOMENTS = frozenset({"date", "datetime", "time"})
NUMBERS = frozenset({"integer", "decimal", "currency"})

Written: TypeAlias = "str | Typed"
Converter: TypeAlias = Callable[[Written], object]
Observer: TypeAlias = Callable[[Iterable[str]], None]

_DEFAULT_FORMATS = {"date": "YYYY-MM-DD", "datetime": "YYYY-MM-DD HH:mm:ss", "time": "HH:mm:ss"}
_TRUE = frozenset({"true", "t", "yes", "y", "si", "s", "sim", "verdadero", "verdadeiro", "v", "x", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "nao", "falso", "off", "0"})
_URL = re.compile(r"https?://[^\s/?#.]+(?:[.:][^\s/?#]+)?(?:[/?#]\S*)?", re.IGNORECASE)


def converter(spec: FieldSpec) -> tuple[Converter, Observer | None]:
    """Return what turns a cell into the field's value, and what must see the whole column before, if anything."""
    if spec.type in MOMENTS:
        moments = MomentReader(spec.read or ())
        form = spec.format or _DEFAULT_FORMATS[spec.type]
        if spec.type == "time":
            return lambda cell: write_moment(datetime.combine(date.min, moments.read_time(cell)), form), None
        return lambda cell: write_moment(moments.read(cell), form), moments.observe
    if spec.type in NUMBERS:
        numbers = NumberReader(spec.decimal_sign, money=spec.type == "currency")
        to_json = whole if spec.type == "integer" else fractional
        return lambda cell: to_json(numbers.read(cell), str(cell)), numbers.observe
    return _CONVERTERS[spec.type](spec), None


def constant(spec: FieldSpec, text: str) -> object:
    """Return a text that the mapping writes itself, already a value of the CRM, as JSON holds it."""
    if spec.type == "boolean":
        return boolean(text)
    if spec.type in NUMBERS:
        number = NumberReader(".").read(text)
        return whole(number, text) if spec.type == "integer" else fractional(number, text)
    if spec.type == "multi-select" and spec.format != "text":
        return options_in(text, spec.separator)
    return text


def boolean(cell: Written) -> bool:
    """Return whether a cell says yes; raises `Refused` where it says neither."""
    if isinstance(cell, Typed) and isinstance(cell.value, bool):
        return cell.value
    word = fold(str(cell))
    if word not in _TRUE | _FALSE:
        raise Refused(
            "not-a-boolean",
            _("'{value}' is neither yes nor no", value=shorten(str(cell))),
            _("Write true or false, or say what it means: values: {{{value}: true}}", value=shorten(str(cell))),
        )
    return word in _TRUE


def _phone(spec: FieldSpec) -> Converter:
    country, form = spec.country or "", spec.format or "international"
    return lambda cell: phone(str(cell), country, form)


def _list(spec: FieldSpec) -> Converter:
    options = Words((option, option) for option in spec.allowed or ())
    return lambda cell: _option(str(cell), options)


def _url(cell: Written) -> str:
    text = str(cell)
    if not _URL.fullmatch(text):
        raise Refused(
            "not-a-url",
            _("'{value}' is no web address", value=shorten(text)),
            _("Write the whole address, such as https://example.com/page"),
        )
    return text


def _option(text: str, options: Words[str]) -> str:
    """Return the option that a text is without case and accents, or the text itself for validation to refuse."""
    alike = options.alike(text)
    return alike[0] if len(alike) == 1 else text


def _multi_select(spec: FieldSpec) -> Converter:
    allowed = Words((option, option) for option in spec.allowed or ())

    def convert(cell: Written) -> object:
        options = list(dict.fromkeys(_option(option, allowed) for option in options_in(str(cell), spec.separator)))
        if spec.format == "text":
            return (spec.separator or "").join(options) or None
        return options or None

    return convert


def options_in(text: str, separator: str | None) -> list[str]:
    """Return the distinct options in a text, in their order."""
    return list(dict.fromkeys(option for part in text.split(separator) if (option := part.strip())))


_CONVERTERS: Mapping[str, Callable[[FieldSpec], Converter]] = {
    "text": lambda _spec: str,
    "email": lambda _spec: str,
    "html": lambda _spec: lambda cell: text_of(str(cell)),
    "url": lambda _spec: _url,
    "boolean": lambda _spec: boolean,
    "phone": _phone,
    "list": _list,
    "multi-select": _multi_select,
}
"""The types that need to see no whole column."""
