"""Read a report that is given back: its rows, what became of them, and the verdicts of a person.

A report comes back by way of other people's programs and mailboxes, so it is opened as any source is, within the same
bounds: every function here that reads a table is given what opens one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from importer.errors import ReportError, SourceError
from importer.messages import _, translated
from importer.model import CHANGED, UNSETTLED, Cell, TableOptions, Typed
from importer.report.columns import own_places
from importer.report.marks import read_journal_mark, read_keys_mark, read_name_mark, read_runs_mark
from importer.report.recognition import HEADER_WITHIN, called, titles_of
from importer.report.text import unmarked
from importer.report_words import (
    CREATED_BEFORE,
    CREATED_NOW,
    DETAILS,
    REPORT,
    SUMMARY,
    TO_DECIDE,
    UPDATED_NOW,
    column_words,
    is_rehearsed,
    outcome_of_word,
    state_of_word,
    verdict_of_word,
)
from importer.system.causes import reason_of
from importer.system.disk import state_of

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("row", "status", "reference")
SUMMARY_LINES = 200  # what is beyond is not ours

_NUMBERED = re.compile(r"(.+) \(\d+\)")

Line = Sequence[object]


class ReportTable(Protocol):
    """What the reader of a report needs of a table: `source.Table` is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The unique names of the columns; of two equal headers, the later has a number behind it."""

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return the rows below the header, their cells by `columns`."""


Opener = Callable[[Path, TableOptions], ReportTable]
"""Opens a table within the bounds of a source, as `source.open_table` does; raises SourceError where it cannot."""


# ------------------------------------------------------------------------------------------------ its rows


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """One row of a report; the verdict is a person's, from the sheet `To decide`, with the id written there.

    `about` names the attempt or decision that the verdict is about. Reports of 0.1.0 lack it; there `run` and
    `sent_at`, in the time zone of this computer, identify the attempt.
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
    """Yield the rows of a report, a workbook or a CSV file, in its order; memory does not grow with them.

    A doubtful row has the verdict that was chosen for it in `To decide` (`created`, `not created`, or any other text
    in that cell) and the ids written beside it. Raises `ReportError` where the file is not a report of ours.
    """
    try:
        if path.suffix.lower() == ".csv":
            lines = _lines(open_table(path, TableOptions()), marked=True)
            yield from _rows(path, path.name, lines, decided=False)
        else:
            yield from _from_workbook(path, open_table)
    except (OSError, SourceError) as error:
        raise _unreadable(path, error) from error


def _from_workbook(path: Path, open_table: Opener) -> Iterator[ReportedRow]:
    titles = titles_of(path)
    reports = called(titles, REPORT)
    if not reports:
        raise ReportError(
            _(
                "{path} has no sheet {title}, so it is not a report. Name the report that an import wrote.",
                path=path,
                title=translated(REPORT),
            )
        )
    verdicts = {row.reference: row for row in _to_decide(path, titles, open_table) if row.verdict}
    for row in _first_report(path, reports, open_table):
        yield _decided(row, verdicts.pop(row.reference, None))
    yield from verdicts.values()


def find_report(path: Path, open_table: Opener) -> str | None:
    """Return which sheet of a workbook is a report, in any language; None where none is.

    Of several it is the one in the language that is spoken. Raises SourceError where the workbook cannot be read.
    """
    titles = sorted(called(titles_of(path), REPORT), key=lambda title: title != translated(REPORT))
    for title in titles:
        with suppress(ReportError, SourceError):
            _sheet(path, title, open_table)
            return title
    return None


def _first_report(path: Path, titles: Sequence[str], open_table: Opener) -> Iterator[ReportedRow]:
    """Return the rows of the first of these sheets that is a report: beside it there may be one of the user's own."""
    for title in titles[:-1]:
        with suppress(ReportError, SourceError):
            return _sheet(path, title, open_table)
    return _sheet(path, titles[-1], open_table)


def _to_decide(path: Path, titles: Iterable[str], open_table: Opener) -> Iterator[ReportedRow]:
    """Yield the rows of the sheet `To decide`, if there is one."""
    for title in called(titles, TO_DECIDE):
        yield from _sheet(path, title, open_table, decided=True)


