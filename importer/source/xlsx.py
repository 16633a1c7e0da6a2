"""One streaming look at the XML of an XLSX sheet: formats, errors, missing results, hidden rows, links.

The parser of the rows reads the same bytes and judges whether they are sound XML. This look only picks out the few
tags that say more than the parser tells, with regular expressions, which take a fifth of the time of parsing a second
time: in a table of a million cells Python itself looks at the rows and at the cells that matter, no others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from html import unescape

from importer.files import MOST_ROWS, Package, beyond_the_sheet, damaged
from importer.source.calamine import SheetEntry
from importer.source.formats import BUILT_IN, REGIONAL, NumberFormat, Shows, telling
from importer.source.overrides import ERROR, NO_RESULT, Box, Fact, SheetFacts

# MERGED importer.source.xlsx: What an XLSX workbook says of itself: its sheets, its epoch, and the number format of every cell style.


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets in their order, the part of each by name, the epoch, and the styles.

    `formats` holds for each cell style its number format, None where it is the general one; `regional` are the
    styles that show a date as each computer likes it.
    """

    sheets: tuple[SheetEntry, ...]
    parts: dict[str, str]
    since_1904: bool
    formats: tuple[NumberFormat | None, ...]
    regional: frozenset[int]


def workbook_part(package: Package) -> str | None:
    """Return the name of the part that is the workbook, wherever a writer has put it."""
    targets = (target for kind, target in package.relations("").values() if kind == "officeDocument")
    return next((target for target in targets if target in package.names), None)


def read_workbook(package: Package, part: str) -> Workbook:
    """Return what the workbook part and the styles say. Raises SourceError where they are damaged."""
    try:
        return _read(package, part)
    except ValueError as error:  # a style or a format that is no number
        raise damaged(package.file, str(error)) from error


def _read(package: Package, part: str) -> Workbook:
    root = package.tree(part)
    relations = package.relations(part)
    sheets: list[SheetEntry] = []
    parts: dict[str, str] = {}
    for element in root.iterfind("{*}sheets/{*}sheet"):
        link = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
        kind, target = relations.get(link, ("", ""))
        if kind == "worksheet":
            name = element.get("name", "")
            sheets.append(SheetEntry(name, element.get("state", "visible") == "visible"))
            parts[name] = target
    if not sheets:
        raise damaged(package.file, "no worksheet")
    properties = root.find("{*}workbookPr")
    since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    styles = next((target for kind, target in relations.values() if kind == "styles"), None)
    formats, regional = _formats(package, styles) if styles in package.names and styles else ((), frozenset())
    return Workbook(tuple(sheets), parts, since_1904, formats, regional)


def _formats(package: Package, part: str) -> tuple[tuple[NumberFormat | None, ...], frozenset[int]]:
    """Return the number format of every cell style, if it has one, and which styles are regional dates."""
    root = package.tree(part)
    codes = dict(BUILT_IN)
    for element in root.iterfind("{*}numFmts/{*}numFmt"):
        codes[int(element.get("numFmtId", "0"))] = element.get("formatCode", "General")
    formats: list[NumberFormat | None] = []
    regional = set()
    for style, element in enumerate(root.iterfind("{*}cellXfs/{*}xf")):
        number = int(element.get("numFmtId", "0"))
        formats.append(telling(codes.get(number, "General")))
        if number in REGIONAL and codes[number] == BUILT_IN[number]:
            regional.add(style)
    return tuple(formats), frozenset(regional)


# MERGED importer.source.xlsx: One streaming look at the XML of an XLSX sheet: formats, errors, missing results, hidden rows, links.

