"""What a cell of an ODS sheet shows, by its attributes, its text and its number format."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from importer.model import Cell, CellError, Reread, Typed
from importer.source.number_formats.codes import NumberFormat, Shows, parse
from importer.source.number_formats.dates import EPOCH_1900, date_cell, elapsed_days
from importer.source.number_formats.rendering import number_text, plain_text, section_text, text_in_format
from importer.source.ods.styles import OFFICE, TABLE
from importer.source.workbook import error_cell, number, without_result

Attributes = dict[str, str]

PLAIN, SPACE, ADDED = range(3)
"""Where a piece of text comes from: characters, an element that stands for spaces, or what version 1 left out."""

_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_CALC_KIND = _CALCEXT + "value-type"
_KIND, _FORMULA = OFFICE + "value-type", TABLE + "formula"
_VALUE, _STRING, _BOOLEAN = OFFICE + "value", OFFICE + "string-value", OFFICE + "boolean-value"
_DATE, _TIME = OFFICE + "date-value", OFFICE + "time-value"
_ERRORS = re.compile(  # in any language: `#¡DIV/0!`, `#¿NOMBRE?`, `#N/D`
    r"#[¡¿]?(?:[^\W\d_]+|DIV/0)[!?]|#N/[A-Z]|(?:Err|Error|Fehler|Erro):[0-9]{3}"
)
_MORE_THAN_DIGITS = re.compile(r"-?0[0-9]|[^0-9]+$")  # padding zeros, or TRUE in any language
_OLD_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)?")
_OLD_TIME = re.compile(r"PT[0-9]+H[0-9]+M[0-9.]+S")  # version 1 of the reading knew no others
_CURRENCY = (
    r"(?:[A-Z]{0,3}\s?[$€£¥₡₲₱₹¢]|S/\.?|Bs\.?|USD|EUR|GBP|COP|MXN|PEN|CLP|ARS|BRL|VES|DOP|CRC|GTQ|HNL|NIO|PYG|UYU|BOB"
    r"|PAB)?"
)
_ONLY_A_NUMBER = re.compile(  # with separators of thousands and a currency, in parentheses, or with a power of ten
    rf"\s*\(?[-+]?\s*{_CURRENCY}\s*[-+]?[0-9][0-9.,'\u2019\s]*(?:E[-+]?[0-9]+)?\s*{_CURRENCY}\s*\)?-?\s*"
)
_PERCENT, _CLOCK, _ELAPSED = parse("0.##########%"), parse("hh:mm:ss"), parse("[h]:mm:ss")
_FIRST_SURE_DAY = 61  # Excel counts the days before 1 March 1900 in its own way
_DAY = timedelta(days=1)


class CellText:
    """The text of a cell as it is read, piece by piece; `length` counts characters, `paragraphs` those that began."""

    __slots__ = ("_origins", "_pieces", "length", "paragraphs")

    def __init__(self) -> None:
        self.length = self.paragraphs = 0
        self._pieces: list[str] = []
        self._origins: dict[int, int] = {}  # of the pieces that are not plain

    def begin_paragraph(self) -> None:
        """Begin a paragraph, which is a line of the cell."""
        self.paragraphs += 1
        if self.paragraphs > 1:
            self.add("\n", SPACE)

    def add(self, text: str, origin: int = PLAIN) -> None:
        """Add a piece."""
        if origin != PLAIN:
            self._origins[len(self._pieces)] = origin
        self._pieces.append(text)
        self.length += len(text)

    def __str__(self) -> str:
        """Return the text that the cell shows."""
        return "".join(self._pieces)

    @property
    def mixed(self) -> bool:
        """Whether some pieces are not plain."""
        return bool(self._origins)

    def without(self, *origins: int) -> str:
        """Return the text without the pieces of these origins."""
        if not self._origins:
            return str(self)
        return "".join(piece for at, piece in enumerate(self._pieces) if self._origins.get(at) not in origins)


def cell_of(
    cell: Attributes, text: CellText, number_format: Callable[[], NumberFormat | None], *, comments_before: bool
) -> Cell:
    """Return a cell by its attributes and its text; its number format is asked for only where it matters.

    `comments_before` says that the sheet follows a comment, after which version 1 of the reading saw no shown texts.
    """
    shown, kind = str(text), cell.get(_KIND, "")
    if kind == "string" and _STRING not in cell and _FORMULA not in cell and cell.get(_CALC_KIND) != "error":
        return _reread(shown, text.without(ADDED)) if text.mixed else shown
    if cell.get(_CALC_KIND) == "error" or (_FORMULA in cell and _ERRORS.fullmatch(shown)):
        return error_cell(shown)
    old = "" if comments_before else text.without(SPACE, ADDED)
    attribute, made = _BY_KIND.get(kind, ("", _number_cell))
    if attribute in cell:
        return made(cell[attribute], kind, shown, old, number_format())
    if _FORMULA in cell and not text.paragraphs and _STRING not in cell:
        return without_result(cell[_FORMULA].partition(":")[2])
    if _STRING in cell:
        return _string_cell(cell[_STRING], number_format())
    return _reread(shown, text.without(ADDED) if kind == "string" else "")


def _reread(text: str, earlier: str) -> str:
    return text if text == earlier else Reread(text, earlier)


def _string_cell(stored: str, number_format: NumberFormat | None) -> str:
    """Return a stored text as the section of its format for texts shows it."""
    if number_format is None or number_format.text is None or not stored:
        return stored
    return _reread(text_in_format(stored, number_format.text), stored)


def _truth_cell(stored: str, _kind: str, _shown: str, _old: str, _number_format: NumberFormat | None) -> Cell:
    truth = stored.lower() in ("true", "1")
    return _typed("TRUE" if truth else "FALSE", truth, "General", "FALSE" if stored == "1" else str(truth).upper())


def _typed(text: str, value: float | date | time, code: str, earlier: str) -> Typed:
    return Typed(text, value, code, None if earlier == text else earlier)


@lru_cache(maxsize=4096)
def _number_cell(stored: str, kind: str, shown: str, old: str, number_format: NumberFormat | None) -> Cell:
    """Return the cell of a number: with the text that it shows, where its format shows more than the number."""
    try:
        value = float(stored)
    except ValueError:
        return _reread(shown or stored, "")
    plain = number(value)
    if isinstance(plain, CellError):
        return plain
    was_shown = kind == "percentage" or (kind == "float" and _MORE_THAN_DIGITS.match(old))
    code = number_format.code if number_format else "General"
    text = _number_text(value, plain.text, kind, shown, number_format)
    earlier = old if was_shown else plain.text
    return _typed(text, plain.value, code, earlier) if text else _reread(text, earlier)


def _number_text(value: float, plain: str, kind: str, shown: str, number_format: NumberFormat | None) -> str:
    """Return what a number shows: the text that the file has, unless its writer left the formatting to the reader."""
    if number_format is None and kind == "percentage":
        number_format = _PERCENT
    section = None if number_format is None else number_format.section(value)
    if number_format is not None and section is not None and section.shows in (Shows.NUMBER, Shows.NOTHING):
        return shown if shown and not _is_bare(shown, value) else number_text(value, number_format)
    if shown and section is not None and section.shows is Shows.MOMENT:
        return shown
    if not shown and section is not None and section.shows is Shows.PLAIN and -1 < value < 1:
        return plain if section_text(value, section) else ""  # `#,###` shows no zero
    guessed = number_format is None and kind == "float" and not _ONLY_A_NUMBER.fullmatch(shown)
    if shown and (guessed or (kind != "currency" and _MORE_THAN_DIGITS.match(shown))):
        return shown
    return plain


def _is_bare(text: str, value: float) -> bool:
    """Return whether a text is the number itself, as programs write it that do not apply formats."""
    try:
        return float(text) == value
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _date_cell(stored: str, _kind: str, shown: str, old: str, number_format: NumberFormat | None) -> Cell:
    """Return the cell of a date, with the text that it shows; ISO where neither the file nor a format says more."""
    try:
        at = datetime.fromisoformat(stored).replace(tzinfo=None)
    except ValueError:
        return _reread(shown or stored, stored)
    old = old if _OLD_DATE.fullmatch(stored) else stored
    value = at if "T" in stored else at.date()
    code = number_format.code if number_format else "General"
    if shown in ("", stored, stored.replace("T", " ")):
        days = (at - EPOCH_1900) / _DAY
        formatted = _moment(days, number_format) if days >= _FIRST_SURE_DAY else None
        shown = formatted.text if formatted else shown or (at.isoformat(" ", "seconds") if "T" in stored else stored)
    return _typed(shown, value, code, old)


@lru_cache(maxsize=4096)
def _time_cell(stored: str, _kind: str, shown: str, old: str, number_format: NumberFormat | None) -> Cell:
    """Return the cell of a time or of a duration, with the text that it shows."""
    days = elapsed_days(stored)
    if days is None:
        return _reread(shown or stored, stored)
    old = old if _OLD_TIME.fullmatch(stored) else stored
    formatted = _moment(days, number_format) or _moment(days, _CLOCK if 0 <= days < 1 else _ELAPSED)
    value = days if formatted is None else formatted.value
    code = number_format.code if number_format else "General"
    if not shown or shown == stored:
        shown = plain_text(days) if formatted is None else formatted.text
    return _typed(shown, value, code, old)


def _moment(days: float, number_format: NumberFormat | None) -> Typed | None:
    """Return a moment as its format shows it; None where the format shows none."""
    if number_format is None or number_format.shows is not Shows.MOMENT:
        return None
    return date_cell(days, number_format.code, since_1904=False)


_BY_KIND: dict[str, tuple[str, Callable[[str, str, str, str, NumberFormat | None], Cell]]] = {
    "boolean": (_BOOLEAN, _truth_cell),
    "date": (_DATE, _date_cell),
    "time": (_TIME, _time_cell),
    **dict.fromkeys(("float", "currency", "percentage", ""), (_VALUE, _number_cell)),
}
