"""A confirmed run: look for rows first if requested, send them, wait for the quota, settle doubtful rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from importer.commands import told
from importer.crm import CircuitBreaker, PauseReason
from importer.errors import ConnectionRefused, JournalError, RunStopped, ServerUnreachable
from importer.identity import tenant_of
from importer.journal_place import folder_of
from importer.messages import _, ngettext
from importer.model import Pause, Status
from importer.workflow.commands import Commands
from importer.workflow.contacts.running import RunContacts
from importer.workflow.forecast.contact_needs import calls_for_contacts
from importer.workflow.forecast.forecast import Forecast, UserInterface, edits_to_accept, rows_within_quota
from importer.workflow.job import Job
from importer.workflow.keys.history import ImportHistory
from importer.workflow.outcome.outcome import SendResult, now
from importer.workflow.planning.plan import PlannedRow
from importer.workflow.sending.sending import RunContext, Sender
from importer.workflow.sending.token_limits import make_limiter
from importer.workflow.sending.updating import UpdateRequests, accept_edits
from importer.workflow.settling.looking import RowFinder, rows_left_in_doubt, rows_to_find
from importer.workflow.settling.settling import SearchSettler, SettleResult
from importer.workflow.tenant_facts import Findings

SendSome = Callable[[int, int], PauseReason | None]
"""Sends so many rows, from the row at a place on (from 0); returns why it stopped early."""

_ASK_AGAIN = timedelta(hours=1)
"""How long to wait for the quota if the CRM does not say when it resets."""

_A_DAY = timedelta(days=1)
"""How often the quota resets (vendor's page)."""

_MARGIN = timedelta(minutes=1)
"""How much later to go on: the CRM gives the time in hours."""


def execute_run(job: Job, ui: UserInterface, context: RunContext, forecast: Forecast) -> SendResult:
    """Carry out a confirmed forecast: look first if requested, send, settle doubtful rows; return the result.

    A request to stop ends it early, with a result. Raises RunStopped if the journal can no longer be written.
    """
    return Execution.of(job, ui, context, forecast).execute()


@dataclass(frozen=True, slots=True)
class Execution:
    """The state of a confirmed run; its steps are the methods.

    Where several machines carry out one run, the first prepares it, each sends rows, and the last concludes it.
    """

    job: Job
    ui: UserInterface
    context: RunContext
    forecast: Forecast
    contacts: RunContacts

    @classmethod
    def of(cls, job: Job, ui: UserInterface, context: RunContext, forecast: Forecast) -> Execution:
        """Return the state of a run before its first step."""
        return cls(job, ui, context, forecast, RunContacts(job, ui, context))

    def execute(self) -> SendResult:
        """Carry out the forecast; return the result."""
        said = self.prepare()
        result = self.conclude(self._send() if self.forecast.rows_to_send else None)
        return replace(result, notes=(*said, *result.notes))

    def prepare(self) -> tuple[str, ...]:
        """Do what comes before the first row: accept edits, look again for rows in doubt; return what to say of it."""
        said: tuple[str, ...] = ()
        if self.job.accept_changes and self.forecast.updates.accepted:
            said = (accept_edits(self.context, edits_to_accept(self.forecast.plan), self.job.quiet_period),)
        if self.job.look_first:
            self._finder().look_again(rows_left_in_doubt(self.forecast.plan), self.job.concurrency)
            self._look_for_rejected()
        return said

    def conclude(self, reason: PauseReason | None) -> SendResult:
        """Do what comes after the last row: update cases, settle doubtful rows; return the result.

        `reason` is why not all rows were sent.
        """
        if reason is None and self.forecast.updates_to_send:
            reason = self._update()
        self._note_that_all_were_looked_for(reason)
        left = self._left_by_quota()
        if left or (reason and reason.pause is Pause.QUOTA):
            self.context.journal.runs.note_quota(self.context.run_id, self.next_quota())
        settled, notes = self._settle(reason)
        notes = (*notes, *(self.contacts.settle() if reason is None else ()))
        return SendResult(
            started_at=now(),
            server=self.forecast.server,
            run=self.context.run_id,
            calls=self.context.crm.calls,
            reason=reason.message if reason else left,
            status=reason.exit_status if reason else 0,
            held_back=self.forecast.held_back,
            searched=settled is not None and not settled.waiting_until,
            notes=notes,
            unclear_contacts=self.contacts.unclear,
        )

    def _send(self) -> PauseReason | None:
        """Send the rows; if requested, wait for the next day's quota and go on."""
        self.ui.sending(self.forecast.rows_to_send)
        return self._in_portions(self.forecast.rows_to_send, self.forecast.rows_today, self._send_some)

    def _update(self) -> PauseReason | None:
        """Update the cases of edited rows, in the same way."""
        forecast = self.forecast
        all_sent_today = forecast.rows_today == forecast.rows_to_send
        today = forecast.updates.today if all_sent_today else self._rows_within_quota_today(forecast.updates.wanted, 1)
        self.ui.updating(forecast.updates_to_send)
        return self._in_portions(forecast.updates_to_send, today, self._update_some, calls_a_row=1)

    def _in_portions(
        self, total: int, portion: int, send_some: SendSome, calls_a_row: int | None = None
    ) -> PauseReason | None:
        """Send so many rows by `send_some`, today's `portion` first; if requested, wait for the quota and go on."""
        begun = 0
        try:
            while True:
                reason = send_some(begun, portion)
                if reason is not None and reason.pause is not Pause.QUOTA:
                    return self._with_login(reason)
                begun += portion if reason is None else 0
                if begun >= total:
                    return None
                if not self.forecast.waits_for_quota:
                    return self._with_reset(reason) if reason else None
                if not self._waited_for_quota():
                    return self._with_reset(reason or PauseReason(self.context.stop.sentence, 3))
                portion = self._rows_within_quota_today(total - begun, calls_a_row, begun)
        finally:
            self.ui.done()

    def _send_some(self, start: int, count: int) -> PauseReason | None:
        """Send `count` rows from `start` on, looking for them first if requested.

        Raises RunStopped if the journal fails.
        """
        if self.job.look_first:
            self._look_first(start, count)
        return self.send_rows(self.forecast.rows(start, count))

    def send_rows(self, rows: Iterator[PlannedRow]) -> PauseReason | None:
        """Send these rows, after their contacts were made; return why it stopped early.

        Raises RunStopped if the journal fails.
        """
        context, job = self.context, self.job
        breaker = CircuitBreaker(created=self.forecast.counts.created > 0)

        def send(rows: Iterable[PlannedRow]) -> PauseReason | None:
            sender = Sender(context, self.contacts.limiter, breaker, self.ui)
            return sender.send(rows, job.concurrency, job.until)

        try:
            return self.contacts.send(rows, send)
        except JournalError as error:
            raise RunStopped(str(error)) from error

    def _update_some(self, start: int, count: int) -> PauseReason | None:
        """Update the cases of `count` rows from `start` on; raises RunStopped if the journal fails."""
        context, job = self.context, self.job
        requests = UpdateRequests(context, self.ui, job.quiet_period)
        breaker = CircuitBreaker(kind="update")
        sender = Sender(context, make_limiter(job.concurrency, job.rate, context.turns), breaker, self.ui, requests)
        try:
            return sender.send(self.forecast.rows_to_update(start, count), job.concurrency, job.until)
        except JournalError as error:
            raise RunStopped(str(error)) from error

    def _rows_within_quota_today(self, wanted: int, calls_a_row: int | None = None, begun: int = 0) -> int:
        """Return how many of the wanted rows today's quota allows; none if the CRM cannot be asked."""
        if not self.job.keep_quota:
            return wanted
        try:
            quota = self.context.crm.token_information()
        except (ServerUnreachable, ConnectionRefused):
            return 0
        if calls_a_row is not None:
            return rows_within_quota(self.job, quota, wanted, calls_a_row=calls_a_row)
        plan = self.forecast.plan
        return rows_within_quota(
            *(self.job, quota, wanted),
            contacts_of=lambda count: calls_for_contacts(self.forecast.rows(begun, count), plan),
        )

    def _with_reset(self, reason: PauseReason) -> PauseReason:
        """Add to the reason when the quota resets, if the CRM said so."""
        resets = self.forecast.quota_resets
        if resets is None:
            return reason
        when = _("The quota resets at about {time:%Y-%m-%d %H:%M}.", time=resets)
        return PauseReason(f"{reason.message} {when}", reason.exit_status, reason.pause)

    def _with_login(self, reason: PauseReason) -> PauseReason:
        """Add to the reason how another token is stored, if this one was not accepted."""
        if reason.pause is not Pause.CREDENTIALS:
            return reason
        command = Commands.of(self.job).login()
        how = told(_("`{command}` stores a token.", command=command), _("Type the token again on the page Connection."))
        return replace(reason, message=f"{reason.message} {how}")

    def _waited_for_quota(self) -> bool:
        """Wait until the quota resets; return False if a request to stop ends the wait, and the run."""
        until, stop, runs = self.next_quota(), self.context.stop, self.context.journal.runs
        runs.note_quota(self.context.run_id, until)
        with stop.by_signal():
            self.ui.waiting(until)
        while not stop.requested and (left := (until - now()).total_seconds()) > 0:
            stop.wait(min(left, 60))  # in steps, because the clock may change and the laptop may sleep
        if stop.requested:
            return False
        runs.note_quota(self.context.run_id, None)
        return True

    def next_quota(self) -> datetime:
        """Return a time shortly after the quota resets, by the CRM's earlier answer: asking again costs a call."""
        resets = self.forecast.quota_resets
        if resets is None:
            return now() + _ASK_AGAIN
        while resets <= now():
            resets += _A_DAY
        return resets + _MARGIN

    def _left_by_quota(self) -> str | None:
        forecast = self.forecast
        left = forecast.wanted - forecast.rows_to_send + forecast.updates.wanted - forecast.updates_to_send
        if not self.job.keep_quota or left <= 0 or forecast.held_back:
            return None
        return ngettext(
            "{count} row waits for another day's quota; continue the run then.",
            "{count} rows wait for another day's quota; continue the run then.",
            left,
        )

    def _look_first(self, start: int, count: int) -> None:
        """Search the CRM for rows that would be sent; those that are found, or may be there, are not sent."""
        rows = list(rows_to_find(self.forecast.plan, self.forecast.rows(start, count)))
        self._finder().look_for(rows, self.job.concurrency)

    def _look_for_rejected(self) -> None:
        """Search for rejected rows if the journal is incomplete: they may have been sent again later."""
        context, plan = self.context, self.forecast.plan
        if context.journal.must_look_first(context.record.scope, plan.table.digest):
            rows = list(rows_to_find(plan, plan.in_state(Status.REJECTED)))
            self._finder().look_for(rows, self.job.concurrency)

    def _note_that_all_were_looked_for(self, reason: PauseReason | None) -> None:
        """Trust the journal again for this source once each row that it calls planned was looked for, and sent."""
        forecast = self.forecast
        every_row = forecast.rows_to_send == forecast.counts.planned and not forecast.plan.only
        if self.job.look_first and reason is None and every_row and not self.context.stop.requested:
            self.context.journal.looked_first(self.context.record.scope, forecast.plan.table.digest)

    def _finder(self) -> RowFinder:
        context = self.context
        findings, plan = self._findings(), self.forecast.plan
        return RowFinder(context.crm, context.journal, context.record, plan, findings, stop=context.stop)

    def _findings(self) -> Findings | None:
        """Return what the doctor learnt about the server that this run sends to."""
        scope = replace(self.forecast.plan.scope, tenant=tenant_of(self.forecast.server))
        return Findings.load(folder_of(self.context.journal.path), scope)

    def _settle(self, reason: PauseReason | None) -> tuple[SettleResult | None, tuple[str, ...]]:
        """Settle rows whose quiet period is over; return the result and notes on it.

        Nothing is asked where the connection failed, or a stop was requested.
        """
        context = self.context
        if context.stop.requested or (reason is not None and (reason.exit_status == 5 or reason.pause is not None)):
            return None, ()
        if not context.journal.doubts.of_import(context.record.id):
            return None, ()
        history = ImportHistory(context.journal, context.record)
        try:
            settler = SearchSettler(history, context.crm, self._findings(), self.job.quiet_period, context.stop)
            settled: SettleResult | None = None
            with context.stop.by_signal():
                settled = settler.settle()
        except (ServerUnreachable, ConnectionRefused) as error:
            return None, (_("Doubtful rows could not be settled now: {reason}", reason=error),)
        return settled, settled.sentences() if settled else ()
