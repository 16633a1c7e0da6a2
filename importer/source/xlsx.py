"""What an XLSX workbook says about itself, and what a sheet's XML says that calamine does not report.

The sheet is read a second time, beside calamine, for its number formats, errors, formulas without a result, hidden
rows and links. This is done with expat and not with `iterparse`: in a sheet of a million cells, building an element for
each cell takes several times as long as the whole reading. `importer.files.Package` has refused documents that declare
entities before expat sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

from importer.files import LONGEST_CELL, MOST_ROWS, Package, beyond_the_sheet, damaged
from importer.messages import _
from importer.source.formats import CellFormats, Shows, cell_formats
from importer.source.overrides import ERROR, NO_RESULT, Box, Fact, SheetFacts
from importer.source.parsing import SheetEntry

Attributes = dict[str, str]

_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]+)")
_MOST_CHANGES = 20_000  # of a column's plain format; a column with more continues in the general format
_TRUE = ("1", "true")


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets in their order, the part of each by name, the epoch, and the formats of cell styles."""

    sheets: tuple[SheetEntry, ...]
    parts: dict[str, str]
    since_1904: bool
    formats: CellFormats


def workbook_part(package: Package) -> str | None:
    """Return the name of the part that is the workbook, wherever the program that wrote it has put it."""
    targets = (target for kind, target in package.relations("").values() if kind == "officeDocument")
    return next((target for target in targets if target in package.names), None)


def read_workbook(package: Package, part: str) -> Workbook:
    """Return what the workbook part and the styles say. Raises SourceError where they are damaged."""
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
    since_1904 = properties is not None and properties.get("date1904") in _TRUE
    styles = next((target for kind, target in relations.values() if kind == "styles"), None)
    formats = _read_styles(package, styles) if styles in package.names and styles else CellFormats()
    return Workbook(tuple(sheets), parts, since_1904, formats)


def _read_styles(package: Package, part: str) -> CellFormats:
    root = package.tree(part)
    try:
        codes = {
            int(element.get("numFmtId", "0")): element.get("formatCode", "General")
            for element in root.iterfind("{*}numFmts/{*}numFmt")
        }
        styles = [int(element.get("numFmtId", "0")) for element in root.iterfind("{*}cellXfs/{*}xf")]
    except ValueError as error:
        raise damaged(package.file, str(error)) from error
    return cell_formats(styles, codes)


def scan(package: Package, part: str, formats: CellFormats) -> SheetFacts:
    """Return the facts about the sheet in `part`.

    Raises SourceError where the sheet is damaged or its filled cells are too far apart.
    """
    if b"\0" in next(package.blocks(part), b"")[:4]:  # calamine would take the sheet for an empty one
        raise damaged(package.file, _("part {name} is in UTF-16", name=part))
    targets = {link: target for link, (_kind, target) in package.relations(part).items()}
    scanner = _SheetScanner(package.file, targets, formats)
    for _block in package.parse(part, scanner.parser):
        pass
    return scanner.finish()


