"""What a number format says: its sections, for which numbers each of them is, and what it makes of a number."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from importer.source.number_formats.languages import KNOWN_HALVES, language_of

# ECMA-376 part 1, 18.8.30: formats that a workbook names by number alone.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)",
    9: "0%", 10: "0.00%", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0",
}  # fmt: skip
# Excel shows these dates by the settings of each computer; the only reading that is the same everywhere is the ISO one.
_REGIONAL = frozenset({14, 22, *range(27, 37), *range(50, 59)})
BUILT_IN |= dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd") | dict.fromkeys(range(32, 36), "hh:mm:ss")
_SYSTEM_DATE = re.compile(r"\[\$-(?:0*F800|x-sysdate)[^\]]*\]", re.IGNORECASE)
_SYSTEM_TIME = re.compile(r"\[\$-(?:0*F400|x-systime)[^\]]*\]", re.IGNORECASE)

_PIECE = re.compile(
    r"""(?P<literal>"[^"]*"?|\\.|_.|\*.)|(?P<elapsed>\[(?:h+|m+|s+)\])|(?P<bracket>\[[^\]]*\])"""
    r"""|(?P<half>AM/PM|A/P)|(?P<general>General)|(?P<exponent>E[+-])|(?P<unknown>b[12]|g+|a{3,}|n+)"""
    r"""|(?P<date>y+|m+|d+|h+|s+)|(?P<era>e+|b+)|(?P<digit>[0#?])|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[\s*(<=|>=|<>|<|>|=)\s*(-?[0-9.]+(?:E[+-]?[0-9]+)?)\s*\]", re.IGNORECASE)
_COMPARE = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "<>": operator.ne
}  # fmt: skip
_OTHER_DIGITS = re.compile(r"\[(?:DBNum|NatNum|~)", re.IGNORECASE)
# What says that a number is money, and nothing more: signs, the abbreviations of our countries, codes of currencies.
_CURRENCY = (
    r"(?:(?:[A-Z]{0,3}\s?[$\u00a2-\u00a5\u20a0-\u20cf\ufdfc\uffe0\uffe1\uffe5]|S/\.?|B/\.?|Bs\.?(?:S\.?)?|Gs\.?|kr\.?|CHF|Fr\.|zł|Kč|Ft"
    r"|ARS|AUD|BOB|BRL|CAD|CHF|CLF|CLP|CNY|COP|CRC|CUP|CZK|DKK|DOP|EUR|GBP|GTQ|HNL|HUF|INR|JPY|MXN|NIO|NOK|PAB|PEN|PLN|PYG"
    r"|SEK|SVC|USD|UYU|VEF|VES)\s*){0,2}"
)
_BESIDE_A_POSITIVE = re.compile(rf"[\s+]*{_CURRENCY}[\s+]*", re.IGNORECASE)
_BESIDE_ANY = re.compile(rf"[\s()+\u2010-\u2015\u2212-]*{_CURRENCY}[\s()+\u2010-\u2015\u2212-]*", re.IGNORECASE)


class Shows(Enum):
    """What a format makes of a number."""

    PLAIN = "plain"
    MOMENT = "moment"
    NUMBER = "number"
    NOTHING = "nothing"


class Remark(Enum):
    """What a person should know of the numbers in a column, since they see something else than what is read."""

    REGIONAL = "regional"
    LANGUAGE = "language"
    ROUNDED = "rounded"
    UNKNOWN = "unknown"
    HASHES = "hashes"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a format: its kind and what it says."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What a format shows of some numbers.

    `condition` is an operator and a limit. `unsigned` means that only negative numbers come here, which show no minus
    of their own. `rounded` means that it shows a number in another form (a fraction, an exponent, in thousands).
    """

    pieces: tuple[Piece, ...]
    shows: Shows
    condition: tuple[str, float] | None = None
    unsigned: bool = False
    rounded: bool = False

    def is_for(self, value: float) -> bool:
        """Return whether the condition holds for a number; False without one."""
        return self.condition is not None and bool(_COMPARE[self.condition[0]](value, self.condition[1]))


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format's code, what it shows, its sections for numbers, and the language of its month names.

    `text` is its section for texts, None where it shows them as they are. `written` is the code as it is in the file,
    which `code` replaces where Excel shows a date by the settings of each computer.
    """

    code: str
    shows: Shows
    sections: tuple[Section, ...]
    language: str = "en"
    text: tuple[Piece, ...] | None = None
    remark: Remark | None = None
    written: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether numbers and texts read as if there were no format, but for zeros that are not shown."""
        return self.shows is Shows.PLAIN and self.text is None

    @property
    def may_hide(self) -> bool:
        """Whether a plain format shows nothing of zero, as `#,###` does."""
        return not any(piece.text == "0" or piece.kind == "general" for piece in self.sections[0].pieces)

    def section(self, value: float) -> Section | None:
        """Return the section for a number; None where Excel shows only `####`."""
        first, *others = self.sections
        if first.is_for(value):
            return first
        if not others:
            return None if first.condition else first
        second, *third = others
        rest = third[0] if third else None if first.condition else first
        if second.condition:
            is_second, is_first = second.is_for(value), first.condition is None and value > 0
        else:
            is_second, is_first = value < 0 or (first.condition is not None and not third), value > 0
            is_first = is_first and first.condition is None
        return second if is_second else first if is_first else rest


