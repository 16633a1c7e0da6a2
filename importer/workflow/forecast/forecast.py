"""The forecast: what a run is about to do, and the user interface that shows it and asks for consent."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate, islice, takewhile
from typing import Protocol

from importer.commands import told
from importer.crm import Crm, Quota
from importer.errors import UsageError
from importer.identity import tenant_of
from importer.journal_place import Server, folder_of
from importer.messages import _
from importer.model import Counts, Outcome
from importer.model.edits import ChangeState
from importer.questions import Answer, Question
from importer.system.hosts import is_loopback
from importer.system.stopping import Stop
from importer.workflow.forecast.contact_needs import NO_CONTACTS, ContactForecast, calls_for_contacts, forecast_contacts
from importer.workflow.job import Job
from importer.workflow.outcome.outcome import now
from importer.workflow.planning.plan import Plan, PlannedRow, search_value
from importer.workflow.settling.looking import RowToFind, choose_for_spot_check, search_calls
from importer.workflow.tenant_facts import Findings


@dataclass(frozen=True, slots=True)
class UpdateForecast:
    """What a run is about to do about rows that were edited after their cases were created.

    `wanted` cases would be updated without a quota, `today` today. `columns` counts in how many of these rows each
    column was edited. `states` counts the edited rows by what becomes of them; `Plan.edited` yields them. `accepted`
    edits are taken as known, and not sent.
    """

    wanted: int = 0
    today: int = 0
    columns: tuple[tuple[str, int], ...] = ()
    states: Mapping[ChangeState, int] = field(default_factory=dict)
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run is about to do.

    `wanted` counts the rows that would be sent without a quota, `rows_today` those that are sent today, and
    `quota_reserve` the calls a day that are left for others. With `waits_for_quota` the run continues on later days.
    `searches` are the calls of --look-first, `spot_check` the rows to look for because their source is new, `updates`
    what becomes of edited rows, and `contacts` what is done for the contacts of the rows. `attachments` counts files
    and `attachment_bytes` their bytes. `open_cases` have a status that the mapping does not list as closed, `again` are
    rows whose case was deleted from the CRM, as a person said, and that become new ones; `effects` are what the doctor
    learnt of new cases; `waiting` rows wait for an answer to an open question. `quota` is the CRM's answer at
    `asked_at`, None if it was not asked. `held_back` means that nothing is sent because some rows are invalid.
    `rows_digest` is that of the cases to send, in their order; `digest` is that of all that is shown (`proposals`).
    `is_shared` means that other computers may use the journal, too.
    """

    plan: Plan
    server: str
    counts: Counts
    wanted: int
    rows_today: int
    searches: int
    attachments: int
    attachment_bytes: int
    open_cases: int
    waiting: int
    quota: Quota | None
    asked_at: datetime
    held_back: bool
    quota_reserve: int
    waits_for_quota: bool
    spot_check: tuple[RowToFind, ...] = ()
    updates: UpdateForecast = UpdateForecast()
    contacts: ContactForecast = NO_CONTACTS
    again: int = 0
    effects: tuple[str, ...] = ()
    rows_digest: str = ""
    digest: str = ""
    is_shared: bool = False

    @property
    def rows_to_send(self) -> int:
        """The number of rows that this command sends, today and on the days that it waits for."""
        return self.wanted if self.waits_for_quota else self.rows_today

    @property
    def names_others(self) -> bool:
        """Whether to say that other computers do not know this journal: before a new source is sent to a real CRM."""
        return bool(self.spot_check) and not self.is_shared and not is_loopback(self.server)

    @property
    def updates_to_send(self) -> int:
        """The number of cases that this command updates, today and on the days that it waits for."""
        return self.updates.wanted if self.waits_for_quota else self.updates.today

    @property
    def calls(self) -> int:
        """The number of calls from the token's quota that all wanted rows need."""
        others = self.searches + search_calls(self.spot_check) + self.contacts.calls
        return self.wanted + self.updates.wanted + others

    @property
    def days(self) -> int | None:
        """The number of days that they take, including today; None if the quota is unknown or has no calls for them."""
        if self.quota is None or self.quota.left is None:
            return None
        calls_a_day = (self.quota.limit or 0) - self.quota_reserve
        if calls_a_day <= 0:
            return None
        calls_today = max(0, self.quota.left - self.quota_reserve)
        return 1 + math.ceil(max(0, self.calls - calls_today) / calls_a_day)

    @property
    def quota_resets(self) -> datetime | None:
        """When the quota resets, None if the CRM did not say."""
        if self.quota is None or self.quota.resets_in is None:
            return None
        return self.asked_at + timedelta(seconds=self.quota.resets_in)

    def rows(self, start: int, count: int) -> Iterator[PlannedRow]:
        """Yield `count` of the wanted rows in sheet order, starting at `start` (from 0)."""
        return islice(self.plan.sendable(), start, start + count)

    def rows_to_update(self, start: int, count: int) -> Iterator[PlannedRow]:
        """Yield `count` of the rows whose cases are updated, in sheet order, starting at `start` (from 0)."""
        return islice(self.plan.edited("update"), start, start + count)


