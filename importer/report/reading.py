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

from .text import unmarked
from .words import REPORT, TO_DECIDE

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

NEEDED = ("row", "status", "reference")
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