@lru_cache(maxsize=1024)
def parse(code: str) -> NumberFormat:
    """Return what the format `code` shows, as it is written in a workbook of any language."""
    if _SYSTEM_DATE.search(code):
        return replace(parse("yyyy-mm-dd"), remark=Remark.REGIONAL, written=code)
    if _SYSTEM_TIME.search(code):
        return replace(parse("hh:mm:ss"), remark=Remark.REGIONAL, written=code)
    pieces = _pieces(code)
    cut = _cut(pieces)
    text = cut.pop() if len(cut) > 3 or any(piece.text == "@" for piece in cut[-1]) else None
    numeric = cut[:3] or [(Piece("general", "General"),)]
    sections = tuple(_section(numeric, at) for at in range(len(numeric)))
    kinds = [section.shows for section in sections]
    if all(kind is Shows.PLAIN for kind in kinds):
        shows = Shows.PLAIN
    else:
        shows = Shows.MOMENT if kinds[0] is Shows.MOMENT else Shows.NUMBER
    language, remark = _language(pieces)
    if any(piece.kind == "unknown" or _OTHER_DIGITS.match(piece.text) for piece in pieces):
        remark = Remark.UNKNOWN
    elif any(section.rounded for section in sections):
        remark = Remark.ROUNDED
    elif Shows.MOMENT not in kinds:
        remark = None
    return NumberFormat(code, shows, sections, language, _text_section(text), remark, code)


def own_format(code: str) -> NumberFormat | None:
    """Return the format `code`, None where it is the general one."""
    return None if code.strip().lower() in ("", "general", "@") else parse(code)


@dataclass(frozen=True, slots=True)
class CellFormats:
    """The number format of each cell style, None for the general one."""

    by_style: tuple[NumberFormat | None, ...] = ()


def cell_formats(format_ids: Sequence[int], codes: Mapping[int, str]) -> CellFormats:
    """Return the formats of a workbook's cell styles by the number of each; `codes` are those that the file defines."""
    known = {**BUILT_IN, **codes}

    def format_of(number: int) -> NumberFormat | None:
        own = own_format(known.get(number, "General"))
        regional = number in _REGIONAL and known[number] == BUILT_IN[number]
        return replace(own, remark=Remark.REGIONAL) if own and regional else own

    return CellFormats(tuple(map(format_of, format_ids)))


def literal(piece: Piece) -> str:
    """Return what a piece without digits or date parts shows: quoted and escaped text, a currency sign; no padding."""
    text = piece.text
    if piece.kind == "literal":
        return text[1:].removesuffix('"') if text[0] == '"' else text[1:] if text[0] == "\\" else ""
    if piece.kind == "bracket":
        return text[2:-1].split("-")[0] if text.startswith("[$") else ""
    return "" if text == "," else text


def _pieces(code: str) -> list[Piece]:
    """Return the pieces of a code; years of an era (`e`, and `b` for the Buddhist one) are dates without digits."""
    pieces = [Piece(match.lastgroup or "", match[0]) for match in _PIECE.finditer(code)]
    era = "unknown" if any(piece.kind in ("digit", "general") for piece in pieces) else "date"
    return [Piece(era, piece.text) if piece.kind == "era" else piece for piece in pieces]


def _cut(pieces: list[Piece]) -> list[tuple[Piece, ...]]:
    """Cut pieces at the semicolons: for positive numbers, negative ones, zero, and text."""
    sections: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece == Piece("other", ";"):
            sections.append([])
        else:
            sections[-1].append(piece)
    return [tuple(section) for section in sections]


def _section(sections: Sequence[tuple[Piece, ...]], at: int) -> Section:
    pieces = sections[at]
    conditions = [_condition(section) for section in sections]
    if at == 0:
        unsigned = conditions[0] is not None and conditions[0][0] in ("<", "<=", "=") and conditions[0][1] <= 0
    else:
        rest_is_negative = conditions[0] is None or conditions[0] in ((">", 0), (">=", 0))
        unsigned = _is_below_zero(conditions[at]) or (at == 1 and rest_is_negative and conditions[1] is None)
    kinds = {piece.kind for piece in pieces}
    rounded = False
    if kinds & {"date", "elapsed", "half"}:
        shows = Shows.MOMENT
    elif not pieces or not (kinds & {"digit", "general"} or any(map(literal, pieces))):
        shows = Shows.NOTHING if len(sections) > 1 else Shows.PLAIN
    else:
        other_form = is_fraction(pieces) or "exponent" in kinds or scale(pieces) > 0
        more = _has_words(pieces, positive=at == 0 and not unsigned) or (not other_form and _pads(pieces))
        shows = Shows.NUMBER if more else Shows.PLAIN
        rounded = other_form and not more
    return Section(pieces, shows, conditions[at], unsigned, rounded)


