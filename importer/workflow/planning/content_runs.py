"""How old the cells of a report are: it tells from which runs they are, so that no newer ones are overwritten.

A report that is given back has the cells of the sheet it was made from, and so has the report of that run: both are as
old as the first one, apart from what its own runs have sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from importer import report
from importer.journal import ImportRecord, Journal, RunRecord
from importer.source import Table, open_table
from importer.workflow.planning.plan import Plan
from importer.workflow.planning.planning import own_columns


@dataclass(frozen=True, slots=True)
class NewerRuns:
    """The `runs` that were made since a report of the run `since`, of sheets that the report was not made from."""

    since: int = 0
    runs: frozenset[int] = frozenset()


NO_NEWER_RUNS = NewerRuns()


def newer_runs(plan: Plan, journal: Journal) -> NewerRuns:
    """Return the runs that are newer than the cells of a plan's source; none unless it is a report that tells its run.

    A run of the report itself is none of them, and neither is one of the same sheet with the same corrections: such a
    run only went on.
    """
    told = _runs_told(plan.table, journal)
    if not told:
        return NO_NEWER_RUNS
    runs, here = journal.runs.all(), str(plan.table.path.absolute())
    same = {_content(run) for run in runs if run.id in told}
    newer = (
        run.id
        for run in runs
        if run.id > told[0] and run.id not in told and run.start.source != here and _content(run) not in same
    )
    return NewerRuns(told[0], frozenset(newer))


def content_runs(plan: Plan, journal: Journal, record: ImportRecord | None, run: int | None) -> tuple[int, ...]:
    """Return the runs that the cells of a report are from, the oldest first; `run` is None where nothing was sent.

    Then it is the last run of the same sheet. A sheet that has not been run as it is now is as new as the newest run.
    """
    present = () if run is None else (run,)
    if told := _runs_told(plan.table, journal):
        return tuple(dict.fromkeys((*told, *present)))
    if present or record is None:
        return present
    runs = [one for one in journal.runs.all() if one.import_id == record.id]
    content = plan.table.digest, plan.corrections.digest
    same = (one.id for one in runs if _content(one) == content)
    newest = next(same, runs[0].id if runs else None)
    return () if newest is None else (newest,)


def _runs_told(table: Table, journal: Journal) -> tuple[int, ...]:
    """Return the runs of this journal that a report names as those of its cells; none for another sheet."""
    told = report.read_runs(table.path, open_table) if own_columns(table.columns) else None
    return told[1] if told is not None and journal.id.startswith(told[0]) else ()


def _content(run: RunRecord) -> tuple[str, str | None]:
    return run.start.source_digest, run.start.corrections_digest
