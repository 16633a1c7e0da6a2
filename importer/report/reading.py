"""Read a report that is given back: who its rows are, what became of them, and the verdicts of a person.

A report comes back by way of other people's programs and mailboxes, so it is opened as any source is, within the same
bounds: whoever reads one hands over what opens a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from importer.bounds import Package
from importer.errors import ReportError, SourceError
from importer.files import open_ordinary
from importer.messages import _
from importer.model import Cell, TableOptions, Typed

from .graft import sheet_parts
from .text import unmarked
from .words import OWN_COLUMNS, REPORT, TO_DECIDE

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("row", "status", "reference")
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
    """What a report says of a row; the verdict is a person's, from the sheet `To decide`, with the id found there."""

    row: int
    status: str
    wolkvox_id: str | None
    id_prefijo: str | None
    reference: str | None
    verdict: str | None


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
    with open_ordinary(path) as file:
        titles = sheet_parts(Package(file, path.name))
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


def _decided(row: ReportedRow, decision: ReportedRow | None) -> ReportedRow:
    if decision is None:
        return row
    return replace(
        row,
        verdict=decision.verdict,
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


def _bare(name: str) -> str:
    """Return a column's name without the number that it got because the source has a column of that name, too."""
    numbered = _NUMBERED.fullmatch(name)
    return numbered[1] if numbered and numbered[1] in {*OWN_COLUMNS, "verdict"} else name


def _number(text: str | None) -> int | None:
    """Read a row number as a sheet or a CSV file gives it back: 12, 12.0; None where there is none."""
    digits = (text or "").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() else None
