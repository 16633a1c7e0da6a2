"""What a test case has to be like: the fields that a tenant demands, and where a row's reference goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from importer.errors import UsageError
from importer.mapping import CaseMapping
from importer.messages import _
from importer.pipeline import check
from importer.workflow.job import Job, load_job
from importer.workflow.plan import PlannedRow


@dataclass(frozen=True, slots=True)
class Wish:
    """What the test case has to be like.

    `fields` are by path (`contact`, `form.Subject`). `place` is the field that carries a row's reference, the
    description where it is None; `search_field` the query field of the CRM by which settling asks.
    """

    fields: Mapping[str, object]
    place: str | None = None
    search_field: str = "email contact"


def wish_like_row(job: Job, number: int | None) -> Wish:
    """Return the wish for a case like a row's, the first valid row's where no `number` is given.

    The row itself is not sent, nor are its attachments. Raises UsageError for a row that is not there or not valid.
    """
    plan = check(load_job(job))
    for row in plan:
        if row.number == number or (number is None and row.is_valid):
            if not row.is_valid:
                raise UsageError(_why_not(row))
            return Wish(row.fields, plan.mapping.reference, plan.mapping.search)
    if number is None:
        raise UsageError(_("{path} has no valid row to make a test case of.", path=job.source))
    raise UsageError(_("{path} has no row {row}.", path=job.source, row=number))


def wish_of(cases: CaseMapping | None, fields: Mapping[str, object]) -> Wish:
    """Return the wish for a case with these fields, marked and searched as a mapping says."""
    return Wish(fields, cases.reference, cases.search) if cases else Wish(fields)


def _why_not(row: PlannedRow) -> str:
    reason = row.skipped or "; ".join(issue.message for issue in row.issues)
    return _("Row {row} cannot be a test case: {reason}. Name another with --row.", row=row.number, reason=reason)
