"""Update the cases of edited rows by their ids, and take edits as known that are not to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from importer.crm import PauseReason
from importer.journal import Attempt, RowEdit, UpdateIntent
from importer.messages import _, ngettext
from importer.model import Outcome, Payload
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.planning.changes import update_payload
from importer.workflow.planning.plan import PlannedRow
from importer.workflow.sending.sending import RunContext

_ROWS_NAMED = 50

ACCEPT_CHANGES = "accept-changes"
"""What the journal calls the decision to take edits as known."""


class UpdateRequests:
    """Updates cases, one POST each."""

    def __init__(self, context: RunContext, ui: UserInterface, quiet_period: float) -> None:
        self._context, self._ui, self._quiet_period = context, ui, quiet_period

    def body(self, row: PlannedRow) -> Payload:
        """Return all that an update of a row's case sends."""
        return update_payload(self._context.plan, row)

    def claim(self, row: PlannedRow, body: Payload) -> Attempt | None:
        """Commit the intent to update a row's case; return None where another update is under way, or was made."""
        context = self._context
        intent = UpdateIntent(
            row=edited_row(row),
            wolkvox_id=(row.known.wolkvox_id if row.known else None) or "",
            columns=context.plan.content_columns,
            seconds=context.crm.attempt_deadline(body.length),
            quiet_period=self._quiet_period,
        )
        return context.journal.updates.claim(context.record.id, context.run_id, intent)

    def raise_mark(self, attempt: Attempt) -> None:
        """Raise the journal's high-water mark to an update."""
        self._context.journal.raise_update(attempt.id, attempt.token)

    def post(self, body: Payload, attempt: Attempt) -> Outcome:
        """Send an update while its lease holds."""
        return self._context.crm.update_case(body, lambda: self._context.journal.updates.lease_holds(attempt))

    def conclude(self, attempt: Attempt, outcome: Outcome) -> PauseReason | None:
        """Commit the outcome of an update."""
        self._context.journal.updates.conclude(attempt, outcome)
        return None

    def ended(self, outcome: Outcome) -> None:
        """Show the outcome of an update."""
        self._ui.updated(outcome)

    @property
    def given_up(self) -> str:
        """What is said of an update whose answer was given up."""
        return _("Stopped while the update was being sent.")


def edited_row(row: PlannedRow) -> RowEdit:
    """Return the present content of an edited row, and what the journal had when this was planned."""
    known_hash = row.known.content_hash if row.known else ""
    return RowEdit(row.reference, known_hash, row.content_hash, row.column_digests)


def accept_edits(context: RunContext, edited: Iterable[PlannedRow], quiet_period: float) -> str:
    """Take the content of edited rows as known, and record who decided that; return in a sentence of which rows."""
    journal, record = context.journal, context.record
    numbers: dict[str, int] = {}

    def rows() -> Iterator[RowEdit]:
        for row in edited:
            numbers[row.reference] = row.number
            yield edited_row(row)

    columns = context.plan.content_columns
    accepted = journal.updates.accept(record.id, context.run_id, rows(), columns, quiet_period)
    journal.decisions.record(ACCEPT_CHANGES, f"{'/'.join(record.scope)} run {context.run_id}", str(len(accepted)))
    return ngettext(
        "The edit of {count} row counts as known from now on: row {rows}.",
        "The edits of {count} rows count as known from now on: rows {rows}.",
        len(accepted),
        rows=", ".join([*(str(numbers[one]) for one in accepted[:_ROWS_NAMED]), *["…"] * (len(accepted) > _ROWS_NAMED)])
        or "-",
    )
