"""Ask the CRM for cases and weigh each answer; stopped or refused, what was answered so far still counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from importer.crm import Crm, Found, RateLimiter, Record, backoff, find_mark, hit_of, marks_at
from importer.errors import ConnectionRefused, QuestionRefused, ServerUnreachable
from importer.messages import _, speaking_on
from importer.model import Outcome, Verdict
from importer.model.proof import CaseProof, Difference
from importer.system.clock import local_datetime
from importer.system.stopping import Stop
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.settling.search import BY_ID
from importer.workflow.verifying.comparing import CaseComparer
from importer.workflow.verifying.selecting import CaseCall

AT_ONCE = 100
"""Calls after which their answers are recorded, so that a computer that fails does not cost a day's quota."""

_TRIES = 3
"""How often a question is asked that gets no answer; it changes nothing in the CRM."""

_ANSWERED, _NO_ANSWER = Outcome(Verdict.REJECTED), Outcome(Verdict.NOT_DELIVERED)
"""What the pace learns of an answer, and of one that did not come."""


Keeper = Callable[[Mapping[int, CaseProof], Sequence[tuple[str, str]]], None]
"""Records some proofs by row number, and the references of records with their ids."""


@dataclass(slots=True)
class CaseAnswers:
    """What the CRM has answered so far, by row number; `reason` and `status` say why not all was asked, if so.

    `unexpected` are references with ids that were not known.
    """

    proofs: dict[int, CaseProof] = field(default_factory=dict)
    unexpected: list[tuple[str, str]] = field(default_factory=list)
    reason: str | None = None
    status: int = 0


