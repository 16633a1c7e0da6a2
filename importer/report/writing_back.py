"""The sheet `Report` put into the source workbook itself, everything else of it kept."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook

from importer.errors import ReportError, SourceError
from importer.files import Package, open_ordinary
from importer.messages import _
from importer.model import ReportContent

from . import places
from .graft import WORKBOOK, graft, sheet_parts
from .package import save
from .reading import Opener, read_rows
from .report_sheet import ReportSheet
from .words import REPORT
from .workbook import SAMPLE, fits

_PASSWORD_OR_OLD = b"\xd0\xcf\x11\xe0"  # how a compound file begins: a workbook with a password, or one of before 2007


def write_back(source: Path, content: ReportContent, open_table: Opener) -> Path:
    """Add the sheet `Report` to the source workbook, or renew it, and return where the workbook as it was is kept.

    `open_table` reads the workbook as `read_rows` does. Nothing else of the workbook changes, and the file is the old
    one or the new one at every moment. Raises `ReportError` with the reason where that cannot be had; the workbook is
    then untouched.
    """
    refusal = next(_refusals(source, content, open_table), None)
    if refusal is not None:
        raise ReportError(_("{path} is left as it is: {reason}", path=source, reason=refusal))
    before = places.digest(source)
    try:
        with tempfile.TemporaryFile() as sheet, places.unfinished(source) as (file, temporary):
            _write_sheet(sheet, content)
            with open_ordinary(source) as host:
                graft(Package(host, source.name), Package(sheet, REPORT), REPORT, file)
            places.finish(file)
            next(read_rows(temporary, open_table), None)  # it opens, or nothing is touched
            shutil.copymode(source, temporary)
            backup = _backup(source)
            if places.digest(backup) != before:
                backup.unlink()
                raise ReportError(_("{path} was changed while its report was written. Try again.", path=source))
            places.replace(temporary, source)
    except (OSError, ValueError, KeyError, ParseError, zipfile.BadZipFile, SourceError) as error:
        raise ReportError(
            _("{path} is left as it is: the sheet could not be put into it ({reason}).", path=source, reason=error)
        ) from error
    return backup


def _write_sheet(file: BinaryIO, content: ReportContent) -> None:
    workbook = Workbook(write_only=True)
    report = ReportSheet(workbook, content, islice(content.rows, SAMPLE))
    for row in content.rows:
        report.add(row)
    report.finish()
    save(workbook, [report], file)


def _backup(source: Path) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    asked = source.with_name(f"{source.stem}.backup-{stamp}{source.suffix}")
    backup = next(name for name in places.names(asked) if not name.exists())
    shutil.copy2(source, backup)
    with backup.open("rb+") as file:
        os.fsync(file.fileno())
    return backup


def _refusals(source: Path, content: ReportContent, open_table: Opener) -> Iterator[str]:
    """Yield why the workbook is not to be touched, and what to do instead; what follows a reason may not hold."""
    beside = places.default_path(source).name
    if source.suffix.lower() in {".csv", ".tsv", ".txt"}:
        yield _("a CSV has no sheets; see {report}.", report=beside)
    if source.suffix.lower() not in {".xlsx", ".xlsm"}:
        yield _("only .xlsx and .xlsm take a sheet; save it as one of these, or see {report}.", report=beside)
    if content.summary.sheet == REPORT:
        yield _("it is a report itself, with your corrections; see {report}.", report=beside)
    if not fits(content):
        yield _("the report has more lines or columns than a sheet holds; ask for it with --report x.csv.")
    held = places.why_kept(source, lambda _digest: True)
    if held is not None:
        yield _("{reason}; mend that and run `case-importer report --write-back`.", reason=held)
    try:
        yield from _unfit(source, beside, open_table)
    except (OSError, SourceError) as error:
        yield _("it cannot be read as a workbook ({reason}); see {report}.", reason=error, report=beside)


def _unfit(source: Path, beside: str, open_table: Opener) -> Iterator[str]:
    with open_ordinary(source) as file:
        if file.read(4) == _PASSWORD_OR_OLD:
            yield _("it has a password, or is of before Excel 2007; save it without, or see {report}.", report=beside)
    with open_ordinary(source) as file:
        package = Package(file, source.name)
        if any(name.startswith("_xmlsignatures/") for name in package.names):
            yield _("it is signed, and any change breaks the signature; see {report}.", report=beside)
        workbook = package.content(WORKBOOK)
        if b"purl.oclc.org/ooxml" in workbook:
            yield _("it is a “Strict Open XML” workbook; save it as an ordinary one, or see {report}.", report=beside)
        if b"lockStructure=" in workbook:
            yield _("its structure is protected; lift the protection, or see {report}.", report=beside)
        taken = next((name for name in sheet_parts(package) if name.casefold() == REPORT.casefold()), None)
    if taken is not None and not _is_ours(source, taken, open_table):
        yield _("it has a sheet {sheet} of its own; rename that, or see {report}.", sheet=taken, report=beside)


def _is_ours(source: Path, title: str, open_table: Opener) -> bool:
    """Tell whether the workbook's sheet of that name is a report that was written back before."""
    try:
        list(islice(read_rows(source, open_table), 1))
    except ReportError:
        return False
    return title == REPORT
