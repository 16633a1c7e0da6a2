"""Which created cases are asked about, the calls that this takes, and what they cost.

One search by a value that several rows were sent with, such as the address of their contact, answers for all of them.
A row that is alone is asked for by its id, which brings no other case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from importer.crm import Quota
from importer.journal import Verified
from importer.model import Status
from importer.workflow.planning.plan import SEARCHED, Plan, PlannedRow
from importer.workflow.settling.search import BY_ID

SAMPLE = 25
"""Cases that are asked about unless another number, or all, are wanted."""

MOST_SHARED = 200
"""Rows for which one search may answer; the answer to a wider one could be too large, or cut off."""


@dataclass(frozen=True, slots=True)
class VerifyChoice:
    """Which cases to ask about: a `sample` of so many, spread over the sheet, or `everything`.

    With `everything`, a case that an earlier command found as the sheet says is not asked about again unless its row,
    the mapping or its id has changed since, or `again` asks for it: that
    forgets what was found before, so that the verification goes on without it.
    """

    sample: int = SAMPLE
    everything: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class CaseCall:
    """One search: its field and value, and the numbers of the rows for which it answers."""

    field: str
    value: str
    rows: tuple[int, ...]

    @property
    def is_shared(self) -> bool:
        """Whether it is a search by a value, whose answer may not show every row's case."""
        return self.field != BY_ID


@dataclass(frozen=True, slots=True)
class VerifyForecast:
    """What a verification is about to ask, and what that costs.

    `cases` are all created ones with an id, `remembered` those that need not be asked about again, `wanted` those that
    are to be. `calls` are certain, and `further` at most so many more: where a shared answer does not show a case, it
    is asked for alone. `calls_today` is how many of the calls may be made by the quota.
    """

    plan: Plan
    server: str
    cases: int
    remembered: int
    wanted: int
    calls: int
    further: int
    calls_today: int
    quota: Quota
    asked_at: datetime
    quota_reserve: int = 0
    is_sample: bool = True

    @property
    def quota_resets(self) -> datetime | None:
        """When the quota resets, None if the CRM did not say."""
        return None if self.quota.resets_in is None else self.asked_at + timedelta(seconds=self.quota.resets_in)

    @property
    def calls_left(self) -> int | None:
        """The calls that may be made today; None if the CRM did not say."""
        return None if self.quota.left is None else max(0, self.quota.left - self.quota_reserve)


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to ask about by their calls, and what is known of others from before, by row number."""

    cases: int
    calls: tuple[CaseCall, ...]
    remembered: Mapping[int, Verified]

    @property
    def wanted(self) -> int:
        """The number of rows that are to be asked about."""
        return sum(len(call.rows) for call in self.calls)


def is_verifiable(row: PlannedRow) -> bool:
    """Tell whether the CRM can be asked for a row: it is created and has an id, and its case is not declared gone."""
    return row.status is Status.CREATED and bool(row.known and row.known.wolkvox_id and not row.known.deleted)


def verifiable(plan: Plan) -> Iterator[PlannedRow]:
    """Yield the rows whose cases the CRM can be asked for, in sheet order."""
    return (row for row in plan.in_state(Status.CREATED) if is_verifiable(row))


def select(
    plan: Plan, choice: VerifyChoice, verified: Mapping[str, Verified], page_size: int | None = None
) -> Selection:
    """Return which rows are asked about, and by which calls.

    `verified` are the cases that were asked for before, by reference. What never was comes first, then what was asked
    for longest ago, so that a small quota reaches every case. `page_size` is how many records an answer holds at most,
    as far as the doctor knows.
    """
    cases = sum(1 for _row in verifiable(plan))
    places = set(range(cases)) if choice.everything else spread(cases, choice.sample)
    known: dict[int, Verified] = {}
    asked_at: dict[int, float] = {}
    lone: list[tuple[int, str, str]] = []  # number, id, value
    for place, row in enumerate(verifiable(plan)):
        if place not in places or row.known is None:
            continue
        before = verified.get(row.known.reference) if choice.everything and not choice.again else None
        if before is not None and _still_holds(before, row, plan):
            known[row.number] = before
        else:
            asked_at[row.number] = before.at if before else 0.0
            lone.append((row.number, row.known.wolkvox_id or "", _value(plan, row)))
    calls = _calls(lone, plan.mapping.search, page_size)
    return Selection(cases, tuple(sorted(calls, key=lambda call: min(asked_at[row] for row in call.rows))), known)


def spread(count: int, wanted: int) -> set[int]:
    """Return `wanted` of the places from 0 to `count`: the first, the last, and others evenly between them."""
    wanted = min(count, wanted)
    steps = max(1, wanted - 1)
    return {round(step * (count - 1) / steps) for step in range(wanted)}


def _still_holds(before: Verified, row: PlannedRow, plan: Plan) -> bool:
    known = row.known
    now = (row.content_hash, plan.mapping.digest, known and known.wolkvox_id)
    return (before.content_hash, before.mapping_digest, before.wolkvox_id) == now and not row.differs


def _value(plan: Plan, row: PlannedRow) -> str:
    """Return what a row was sent with in the field by which the mapping searches; empty if nothing."""
    path = SEARCHED.get(plan.mapping.search, "")
    if path == plan.mapping.reference:  # it holds the reference, which no other row has
        return ""
    return str(row.fields.get(path) or "").strip()


def _calls(rows: Sequence[tuple[int, str, str]], field: str, page_size: int | None) -> Iterator[CaseCall]:
    """Yield one call for all rows with one value, or one for each row that is alone with its own."""
    most = min(MOST_SHARED, page_size - 1 if page_size else MOST_SHARED)
    sharing: dict[str, list[int]] = {}
    for number, _wolkvox_id, value in rows:
        if value:
            sharing.setdefault(value.casefold(), []).append(number)
    done: set[str] = set()
    for number, wolkvox_id, value in rows:
        folded = value.casefold()
        together = sharing.get(folded, ())
        if not 2 <= len(together) <= most:
            yield CaseCall(BY_ID, wolkvox_id, (number,))
        elif folded not in done:
            done.add(folded)
            yield CaseCall(field, value, tuple(together))


def within(calls: Sequence[CaseCall], left: int | None) -> Sequence[CaseCall]:
    """Return the calls that may be made today."""
    return calls if left is None else calls[: max(0, left)]