def make_forecast(job: Job, plan: Plan, crm: Crm, server: str, *, spot_check_due: bool) -> Forecast:
    """Return what a run will do; if it will send anything, the CRM is asked how many calls are left.

    `spot_check_due` means that no row of this source was looked for yet. Raises ServerUnreachable or
    ConnectionRefused if the CRM cannot be asked, UsageError if --look-first cannot look for a row.
    """
    counts = plan.counts()
    held_back = job.only_if_all_valid and counts.invalid > 0
    waiting = plan.waiting
    ready = counts.planned - waiting
    wanted = 0 if held_back else min(ready, job.limit or ready)
    updates = _updates(job, plan, held_back=held_back, limit=job.limit and job.limit - wanted)
    quota = crm.token_information() if wanted or updates.wanted else None
    left = quota.left if quota else None
    checked = choose_for_spot_check(plan, ready, job.spot_check, left) if spot_check_due and wanted else []
    contacts = forecast_contacts(islice(plan.sendable(), wanted), plan, retries=job.tries_rejected)
    rows_today = rows_within_quota(
        *(job, quota, wanted, search_calls(checked)),
        contacts_of=lambda count: calls_for_contacts(islice(plan.sendable(), count), plan),
    )
    spent = search_calls(checked) + rows_today * (2 if job.look_first else 1) + contacts.calls
    updates = replace(updates, today=rows_within_quota(job, quota, updates.wanted, spent, calls_a_row=1))
    attachments = size = open_cases = again = 0
    closed = {status for rule in plan.mapping.rules if rule.path == "status" for status in rule.closed}
    searched, hashed = set(), hashlib.sha256()
    for row in islice(plan.sendable(), wanted if job.wait_for_quota else rows_today):
        open_cases += row.fields.get("status") not in closed
        again += row.known is not None and row.known.deleted
        attachments += len(row.attachments)
        size += sum(file.size for file in row.attachments)
        hashed.update(what_is_sent(row))
        if job.look_first:
            searched.add(_search_value(plan, row))
    for row in islice(plan.edited("update"), updates.wanted if job.wait_for_quota else updates.today):
        hashed.update(b"update" + what_is_sent(row))
    return Forecast(
        plan=plan,
        server=server,
        counts=counts,
        wanted=wanted,
        rows_today=rows_today,
        searches=len(searched),
        attachments=attachments,
        attachment_bytes=size,
        open_cases=open_cases,
        waiting=waiting,
        quota=quota,
        asked_at=now(),
        held_back=held_back,
        quota_reserve=job.keep_quota,
        waits_for_quota=job.wait_for_quota,
        spot_check=tuple(checked),
        updates=updates,
        contacts=contacts,
        again=again,
        effects=_effects_learnt(job, plan, server),
        rows_digest=hashed.hexdigest(),
        is_shared=isinstance(job.journal_path, Server),
    )


def _updates(job: Job, plan: Plan, *, held_back: bool, limit: int | None) -> UpdateForecast:
    """Return which edits are sent or accepted; `limit` is how many may be sent beside the cases that are created."""
    states = plan.edits()
    if job.accept_changes:
        return UpdateForecast(states=states, accepted=sum(1 for _row in edits_to_accept(plan)))
    wanted = 0 if held_back else min(states["update"], states["update"] if limit is None else limit)
    columns = Counter(
        column
        for row in islice(plan.edited("update"), wanted)
        for column in (row.change.columns if row.change else None) or ()
    )
    return UpdateForecast(wanted, wanted, tuple(columns.most_common()), states)


