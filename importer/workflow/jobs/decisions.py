"""A person's decisions on doubtful rows, and when one is recorded.

A decision must be about the attempt that is in doubt now, must not come before the attempt's quiet period is over, and
must not discard an id that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Literal

from importer import report
from importer.commands import settle_command, told
from importer.journal import Decision, Dispute, Doubt
from importer.messages import _, translated
from importer.model import Status
from importer.names import state_name
from importer.report_words import CREATED_VERDICT, NOT_CREATED_VERDICT
from importer.source import open_table
from importer.system.clock import local_datetime
from importer.text import is_case_id
from importer.workflow.keys.history import ImportHistory

_SAME_SECOND = 1.5
"""Seconds by which a time in a sheet may differ from the time in the journal."""

_ZONES = 900.0
"""Time zones differ by a multiple of this many seconds; a sheet shows the time of the computer that wrote it."""


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """A person's decision on a doubtful row: its case is `created`, or it has none.

    `about` identifies the attempt or decision that the person saw, None if they decide on the row as it is now; sheets
    of 0.1.0 have `run` and `sent_at` instead. `despite` are ids that arrived for the row but are not its case.
    `row` is the number that the row has in the report from which the decision comes.
    """

    reference: str
    created: str | None
    id_prefijo: str | None = None
    about: str | None = None
    run: int | None = None
    sent_at: datetime | None = None
    despite: tuple[str, ...] = ()
    row: int | None = None


Way = Literal["correct", "newest-report", "later", "settled"]
"""What helps after a refusal: to correct the verdict, to give it in a newer report or later; or nothing is open."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A decision that was refused: the reference of its row, and why; or a report without one, by its name.

    `row` is the row's number, if it is known.
    """

    reference: str
    reason: str
    row: int | None = None
    way: Way = "correct"

    @property
    def shown(self) -> str:
        """What the row, or the report, is called where the refusal is shown."""
        if self.row is None:
            return self.reference
        return _("row {row} ({reference})", row=self.row, reference=self.reference)


class DecisionTaker:
    """Records a person's decisions on rows of one import; `quiet_period` is in seconds, `how` says how they came."""

    def __init__(self, history: ImportHistory, quiet_period: float, how: str) -> None:
        self._journal, self._record = history.opened()
        self._quiet, self._how = quiet_period, how

    def doubt(self, reference: str) -> Doubt | None:
        """Return the doubtful row with this reference, None if it is not in doubt."""
        self._journal.attempts.expire(self._record.id)
        doubts = self._journal.doubts.of_import(self._record.id)
        return next((doubt for doubt in doubts if doubt.reference == reference), None)

    def searchable(self, reference: str) -> tuple[str | None, Doubt | None]:
        """Return why a row cannot be searched for now, None if it can; and the row if it is in doubt."""
        doubt = self.doubt(reference)
        return (self._why_not_in_doubt(reference) if doubt is None else self._too_early(doubt)), doubt

    def take(self, decided: HumanDecision) -> str | None:
        """Record a decision; return None, or why it was refused."""
        refused = self.try_to_take(decided)
        return None if refused is None else refused.reason

    def try_to_take(self, decided: HumanDecision) -> NotTaken | None:
        """Record a decision; return None, or the refusal with what helps."""
        doubt = self.doubt(decided.reference)
        if doubt is None:
            reason = self._why_not_in_doubt(decided.reference)
            return NotTaken(decided.reference, reason, decided.row, "settled")
        checks: tuple[tuple[str | None, Way], ...] = (
            (self._other_attempt(doubt, decided), "newest-report"),
            (self._too_early(doubt), "later"),
            (self._not_possible(doubt, decided), "correct"),
        )
        for refusal, way in checks:
            if refusal is not None:
                return NotTaken(decided.reference, refusal, decided.row, way)
        state = Status.PLANNED if decided.created is None else Status.CREATED
        decision = Decision(state, self._how, decided.created, decided.id_prefijo, despite=decided.despite)
        if self._journal.doubts.decide(doubt, decision) is None:
            return NotTaken(decided.reference, _already_settled(decided.reference), decided.row, "settled")
        return None

    def hand_over(self, doubt: Doubt, dispute: Dispute, about: str | None = None) -> str | None:
        """Record that a disputed id is the case of a doubtful row; return None, or why it was refused."""
        decided = HumanDecision(doubt.reference, dispute.wolkvox_id, about=about)
        if refusal := self._other_attempt(doubt, decided) or self._too_early(doubt):
            return refusal
        decision = Decision(Status.CREATED, self._how, dispute.wolkvox_id)
        if self._journal.doubts.hand_over(doubt, dispute, decision) is None:
            return _already_settled(doubt.reference)
        return None

    def _why_not_in_doubt(self, reference: str) -> str:
        known = self._journal.rows.by_reference(self._record.id, [reference]).get(reference)
        if known is None:
            return _("{reference} is not a reference of import {name}.", reference=reference, name=self._record.name)
        row = known.row
        if row.status is Status.SENDING and row.lease_until is not None:
            return _(
                "{reference} is being sent; without an answer it becomes unknown at {until:%Y-%m-%d %H:%M:%S}.",
                reference=reference,
                until=row.lease_until,
            )
        if row.wolkvox_id:
            return _(
                "{reference} is not in doubt: it is {state}, with the case {id}.",
                reference=reference,
                state=state_name(row.status),
                id=row.wolkvox_id,
            )
        return _("{reference} is not in doubt: it is {state}.", reference=reference, state=state_name(row.status))

    def _other_attempt(self, doubt: Doubt, decided: HumanDecision) -> str | None:
        """Return why a decision is not about the attempt that is in doubt now, None if it is."""
        if decided.about is not None:
            same = decided.about == doubt.about
        elif decided.sent_at is not None and doubt.sent_at is not None:
            off = abs(decided.sent_at.timestamp() - doubt.sent_at) % _ZONES
            same = min(off, _ZONES - off) <= _SAME_SECOND and decided.run in {None, doubt.run}
        else:
            return None
        if same:
            return None
        return _(
            "{reference}: the verdict is about an earlier attempt; the row was sent again since (run {run}). Look it up"
            " once more, and write the verdict into the newest report.",
            reference=doubt.reference,
            run=doubt.run or "-",
        )

    def _too_early(self, doubt: Doubt) -> str | None:
        """Return why the row's outcome cannot be known yet, None if it can."""
        if doubt.silent_since is None:
            return None
        clock = self._journal.clock
        left = doubt.silent_since + self._quiet - clock.elapsed()
        if left <= 0:
            return None
        return _(
            "{reference}: its case may still be created until {until:%Y-%m-%d %H:%M:%S}. Look it up after that, and"
            " give the verdict then.",
            reference=doubt.reference,
            until=local_datetime(clock.wall() + left),
        )

    def _not_possible(self, doubt: Doubt, decided: HumanDecision) -> str | None:
        """Return what is known about the row that contradicts a decision, None if nothing does."""
        if decided.created is None:
            known = [wolkvox_id for wolkvox_id in doubt.ids if wolkvox_id not in decided.despite]
            if not known:
                return None
            return told(
                _(
                    "{reference}: the CRM named {ids} for this row, so it cannot count as not created. Look these ids"
                    " up; if none of them is its case, run `{command}`.",
                    reference=doubt.reference,
                    ids=", ".join(known),
                    command=settle_command(
                        *("--by-hand", doubt.reference, "--not-created"),
                        *chain.from_iterable(("--despite", one) for one in known),
                    ),
                ),
                _(
                    "The CRM named {ids} for this row, so it cannot count as not created. Look these ids up in the CRM:"
                    " one of them may be its case.",
                    ids=", ".join(known),
                ),
            )
        if not is_case_id(decided.created):
            return _(
                "{reference}: {id} is not the id of a case. Open its case in the CRM and copy its id.",
                reference=doubt.reference,
                id=decided.created,
            )
        owner = self._journal.doubts.owners(doubt.import_id, [decided.created]).get(decided.created)
        if owner in {None, doubt.reference}:
            return None
        command = settle_command("--by-hand", doubt.reference, "--created", decided.created, "--instead-of", owner)
        return told(
            _(
                "{reference}: {id} is already the case of {owner}. If it is the case of this row instead, run"
                " `{command}`.",
                reference=doubt.reference,
                id=decided.created,
                owner=owner,
                command=command,
            ),
            _(
                "{id} is already the case of another row ({owner}). Open it in the CRM and see which of the two codes"
                " it shows.",
                id=decided.created,
                owner=owner,
            ),
        )