_ROOT = re.compile(rb"<([\w.-]+:|)worksheet\b")
_ATTRIBUTE = re.compile(rb"""([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NOT_MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
# From AA on. Who quotes with apostrophes is bounded by the child's memory alone; this search is five times as fast.
_WIDE_COLUMN = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_ROW_NUMBER = re.compile(rb"""\sr=["']([^"']*)["']""")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]+)")
_NARROW = 26  # columns; a sheet without a wide one has fewer than the box allows, however long it is
_LONGEST_ROW = 64 << 20  # bytes; each cell of the widest row may still hold four kilobytes
_MOST_CHANGES = 20_000  # of a column's format; a column with more goes on in the general one
_TRUE = ("1", "true")

_Rows = tuple[list[int], list[int]]  # where each row of a piece begins, and its number


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
        self._latest_fact = 0
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
        waiting, more, size = b"", list[bytes](), 0
        for block in self._package.blocks(self._part):
            more.append(block)
            size += len(block)
            if size < len(waiting):  # a long row: what was searched in vain is searched again once it has doubled
                continue
            waiting, more, size = b"".join((waiting, *more)), [], 0
            if b"<!" in waiting:
                waiting = _NOT_MARKUP.sub(b"", waiting)
            if (end := waiting.rfind(end_of_row)) >= 0:
                yield waiting[: end + len(end_of_row)]
                waiting = waiting[end + len(end_of_row) :]
            elif len(waiting) > _LONGEST_ROW:
                raise damaged(self._package.file, f"{self._part}: no end of a row")
        yield _NOT_MARKUP.sub(b"", b"".join((waiting, *more)))

    def measure(self) -> None:
        """Raise SourceError where the cells that are filled, styled empty ones aside, lie too far apart."""
        box = Box(self._package.file)
        for piece in self.pieces():
            for letters, row in self._words.filled.findall(piece):
                box.add(int(row), int(row), _position(letters) - 1)

    def take(self, piece: bytes) -> None:
        """Look at the next bytes, which end behind a row or with the part."""
        self._rightmost = max(self._rightmost, *(_position(wide) for wide in set(_WIDE_COLUMN.findall(piece))), 0)
        if self._plain:
            self._note_formats(piece)
        rows = self._rows(piece)
        facts = [
            (int(row), _position(letters) - 1, int(style), _as_stored(value))
            for letters, row, style, value in self._words.shown.findall(piece)
        ]
        if self._words.may_tell_more(piece, len(facts)):
            cells = self._words.telling.finditer(piece)
            facts += [fact for cell in cells if (fact := self._fact(piece, rows, cell))]
        self._keep(sorted(facts))
        for tag in self._words.others.finditer(piece):
            attributes = _attributes(tag["attributes"])
            if tag["name"] == b"hyperlink":
                self._link(attributes)
            else:
                self._count_hidden(attributes)

    def _keep(self, facts: list[Fact]) -> None:
        """Keep the facts of a piece; raises ValueError where its cells do not follow those before."""
        if facts:
            if facts[0][0] <= self._latest_fact:
                raise ValueError(f"row {facts[0][0]} after row {self._latest_fact}")
            self._latest_fact = facts[-1][0]
            self.facts.add(facts)

    def _note_formats(self, piece: bytes) -> None:
        """Note where the plain number format of a column changes, which in most columns it never does."""
        latest = self._latest
        for letters, row, style in self._words.styled.findall(piece):
            code = self._plain.get(style, "")
            if latest.get(letters, "") != code:
                latest[letters] = code
                changes = self.facts.plain_formats.setdefault(_position(letters) - 1, [])
                if len(changes) < _MOST_CHANGES:
                    changes.append((int(row), code if len(changes) < _MOST_CHANGES - 1 else ""))

    def _rows(self, piece: bytes) -> _Rows:
        """Return where each row of a piece begins, and its number; note which are hidden."""
        starts, numbers = [], []
        for tag in self._words.row.finditer(piece):
            number = _ROW_NUMBER.search(tag[1])
            row = int(number[1]) if number else self._row + 1
            if row <= self._row:
                raise damaged(self._package.file, f"row {row} after row {self._row}")
            if row > MOST_ROWS:
                raise beyond_the_sheet(self._package.file)
            self._first_row = self._first_row or row
            self._row = row
            starts.append(tag.end())
            numbers.append(row)
            if b"hidden" in tag[1] and _attributes(tag[1]).get("hidden") in _TRUE:
                self.facts.hidden.add(row)
        return starts, numbers

    def _fact(self, piece: bytes, rows: _Rows, cell: re.Match[bytes]) -> Fact | None:
        """Return what a cell says of itself, None where it says nothing or is empty."""
        if cell[1].endswith(b"/"):
            return None
        words = self._words
        attributes = _attributes(cell[1])
        content = piece[cell.end() : piece.find(words.end_of_cell, cell.end())]
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
        return *self._place(attributes.get("r", ""), piece, rows, cell), *fact

    def _place(self, reference: str, piece: bytes, rows: _Rows, cell: re.Match[bytes]) -> tuple[int, int]:
        """Return the row of a cell and its column from 0: by its reference, or else by what stands before it."""
        if named := _REFERENCE.fullmatch(reference):
            return int(named[2]), _position(named[1].encode()) - 1
        starts, numbers = rows
        at = bisect_right(starts, cell.start()) - 1
        if at < 0:
            raise ValueError(f"{self._part}: a cell outside of the rows")
        return numbers[at], self._words.walk(piece[starts[at] : cell.end()])

    def _count_hidden(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in _TRUE:
            self.facts.hidden_columns += int(attributes.get("max", "0")) - int(attributes.get("min", "0")) + 1

    def _link(self, attributes: dict[str, str]) -> None:
        first = _REFERENCE.match(attributes.get("ref", ""))
        link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = self._targets.get(link) or attributes.get("location", "")
        if first and target:
            self.facts.links.setdefault(int(first[2]), []).append((_position(first[1].encode()) - 1, target))


class _Words:
    """What to look for in a sheet, spelled with the prefix that its writer gives to the main namespace.

    `shown` finds numbers of a style that shows more, as every program of note writes them. `telling` finds the other
    cells that may say something: of such a style, with an error or with a formula.
    """

    def __init__(self, start: bytes, shown: frozenset[str]) -> None:
        root = _ROOT.search(start)
        prefix = root[1] if root else b""
        styles = "|".join(sorted(shown)).encode() or b"-"
        number = rb' r="([A-Z]{1,3})([0-9]+)" s="(%b)"(?: t="n")?><%bv>([0-9.Ee+-]+)</%bv></' % (styles, prefix, prefix)
        telling = rb"""[^<>]*+>\s*+<%bf[\s/>]|(?:[^<>\s]*+\s)+?(?:s=["'](?:%b)["']|t=["']e["'])""" % (prefix, styles)
        self.shown = re.compile(rb"<%bc%b" % (prefix, number))
        self.telling = re.compile(rb"<%bc(?=[\s>])(?=%b)(?!%b)([^<>]*)>" % (prefix, telling, _ungrouped(number)))
        self._formula = b"<%bf" % prefix
        self._styles = [b' s="%b"' % style.encode() for style in shown]
        self.row = re.compile(rb"<%brow(?=[\s/>])([^<>]*)>" % prefix)
        self.others = re.compile(rb"<%b(?P<name>col|hyperlink)(?=[\s/>])(?P<attributes>[^<>]*)>" % prefix)
        self.cell = re.compile(rb"<%bc(?=[\s/>])([^<>]*)>" % prefix)
        # As every program of note writes it; of other cells the plain formats are lost, and nothing else.
        self.styled = re.compile(rb"""<%bc r="([A-Z]+)([0-9]+)"(?: s="([0-9]+)")?""" % prefix)
        self.end_of_cell = b"</%bc>" % prefix
        self.end_of_row = b"</%brow>" % prefix
        self.filled = re.compile(rb"""<%bc\s(?:[^<>]*\s)?r=["']([A-Z]+)([0-9]+)["'](?:[^<>]*[^<>/])?>""" % prefix)
        self.formula, self.value = (
            re.compile(rb"<%b%b(?:\s[^<>]*)?(?:/>|>([^<]*))" % (prefix, tag)) for tag in (b"f", b"v")
        )

    def may_tell_more(self, piece: bytes, shown: int) -> bool:
        """Whether a piece may hold more cells that tell something than those `shown`; False spares a closer look."""
        if self._formula in piece or b'"e"' in piece or b"='" in piece:
            return True
        return sum(map(piece.count, self._styles)) != shown

    def walk(self, row_so_far: bytes) -> int:
        """Return the column from 0 of a row's latest cell: one without a reference follows the one before it."""
        column = -1
        for cell in self.cell.findall(row_so_far):
            named = _REFERENCE.match(_attributes(cell).get("r", ""))
            column = _position(named[1].encode()) - 1 if named else column + 1
        return column


def _ungrouped(pattern: bytes) -> bytes:
    """Return a pattern whose groups keep nothing."""
    return re.sub(rb"\((?!\?)", b"(?:", pattern)


def _attributes(text: bytes) -> dict[str, str]:
    """Return the attributes of a tag."""
    return {name.decode(): unescape((a or b).decode()) for name, a, b in _ATTRIBUTE.findall(text)}


def _text(element: re.Pattern[bytes], content: bytes) -> str | None:
    """Return the text of an element within a cell, empty for `<v/>`, None where there is no such element."""
    found = element.search(content)
    return None if found is None else unescape((found[1] or b"").decode()).strip()


@lru_cache(maxsize=1 << 16)
def _as_stored(number: bytes) -> str:
    """Return the text of a stored number as Python writes it; raises ValueError where it is none."""
    return repr(float(number))


@cache
def _position(letters: bytes) -> int:
    """Return the position from 1 of a column by its letters."""
    position = 0
    for letter in letters:
        position = position * 26 + letter - 64
    return position
