"""What an ODS workbook says about itself: its sheets, and the number formats of its cell styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from importer.messages import _
from importer.source.number_formats.codes import NumberFormat
from importer.source.ods.styles import OFFICE, TABLE, cell_formats, table_displays
from importer.source.parsing import SheetEntry, time_limit, too_slow
from importer.source.snapshot import BLOCK, Snapshot
from importer.system.files import LARGEST_TREE, Package, damaged

_SHEETS, _SHEET, _ANNOTATION = OFFICE + "spreadsheet", TABLE + "table", OFFICE + "annotation"
_STYLES = (OFFICE + "styles", OFFICE + "automatic-styles")

Parse = Callable[[expat.XMLParserType], Iterator[object]]


@dataclass(frozen=True, slots=True)
class OdsWorkbook:
    """A workbook that is being read: how to parse its content, its sheets, and the formats of its cell styles.

    `after_comments` are the names of the sheets that follow a cell with a comment.
    """

    file: str
    parse: Parse
    sheets: tuple[SheetEntry, ...]
    formats: Mapping[str, NumberFormat | None]
    after_comments: frozenset[str]


def open_package(package: Package, snapshot: Snapshot) -> OdsWorkbook:
    """Return the workbook in a zip file. Raises SourceError where it is damaged or has no sheets."""
    roots = []
    if "styles.xml" in package.names:
        styles = _read_outline(partial(package.parse, "styles.xml"))
        roots = [root for root in styles.roots if root.tag == _STYLES[0]]  # the others are of page headers
    return _described(package.file, _in_time(package.file, snapshot, partial(package.parse, "content.xml")), roots)


def open_flat(snapshot: Snapshot, file: str) -> OdsWorkbook:
    """Return the workbook in a single XML document (.fods). Raises SourceError as `open_package` does."""

    def parse(parser: expat.XMLParserType) -> Iterator[None]:
        try:
            with snapshot.open() as reader:
                while block := reader.read(BLOCK):
                    parser.Parse(block, False)  # noqa: FBT003 - the parser's own signature
                    yield
            parser.Parse(b"", True)  # noqa: FBT003 - the same
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise damaged(file, str(error)) from error

    return _described(file, _in_time(file, snapshot, parse), [])


def _in_time(file: str, snapshot: Snapshot, parse: Parse) -> Parse:
    """Return `parse` with the limit of time that holds for the other workbooks, too."""

    def limited(parser: expat.XMLParserType) -> Iterator[object]:
        seconds = time_limit(snapshot)
        end = monotonic() + seconds
        for block in parse(parser):
            if monotonic() >= end:
                raise too_slow(file, seconds)
            yield block

    return limited


def _described(file: str, parse: Parse, roots: list[Element]) -> OdsWorkbook:
    outline = _read_outline(parse)
    if not outline.tables:
        raise damaged(file, _("it has no sheet"))
    roots = [*roots, *outline.roots]
    displayed = table_displays(roots)
    try:
        formats = cell_formats(roots)
    except ValueError as error:
        raise damaged(file, str(error)) from error
    sheets = tuple(SheetEntry(name, displayed.get(style, True)) for name, style, _annotated in outline.tables)
    after = frozenset(name for name, _style, annotated in outline.tables if annotated)
    return OdsWorkbook(file, parse, sheets, formats, after)


def new_parser() -> expat.XMLParserType:
    """Return a parser that names elements and attributes by namespace, and refuses entities."""

    def refuse(name: str, *_declared: object) -> None:
        raise ValueError(f"entity {name}")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = refuse
    return parser


def _read_outline(parse: Parse) -> _Outline:
    outline = _Outline()
    for _block in parse(outline.parser):
        pass
    return outline


class _Outline:
    """Collects the sections of styles as trees, and each sheet with its style and whether comments stand before it."""

    def __init__(self) -> None:
        self.roots: list[Element] = []
        self.tables: list[tuple[str, str, bool]] = []
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._builder: TreeBuilder | None = None
        self._depth = self._sheets_depth = self._section = 0
        self._annotated = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._builder is not None or name in _STYLES:
            self._build(name, attributes)
        elif name == _SHEETS and not self._sheets_depth:
            self._sheets_depth = self._depth
        elif name == _SHEET and self._depth == self._sheets_depth + 1:
            self.tables.append(
                (attributes.get(TABLE + "name", ""), attributes.get(TABLE + "style-name", ""), self._annotated)
            )
        elif name == _ANNOTATION:
            self._annotated = True

    def _end(self, name: str) -> None:
        if self._depth == self._sheets_depth:
            self._sheets_depth = 0
        self._depth -= 1
        if self._builder is not None:
            self._builder.end(name)
            if name in _STYLES:
                self.roots.append(self._builder.close())
                self._builder = self.parser.CharacterDataHandler = None

    def _build(self, name: str, attributes: dict[str, str]) -> None:
        if self._builder is None:
            self._builder, self._section = TreeBuilder(), self.parser.CurrentByteIndex
            self.parser.CharacterDataHandler = self._add_text
        self._builder.start(name, attributes)
        self._add_text("")

    def _add_text(self, text: str) -> None:
        if self.parser.CurrentByteIndex - self._section > LARGEST_TREE:
            raise ValueError("too many styles")
        if self._builder is not None:
            self._builder.data(text)
