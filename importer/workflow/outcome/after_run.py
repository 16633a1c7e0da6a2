"""What is done once a run has ended and its report is written: compare with the last run, share, forget."""

from __future__ import annotations

from dataclasses import replace

from importer.journal import ImportRecord, Journal
from importer.workflow.job import Job
from importer.workflow.outcome.outcome import Finished
from importer.workflow.outcome.retention import keep_for
from importer.workflow.outcome.sharing import share
from importer.workflow.outcome.troubles import compare_with_last_run


def after_run(finished: Finished, job: Job, journal: Journal, record: ImportRecord) -> Finished:
    """Return how a run ended, with what was known of its rows before, and with notes about what was done after it."""
    finished = with_shared(compare_with_last_run(finished, journal, record.id), job, journal, record)
    return replace(finished, notes=(*finished.notes, *keep_for(journal, job.keeps_for)))


def with_shared(finished: Finished, job: Job, journal: Journal, record: ImportRecord | None) -> Finished:
    """Write the report that can be shared, where that was asked for; return the ending with a note about it."""
    if not job.share:
        return finished
    return replace(finished, notes=(*finished.notes, share(finished, journal, record)))
