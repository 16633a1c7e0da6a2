"""One streaming look at the XML of an XLSX sheet: formats, errors, missing results, hidden rows, links.

The parser of the rows reads the same bytes and judges whether they are sound XML. This look only picks out the few
tags that say more than the parser tells, with one regular expression, which takes a fifth of the time of parsing
a second time: in a table of a million cells it steps into the rows and into the cells that matter, no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape

from importer.source.facts import ERROR, NO_RESULT, Box, Fact, SheetFacts
from importer.source.number_format import NumberFormat, Shows
from importer.source.package import Package
from importer.source.refusals import damaged

_ROOT = re.compile(rb"<([\w.-]+:|)worksheet\b")
_ATTRIBUTE = re.compile(rb"""([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NOT_MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
# From AA on. Who quotes with apostrophes is bounded by the child's memory alone; this search is five times as fast.
_WIDE_COLUMN = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_ROW_NUMBER = re.compile(rb"""\sr=["']([^"']*)["']""")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]+)")
_NARROW = 26  # columns; a sheet without a wide one has fewer than the box allows, however long it is
_LONGEST_ROW = 256 << 20
_MOST_CHANGES = 20_000  # of a column's format; a column with more goes on in the general one
_TRUE = ("1", "true")


def scan(package: Package, part: str, formats: tuple[NumberFormat | None, ...]) -> SheetFacts:
    """Return the facts of the sheet in `part`. Raises SourceError where it is damaged or scattered too widely."""
    try:
        look = _Look(package, part, formats)
        for piece in look.pieces():
            look.take(piece)
        if look.span > Box.LARGEST:
            look.measure()
    except ValueError as error:  # a row, column or character that is none
        raise damaged(package.file, str(error)) from error
    return look.facts


