"""The one plain spelling of a cell's content in XLSX, which calamine reads as Excel shows what the writer wrote."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import quoteattr

from importer.source.formats import CellFormats, Shows

Content = tuple[str, dict[str, str], str]
"""A cell's type, attributes of our own, and its elements as XML."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INDEX = re.compile(r"\+?([0-9]{1,12})(?:\.0*)?")
_HALVES = re.compile(r"_x005[fF]_|_x([dD][89abAB][0-9a-fA-F]{2})__x([dD][c-fC-F][0-9a-fA-F]{2})_")
_WHITE = " \t\r\n"
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's moments have no zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same
_MARCH_1900 = 61  # Excel counts a 29 February 1900, so that days before are one less


class CellSpelling:
    """Spells the cells of a workbook that has `texts` shared texts, by the formats of its cell styles."""

    def __init__(self, texts: int, formats: CellFormats, *, since_1904: bool) -> None:
        """Take what the workbook says about all cells."""
        self._texts = texts
        self._formats = formats.by_style
        self._since_1904 = since_1904
        self._spell = {"n": _number, "s": self._shared, "b": _boolean}

    def content(self, kind: str, style: str, value: str | None, inline: str | None) -> Content:
        """Return the content of a cell by its type, its style, its value and its inline text, an element, if any.

        Raises ValueError where there is no such type.
        """
        if inline is not None and kind != "e":
            return "inlineStr", {}, f"<is>{inline}</is>"
        plain = (value or "").strip(_WHITE)
        if kind == "e":  # calamine knows seven of Excel's errors, and refuses the others
            return "e", {"error": plain}, ""
        if kind == "str":
            return (kind, {}, "") if value is None else _text(value)
        if kind not in {*self._spell, "d", "inlineStr"}:
            raise ValueError(f"a cell of the type {kind}")
        if not plain or kind == "inlineStr":
            return kind, {}, ""
        return self._moment(plain, style) if kind == "d" else self._spell[kind](plain)

    def _shared(self, index: str) -> Content:
        found = _INDEX.fullmatch(index)
        if found and int(found[1]) < self._texts:
            return "s", {}, f"<v>{int(found[1])}</v>"
        return "e", {"missing": index}, ""

    def _moment(self, value: str, style: str) -> Content:
        """Return the content of a cell that stores a moment in ISO 8601, whose zone Excel leaves out."""
        moment = _iso_moment(value)
        if moment is None:
            return _text(value)
        shown = self._formats[int(style)] if style.isdecimal() and int(style) < len(self._formats) else None
        days = _days(moment, since_1904=self._since_1904)
        if shown is None or shown.shows is not Shows.MOMENT or days < 0:
            return "d", {}, f"<v>{moment.isoformat()}</v>"
        return "n", {}, f"<v>{days!r}</v>"


def _number(value: str) -> Content:
    return ("n", {}, f"<v>{value.lstrip('+')}</v>") if _NUMBER.fullmatch(value) else _text(value)


def _boolean(value: str) -> Content:
    return "b", {}, f"<v>{int(value.lower() in {'1', 'true'})}</v>"


def _text(value: str) -> Content:
    return "str", {}, f"<v>{escaped(joined(value))}</v>"


def _iso_moment(text: str) -> datetime | date | time | None:
    """Return a moment of ISO 8601 without its zone; None for other text."""
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment.replace(tzinfo=None) if isinstance(moment, datetime | time) else moment
    return None


def _days(moment: datetime | date | time, *, since_1904: bool) -> float:
    """Return the days that Excel counts to a moment; of a time alone, the part of a day."""
    if isinstance(moment, time):
        return (datetime.combine(_EPOCH_1904, moment) - _EPOCH_1904) / timedelta(days=1)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    days = (moment - (_EPOCH_1904 if since_1904 else _EPOCH_1900)) / timedelta(days=1)
    return days if since_1904 or days >= _MARCH_1900 else days - 1


def joined(text: str) -> str:
    """Return a text with the characters joined that it has in two escaped halves, `_xD83D__xDE00_`."""

    def character(match: re.Match[str]) -> str:
        if match[1] is None:  # an escaped underscore, which begins no escape
            return match[0]
        return chr(0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF))

    return _HALVES.sub(character, text)


def escaped(text: str) -> str:
    """Return a text as XML, with its carriage returns."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def element(name: str, attributes: dict[str, str], end: str = "/") -> str:
    """Return the tag of an element, which is empty unless `end` is."""
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items())}{end}>"
