"""One streaming look at the XML of an ODS table: what dates and padded numbers show, errors, hidden rows, merges."""

from __future__ import annotations

import re
from xml.parsers import expat

from importer.files import Package
from importer.source.overrides import ERROR, NO_RESULT, SHOWN, Box, SheetFacts

_CONTENT = "content.xml"
_SHOWN_AS_SEEN = ("date", "time", "percentage")
_MORE_THAN_DIGITS = re.compile(r"-?0[0-9]|[^0-9]+$")  # padding zeros, or TRUE in whatever language
_HIDDEN = ("collapse", "filter")


def scan(package: Package, sheet: str) -> SheetFacts:
    """Return the facts of a sheet. Raises SourceError where the file is damaged or scattered too widely."""
    seen = _Scan(package.file, sheet)
    for _block in package.parse(_CONTENT, seen.parser()):
        pass
    return seen.facts


class _Scan:
    """The state of one look at content.xml; names are as every ODF program writes their prefixes."""

    def __init__(self, file: str, sheet: str) -> None:
        self.facts = SheetFacts()
        self._sheet = sheet
        self._box = Box(file)
        self._inside = False
        self._row = 0  # of the last row that is complete
        self._repeat = 1
        self._column = 0
        self._cell: dict[str, str] | None = None
        self._notes = 0  # depth of annotations, whose text is not the cell's
        self._text: list[str] = []
        self._of_row: list[tuple[int, int, str]] = []  # column, kind and text

    def parser(self) -> expat.XMLParserType:
        """Return a parser that calls this look."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._inside = attributes.get("table:name") == self._sheet
        elif not self._inside:
            return
        elif name == "table:table-row":
            self._repeat = int(attributes.get("table:number-rows-repeated", "1"))
            self._column = 0
            if attributes.get("table:visibility") in _HIDDEN:
                self._hide()
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._cell, self._text = attributes, []
        elif name == "office:annotation":
            self._notes += 1
        elif name == "table:table-column" and attributes.get("table:visibility") in _HIDDEN:
            self.facts.hidden_columns += int(attributes.get("table:number-columns-repeated", "1"))

    def _characters(self, text: str) -> None:
        if self._cell is not None and not self._notes:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name == "table:table":
            self._inside = False
        elif name == "office:annotation":
            self._notes -= 1
        elif self._inside and name in ("table:table-cell", "table:covered-table-cell"):
            self._close_cell()
        elif self._inside and name == "table:table-row":
            self._close_row()

    def _hide(self) -> None:
        """Note hidden rows; the empty ones that fill a sheet to its end are hidden in one piece and of no account."""
        self.facts.hidden.update(range(self._row + 1, self._row + 1 + min(self._repeat, 1 << 16)))

    def _close_cell(self) -> None:
        cell, self._cell = self._cell or {}, None
        repeat = int(cell.get("table:number-columns-repeated", "1"))
        text = "".join(self._text)
        kind = cell.get("office:value-type", "")
        if text or kind:
            self._box.add(self._row, self._row + self._repeat - 1, self._column + repeat - 1)
        fact = _fact(cell, kind, text)
        if fact is not None:
            self._of_row.extend((column, *fact) for column in range(self._column, self._column + repeat))
        down, right = (
            int(cell.get("table:number-rows-spanned", "1")),
            int(cell.get("table:number-columns-spanned", "1")),
        )
        if down > 1 or right > 1:
            self.facts.merged.append(
                ((self._row, self._column), (self._row + down - 1, self._column + right - 1)),
            )
        self._column += repeat

    def _close_row(self) -> None:
        if self._of_row:
            for row in range(self._row + 1, self._row + 1 + self._repeat):
                self.facts.add([(row, *fact) for fact in self._of_row])
            self._of_row = []
        self._row += self._repeat


def _fact(cell: dict[str, str], kind: str, text: str) -> tuple[int, str] | None:
    """Return what a cell's attributes and shown text tell beyond its value."""
    if cell.get("calcext:value-type") == "error":
        return ERROR, text
    if "table:formula" in cell and not kind and not text:
        return NO_RESULT, cell["table:formula"].partition(":")[2]
    if kind in _SHOWN_AS_SEEN or (kind == "float" and _MORE_THAN_DIGITS.match(text)):
        return SHOWN, text
    return None
