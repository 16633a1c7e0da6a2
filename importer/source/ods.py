"""What the XML of an ODS table says that calamine does not report.

These are the texts that dates and padded numbers show, errors, formulas without a result, hidden rows and merged cells.
The part is read by expat, as a sheet of an XLSX workbook is, and for the same reason.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from importer.files import Package
from importer.source.overrides import ERROR, NO_RESULT, SHOWN, Box, SheetFacts

_CONTENT = "content.xml"
_READ_AS_SHOWN = ("date", "time", "percentage")
_MORE_THAN_DIGITS = re.compile(r"-?0[0-9]|[^0-9]+$")  # padding zeros, or TRUE in any language
_HIDDEN = ("collapse", "filter")
_CELLS = ("table:table-cell", "table:covered-table-cell")
_MOST_HIDDEN = 1 << 16  # rows in one element: the empty rows that fill a sheet to its end are hidden in one


def scan(package: Package, sheet: str) -> SheetFacts:
    """Return the facts about a sheet.

    Raises SourceError where the file is damaged or its filled cells are too far apart.
    """
    scanner = _TableScanner(package.file, sheet)
    for _block in package.parse(_CONTENT, scanner.parser):
        pass
    return scanner.facts


class _TableScanner:
    """Collects the facts about one table while expat reads content.xml; every ODF program uses the same prefixes."""

    def __init__(self, file: str, sheet: str) -> None:
        self.facts = SheetFacts()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add_text
        self._sheet = sheet
        self._box = Box(file)
        self._inside = False
        self._row = 0  # the number of the latest row that is complete
        self._repeat = 1
        self._column = 0
        self._cell: dict[str, str] | None = None
        self._annotations = 0  # how many are open; their text is not the cell's
        self._text: list[str] = []
        self._facts_of_row: list[tuple[int, int, str]] = []  # column, kind and text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._inside = attributes.get("table:name") == self._sheet
        elif not self._inside:
            return
        elif name == "table:table-row":
            self._open_row(attributes)
        elif name in _CELLS:
            self._cell, self._text = attributes, []
        elif name == "office:annotation":
            self._annotations += 1
        elif name == "table:table-column" and attributes.get("table:visibility") in _HIDDEN:
            self.facts.hidden_columns += int(attributes.get("table:number-columns-repeated", "1"))

    def _add_text(self, text: str) -> None:
        if self._cell is not None and not self._annotations:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name == "table:table":
            self._inside = False
        elif name == "office:annotation":
            self._annotations -= 1
        elif self._inside and name in _CELLS:
            self._close_cell()
        elif self._inside and name == "table:table-row":
            self._close_row()

    def _open_row(self, attributes: dict[str, str]) -> None:
        self._repeat = int(attributes.get("table:number-rows-repeated", "1"))
        self._column = 0
        if attributes.get("table:visibility") in _HIDDEN:
            first = self._row + 1
            self.facts.hidden.update(range(first, first + min(self._repeat, _MOST_HIDDEN)))

    def _close_cell(self) -> None:
        cell, self._cell = self._cell or {}, None
        repeat = int(cell.get("table:number-columns-repeated", "1"))
        text = "".join(self._text)
        kind = cell.get("office:value-type", "")
        fact = _fact(cell, kind, text)
        if text or kind or fact:
            self._box.add(self._row, self._row + self._repeat - 1, self._column + repeat - 1)
        if fact:
            self._facts_of_row.extend((column, *fact) for column in range(self._column, self._column + repeat))
        down = int(cell.get("table:number-rows-spanned", "1"))
        right = int(cell.get("table:number-columns-spanned", "1"))
        if down > 1 or right > 1:
            corner = (self._row + down - 1, self._column + right - 1)
            self.facts.merged.append(((self._row, self._column), corner))
        self._column += repeat

    def _close_row(self) -> None:
        if self._facts_of_row:
            for row in range(self._row + 1, self._row + 1 + self._repeat):
                self.facts.add([(row, *fact) for fact in self._facts_of_row])
            self._facts_of_row = []
        self._row += self._repeat


def _fact(cell: dict[str, str], kind: str, text: str) -> tuple[int, str] | None:
    """Return what a cell's attributes and shown text say beyond its value, as a kind of fact and its text."""
    if cell.get("calcext:value-type") == "error":
        return ERROR, text
    if "table:formula" in cell and not kind and not text:
        return NO_RESULT, cell["table:formula"].partition(":")[2]
    if kind in _READ_AS_SHOWN or (kind == "float" and _MORE_THAN_DIGITS.match(text)):
        return SHOWN, text
    return None