class CaseAsker:
    """Asks for the cases of some rows, by several workers at a pace; `mark_path` is where records show the mark.

    `gone` are ids of cases that a person declared deleted. `answered` is called with each proof, from several threads;
    `keep` with those of some calls together, from the thread that asks.
    """

    def __init__(  # noqa: PLR0913 - everything that a search depends on
        self,
        crm: Crm,
        plan: Plan,
        rows: Mapping[int, PlannedRow],
        stop: Stop,
        *,
        concurrency: int,
        rate: float | None,
        mark_path: str | None = None,
        gone: frozenset[str] = frozenset(),
        answered: Callable[[CaseProof], None],
        keep: Keeper,
    ) -> None:
        self._crm, self._plan, self._rows, self._stop = crm, plan, rows, stop
        self._workers, self._limiter = concurrency, RateLimiter(concurrency, rate)
        self._mark_path, self._gone, self._answered, self._keep = mark_path, gone, answered, keep
        self._shown: list[tuple[str, str]] = []
        self._kept: set[int] = set()
        self._comparer = CaseComparer(plan)
        self._halt, self._lock, self._result = threading.Event(), threading.Lock(), CaseAnswers()
        self._alone: list[CaseCall] = []
        self._left: int | None = None

    def ask(self, calls: Sequence[CaseCall], left: int | None) -> CaseAnswers:
        """Make the calls, and ask alone for what a shared answer does not show; at most `left` calls in all."""
        self._left = left
        self._make(calls)
        self._make(self._alone)
        return self._result

    def _may_ask(self) -> bool:
        """Take one of the calls that may be made today; tell whether there was one."""
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0

    def _make(self, calls: Sequence[CaseCall]) -> None:
        for start in range(0, len(calls), AT_ONCE):
            self._make_some(calls[start : start + AT_ONCE])
            fresh = {number: proof for number, proof in self._result.proofs.items() if number not in self._kept}
            self._keep(fresh, self._shown)
            self._kept |= fresh.keys()
            self._shown = []

    def _make_some(self, calls: Sequence[CaseCall]) -> None:
        with self._stop.by_signal(), ThreadPoolExecutor(self._workers) as pool:
            try:
                list(pool.map(speaking_on(self._carry_out), calls))
            except BaseException:
                self._halt.set()
                raise
        if self._stop.requested:
            self._end(self._stop.sentence, 3)

    def _carry_out(self, call: CaseCall) -> None:
        """Ask one question, again after a pause where no answer comes."""
        for tries in range(_TRIES):
            if self._stop.requested or not self._may_ask() or not self._limiter.acquire(self._halt):
                return
            started, outcome = time.monotonic(), _NO_ANSWER
            try:
                found = self._crm.query_cases(call.field, call.value)
                outcome = _ANSWERED
            except QuestionRefused as refusal:
                outcome = _ANSWERED
                self._note_unanswered(call, str(refusal))
                return
            except ConnectionRefused as error:
                self._end(str(error), error.exit_status)
                return
            except ServerUnreachable as error:
                if tries + 1 == _TRIES:
                    self._end(str(error), error.exit_status)
                    return
            else:
                self._weigh(call, found)
                return
            finally:
                self._limiter.release(outcome, time.monotonic() - started)
            if self._halt.wait(backoff(tries)):
                return

    def _end(self, reason: str, status: int) -> None:
        """Ask nothing more."""
        with self._lock:
            if self._result.reason is None:
                self._result.reason, self._result.status = reason, status
        self._halt.set()

    def _weigh(self, call: CaseCall, found: Found) -> None:
        """Compare the records of an answer with their rows."""
        place = self._plan.mapping.reference
        path = self._mark_path if place == "description" else None
        marks = [pair for pair in marks_at(found.records, place, path) if pair[1] not in self._gone] if place else []
        for number in call.rows:
            row = self._rows[number]
            record = self._record_of(row, found.records, place, path)
            if record is not None:
                self._note(_with_others(self._comparer.compare(row, record), row, marks))
            elif call.is_shared:
                with self._lock:
                    self._alone.append(CaseCall(BY_ID, (row.known and row.known.wolkvox_id) or "", (number,)))
            else:
                self._note(CaseProof(number, "not-found", reason=_what_it_proves(found)))
        with self._lock:
            self._shown += [(reference, case) for reference, case in marks if case]

    def _record_of(
        self, row: PlannedRow, records: Sequence[Record], place: str | None, path: str | None
    ) -> Record | None:
        """Return the record of a row's case: by its id, or else by the reference at its place."""
        known = row.known
        if known is None:
            return None
        hits = [(hit_of(record).wolkvox_id, record) for record in records]
        by_id = next((record for case, record in hits if case == known.wolkvox_id), None)
        if by_id is not None or place is None:
            return by_id
        marked = (record for _case, record in hits if find_mark([record], known.reference, place, path))
        return next(marked, None)

    def _note_unanswered(self, call: CaseCall, refusal: str) -> None:
        if call.is_shared:
            with self._lock:
                self._alone += [
                    CaseCall(BY_ID, (known and known.wolkvox_id) or "", (number,))
                    for number in call.rows
                    for known in (self._rows[number].known,)
                ]
            return
        reason = _("{refusal} Some CRMs say so of a case that they do not have.", refusal=refusal)
        self._note(CaseProof(call.rows[0], "unanswered", reason=reason))

    def _note(self, proof: CaseProof) -> None:
        proof = replace(proof, when=local_datetime(time.time()))
        with self._lock:
            self._result.proofs[proof.row] = proof
        self._answered(proof)


def _with_others(proof: CaseProof, row: PlannedRow, marks: Sequence[tuple[str, str | None]]) -> CaseProof:
    """Return a proof with the other cases that carry the reference of its row, which is a difference."""
    known = row.known
    if known is None or any(each.field == "wolkvox_id" for each in proof.differences):
        return proof
    others = [
        case for reference, case in marks if reference == known.reference and case not in {None, known.wolkvox_id}
    ]
    if not others:
        return proof
    several = ", ".join(filter(None, (known.wolkvox_id, *others)))
    found = Difference(row.number, None, "wolkvox_id", known.wolkvox_id or "", several)
    return replace(proof, result="differs", differences=(*proof.differences, found))


def _what_it_proves(found: Found) -> str:
    """Return what it proves that the answer to a search for an id does not show its case."""
    if found.believed and not found.records:
        return _(
            "The CRM answered that it has no case with this id. It may be gone, or the token's profile may not see it."
        )
    if found.records:
        return _("The CRM answered with other cases only. That does not prove that this one is not there.")
    return _("The CRM's answer shows no case, in a form that proves nothing.")
