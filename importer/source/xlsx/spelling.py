"""The one plain spelling of a cell's content in XLSX, which calamine reads as Excel shows what the writer wrote."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from importer.source.number_formats.dates import serial_of

Content = tuple[str, dict[str, str], str]
"""A cell's type, attributes of our own, and its elements as XML."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INDEX = re.compile(r"\+?([0-9]{1,12})(?:\.0*)?")
_HALVES = re.compile(r"_x005[fF]_|_x([dD][89abAB][0-9a-fA-F]{2})__x([dD][c-fC-F][0-9a-fA-F]{2})_")
_WHITE = " \t\r\n"


class CellSpelling:
    """Spells the cells of a workbook that has `texts` shared texts."""

    def __init__(self, texts: int) -> None:
        """Take how many shared texts there are."""
        self._texts = texts
        self._spell = {"n": _number, "s": self._shared, "b": _boolean, "inlineStr": _text}

    def content(self, kind: str, value: str | None, inline: str | None) -> Content:
        """Return the content of a cell by its type, its value and its inline text, an element, if any.

        Raises ValueError where there is no such type.
        """
        if inline is not None and kind != "e":
            return "inlineStr", {}, f"<is>{inline}</is>"
        plain = (value or "").strip(_WHITE)
        if kind == "e":  # calamine knows seven of Excel's errors, and refuses the others
            return "e", {"error": plain}, ""
        if kind == "str":
            return (kind, {}, "") if value is None else _text(value)
        if kind not in {*self._spell, "d"}:
            raise ValueError(f"a cell of the type {kind}")
        if not plain:
            return kind, {}, ""
        if kind == "d":
            return _text(plain) if serial_of(plain, since_1904=False) is None else (kind, {}, f"<v>{plain}</v>")
        return self._spell[kind](plain)

    @staticmethod
    def style(number: str) -> str:
        """Return the number of a cell's style."""
        found = _INDEX.fullmatch(number.strip(_WHITE))
        return str(int(found[1])) if found else "0"

    def _shared(self, index: str) -> Content:
        found = _INDEX.fullmatch(index)
        if found and int(found[1]) < self._texts:
            return "s", {}, f"<v>{int(found[1])}</v>"
        return "e", {"missing": index}, ""


def _number(value: str) -> Content:
    return ("n", {}, f"<v>{value.lstrip('+')}</v>") if _NUMBER.fullmatch(value) else _text(value)


def _boolean(value: str) -> Content:
    return "b", {}, f"<v>{int(value.lower() in {'1', 'true'})}</v>"


def _text(value: str) -> Content:
    return "str", {}, f"<v>{escaped(joined(value))}</v>"


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
