"""Numbers: true ones as they are, texts by the decimal sign that the mapping gives or the whole column proves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from importer.mapping.refusal import Refused
from importer.messages import _, shorten
from importer.model import Typed

_GAPS = str.maketrans({**dict.fromkeys("\u00a0\u202f\u2009", " "), **dict.fromkeys("\u2018\u2019\u2032\u00b4`", "'")})
_BARE = re.compile(r"(?P<minus>-)?\s*(?P<digits>[\d.,' ]*\d)\s*(?P<percent>%)?")
_MINUS_BEHIND = re.compile(r"[\d.,' ]*\d\s?-")
_SHAPES = {
    sign: re.compile(
        rf"(?:\d+|[1-9]\d{{0,2}}(?:([{thousands}' ])\d{{3}}(?:\1\d{{3}})*"
        rf"|(?:[{thousands}]\d{{3}})?(?:'\d{{3}})+[{thousands}]\d{{3}}))?(?P<fraction>[{sign}]\d+)?"
    )
    for sign, thousands in ((".", ","), (",", "."))
}
"""How digits look by their decimal sign: all in a row, or in groups of three with one separator between all of them.

As people write it in Colombia, an apostrophe may set off the millions, before the separator of the thousands:
`1'234.567` is 1234567, or else it is 1234.567 as in Switzerland.
"""

_WITH_CENTS = re.compile(r"(?:\d{1,3}(?:\.\d{3})*|\d+),\d\d-|(?:\d{1,3}(?:,\d{3})*|\d+)\.\d\d-")
"""A negative amount as SAP writes it. Without cents, `45-` may have been cut, or be the `45,-` of an even amount."""

_MONEY = re.compile(r"\b[A-Z]{1,3}\$|[$€£¢¥₡₲]|\b[A-Z]{3}\b|\bS/\.?|\bBs\.?|\bGs\.?")
_SAFE_INTEGER = 2**53  # above it, a JSON number loses digits in programs that read it as a double


class NumberReader:
    """Reads the numbers of one column.

    `decimal_sign` is that of the mapping; without it, `observe` collects what proves it in the column: `1.234,5`,
    `12,50` or `1.234.567` do, and `1.234` and `1'234.567` do not.
    """

    def __init__(self, decimal_sign: str | None = None, *, money: bool = False) -> None:
        self._given = decimal_sign
        self._money = money
        self._proofs: dict[str, str] = {}

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column, before the first of them is read."""
        if self._given is None:
            for text in texts:
                if (parts := self._parts(text)) and len(signs := _possible_signs(parts["digits"])) == 1:
                    self._proofs.setdefault(signs[0], text)

    @property
    def sign(self) -> str | None:
        """The decimal sign, None without proof."""
        return self._given or (next(iter(self._proofs)) if len(self._proofs) == 1 else None)

    def read(self, cell: str | Typed) -> Decimal:
        """Return the number of a cell; raises `Refused`."""
        if isinstance(cell, Typed):
            if isinstance(cell.value, bool) or not isinstance(cell.value, int | float):
                raise _not_a_number(cell.text)
            stored = Decimal(f"{cell.value:.15g}")
            shown = _plain(cell.text)
            return stored if shown is None or not _is_rounded(stored, shown) else shown
        parts = self._parts(cell)
        if parts is None:
            raise _minus_behind(cell) if _MINUS_BEHIND.fullmatch(cell.translate(_GAPS)) else _not_a_number(cell)
        digits = self._with_point(parts["digits"], cell)
        number = Decimal(f"{parts['minus'] or ''}{digits}")
        return number / 100 if parts["percent"] else number

    def _parts(self, text: str) -> re.Match[str] | None:
        if text.startswith("(") and text.endswith(")"):
            text = f"-{text[1:-1]}"  # accounting style for a negative number
        if self._money:
            if any(_is_between_digits(found) for found in _MONEY.finditer(text)):
                return None  # 12€50 may be 12.50 or 1250
            text = _MONEY.sub("", text).strip()
        if _WITH_CENTS.fullmatch(text):
            text = f"-{text[:-1]}"
        return _BARE.fullmatch(text.translate(_GAPS))

    def _with_point(self, digits: str, text: str) -> str:
        """Return digits without their groups and with a point for the decimal sign; raises `Refused`."""
        sign = self.sign or (None if "." in digits or "," in digits else ".")
        if sign is None and _possible_signs(digits):
            raise self._unclear(text)
        parts = _SHAPES[sign].fullmatch(digits) if sign else None
        if parts is None:
            raise _not_a_number(text)
        fraction = parts["fraction"] or ""
        whole = re.sub(r"\D", "", digits.removesuffix(fraction))
        return f"{whole}.{fraction[1:]}" if fraction else whole

    def _unclear(self, text: str) -> Refused:
        if self._proofs:
            one, two = self._proofs.values()
            message = _("'{one}' and '{two}' in this column use different decimal signs", one=one, two=two)
        else:
            message = _(
                "the sign in '{value}' may be for decimals or thousands, and no number in the column proves which",
                value=text,
            )
        return Refused(
            "number-format-unclear",
            message,
            _('Add one of these to the field in the mapping: `decimal_sign: ","` or `decimal_sign: "."`'),
        )


