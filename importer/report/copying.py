"""A copy of a sheet with corrected cells: in the user's own workbook where that loses nothing, else the cells alone."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell

from importer.errors import ReportError, SourceError, UsageError
from importer.messages import _
from importer.model import Cell, Corrected
from importer.report.sheet import SheetWriter, new_workbook
from importer.report.styles import Formats
from importer.report.text import FORMULA_STARTS, cell_text
from importer.report.writing import fsync_and_close
from importer.system.causes import reason_of
from importer.system.files import Package, open_ordinary

_LARGEST = 50 << 20  # bytes of a workbook, unpacked: openpyxl holds all of it in memory


@dataclass(frozen=True, slots=True)
class SheetToCopy:
    """A sheet as it is to be copied: its file, its name there, its header, and its rows with their numbers.

    `columns` are the names of its columns, and `places` their positions in the sheet, from 0. `rows` come in order, and
    may be iterated more than once.
    """

    source: Path
    sheet: str | None
    header_row: int
    columns: Sequence[str]
    places: Sequence[int]
    rows: Iterable[tuple[int, Sequence[Cell]]]


def write_copy(path: Path, content: SheetToCopy) -> None:
    """Write a sheet to a new file, `.xlsx` or `.csv`; in a workbook, every row keeps its number.

    The copy of a workbook is that workbook with other texts in the corrected cells, so that it keeps its looks and its
    other sheets. It has the cells alone where formulas would lose their results. Raises UsageError where the file
    exists or has another ending, ReportError where it cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise UsageError(_("{path}: the name of a copy must end in .xlsx or .csv.", path=path))
    try:
        with path.open("xb") as file:
            try:
                write(file, content)
                fsync_and_close(file)
            except BaseException:
                with suppress(OSError):
                    file.close()
                    path.unlink()
                raise
    except FileExistsError as error:
        raise UsageError(_("{path} already exists. Choose a new file for the copy.", path=path)) from error
    except OSError as error:
        reason = reason_of(error)
        raise ReportError(_("{path}: the copy could not be written ({reason}).", path=path, reason=reason)) from error


def _write_xlsx(file: BinaryIO, content: SheetToCopy) -> None:
    workbook = _own_workbook(content)
    if workbook is not None and _fill_in(workbook, content):
        workbook.save(file)
    else:
        file.seek(0)
        _write_cells(file, content)


def _own_workbook(content: SheetToCopy) -> Workbook | None:
    """Return the user's workbook, None where it is none that openpyxl keeps."""
    if content.source.suffix.lower() != ".xlsx" or content.sheet is None:
        return None
    try:
        with open_ordinary(content.source) as file:
            package = Package(file, content.source.name)
            if sum(part.file_size for part in package.zip.infolist()) > _LARGEST:
                return None
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about what it drops
                return load_workbook(file, rich_text=True)
    except (OSError, ValueError, TypeError, AttributeError, LookupError, ParseError, zipfile.BadZipFile, SourceError):
        return None


def _fill_in(workbook: Workbook, content: SheetToCopy) -> bool:
    """Put the corrected texts into the cells of a workbook; tell whether it still is what the copy should be."""
    if content.sheet not in workbook.sheetnames:
        return False
    for each in workbook.worksheets:
        if any(cell.data_type == "f" for row in each.iter_rows() for cell in row):
            return False  # openpyxl keeps no results of formulas
    sheet = workbook[content.sheet]
    for number, cells in content.rows:
        for place, cell in zip(content.places, cells, strict=True):
            if isinstance(cell, Corrected):
                found = sheet.cell(number, place + 1)
                if isinstance(found, MergedCell):
                    return False
                text = cell_text(str(cell))
                found.value = text or None
                if text:
                    found.data_type = "s"
                    found.quotePrefix = text[0] in FORMULA_STARTS
    return True


def _write_cells(file: BinaryIO, content: SheetToCopy) -> None:
    with new_workbook(file) as workbook:
        sheet = SheetWriter(workbook, Formats(workbook), content.sheet or "Sheet1")
        for number, cells in _lines(content):
            while sheet.lines < number:
                sheet.next_line()
            for place, cell in zip(content.places, cells, strict=True):
                sheet.cell(place, cell)


def _write_csv(file: BinaryIO, content: SheetToCopy) -> None:
    """Write the cells with the mark by which Excel knows UTF-8."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        for _number, cells in _lines(content):
            writer.writerow([str(cell) for cell in cells])
    finally:
        text.detach()


def _lines(content: SheetToCopy) -> Iterator[tuple[int, Sequence[Cell]]]:
    yield content.header_row, list(content.columns)
    yield from content.rows


_WRITERS: dict[str, Callable[[BinaryIO, SheetToCopy], None]] = {".xlsx": _write_xlsx, ".csv": _write_csv}
