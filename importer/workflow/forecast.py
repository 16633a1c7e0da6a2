"""What a run is about to do, added up before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from importer.crm import Crm, Quota
from importer.errors import UsageError
from importer.messages import _
from importer.model import Counts, Outcome
from importer.questions import Answer, Question
from importer.workflow.job import Job
from importer.workflow.looking import RowToFind, choose_for_spot_check, search_calls
from importer.workflow.outcome import now
from importer.workflow.plan import Plan, PlannedRow, search_value

# MERGED importer.workflow.forecast: What a run is about to do, added up before anybody is asked.


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run is about to do.

    `wanted` counts the rows that would go if there were no quota, `to_send` those that go today, `kept` the calls a day
    that are left for others; `waits` tells that the run goes on by itself on other days. `searches` are the calls of
    --look-first, `spot_check` the rows that are looked for since their source is new, `attachments` files and
    `attachment_bytes` their bytes. `open_cases` have a status that the mapping does not list as closed; `waiting` rows
    wait for an answer to an open question. `quota` is what the CRM said at `asked_at`, None where it was not asked.
    `held_back` tells that nothing is sent because some rows are invalid.
    """

    plan: Plan
    server: str
    counts: Counts
    wanted: int
    to_send: int
    searches: int
    attachments: int
    attachment_bytes: int
    open_cases: int
    waiting: int
    quota: Quota | None
    asked_at: datetime
    held_back: bool
    quota_reserve: int
    waits: bool
    spot_check: tuple[RowToFind, ...] = ()

    @property
    def rows_to_send(self) -> int:
        """How many rows this command sends, today and on the days that it waits for."""
        return self.wanted if self.waits else self.to_send

    @property
    def calls(self) -> int:
        """How many calls of the token's quota all wanted rows need."""
        return self.wanted + self.searches + search_calls(self.spot_check)

    @property
    def days(self) -> int | None:
        """On how many days they would go, today included; None where the quota is not known or lends nothing."""
        if self.quota is None or self.quota.left is None or (self.quota.limit or 0) <= self.quota_reserve:
            return None
        later = max(0, self.calls - max(0, self.quota.left - self.quota_reserve))
        return 1 + -(-later // ((self.quota.limit or 0) - self.quota_reserve))

    @property
    def quota_resets(self) -> datetime | None:
        """When the quota is counted anew, None where the CRM did not tell."""
        if self.quota is None or self.quota.resets_in is None:
            return None
        return self.asked_at + timedelta(seconds=self.quota.resets_in)

    def rows(self, start: int, count: int) -> Iterator[PlannedRow]:
        """Yield `count` of the wanted rows from `start` (from 0) on, in sheet order."""
        return islice(self.plan.sendable(), start, start + count)


def make_forecast(job: Job, plan: Plan, crm: Crm, server: str, *, is_new: bool) -> Forecast:
    """Return what a run will do; where it will send, the CRM is asked how many calls are left.

    `is_new` tells that no row of this very source was looked for yet.

    Raises ServerUnreachable or ConnectionRefused where the CRM cannot be asked, UsageError where --look-first cannot
    look for a row.
    """
    counts = plan.counts()
    held_back = job.only_if_all_valid and counts.invalid > 0
    waiting = plan.waiting
    ready = counts.planned - waiting
    wanted = 0 if held_back else min(ready, job.limit or ready)
    quota = crm.token_information() if wanted else None
    left = quota.left if quota else None
    checked = choose_for_spot_check(plan, ready, job.spot_check, left) if is_new and wanted else []
    to_send = rows_within_quota(job, quota, wanted, search_calls(checked))
    attachments = size = open_cases = 0
    closed = {status for rule in plan.mapping.rules if rule.path == "status" for status in rule.closed}
    searched = set()
    for row in islice(plan.sendable(), wanted if job.wait_for_quota else to_send):
        open_cases += row.fields.get("status") not in closed
        attachments += len(row.attachments)
        size += sum(file.size for file in row.attachments)
        if job.look_first:
            searched.add(_question(plan, row))
    return Forecast(
        plan=plan,
        server=server,
        counts=counts,
        wanted=wanted,
        to_send=to_send,
        searches=len(searched),
        attachments=attachments,
        attachment_bytes=size,
        open_cases=open_cases,
        waiting=waiting,
        quota=quota,
        asked_at=now(),
        held_back=held_back,
        quota_reserve=job.keep_quota,
        waits=job.wait_for_quota,
        spot_check=tuple(checked),
    )


def rows_within_quota(job: Job, quota: Quota | None, wanted: int, other_calls: int = 0) -> int:
    """Return how many of the wanted rows may go today: as many as leave the others on the token their calls."""
    if not job.keep_quota or quota is None or quota.left is None:
        return wanted
    calls_a_row = 2 if job.look_first else 1  # one to look for it, at the most
    return max(0, min(wanted, (quota.left - job.keep_quota - other_calls) // calls_a_row))


def _question(plan: Plan, row: PlannedRow) -> str:
    """Return by which value the CRM would be searched for a row; raises UsageError where it could not be found."""
    value = search_value(plan, row)
    if value is None:
        raise UsageError(
            _(
                "--look-first: row {row} could not be found in the CRM. That needs a `reference` in the mapping, and as"
                " `search` a field that every row is sent with, such as `email contact` (now: `{field}`).",
                row=row.number,
                field=plan.mapping.search,
            )
        )
    return value


# MERGED importer.workflow.forecast: The person at the desk, as the pipeline sees them: asked before anything is sent, told what happens.


class UserInterface(Protocol):
    """Whoever gives the command: prompts and progress, without a word of how they are shown."""

    @property
    def is_interactive(self) -> bool:
        """Whether there is a person who reads a question and can answer it."""

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether the person agreed beforehand to what a run is about to do, and to nothing else."""

    def answer(self, question: Question) -> Answer | None:
        """Return the person's answer to a question, None where they decline it."""

    def show(self, sentence: str) -> None:
        """Be told something that is neither a question nor a result."""

    def confirm(self, forecast: Forecast) -> None:
        """Return if what is about to happen may happen; raises UsageError where it may not."""

    def sending(self, total: int) -> None:
        """Be told how many rows will be sent."""

    def sent(self, outcome: Outcome) -> None:
        """Be told what one attempt came to; called from several threads."""

    def stopping(self, in_flight: int) -> None:
        """Be told that the run ends once so many cases have their answers, and that asking again gives them up."""

    def waiting(self, until: datetime) -> None:
        """Be told that nothing is sent until the quota is counted anew."""

    def done(self) -> None:
        """Be told that nothing more will be sent."""
