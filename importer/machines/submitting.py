"""Queueing an import, and taking one out of the queue."""

from __future__ import annotations

from dataclasses import dataclass

from importer.errors import UsageError
from importer.journal import Journal, QueuedImport
from importer.machines.jobs import JobQueue
from importer.machines.schedule import next_start, now
from importer.machines.submission import submission_of
from importer.machines.working import require_server
from importer.messages import _
from importer.workflow.job import Job


@dataclass(frozen=True, slots=True)
class Times:
    """When a queued import begins, as cron writes it, until when it may send, and by when it is expected to begin."""

    every: str | None = None
    until: str | None = None
    expect_by: str | None = None


def submit(job: Job, times: Times = Times()) -> QueuedImport:
    """Queue an import for the machines that work on its journal; return it.

    One that waits, and was submitted with other files or in another way, gives its place up. Raises UsageError where
    the journal is a file, or this source is queued with this mapping already.
    """
    server = require_server(job.journal_path)
    submission = submission_of(job, every=times.every, until=times.until, expect_by=times.expect_by)
    begins = next_start(submission.every, now()) if submission.every else None
    with Journal(server) as journal, JobQueue(server).open() as jobs:
        queued, is_new = journal.queue.submit(submission, begins.timestamp() if begins else None)
        if not is_new:
            raise UsageError(
                _(
                    "{path} is queued with this mapping already, as import {number}: `history --watch` shows it, and"
                    " `submit --withdraw {number}` takes it out of the queue.",
                    path=submission.source,
                    number=queued.id,
                )
            )
        jobs.at(queued.id, begins or now())
    return queued


def withdraw(place: object, number: int) -> None:
    """Take an import out of the queue; a run that goes on ends early. Raises UsageError where there is none."""
    with Journal(require_server(place)) as journal:
        if not journal.queue.withdraw(number):
            raise UsageError(_("No import {number} is in the queue.", number=number))
