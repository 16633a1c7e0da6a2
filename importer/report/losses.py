"""What a workbook would lose if openpyxl loaded and saved it: found before a user's own file is replaced.

openpyxl writes those parts of a workbook that it knows, and drops the rest without a warning. So a workbook must have
no parts of other kinds, and the saved workbook is compared with the original: every cell, and every element and
attribute of a sheet besides its cells. What is missing is named by `losses_in_words`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import zip_longest
from typing import NamedTuple
from xml.etree.ElementTree import Element, iterparse

from openpyxl.utils.cell import coordinate_to_tuple

from importer.messages import _
from importer.report.losses_in_words import part_in_words, setting_in_words, shapes_in_words
from importer.report.recognition import MAIN, RELATIONS, WORKBOOK, sheet_parts
from importer.system.files import Package

TYPES = "[Content_Types].xml"
STRINGS, STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
THUMBNAIL = "docProps/thumbnail."

_OFFICE = "application/vnd.openxmlformats-officedocument."
DRAWING = f"{_OFFICE}drawing+xml"
PROPERTIES = f"{_OFFICE}extended-properties+xml"
CUSTOM_PROPERTIES = f"{_OFFICE}custom-properties+xml"
TABLE = f"{_OFFICE}spreadsheetml.table+xml"
MACROS = "application/vnd.ms-office.vbaProject"
KEPT = frozenset(
    {
        "application/vnd.openxmlformats-package.relationships+xml",
        "application/vnd.openxmlformats-package.core-properties+xml",
        PROPERTIES,
        f"{_OFFICE}theme+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        *(f"{_OFFICE}spreadsheetml.{kind}+xml" for kind in ("sheet.main", "worksheet", "styles", "sharedStrings")),
        CUSTOM_PROPERTIES,
        TABLE,
        # Excel makes these two by itself: the order of calculation, and what the printer's driver remembers.
        f"{_OFFICE}spreadsheetml.calcChain+xml",
        f"{_OFFICE}spreadsheetml.printerSettings",
    }
)
"""The kinds of parts that openpyxl writes again with everything that people put into them."""

_SAME_MOMENT = 0.001 / 86_400  # days: openpyxl keeps thousandths of a second
_FRACTION = ".0"  # in a number format: thousandths of a second are shown
_PRECISIONS = (10, 100)  # microseconds: a double has no more for a day, near or far
_DAY = 86_400_000_000  # microseconds
_DEFAULTS = {"", "0", "false", "none"}  # values of attributes that hold without them, too
_INSIDE_CELLS = {"f", "v", "is", "t", "r", "rPr"}
_NOT_COMPARED = {  # what openpyxl writes in its own way, and what the parts were asked for already
    *("worksheet", "sheetData", "dimension", "drawing", "legacyDrawing", "tableParts", "tablePart", "selection"),
    *("Properties", "table"),
}
_OF_WORKBOOK = {  # the rest of its part are notes of the program that saved it, or is in parts of its own
    *("fileSharing", "workbookProtection", "customWorkbookView", "functionGroup", "oleSize"),
    *("webPublishing", "smartTagPr"),
}
_OF_PROPERTIES = {"HyperlinkBase", "Manager", "DocSecurity"}  # the rest is what the program knows of itself
_WORKBOOK_DEFAULTS = {  # of what people choose for a workbook; the rest are the program's notes
    "showObjects": {"all"},
    "backupFile": {"0", "false"},
    "updateLinks": {"userset"},
    "saveExternalLinkValues": {"1", "true"},
}
_EXTENSIONS_OF_PROGRAMS = {  # which they add to every workbook; of lists of styles only if these are empty
    *("slicerStyles", "timelineStyles", "calcFeatures", "workbookPr", "extCalcPr", "ArchID"),
}
_NOT_COMPARED_ATTRIBUTES = {
    *("row@r", "row@spans", "row@s", "row@customFormat", "pageSetup@id", "sheetFormatPr@baseColWidth"),
    *("property@pid", "property@fmtid"),
}
_OF_SHOWN_COLUMNS = {"col@width", "col@customWidth", "col@bestFit"}
_FILTER_DATABASE = "_xlnm._FilterDatabase"  # each program's own note of where a filter is


# ------------------------------------------------------------------------------------------------ parts


def lost_parts(package: Package, ignored: frozenset[str], *, macros_kept: bool) -> Iterator[str]:
    """Yield in words what a workbook has that openpyxl does not write again, apart from the parts in `ignored`."""
    kind_of = _kinds(package)
    for name in sorted(package.names - ignored - {TYPES}):
        kind = kind_of(name)
        if kind in KEPT or name.endswith("/") or name.startswith(THUMBNAIL) or (kind == MACROS and macros_kept):
            continue
        if kind == DRAWING and len(package.tree(name)) == 0:
            continue  # some programs give every sheet a drawing with nothing in it
        if name.endswith(".vml"):
            yield shapes_in_words(package.content(name))
        else:
            yield part_in_words(f"{kind} {name}".casefold(), name)


def _kinds(package: Package) -> Callable[[str], str]:
    """Return what gives the content type of a part by its name."""
    types = package.tree(TYPES)
    overrides = {each.get("PartName", "").lstrip("/"): each.get("ContentType", "") for each in types}
    defaults = {each.get("Extension", "").casefold(): each.get("ContentType", "") for each in types}
    return lambda name: overrides.get(name) or defaults.get(name.rpartition(".")[2].casefold(), "")


# ------------------------------------------------------------------------------------------------ contents


class StoredCell(NamedTuple):
    """A cell as a file stores it: where it is, what kind of value it has, and its text or digits."""

    place: str
    kind: str
    text: str


def lost_contents(
    before: Package, after: Package, ignored_sheets: Collection[str], moment_format: Callable[[str, str], str | None]
) -> Iterator[str]:
    """Yield in words what a saved workbook lacks of the original, apart from some sheets.

    `moment_format(sheet, place)` is the number format of a cell with a date or a time, None for another cell.
    """
    old, new = _Contents(before), _Contents(after)
    for title in old.sheets:
        if title in ignored_sheets:
            continue
        if title not in new.sheets:
            yield _("the sheet {sheet}", sheet=title)
            continue
        was, now = Counter[str](), Counter[str]()
        pairs = zip_longest(old.cells(title, was), new.cells(title, now))
        different = None
        for pair in pairs:  # all of them, since the settings are counted meanwhile
            if different is None and not _is_same(*pair, title, moment_format):
                different = pair
        if different is not None:
            yield _cell_in_words(title, *different)
        yield from (setting_in_words(name, title) for name in was - now)
    yield from (setting_in_words(name, None) for name in old.settings(ignored_sheets) - new.settings(ignored_sheets))
    if old.letter_formats - new.letter_formats:
        yield _("the format of single letters")


class _Contents:
    """What the parts of a workbook hold; `letter_formats` are complete once all cells were read."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.sheets = sheet_parts(package)
        self.letter_formats: set[str] = set()
        self._strings = [self._text_of(item) for item in self._elements(STRINGS, "si")]

    def _elements(self, part: str, ending: str | None = None) -> Iterator[Element]:
        """Yield the elements of a part, inner ones first; only those of one name where one is given."""
        if part not in self._package.names:
            return
        with self._package.zip.open(part) as xml:
            for _event, element in iterparse(xml):  # noqa: S314 - `Package` has refused entities
                if ending is None or _bare(element.tag) == ending:
                    yield element

    def cells(self, title: str, settings: Counter[str]) -> Iterator[StoredCell]:
        """Yield the cells of a sheet that hold something, and count in `settings` what else the sheet has."""
        for element in self._elements(self.sheets[title]):
            tag = _bare(element.tag)
            if tag == "c":
                if (cell := self._cell(element)) is not None:
                    yield cell
                element.clear()
            elif tag not in _INSIDE_CELLS:
                settings.update(_settings_of(element, tag))
                if tag == "row":
                    element.clear()

    def _cell(self, element: Element) -> StoredCell | None:
        place, kind = element.get("r", ""), element.get("t", "n")
        stored = element.findtext(f"{MAIN}v") or ""
        if element.find(f"{MAIN}f") is not None:
            return StoredCell(place, "formula", stored)
        if kind == "s":
            text = self._strings[int(stored)]
        elif kind == "inlineStr":
            text = "".join(map(self._text_of, element.iterfind(f"{MAIN}is")))
        else:
            text = stored
        return StoredCell(place, "text" if kind in {"s", "inlineStr", "str"} else kind, text) if text else None

    def _text_of(self, item: Element) -> str:
        """Return a text, and remember how letters of it are formatted."""
        runs = [item, *item.iterfind(f"{MAIN}r")]
        self.letter_formats.update(_bare(each.tag) for run in runs for each in run.iterfind(f"{MAIN}rPr/*"))
        self.letter_formats.update(_bare(each.tag) for each in item if _bare(each.tag) not in {"t", "r"})
        return "".join(run.findtext(f"{MAIN}t") or "" for run in runs)

    def settings(self, ignored_sheets: Collection[str]) -> Counter[str]:
        """Count what the workbook, its tables and its properties have, apart from some sheets."""
        kind_of = _kinds(self._package)
        found = Counter(self._names(ignored_sheets))
        for element in self._elements(WORKBOOK):
            tag = _bare(element.tag)
            if tag in _OF_WORKBOOK:
                found.update(_settings_of(element, tag))
            elif tag == "workbookPr":
                found.update(_workbook_properties(element))
        for part in sorted(self._package.names):
            if kind_of(part) in {TABLE, CUSTOM_PROPERTIES}:
                for element in self._elements(part):
                    found.update(_settings_of(element, _bare(element.tag)))
            elif kind_of(part) == PROPERTIES:
                found.update(_properties(self._elements(part)))
        for part in (WORKBOOK, STYLES):
            found.update(_extensions(self._elements(part, "ext")))
        return found

    def _names(self, ignored_sheets: Collection[str]) -> Iterator[str]:
        """Yield the defined names; LibreOffice may write those for printing twice, which is still one."""
        positions = {str(index) for index, title in enumerate(self.sheets) if title in ignored_sheets}
        seen = set()
        for element in self._elements(WORKBOOK, "definedName"):
            name, sheet = element.get("name", ""), element.get("localSheetId")
            areas = frozenset((element.text or "").replace("'", "").split(","))
            if name == _FILTER_DATABASE or sheet in positions or (sheet, name, areas) in seen:
                continue
            if name.startswith("_xlnm."):
                seen.add((sheet, name, areas))
            yield f"definedName {name}"