def edits_to_accept(plan: Plan) -> Iterator[PlannedRow]:
    """Yield the edited rows that `--accept-changes` takes as known.

    Those stay whose update is under way or may have arrived.
    """
    return (row for row in plan.edited() if row.change and row.change.state not in {"sending", "unknown"})


def _effects_learnt(job: Job, plan: Plan, server: str) -> tuple[str, ...]:
    """Return what the doctor learnt of the effects of a new case; nothing where nobody knows."""
    findings = Findings.load(folder_of(job.journal_path), replace(plan.scope, tenant=tenant_of(server)))
    return findings.effects() if findings else ()


def what_is_sent(row: PlannedRow) -> bytes:
    """Return all that is sent of a row, to be hashed; the content hash tells the files apart."""
    files = [(file.name, file.size) for file in row.attachments]
    return repr((row.reference, row.content_hash, row.missing, files, *row.fields.items())).encode()


def rows_within_quota(  # noqa: PLR0913 - everything that takes calls
    job: Job,
    quota: Quota | None,
    wanted: int,
    other_calls: int = 0,
    calls_a_row: int | None = None,
    *,
    contacts_of: Callable[[int], Iterable[int]] | None = None,
) -> int:
    """Return how many of the wanted rows may be sent today, so that the quota reserve stays untouched.

    `contacts_of` so many rows yields for each the calls that its contact needs.
    """
    if not job.keep_quota or quota is None or quota.left is None:
        return wanted
    calls_a_row = calls_a_row or (2 if job.look_first else 1)  # at most one search
    left = quota.left - job.keep_quota - other_calls
    within = max(0, min(wanted, left // calls_a_row))
    if contacts_of is None:
        return within
    spent = accumulate(calls + calls_a_row for calls in contacts_of(within))
    return sum(1 for _calls in takewhile(lambda calls: calls <= left, spent))


def _search_value(plan: Plan, row: PlannedRow) -> str:
    """Return the value by which the CRM is searched for a row; raises UsageError if it cannot be searched for."""
    value = search_value(plan, row)
    if value is None:
        raise UsageError(
            told(
                _(
                    "--look-first: the CRM cannot be searched for row {row}. This needs a `reference` in the mapping,"
                    " and as `search` a field that every row is sent with, such as `email contact` (now: `{field}`).",
                    row=row.number,
                    field=plan.mapping.search,
                ),
                _(
                    "The CRM cannot be searched for row {row}: that needs the code of each row in the"
                    " case, and a field by which it is searched that every row has (now: {field})."
                    " Whoever looks after this program can set that up.",
                    row=row.number,
                    field=plan.mapping.search,
                ),
            )
        )
    return value


class UserInterface(Protocol):
    """Prompts and progress for the person who gives the command; a terminal or a page implements it.

    `agrees_to` is the digest of the proposal that the person has agreed to, None if they are shown the forecast now.
    """

    @property
    def is_interactive(self) -> bool:
        """Whether a person can read a question and answer it."""

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether the person has agreed to the forecast in advance, and only to that."""

    @property
    def agrees_to(self) -> str | None:
        """The digest of the only proposal that may be carried out, None if any may."""

    @property
    def stop_request(self) -> Stop:
        """Where the person, or Ctrl-C, asks the run to stop."""

    def answer(self, question: Question) -> Answer | None:
        """Return the person's answer to a question, None if they decline."""

    def show(self, sentence: str) -> None:
        """Show a sentence that is neither a question nor a result."""

    def confirm(self, forecast: Forecast) -> None:
        """Return if the person agrees to the forecast; raises UsageError if not."""

    def sending(self, total: int) -> None:
        """Start to show the progress of so many rows."""

    def sent(self, outcome: Outcome) -> None:
        """Show the outcome of one attempt; called from several threads."""

    def updating(self, total: int) -> None:
        """Start to show the progress of so many updates of cases."""

    def updated(self, outcome: Outcome) -> None:
        """Show the outcome of one update; called from several threads."""

    def asking(self, total: int) -> None:
        """Start to show for how many of so many contacts the CRM was asked."""

    def asked(self) -> None:
        """Show that one contact was asked for, and created if it was; called from several threads, also by a run."""

    def stopping(self, in_flight: int) -> None:
        """Show that the run stops after the answers to so many cases, and that a second request abandons them."""

    def waiting(self, until: datetime) -> None:
        """Show that nothing is sent until the quota resets."""

    def done(self) -> None:
        """End the display of progress: nothing more is sent."""
