"""The sheet `Report` put into the source workbook itself with openpyxl, which must not lose anything else of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from importer.commands import report_command
from importer.errors import ReportError, SourceError
from importer.messages import _, translated
from importer.model import ReportContent
from importer.report.losses import lost_contents, lost_parts
from importer.report.reading import Opener, find_report, read_rows
from importer.report.recognition import WORKBOOK, sheet_parts
from importer.report.sheet import note_size
from importer.report.workbook import fits, write_report_sheet
from importer.report.writing import (
    default_path,
    digest,
    fsync_and_close,
    overwrite_blocker,
    paths_to_try,
    temporary_beside,
)
from importer.report_words import OWN_COLUMNS, REPORT, sheet_titles
from importer.system import disk
from importer.system.causes import reason_of
from importer.system.files import MOST_ROWS, Package, open_ordinary

LARGEST = 50 << 20  # bytes of a workbook, unpacked: openpyxl holds all of it in memory
THINGS_NAMED = 5  # of those that would be lost
MOST_CELLS = 1_000_000  # of the sheet Report, for the same reason

_PASSWORD_OR_OLD = b"\xd0\xcf\x11\xe0"  # how a compound file begins: a workbook with a password, or from before 2007


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What was put into a source workbook: the digest of the sheet's values; `backup` is the workbook as it was."""

    backup: Path
    digest: str


def write_back(source: Path, content: ReportContent, open_table: Opener, ours: Callable[[str], bool]) -> WrittenBack:
    """Add the sheet `Report` to the source workbook, or replace the one that was written there in any language.

    `open_table` reads the workbook as `read_rows` does; `ours` tells whether a digest is that of a sheet as it was
    written. A link is followed. The file is the old one or the new one at every moment. Raises `ReportError` with the
    reason where somebody's work would be lost; the workbook is then untouched.
    """
    refusal = next(_refusals(source, content, open_table), None)
    if refusal is not None:
        raise ReportError(_("{path} is left as it is: {reason}", path=source, reason=refusal))
    target = source.resolve()
    before = digest(target)
    try:
        earlier = find_report(target, open_table)
        if earlier is not None and not ours(_sheet_digest(target, earlier)):
            raise _edited(source, earlier)
        with temporary_beside(target) as (file, temporary):
            lost = _write_workbook(source, content, file, earlier)
            fsync_and_close(file)
            if digest(target) != before:
                raise _changed(source)
            if lost:
                raise _lossy(source, lost)
            next(read_rows(temporary, open_table), None)  # raises where it cannot be opened
            written = _sheet_digest(temporary, translated(REPORT))
            shutil.copymode(target, temporary)
            backup = _backup(target)
            if digest(backup) != before:
                backup.unlink()
                raise _changed(source)
            disk.replace(temporary, target)
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise _not_saved(source, error) from error
    except (ParseError, zipfile.BadZipFile, SourceError) as error:
        raise _not_saved(source, error) from error
    return WrittenBack(backup, written)


def _not_saved(source: Path, error: Exception) -> ReportError:
    return ReportError(
        _(
            "{path} is left as it is: the sheet could not be put into it ({reason}).",
            path=source,
            reason=reason_of(error),
        )
    )


def _edited(source: Path, sheet: str) -> ReportError:
    return ReportError(
        _(
            "{path} is left as it is: its sheet {sheet} was edited since it was written, or another journal or an"
            " earlier version wrote it. If its edits are to stay, rename the sheet, or import it with `sheet:"
            " {sheet}` in the mapping; otherwise delete it. Then run `{command}`.",
            command=report_command("--write-back"),
            path=source,
            sheet=sheet,
        )
    )


def _changed(source: Path) -> ReportError:
    return ReportError(_("{path} was changed while its report was written. Try again.", path=source))


def _lossy(source: Path, lost: list[str]) -> ReportError:
    return ReportError(
        _(
            "{path} is left as it is: saving it would lose {things}; see {report}.",
            path=source,
            things=", ".join(lost[:THINGS_NAMED]),
            report=default_path(source).name,
        )
    )