def _workbook_properties(element: Element) -> Iterator[str]:
    for name, defaults in _WORKBOOK_DEFAULTS.items():
        value = element.get(name)
        if value is not None and value.casefold() not in defaults:
            yield f"workbookPr@{name}"


def _properties(elements: Iterator[Element]) -> Iterator[str]:
    for element in elements:
        tag, text = _bare(element.tag), (element.text or "").strip()
        if tag in _OF_PROPERTIES and text not in {"", "0"}:
            yield tag


def _extensions(elements: Iterator[Element]) -> Iterator[str]:
    """Yield the extensions of a part by their names, apart from those that say nothing of a person's work."""
    for extension in elements:
        for element in extension:
            name = element.tag.rpartition("}")[2]
            if name not in _EXTENSIONS_OF_PROGRAMS or (name.endswith("Styles") and len(element)):
                yield f"extension {name}"


def _settings_of(element: Element, tag: str) -> Iterator[str]:
    """Yield an element, with its text, and its attributes, unless they hold by default or are a program's own notes."""
    if tag in _NOT_COMPARED:
        return
    if tag != "row" and any(map(_has_meaning, element.iter())):
        yield f"{tag} {(element.text or '').strip()}".strip()
    attributes = (f"{tag}@{name}" for name in _meaningful_attributes(element))
    if tag == "col" and element.get("hidden", "").casefold() in {"1", "true"}:
        attributes = (each for each in attributes if each not in _OF_SHOWN_COLUMNS)
    yield from (attribute for attribute in attributes if attribute not in _NOT_COMPARED_ATTRIBUTES)