def whole(number: Decimal, text: str) -> int:
    """Return a number as a JSON integer; raises `Refused` where it has a fraction or would lose digits."""
    if number != number.to_integral_value():
        raise Refused(
            "not-an-integer",
            _("'{value}' is not a whole number", value=shorten(text)),
            _("Correct the cell, or change the field in the mapping: `type: decimal`"),
        )
    if abs(number) > _SAFE_INTEGER:
        raise _too_long(text)
    return int(number)


def fractional(number: Decimal, text: str) -> int | float:
    """Return a number as a JSON number with the same digits; raises `Refused` where it would lose some."""
    if number == number.to_integral_value():
        return whole(number, text)
    nearest = float(number)
    if Decimal(repr(nearest)) != number:
        raise _too_long(text)
    return nearest


def _is_between_digits(found: re.Match[str]) -> bool:
    """Return whether there are digits on both sides of what was found in a text."""
    before, after = found.string[: found.start()], found.string[found.end() :]
    return any(map(str.isdigit, before)) and any(map(str.isdigit, after))


def _possible_signs(digits: str) -> list[str]:
    """Return the decimal signs by which digits are a number: one is proved, both are possible, none is no number."""
    return [sign for sign, shape in _SHAPES.items() if shape.fullmatch(digits)]


def _plain(text: str) -> Decimal | None:
    """Return the number in a true number's text, a percentage divided by 100; None where the text is formatted."""
    percent = text.endswith("%")
    try:
        number = Decimal(text.rstrip("%").strip())
    except InvalidOperation:
        return None
    return number / 100 if percent else number


def _is_rounded(stored: Decimal, shown: Decimal) -> bool:
    """Return whether a shown number is the stored one to the digits that it has, and no part of a text around it."""
    return abs(stored - shown) < Decimal(1).scaleb(int(shown.as_tuple().exponent))


def _not_a_number(text: str) -> Refused:
    return Refused(
        "not-a-number",
        _("'{value}' is not a number", value=shorten(text)),
        _("Write digits, with a decimal sign where needed; or change the field in the mapping: `type: text`"),
    )


def _minus_behind(text: str) -> Refused:
    return Refused(
        "not-a-number",
        _("'{value}' has its minus behind the number, which is read only in amounts with two decimals", value=text),
        _("If the number is negative, write the minus before it; or change the field in the mapping: `type: text`"),
    )


def _too_long(text: str) -> Refused:
    return Refused(
        "number-too-long",
        _("'{value}' has more digits than a JSON number can hold", value=shorten(text)),
        _("Change the field in the mapping, `type: text`, or shorten the number"),
    )
