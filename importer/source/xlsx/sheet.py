"""What the XML of an XLSX sheet says that calamine does not report.

The sheet is read a second time, beside calamine, for its number formats, errors, formulas without a result, hidden
rows and links. This is done with expat and not with `iterparse`: in a sheet of a million cells, building an element for
each cell takes several times as long as the whole reading. `system.files.Package` has refused documents that declare
entities before expat sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from xml.parsers import expat

from importer.source.header import column_letter
from importer.source.number_formats.codes import CellFormats
from importer.source.number_formats.dates import ISO_MOMENT
from importer.source.overrides import ERROR, NO_RESULT, NO_TEXT, Box, Fact, SheetFacts
from importer.system.files import LONGEST_CELL, MOST_ROWS, Package, beyond_the_sheet, damaged

Attributes = dict[str, str]

_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]+)")
_AREA = re.compile(r"([A-Za-z]{1,3})[0-9]+:([A-Za-z]{1,3})([0-9]+)")
_MOST_CHANGES = 20_000  # of a column's plain format; a column with more continues in the general format
_TRUE, _FALSE = ("1", "true"), ("0", "false")
_ZERO = re.compile(r"0+(?:\.0*)?")
_MOST_IN_ARRAYS = 1_000_000  # cells that array formulas fill
_DIGITS = "0123456789"
_TEXTS = ("s", "str", "inlineStr")
_TOLD = ("e", "d")  # calamine reads no such cell as Excel shows it


def scan(package: Package, part: str, formats: CellFormats, *, uncalculated: bool = False) -> SheetFacts:
    """Return the facts about the sheet in `part`; `uncalculated` is what the workbook says of its results.

    Raises SourceError where the sheet is damaged or its filled cells are too far apart.
    """
    targets = {link: target for link, (_kind, target) in package.relations(part).items()}
    scanner = _SheetScanner(package.file, targets, formats, uncalculated=uncalculated)
    seems_too_large = False
    for _block in package.parse(part, scanner.parser):
        if not seems_too_large and scanner.span > Box.LARGEST:  # what is refused is not read to its end
            seems_too_large = True
            _measure(package, part)
    scanner.finish()
    if not seems_too_large and scanner.span > Box.LARGEST:
        _measure(package, part)
    return scanner.facts


class _SheetScanner:
    """Collects the facts about one sheet while expat reads it.

    Of most cells only the attributes matter. So text and the ends of elements are handled only within a cell whose
    content matters, and what is cheap to leave out is left out of `_start`, which is called a million times.
    """

    def __init__(self, file: str, targets: dict[str, str], formats: CellFormats, *, uncalculated: bool) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._root
        self.facts = SheetFacts()
        self._file = file
        self._targets = targets
        named = {str(style): shown for style, shown in enumerate(formats.by_style) if shown is not None}
        self._shown = frozenset(style for style, shown in named.items() if not shown.is_plain)
        self._texts_shown = frozenset(style for style, shown in named.items() if shown.text is not None)
        self._plain = {style: shown.code for style, shown in named.items() if style not in self._shown}
        self._codes: dict[str, str] = {}  # the plain format of the latest cell, by the column's letters
        self._handlers: dict[str, Callable[[Attributes], None]] = {}
        self._uncalculated = uncalculated
        self._cell_tag = self._formula = self._value = self._inline = ""
        self._cell: Attributes = {}  # the latest cell of the row, always with a reference
        self._texts: dict[str, list[str]] = {}  # of the elements within a cell whose content matters
        self._length = 0
        self._area = ""  # of the current cell's formula, where that fills other cells, too
        self._arrays = UnfilledArrays()
        self._in_array = False
        self._facts_of_row: list[Fact] = []
        self._first_row = self._row = self._latest_fact = 0
        self._rightmost = -1

    @property
    def span(self) -> int:
        """How many cells there are from the first row to the last and up to the rightmost column."""
        return (self._row - self._first_row + 1) * (self._rightmost + 1)

    def finish(self) -> None:
        """Complete the facts once the sheet has been read to its end. Raises SourceError as `scan` does."""
        try:
            self._close_row()
        except ValueError as error:
            raise damaged(self._file, str(error)) from error

    def _root(self, name: str, _attributes: Attributes) -> None:
        """Learn from the root element the prefix that the writer gave to the main namespace."""
        prefix = name.removesuffix("worksheet")
        self._cell_tag, self._formula, self._value, self._inline = (f"{prefix}{tag}" for tag in ("c", "f", "v", "is"))
        self._handlers = {
            f"{prefix}row": self._open_row,
            f"{prefix}f": self._open_formula,
            f"{prefix}col": self._count_hidden,
            f"{prefix}hyperlink": self._add_link,
        }
        self.parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == self._cell_tag:
            if "r" not in attributes:
                attributes["r"] = self._next_reference()
            self._cell = attributes
            style = attributes.get("s", "")
            if self._plain:
                letters, code = attributes["r"].rstrip(_DIGITS), self._plain.get(style, "")
                if self._codes.get(letters, "") != code:
                    self._change_format(letters, code)
            if style in self._shown or attributes.get("t") in _TOLD or self._in_array:
                self._watch_cell()
        elif name in self._handlers:
            self._handlers[name](attributes)

    def _next_reference(self) -> str:
        """Return the reference of a cell that has none: it follows the one before it."""
        column = _column_of(self._cell["r"]) + 1 if self._cell else 0
        return f"{column_letter(column)}{self._row}"

    def _change_format(self, letters: str, code: str) -> None:
        """Note that the plain number format of a column changes, which in most columns it never does."""
        self._codes[letters] = code
        changes = self.facts.plain_formats.setdefault(column_index(letters), [])
        if len(changes) < _MOST_CHANGES:
            changes.append((self._row, code if len(changes) < _MOST_CHANGES - 1 else ""))

    def _open_row(self, attributes: Attributes) -> None:
        self._close_row()
        row = int(attributes.get("r", self._row + 1))
        if row <= self._row:
            raise ValueError(f"row {row} after row {self._row}")
        if row > MOST_ROWS:
            raise beyond_the_sheet(self._file)
        self._first_row = self._first_row or row
        self._row, self._cell = row, {}
        if attributes.get("hidden") in _TRUE or _has_no_size(attributes, "ht", "customHeight"):
            self.facts.hidden.add(row)

    def _close_row(self) -> None:
        """Keep the facts of the latest row; raises ValueError where its cells name a row above those before."""
        if self._cell:
            self._rightmost = max(self._rightmost, _column_of(self._cell["r"]))
        if self._in_array:
            self._facts_of_row += self._arrays.facts_of(self._row, self._rightmost)
            self._in_array = bool(self._arrays.open)
        if self._facts_of_row:
            facts, self._facts_of_row = sorted(self._facts_of_row), []
            if facts[0][0] <= self._latest_fact:
                raise ValueError(f"row {facts[0][0]} after row {self._latest_fact}")
            self._latest_fact = facts[-1][0]
            self.facts.add(facts)

    def _watch_cell(self) -> None:
        """Handle the content of the current cell, up to its end."""
        self._texts, self._length, self._area = {}, 0, ""
        self.parser.StartElementHandler = self._start_within
        self.parser.EndElementHandler = self._end_within

    def _open_formula(self, attributes: Attributes) -> None:
        self._watch_cell()
        self._start_within(self._formula, attributes)

    def _start_within(self, name: str, attributes: Attributes) -> None:
        """Begin to collect the text of an element within the current cell; of an inline text, note that it exists."""
        if name == self._formula and attributes.get("t") in ("array", "dataTable"):
            self._area = attributes.get("ref", "")
        if name not in (self._formula, self._value, self._inline):
            return
        pieces = self._texts[name] = []

        def add(text: str) -> None:
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise ValueError(f"a value in row {self._row} has no end")
            pieces.append(text)

        self.parser.CharacterDataHandler = add

    def _end_within(self, name: str) -> None:
        self.parser.CharacterDataHandler = None
        if name == self._cell_tag:
            self.parser.StartElementHandler = self._start
            self.parser.EndElementHandler = None
            self._close_cell()

    def _close_cell(self) -> None:
        """Keep what the cell says beyond its value, if anything."""
        texts = {name: "".join(pieces).strip() for name, pieces in self._texts.items()}
        formula, value = texts.get(self._formula), texts.get(self._value, "")
        kind, style = self._cell.get("t", "n"), self._cell.get("s", "")
        empty_text = kind == "str" and self._value in texts
        known = bool(value) or empty_text or self._inline in texts
        if kind == "n" and self._uncalculated and _ZERO.fullmatch(value):
            known = False
        if kind == "e":
            self._add_error(value)
        elif formula is not None and not known:  # programs that do not calculate write no <v>, or a zero
            self._add_fact(NO_RESULT, "=" + formula)
            if self._area:
                self._arrays.add(self._area, "=" + formula)
                self._in_array = True
        elif value and kind == "n" and style in self._shown:
            self._add_fact(int(style), repr(float(value)))
        elif kind == "d" and ISO_MOMENT.match(value):
            self._add_fact(int(style or 0), value)
        elif kind in _TEXTS and style in self._texts_shown:
            self._add_fact(int(style), "")  # the parser has the text
        if known and self._in_array:
            self._arrays.leave_out(_column_of(self._cell["r"]))

    def _add_error(self, value: str) -> None:
        """Keep an error, as `importer.source.xlsx.repair` spells those that calamine does not know, or as it stands."""
        missing = self._cell.get("missing")
        if missing is None:
            self._add_fact(ERROR, self._cell.get("error", value))
        else:
            self._add_fact(NO_TEXT, missing)

    def _add_fact(self, kind: int, text: str) -> None:
        letters = self._cell["r"].rstrip(_DIGITS)
        row = int(self._cell["r"][len(letters) :])
        self._facts_of_row.append((row, column_index(letters), kind, text))

    def _count_hidden(self, attributes: Attributes) -> None:
        if attributes.get("hidden") in _TRUE or _has_no_size(attributes, "width", "customWidth"):
            self.facts.hidden_columns += int(attributes.get("max", "0")) - int(attributes.get("min", "0")) + 1

    def _add_link(self, attributes: Attributes) -> None:
        first = _REFERENCE.match(attributes.get("ref", ""))
        link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = self._targets.get(link) or attributes.get("location", "")
        if first and target:
            self.facts.add_link(int(first[2]), column_index(first[1]), target)


class UnfilledArrays:
    """The areas of array formulas without a result: their other cells have none either, and often are not written."""

    def __init__(self) -> None:
        """Begin without an area."""
        self.open: list[tuple[tuple[int, int, int], str]] = []  # left, right, last row; and the formula
        self._known: set[int] = set()  # the columns of the current row that have a result of their own
        self._count = 0

    def add(self, area: str, formula: str) -> None:
        """Take the area of a formula whose cell is in the current row."""
        if found := _AREA.fullmatch(area):
            self.open.append(((column_index(found[1]), column_index(found[2]), int(found[3])), formula))

    def leave_out(self, column: int) -> None:
        """Note that a cell of the current row has a result."""
        self._known.add(column)

    def facts_of(self, row: int, rightmost: int) -> list[Fact]:
        """Return the facts about a row that is complete, up to the sheet's rightmost column so far.

        Raises ValueError beyond a million.
        """
        facts = [
            (row, column, NO_RESULT, formula)
            for (left, right, _last), formula in self.open
            for column in range(left, min(right, rightmost) + 1)
            if column not in self._known
        ]
        self._count += len(facts)
        if self._count > _MOST_IN_ARRAYS:
            raise ValueError("an array formula has no end")
        self._known.clear()
        self.open = [(area, formula) for area, formula in self.open if area[2] > row]
        return facts


def _has_no_size(attributes: Attributes, size: str, custom: str) -> bool:
    """Return whether a row or column is as small as one that Excel hides, which cannot be seen either."""
    return attributes.get(custom) in _TRUE and _ZERO.fullmatch(attributes.get(size, "")) is not None


def _measure(package: Package, part: str) -> None:
    """Raise SourceError where the cells that are filled, without those that are only styled, are too far apart."""
    box = Box(package.file)
    reference = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal reference
        tag = name.rpartition(":")[2]
        if tag == "c":
            reference = attributes.get("r", "")
        elif tag in ("f", "v", "is") and (place := _REFERENCE.fullmatch(reference)):
            box.add(int(place[2]), int(place[2]), column_index(place[1]))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    for _block in package.parse(part, parser):
        pass


def _column_of(reference: str) -> int:
    """Return the index from 0 of the column that a reference such as B7 names."""
    return column_index(reference.rstrip(_DIGITS))


@lru_cache(maxsize=1 << 15)
def column_index(letters: str) -> int:
    """Return the index from 0 of a column by its letters; raises ValueError for anything else."""
    index = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"no column {letters}")
        index = index * 26 + ord(letter) - 64
    return index - 1
