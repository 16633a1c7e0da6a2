"""What a person says of a doubtful row: taken where it is about the attempt in doubt, and costs no id that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from importer.journal import Decision, Dispute, Doubt, moment
from importer.messages import _
from importer.model import Status
from importer.recognition import Memory

_SAME_SECOND = 1.5
"""Seconds by which a moment that a sheet shows may differ from the journal's own."""

_ZONES = 900.0
"""Seconds by which time zones differ, or a multiple of it: a sheet shows the time of the computer that wrote it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a doubtful row: it is the case `created`, or it has none.

    `about` names the attempt or decision that the person saw, None where they speak of the row as it is now; sheets of
    0.1.0 have `run` and `sent_at` instead. `despite` are ids that arrived for the row and are no case of it.
    """

    reference: str
    created: str | None
    id_prefijo: str | None = None
    about: str | None = None
    run: int | None = None
    sent_at: datetime | None = None
    despite: tuple[str, ...] = ()


class VerdictDesk:
    """Takes the verdicts of a person on the rows of one import; `quiet_period` is in seconds."""

    def __init__(self, memory: Memory, quiet_period: float, how: str) -> None:
        self._journal, self._record = memory.opened()
        self._quiet, self._how = quiet_period, how

    def doubt(self, reference: str) -> Doubt | None:
        """Return the doubtful row with this reference, None where it is not in doubt."""
        self._journal.attempts.expire(self._record.id)
        doubts = self._journal.settling.doubts(self._record.id)
        return next((doubt for doubt in doubts if doubt.reference == reference), None)

    def take(self, verdict: Verdict) -> str | None:
        """Record a verdict; return None, or why it was not taken."""
        doubt = self.doubt(verdict.reference)
        if doubt is None:
            return self._why_not_in_doubt(verdict.reference)
        refusal = self._other_attempt(doubt, verdict) or self._too_early(doubt) or self._not_possible(doubt, verdict)
        if refusal is not None:
            return refusal
        state = Status.PLANNED if verdict.created is None else Status.CREATED
        decision = Decision(state, self._how, verdict.created, verdict.id_prefijo, despite=verdict.despite)
        if self._journal.settling.decide(doubt, decision) is None:
            return _("{reference} has just been settled in another way.", reference=verdict.reference)
        return None

    def hand_over(self, doubt: Doubt, dispute: Dispute) -> str | None:
        """Record that a disputed id is the case of a doubtful row; return None, or why that was not taken."""
        refusal = self._too_early(doubt)
        if refusal is None:
            decision = Decision(Status.CREATED, self._how, dispute.wolkvox_id)
            if self._journal.settling.hand_over(doubt, dispute, decision) is None:
                return _("{reference} has just been settled in another way.", reference=doubt.reference)
        return refusal

    def _why_not_in_doubt(self, reference: str) -> str:
        known = self._journal.rows.by_reference(self._record.id, [reference]).get(reference)
        if known is None:
            return _("{reference}: no row of import {name} has it.", reference=reference, name=self._record.name)
        row = known.row
        if row.status is Status.SENDING and row.lease_until is not None:
            return _(
                "{reference} is being sent; without an answer it counts as unknown from {until:%Y-%m-%d %H:%M:%S} on.",
                reference=reference,
                until=row.lease_until,
            )
        if row.wolkvox_id:
            return _(
                "{reference} is not in doubt: it is {state}, as the case {id}.",
                reference=reference,
                state=row.status.value,
                id=row.wolkvox_id,
            )
        return _("{reference} is not in doubt: it is {state}.", reference=reference, state=row.status.value)

    def _other_attempt(self, doubt: Doubt, verdict: Verdict) -> str | None:
        """Return why a verdict is about something else than the attempt that is in doubt now."""
        if verdict.about is not None:
            same = verdict.about == doubt.about
        elif verdict.sent_at is not None and doubt.sent_at is not None:
            off = abs(verdict.sent_at.timestamp() - doubt.sent_at) % _ZONES
            same = min(off, _ZONES - off) <= _SAME_SECOND and verdict.run in {None, doubt.run}
        else:
            return None
        if same:
            return None
        return _(
            "{reference}: the verdict is about an earlier attempt, and the row was sent again since (run {run}). Look"
            " it up once more, and write the verdict into the newest report.",
            reference=doubt.reference,
            run=doubt.run or "-",
        )

    def _too_early(self, doubt: Doubt) -> str | None:
        """Return why nobody can know yet what became of a row."""
        if doubt.silent_since is None:
            return None
        clock = self._journal.clock
        left = doubt.silent_since + self._quiet - clock.elapsed()
        if left <= 0:
            return None
        return _(
            "{reference}: its case may still come into being until {until:%Y-%m-%d %H:%M:%S}. Look it up after that,"
            " and give the verdict then.",
            reference=doubt.reference,
            until=moment(clock.wall() + left),
        )

    def _not_possible(self, doubt: Doubt, verdict: Verdict) -> str | None:
        """Return what is known of the row that speaks against a verdict."""
        if verdict.created is None:
            known = [wolkvox_id for wolkvox_id in doubt.ids if wolkvox_id not in verdict.despite]
            if not known:
                return None
            return _(
                "{reference}: the CRM has named {ids} for this row, so it cannot be called not created. Look these ids"
                " up; if none of them is its case, give {option}.",
                reference=doubt.reference,
                ids=", ".join(known),
                option=" ".join(["--not-created", *(f"--despite {quoted(wolkvox_id)}" for wolkvox_id in known)]),
            )
        owner = self._journal.settling.owners(doubt.import_id, [verdict.created]).get(verdict.created)
        if owner in {None, doubt.reference}:
            return None
        return _(
            "{reference}: {id} is the case of {owner} already. If it is this row's case and not that one's, give"
            " --created {id} --instead-of {owner}.",
            reference=doubt.reference,
            id=verdict.created,
            owner=owner,
        )


def quoted(word: str) -> str:
    """Return a word as a command line takes it, on Windows too."""
    return word if word.replace("-", "").replace("_", "").replace(".", "").isalnum() else f'"{word}"'
