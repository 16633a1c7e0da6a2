"""Send planned rows: each worker commits an intent, makes one POST, and commits its outcome.

Creating a case is the one kind of request, `updating` has the other; the loop is the same for both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from importer.crm import CircuitBreaker, Crm, PauseReason, RateLimiter, backoff
from importer.journal import Attempt, ImportRecord, Intent, Journal
from importer.messages import _
from importer.model import Outcome, Payload, Verdict
from importer.system.stopping import Stop
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.planning.plan import Plan, PlannedRow, build_payload, search_value
from importer.workflow.sending.token_limits import Turns
from importer.workflow.sending.workers import TRIES, AttemptKind, AttemptMaker

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all workers of a run share: the CRM, the journal, the import, the run, the plan, and requests to stop.

    `turns` are the slots of the token, None where no other machine uses the journal.
    """

    crm: Crm
    journal: Journal
    record: ImportRecord
    run_id: int
    plan: Plan
    stop: Stop = field(default_factory=Stop)
    turns: Turns | None = None


class Requests(AttemptKind, Protocol):
    """What one kind of attempt does for a row: creating its case, or updating it."""

    def body(self, row: PlannedRow) -> Payload:
        """Return what is sent for a row."""

    def claim(self, row: PlannedRow, body: Payload) -> Attempt | None:
        """Commit the intent to send it; return None where the row is not to be sent any more."""

    def post(self, body: Payload, attempt: Attempt) -> Outcome:
        """Send it while its lease holds; return its outcome."""

    def ended(self, outcome: Outcome) -> None:
        """Show the outcome of an attempt."""


class CaseRequests:
    """Creates cases, one POST each."""

    def __init__(self, context: RunContext, ui: UserInterface) -> None:
        self._context, self._ui = context, ui

    def body(self, row: PlannedRow) -> Payload:
        """Return the case of a row."""
        return build_payload(self._context.plan, row)

    def claim(self, row: PlannedRow, body: Payload) -> Attempt | None:
        """Commit the intent to create a row's case; return None if another process took the row."""
        context = self._context
        return context.journal.attempts.claim(context.record.id, context.run_id, self._intent(row, body))

    def raise_mark(self, attempt: Attempt) -> None:
        """Raise the journal's high-water mark to an attempt."""
        record = self._context.record
        scope = (record.tenant, record.operation, record.name)
        self._context.journal.mark.raise_to(attempt.id, attempt.token, scope)

    def post(self, body: Payload, attempt: Attempt) -> Outcome:
        """Make the POST of an attempt while its lease holds."""
        return self._context.crm.create(body, lambda: self._context.journal.attempts.lease_holds(attempt))

    def conclude(self, attempt: Attempt, outcome: Outcome) -> PauseReason | None:
        """Commit an outcome; an id that another row has stops the run before it happens again.

        Others may go first while the run goes on; once it is to stop, it may end before their turn is over.
        """
        patient = not self._context.stop.requested
        concluded = self._context.journal.attempts.conclude(attempt, outcome, patient=patient)
        if concluded.holder is None:
            return None
        return PauseReason(_disputed_id(attempt.reference, outcome, concluded.holder), 3)

    def ended(self, outcome: Outcome) -> None:
        """Show the outcome of an attempt."""
        self._ui.sent(outcome)

    @property
    def given_up(self) -> str:
        """What is said of a row whose answer was given up."""
        return self._context.stop.in_doubt

    def _intent(self, row: PlannedRow, body: Payload) -> Intent:
        plan = self._context.plan
        return Intent(
            reference=body.reference,
            content_hash=row.content_hash,
            column_digests=row.column_digests,
            columns=plan.content_columns,
            body_length=body.length,
            seconds=self._context.crm.attempt_deadline(body.length),
            search_field=plan.mapping.search,
            search_value=search_value(plan, row),
            mark_place=plan.mapping.reference,
        )


class Sender:
    """Sends rows with several workers until all are sent or something stops the run."""

    def __init__(
        self,
        context: RunContext,
        limiter: RateLimiter,
        breaker: CircuitBreaker,
        ui: UserInterface,
        requests: Requests | None = None,
    ) -> None:
        self._context = context
        self._requests = requests or CaseRequests(context, ui)
        self._attempts = AttemptMaker(self._requests, limiter, breaker, ui, context.stop)
        self._workers = self._attempts.workers

    def send(self, rows: Iterable[PlannedRow], workers: int, until: datetime | None = None) -> PauseReason | None:
        """Send the rows in order; return why it stopped early, None if every row was tried.

        No row is started after `until`. The first request to stop lets the cases in flight finish; the second makes
        them unknown. Raises JournalError if the journal can no longer be written; the outcomes in flight are then saved
        beside it or become unknown.
        """
        return self._workers.carry_out(rows, self._send_row, workers, until)

    def _send_row(self, row: PlannedRow) -> None:
        """Claim a row, make its POST and record the outcome; retry only after proof that it was not delivered."""
        body = self._requests.body(row)
        for tries in range(TRIES):
            made = self._attempts.make(partial(self._requests.claim, row, body), partial(self._requests.post, body))
            if made is None:
                return
            outcome, seconds = made
            self._log_attempt(body.reference, outcome, seconds)
            self._requests.ended(outcome)
            if outcome.verdict is not Verdict.NOT_DELIVERED or self._workers.halted.wait(backoff(tries)):
                return

    def _log_attempt(self, reference: str, outcome: Outcome, seconds: float) -> None:
        """Log an attempt: run, reference, state and timing; never a cell, a key or the token."""
        if not _log.isEnabledFor(logging.INFO):
            return
        facts = {
            "run": self._context.run_id,
            "reference": reference,
            "state": outcome.verdict.value,
            "seconds": round(seconds, 3),
            "http_status": outcome.http_status,
            "code": outcome.code,
            "bytes": outcome.bytes_sent,
        }
        _log.info("attempt", extra=facts)


def _disputed_id(reference: str, outcome: Outcome, holder: str) -> str:
    return _(
        "Paused: the CRM answered {reference} with the id {id}, which {holder} already has. A proxy or the CRM repeats"
        " answers; have this checked. Settling asks the CRM whose case it is.",
        reference=reference,
        id=outcome.wolkvox_id,
        holder=holder,
    )
