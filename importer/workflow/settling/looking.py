"""Look for rows in the CRM before they are sent: all of them (`--look-first`), or a few as a spot check.

A row that is found is recorded as created and is not sent. A row that may be there is left in doubt.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from importer.commands import placeholder, told
from importer.crm import Crm
from importer.errors import ConnectionRefused, QuestionRefused, StartRefused
from importer.journal import Decision, ImportRecord, Journal
from importer.messages import _, ngettext, speaking_on
from importer.model import Status
from importer.system.stopping import Stop
from importer.workflow.commands import Commands
from importer.workflow.planning.plan import Plan, PlannedRow, search_value
from importer.workflow.settling.search import CaseSearch, SearchAnswer, distinct
from importer.workflow.tenant_facts import Findings

OTHER_COMPUTER = "other-computer"
"""The journal's name for the fact that another computer has sent rows of an import, and may send more."""

SHARE_OF_QUOTA = 10
"""All new rows are looked for if that costs at most the remaining quota divided by this number."""

_ROWS_A_SEARCH = 20
"""Rows of one contact, on average; with more rows than this allows, the cost of a search for all is not counted."""


@dataclass(frozen=True, slots=True)
class RowToFind:
    """A row that is about to be sent, and the value by which the CRM would find its case; None if it has none.

    `others` are the other references under which it may have been sent: by version 1, or under another name of the
    import.
    """

    reference: str
    value: str | None
    others: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """All references under which the row may have been sent."""
        return (self.reference, *self.others)


def sendable_rows(plan: Plan) -> Iterator[RowToFind]:
    """Yield the rows of a plan that would be sent, in sheet order."""
    return rows_to_find(plan, plan.sendable())


def rows_to_find(plan: Plan, rows: Iterable[PlannedRow]) -> Iterator[RowToFind]:
    """Yield those of the rows that have an identity, with the value by which each would be found."""
    for row in rows:
        if row.key_digest:
            own, *others = row.references((plan.scope, *plan.aliases))
            yield RowToFind(own, search_value(plan, row), tuple(others))


def rows_left_in_doubt(plan: Plan) -> list[RowToFind]:
    """Return the rows that are in doubt although they were never sent: an earlier search could not tell."""
    unknown = plan.in_state(Status.UNKNOWN)
    return list(rows_to_find(plan, (row for row in unknown if row.known and row.known.attempt is None)))


def search_calls(rows: Iterable[RowToFind]) -> int:
    """Return how many calls a search for these rows takes: one for each distinct value."""
    return len(_values(rows))


def choose_for_spot_check(plan: Plan, planned: int, number: int, quota_left: int | None) -> list[RowToFind]:
    """Return the rows that a spot check looks for: the first, the last and some in between, or all of them.

    `planned` is how many rows of the plan would be sent. All are looked for if that costs at most a tenth of the
    remaining calls.
    """
    if number == 0 or planned == 0:
        return []
    affordable = (quota_left or 0) // SHARE_OF_QUOTA
    if planned <= affordable * _ROWS_A_SEARCH:
        rows = list(sendable_rows(plan))
        if len({row.value for row in rows}) <= affordable:
            return rows
    steps = max(1, number - 1)
    places = {round(step * (planned - 1) / steps) for step in range(number)}
    return [row for place, row in enumerate(sendable_rows(plan)) if place in places]


def spot_check(finder: RowFinder, rows: Sequence[RowToFind], workers: int, commands: Commands) -> str | None:
    """Spot-check a new source; return why the CRM could not be asked for all of the rows, None if it answered.

    `commands` are those with which a person goes on where a row was sent from elsewhere.

    Raises StartRefused if one of the rows was sent from elsewhere, ServerUnreachable if the CRM cannot be asked now.
    """
    if refusal := why_not_searched(rows):
        return refusal
    if not rows:
        return None
    refusal = finder.spot_check(rows, workers, commands)
    if refusal is None:
        return None
    return _("The CRM could not be asked whether another computer has sent these rows before: {reason}", reason=refusal)


