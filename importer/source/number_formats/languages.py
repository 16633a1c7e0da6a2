"""The words of dates and times in the languages that a number format may name: months, days, and halves of a day."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODES = {0x07: "de", 0x09: "en", 0x0A: "es", 0x0C: "fr", 0x10: "it", 0x16: "pt"}
"""Languages by the lowest ten bits of what Windows numbers them by; the others are the country."""

_GREGORIAN = frozenset({0x00, 0x01, 0x02, 0x09, 0x0A, 0x0B, 0x0C})
_WESTERN = frozenset({0x00, 0x01})


@dataclass(frozen=True, slots=True)
class Language:
    """The names of a language as Excel shows them, from January and from Monday on; `halves` only where it has own."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str] = ("AM", "PM")


def _language(
    months: str, days: str, short_months: str = "", short_days: str = "", halves: tuple[str, str] = ("AM", "PM")
) -> Language:
    """Return a language; short names are the first three letters, unless they are given."""
    full, weekdays = tuple(months.split()), tuple(days.split())
    return Language(
        full,
        tuple(short_months.split()) or tuple(name[:3] for name in full),
        weekdays,
        tuple(short_days.split()) or tuple(name[:3] for name in weekdays),
        halves,
    )


LANGUAGES = {
    "en": _language(
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    "es": _language(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        halves=("a. m.", "p. m."),
    ),
    "pt": _language(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    ),
    "de": _language(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Mo Di Mi Do Fr Sa So",
    ),
    "fr": _language(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "it": _language(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
}
"""By the code of the language."""

KNOWN_HALVES = frozenset({"en", "es", "pt"})
"""Languages whose words for AM and PM are certain; for the others they depend on the version of Windows."""


def language_of(tag: str) -> str | None:
    """Return the language that a format's tag names, as `240A` or `es-CO`; None for another one, calendar or script.

    A tag's number has the script of the digits in its first byte, the calendar in the second, then the language.
    """
    if re.fullmatch("[0-9A-Fa-f]{1,8}", tag):
        number = int(tag, 16)
        is_ours = number >> 24 in _WESTERN and number >> 16 & 0xFF in _GREGORIAN
        return _CODES.get(number & 0x3FF) if is_ours else None
    code = tag[:2].lower()
    return code if code in LANGUAGES and not tag[2:3].isalpha() else None


_MONTH_NUMBERS = {
    name.strip(".").casefold(): number
    for language in LANGUAGES.values()
    for names in (language.months, language.short_months)
    for number, name in enumerate(names, 1)
} | {"setiembre": 9, "sept": 9, "mär": 3}


def month_number(name: str) -> int:
    """Return the number of the month that a word names in one of the languages, 0 for another word."""
    return _MONTH_NUMBERS.get(name.casefold(), 0)


def short_month_names(number: int) -> tuple[str, ...]:
    """Return how programs in English, Spanish and Portuguese show a month from 1 to 12 in short, without a point."""
    names = (LANGUAGES[code].short_months[number - 1].strip(".").casefold() for code in ("en", "es", "pt"))
    return tuple(dict.fromkeys((*names, "sept") if number == 9 else names))
