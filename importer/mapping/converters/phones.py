"""Phone numbers with their country, by the international numbering plan (ITU-T E.164)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from importer.mapping.refusal import Refused
from importer.messages import _, shorten


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
