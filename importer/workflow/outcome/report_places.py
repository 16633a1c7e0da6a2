"""Where a report goes: over the one that is there, or beside it where that one is better or a person's work."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from importer import report
from importer.errors import ReportError
from importer.journal import ImportRecord, Journal
from importer.messages import _
from importer.model import ReportContent, Status
from importer.settings import case_url
from importer.source import open_table
from importer.workflow.job import Job
from importer.workflow.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Where the report goes, and whether to write a page beside it and the sheet in the source workbook, too.

    `case_url` leads to a case once its `{wolkvox_id}` is filled in; None if it is not set.
    """

    path: Path
    case_url: str | None = None
    html: bool = False
    write_back: bool = False

    @classmethod
    def of(cls, job: Job) -> ReportOptions:
        """Return the options of a job; raises SettingsError if the address of a case is not valid."""
        return cls(job.report_path, case_url(), job.html, job.write_back)


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where a report goes, and why not where it was asked for; `page` is where its page goes, None without one."""

    path: Path
    page: Path | None
    options: ReportOptions
    notes: tuple[str, ...]

    @classmethod
    def choose(cls, content: ReportContent, plan: Plan, journal: Journal, options: ReportOptions) -> ReportPlace:
        """Return the place for a report that replaces neither a person's work nor a better report.

        A page that an earlier command wrote beside it is renewed. Raises ReportError if every name is taken.
        """
        ours, source = journal.imports.is_report, str(plan.table.path.absolute())
        better: list[Path] = []

        def keep(path: Path) -> str | None:
            if plan.only and plan.whole is None and has_more_rows(path, plan):
                return _("{name} shows more rows than were selected (--only)", name=path.name)
            known = journal.imports.source_of_report(report.digest(path)) if path.is_file() else None
            if known != source and is_better(path, plan):
                better.append(path)
                return _("{name} is the report of a newer file, and shows more rows as created", name=path.name)
            if not _is_of_this_import(path, plan, journal) and shows_other_ids(path, plan):
                better.append(path)
                return _("{name} shows ids of cases that this report does not have", name=path.name)
            return None

        path, notes = report.choose_path(options.path, content, ours, keep)
        page = (path if better else options.path).with_suffix(".html")
        is_renewed = options.html or (page.is_file() and ours(report.digest(page)))
        return cls(path, page if is_renewed and page != path else None, options, tuple(notes))


def _is_of_this_import(path: Path, plan: Plan, journal: Journal) -> bool:
    """Tell whether a report is as it was written for the import of a plan, so that the journal has all of its ids."""
    scope = journal.imports.scope_of_report(report.digest(path)) if path.is_file() else None
    return scope is not None and scope in {one.parts for one in (plan.scope, *plan.aliases)}


def note_own(path: Path, journal: Journal, record: ImportRecord) -> None:
    """Record a report that this journal wrote before it knew the import, unless a program has saved it since."""
    with suppress(OSError, ReportError):
        digest = report.digest(path) if path.is_file() else ""
        if not digest or journal.imports.is_report(digest) or not report.is_never_saved(path):
            return
        mark = report.read_mark(path, open_table)
        if mark is not None and journal.id.startswith(mark[0]) and not journal.is_behind(*mark):
            journal.imports.note_report(record.id, digest)


def is_better(path: Path, plan: Plan) -> bool:
    """Tell whether an existing report is that of a newer file, and shows rows as created that are not so in a plan.

    A report that was corrected and given back has such a report: its source is newer than the one it was made from.
    """
    source = plan.table.path
    if not path.is_file() or not source.is_file() or source.stat().st_mtime_ns >= path.stat().st_mtime_ns:
        return False
    if report.is_about(path, source, open_table) is not False:
        return False
    created = {row.reference for row in report.read_rows(path, open_table) if row.status == Status.CREATED}
    return any(row.reference in created and (row.status is not Status.CREATED or row.is_changed) for row in plan)


def shows_other_ids(path: Path, plan: Plan) -> bool:
    """Tell whether an existing report shows ids of cases that are not in a plan: of rows that are gone, or not known.

    Such rows were removed from the source, or belong to another import; the report may be all that still has their ids.
    """
    if not path.is_file():
        return False
    with suppress(ReportError):  # no report of ours, or a page
        shown = {row.wolkvox_id for row in report.read_rows(path, open_table) if row.status == Status.CREATED}
        for batch in plan.batches if shown else ():
            shown -= {known.wolkvox_id for known in batch.facts["known"] if known is not None}
        return not shown <= {None, ""}
    return False


def has_more_rows(path: Path, plan: Plan) -> bool:
    """Tell whether an existing report shows more rows than a plan has, so that these do not replace it."""
    rows = sum(map(len, plan.batches))
    with suppress(ReportError):  # no report of ours, or a page
        return path.is_file() and any(True for _row in islice(report.read_rows(path, open_table), rows, None))
    return False
