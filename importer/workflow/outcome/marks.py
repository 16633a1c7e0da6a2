"""What a report tells the program that reads it back: how far the journal was, and from which runs its cells are."""

from __future__ import annotations

from dataclasses import replace

from importer.journal import ImportRecord, Journal
from importer.model import Summary
from importer.workflow.planning.content_runs import content_runs
from importer.workflow.planning.plan import Plan


def with_marks(summary: Summary, plan: Plan, journal: Journal, record: ImportRecord | None) -> Summary:
    """Return the summary of a report that shows a plan, with what the journal has for whoever reads it back."""
    return replace(
        summary,
        journal=(journal.id, journal.highest_attempt()),
        uncorrected=_uncorrected(plan, journal, record),
        content_runs=content_runs(plan, journal, record, summary.run),
    )


def _uncorrected(plan: Plan, journal: Journal, record: ImportRecord | None) -> tuple[tuple[str, str], ...]:
    """Return under which keys the rows of a plan would be sent again where their corrections are lost."""
    known = journal.rows.uncorrected_of(record.id) if record else []
    shown = {reference for batch in plan.batches for reference in batch.facts["reference"]} if known else set()
    return tuple(pair for pair in known if pair[0] in shown)