def _condition(pieces: tuple[Piece, ...]) -> tuple[str, float] | None:
    """Return the condition that a section has in brackets."""
    for piece in pieces:
        if piece.kind == "bracket" and (found := _CONDITION.fullmatch(piece.text)):
            try:
                return found[1], float(found[2])
            except ValueError:
                return None
    return None


def _is_below_zero(condition: tuple[str, float] | None) -> bool:
    return condition is not None and condition[0] in ("<", "<=") and condition[1] <= 0


def is_fraction(pieces: Sequence[Piece]) -> bool:
    """Return whether a section shows a fraction, such as 2 1/2."""
    kinds = [piece.text if piece.text == "/" and piece.kind == "other" else piece.kind for piece in pieces]
    return "/" in kinds and "digit" in kinds[: kinds.index("/")]


def scale(pieces: Sequence[Piece]) -> int:
    """Return how many commas after the last digit before the point divide the number by a thousand each."""
    whole = []
    for piece in pieces:
        if piece.text == "." and piece.kind == "other":
            break
        whole.append(piece)
    shown = [piece.text for piece in pieces if piece.kind == "digit" or piece == Piece("other", ",")]
    before = [piece.text for piece in whole if piece.kind == "digit" or piece == Piece("other", ",")]
    if "0" not in "".join(shown).translate({ord("#"): "0", ord("?"): "0"}):
        return 0
    at_end = len(shown) - len("".join(shown).rstrip(","))
    at_point = len(before) - len("".join(before).rstrip(",")) if len(before) < len(shown) else 0
    return at_end + at_point


def _pads(pieces: Sequence[Piece]) -> bool:
    """Return whether a section shows a percentage or at least two digits, of which the first may be a zero."""
    before_point = "".join(piece.text for piece in pieces if piece.kind == "digit" or piece.text == ".").split(".")[0]
    return Piece("other", "%") in pieces or len(before_point.lstrip("#?")) >= 2


def _has_words(pieces: Sequence[Piece], *, positive: bool) -> bool:
    """Return whether a section shows text that belongs to the value, and not only to the way that amounts are written.

    Signs of currencies, spaces, parentheses and signs around the digits are decoration. Between digits, or where they
    would turn a positive number into a negative one, they are not.
    """
    if is_fraction(pieces):
        pieces = [piece for piece in pieces if not piece.text.isdecimal() or piece.kind == "digit"]  # `# ?/8`
    places = [at for at, piece in enumerate(pieces) if piece.kind in ("digit", "general")]
    first, last = (places[0], places[-1]) if places else (len(pieces), len(pieces))
    between = [piece for piece in pieces[first:last] if piece.kind not in ("digit", "general", "exponent")]
    if any(literal(piece).strip() for piece in between if piece.kind != "other" or piece.text not in ".,/ "):
        return True
    if [piece.text for piece in between].count(".") > 1:
        return True
    around = [pieces[:first], pieces[last + 1 :]]
    decoration = _BESIDE_A_POSITIVE if positive and places else _BESIDE_ANY
    return not all(
        decoration.fullmatch(
            "".join(literal(piece) for piece in some if piece.kind != "other" or piece.text not in "%.,/")
        )
        for some in around
    )


def _text_section(pieces: tuple[Piece, ...] | None) -> tuple[Piece, ...] | None:
    """Return the section for texts, None where it shows them as they are."""
    if pieces is None:
        return None
    shown = "".join(literal(piece) for piece in pieces)
    return None if shown.strip() == "@" else pieces


def _language(pieces: list[Piece]) -> tuple[str, Remark | None]:
    """Return the language that a format names, as `[$-40A]` or `[$-es-CO]`, and what to say of its words.

    English, where it names none (then Excel shows the words in each computer's language) or one that is not known.
    """
    tags = [
        piece.text[2:-1].split("-", 1)[1]
        for piece in pieces
        if piece.kind == "bracket" and piece.text.startswith("[$") and "-" in piece.text
    ]
    named = next((language for tag in tags if (language := language_of(tag))), None)
    halves = any(piece.kind == "half" and piece.text.upper() == "AM/PM" for piece in pieces)
    names = any(piece.kind == "date" and piece.text[0] in "mMdD" and len(piece.text) > 2 for piece in pieces)
    if (names and named is None) or (halves and named not in KNOWN_HALVES):
        return named or "en", Remark.LANGUAGE
    return named or "en", None