def _write_workbook(source: Path, content: ReportContent, file: BinaryIO, earlier: str | None) -> list[str]:
    """Write the source workbook with the sheet `Report` to an open file; return what that loses of the workbook.

    `earlier` is the sheet that it replaces.
    """
    title = translated(REPORT)
    with open_ordinary(source) as original, tempfile.TemporaryFile() as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of some of the losses that are looked for below
        workbook = load_workbook(original, keep_vba=_has_macros(source), rich_text=True)
        write_report_sheet(made, content)
        _put_sheet(load_workbook(made)[title], workbook, earlier)
        try:
            workbook.save(file)
        finally:
            if workbook.vba_archive is not None:
                workbook.vba_archive.close()  # else Python does, some day, and may complain on the terminal
        file.flush()
        original.seek(0)
        lost = lost_contents(
            Package(original, source.name),
            Package(file, source.name),
            {title, earlier or title},
            lambda sheet, place: cell.number_format if (cell := workbook[sheet][place]).is_date else None,
        )
        return list(dict.fromkeys(lost))


def _has_macros(source: Path) -> bool:
    return source.suffix.lower() == ".xlsm"


def _backup(source: Path) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    asked = source.with_name(f"{source.stem}.backup-{stamp}{source.suffix}")
    backup = next(path for path in paths_to_try(asked) if not path.exists())
    shutil.copy2(source, backup)
    with backup.open("rb+") as file:
        os.fsync(file.fileno())
    return backup


# ------------------------------------------------------------------------------------------------ refusals


def _refusals(source: Path, content: ReportContent, open_table: Opener) -> Iterator[str]:
    """Yield why the workbook is not to be touched, and what to do instead; what follows a reason may not hold."""
    beside = default_path(source).name
    if source.suffix.lower() in {".csv", ".tsv", ".txt"}:
        yield _("a CSV file has no sheets; see {report}.", report=beside)
    if source.suffix.lower() not in {".xlsx", ".xlsm"}:
        yield _("only .xlsx and .xlsm can take a sheet; save it as one of these, or see {report}.", report=beside)
    if not fits(content):
        yield _(
            "the report has more lines or columns than a sheet holds; ask for it with `{command}`.",
            command=report_command("--report", "FILE.csv"),
        )
    if content.summary.counts.rows * (len(content.columns) + len(OWN_COLUMNS)) > MOST_CELLS:
        yield _("the report is too large to be put into another workbook; see {report}.", report=beside)
    blockers = (overwrite_blocker(path, lambda _digest: True) for path in (source, source.resolve()))
    blocker = next(filter(None, blockers), None)
    if blocker is not None:
        command = report_command("--write-back")
        yield _("{reason}; change that, and then run `{command}`.", reason=blocker, command=command)
    try:
        yield from _unfit(source, content.summary.sheet or "", beside, open_table)
    except (OSError, SourceError) as error:
        yield _("it cannot be read as a workbook ({reason}); see {report}.", reason=reason_of(error), report=beside)


def _unfit(source: Path, sheet: str, beside: str, open_table: Opener) -> Iterator[str]:
    """Yield why the contents of the workbook do not allow it; `sheet` is the one that was imported."""
    with open_ordinary(source) as file:
        if file.read(4) == _PASSWORD_OR_OLD:
            yield _("it has a password, or is from before Excel 2007; save it without, or see {report}.", report=beside)
    with open_ordinary(source) as file:
        package = Package(file, source.name)
        if any(name.startswith("_xmlsignatures/") for name in package.names):
            yield _("it is signed, and any change breaks the signature; see {report}.", report=beside)
        workbook = package.content(WORKBOOK)
        if b"purl.oclc.org/ooxml" in workbook:
            yield _("it is a “Strict Open XML” workbook; save it as an ordinary one, or see {report}.", report=beside)
        if b"lockStructure=" in workbook:
            yield _("its structure is protected; remove the protection, or see {report}.", report=beside)
        titles, earlier = sheet_parts(package), find_report(source, open_table)
        taken = next((name for name in titles if name.casefold() == translated(REPORT).casefold()), None)
        if taken is not None and taken != earlier:
            yield _("it has its own sheet {sheet}; rename that, or see {report}.", sheet=taken, report=beside)
        if sheet in sheet_titles(REPORT) and (sheet == earlier or sheet not in titles):
            yield _("it is a report itself, with your corrections; see {report}.", report=beside)
        if sum(part.file_size for part in package.zip.infolist()) > LARGEST:
            yield _("it is too large to be saved with another sheet; see {report}.", report=beside)
        ignored = _parts_of(package, titles[earlier]) if earlier is not None else frozenset()
        if things := list(dict.fromkeys(lost_parts(package, ignored, macros_kept=_has_macros(source)))):
            yield _(
                "saving it would lose {things}; see {report}.", things=", ".join(things[:THINGS_NAMED]), report=beside
            )