def read_decisions(path: Path) -> tuple[list[HumanDecision], list[NotTaken]]:
    """Return the decisions in a report, and those that are incomplete or contradict themselves."""
    decisions, incomplete = [], []
    for row in report.read_rows(path, open_table):
        if not row.verdict or not row.reference:
            continue
        created = row.verdict == CREATED_VERDICT
        if not created and row.verdict != NOT_CREATED_VERDICT:
            reason = _(
                "{verdict} is not a verdict. Write `{created}`, with the wolkvox_id of the case beside it, or"
                " `{not_created}`.",
                verdict=row.verdict,
                created=translated(CREATED_VERDICT),
                not_created=translated(NOT_CREATED_VERDICT),
            )
            incomplete.append(NotTaken(row.reference, reason, row.row))
        elif created and not row.wolkvox_id:
            word = translated(CREATED_VERDICT)
            reason = _("The verdict `{verdict}` needs the wolkvox_id of the case beside it.", verdict=word)
            incomplete.append(NotTaken(row.reference, reason, row.row))
        elif not created and row.wolkvox_id:
            word = translated(NOT_CREATED_VERDICT)
            reason = _("The verdict `{verdict}` cannot have a wolkvox_id beside it.", verdict=word)
            incomplete.append(NotTaken(row.reference, reason, row.row))
        else:
            found = (row.wolkvox_id, row.id_prefijo, row.about, row.run, row.sent_at)
            decisions.append(HumanDecision(row.reference, *found, row=row.row))
    if not (decisions or incomplete):
        incomplete.append(NotTaken(path.name, _("No verdict is chosen in its sheet `To decide`.")))
    return decisions, incomplete


def _already_settled(reference: str) -> str:
    return _("{reference} has just been settled in another way.", reference=reference)
