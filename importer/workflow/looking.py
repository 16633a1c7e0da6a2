"""Look for rows in the CRM before they are sent: all of them where that was asked for, or a few as a spot check."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from importer.crm import Crm, Found, Hit, Record, find_mark, is_whole, marks_at, mentions
from importer.errors import ConnectionRefused, QuestionRefused, StartRefused
from importer.journal import Decision, ImportRecord, Journal
from importer.messages import _, ngettext
from importer.model import Status
from importer.workflow.plan import Plan, PlannedRow, search_value
from importer.workflow.tenant_facts import Findings

# MERGED importer.workflow.looking: Ask the CRM for cases by a value that was sent, and weigh what its answers prove: presence, and absence.

BY_ID = "wolkvox-id"
BY_PREFIX = "idPrefijo"
BY_NUMBER = "idCase"
"""The CRM's fields for an id, for a case's number as people see it, and for its bare number (vendor's page)."""

_SURELY_AN_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the CRM answered to one question; `field` and `value` are what was asked for."""

    field: str
    value: str
    found: Found


class CaseSearch:
    """Searches the cases of one import, within one settling or before one sending.

    `findings` are what the doctor learnt of this tenant; without them a search proves presence and never absence,
    but for a list that is believed to be empty.
    """

    def __init__(self, crm: Crm, journal: Journal, record: ImportRecord, findings: Findings | None) -> None:
        self._crm, self._journal, self._record, self._findings = crm, journal, record, findings
        self._largest: dict[str, int] = {}
        self._answers: list[Answer] = []

    def ask(self, field: str, value: str) -> Answer:
        """Ask one question; raises as `Crm.query_cases` does. Safe to call from several threads."""
        answer = Answer(field, value, self._crm.query_cases(field, value))
        self._answers.append(answer)
        self._largest[field] = max(self._largest.get(field, 0), len(answer.found.records))
        return answer

    def hits(self, answer: Answer, reference: str, place: str | None) -> tuple[Hit, ...]:
        """Return the cases of an answer that carry the reference at its own place, and whose ids are no other row's."""
        marked = self.marked(answer, reference, place)
        owners = self._journal.doubts.owners(self._record.id, [hit.wolkvox_id for hit in marked if hit.wolkvox_id])
        return tuple(hit for hit in marked if owners.get(hit.wolkvox_id or "", reference) == reference)

    def marked(self, answer: Answer, reference: str, place: str | None) -> tuple[Hit, ...]:
        """Return the cases of an answer that carry the reference at its own place, whoever has their ids."""
        return distinct(hit for at in self._places(answer, place) for hit in self._find(answer, reference, at))

    def _find(self, answer: Answer, reference: str, place: str) -> tuple[Hit, ...]:
        return find_mark(answer.found.records, reference, place, self._path(place))

    def _path(self, place: str) -> str | None:
        """Return where the doctor's own case came back with its mark, where that case was marked at the same place."""
        path = self._findings.mark_place if self._findings else None
        return path if path and place == "description" and not path.startswith("form.") else None

    def _places(self, answer: Answer, place: str | None) -> Sequence[str]:
        """Return the place of a mark; for an attempt of 0.1.0, which did not note it, every place that it may have."""
        if place is not None:
            return (place,)
        names = {str(name) for record in answer.found.records for name in _form_of(record)}
        return ("description", *(f"form.{name}" for name in sorted(names)))

    def is_complete(self, answer: Answer) -> bool:
        """Tell whether an answer shows every case that there is for its question, going by the doctor's page size.

        It must be a list that is believed, and be empty or hold fewer records than the doctor has seen on one page.
        """
        size = len(answer.found.records)
        page_size = self._findings.page_size if self._findings else None
        return answer.found.believed and (size == 0 or (page_size is not None and size < page_size))

    def is_surely_complete(self, answer: Answer) -> bool:
        """Tell whether an answer is complete even if pages have shrunk since the doctor saw one.

        Only a longer answer of the same search, given now, disproves that. Nothing at all is no page.
        """
        size = len(answer.found.records)
        return self.is_complete(answer) and (size == 0 or size < self._largest.get(answer.field, 0))

    def speaks_against(self, answer: Answer, reference: str, place: str | None) -> bool:
        """Tell whether something in an answer forbids to believe that a case is not there.

        That is a record that came cut before its mark would have ended, or the reference anywhere at all.
        """
        records = answer.found.records
        if mentions(records, reference):
            return True
        return place is None or not all(is_whole(record, place, self._path(place)) for record in records)

    def references_shown(self, field: str, place: str) -> list[str]:
        """Return every reference that this search's answers by a field showed whole, at its own place."""
        path = self._path(place)
        answers = [answer for answer in self._answers if answer.field == field]
        shown = (marks_at(answer.found.records, place, path) for answer in answers)
        return list(dict.fromkeys(reference for marks in shown for reference, _wolkvox_id in marks))


def questions_for(arrived: str) -> list[tuple[str, str]]:
    """Return what to ask the CRM for an id that arrived: by what it is, or by all that its looks leave open."""
    if _SURELY_AN_ID.fullmatch(arrived):
        return [(BY_ID, arrived)]
    fields = (BY_ID, BY_PREFIX, BY_NUMBER) if arrived.isdigit() else (BY_ID, BY_PREFIX)
    return [(field, arrived) for field in fields]


def distinct(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return hits, each case once; a record without an id may be a case of its own."""
    found: list[Hit] = []
    for hit in hits:
        if hit.wolkvox_id is None or all(hit.wolkvox_id != other.wolkvox_id for other in found):
            found.append(hit)
    return tuple(found)


def _form_of(record: Record) -> Iterable[object]:
    form = record.get("form")
    return form if isinstance(form, dict) else ()


# MERGED importer.workflow.looking: Look for rows in the CRM before they are sent: all of them where that was asked for, or a few as a spot check.

OTHER_COMPUTER = "other-computer"
"""Under what the journal remembers that another computer has sent rows of an import, and will again."""

SHARE_OF_QUOTA = 10
"""All new rows are looked for where that costs at most the quota that is left, divided by this."""

_ROWS_A_QUESTION = 20
"""Rows of one contact, at most on average, for which it is worth counting what a look for all rows would cost."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that is about to be sent, and the value by which the CRM would find its case; None where it has none."""

    reference: str
    value: str | None


def wanted_rows(plan: Plan) -> Iterator[Wanted]:
    """Yield the rows of a plan that would be sent, in their order."""
    return wanted_among(plan, plan.sendable())


def looked_for_before(plan: Plan) -> list[Wanted]:
    """Return the rows that are in doubt without ever having been sent: an earlier look could not tell."""
    unknown = plan.in_state(Status.UNKNOWN)
    return list(wanted_among(plan, (row for row in unknown if row.known and row.known.attempt is None)))


def wanted_among(plan: Plan, rows: Iterable[PlannedRow]) -> Iterator[Wanted]:
    """Yield by what each of some rows of a plan would be looked for."""
    for row in rows:
        if row.key_digest:
            yield Wanted(row.reference, search_value(plan, row))


class Looking:
    """Looks for planned rows of one import; what is found is recorded, and is not sent."""

    def __init__(self, crm: Crm, journal: Journal, record: ImportRecord, plan: Plan, findings: Findings | None) -> None:
        self._journal, self._record, self._plan = journal, record, plan
        self._search = CaseSearch(crm, journal, record, findings)

    def look_for(self, rows: Sequence[Wanted], workers: int) -> None:
        """Search for rows; what is found, or may be there, is not sent.

        Raises ServerUnreachable or ConnectionRefused where the CRM cannot be asked: nothing was sent then.
        """
        answers = self._ask(rows, workers)
        for row in rows:
            if row.value is None:
                continue  # the forecast refuses such rows
            if decision := self._decision(answers[row.value], row.reference, "look-first"):
                self._journal.doubts.found_first(self._record.id, row.reference, decision)

    def look_again(self, rows: Sequence[Wanted], workers: int) -> None:
        """Search once more for rows that an earlier look left in doubt; raises as `look_for` does."""
        if not rows:
            return
        every = self._journal.doubts.of_import(self._record.id)
        doubts = {doubt.reference: doubt for doubt in every if doubt.attempt_id is None}
        left = [row for row in rows if row.value is not None and row.reference in doubts]
        answers = self._ask(left, workers)
        for row in left:
            found = self._decision(answers[row.value or ""], row.reference, "look-first")
            if found is None or found.state is not Status.UNKNOWN:
                self._journal.doubts.decide(doubts[row.reference], found or Decision(Status.PLANNED, "look-first"))

    def spot_check(self, rows: Sequence[Wanted], workers: int) -> str | None:
        """Search for a few rows of a source before its first one is sent.

        Return why the CRM would not answer for some of them, None where it did: the others count all the same, and
        the next run asks again. Raises StartRefused where one of them is a case already, which somebody must have
        sent from elsewhere: its id is recorded.
        """
        answers, refusal = self._ask_where_answered(rows, workers)
        found: list[str] = []
        for row in rows:
            answer = answers.get(row.value or "")
            decision = self._decision(answer, row.reference, "spot-check") if answer else None
            if decision is None or decision.state is Status.UNKNOWN:
                continue
            if self._journal.doubts.found_first(self._record.id, row.reference, decision):
                found.append(f"{row.reference} ({decision.wolkvox_id or _('several cases')})")
        if found:
            self._journal.decisions.record(OTHER_COMPUTER, "/".join(self._record.scope), "found")
            raise _sent_from_elsewhere(found, self._plan.mapping.path)
        if refusal is None:
            self._journal.imports.note_spot_check(self._record, self._plan.table.digest)
        return refusal

    def _ask(self, rows: Iterable[Wanted], workers: int) -> dict[str, Answer]:
        """Ask the CRM once for each value that some of the rows have."""
        field, values = self._plan.mapping.search, _values(rows)
        with ThreadPoolExecutor(workers) as pool:
            return dict(zip(values, pool.map(lambda value: self._search.ask(field, value), values), strict=True))

    def _ask_where_answered(self, rows: Iterable[Wanted], workers: int) -> tuple[dict[str, Answer], str | None]:
        """Ask as `_ask` does, until the CRM refuses to talk at all; return the answers, and why others are missing."""
        field, values = self._plan.mapping.search, _values(rows)
        answers: dict[str, Answer] = {}
        refusals: list[str] = []
        hung_up = threading.Event()

        def ask(value: str) -> None:
            if hung_up.is_set():
                return
            try:
                answers[value] = self._search.ask(field, value)
            except (QuestionRefused, ConnectionRefused) as error:
                refusals.append(str(error))
                if isinstance(error, ConnectionRefused):
                    hung_up.set()

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(ask, values))
        return answers, next(iter(refusals), None)

    def _decision(self, answer: Answer, reference: str, how: str) -> Decision | None:
        """Return what a search says of a row that was not sent yet, None where nothing speaks against sending it."""
        hits = self._search.hits(answer, reference, self._plan.mapping.reference)
        if len(hits) == 1 and hits[0].wolkvox_id:
            return Decision(Status.CREATED, how, hits[0].wolkvox_id, hits[0].id_prefijo)
        if hits:
            ids = tuple(hit.wolkvox_id for hit in hits if hit.wolkvox_id)
            shown = ", ".join(hit.wolkvox_id or "?" for hit in hits)
            message = _("Cases with this reference in the CRM: {ids}", ids=shown)
            return Decision(Status.CONFLICT, how, message=message, ids=ids)
        if self._search.speaks_against(answer, reference, self._plan.mapping.reference):
            message = _("The CRM's answer has records that are cut, or that quote this row's reference.")
            return Decision(Status.UNKNOWN, how, message=message)
        if not self._search.is_surely_complete(answer):
            message = _(
                "The CRM shows {count} cases for this search, and there may be more of them. --look-first can tell once"
                " `case-importer doctor --create-test-case` has learnt how many a page holds, and where another"
                " contact of the sheet has more cases.",
                count=len(answer.found.records),
            )
            return Decision(Status.UNKNOWN, how, message=message)
        return None


def spot_check(looking: Looking, rows: Sequence[Wanted], workers: int) -> str | None:
    """Ask the CRM for a few rows of a source that was never asked for; return why it did not answer for all, if so.

    Raises StartRefused where somebody sent one of them from elsewhere, ServerUnreachable where the CRM cannot be asked
    now.
    """
    if not rows:
        return None
    if all(row.value is None for row in rows):
        return _(
            "The CRM could not be asked whether another computer sent these rows before: that needs a `reference` in"
            " the mapping, and a value of its `search` field in each row."
        )
    refusal = looking.spot_check(rows, workers)
    if refusal is None:
        return None
    return _("The CRM could not be asked whether another computer sent these rows before: {reason}", reason=refusal)


def _values(rows: Iterable[Wanted]) -> list[str]:
    """Return the values that rows are looked for by, each once."""
    return list(dict.fromkeys(row.value for row in rows if row.value is not None))


def questions(rows: Iterable[Wanted]) -> int:
    """Return how many calls it takes to look for rows: one for all that have the same value."""
    return len({row.value for row in rows if row.value is not None})


def chosen_for_spot_check(plan: Plan, planned: int, number: int, quota_left: int | None) -> list[Wanted]:
    """Return the rows that a spot check looks for: the first, the last and some between, or all of them.

    `planned` is how many rows of the plan would be sent. All are looked for where that costs at most a tenth of the
    calls that are left.
    """
    if number == 0 or planned == 0:
        return []
    affordable = (quota_left or 0) // SHARE_OF_QUOTA
    if planned <= affordable * _ROWS_A_QUESTION:
        rows = list(wanted_rows(plan))
        if len({row.value for row in rows}) <= affordable:
            return rows
    steps = max(1, number - 1)
    places = {round(step * (planned - 1) / steps) for step in range(number)}
    return [row for place, row in enumerate(wanted_rows(plan)) if place in places]


def _sent_from_elsewhere(found: Sequence[str], mapping: Path) -> StartRefused:
    shown = ", ".join(found[:3])
    return StartRefused(
        ngettext(
            "{count} row that was about to be sent is a case already ({shown}), and not by way of this journal: another"
            " computer sent it. Nothing was sent. Take over the other computer's report with `case-importer adopt"
            " REPORT -m {mapping}`, or give --look-first to search the CRM for every row before it is sent; people who"
            " import together need one journal.",
            "{count} rows that were about to be sent are cases already ({shown}), and not by way of this journal:"
            " another computer sent them. Nothing was sent. Take over the other computer's report with `case-importer"
            " adopt REPORT -m {mapping}`, or give --look-first to search the CRM for every row before it is sent;"
            " people who import together need one journal.",
            len(found),
            shown=shown,
            mapping=mapping,
        )
    )
