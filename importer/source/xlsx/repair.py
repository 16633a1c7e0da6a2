"""Rewrite an untidy XLSX workbook, so that calamine reads what Excel shows.

Excel minds neither how parts are named nor how XML is spelled; calamine refuses some of that and misreads some. The new
workbook has the one sheet that is wanted, under the usual names and in one plain spelling, without what is not read.
It has no styles, so that calamine gives plain numbers; some it cannot take for the durations that they are shown as.
What calamine cannot be told is left to the scanner of `importer.source.xlsx.sheet`, in attributes of our own: an error
of Excel that it does not know (`error`), and the number of a text that does not exist (`missing`).

Nothing is held in memory but one row, and the workbook's bounds hold for what is written, too.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from xml.parsers import expat

from importer.messages import _
from importer.source.header import column_letter
from importer.source.snapshot import Snapshot
from importer.source.xlsx.sheet import column_index
from importer.source.xlsx.spelling import CellSpelling, element, escaped, joined
from importer.source.xlsx.workbook import Workbook
from importer.system.files import LARGEST_PACKAGE, LONGEST_CELL, Package, damaged

SHEET = "Sheet1"
"""The name of the sheet in a workbook that was rewritten."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET_PART = "xl/worksheets/sheet1.xml"
"""The part that has it."""

_KEPT = {  # what the attributes of an element say about cells
    "col": ("min", "max", "hidden", "width", "customWidth"),
    "row": ("r", "hidden", "ht", "customHeight"),
    "f": ("t", "ref"),
}
_HOLDERS = {"cols": "col", "sheetData": "row", "mergeCells": "mergeCell", "hyperlinks": "hyperlink"}
_SKIPPED = ("extLst", "rPh")  # of later versions; how a text is pronounced
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_RANGE = re.compile(r"\$?([A-Za-z]{0,3})\$?([0-9]{0,7})(?::\$?([A-Za-z]{0,3})\$?([0-9]{0,7}))?")
_BUFFER = 1 << 16

Attributes = dict[str, str]


def repaired(package: Package, workbook: Workbook, sheet: str) -> Snapshot:
    """Return a workbook with the sheet of that name, rewritten. Raises SourceError where it is damaged."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            parts = {"sharedStrings": "sharedStrings.xml", "worksheet": "worksheets/sheet1.xml"}
            target.writestr("_rels/.rels", _relations({"officeDocument": "xl/workbook.xml"}))
            target.writestr("xl/_rels/workbook.xml.rels", _relations(parts))
            epoch = "<workbookPr date1904='1'/>" if workbook.since_1904 else ""
            target.writestr(
                "xl/workbook.xml",
                f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{epoch}<sheets><sheet name="{SHEET}" sheetId="1"'
                f' r:id="worksheet"/></sheets></workbook>',
            )
            with _part(package, target, "xl/sharedStrings.xml") as output:
                count = _copy_texts(package, workbook.texts, output)
            with _part(package, target, SHEET_PART) as output:
                _copy_sheet(package, workbook, sheet, count, output)
        file.seek(0)
        return Snapshot(file)


def _relations(targets: dict[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{listed}</Relationships>'


# ------------------------------------------------------------------------------------------------ writing a part


class _Output:
    """Text on its way into a part, within the bound of a workbook."""

    def __init__(self, file: str, write: Callable[[bytes], object]) -> None:
        self._file = file
        self._write = write
        self._pieces: list[str] = []
        self._length = self._total = 0

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)
        if self._length > _BUFFER:
            self.flush()

    def flush(self) -> None:
        self._total += self._length
        if self._total > LARGEST_PACKAGE:
            raise damaged(self._file, _("it has no end"))
        self._write("".join(self._pieces).encode())
        self._pieces, self._length = [], 0


@contextmanager
def _part(package: Package, target: zipfile.ZipFile, name: str) -> Iterator[_Output]:
    """Open a part of the new workbook for the duration of a block."""
    with target.open(name, "w", force_zip64=True) as file:
        output = _Output(package.file, file.write)
        yield output
        output.flush()


# ------------------------------------------------------------------------------------------------ the shared texts


def _copy_texts(package: Package, part: str | None, output: _Output) -> int:
    """Copy the shared texts into the new workbook, and return how many there are."""
    output.add(f'<sst xmlns="{_MAIN}">')
    reader = _TextReader()
    count = 0

    def start(name: str, attributes: Attributes) -> None:
        reader.start(_local(name), attributes)

    def end(name: str) -> None:
        nonlocal count
        reader.end(_local(name))
        if _local(name) == "si":
            output.add(f"<si>{reader.taken()}</si>")
            count += 1

    if part is not None:
        parser = _parser(start, end, reader.add)
        for _block in package.parse(part, parser):
            pass
    output.add("</sst>")
    return count


class _TextReader:
    """Collects the text of a shared or inline text, of all its runs, without how it is pronounced."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._run: list[str] | None = None
        self._preserved = False
        self._skipped = self._length = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        self._skipped += tag in _SKIPPED
        if tag == "t" and not self._skipped:
            self._run, self._preserved = [], attributes.get("xml:space") == "preserve"

    def add(self, text: str) -> None:
        if self._run is not None:
            self._run.append(text)
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise ValueError("a text has no end")

    def end(self, tag: str) -> None:
        self._skipped -= tag in _SKIPPED
        if tag == "t" and self._run is not None:
            text = "".join(self._run)
            self._pieces.append(text if self._preserved else text.strip(" \t\r\n"))
            self._run = None

    def taken(self) -> str:
        """Return the text as an element, and begin with the next one."""
        text, self._pieces, self._length = joined("".join(self._pieces)), [], 0
        return f'<t xml:space="preserve">{escaped(text)}</t>'


