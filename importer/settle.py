"""Doubtful rows are settled and never guessed: the CRM is asked, or a person says what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from importer.crm import Crm, Found, find_reference, texts_in
from importer.findings import Findings
from importer.identity import REFERENCE
from importer.journal import Decision, Doubt
from importer.messages import _
from importer.model import Status
from importer.recognition import Memory

_JUMP = 30.0
"""Seconds by which the clock may stray from the time since the computer's start before it is not believed."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of doubtful rows; `waiting_until` is when the quiet period of those that still wait is over."""

    created: int = 0
    conflict: int = 0
    planned: int = 0
    doubtful: int = 0
    waiting_until: datetime | None = None

    def sentences(self) -> tuple[str, ...]:
        """Return what a person should know of it."""
        done = ((self.created, "created"), (self.conflict, "conflict"), (self.planned, "planned"))
        lines = [
            _("Settled by search: {count} rows are {state}.", count=count, state=state)
            for count, state in done
            if count
        ]
        if self.waiting_until:
            when = self.waiting_until
            lines.append(_("The CRM is asked for doubtful rows from {when:%Y-%m-%d %H:%M:%S} on.", when=when))
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time; `gap` is the clock less the time since the computer's start, and changes when it jumps."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone()
    gap: Callable[[], float] = lambda: time.time() - time.monotonic()


class Settler:
    """Settles the unknown rows of one import by asking the CRM.

    `findings` are what the doctor learnt of this tenant; without them a search that finds nothing proves nothing.
    """

    def __init__(
        self, known: Memory, crm: Crm, findings: Findings | None, quiet_period: float, clock: Clock = Clock()
    ) -> None:
        if known.journal is None or known.record is None:
            raise ValueError("only an import that a journal knows can be settled")
        self._journal, self._record = known.journal, known.record
        self._crm, self._findings = crm, findings
        self._quiet, self._now, self._gap = timedelta(seconds=quiet_period), clock.now, clock.gap

    def settle(self) -> Settled:
        """Ask the CRM for every unknown row whose quiet period is over, once for all rows of one contact.

        Raises ServerUnreachable or ConnectionRefused where the CRM cannot be asked; what was settled stays settled.
        """
        self._journal.attempts.expire(self._record.id)
        unknown = [doubt for doubt in self._doubts() if doubt.state is Status.UNKNOWN]
        self._distrust_a_clock_that_jumped(unknown)
        ready: list[Doubt] = []
        waiting: list[Doubt] = []
        for doubt in self._doubts():
            if doubt.state is Status.UNKNOWN and doubt.lease_until is not None:
                (ready if self._quiet_until(doubt) <= self._now() else waiting).append(doubt)
        settled = [self._search(some) for some in _by_question(ready)]
        decided = [decision for some in settled for decision in some]
        return Settled(
            created=decided.count(Status.CREATED),
            conflict=decided.count(Status.CONFLICT),
            planned=decided.count(Status.PLANNED),
            doubtful=len(self._doubts()),
            waiting_until=max(map(self._quiet_until, waiting), default=None),
        )

    def _doubts(self) -> list[Doubt]:
        return self._journal.settling.doubts(self._record.id)

    def _quiet_until(self, doubt: Doubt) -> datetime:
        return (doubt.lease_until or self._now()) + self._quiet

    def _distrust_a_clock_that_jumped(self, doubts: Iterable[Doubt]) -> None:
        """Begin the quiet period anew where the clock, a sleep or a restart leaves it open how long ago that was."""
        gap = self._gap()
        jumped = [doubt for doubt in doubts if doubt.clock_gap is not None and abs(doubt.clock_gap - gap) > _JUMP]
        self._journal.settling.begin_anew(jumped, gap)

    def _search(self, doubts: list[Doubt]) -> list[Status]:
        """Ask one question of the CRM and decide all rows that it answers; return what was decided."""
        field, value = doubts[0].search_field, doubts[0].search_value
        if field is None or value is None:
            return []
        found = self._crm.query_cases(field, value, page_size=self._findings.page_size if self._findings else None)
        decided = []
        for doubt in doubts:
            decision = self._decision(doubt, found)
            if decision and self._journal.settling.decide(doubt, decision):
                decided.append(decision.state)
        return decided

    def _decision(self, doubt: Doubt, found: Found) -> Decision | None:
        hits = find_reference(found.records, doubt.reference)
        if len(hits) > 1:
            ids = ", ".join(hit.wolkvox_id or "?" for hit in hits)
            message = _("The CRM has several cases with this reference: {ids}", ids=ids)
            return Decision(Status.CONFLICT, "search", message=message)
        if len(hits) == 1 and hits[0].wolkvox_id:
            return Decision(Status.CREATED, "search", hits[0].wolkvox_id, hits[0].id_prefijo)
        if not hits and self._proves_absence(doubt, found):
            return Decision(
                Status.PLANNED, "search", message=_("Not found in the CRM, where it would have been found.")
            )
        return None

    def _proves_absence(self, doubt: Doubt, found: Found) -> bool:
        """Tell whether a search that found nothing proves that there is no case.

        It does only where the doctor verified this search on this tenant for bodies of this length, the answer is
        known to be complete, and the same search finds a case that is known to exist.
        """
        if self._findings is None or doubt.search_field is None or found.complete is not True:
            return False
        if not self._findings.covers(doubt.search_field, doubt.body_length, self._quiet.total_seconds()):
            return False
        others = {mark.upper() for text in texts_in(found.records) for mark in REFERENCE.findall(text.upper())}
        known = self._journal.rows.by_reference(self._record.id, sorted(others))
        return any(other.row.status is Status.CREATED for other in known.values())


def _by_question(doubts: Iterable[Doubt]) -> list[list[Doubt]]:
    """Return the rows that one search answers together."""
    questions: dict[tuple[str | None, str | None], list[Doubt]] = {}
    for doubt in doubts:
        questions.setdefault((doubt.search_field, doubt.search_value), []).append(doubt)
    return list(questions.values())