class _Look:
    """What was seen so far of one sheet."""

    def __init__(self, package: Package, part: str, formats: tuple[NumberFormat | None, ...]) -> None:
        self.facts = SheetFacts()
        self._package = package
        self._part = part
        self._targets = {link: target for link, (_kind, target) in package.relations(part).items()}
        named = {str(style): shown for style, shown in enumerate(formats) if shown is not None}
        self._shown = frozenset(style for style, shown in named.items() if shown.shows is not Shows.PLAIN)
        self._plain = {style.encode(): shown.code for style, shown in named.items() if style not in self._shown}
        self._latest: dict[bytes, str] = {}
        self._words = _Words(next(package.blocks(part), b""), self._shown)
        self._first_row = self._row = 0
        self._rightmost = _NARROW

    @property
    def span(self) -> int:
        """At most so many cells lie between the first row and the last and up to the rightmost column."""
        return (self._row - self._first_row + 1) * self._rightmost

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the sheet, each piece ending behind a row, and what follows the last row."""
        end_of_row = self._words.end_of_row
        waiting = b""
        for block in self._package.blocks(self._part):
            waiting += block
            if b"<!" in waiting:
                waiting = _NOT_MARKUP.sub(b"", waiting)
            if (end := waiting.rfind(end_of_row)) >= 0:
                yield waiting[: end + len(end_of_row)]
                waiting = waiting[end + len(end_of_row) :]
            elif len(waiting) > _LONGEST_ROW:
                raise damaged(self._package.file, f"{self._part}: no end of a row")
        yield waiting

    def measure(self) -> None:
        """Raise SourceError where the cells that are filled, styled empty ones aside, lie too far apart."""
        box = Box(self._package.file)
        for piece in self.pieces():
            for letters, row in self._words.filled.findall(piece):
                box.add(int(row), int(row), _position(letters.decode()) - 1)

    def take(self, piece: bytes) -> None:
        """Look at the next bytes, which end behind a row or with the part."""
        self._rightmost = max(
            self._rightmost, *(_position(wide.decode()) for wide in set(_WIDE_COLUMN.findall(piece))), 0
        )
        if self._plain:
            self._note_formats(piece)
        facts: list[Fact] = []
        row_start = 0
        for tag in self._words.tags.finditer(piece):
            name, attributes = tag["name"], tag["attributes"]
            if name == b"c":
                fact = self._fact(piece, row_start, tag)
                if fact is not None:
                    facts.append(fact)
                continue
            if name == b"row":
                self._close(facts)
                facts = []
                row_start = tag.end()
                self._begin_row(attributes)
            elif name == b"hyperlink":
                self._link(_attributes(attributes))
            else:
                self._count_hidden(_attributes(attributes))
        self._close(facts)

    def _note_formats(self, piece: bytes) -> None:
        """Note where the plain number format of a column changes, which in most columns it never does."""
        latest = self._latest
        for letters, row, style in self._words.styled.findall(piece):
            code = self._plain.get(style, "")
            if latest.get(letters, "") != code:
                latest[letters] = code
                changes = self.facts.plain_formats.setdefault(_position(letters.decode()) - 1, [])
                if len(changes) < _MOST_CHANGES:
                    changes.append((int(row), code if len(changes) < _MOST_CHANGES - 1 else ""))

    def _begin_row(self, attributes: bytes) -> None:
        number = _ROW_NUMBER.search(attributes)
        row = int(number[1]) if number else self._row + 1
        if row <= self._row:
            raise damaged(self._package.file, f"row {row} after row {self._row}")
        self._first_row = self._first_row or row
        self._row = row
        if b"hidden" in attributes and _attributes(attributes).get("hidden") in _TRUE:
            self.facts.hidden.add(row)

    def _close(self, facts: list[Fact]) -> None:
        if facts:
            self.facts.add(self._row, facts)

    def _fact(self, piece: bytes, row_start: int, tag: re.Match[bytes]) -> Fact | None:
        """Return what a cell says of itself, None where it says nothing or is empty."""
        if tag["attributes"].endswith(b"/"):
            return None
        words = self._words
        attributes = _attributes(tag["attributes"])
        content = piece[tag.end() : piece.find(words.end_of_cell, tag.end())]
        formula, value = _text(words.formula, content), _text(words.value, content)
        kind, style = attributes.get("t", "n"), attributes.get("s", "")
        if kind == "e":
            fact = ERROR, value or ""
        elif formula is not None and not value and kind != "str":  # no <v>, or <v/> of programs that do not calculate
            fact = NO_RESULT, "=" + formula
        elif value and kind == "n" and style in self._shown:
            fact = int(style), repr(float(value))
        else:
            return None
        reference = attributes.get("r")
        column = words.walk(piece[row_start : tag.end()]) if reference is None else _column(reference)
        return column, *fact

    def _count_hidden(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in _TRUE:
            self.facts.hidden_columns += int(attributes.get("max", "0")) - int(attributes.get("min", "0")) + 1

    def _link(self, attributes: dict[str, str]) -> None:
        first = _REFERENCE.match(attributes.get("ref", ""))
        link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = self._targets.get(link) or attributes.get("location", "")
        if first and target:
            self.facts.links.setdefault(int(first[2]), []).append((_position(first[1]) - 1, target))


class _Words:
    """What to look for in a sheet, spelled with the prefix that its writer gives to the main namespace.

    `tags` finds rows, columns and links, and of the cells those of a style that shows more, with an error or a formula.
    """

    def __init__(self, start: bytes, shown: frozenset[str]) -> None:
        root = _ROOT.search(start)
        prefix = root[1] if root else b""
        styles = "|".join(sorted(shown)).encode() or b"-"
        telling = rb"""[^<>]*\s(?:s=["'](?:%b)["']|t=["']e["'])|[^<>]*>\s*<%bf[\s/>]""" % (styles, prefix)
        names = rb"row|col|hyperlink|c(?=[\s>])(?=%b)" % telling
        self.tags = re.compile(rb"<%b(?P<name>%b)(?=[\s/>])(?P<attributes>[^<>]*)>" % (prefix, names))
        self.cell = re.compile(rb"<%bc(?=[\s/>])([^<>]*)>" % prefix)
        # As every program of note writes a cell; of others the plain formats are lost, and nothing else.
        self.styled = re.compile(rb"""<%bc r="([A-Z]+)([0-9]+)"(?: s="([0-9]+)")?""" % prefix)
        self.end_of_cell = b"</%bc>" % prefix
        self.end_of_row = b"</%brow>" % prefix
        self.filled = re.compile(rb"""<%bc\s(?:[^<>]*\s)?r=["']([A-Z]+)([0-9]+)["'](?:[^<>]*[^<>/])?>""" % prefix)
        self.formula, self.value = (
            re.compile(rb"<%b%b(?:\s[^<>]*)?(?:/>|>([^<]*))" % (prefix, tag)) for tag in (b"f", b"v")
        )

    def walk(self, row_so_far: bytes) -> int:
        """Return the column from 0 of a row's latest cell: one without a reference follows the one before it."""
        column = -1
        for cell in self.cell.findall(row_so_far):
            reference = _attributes(cell).get("r")
            column = column + 1 if reference is None else _column(reference)
        return column


def _attributes(text: bytes) -> dict[str, str]:
    """Return the attributes of a tag."""
    return {name.decode(): unescape((a or b).decode()) for name, a, b in _ATTRIBUTE.findall(text)}


def _text(element: re.Pattern[bytes], content: bytes) -> str | None:
    """Return the text of an element within a cell, empty for `<v/>`, None where there is no such element."""
    found = element.search(content)
    return None if found is None else unescape((found[1] or b"").decode()).strip()


def _column(reference: str) -> int:
    """Return the column from 0 of a reference such as AB12."""
    return _position(reference.rstrip("0123456789")) - 1


@cache
def _position(letters: str) -> int:
    """Return the position from 1 of a column by its letters."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position
