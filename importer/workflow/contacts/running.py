"""The contacts of a run: made before the cases that name them, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from importer.crm import PauseReason
from importer.errors import ConnectionRefused, ServerUnreachable
from importer.journal import ContactState
from importer.messages import _
from importer.workflow.contacts.making import ContactMaker, ContactSettings, ContactToMake
from importer.workflow.contacts.settling import ContactSettler
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.job import Job
from importer.workflow.planning.contact_rows import contact_fields
from importer.workflow.planning.plan import PlannedRow
from importer.workflow.sending.sending import RunContext
from importer.workflow.sending.token_limits import make_limiter

_PORTION = 500
"""Rows whose contacts are made before these rows are sent; no more are held in memory."""

SendRows = Callable[[Iterable[PlannedRow]], PauseReason | None]


class RunContacts:
    """What a run does about contacts; all that it sends has the pace of one `limiter`."""

    def __init__(self, job: Job, ui: UserInterface, context: RunContext) -> None:
        plan, record = context.plan, context.record
        self._job, self._context = job, context
        self._operation = (plan.scope.tenant, plan.scope.operation)
        self.limiter = make_limiter(job.concurrency, job.rate, context.turns)
        self._spellings = plan.spellings
        self._creates = plan.mapping.contacts is not None and plan.mapping.contacts.creates
        settings = ContactSettings(
            operation=self._operation,
            scope=(record.tenant, record.operation, record.name),
            quiet_period=job.quiet_period,
            run_id=context.run_id,
            retries=job.tries_rejected,
        )
        self._maker = ContactMaker(context.crm, context.journal, settings, self.limiter, ui, context.stop)

    @property
    def unclear(self) -> dict[str, str]:
        """Why it could not be told of some contacts whether they exist, by their digests."""
        return self._maker.unclear

    def send(self, rows: Iterator[PlannedRow], send: SendRows) -> PauseReason | None:
        """Send rows by `send`, after the contacts of each portion of them were made; return why it stopped early.

        Rows whose contacts the CRM does not have are not sent.
        """
        if not self._creates:
            return send(rows)
        while portion := list(islice(rows, _PORTION)):
            reason = self._maker.make(contacts_of(portion, self._spellings), self._job.concurrency, self._job.until)
            reason = reason or send(self._ready(portion))
            if reason is not None:
                return reason
        return None

    def settle(self) -> tuple[str, ...]:
        """Settle the unknown contacts of the operation whose quiet period is over; return sentences on that."""
        context = self._context
        if context.stop.requested or not context.journal.contacts.doubts(self._operation):
            return ()
        settler = ContactSettler.asking(context.crm, context.journal, self._operation, self._job.quiet_period)
        try:
            return settler.settle(context.stop).sentences()
        except (ServerUnreachable, ConnectionRefused) as error:
            return (_("Unknown contacts could not be settled now: {reason}", reason=error),)

    def _ready(self, rows: list[PlannedRow]) -> list[PlannedRow]:
        """Return the rows whose contacts the CRM has."""
        existing = self._maker.existing({row.contact.digest for row in rows if row.contact is not None})
        return [row for row in rows if _is_listed(row) or (row.contact is not None and row.contact.digest in existing)]


def contacts_of(rows: Iterable[PlannedRow], spellings: Mapping[str, tuple[str, ...]]) -> Iterator[ContactToMake]:
    """Yield the contact of each row that has one, but for those that are listed in the table of known ones.

    `spellings` are those of addresses that have several, by digest.
    """
    for row in rows:
        if row.contact is not None and not _is_listed(row):
            digest = row.contact.digest
            fields = contact_fields(row.fields)
            yield ContactToMake(digest, row.contact.fields, fields, spellings.get(digest, ()))


def _is_listed(row: PlannedRow) -> bool:
    """Tell whether a row's contact is known without the journal, from the table that `known` names."""
    return row.contact is not None and row.contact.state is ContactState.KNOWN