def why_not_searched(rows: Sequence[RowToFind]) -> str | None:
    """Return why the CRM cannot be asked for any of these rows, which is known beforehand; None if it can be asked."""
    if not rows or any(row.value is not None for row in rows):
        return None
    return _(
        "The CRM could not be asked whether another computer has sent these rows before: this needs a `reference`"
        " in the mapping, and a value of its `search` field in each row."
    )


class RowFinder:
    """Looks for planned rows of one import in the CRM; what it finds is recorded and not sent.

    Once a `stop` is requested it asks no more; the rows that were not looked for must not be sent then.
    """

    def __init__(  # noqa: PLR0913 - everything that a search depends on
        self,
        crm: Crm,
        journal: Journal,
        record: ImportRecord,
        plan: Plan,
        findings: Findings | None,
        *,
        stop: Stop | None = None,
    ) -> None:
        self._journal, self._record, self._plan = journal, record, plan
        self._stop = stop or Stop()
        self._search = CaseSearch(crm, journal, record, findings)

    def look_for(self, rows: Sequence[RowToFind], workers: int) -> None:
        """Search for rows; those that are found, or may be there, are not sent.

        Raises ServerUnreachable or ConnectionRefused if the CRM cannot be asked; nothing was sent then.
        """
        answers = self._ask(rows, workers)
        for row in rows:
            if row.value is None or row.value not in answers:
                continue  # the forecast refuses such rows; or a stop was requested, and nothing is sent
            if decision := self._decision(answers[row.value], row, "look-first"):
                self._journal.doubts.found_first(self._record.id, row.reference, decision)

    def look_again(self, rows: Sequence[RowToFind], workers: int) -> None:
        """Search once more for rows that an earlier search left in doubt; raises what `look_for` raises."""
        if not rows:
            return
        every = self._journal.doubts.of_import(self._record.id)
        doubts = {doubt.reference: doubt for doubt in every if doubt.attempt_id is None}
        left = [row for row in rows if row.value is not None and row.reference in doubts]
        answers = self._ask(left, workers)
        for row in left:
            if row.value not in answers:
                continue
            found = self._decision(answers[row.value], row, "look-first")
            if found is None or found.state is not Status.UNKNOWN:
                self._journal.doubts.decide(doubts[row.reference], found or Decision(Status.PLANNED, "look-first"))

    def spot_check(self, rows: Sequence[RowToFind], workers: int, commands: Commands) -> str | None:
        """Search for a few rows of a source before its first row is sent.

        Return why the CRM did not answer for some of them, None if it answered for all. The answers that came count,
        and the next run asks again. Raises StartRefused if one of the rows is already a case, which must have been
        sent from elsewhere, and its id is recorded; UsageError if a stop was requested.
        """
        answers, refusal = self._ask_where_answered(rows, workers)
        found: list[str] = []
        for row in rows:
            answer = answers.get(row.value or "")
            decision = self._decision(answer, row, "spot-check") if answer else None
            if decision is None or decision.state is Status.UNKNOWN:
                continue
            if self._journal.doubts.found_first(self._record.id, row.reference, decision):
                found.append(f"{row.reference} ({decision.wolkvox_id or _('several cases')})")
        if found:
            self._journal.decisions.record(OTHER_COMPUTER, "/".join(self._record.scope), "found")
            raise _sent_from_elsewhere(found, commands)
        self._stop.refuse_to_start()
        if refusal is None:
            self._journal.imports.note_spot_check(self._record, self._plan.table.digest)
        return refusal

    def _ask(self, rows: Iterable[RowToFind], workers: int) -> dict[str, SearchAnswer]:
        """Search once for each distinct value of the rows, until a stop is requested."""
        field, values = self._plan.mapping.search, _values(rows)
        answers: dict[str, SearchAnswer] = {}

        def ask(value: str) -> None:
            if not self._stop.requested:
                answers[value] = self._search.ask(field, value)

        with self._stop.by_signal(), ThreadPoolExecutor(workers) as pool:
            list(pool.map(speaking_on(ask), values))
        return answers

    def _ask_where_answered(
        self, rows: Iterable[RowToFind], workers: int
    ) -> tuple[dict[str, SearchAnswer], str | None]:
        """Search until the CRM refuses the connection; return the answers, and the reason if some are missing."""
        field, values = self._plan.mapping.search, _values(rows)
        answers: dict[str, SearchAnswer] = {}
        refusals: list[str] = []
        connection_refused = threading.Event()

        def ask(value: str) -> None:
            if connection_refused.is_set() or self._stop.requested:
                return
            try:
                answers[value] = answer = self._search.ask(field, value)
                if not self._search.is_readable(answer):
                    refusals.append(_("The CRM's answer to a search cannot be read."))
            except (QuestionRefused, ConnectionRefused) as error:
                refusals.append(str(error))
                if isinstance(error, ConnectionRefused):
                    connection_refused.set()

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(speaking_on(ask), values))
        return answers, next(iter(refusals), None)

    def _decision(self, answer: SearchAnswer, row: RowToFind, how: str) -> Decision | None:
        """Return what a search shows about a row that was not sent yet, None if nothing speaks against sending it."""
        place = self._plan.mapping.reference
        hits = distinct(hit for each in row.references for hit in self._search.hits(answer, each, place))
        if len(hits) == 1 and hits[0].wolkvox_id:
            return Decision(Status.CREATED, how, hits[0].wolkvox_id, hits[0].id_prefijo)
        if hits:
            ids = tuple(hit.wolkvox_id for hit in hits if hit.wolkvox_id)
            shown = ", ".join(hit.wolkvox_id or "?" for hit in hits)
            message = _("Cases with this reference in the CRM: {ids}", ids=shown)
            return Decision(Status.CONFLICT, how, message=message, ids=ids)
        if any(self._search.speaks_against(answer, each, place) for each in row.references):
            message = _("The CRM's answer has records that are cut off or that quote this row's reference.")
            return Decision(Status.UNKNOWN, how, message=message)
        if not self._search.is_surely_complete(answer):
            message = told(
                _(
                    "The CRM shows {count} cases for this search, and there may be more. --look-first can tell once"
                    " `case-importer doctor --ask paging` has learnt how many cases a page holds, and if another"
                    " contact in the sheet has more cases.",
                    count=len(answer.found.records),
                ),
                _(
                    "The CRM shows {count} cases for this search, and there may be more: whether this"
                    " row is one of them cannot be told from here.",
                    count=len(answer.found.records),
                ),
            )
            return Decision(Status.UNKNOWN, how, message=message)
        return None


