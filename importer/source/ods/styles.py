"""The number formats of an ODS workbook's cell styles, as the codes that Excel writes for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from importer.source.number_formats.codes import BUILT_IN, NumberFormat, own_format

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_NUMBER = "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0 "
_LOEXT = "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0 "

_NAME, _FAMILY = STYLE + "name", STYLE + "family"
_LONGEST_CODE = 255  # as in Excel
_MOST_PLACES = 30  # more than any program lets a person set
_GENERATIONS = 20  # of styles that inherit from each other
_SHOWN_AS_THEY_ARE = re.compile(r"[-+() :]*")
_LIKE_SECTIONS = ([">=0"], [">0", "<0"], [">0", "<0", "=0"])  # what a code's sections mean without conditions
_CONDITION = re.compile(r"value\(\)\s*([<>=!]+)\s*(-?[0-9.]+)")


def table_displays(roots: Iterable[Element]) -> dict[str, bool]:
    """Return whether the tables of each table style are displayed."""
    return {
        style.get(_NAME, ""): properties.get(TABLE + "display") != "false"
        for style in _children(roots, STYLE + "style")
        if style.get(_FAMILY) == "table"
        for properties in style
        if properties.tag == STYLE + "table-properties"
    }


def cell_formats(roots: Iterable[Element]) -> dict[str, NumberFormat | None]:
    """Return the number format of each cell style by its name, None for the general one and one that is not known.

    `roots` are the sections of styles; where they name the same style, the later one holds.
    """
    cells: dict[str, Element] = {}
    codes: dict[str, Element] = {}
    for element in (child for root in roots for child in root):
        if element.tag == STYLE + "style" and element.get(_FAMILY) == "table-cell":
            cells[element.get(_NAME, "")] = element
        elif element.tag.startswith(_NUMBER):
            codes[element.get(_NAME, "")] = element
    return {name: _format_of(name, cells, codes) for name in cells}


def _children(roots: Iterable[Element], tag: str) -> Iterator[Element]:
    return (child for root in roots for child in root if child.tag == tag)


def _format_of(name: str, cells: Mapping[str, Element], codes: Mapping[str, Element]) -> NumberFormat | None:
    """Return the format of a cell style, which it may inherit."""
    for _generation in range(_GENERATIONS):
        style = cells.get(name)
        if style is None:
            return None
        data = style.get(STYLE + "data-style-name")
        if data is not None:
            return own_format(excel_code(codes[data], codes)) if data in codes else None
        name = style.get(STYLE + "parent-style-name", "")
    return None


def excel_code(style: Element, styles: Mapping[str, Element]) -> str:
    """Return a number style as a format code, `General` where no code says the same.

    A style may apply others to some values; these become the first sections, each under its condition.
    """
    sections, conditions = [], []
    for element in style:
        if element.tag == STYLE + "map":
            found = _CONDITION.fullmatch(element.get(STYLE + "condition", ""))
            applied = styles.get(element.get(STYLE + "apply-style-name", ""))
            if found is None or applied is None:
                return "General"
            conditions.append(found[1].replace("!=", "<>") + found[2])
            sections.append(_section(applied))
    known = conditions in _LIKE_SECTIONS
    sections = [code if known else f"[{condition}]{code}" for condition, code in zip(conditions, sections, strict=True)]
    code = ";".join([*sections, _section(style)])
    return code if len(code) <= _LONGEST_CODE else "General"


def _section(style: Element) -> str:
    """Return the code of a style without the others that it applies."""
    kind = style.tag.removeprefix(_NUMBER)
    if kind == "date-style" and style.get(_NUMBER + "automatic-order") == "true":  # by the region of each computer
        return BUILT_IN[22] if any(element.tag == _NUMBER + "hours" for element in style) else BUILT_IN[14]
    elapsed = kind == "time-style" and style.get(_NUMBER + "truncate-on-overflow") == "false"
    pieces = [_piece(element, kind) for element in style if element.tag.startswith(_NUMBER)]
    if elapsed:  # the first part counts on
        first = next((at for at, piece in enumerate(pieces) if piece[:1] in {"h", "m", "s"}), None)
        if first is not None:
            pieces[first] = f"[{pieces[first]}]"
    return "".join(pieces)


def _piece(element: Element, kind: str) -> str:
    """Return the code of a part of a style of some kind; a part that is not known makes the whole format general."""
    name = element.tag.removeprefix(_NUMBER)
    if name == "text":
        return _text(element.text or "", kind)
    long = element.get(_NUMBER + "style") == "long"
    if name == "month":
        length = 3 if element.get(_NUMBER + "textual") == "true" else 1
        return "m" * (length + long)
    if name in _LETTERS:
        short, wide = _LETTERS[name]
        return (wide if long else short) + (_decimals(element) if name == "seconds" else "")
    return _PARTS[name](element) if name in _PARTS else "General"


_LETTERS = {
    "day": ("d", "dd"),
    "day-of-week": ("ddd", "dddd"),
    "year": ("yy", "yyyy"),
    "hours": ("h", "hh"),
    "minutes": ("m", "mm"),
    "seconds": ("s", "ss"),
    "am-pm": ("AM/PM", "AM/PM"),
}


def _text(text: str, kind: str) -> str:
    """Return a code for text that is shown as it is."""
    if kind == "percentage-style" and "%" in text:
        before, _sign, after = text.partition("%")
        return _text(before, "") + "%" + _text(after, "")
    if _SHOWN_AS_THEY_ARE.fullmatch(text) or (kind in ("date-style", "time-style") and text in "/.,"):
        return text
    return "".join(f"\\{letter}" for letter in text) if '"' in text else f'"{text}"'


def _count(element: Element, name: str, default: int = 0) -> int:
    """Return a number of places. Raises ValueError where it is none."""
    return min(max(int(element.get(_NUMBER + name, default)), 0), _MOST_PLACES)


def _decimals(element: Element) -> str:
    """Return the decimal places of a number or of seconds; those that need not be shown are optional."""
    places = _count(element, "decimal-places")
    least = element.get(_NUMBER + "min-decimal-places", element.get(_LOEXT + "min-decimal-places"))
    if least is None:
        least = "0" if _NUMBER + "decimal-replacement" in element.attrib else str(places)
    needed = min(max(int(least), 0), places)
    return "." + "0" * needed + "#" * (places - needed) if places else ""


def _number(element: Element) -> str:
    """Return the code of digits: padded, grouped, and with text between them."""
    between = {
        _count(child, "position"): child.text or "" for child in element if child.tag == _NUMBER + "embedded-text"
    }
    least = _count(element, "min-integer-digits")
    grouped = element.get(_NUMBER + "grouping") == "true"
    if _NUMBER + "decimal-places" not in element.attrib and not between and not grouped and least <= 1:
        return "General"
    places = max(least, 4 if grouped else 1, *(position + 1 for position in between))
    code = ""
    for place in range(places):
        if place in between:
            code = _text(between[place], "") + code
        if grouped and place and place % 3 == 0:
            code = "," + code
        code = ("0" if place < least else "#") + code
    return code + _decimals(element) + "," * _thousands(element)


def _thousands(element: Element) -> int:
    """Return how often a number is divided by a thousand before it is shown."""
    return (len(element.get(_NUMBER + "display-factor", "1").split(".")[0]) - 1) // 3


def _scientific(element: Element) -> str:
    whole, exponent = _count(element, "min-integer-digits", 1), _count(element, "min-exponent-digits", 2)
    return "0" * max(whole, 1) + _decimals(element) + "E+" + "0" * max(exponent, 1)


_PARTS: dict[str, Callable[[Element], str]] = {
    "number": _number,
    "scientific-number": _scientific,
    "fraction": lambda _element: "# ?/?",
    "currency-symbol": lambda element: f"[${(element.text or '').replace(']', '')}]",
    "text-content": lambda _element: "@",
    "fill-character": lambda element: f"*{(element.text or ' ')[0]}",
}
