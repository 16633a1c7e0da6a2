"""Settle doubtful rows by searching the CRM.

A case that is found settles its row. A case that is not found does so only if several conditions prove that it would
have been found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile

from importer.commands import doctor_command, placeholder, settle_command, told
from importer.crm import Crm
from importer.errors import QuestionRefused
from importer.journal import Decision, Dispute, Doubt, ImportRecord, Journal
from importer.messages import _, ngettext
from importer.model import Status
from importer.names import state_name
from importer.system.clock import local_datetime
from importer.system.stopping import Stop
from importer.workflow.keys.history import ImportHistory
from importer.workflow.settling.search import BY_ID, CaseSearch, SearchAnswer, distinct, searches_for_id
from importer.workflow.tenant_facts import Findings

Query = tuple[str, str]
"""A field of the CRM's search, and the value to search for."""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row that is being sent or in doubt: its state, and until when nothing can be decided about it, if so.

    `run` is the run that sent it last, None for an adopted row.
    """

    reference: str
    state: Status
    until: datetime | None
    run: int | None


@dataclass(frozen=True, slots=True)
class SettleResult:
    """The result of settling doubtful rows.

    `waiting_until` is when the quiet period of the rows that still wait ends, `sending` how many rows are being sent,
    and `sending_until` when the last of them becomes unknown. `refusals` say why the CRM did not answer, or why its
    answer proves nothing. `disputed` counts created rows whose id was also given to another row, `deleted` those whose
    cases a person has just reported as deleted. `left` are the rows that are not settled, `settled` those that were
    before and are no longer. All but the first counts are of the whole import `import_name`.
    """

    created: int = 0
    conflict: int = 0
    planned: int = 0
    doubtful: int = 0
    waiting_until: datetime | None = None
    refusals: tuple[str, ...] = ()
    sending: int = 0
    sending_until: datetime | None = None
    disputed: int = 0
    deleted: int = 0
    left: tuple[OpenRow, ...] = ()
    settled: tuple[OpenRow, ...] = ()
    import_name: str = ""

    @classmethod
    def of(cls, journal: Journal, record: ImportRecord, quiet_period: float, before: Sequence[OpenRow]) -> SettleResult:
        """Return what the journal knows now of the rows of an import that are not settled.

        `before` are those that were not at the beginning.
        """
        left = open_rows(journal, record, quiet_period)
        here = {row.reference for row in left}
        sending = [row for row in left if row.state is Status.SENDING]
        return cls(
            doubtful=len(left) - len(sending),
            waiting_until=max((row.until for row in left if row.until and row not in sending), default=None),
            sending=len(sending),
            sending_until=max((row.until for row in sending if row.until), default=None),
            disputed=len(journal.doubts.disputes(record.id)),
            left=left,
            settled=tuple(row for row in before if row.reference not in here),
            import_name=record.name,
        )

    def sentences(self) -> tuple[str, ...]:
        """Return the result in sentences."""
        return (*self.done_sentences(), *self.left_sentences())

    def done_sentences(self) -> tuple[str, ...]:
        """Return what was settled in sentences."""
        done = ((self.created, "created"), (self.conflict, "conflict"), (self.planned, "planned"))
        lines = [
            ngettext(
                "Settled: {count} row is {state}.", "Settled: {count} rows are {state}.", count, state=state_name(state)
            )
            for count, state in done
            if count
        ]
        if self.deleted:
            lines.append(
                _(
                    "Recorded: the case was deleted from the CRM. Its row is planned again: the next run shows it in"
                    " its forecast, and creates a new case for it once you agree."
                )
            )
        return tuple(lines)

    def left_sentences(self) -> tuple[str, ...]:
        """Return in sentences what is known of the rows of the import that are not settled."""
        lines = []
        if self.waiting_until:
            when = self.waiting_until
            lines.append(_("Doubtful rows can be searched for in the CRM from {when:%Y-%m-%d %H:%M:%S} on.", when=when))
        if self.sending and self.sending_until:
            lines.append(
                ngettext(
                    "{count} row is still being sent; without an answer it becomes unknown at"
                    " {until:%Y-%m-%d %H:%M:%S}.",
                    "{count} rows are still being sent; without answers they become unknown at"
                    " {until:%Y-%m-%d %H:%M:%S}.",
                    self.sending,
                    until=self.sending_until,
                )
            )
        if self.disputed:
            lines.append(
                ngettext(
                    "{count} created row is disputed: the CRM gave its id to another row, too.",
                    "{count} created rows are disputed: the CRM gave their ids to other rows, too.",
                    self.disputed,
                )
            )
        return (*lines, *self.refusals)


def open_rows(journal: Journal, record: ImportRecord, quiet_period: float) -> tuple[OpenRow, ...]:
    """Return the rows of an import that are being sent or in doubt, in the order in which they were sent."""
    clock = journal.clock
    now, wall = clock.elapsed(), clock.wall()

    def until(doubt: Doubt) -> datetime | None:
        if doubt.silent_since is None or doubt.state is Status.CONFLICT:
            return None
        end = doubt.silent_since + (0 if doubt.state is Status.SENDING else quiet_period)
        return local_datetime(wall + end - now) if end > now or doubt.state is Status.SENDING else None

    doubts = (*journal.doubts.in_flight(record.id), *journal.doubts.of_import(record.id))
    return tuple(OpenRow(doubt.reference, doubt.state, until(doubt), doubt.run) for doubt in doubts)


@dataclass(slots=True)
class _Progress:
    """What has been decided so far, and why other rows could not be."""

    decided: list[Status] = field(default_factory=list)
    refusals: dict[str, None] = field(default_factory=dict)
    unanswered: dict[str, None] = field(default_factory=dict)


class SearchSettler:
    """Settles the unknown rows of one import; `quiet_period` is in seconds.

    `findings` are what the doctor learnt about this tenant; without them a search that finds nothing proves nothing.
    Once a `stop` is requested it settles no more rows.
    """

    def __init__(
        self,
        history: ImportHistory,
        crm: Crm,
        findings: Findings | None,
        quiet_period: float,
        stop: Stop | None = None,
    ) -> None:
        self._stop = stop or Stop()
        self._journal, self._record = history.opened()
        self._findings, self._quiet, self._clock = findings, quiet_period, self._journal.clock
        self._search = CaseSearch(crm, self._journal, self._record, findings)
        self._progress = _Progress()
        self._asked: dict[Query, SearchAnswer | None] = {}

    def settle(self) -> SettleResult:
        """Search for every unknown row whose quiet period is over, with one search for all rows of one contact.

        Raises ServerUnreachable or ConnectionRefused if the CRM cannot be asked; what was settled stays settled.
        """
        self._journal.attempts.expire(self._record.id)
        before = open_rows(self._journal, self._record, self._quiet)
        self._settle_disputes()
        ready = self._ready()
        for doubt in self._until_stopped(ready):  # all searches first: one answer may make another believable
            self._answers(doubt)
        for doubt in self._until_stopped(ready):
            self._decide(doubt, self._decision(doubt))
        if not self._stop.requested:
            self._settle_disputes()  # those that these answers have revealed
        return self._result(before)

    def _until_stopped(self, doubts: Iterable[Doubt]) -> Iterator[Doubt]:
        return takewhile(lambda _doubt: not self._stop.requested, doubts)

    def settle_alone(self, doubt: Doubt) -> SettleResult:
        """Search for one row alone; return the result for it and what is left of its import.

        Raises what `settle` raises.
        """
        before = open_rows(self._journal, self._record, self._quiet)
        self.settle_one(doubt)
        return self._result(before)

    def settle_one(self, doubt: Doubt) -> Status | None:
        """Search for one row; return its new state, None if it stays in doubt."""
        return self._decide(doubt, self._decision(doubt))

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Why the CRM refused to answer, one sentence for each reason."""
        return tuple(self._progress.unanswered)

    def _result(self, before: Sequence[OpenRow]) -> SettleResult:
        decided = self._progress.decided
        return replace(
            SettleResult.of(self._journal, self._record, self._quiet, before),
            created=decided.count(Status.CREATED),
            conflict=decided.count(Status.CONFLICT),
            planned=decided.count(Status.PLANNED),
            refusals=tuple(self._progress.refusals),
        )

    def _ready(self) -> list[Doubt]:
        """Return the unknown rows that were sent and whose quiet period is over."""
        now = self._clock.elapsed()
        return [
            doubt
            for doubt in self._journal.doubts.of_import(self._record.id)
            if doubt.state is Status.UNKNOWN
            and doubt.silent_since is not None
            and doubt.silent_since + self._quiet <= now
        ]

    def _ask(self, field: str, value: str) -> SearchAnswer | None:
        """Search once for each query of this settling; return None if the CRM refuses it."""
        if (field, value) not in self._asked:
            try:
                self._asked[field, value] = self._search.ask(field, value)
            except QuestionRefused as refusal:  # rows of other contacts may still be found
                self._progress.refusals[str(refusal)] = self._progress.unanswered[str(refusal)] = None
                self._asked[field, value] = None
        return self._asked[field, value]

    def _answers(self, doubt: Doubt) -> list[SearchAnswer]:
        """Return the answers about a row, to searches for the value that was sent and for the ids that arrived."""
        queries: list[Query] = [query for arrived in doubt.ids for query in searches_for_id(arrived)]
        if doubt.search_field is not None and doubt.search_value is not None:
            queries.insert(0, (doubt.search_field, doubt.search_value))
        answers = [self._ask(*query) for query in queries]
        return [answer for answer in answers if answer is not None]

    def _decide(self, doubt: Doubt, decision: Decision | None) -> Status | None:
        state = self._journal.doubts.decide(doubt, decision) if decision else None
        if state is not None:
            self._progress.decided.append(state)
        return state

    def _decision(self, doubt: Doubt) -> Decision | None:
        answers = self._answers(doubt)
        hits = distinct(
            hit for answer in answers for hit in self._search.hits(answer, doubt.reference, doubt.mark_place)
        )
        known = [hit for hit in hits if hit.wolkvox_id]
        if len(hits) > 1:
            shown = ", ".join(hit.wolkvox_id or "?" for hit in hits)
            message = _("The CRM has several cases with this reference: {ids}", ids=shown)
            more = tuple(hit.wolkvox_id for hit in known if hit.wolkvox_id)
            return Decision(Status.CONFLICT, "search", message=message, ids=more)
        if known:
            case = known[0]
            return Decision(Status.CREATED, "search", case.wolkvox_id, case.id_prefijo, names=case.names)
        if self._contested(doubt, answers) or hits or doubt.ids:
            return None
        reason = self._why_not_absent(doubt)
        if reason is None:
            message = _("Not found in the CRM; the search would have found it.")
            return Decision(Status.PLANNED, "search", message=message)
        self._progress.refusals[reason] = None
        return None

    def _contested(self, doubt: Doubt, answers: list[SearchAnswer]) -> bool:
        """Record the cases of other rows that carry this row's mark; tell whether there are any."""
        marked = [hit for answer in answers for hit in self._search.marked(answer, doubt.reference, doubt.mark_place)]
        taken = [hit.wolkvox_id for hit in marked if hit.wolkvox_id]
        for wolkvox_id in taken:
            self._journal.doubts.contest(doubt, wolkvox_id)
        return bool(taken)

    def _why_not_absent(self, doubt: Doubt) -> str | None:
        """Return why a search that found nothing does not prove that there is no case, None if it does.

        It is proof only if the doctor has verified this search on this tenant for bodies of this length, the answer is
        known to be complete, its records are whole, and the same search shows in this settling a case whose attempt
        began after the quiet period of the doubtful one, so that the CRM's index is not behind.
        """
        field, value, place = doubt.search_field, doubt.search_value, doubt.mark_place
        answer = self._asked.get((field or "", value or ""))
        if field is None or place is None or answer is None:
            command = settle_command("--by-hand", placeholder("REFERENCE"), "--created", placeholder("ID"))
            return told(
                _(
                    "Some rows cannot be searched for: look them up in the CRM, and record what you found"
                    " with `{command}`.",
                    command=command,
                ),
                _(
                    "Some rows cannot be searched for: look them up in the CRM, and record what you found on the page"
                    " Decide."
                ),
            )
        findings = self._findings
        if findings is None or not findings.covers(field, doubt.body_length, self._quiet):
            return told(
                _(
                    "Some rows were not found, which proves nothing yet: `{command}` learns from a test case"
                    " whether this search finds every case.",
                    command=doctor_command("--ask", "find", "--ask", "none"),
                ),
                _(
                    "Some rows were not found, which proves nothing yet: it is not known whether this search finds"
                    " every case. Look them up in the CRM yourself."
                ),
            )
        if self._search.speaks_against(answer, doubt.reference, place):
            return _(
                "Some rows were not found, but the CRM's answer has records that are cut off or quote a reference."
            )
        if not (self._shows_newer(doubt, field, place) and self._search.is_surely_complete(answer)):
            self._ask_for_control(field)
        if not self._shows_newer(doubt, field, place):
            return _(
                "Some rows were not found, but the search shows no case that is newer than they are: the CRM's index"
                " may be behind. Settle again after the next cases were created."
            )
        if not self._search.is_surely_complete(answer):
            return _("Some rows were not found, but the CRM's answer may not show all cases.")
        return None

    def _shows_newer(self, doubt: Doubt, field: str, place: str) -> bool:
        """Tell whether this settling's answers show a case that was begun after the quiet period of a doubtful one."""
        return bool(
            self._journal.doubts.newer_controls(doubt, self._search.references_shown(field, place), self._quiet)
        )

    def _ask_for_control(self, field: str) -> None:
        """Search once for the newest created case of the import: its answer may be the proof that others need."""
        value = self._journal.doubts.control(self._record.id, field)
        if value is not None:
            self._ask(field, value)

    def _settle_disputes(self) -> None:
        """Ask the CRM whose case a disputed id is; the mark in it decides, or a person."""
        doubts = [doubt for doubt in self._journal.doubts.of_import(self._record.id) if doubt.ids]
        for dispute in self._journal.doubts.disputes(self._record.id):
            answer = self._ask(BY_ID, dispute.wolkvox_id)
            if answer is None:
                continue
            if self._is_case_of(answer, dispute.reference, dispute):
                self._journal.doubts.confirm(dispute)
                continue  # its replies or audit records may begin with the mark of another row
            for doubt in doubts:
                if dispute.wolkvox_id in doubt.ids and self._is_case_of(answer, doubt.reference, dispute):
                    self._hand_over(doubt, dispute)

    def _is_case_of(self, answer: SearchAnswer, reference: str, dispute: Dispute) -> bool:
        hits = self._search.marked(answer, reference, dispute.mark_place)
        return [hit.wolkvox_id for hit in hits] == [dispute.wolkvox_id]

    def _hand_over(self, doubt: Doubt, dispute: Dispute) -> None:
        decision = Decision(Status.CREATED, "search", dispute.wolkvox_id)
        state = self._journal.doubts.hand_over(doubt, dispute, decision)
        if state is not None:
            self._progress.decided.append(state)
