"""The rows of one run as a list: each with its case, and with its key where the report of the run still has it.

The journal keeps digests of keys only, so that row and key come from the report beside the source, which tells them by
reference. A report that was edited since counts for nothing: its lines may have moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from importer import report
from importer.errors import ReportError, SourceError
from importer.journal import Journal, RunRecord, SentCase
from importer.messages import _
from importer.model import JournalRow, TableOptions
from importer.settings import case_url
from importer.source import open_table
from importer.system.clock import local_datetime
from importer.workflow.guards import reports_beside

_DELETED = "deleted"
"""The state in this list of a row whose case a person said to be gone."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row that a run sent, and its case; `row` and `key` are None where no report tells them.

    State and case are the present ones, unless the case was deleted or another run sent the row since: then they are
    what this run made of it.
    """

    reference: str
    state: str
    wolkvox_id: str | None
    id_prefijo: str | None
    link: str | None
    sent_at: datetime | None
    row: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RunListing:
    """The rows of a run, the report from which their keys are, and why there is none, if so."""

    rows: tuple[RunRow, ...]
    report: Path | None
    note: str | None = None


def list_run(journal: Journal, run: RunRecord) -> RunListing:
    """Return the rows that a run sent, in their order in its report, or else in that of sending.

    Raises SettingsError if the address of a case is not valid.
    """
    path, keys = _report_of(journal, run)
    address = case_url()
    of_run = journal.runs.sent_cases(run)
    rows = [
        _run_row(known, of_run[known.reference], run, address, keys.get(known.reference, (None, None)))
        for known in journal.rows.of_run(run.import_id, run.id)
    ]
    if path is not None:
        rows.sort(key=lambda row: (row.row is None, row.row or 0))
        return RunListing(tuple(rows), path)
    note = _(
        "No report of {source} is beside it as it was written, so that rows and keys are not known: the journal keeps"
        " neither. Every case is listed by its reference.",
        source=run.start.source,
    )
    return RunListing(tuple(rows), None, note)


def _run_row(
    known: JournalRow, sent: SentCase, run: RunRecord, address: str | None, place: tuple[int | None, str | None]
) -> RunRow:
    """Return a row as it is now, or as this run left it."""
    if sent.deleted or known.run != run.id:
        state = _DELETED if sent.deleted else sent.state.value
        link = None if sent.deleted else report.case_address(address, sent.wolkvox_id)
        return RunRow(known.reference, state, sent.wolkvox_id, None, link, local_datetime(sent.sent_at), *place)
    return RunRow(
        known.reference,
        known.status.value,
        known.wolkvox_id,
        known.id_prefijo,
        report.case_address(address, known.wolkvox_id),
        None if known.sent_at is None else local_datetime(known.sent_at),
        *place,
    )


def _report_of(journal: Journal, run: RunRecord) -> tuple[Path | None, dict[str, tuple[int, str]]]:
    """Return the newest report of a run's source that is as it was written, with row and key by reference."""
    source = Path(run.start.source)
    found = []
    for path in reports_beside(source, report.default_path(source)):
        try:
            known = journal.imports.source_of_report(report.digest(path))
        except OSError:
            continue
        if known == run.start.source:
            found.append(path)
    for path in sorted(found, key=lambda each: -each.stat().st_mtime_ns):
        try:
            return path, {reference: (row, key) for reference, row, key in _rows_in(path)}
        except (ReportError, SourceError):
            continue
    return None, {}


def _rows_in(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the references of a report with row and key; the columns of the key are before our own."""
    sheets = report.report_sheets(path)
    table = open_table(path, TableOptions(sheet=sheets[0] if sheets else None))
    own = report.own_columns(table.columns)
    if not own:
        return
    keys = list(takewhile(lambda column: column not in own.values(), table.columns))
    for frame in table.frames():
        for reference, number, *key in zip(
            *(frame[name] for name in (own["reference"], own["row"], *keys)), strict=True
        ):
            if str(reference).strip() and str(number).strip().isdigit():
                yield str(reference).strip(), int(str(number)), report.unmarked(" · ".join(map(str, key)))
