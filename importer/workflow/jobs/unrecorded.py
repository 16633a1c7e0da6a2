"""The verdicts in reports that are not recorded: those that nobody has tried yet, and those that were refused."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from importer import report
from importer.errors import ReportError
from importer.journal import ImportRecord, Journal
from importer.model import Status
from importer.workflow import guards
from importer.workflow.job import Job
from importer.workflow.jobs.decisions import HumanDecision, NotTaken, read_decisions
from importer.workflow.outcome.next_steps import Situation
from importer.workflow.planning.plan import Plan

_WITH_SHEETS = frozenset({".xlsx", ".xlsm"})
"""The reports that have a sheet for verdicts."""


@dataclass(frozen=True, slots=True)
class RefusedVerdicts:
    """The verdicts in a report that a command has just refused to record: to give them again as they are is no use."""

    path: Path
    not_taken: tuple[NotTaken, ...]

    def to_correct(self, references: Container[str]) -> tuple[str, ...]:
        """Return what those of these rows are called whose verdicts have to be corrected in the report."""
        return tuple(one.shown for one in self.not_taken if one.way == "correct" and one.reference in references)

    def are_in(self, path: Path) -> bool:
        """Tell whether the report is at this path."""
        return self.path.resolve() == path.resolve()

    @property
    def is_outdated(self) -> bool:
        """Whether the report has a verdict on an earlier attempt, so that it is not the one in which to go on."""
        return any(one.way == "newest-report" for one in self.not_taken)


@dataclass(frozen=True, slots=True)
class WrittenVerdicts:
    """The verdicts in a report on rows that are in doubt now: those that can be recorded, and those that cannot.

    What was refused already is not among them.
    """

    path: Path
    decisions: tuple[HumanDecision, ...]
    incomplete: tuple[NotTaken, ...]

    @property
    def count(self) -> int:
        """The number of all of them."""
        return len(self.decisions) + len(self.incomplete)


def unrecorded_verdicts(
    paths: Iterable[Path],
    journal: Journal,
    record: ImportRecord | None,
    refused: Collection[RefusedVerdicts] = (),
) -> list[WrittenVerdicts]:
    """Return the verdicts in these reports that were not recorded; a report that cannot be read has none.

    Those that were `refused` are left out, unless all that they need is time.
    """
    if record is None:
        return []
    in_doubt = {doubt.reference for doubt in journal.doubts.of_import(record.id)}
    found = []
    for path in paths if in_doubt else ():
        try:
            if path.suffix.lower() not in _WITH_SHEETS or journal.imports.is_report(report.digest(path)):
                continue
            decisions, incomplete = read_decisions(path)
        except (ReportError, OSError):
            continue
        tried = [one for each in refused if each.are_in(path) for one in each.not_taken]
        open_here = in_doubt - {one.reference for one in tried if one.way != "later"}
        written = WrittenVerdicts(
            path,
            tuple(decision for decision in decisions if decision.reference in open_here),
            tuple(one for one in incomplete if one.reference in open_here),
        )
        if written.count:
            found.append(written)
    return found


def with_verdicts(  # noqa: PLR0913, PLR0917 - everything that the verdicts in a report depend on
    situation: Situation,
    job: Job,
    plan: Plan,
    journal: Journal,
    record: ImportRecord | None,
    refused: Collection[RefusedVerdicts] = (),
) -> Situation:
    """Return a situation with the verdicts in the reports of a source; those that were `refused` must be corrected."""
    paths = [plan.table.path, *sorted(guards.reports_beside(plan.table.path, job.report_path))]
    written = unrecorded_verdicts(paths, journal, record, refused)
    doubtful = {row.reference for row in plan.in_state(Status.UNKNOWN, Status.CONFLICT)} if refused else ()
    return replace(
        situation,
        verdicts=tuple((one.path, one.count) for one in written),
        refused=tuple((one.path, rows) for one in refused if (rows := one.to_correct(doubtful))),
    )
