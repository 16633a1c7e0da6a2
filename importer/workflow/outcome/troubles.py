"""Which rows need somebody, and which of them already did so at the last run: what a scheduled task may fail for."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Literal

from importer.journal import Journal
from importer.model import CHANGED, Status
from importer.workflow.outcome.outcome import PAUSED, Finished, exit_status
from importer.workflow.planning.plan import PlannedRow

FailOn = Literal["new", "rows", "never"]
"""For which rows a command fails: those that were not already so at the last run, all that need somebody, or none."""

_IN_TROUBLE = (Status.INVALID, Status.REJECTED, Status.UNKNOWN, Status.CONFLICT)
_WAITS = "waits"
"""The state of a planned row that does not go on by itself: held back by others, or without its contact."""


def compare_with_last_run(finished: Finished, journal: Journal, import_id: int) -> Finished:
    """Return how a run ended with the rows that were already so at the last one, and note those that are so now.

    What is noted of rows that are not in this source stays, for a source that has them again.
    """
    before = journal.runs.troubles(import_id)
    now: dict[str, str] = {}
    seen: set[str] = set()
    known: Counter[str] = Counter()
    for row in finished.plan:
        state = trouble_of(row, finished)
        if state is None and not before:
            continue
        seen.add(name := _name(row))
        if state is None:
            continue
        known[state] += before.get(name) == state
        now[name] = state
    kept = {name: state for name, state in before.items() if name not in seen}
    if {**kept, **now} != before:
        journal.runs.note_troubles(import_id, {**kept, **now})
    return replace(finished, known=dict(known))


def status_for(finished: Finished, fail_on: FailOn) -> int:
    """Return the exit status of a run where rows count as `fail_on` says.

    Only what rows are in is left out: that the run paused, or that the connection needs somebody, is never hidden.
    """
    if fail_on == "rows":
        return finished.exit_status
    everything = Counter(filter(None, (trouble_of(row, finished) for row in finished.plan)))
    hidden = everything if fail_on == "never" else Counter(finished.known)
    counts, result = finished.counts, finished.result
    left = {str(state): getattr(counts, state) - hidden[state] for state in (*_IN_TROUBLE, CHANGED)}
    waiting = hidden[_WAITS] if result.held_back else 0
    if hidden[_WAITS] == everything[_WAITS]:  # a row does not tell why it waits for its contact: all of them, or none
        waiting = waiting or result.contacts.rejected + result.contacts.unknown
        result = replace(result, contacts=replace(result.contacts, rejected=0, unknown=0))
    status = exit_status(replace(counts, planned=counts.planned - waiting, **left), result)
    return max(status, PAUSED if finished.report is None else 0)  # no row explains a report that could not be written


def trouble_of(row: PlannedRow, finished: Finished) -> str | None:
    """Return in which state a row needs somebody, None where it needs nobody or goes on by itself."""
    if row.status in _IN_TROUBLE:
        return row.status.value
    if row.status is Status.CREATED and row.differs:
        return CHANGED
    stands = finished.result.held_back or row.contact_waits is not None
    return _WAITS if row.status is Status.PLANNED and stands else None


def _name(row: PlannedRow) -> str:
    """Return by what a row is known again: its reference, or its content where it has no key. Both may be a cell."""
    known_by = row.reference or row.content_hash
    return hashlib.blake2b(known_by.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