def _sheet(path: Path, title: str, open_table: Opener, *, decided: bool = False) -> Iterator[ReportedRow]:
    table = open_table(path, TableOptions(sheet=title, hidden="include"))
    return _rows(path, title, _lines(table, marked=False), decided=decided)


def _lines(table: ReportTable, *, marked: bool) -> Iterator[Line]:
    """Yield the header and the rows; `marked`: text was marked as it is in a CSV file."""
    cell = _from_csv if marked else _from_sheet
    rows = (zip(*(map(cell, frame[name]) for name in table.columns), strict=True) for frame in table.frames())
    return chain([[unmarked(name) if marked else name for name in table.columns]], chain.from_iterable(rows))


def _from_sheet(cell: Cell) -> object:
    return cell.value if isinstance(cell, Typed) else str(cell)


def _from_csv(cell: Cell) -> object:
    return unmarked(str(cell))


@dataclass(frozen=True, slots=True)
class Overview:
    """What the other sheets of a report say: how many rows are cases or may be, and which have to be decided."""

    created: int
    doubtful: int
    to_decide: tuple[ReportedRow, ...]


def read_overview(path: Path, open_table: Opener) -> Overview | None:
    """Return what the other sheets of a report say of its rows, None where it has no summary.

    Raises `ReportError` where the file cannot be read.
    """
    if path.suffix.lower() != ".xlsx":
        return None
    try:
        titles = titles_of(path)
        if not called(titles, SUMMARY):
            return None
        counts = _counts(_summary_lines(path, open_table))
        to_decide = tuple(_to_decide(path, titles, open_table))
    except (OSError, SourceError) as error:
        raise _unreadable(path, error) from error
    created = sum(counts.get(name, 0) for name in (CREATED_NOW, CREATED_BEFORE, UPDATED_NOW, CHANGED))
    doubtful = sum(counts.get(str(status), 0) for status in UNSETTLED)
    return Overview(created, doubtful, to_decide)


def read_mark(path: Path, open_table: Opener) -> tuple[str, int] | None:
    """Return the beginning of a journal's id and the highest attempt that it had when a report was written.

    None where the file does not say: another file, a CSV report, a sheet in a workbook, a report of version 0.1.0, or
    a file that cannot be read.
    """
    return next(filter(None, map(read_journal_mark, summary_texts(path, open_table))), None)


def read_runs(path: Path, open_table: Opener) -> tuple[str, tuple[int, ...]] | None:
    """Return the beginning of a journal's id and the runs from which the cells of a report are, its own first.

    None where the file does not say: what `read_mark` names, and reports of versions that did not write it.
    """
    return next(filter(None, map(read_runs_mark, summary_texts(path, open_table))), None)


def read_scopes(path: Path, open_table: Opener) -> list[tuple[str, str, str]]:
    """Return the names of the import of a report, with tenant and operation; none where it has one name alone."""
    return list(filter(None, map(read_name_mark, summary_texts(path, open_table))))


def read_uncorrected(path: Path, open_table: Opener) -> dict[str, tuple[str, ...]]:
    """Return the digests of the keys that the rows of a report had before they were corrected, by reference."""
    found: dict[str, tuple[str, ...]] = {}
    for text in summary_texts(path, open_table):
        for reference, digest in read_keys_mark(text):
            found[reference] = (*found.get(reference, ()), digest)
    return found


def is_about(path: Path, source: Path, open_table: Opener) -> bool | None:
    """Tell whether a report was made from a source of this name; None where the file does not say."""
    texts = summary_texts(path, open_table)
    first = next(texts, None)
    return None if first is None else any(Path(text).name == source.name for text in chain([first], texts))


def summary_texts(path: Path, open_table: Opener) -> Iterator[str]:
    """Yield the texts in the summary of a report, technical facts first.

    There are none where the file has no summary, or cannot be read.
    """
    if path.suffix.lower() != ".xlsx" or not path.is_file():
        return
    with suppress(OSError, SourceError, ReportError):
        if called(titles_of(path), SUMMARY):
            for line in _summary_lines(path, open_table, (DETAILS, SUMMARY)):
                yield from (cell for cell in line if isinstance(cell, str))


def _summary_lines(path: Path, open_table: Opener, sheets: Iterable[str] = (SUMMARY, DETAILS)) -> Iterator[Line]:
    """Yield the lines of `Summary`, and those of `Details`, which reports of version 0.1.0 have on `Summary`."""
    for sheet in sheets:
        yield from _read_summary(path, open_table, sheet, state_of(path))


