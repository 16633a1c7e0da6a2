"""A queued import: the options that its runs have, and the files that every machine must see alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from importer import report
from importer.errors import SourceError
from importer.journal import QueuedImport, QueueState, Submission
from importer.journal_place import Place
from importer.machines.schedule import check_schedule, last_start, next_start, next_time, now
from importer.mapping import load_mapping
from importer.messages import _
from importer.settings import Connection
from importer.system.causes import reason_of
from importer.workflow.corrections import load_corrections
from importer.workflow.job import Job

OPTIONS = (
    "html",
    "limit",
    "rate",
    "only_if_all_valid",
    "first_run",
    "retry_rejected",
    "accept_changes",
    "spot_check",
    "same_as",
    "new_import",
    "same_tickets",
    "keep_quota",
    "quiet_period",
)
"""The options of `run` that a queued import has, beside its paths and the place of the CRM. Never the token."""


def submission_of(
    job: Job, *, every: str | None = None, until: str | None = None, expect_by: str | None = None
) -> Submission:
    """Return what is queued of a job: absolute paths, digests, options.

    Raises SourceError or MappingError for a file that cannot be read, UsageError for a schedule that is none.
    """
    for time in filter(None, (until, expect_by)):
        next_time(time, now())
    source, mapping = job.source.resolve(), job.mapping.resolve()
    load_mapping(mapping)  # a mapping with faults is told now, to the person who submits it
    options: dict[str, object] = {name: getattr(job, name) for name in OPTIONS}
    options |= {"server": job.connection.server, "operation": job.connection.operation}
    options |= {"trust_server": job.connection.trust_server, "token_limit": job.concurrency}
    options |= {"allow_folders": [str(folder.resolve()) for folder in job.allow_folders]}
    options |= {"report": None if job.report is None else str(job.report.resolve())}
    ends = next_time(until, next_start(every, now()) if every else now()) if until else None
    return Submission(
        str(source),
        str(mapping),
        digest_of(mapping),
        source_digest=None if every else digest_of(source),
        corrections_digest=None if every else load_corrections(source).digest,
        every=every and check_schedule(every),
        until=until if every or ends is None else ends.isoformat(),
        expect_by=expect_by,
        options=options,
    )


def ends_at(queued: QueuedImport) -> datetime | None:
    """Return when an import starts no case any more: however late it begins, or goes on, it is the same moment.

    It was fixed when the import was submitted; on a schedule it is the first such hour after the time that was due.
    """
    until, every = queued.submission.until, queued.submission.every
    if until is None:
        return None
    if every is not None:
        return next_time(until, last_start(every, queued.not_before or queued.submitted_at))
    return datetime.fromisoformat(until).astimezone()


def job_of(queued: QueuedImport, journal: Place, *, concurrency: int) -> Job:
    """Return the job of a queued import on this machine; token, proxy and certificates are this machine's own."""
    submission, options = queued.submission, dict(queued.submission.options)
    connection = Connection(_text(options, "server"), _text(options, "operation"))
    folders = options.pop("allow_folders")
    report_path = _text(options, "report")
    kept: dict[str, Any] = {name: options[name] for name in OPTIONS}
    limit: Any = options["token_limit"]
    return Job(
        source=Path(submission.source),
        mapping=Path(submission.mapping),
        connection=replace(connection, trust_server=bool(options["trust_server"])),
        journal=journal,
        report=Path(report_path) if report_path else None,
        concurrency=min(concurrency, limit),
        token_limit=limit,
        until=ends_at(queued),
        allow_folders=tuple(map(Path, folders if isinstance(folders, list) else ())),
        **kept,
    )


def why_not_here(queued: QueuedImport) -> str | None:
    """Return why this machine cannot work on an import: a file that it does not see, or sees otherwise; else None."""
    submission = queued.submission
    try:
        corrections = load_corrections(Path(submission.source)).digest
        seen = digest_of(Path(submission.source)), digest_of(Path(submission.mapping))
    except SourceError as error:
        return str(error)
    expected = submission.source_digest or seen[0], submission.mapping_digest
    for path, found, wanted in zip((submission.source, submission.mapping), seen, expected, strict=True):
        if found != wanted:
            sentence = _(
                "{path} is not the file that was submitted, or was changed since. Check that every machine sees the"
                " same file under this path.",
                path=path,
            )
            return f"{sentence} {_how_to_mend(queued)}"
    if submission.source_digest is not None and corrections != submission.corrections_digest:
        sentence = _(
            "The corrections of {path} are not those that it was submitted with. Check that every machine sees the"
            " same files.",
            path=submission.source,
        )
        return f"{sentence} {_how_to_mend(queued)}"
    return None


def _how_to_mend(queued: QueuedImport) -> str:
    """Return what to do about files that were changed on purpose."""
    if queued.state is QueueState.WAITING:
        return _("If it was changed on purpose, submit it again.")
    return _(
        "If it was changed on purpose, take the import out with `submit --withdraw {number}`, and submit it again once"
        " it has ended.",
        number=queued.id,
    )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; raises SourceError where it cannot be read."""
    try:
        return report.digest(path)
    except OSError as error:
        raise SourceError(_("{path} cannot be read: {reason}.", path=path, reason=reason_of(error))) from error


def _text(options: Mapping[str, object], name: str) -> str | None:
    value = options.get(name)
    return None if value is None else str(value)
