"""Ask the CRM for cases by a value that was sent, and weigh what its answers prove: presence, and absence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from importer.crm import Crm, Found, Hit, Record, find_mark, is_whole, marks_at, mentions
from importer.findings import Findings
from importer.journal import ImportRecord, Journal

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
        owners = self._journal.settling.owners(self._record.id, [hit.wolkvox_id for hit in marked if hit.wolkvox_id])
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
