"""Read a report that is given back: who its rows are, what became of them, and the verdicts of a person.

A report comes back by way of other people's programs and mailboxes, so it is opened as any source is, within the same
bounds: whoever reads one hands over what opens a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from importer.errors import ReportError, SourceError
from importer.files import Package, open_ordinary
from importer.messages import _
from importer.model import Cell, Status, TableOptions, Typed

from .graft import sheet_parts
from .text import unmarked
from .words import (
    CREATED_BEFORE_NAME,
    CREATED_NOW_NAME,
    DOUBTFUL,
    OWN_COLUMNS,
    REPORT,
    SUMMARY,
    TO_DECIDE,
    read_journal_mark,
)

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("row", "status", "reference")
_SUMMARY_LINES = 200  # what is beyond is not ours
HEADER_WITHIN = 20  # lines; a person may have put a title above it

_NUMBERED = re.compile(r"(.+) \(\d+\)")

Line = Sequence[object]


class ReportTable(Protocol):
    """What a table of a report is to its reader: `source.Table` is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The unique names of the columns; of two equal headers, the later has a number behind it."""

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return the rows below the header, their cells by `columns`."""


Opener = Callable[[Path, TableOptions], ReportTable]
"""Opens a table within the bounds of a source, as `source.open_table` does; raises SourceError where it cannot."""


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


def read_rows(path: Path, open_table: Opener) -> Iterator[ReportedRow]:
    """Yield the rows of a report, a workbook or a CSV file, as they stand in it; memory does not grow with them.

    A doubtful row carries the verdict that was chosen for it in `To decide` (`created`, `not created`, or whatever
    was written there) and the ids written beside it. Raises `ReportError` where the file is no report of ours.
    """
    try:
        if path.suffix.lower() == ".csv":
            yield from _rows(path, path.name, _lines(open_table(path, TableOptions()), marked=True))
        else:
            yield from _from_workbook(path, open_table)
    except (OSError, SourceError) as error:
        raise _unreadable(path, error) from error


def _from_workbook(path: Path, open_table: Opener) -> Iterator[ReportedRow]:
    titles = _titles(path)
    if REPORT not in titles:
        raise ReportError(
            _(
                "{path} has no sheet {title}, so it is no report. Name the report that an import wrote.",
                path=path,
                title=REPORT,
            )
        )
    decided = _sheet(path, TO_DECIDE, open_table) if TO_DECIDE in titles else ()
    verdicts = {row.reference: row for row in decided if row.verdict}
    for row in _sheet(path, REPORT, open_table):
        yield _decided(row, verdicts.pop(row.reference, None))
    yield from verdicts.values()


def _sheet(path: Path, title: str, open_table: Opener) -> Iterator[ReportedRow]:
    table = open_table(path, TableOptions(sheet=title, hidden="include"))
    return _rows(path, title, _lines(table, marked=False))


def _lines(table: ReportTable, *, marked: bool) -> Iterator[Line]:
    """Yield the header and the rows; `marked` tells that text was marked as it is in a CSV file."""
    cell = _from_csv if marked else _from_sheet
    rows = (zip(*(map(cell, frame[name]) for name in table.columns), strict=True) for frame in table.frames())
    return chain([[unmarked(name) if marked else name for name in table.columns]], chain.from_iterable(rows))


def _from_sheet(cell: Cell) -> object:
    return cell.value if isinstance(cell, Typed) else str(cell)


def _from_csv(cell: Cell) -> object:
    return unmarked(str(cell))


@dataclass(frozen=True, slots=True)
class Overview:
    """What the other sheets of a report say of its rows: how many are cases or may be, and those to decide on."""

    created: int
    doubtful: int
    to_decide: tuple[ReportedRow, ...]


def read_overview(path: Path, open_table: Opener) -> Overview | None:
    """Return what the other sheets of a report tell of its rows, None where it has no summary.

    Raises `ReportError` where the file cannot be read.
    """
    if path.suffix.lower() != ".xlsx":
        return None
    try:
        titles = _titles(path)
        if SUMMARY not in titles:
            return None
        counts = _counts(_summary_lines(path, open_table))
        to_decide = tuple(_sheet(path, TO_DECIDE, open_table)) if TO_DECIDE in titles else ()
    except (OSError, SourceError) as error:
        raise _unreadable(path, error) from error
    created = counts.get(CREATED_NOW_NAME, 0) + counts.get(CREATED_BEFORE_NAME, 0)
    doubtful = sum(counts.get(str(status), 0) for status in (*DOUBTFUL, Status.SENDING))
    return Overview(created, doubtful, to_decide)


def read_mark(path: Path, open_table: Opener) -> tuple[str, int] | None:
    """Return the beginning of a journal's id and the highest attempt that it had when a report was written.

    None where the file does not tell: another file, a CSV report, a sheet in a workbook, a report of version 0.1.0, or
    a file that cannot be read.
    """
    if path.suffix.lower() != ".xlsx" or not path.is_file():
        return None
    try:
        if SUMMARY not in _titles(path):
            return None
        lines = _summary_lines(path, open_table)
        marks = (read_journal_mark(cell) for line in lines for cell in line if isinstance(cell, str))
        return next(filter(None, marks), None)
    except (OSError, SourceError, ReportError):
        return None


def _titles(path: Path) -> Collection[str]:
    with open_ordinary(path) as file:
        return sheet_parts(Package(file, path.name))


def _summary_lines(path: Path, open_table: Opener) -> Iterator[Line]:
    table = open_table(path, TableOptions(sheet=SUMMARY, header_row=1, hidden="include"))
    return islice(_lines(table, marked=False), _SUMMARY_LINES)


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
        places = {_bare(str(cell).strip()): index for index, cell in enumerate(line) if cell is not None}
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


def _bare(name: str) -> str:
    """Return a column's name without the number that it got because the source has a column of that name, too."""
    numbered = _NUMBERED.fullmatch(name)
    return numbered[1] if numbered and numbered[1] in {*OWN_COLUMNS, "verdict"} else name


def _number(text: str | None) -> int | None:
    """Read a row number as a sheet or a CSV file gives it back: 12, 12.0; None where there is none."""
    digits = (text or "").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() else None