def _has_meaning(element: Element) -> bool:
    return bool((element.text or "").strip() or any(_meaningful_attributes(element)))


def _meaningful_attributes(element: Element) -> Iterator[str]:
    """Yield the attributes of an element that do not hold by default, and its links; others are programs' notes."""
    for name, value in element.attrib.items():
        bare = name.removeprefix(RELATIONS)
        if "}" not in bare and value.casefold() not in _DEFAULTS:
            yield bare


def _is_same(
    was: StoredCell | None, now: StoredCell | None, sheet: str, moment_format: Callable[[str, str], str | None]
) -> bool:
    """Return whether a cell was saved as it was; a moment may differ by what its format does not show."""
    if was == now:
        return True
    if was is None or now is None or was[:2] != now[:2] or was.kind != "n":
        return False
    before, after = float(was.text), float(now.text)
    if before == after:
        return True
    shown = moment_format(sheet, was.place)
    if shown is None or _FRACTION in shown or abs(before - after) >= _SAME_MOMENT:
        return False
    return all(_second(before, precision) == _second(after, precision) for precision in _PRECISIONS)


def _second(serial: float, precision: int) -> int:
    """Return the second of a moment, which readers cut after they rounded to so many microseconds."""
    return round(serial * _DAY / precision) * precision // 1_000_000


def _cell_in_words(sheet: str, was: StoredCell | None, now: StoredCell | None) -> str:
    """Return what people call the contents of a cell that was not saved as it was."""
    if was is not None and was.kind == "formula":
        return _("the stored results of formulas")
    places = [cell.place for cell in (was, now) if cell is not None]
    if not all(places):  # a program may leave them out where they can be counted
        return _("the exact contents of the sheet {sheet}", sheet=sheet)
    first = min(places, key=coordinate_to_tuple)
    return _("the exact contents of cell {cell} of the sheet {sheet}", cell=first, sheet=sheet)


def _bare(tag: str) -> str:
    """Return the name of an element; one that newer versions of Excel added begins with `x14`."""
    namespace, _brace, name = tag.rpartition("}")
    return f"x14:{name}" if namespace.endswith(("/2009/9/main", "/2010/11/main")) else name