@lru_cache(maxsize=16)
def _read_summary(path: Path, open_table: Opener, sheet: str, _state: tuple[int, ...]) -> Sequence[Line]:
    """Return the lines of a sheet, once for each state of the file: a command asks for one fact after another."""
    lines: list[Line] = []
    for title in called(titles_of(path), sheet):
        table = open_table(path, TableOptions(sheet=title, header_row=1, hidden="include"))
        lines += islice(_lines(table, marked=False), SUMMARY_LINES)
    return lines


def _counts(lines: Iterable[Line]) -> dict[str, int]:
    """Return the counts of a summary by their English names; of equal names the first line counts."""
    counts: dict[str, int] = {}
    for line in lines:
        if len(line) > 1 and isinstance(line[0], str) and isinstance(line[1], int):
            counts.setdefault(outcome_of_word(line[0].strip()), line[1])
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
            reason=reason_of(error),
        )
    )


def _rows(path: Path, title: str, lines: Iterable[Line], *, decided: bool) -> Iterator[ReportedRow]:
    """Return the rows below the header, which is looked for at once; ReportError where there is none."""
    lines = iter(lines)
    positions = _header(path, title, lines)

    def rows() -> Iterator[ReportedRow]:
        for line in lines:
            texts = {name: _text(line, index) for name, index in positions.items()}
            if (number := _number(texts.get("row"))) is not None:
                yield _row(number, texts, decided=decided)

    return rows()


def _text(line: Line, index: int) -> str | None:
    if index >= len(line) or line[index] is None:
        return None
    return str(line[index]).strip() or None


def _row(number: int, texts: Mapping[str, str | None], *, decided: bool) -> ReportedRow:
    """Return a row from its texts by column; only the sheet `To decide` has verdicts."""
    verdict = texts.get("verdict")
    return ReportedRow(
        row=number,
        status=state_of_word(texts.get("status") or ""),
        wolkvox_id=_real(texts.get("wolkvox_id")),
        id_prefijo=_real(texts.get("idPrefijo")),
        reference=_real(texts.get("reference")),
        verdict=verdict_of_word(verdict) if verdict and decided else None,
        about=texts.get("attempt") if decided else None,
        run=_number(texts.get("run")),
        sent_at=_time(texts.get("sent_at")),
    )


def _real(text: str | None) -> str | None:
    """Return an id or a reference; None for one of a rehearsal, which nothing in the CRM has."""
    return None if text is not None and is_rehearsed(text) else text


def _header(path: Path, title: str, lines: Iterator[Line]) -> dict[str, int]:
    """Find the line of column names; where some of ours were deleted, of two equal names the later is ours."""
    for line in islice(lines, HEADER_WITHIN):
        if ours := own_places(["" if cell is None else str(cell).strip() for cell in line]):
            return ours
        found = (_positions(line, words) for words in column_words())
        positions = max(found, key=len)
        if all(name in positions for name in NEEDED):
            return positions
    raise ReportError(
        _(
            "{path}, {title}: not all of the columns {names} are there, so it is not a report. Name the report that an"
            " import wrote, with its own columns in place.",
            path=path,
            title=title,
            names=", ".join(map(translated, NEEDED)),
        )
    )


def _positions(line: Line, words: Mapping[str, str]) -> dict[str, int]:
    """Return where the columns of a report are in a header, which are called by these words."""
    headers = ((index, str(cell).strip()) for index, cell in enumerate(line) if cell is not None)
    named = ((words.get(_bare(header, words)), index) for index, header in headers)
    return {name: index for name, index in named if name is not None}


def _time(text: str | None) -> datetime | None:
    """Return the time that a sheet or a CSV file gives back; None where there is none."""
    try:
        return datetime.fromisoformat(text or "").astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _bare(header: str, words: Mapping[str, str]) -> str:
    """Return a header without the number that it got because the source also has a column of that name."""
    numbered = _NUMBERED.fullmatch(header)
    return numbered[1] if numbered and numbered[1] in words else header


def _number(text: str | None) -> int | None:
    """Return the row number that a sheet or a CSV file gives back: 12, 12.0; None where there is none."""
    digits = (text or "").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() else None
