"""What a confirmed run does with the CRM: look first if asked, send, wait for the quota, settle what is in doubt."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta

from importer.composing import search_value
from importer.crm import Brake, Found, Pacer, PauseReason, find_reference
from importer.desk import Desk
from importer.errors import ConnectionRefused, JournalError, RunStopped, ServerUnreachable
from importer.findings import Findings
from importer.forecast import Forecast
from importer.identity import tenant_of
from importer.job import Job
from importer.journal import Decision
from importer.messages import _
from importer.model import Pause, Status
from importer.recognition import Memory
from importer.reporting import Ran, now
from importer.sending import Errand, Sender
from importer.settle import Settler

_ASK_AGAIN = timedelta(hours=1)
"""How long to wait for a quota where the CRM does not tell when it is counted anew."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A confirmed run: what was asked for, who is told, what the workers share, and what was forecast."""

    job: Job
    desk: Desk
    errand: Errand
    forecast: Forecast

    def carry_out(self) -> Ran:
        """Do what the forecast promised; return how that went."""
        reason = None
        if self.forecast.to_send:
            if self.job.look_first:
                self._look_first()
            reason = self._send()
        notes = self._settle(reason)
        return Ran(
            started_at=now(),
            server=self.forecast.server,
            run=self.errand.run_id,
            calls=self.errand.crm.calls,
            reason=reason.message if reason else self._left_by_quota(),
            status=reason.exit_status if reason else 0,
            held_back=self.forecast.held_back,
            notes=notes,
        )

    def _send(self) -> PauseReason | None:
        """Send the rows; where that was asked for, wait for the next day's quota and go on."""
        errand, job = self.errand, self.job
        self.desk.sending(self.forecast.to_send)
        try:
            while True:
                brake = Brake(created=self.forecast.counts.created > 0)
                sender = Sender(errand, Pacer(job.concurrency, job.rate), brake, self.desk)
                reason = self._sent_by(sender)
                if reason is None or reason.pause is not Pause.QUOTA:
                    return reason
                if not (job.wait_for_quota and self._waited_for_quota()):
                    return self._with_reset(reason)
        finally:
            self.desk.done()

    def _sent_by(self, sender: Sender) -> PauseReason | None:
        """Send; raises RunStopped where the journal can no longer be written."""
        try:
            return sender.send(self.forecast.rows(), self.job.concurrency, self.job.until)
        except JournalError as error:
            raise RunStopped(str(error)) from error

    def _with_reset(self, reason: PauseReason) -> PauseReason:
        """Add to the quota's sentence when it is counted anew, where the CRM told."""
        resets = self.forecast.quota_resets
        if resets is None:
            return reason
        when = _("They are counted anew at about {moment:%Y-%m-%d %H:%M}.", moment=resets)
        return PauseReason(f"{reason.message} {when}", reason.exit_status, reason.pause)

    def _waited_for_quota(self) -> bool:
        """Wait until the quota is counted anew; False where Ctrl-C ends the wait, and the run."""
        try:
            resets_in = self.errand.crm.token_information().resets_in
        except (ServerUnreachable, ConnectionRefused):
            resets_in = None  # what was sent must be reported all the same
        until = now() + (_ASK_AGAIN if resets_in is None else timedelta(seconds=resets_in + 60))
        never = threading.Event()
        try:
            self.desk.waiting(until)
            while (left := (until - now()).total_seconds()) > 0:
                never.wait(min(left, 60))  # in steps: the clock may be set, and the laptop may sleep
        except KeyboardInterrupt:
            return False
        return True

    def _left_by_quota(self) -> str | None:
        left = self.forecast.counts.planned - self.forecast.to_send
        if not self.job.keep_quota or left <= 0 or self.forecast.held_back:
            return None
        return _("{count} rows wait for another day's quota; give the same command again then.", count=left)

    def _look_first(self) -> None:
        """Search the CRM for every row that would be sent; what is found, or may be there, is not sent."""
        plan, errand, findings = self.forecast.plan, self.errand, self._findings()
        page_size = findings.page_size if findings else None
        questions: dict[str | None, list[str]] = {}
        for planned in self.forecast.rows():
            if planned.row.identity:
                questions.setdefault(search_value(plan, planned.row), []).append(planned.row.identity.reference)
        for value, references in questions.items():
            if value is None:
                continue  # the forecast refuses such rows
            found = errand.crm.query_cases(plan.mapping.search, value, page_size=page_size)
            for reference in references:
                if decision := _seen(found, reference):
                    errand.journal.settling.found_first(errand.record.id, reference, decision)

    def _findings(self) -> Findings | None:
        """Return what the doctor learnt of the server that this run sends to."""
        scope = replace(self.forecast.plan.scope, tenant=tenant_of(self.forecast.server))
        return Findings.load(self.errand.journal.path.parent, scope)

    def _settle(self, reason: PauseReason | None) -> tuple[str, ...]:
        """Settle rows whose quiet period is over, unless the connection is at fault; return what to say about it."""
        errand = self.errand
        if reason is not None and (reason.exit_status == 5 or reason.pause is not None):
            return ()
        if not errand.journal.settling.doubts(errand.record.id):
            return ()
        memory = Memory(errand.journal, errand.record)
        try:
            settled = Settler(memory, errand.crm, self._findings(), self.job.quiet_period).settle()
        except (ServerUnreachable, ConnectionRefused) as error:
            return (_("Doubtful rows could not be settled now: {reason}", reason=error),)
        return settled.sentences()


def _seen(found: Found, reference: str) -> Decision | None:
    """Return what a search says of a row that was not sent yet, None where nothing speaks against sending it."""
    hits = find_reference(found.records, reference)
    if len(hits) == 1 and hits[0].wolkvox_id:
        return Decision(Status.CREATED, "look-first", hits[0].wolkvox_id, hits[0].id_prefijo)
    if hits:
        ids = ", ".join(hit.wolkvox_id or "?" for hit in hits)
        message = _("Cases with this reference in the CRM: {ids}", ids=ids)
        return Decision(Status.CONFLICT, "look-first", message=message)
    if found.complete is False:
        message = _("The CRM shows only the first {count} cases of this search.", count=len(found.records))
        return Decision(Status.UNKNOWN, "look-first", message=message)
    return None