class _SheetScanner:
    """Collects the facts about one sheet while expat reads it.

    Most cells need no more than a look at their attributes, so the handlers of text and of the ends of elements are
    set only while a cell is read whose content matters.
    """

    def __init__(self, file: str, targets: dict[str, str], formats: CellFormats) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._root
        self._facts = SheetFacts()
        self._file = file
        self._targets = targets
        named = {str(style): shown for style, shown in enumerate(formats.by_style) if shown is not None}
        self._shown = frozenset(style for style, shown in named.items() if shown.shows is not Shows.PLAIN)
        self._plain = {style: shown.code for style, shown in named.items() if style not in self._shown}
        self._box = Box(file)
        self._handlers: dict[str, Callable[[Attributes], None]] = {}
        self._cell_end = self._formula = self._value = ""
        self._facts_of_row: list[Fact] = []
        self._row = self._latest_fact = 0
        self._column = self._filled = -1  # of the latest cell, and of the rightmost filled one in the row
        self._cell: Attributes = {}
        self._codes: dict[int, str] = {}  # the plain format of each column's latest cell
        self._texts: dict[str, list[str]] = {}  # of the elements within the cell whose content matters
        self._length = 0

    def finish(self) -> SheetFacts:
        """Return the facts once the sheet has been read to its end. Raises SourceError as `scan` does."""
        try:
            self._close_row()
        except ValueError as error:
            raise damaged(self._file, str(error)) from error
        return self._facts

    def _root(self, name: str, _attributes: Attributes) -> None:
        """Learn from the root element the prefix that the writer gave to the main namespace."""
        prefix = name[: -len("worksheet")] if name.endswith(":worksheet") else ""
        self._cell_end, self._formula, self._value = (f"{prefix}{tag}" for tag in "cfv")
        handlers = {
            "row": self._open_row, "c": self._open_cell, "f": self._open_formula, "v": self._open_value,
            "is": self._open_content, "col": self._count_hidden, "hyperlink": self._add_link,
        }  # fmt: skip
        self._handlers = {prefix + tag: handler for tag, handler in handlers.items()}
        self.parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: Attributes) -> None:
        handler = self._handlers.get(name)
        if handler is not None:
            handler(attributes)

    def _open_row(self, attributes: Attributes) -> None:
        self._close_row()
        row = int(attributes.get("r", self._row + 1))
        if row <= self._row:
            raise ValueError(f"row {row} after row {self._row}")
        if row > MOST_ROWS:
            raise beyond_the_sheet(self._file)
        self._row, self._column = row, -1
        if attributes.get("hidden") in _TRUE:
            self._facts.hidden.add(row)

    def _close_row(self) -> None:
        """Keep the facts of the latest row, and add its filled cells, without those that are only styled, to the box.

        Raises ValueError where its cells name rows above those before.
        """
        if self._filled >= 0:
            self._box.add(self._row, self._row, self._filled)
            self._filled = -1
        if self._facts_of_row:
            facts, self._facts_of_row = sorted(self._facts_of_row), []
            if facts[0][0] <= self._latest_fact:
                raise ValueError(f"row {facts[0][0]} after row {self._latest_fact}")
            self._latest_fact = facts[-1][0]
            self._facts.add(facts)

    def _open_cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        self._column = column = _column_index(reference.rstrip("0123456789")) if reference else self._column + 1
        style = attributes.get("s", "")
        code = self._plain.get(style, "")
        if self._codes.get(column, "") != code:
            self._change_format(code)
        self._cell = attributes
        if style in self._shown or attributes.get("t") == "e":
            self._watch_cell()

    def _change_format(self, code: str) -> None:
        """Note that the plain number format of a column changes, which in most columns it never does."""
        self._codes[self._column] = code
        changes = self._facts.plain_formats.setdefault(self._column, [])
        if len(changes) < _MOST_CHANGES:
            changes.append((self._row, code if len(changes) < _MOST_CHANGES - 1 else ""))

    def _watch_cell(self) -> None:
        """Read the content of the current cell to its end."""
        if self.parser.EndElementHandler is None:
            self._texts, self._length = {}, 0
            self.parser.EndElementHandler = self._end

    def _open_content(self, _attributes: Attributes) -> None:
        self._filled = max(self._filled, self._column)

    def _open_formula(self, attributes: Attributes) -> None:
        self._open_content(attributes)
        self._watch_cell()
        self._collect(self._formula)

    def _open_value(self, attributes: Attributes) -> None:
        self._open_content(attributes)
        if self.parser.EndElementHandler is not None:
            self._collect(self._value)

    def _collect(self, name: str) -> None:
        """Collect the text of an element that has just begun."""
        pieces = self._texts[name] = []

        def add(text: str) -> None:
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise ValueError(f"a value in row {self._row} has no end")
            pieces.append(text)

        self.parser.CharacterDataHandler = add

    def _end(self, name: str) -> None:
        self.parser.CharacterDataHandler = None
        if name == self._cell_end:
            self.parser.EndElementHandler = None
            self._close_cell()

    def _close_cell(self) -> None:
        """Keep what the cell says beyond its value, if anything."""
        texts = {name: "".join(pieces).strip() for name, pieces in self._texts.items()}
        formula, value = texts.get(self._formula), texts.get(self._value, "")
        kind, style = self._cell.get("t", "n"), self._cell.get("s", "")
        if kind == "e":
            self._add_fact(ERROR, value)
        elif formula is not None and not value and kind != "str":  # programs that do not calculate write no <v>
            self._add_fact(NO_RESULT, "=" + formula)
        elif value and kind == "n" and style in self._shown:
            self._add_fact(int(style), repr(float(value)))

    def _add_fact(self, kind: int, text: str) -> None:
        named = _REFERENCE.fullmatch(self._cell.get("r", ""))
        self._facts_of_row.append((int(named[2]) if named else self._row, self._column, kind, text))

    def _count_hidden(self, attributes: Attributes) -> None:
        if attributes.get("hidden") in _TRUE:
            self._facts.hidden_columns += int(attributes.get("max", "0")) - int(attributes.get("min", "0")) + 1

    def _add_link(self, attributes: Attributes) -> None:
        first = _REFERENCE.match(attributes.get("ref", ""))
        link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = self._targets.get(link) or attributes.get("location", "")
        if first and target:
            self._facts.add_link(int(first[2]), _column_index(first[1]), target)


@lru_cache(maxsize=1 << 15)
def _column_index(letters: str) -> int:
    """Return the index from 0 of a column by its letters; raises ValueError for anything else."""
    index = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"no column {letters}")
        index = index * 26 + ord(letter) - 64
    return index - 1