def _parts_of(package: Package, sheet: str) -> frozenset[str]:
    """Return the parts that belong to a sheet: itself, its notes and their shapes."""
    return frozenset({sheet, *(target for _kind, target in package.relations(sheet).values())})


# ------------------------------------------------------------------------------------------------ the sheet


def _sheet_digest(path: Path, title: str) -> str:
    """Return the SHA-256 of the values in the sheet `Report` of a workbook, which has this title there.

    The looks of the cells do not count, nor do the ways in which programs store the same value.
    """
    with open_ordinary(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not know in other parts
        workbook = load_workbook(file, read_only=True)
        sheet = workbook[title]
        sheet.reset_dimensions()  # a program may have noted fewer cells than there are
        found = hashlib.sha256(REPORT.encode())
        for line_number, line in enumerate(islice(sheet.iter_rows(values_only=True), MOST_ROWS), 1):
            for column_number, value in enumerate(line, 1):
                if text := _value_as_text(value):
                    found.update(json.dumps([line_number, column_number, text]).encode())
        return found.hexdigest()


def _value_as_text(value: object) -> str:
    """Return a cell's value as one text, whichever program saved it."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return format(value, ".15g")  # as many digits as a spreadsheet program keeps
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    text = "" if value is None else str(value)
    while (plain := unescape(text)) != text:  # LibreOffice saves the text `_x0041_` as Excel saves an `A`
        text = plain
    return "\n".join(text.splitlines())


def _put_sheet(ours: Worksheet, workbook: Workbook, earlier: str | None) -> None:
    """Copy a sheet into another workbook, in the place of an earlier one, or as the last."""
    position = None
    if earlier is not None:
        old = workbook[earlier]
        position = workbook.index(old)
        workbook.remove(old)
    theirs = workbook.create_sheet(ours.title, position)
    _copy_cells(ours, theirs)
    _copy_layout(ours, theirs)


def _copy_cells(ours: Worksheet, theirs: Worksheet) -> None:
    """Copy cells with styles, notes and links; text stays text."""
    templates: dict[int, Cell] = {}  # empty cells, one for each style
    for line in ours.iter_rows():
        copies = []
        for cell in line:
            if cell.style_id not in templates:
                templates[cell.style_id] = _styled_like(cell, theirs)
            copied = copy(templates[cell.style_id])
            copied.value = cell.value
            if isinstance(cell.value, str):
                copied.data_type = "s"  # otherwise `=1+1` is a formula, and `#N/A` an error
            copies.append(copied)
        theirs.append(copies)
        for cell, copied in zip(line, copies, strict=True):
            if cell.comment:
                width, height = note_size(cell.comment.text)
                copied.comment = Comment(cell.comment.text, cell.comment.author, height, width)
            if cell.hyperlink:
                copied.hyperlink = copy(cell.hyperlink)


def _styled_like(cell: Cell | MergedCell, sheet: Worksheet) -> Cell:
    """Return an empty cell of a sheet in the style of another workbook's cell."""
    styled = Cell(sheet, 1, 1)
    for name in ("font", "fill", "border", "alignment", "number_format"):
        setattr(styled, name, copy(getattr(cell, name)))
    styled.quotePrefix = cell.quotePrefix
    return styled


def _copy_layout(ours: Worksheet, theirs: Worksheet) -> None:
    """Copy what a sheet has besides its cells."""
    for letter, column in ours.column_dimensions.items():
        theirs.column_dimensions[letter].width = column.width
    for number, line in ours.row_dimensions.items():
        theirs.row_dimensions[number].height, theirs.row_dimensions[number].hidden = line.height, line.hidden
    for formats in ours.conditional_formatting:
        for rule in formats.rules:
            theirs.conditional_formatting.add(str(formats.sqref), rule)
    theirs.freeze_panes = ours.freeze_panes
    theirs.auto_filter.ref = ours.auto_filter.ref
    theirs.print_title_rows, theirs.print_title_cols = ours.print_title_rows, ours.print_title_cols
    theirs.page_setup.orientation, theirs.page_setup.paperSize = ours.page_setup.orientation, ours.page_setup.paperSize
    theirs.page_setup.fitToWidth, theirs.page_setup.fitToHeight = ours.page_setup.fitToWidth, 0
    theirs.sheet_properties.pageSetUpPr = copy(ours.sheet_properties.pageSetUpPr)
    theirs.page_margins = copy(ours.page_margins)
    theirs.oddFooter = copy(ours.oddFooter)
