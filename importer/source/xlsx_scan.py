"""One streaming look at the XML of an XLSX sheet: formats, errors, missing results, hidden rows, links."""

from __future__ import annotations

import re
from xml.parsers import expat

from importer.source.facts import ERROR, NO_RESULT, Box, Fact, SheetFacts
from importer.source.number_format import NumberFormat
from importer.source.package import Package
from importer.source.refusals import damaged

_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")
_TRUE = ("1", "true")
_RESULT = -9  # a formula's stored result, read only to see whether there is one


def scan(package: Package, part: str, formats: tuple[NumberFormat | None, ...]) -> SheetFacts:
    """Return the facts of the sheet in `part`. Raises SourceError where it is damaged or scattered too widely."""
    seen = _Scan(package, part, formats)
    for _block in package.parse(part, seen.parser()):
        seen.take_in_box()
    seen.end()
    return seen.facts


class _Columns(dict[str, int]):
    """The position from 0 of a column by its letters."""

    def __missing__(self, letters: str) -> int:
        position = 0
        for letter in letters:
            position = position * 26 + ord(letter) - 64
        self[letters] = position - 1
        return position - 1


class _Scan:
    """The state of one look; its methods are called a million times, so they do little."""

    def __init__(self, package: Package, part: str, formats: tuple[NumberFormat | None, ...]) -> None:
        self.facts = SheetFacts()
        self._file = package.file
        self._targets = {link: target for link, (_kind, target) in package.relations(part).items()}
        self._shown = frozenset(str(style) for style, shown in enumerate(formats) if shown is not None)
        self._columns = _Columns()
        self._box = Box(package.file)
        self._row = 0
        self._column = -1
        self._style = "0"
        self._type: str | None = None
        self._formula: str | None = None  # the text of the cell's formula
        self._kind: int | None = None  # of the fact whose text is being read
        self._text: list[str] = []
        self._of_row: list[Fact] = []
        self._first_filled = 0  # rows; 0 before any
        self._last_filled = 0
        self._columns_filled: set[int] = set()

    def parser(self) -> expat.XMLParserType:
        """Return a parser that calls this look; a writer's prefix for the main namespace is learnt from the root."""
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._root
        return self._expat

    def take_in_box(self) -> None:
        """Measure what was seen so far."""
        if columns := self._columns_filled:
            self._box.add(self._first_filled, min(columns), self._last_filled, max(columns))

    def end(self) -> None:
        """Close the last row."""
        self._close_cell()
        self._close_row()
        self.take_in_box()

    def _root(self, name: str, _attributes: dict[str, str]) -> None:
        prefix = name[: name.find(":") + 1]
        handlers = {
            "row": self._on_row,
            "c": self._on_cell,
            "v": self._on_value,
            "is": self._on_value,
            "f": self._on_formula,
            "col": self._on_column,
            "hyperlink": self._on_link,
        }
        by_name = {prefix + tag: handler for tag, handler in handlers.items()}

        def start(name: str, attributes: dict[str, str]) -> None:
            handler = by_name.get(name)
            if handler is not None:
                handler(attributes)

        self._expat.StartElementHandler = start

    def _on_row(self, attributes: dict[str, str]) -> None:
        self._close_cell()
        self._close_row()
        row = int(attributes.get("r", self._row + 1))
        if row <= self._row:
            raise damaged(self._file, f"row {row} after row {self._row}")
        self._row = row
        self._column = -1
        if attributes.get("hidden") in _TRUE:
            self.facts.hidden.add(row)

    def _on_cell(self, attributes: dict[str, str]) -> None:
        self._close_cell()
        self._formula = None
        reference = attributes.get("r")
        self._column = self._columns[reference.rstrip("0123456789")] if reference else self._column + 1
        self._type = attributes.get("t")
        self._style = attributes.get("s", "0")

    def _on_formula(self, _attributes: dict[str, str]) -> None:
        self._read(NO_RESULT)

    def _on_value(self, _attributes: dict[str, str]) -> None:
        self._columns_filled.add(self._column)
        self._last_filled = self._row
        self._first_filled = self._first_filled or self._row
        if self._kind == NO_RESULT:
            self._formula = "=" + "".join(self._text).strip()
            self._forget()
        if self._type == "e":
            self._read(ERROR)
        elif self._style in self._shown and self._type in (None, "n"):
            self._read(int(self._style))
        elif self._formula is not None and self._type != "str":
            self._read(_RESULT)

    def _on_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in _TRUE:
            self.facts.hidden_columns += int(attributes.get("max", "0")) - int(attributes.get("min", "0")) + 1

    def _on_link(self, attributes: dict[str, str]) -> None:
        first = _REFERENCE.match(attributes.get("ref", ""))
        link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = self._targets.get(link) or attributes.get("location", "")
        if first and target:
            self.facts.links.setdefault(int(first[2]), []).append((self._columns[first[1]], target))

    def _read(self, kind: int) -> None:
        self._kind = kind
        self._expat.CharacterDataHandler = self._text.append

    def _forget(self) -> None:
        self._kind = None
        self._text = []
        self._expat.CharacterDataHandler = None

    def _close_cell(self) -> None:
        if self._kind is None:
            return
        text = "".join(self._text).strip()
        if self._kind == NO_RESULT:
            self._of_row.append((self._column, NO_RESULT, "=" + text))
        elif not text and self._formula is not None:  # `<v/>`, as programs write it that do not calculate
            self._of_row.append((self._column, NO_RESULT, self._formula))
        elif self._kind != _RESULT:
            self._of_row.append((self._column, self._kind, text))
        self._forget()
        self._formula = None

    def _close_row(self) -> None:
        if self._of_row:
            self.facts.add(self._row, self._of_row)
            self._of_row = []