def _values(rows: Iterable[RowToFind]) -> list[str]:
    """Return the distinct values by which rows are looked for."""
    return list(dict.fromkeys(row.value for row in rows if row.value is not None))


def _sent_from_elsewhere(found: Sequence[str], commands: Commands) -> StartRefused:
    return StartRefused(
        told(
            ngettext(
                "{count} row that was about to be sent is already a case ({shown}), but this journal did not send it:"
                " another computer did. Nothing was sent. Search the CRM for every row before it is sent, with"
                " `{look_first}`, or take over the other computer's report with `{adopt}`. People who import together"
                " need to share one journal.",
                "{count} rows that were about to be sent are already cases ({shown}), but this journal did not send"
                " them: another computer did. Nothing was sent. Search the CRM for every row before it is sent, with"
                " `{look_first}`, or take over the other computer's report with `{adopt}`. People who import together"
                " need to share one journal.",
                len(found),
                shown=", ".join(found[:3]),
                adopt=commands.adopt(Path(placeholder("REPORT"))),
                look_first=commands.looking_first(),
            ),
            _(
                "Another computer has sent rows that were about to be sent here ({shown}): they are"
                " cases already. Nothing was sent. Look for every row in the CRM first, or take over"
                " the other computer's report. People who import together need to share one journal.",
                shown=", ".join(found[:3]),
            ),
        ),
        looking_helps=True,
    )