# ------------------------------------------------------------------------------------------------ the sheet


def _copy_sheet(package: Package, workbook: Workbook, sheet: str, texts: int, output: _Output) -> None:
    """Copy the sheet of that name into the new workbook, which has as many shared texts as `texts`."""
    part = workbook.parts[sheet]
    targets = {link: target for link, (_kind, target) in package.relations(part).items()}
    output.add(f'<worksheet xmlns="{_MAIN}">')
    copier = _SheetCopier(targets, texts, output)
    for _block in package.parse(part, _parser(copier.start, copier.end, copier.add)):
        pass
    output.add("</worksheet>")


class _SheetCopier:
    """Writes the cells of a sheet, and what is said about them, in the plain spelling while expat reads the sheet."""

    def __init__(self, targets: dict[str, str], texts: int, output: _Output) -> None:
        self._spelling = CellSpelling(texts)
        self._targets = targets
        self._output = output
        self._holder = ""
        self._row = self._column = 0  # of the latest cell; columns count from 1
        self._last_row = self._last_column = 0
        self._cell: Attributes | None = None
        self._inline = _TextReader()
        self._has_inline = False
        self._formula: Attributes | None = None
        self._pieces: dict[str, list[str]] = {}
        self._collected: list[str] | None = None
        self._length = self._skipped = 0

    def start(self, name: str, attributes: Attributes) -> None:
        tag = _local(name)
        self._skipped += tag == "extLst"
        if self._skipped:
            return
        if self._cell is not None:
            self._start_within(tag, attributes)
        elif tag in _HOLDERS and not self._holder:
            self._holder = tag
            self._output.add(f"<{tag}>")
        elif self._holder == "sheetData" and tag == "c":
            self._open_cell(attributes)
        elif tag == _HOLDERS.get(self._holder):
            self._copy(tag, attributes)

    def end(self, name: str) -> None:
        tag = _local(name)
        if self._skipped:
            self._skipped -= tag == "extLst"
        elif self._cell is not None:
            self._inline.end(tag)
            self._collected = None
            if tag == "c":
                self._close_cell(self._cell)
        elif tag == self._holder or (tag == "row" and self._holder == "sheetData"):
            self._output.add(f"</{tag}>")
            self._holder = "sheetData" if tag == "row" else ""

    def add(self, text: str) -> None:
        self._inline.add(text)
        if self._collected is not None:
            self._collected.append(text)
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise ValueError(f"a value in row {self._row} has no end")

    def _copy(self, tag: str, attributes: Attributes) -> None:
        """Copy an element about rows, columns or ranges."""
        if tag == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            self._output.add(element(tag, {**_kept(tag, attributes), "r": str(self._row)}, end=""))
        elif tag == "col":
            self._output.add(element(tag, _kept(tag, attributes)))
        elif tag == "mergeCell":
            for area in self._areas(attributes.get("ref", "")):
                self._output.add(element(tag, {"ref": area}))
        else:
            link = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            location = self._targets.get(link) or attributes.get("location", "")
            self._output.add(element(tag, {"ref": attributes.get("ref", ""), "location": location}))

    def _areas(self, reference: str) -> Iterator[str]:
        """Yield the merged ranges of a reference as far as there are cells; one may be of whole rows or columns."""
        for found in filter(None, map(_RANGE.fullmatch, reference.split())):
            columns = [column_index(letters) if letters else None for letters in found.group(1, 3)]
            rows = [int(digits) if digits else None for digits in found.group(2, 4)]
            left, right = sorted((columns[0] or 0, self._last_column - 1 if columns[1] is None else columns[1]))
            top, bottom = sorted((rows[0] or 1, self._last_row if rows[1] is None else rows[1]))
            right, bottom = min(right, self._last_column - 1), min(bottom, self._last_row)
            if left <= right and top <= bottom and (left, top) != (right, bottom):
                yield f"{column_letter(left)}{top}:{column_letter(right)}{bottom}"

    def _open_cell(self, attributes: Attributes) -> None:
        self._cell, self._formula, self._has_inline = attributes, None, False
        self._pieces, self._length = {}, 0
        self._column += 1
        if place := _REFERENCE.fullmatch(attributes.get("r", "").strip()):
            self._column = column_index(place[1]) + 1
            self._row = int(place[2])

    def _start_within(self, tag: str, attributes: Attributes) -> None:
        self._inline.start(tag, attributes)
        self._has_inline |= tag == "is"
        if tag in {"f", "v"}:
            self._collected = self._pieces[tag] = []
            if tag == "f":
                self._formula = attributes

    def _close_cell(self, cell: Attributes) -> None:
        """Write a cell that has a value, a formula or an error."""
        self._cell = None
        inline = self._inline.taken() if self._has_inline else None
        value = "".join(self._pieces["v"]) if "v" in self._pieces else None
        kind, attributes, content = self._spelling.content(cell.get("t", "n"), value, inline)
        formula = ""
        if self._formula is not None:
            formula = f"{element('f', _kept('f', self._formula), end='')}{escaped(''.join(self._pieces['f']))}</f>"
        if formula or content or attributes:
            self._last_row = max(self._last_row, self._row)
            self._last_column = max(self._last_column, self._column)
            place = {
                "r": f"{column_letter(self._column - 1)}{self._row}",
                "s": self._spelling.style(cell.get("s", "0")),
                "t": kind,
            }
            self._output.add(f"{element('c', {**place, **attributes}, end='')}{formula}{content}</c>")


def _parser(
    start: Callable[[str, Attributes], None], end: Callable[[str], None], add: Callable[[str], None]
) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, add
    return parser


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _kept(tag: str, attributes: Attributes) -> Attributes:
    return {name: attributes[name] for name in _KEPT[tag] if name in attributes}
