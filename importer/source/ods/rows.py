"""Read ODS workbooks: the list of sheets, and the cells of one as LibreOffice shows them.

The XML is read by expat and not by calamine, which knows neither number formats, comments nor the ways of most other
writers. Whatever prefixes a writer uses, names are compared with their namespaces. It is read twice: once for the list
of sheets and the styles, which stand before them, and once for the cells. `ods_cells` says what a cell shows.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import zip_longest
from typing import Any

from importer.model import Cell, Reread, Typed
from importer.source.number_formats.codes import NumberFormat, Remark
from importer.source.ods.cells import ADDED, PLAIN, SPACE, Attributes, CellText, cell_of
from importer.source.ods.styles import OFFICE, TABLE
from importer.source.ods.workbook import OdsWorkbook, new_parser
from importer.source.overrides import Box, SheetFacts
from importer.source.parsing import MEMORY_LIMIT, cell_too_long, too_large, too_wide
from importer.system.files import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, beyond_the_sheet
from importer.system.spool import Spool

_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0 "
_SHEET, _ROW, _COLUMN = TABLE + "table", TABLE + "table-row", TABLE + "table-column"
_CELLS = (TABLE + "table-cell", TABLE + "covered-table-cell")
_PARAGRAPH = _TEXT + "p"
_SPACES = _TEXT + "s"
_LINK, _TARGET = _TEXT + "a", "http://www.w3.org/1999/xlink href"
_WHITE = {_TEXT + "tab": "\t", _TEXT + "line-break": "\n"}
_NOT_SHOWN = (OFFICE + "annotation", _TEXT + "note", _TEXT + "ruby-text", _DRAW + "frame")
_HIDDEN = ("collapse", "filter")
_MOST_HIDDEN = 1 << 16  # blank rows in one element: those that fill a sheet to its end are hidden in one
_ROWS_REPEATED, _COLUMNS_REPEATED = TABLE + "number-rows-repeated", TABLE + "number-columns-repeated"
_ROWS_SPANNED, _COLUMNS_SPANNED = TABLE + "number-rows-spanned", TABLE + "number-columns-spanned"
_SAID = (Remark.HIDDEN, Remark.ROUNDED)  # of the others, the file has the text that is shown
_SPANNED = frozenset({_ROWS_SPANNED, _COLUMNS_SPANNED})
_NOTHING = frozenset({_COLUMNS_REPEATED, TABLE + "style-name", TABLE + "content-validation-name"})
_MOST_LINKS = 65_530  # rows with links, as many as a sheet of Excel has links
_BATCH_ROWS, _BATCH_CHARACTERS = 1000, 4 << 20


def read_rows(workbook: OdsWorkbook, sheet: str, most: int | None = None) -> tuple[Spool[Any], SheetFacts]:
    """Return the rows of a sheet as `WorkbookGrid` takes them, at least the `most` first ones, and its layout.

    Raises SourceError where the sheet is damaged or exceeds a bound.
    """
    reader = _SheetReader(workbook, sheet)
    for _block in workbook.parse(reader.parser):
        if reader.done or (most is not None and reader.row > most):
            break
    reader.finish()
    return reader.rows, reader.facts


class _SheetReader:
    """Collects the cells of one sheet while expat reads the workbook."""

    def __init__(self, workbook: OdsWorkbook, sheet: str) -> None:
        self.rows: Spool[Any] = Spool()
        self.facts = SheetFacts()
        self.done = False
        self.row = 0  # the number of the latest row that is complete
        self.parser = new_parser()
        self.parser.StartElementHandler = self._find
        self._workbook = workbook
        self._sheet = sheet
        self._comments_before = sheet in workbook.after_comments
        self._box = Box(workbook.file)
        self._depth = 0  # of the elements around: below the sheet, or within a cell
        self._attributes: Attributes = {}
        self._column = self._repeat = 0
        self._row_style = ""
        self._hidden = False
        self._column_ends: list[int] = []
        self._column_styles: list[str] = []
        self._cells: list[Cell] = []
        self._text = CellText()
        self._target = ""  # of a link in the cell
        self._skipped = 0  # the depth of an element whose text is not the cell's
        self._texts: dict[str, str] = {}  # those of the batch, each as one object
        self._batch: list[list[Cell]] = []
        self._sent = 0  # the number of the latest row in a batch
        self._row_size = self._batch_size = self._size = 0  # characters
        self.rows.append({"merged": None})

    # The sheet and its rows

    def _find(self, name: str, attributes: Attributes) -> None:
        if name == _SHEET and attributes.get(TABLE + "name", "") == self._sheet and not self.done:
            self.parser.StartElementHandler = self._start
            self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: Attributes) -> None:
        if name in _CELLS:
            self._open_cell(attributes)
        elif name == _ROW:
            self._open_row(attributes)
        elif name == _COLUMN:
            self._add_column(attributes)
        elif name == _SHEET or name.startswith(_DRAW):  # a chart's table, before the rows
            self._depth += 1
            self.parser.StartElementHandler = self._pass_over
            self.parser.EndElementHandler = self._end_passing

    def _pass_over(self, _name: str, _attributes: Attributes) -> None:
        self._depth += 1

    def _end_passing(self, _name: str) -> None:
        self._depth -= 1
        if not self._depth:
            self.parser.StartElementHandler = self._start
            self.parser.EndElementHandler = self._end

    def _end(self, name: str) -> None:
        if name == _ROW:
            self._close_row()
        elif name == _SHEET:
            self.done = True
            self.parser.StartElementHandler = self.parser.EndElementHandler = None

    def _add_column(self, attributes: Attributes) -> None:
        repeat = _repeated(attributes, _COLUMNS_REPEATED)
        if attributes.get(TABLE + "visibility") in _HIDDEN:
            self.facts.hidden_columns += repeat
        if len(self._column_ends) < MOST_COLUMNS:
            self._column_ends.append((self._column_ends or [0])[-1] + repeat)
            self._column_styles.append(attributes.get(TABLE + "default-cell-style-name", ""))

    def _open_row(self, attributes: Attributes) -> None:
        self._repeat = _repeated(attributes, _ROWS_REPEATED)
        self._row_style = attributes.get(TABLE + "default-cell-style-name", "")
        self._column, self._cells, self._row_size = 0, [], 0
        self._hidden = attributes.get(TABLE + "visibility") in _HIDDEN

    def _close_row(self) -> None:
        if self._cells:
            self._check_bounds()
            self._fill_up()
            for _row in range(self._repeat):
                self._add_row(self._cells)
        if self._hidden:
            count = self._repeat if self._cells else min(self._repeat, _MOST_HIDDEN)
            self.facts.hidden.update(range(self.row + 1, self.row + 1 + count))
        self.row += self._repeat

    def _check_bounds(self) -> None:
        """Raise SourceError where the current row is beyond the bounds of a sheet."""
        last = self.row + self._repeat
        if last > MOST_ROWS:
            raise beyond_the_sheet(self._workbook.file)
        self._box.add(self.row, last - 1, len(self._cells) - 1)
        self._size += self._row_size * self._repeat
        if self._size > MEMORY_LIMIT:
            raise too_large(self._workbook.file)

    def _fill_up(self) -> None:
        """Add the blank rows above the current one, which are not added before a filled one follows."""
        while self._sent < self.row:
            self._add_row([])

    def _add_row(self, cells: list[Cell]) -> None:
        self._sent += 1
        self._batch.append(cells)
        self._batch_size += self._row_size
        if len(self._batch) >= _BATCH_ROWS or self._batch_size > _BATCH_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Keep the rows of the current batch."""
        if self._batch:
            columns = [list(column) for column in zip_longest(*self._batch, fillvalue="")]
            self.rows.append((columns or [[""] * len(self._batch)], []))
        self._batch, self._texts, self._batch_size = [], {}, 0

    # A cell and its text

    def _open_cell(self, attributes: Attributes) -> None:
        self._attributes, self._text = attributes, CellText()
        self._depth = self._skipped = 0
        self._target = ""
        self.parser.StartElementHandler = self._start_within
        self.parser.EndElementHandler = self._end_within

    def _start_within(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._skipped:
            return
        if self._depth == 1 and name == _PARAGRAPH:
            self._text.begin_paragraph()
            self._listen()
        elif self._depth == 1 or name in _NOT_SHOWN:
            self._skipped = self._depth
            self._ignore()
        elif name == _SPACES:
            count = int(attributes.get(_TEXT + "c", "1"))
            self._add_text(" " * min(max(count, 0), LONGEST_CELL + 1), SPACE)
        elif name == _LINK:
            self._target = self._target or attributes.get(_TARGET, "")
        elif name in _WHITE:
            self._add_text(_WHITE[name], ADDED)

    def _end_within(self, _name: str) -> None:
        if not self._depth:
            self._close_cell()
            self.parser.StartElementHandler = self._start
            self.parser.EndElementHandler = self._end
            return
        if self._depth == self._skipped:
            self._skipped = 0
            if self._depth > 1:
                self._listen()
        elif self._depth == 1:
            self._ignore()
        self._depth -= 1

    def _listen(self) -> None:
        """Take what follows as text of the cell."""
        self.parser.CharacterDataHandler = self._add_text
        self.parser.StartCdataSectionHandler = self._begin_cdata
        self.parser.EndCdataSectionHandler = self._end_cdata

    def _ignore(self) -> None:
        parser = self.parser
        parser.CharacterDataHandler = parser.StartCdataSectionHandler = parser.EndCdataSectionHandler = None

    def _begin_cdata(self) -> None:
        self.parser.CharacterDataHandler = lambda text: self._add_text(text, ADDED)

    def _end_cdata(self) -> None:
        self.parser.CharacterDataHandler = self._add_text

    def _add_text(self, text: str, origin: int = PLAIN) -> None:
        self._text.add(text, origin)
        if self._text.length > LONGEST_CELL:
            raise cell_too_long(self._workbook.file)

    def _close_cell(self) -> None:
        attributes, text = self._attributes, self._text
        repeat = _repeated(attributes, _COLUMNS_REPEATED) if _COLUMNS_REPEATED in attributes else 1
        if text.paragraphs or not _NOTHING.issuperset(attributes):
            cell = cell_of(attributes, text, self._format, comments_before=self._comments_before)
            if cell.__class__ in {Typed, Reread}:
                self._note_format(cell)
            if self._target:
                cell = self._linked(cell)
            if cell != "" or cell.__class__ is Reread:  # of which an earlier reading is known
                self._add_cell(cell, repeat)
            if not _SPANNED.isdisjoint(attributes):
                self._add_merged(attributes)
        self._column += repeat

    def _note_format(self, cell: Cell) -> None:
        """Note a format that shows nothing of the cell, or that shows its number in another form."""
        number_format = self._format()
        remark = Remark.HIDDEN if cell == "" else number_format.remark if number_format else None
        if number_format is not None and remark in _SAID:
            self.facts.remarks.setdefault(remark, {})[self._column, number_format.written] = None

    def _linked(self, cell: Cell) -> Cell:
        """Return a cell that is a link: its text, or its target where it has none."""
        if len(self.facts.links) < _MOST_LINKS:  # they are counted in a note
            self.facts.add_link(self.row + 1, self._column, self._target)
        return Reread(self._target, "") if cell == "" else cell

    def _format(self) -> NumberFormat | None:
        """Return the number format of the current cell: its own, its row's or its column's."""
        style = self._attributes.get(TABLE + "style-name") or self._row_style
        if not style:
            at = bisect_right(self._column_ends, self._column)
            style = self._column_styles[at] if at < len(self._column_styles) else ""
        return self._workbook.formats.get(style)

    def _add_cell(self, cell: Cell, repeat: int) -> None:
        if self._column + repeat > MOST_COLUMNS:
            raise too_wide(self._workbook.file)
        if isinstance(cell, str):
            self._row_size += len(cell) * repeat
        if cell.__class__ is str:  # one that has an earlier reading is equal to one that has none
            cell = self._texts.setdefault(cell, cell)
        if self._column > len(self._cells):
            self._cells += [""] * (self._column - len(self._cells))
        self._cells += [cell] * repeat

    def _add_merged(self, attributes: Attributes) -> None:
        down, right = _repeated(attributes, _ROWS_SPANNED), _repeated(attributes, _COLUMNS_SPANNED)
        if down > 1 or right > 1:
            corner = (self.row + down - 1, self._column + right - 1)
            self.facts.merged.append(((self.row, self._column), corner))


def _repeated(attributes: Attributes, name: str) -> int:
    """Return how often something is repeated or how far it extends. Raises ValueError where it is no number."""
    return max(1, int(attributes.get(name, "1")))
