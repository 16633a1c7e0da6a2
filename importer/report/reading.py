"""Read a report that is given back: who its rows are, what became of them, and the verdicts of a person."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from importer.errors import ReportError
from importer.messages import _
from importer.model import Status

from .text import unmarked
from .words import CREATED_BEFORE_NAME, CREATED_NOW_NAME, DOUBTFUL, REPORT, SUMMARY, TO_DECIDE, read_journal_mark

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

NEEDED = ("row", "status", "reference")
_SUMMARY_LINES, _SUMMARY_COLUMNS = 200, 10  # what is beyond is not ours
HEADER_WITHIN = 20  # lines; a person may have put a title above it

Line = Sequence[object]


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """What a report says of a row; the verdict is a person's, from the sheet `To decide`, with the id found there.

    `about` names the attempt or decision that the verdict is about; reports of 0.1.0 lack it, and are told by `run`
    and `sent_at`, in the time zone of this computer.
    """

    row: int
    status: str
    wolkvox_id: str | None
    id_prefijo: str | None
    reference: str | None
    verdict: str | None
    about: str | None = None
    run: int | None = None
    sent_at: datetime | None = None


def read_rows(path: Path) -> Iterator[ReportedRow]:
    """Yield the rows of a report, a workbook or a CSV file, as they stand in it; memory does not grow with them.

    A doubtful row carries the verdict that was chosen for it in `To decide` (`created`, `not created`, or whatever
    was written there) and the ids written beside it. Raises `ReportError` where the file is no report of ours.
    """
    if path.suffix.lower() == ".csv":
        return _from_csv(path)
    return _from_workbook(path)


def read_mark(path: Path) -> tuple[str, int] | None:
    """Return the beginning of a journal's id and the highest attempt that it had when a report was written.

    None where the file does not tell: another file, a CSV report, a sheet in a workbook, a report of version 0.1.0, or
    a file that cannot be read.
    """
    if path.suffix.lower() != ".xlsx" or not path.is_file():
        return None
    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as workbook:
            if SUMMARY not in workbook.sheetnames:
                return None
            lines = workbook[SUMMARY].iter_rows(max_row=_SUMMARY_LINES, max_col=_SUMMARY_COLUMNS, values_only=True)
            marks = (read_journal_mark(cell) for line in lines for cell in line if isinstance(cell, str))
            return next(filter(None, marks), None)
    except (OSError, ValueError, KeyError, ParseError, zipfile.BadZipFile, InvalidFileException):
        return None


def _from_csv(path: Path) -> Iterator[ReportedRow]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            head = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=head.count)  # Excel saves it with the one of its language
            lines = ([unmarked(cell) for cell in line] for line in csv.reader(file, delimiter=delimiter))
            yield from _rows(path, path.name, lines)
    except (OSError, csv.Error) as error:
        raise _unreadable(path, error) from error


def _from_workbook(path: Path) -> Iterator[ReportedRow]:
    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as workbook:
            verdicts = {row.reference: row for row in _sheet(path, workbook, TO_DECIDE) if row.verdict}
            for row in _sheet(path, workbook, REPORT):
                yield _decided(row, verdicts.pop(row.reference, None))
            yield from verdicts.values()
    except (OSError, ValueError, KeyError, ParseError, zipfile.BadZipFile, InvalidFileException) as error:
        raise _unreadable(path, error) from error


@dataclass(frozen=True, slots=True)
class Overview:
    """What the other sheets of a report say of its rows: how many are cases or may be, and those to decide on."""

    created: int
    doubtful: int
    to_decide: tuple[ReportedRow, ...]


def read_overview(path: Path) -> Overview | None:
    """Return what the other sheets of a report tell of its rows, None where it has no summary.

    Raises `ReportError` where the file cannot be read.
    """
    if path.suffix.lower() != ".xlsx":
        return None
    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as workbook:
            if SUMMARY not in workbook.sheetnames:
                return None
            counts = _counts(workbook[SUMMARY].iter_rows(values_only=True))
            to_decide = tuple(_sheet(path, workbook, TO_DECIDE)) if TO_DECIDE in workbook.sheetnames else ()
    except (OSError, ValueError, KeyError, ParseError, zipfile.BadZipFile, InvalidFileException) as error:
        raise _unreadable(path, error) from error
    created = counts.get(CREATED_NOW_NAME, 0) + counts.get(CREATED_BEFORE_NAME, 0)
    doubtful = sum(counts.get(str(status), 0) for status in (*DOUBTFUL, Status.SENDING))
    return Overview(created, doubtful, to_decide)


def _counts(lines: Iterable[Line]) -> dict[str, int]:
    """Return the counts of a summary by their names; the first line of each name is the one."""
    counts: dict[str, int] = {}
    for line in lines:
        if len(line) > 1 and isinstance(line[0], str) and isinstance(line[1], int):
            counts.setdefault(line[0].strip(), line[1])
    return counts


def _decided(row: ReportedRow, decision: ReportedRow | None) -> ReportedRow:
    if decision is None:
        return row
    return replace(
        row,
        verdict=decision.verdict,
        about=decision.about,
        wolkvox_id=decision.wolkvox_id or row.wolkvox_id,
        id_prefijo=decision.id_prefijo or row.id_prefijo,
    )


def _sheet(path: Path, workbook: Workbook, title: str) -> Iterator[ReportedRow]:
    if title in workbook.sheetnames:
        sheet = workbook[title]
        yield from _rows(path, title, sheet.iter_rows(values_only=True))
    elif title == REPORT:
        raise ReportError(
            _(
                "{path} has no sheet {title}, so it is no report. Name the report that an import wrote.",
                path=path,
                title=title,
            )
        )


def _unreadable(path: Path, error: Exception) -> ReportError:
    return ReportError(
        _(
            "{path}: the report cannot be read ({reason}). Name a report that an import wrote, .xlsx or .csv.",
            path=path,
            reason=error,
        )
    )


def _rows(path: Path, title: str, lines: Iterable[Line]) -> Iterator[ReportedRow]:
    lines = iter(lines)
    places = _header(path, title, lines)

    def text(line: Line, name: str) -> str | None:
        index = places.get(name)
        if index is None or index >= len(line) or line[index] is None:
            return None
        return str(line[index]).strip() or None

    for line in lines:
        number = _number(text(line, "row"))
        if number is not None:
            verdict = text(line, "verdict")
            yield ReportedRow(
                row=number,
                status=text(line, "status") or "",
                wolkvox_id=text(line, "wolkvox_id"),
                id_prefijo=text(line, "idPrefijo"),
                reference=text(line, "reference"),
                verdict=verdict.casefold() if verdict and title == TO_DECIDE else None,
                about=text(line, "attempt") if title == TO_DECIDE else None,
                run=_number(text(line, "run")),
                sent_at=_moment(text(line, "sent_at")),
            )


def _header(path: Path, title: str, lines: Iterator[Line]) -> dict[str, int]:
    """Find the line of column names; of two equal names the later is ours, since ours stand last."""
    for line in islice(lines, HEADER_WITHIN):
        places = {str(cell).strip(): index for index, cell in enumerate(line) if cell is not None}
        if all(name in places for name in NEEDED):
            return places
    raise ReportError(
        _(
            "{path}, {title}: the columns {names} are not all there, so it is no report. Name the report that an "
            "import wrote, its own columns in place.",
            path=path,
            title=title,
            names=", ".join(NEEDED),
        )
    )


def _moment(text: str | None) -> datetime | None:
    """Read a moment as a sheet or a CSV file gives it back; None where there is none."""
    try:
        return datetime.fromisoformat(text or "").astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str | None) -> int | None:
    """Read a row number as a sheet or a CSV file gives it back: 12, 12.0; None where there is none."""
    digits = (text or "").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() else None
