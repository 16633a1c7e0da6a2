"""Reports that a person has corrected: what is in them, beside the source that a command was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from importer import report
from importer.errors import ImporterError
from importer.journal import Journal
from importer.model import Status
from importer.workflow.outcome.next_steps import CorrectedReport
from importer.workflow.planning.plan import Plan, PlannedRow


def corrected_reports(
    plan: Plan, journal: Journal, reports: Sequence[Path], plan_report: Callable[[Path], Plan]
) -> tuple[CorrectedReport, ...]:
    """Return those of the reports that were edited since they were written, and say more than the source of a plan.

    `plan_report` plans a report as a source. One that cannot be planned corrects nothing.
    """
    edited = [path for path in reports if _is_edited(path, journal)]
    open_rows = {row.reference: row for row in plan if row.key_digest and _is_open(row)} if edited else {}
    found, seen = [], frozenset[str]()
    for path in sorted(edited, key=_saved, reverse=True) if open_rows else ():
        try:
            corrected = _corrected(path, open_rows, plan_report(path), is_newer=_saved(path) > _saved(plan.table.path))
        except (ImporterError, OSError):
            continue
        corrected = replace(corrected, to_send=corrected.to_send - seen)  # a row counts in the newest report alone
        seen |= corrected.to_send
        if corrected.to_send:
            found.append(corrected)
        elif corrected.sent:
            found.append(replace(corrected, path=_newest_of(path, reports, journal)))
    return tuple(found)


def _newest_of(path: Path, reports: Iterable[Path], journal: Journal) -> Path:
    """Return the newest report that was written of a corrected one, and not edited since; itself if there is none."""
    known = journal.imports.source_of_report
    written = [each for each in reports if each != path and known(report.digest(each)) == str(path.absolute())]
    return max((path, *written), key=_saved)


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


def _saved(path: Path) -> int:
    """Return when a file was saved: of two contents that could be sent, the newer one counts."""
    return path.stat().st_mtime_ns
