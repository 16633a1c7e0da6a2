"""The types that a field can have in the CRM, and how a cell becomes a value of each.

A converter takes a stripped text, or a true number, boolean or moment of a workbook, and returns what JSON shall
hold; it raises `Refused` where the cell has no such value.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html.parser import HTMLParser
from typing import TypeAlias

from importer.mapping.converters.formats import write_moment
from importer.mapping.converters.moments import MomentReader
from importer.mapping.converters.numbers import NumberReader, fractional, whole
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import Refused
from importer.mapping.words import Words, fold
from importer.messages import _, shorten
from importer.model import Typed

# MERGED importer.mapping.converters.types: HTML turned into the text that a reader of it sees.

_BREAKS = frozenset({"br", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "section", "article", "pre"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_TAG = re.compile(r"<[A-Za-z/!]")
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._link = ""
        self._link_starts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "a":
            self._link, self._link_starts = dict(attrs).get("href") or "", len(self.parts)
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        else:
            self._break(tag)
            if tag == "li":
                self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a":
            seen = "".join(self.parts[self._link_starts :]).strip()
            if self._link.startswith(("http://", "https://")) and self._link != seen:
                self.parts.append(f" ({self._link})")
            self._link = ""
        elif tag != "br":
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _BREAKS:
            self.parts.append("\n")


def text_of(markup: str) -> str:
    """Return what a reader of `markup` sees, as lines of text: paragraphs apart, lists as dashes, links in brackets.

    Line breaks between tags count as spaces, as in a browser; a text without any tag keeps its own.
    """
    if not _TAG.search(markup):
        return html.unescape(markup)
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# MERGED importer.mapping.converters.types: Phone numbers with their country, by the international numbering plan (ITU-T E.164).


@dataclass(frozen=True, slots=True)
class Country:
    """How a country numbers its phones: its code, the lengths of national numbers, and what is dialled before one."""

    code: str
    lengths: tuple[int, ...]
    trunk: str = ""


COUNTRIES = {
    "AR": Country("54", (10, 11), "0"),
    "BO": Country("591", (8,), "0"),
    "BR": Country("55", (10, 11), "0"),
    "CL": Country("56", (9,)),
    "CO": Country("57", (10,)),
    "CR": Country("506", (8,)),
    "CU": Country("53", (8,), "0"),
    "DO": Country("1", (10,), "1"),
    "EC": Country("593", (8, 9), "0"),
    "ES": Country("34", (9,)),
    "GT": Country("502", (8,)),
    "HN": Country("504", (8,)),
    "MX": Country("52", (10,), "1"),  # once dialled before mobile numbers
    "NI": Country("505", (8,)),
    "PA": Country("507", (7, 8)),
    "PE": Country("51", (8, 9), "0"),
    "PR": Country("1", (10,), "1"),
    "PT": Country("351", (9,)),
    "PY": Country("595", (8, 9), "0"),
    "SV": Country("503", (8,)),
    "US": Country("1", (10,), "1"),
    "UY": Country("598", (8,), "0"),
    "VE": Country("58", (10,), "0"),
}
"""The countries that a mapping can name."""

_PUNCTUATION = re.compile(r"[\s\u00a0().\-/]+")


def phone(text: str, country: str, form: str) -> str:
    """Return a phone number as `form` says: `+573001234567` (international) or `3001234567` (national).

    A number of another country is kept whole in both forms. Raises `Refused` where the digits make no number.
    """
    home = COUNTRIES[country]
    digits = _PUNCTUATION.sub("", text)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if digits.startswith("+") and not digits.startswith(f"+{home.code}"):
        if re.fullmatch(r"\+[1-9]\d{6,14}", digits):
            return digits
        raise _no_phone(text, country)
    national = _national(digits, home)
    if national is None:
        raise _no_phone(text, country)
    return national if form == "national" else f"+{home.code}{national}"


def _national(digits: str, home: Country) -> str | None:
    """Return the national number in `digits`, tried as it stands, then without country code and trunk prefix."""
    tries = [digits] if digits[:1] != "+" else []
    bare = digits.lstrip("+")
    if bare.startswith(home.code):
        tries.append(bare[len(home.code) :])
    if home.trunk:
        tries = [number[len(home.trunk) :] for number in tries if number.startswith(home.trunk)] + tries
    fitting = (number for number in tries if number.isdecimal() and len(number) in home.lengths)
    return next(fitting, None)


def _no_phone(text: str, country: str) -> Refused:
    return Refused(
        "not-a-phone",
        _(
            "'{value}' is no phone number of {country}, nor one with a country code",
            value=shorten(text),
            country=country,
        ),
        _("Correct the number; one of another country begins with + and its code"),
    )


# MERGED importer.mapping.converters.types: The types that a field can have in the CRM, and how a cell becomes a value of each.

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
