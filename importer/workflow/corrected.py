"""Reports that a person has corrected: what is in them, beside the source that a command was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from importer import report
from importer.errors import ImporterError
from importer.journal import Journal
from importer.model import Status
from importer.workflow.next_steps import CorrectedReport
from importer.workflow.plan import Plan, PlannedRow


def corrected_reports(
    plan: Plan, journal: Journal, reports: Iterable[Path], plan_report: Callable[[Path], Plan]
) -> tuple[CorrectedReport, ...]:
    """Return those of the reports that were edited since they were written, and say more than the source of a plan.

    `plan_report` plans a report as a source. One that cannot be planned corrects nothing.
    """
    edited = [path for path in reports if _is_edited(path, journal)]
    open_rows = {row.reference: row for row in plan if row.key_digest and _is_open(row)} if edited else {}
    found = []
    for path in edited if open_rows else ():
        try:
            corrected = _corrected(path, open_rows, plan_report(path), is_newer=_is_newer(path, plan.table.path))
        except (ImporterError, OSError):
            continue
        if corrected.to_send or corrected.sent:
            found.append(corrected)
    return tuple(found)


def still_to_send(corrected: CorrectedReport, plan: Plan) -> CorrectedReport:
    """Return a corrected report without the rows that are cases by now, by a plan that knows the present states."""
    to_send = {row.reference for row in plan if row.reference in corrected.to_send and row.status is not Status.CREATED}
    return replace(corrected, to_send=frozenset(to_send))


def _is_edited(path: Path, journal: Journal) -> bool:
    """Tell whether a file is a report of ours, but not as the journal's runs wrote it."""
    try:
        return report.is_given_back(path) and not journal.imports.is_report(report.digest(path))
    except OSError:
        return False


def _is_open(row: PlannedRow) -> bool:
    """Tell whether a person may have corrected a row elsewhere."""
    return row.status in {Status.INVALID, Status.REJECTED, Status.PLANNED} or row.is_changed


def _corrected(path: Path, open_rows: dict[str, PlannedRow], there: Plan, *, is_newer: bool) -> CorrectedReport:
    to_send, sent = set(), 0
    for row in there:
        here = open_rows.get(row.reference)
        if here is None:
            continue
        if here.is_changed:
            sent += row.status is Status.CREATED and not row.differs
        elif row.status is Status.PLANNED:
            differs = row.content_hash != here.content_hash
            if differs and (here.status is not Status.PLANNED or is_newer):
                to_send.add(row.reference)
    return CorrectedReport(path, frozenset(to_send), sent)


def _is_newer(path: Path, source: Path) -> bool:
    """Tell whether a report was saved after the source: of two contents that could be sent, its own counts."""
    return path.stat().st_mtime_ns > source.stat().st_mtime_ns
