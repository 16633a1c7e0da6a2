"""After `settle`: which rows of which files are left, their renewed reports, and what there is to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from importer import report, settings
from importer.errors import ImporterError
from importer.journal import Journal, RunRecord
from importer.mapping import CaseMapping, load_mapping
from importer.messages import _
from importer.model import Counts, Status
from importer.pipeline import plan_import, situation_of
from importer.source import open_table
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.job import Job, LoadedJob, at_place_of, connection_in, open_source
from importer.workflow.jobs.settle_job import SettleJob
from importer.workflow.jobs.unrecorded import RefusedVerdicts, with_verdicts
from importer.workflow.outcome.next_steps import Situation, Step, next_steps, pressing
from importer.workflow.outcome.outcome import SendResult, now, report_outcome
from importer.workflow.outcome.report_places import ReportOptions
from importer.workflow.settling.settling import SettleResult


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What comes after an import was settled.

    `rows` are the Excel numbers of rows that are not settled, by reference, where their file is known, and `sources`
    the names of those files. `reports` were renewed.
    """

    steps: tuple[Step, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    reports: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def follow_up(job: SettleJob, result: SettleResult, refused: RefusedVerdicts | None = None) -> FollowUp:
    """Renew the reports of the files whose rows were settled; return what there is to do now.

    A file is known by the run that sent it. Without a mapping, that of its report is used if it is still the same.
    `refused` are the verdicts that were not recorded.
    """
    searched = result.waiting_until is None
    steps: dict[Step, None] = {}
    rows: dict[str, int] = {}
    sources: dict[str, str] = {}
    reports: list[Path] = []
    notes: list[str] = []
    for source, run in job.sources({row.run for row in (*result.left, *result.settled)}).items():
        try:
            loaded = _load(job, source, run.start.mapping_digest)
            if loaded is None:
                continue
            of_file = _follow_up_of_file(loaded, run, refused, searched=searched, renew=bool(result.settled))
        except ImporterError as error:
            notes.append(_("{path}: its report was not renewed. {reason}", path=source, reason=error))
            continue
        steps |= dict.fromkeys(of_file.steps)
        rows |= of_file.rows
        sources |= dict.fromkeys(of_file.rows, source.name)
        reports += of_file.reports
        notes += of_file.notes
    return FollowUp(
        pressing(steps) or _steps_without_file(job, result, refused, searched=searched),
        rows,
        tuple(reports),
        tuple(notes),
        sources,
    )


def _load(job: SettleJob, source: Path, mapping_digest: str) -> LoadedJob | None:
    """Return what would be given to `run`; None if the file or its mapping is not there any more."""
    if not source.is_file():
        return None
    source = _as_typed(source)
    case_mapping = load_mapping(job.mapping) if job.mapping else _mapping_of_report(source, mapping_digest)
    if case_mapping is None:
        return None
    path = job.mapping or _as_typed(case_mapping.path)
    again = Job(source, path, job.connection, job.journal_option, quiet_period=job.quiet_period)
    return LoadedJob(again, case_mapping, open_source(source, case_mapping.table))


def _as_typed(path: Path) -> Path:
    """Return a path as a person in this folder would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def _mapping_of_report(source: Path, digest: str) -> CaseMapping | None:
    """Return the mapping that a report of the source names, if it is the one with which the rows were sent."""
    for path in sorted(guards.reports_beside(source, report.default_path(source))):
        for text in report.summary_texts(path, open_table):
            if text.casefold().endswith((".yml", ".yaml")) and Path(text).is_file():
                found = load_mapping(Path(text))
                if found.digest == digest:
                    return found
    return None


def _follow_up_of_file(
    loaded: LoadedJob, run: RunRecord, refused: RefusedVerdicts | None, *, searched: bool, renew: bool
) -> FollowUp:
    """Plan a file again as the import of the run that sent it, and write its report if it has one."""
    with Journal(loaded.job.journal_path) as journal:
        loaded = at_place_of(loaded, journal, run)
        job = loaded.job
        server, _operation = settings.server_and_operation(job.connection, connection_in(loaded.case_mapping))
        record, plan = plan_import(loaded, journal, sends=False)
        rows = {row.reference: row.number for row in plan.in_state(Status.SENDING, Status.UNKNOWN, Status.CONFLICT)}
        beside = sorted(guards.reports_beside(job.source, job.report_path))
        tried = () if refused is None else (refused,)
        situation = with_verdicts(situation_of(loaded, journal, record, plan), job, plan, journal, record, tried)
        situation = replace(situation, searched=searched)
        if not (renew and beside):
            fresh = [path for path in beside if not any(one.is_outdated and one.are_in(path) for one in tried)]
            place = max(fresh, key=lambda path: path.stat().st_mtime_ns, default=None)
            example = next(iter(rows), None)
            return FollowUp(next_steps(plan.counts(), replace(situation, report=place, example=example)), rows)
        result = SendResult(now(), server, searched=searched)
        finished = report_outcome(plan, journal, record, result, ReportOptions.of(job), situation)
        written = () if finished.report is None else (finished.report,)
        return FollowUp(finished.steps, rows, written, finished.notes)


def _steps_without_file(
    job: SettleJob, result: SettleResult, refused: RefusedVerdicts | None, *, searched: bool
) -> tuple[Step, ...]:
    """Return what there is to do by the journal alone."""
    commands = Commands(None, job.mapping, job.connection, job.journal_option, None, job.quiet_period)
    counts = Counts(sending=result.sending, unknown=result.doubtful, planned=result.planned)
    example = next((row.reference for row in result.left), None)
    if not counts.rows:
        return ()
    rows = () if refused is None else refused.to_correct({row.reference for row in result.left})
    to_correct = ((refused.path, rows),) if refused is not None and rows else ()
    return next_steps(counts, Situation(commands, searched=searched, example=example, refused=to_correct))
