"""Search the CRM for cases by a value that was sent, and weigh what an answer proves.

A case that carries a row's reference in the right place proves that the case exists. An answer without it proves that
there is no case only if the answer is known to be complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from importer.crm import Crm, Found, Hit, Record, find_mark, hit_of, is_whole, marks_at, mentions
from importer.journal import ImportRecord, Journal
from importer.workflow.tenant_facts import Findings

BY_ID = "wolkvox-id"
BY_PREFIX = "idPrefijo"

BY_NUMBER = "idCase"
"""The CRM's query fields for an id, for a case's number as people see it, and for its bare number (vendor's page)."""

_SURELY_AN_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The CRM's answer to one search for a `value` in a `field`."""

    field: str
    value: str
    found: Found


class CaseSearch:
    """Searches for cases of one import; one instance serves one settling, or one search before sending.

    `findings` are what the doctor learnt about this tenant. Without them a search can prove that a case exists, but
    not that it does not, except by an empty list that is believed.
    """

    def __init__(self, crm: Crm, journal: Journal, record: ImportRecord, findings: Findings | None) -> None:
        self._crm, self._journal, self._record, self._findings = crm, journal, record, findings
        self._gone = journal.doubts.gone(record.id)  # cases that a person declared deleted: hits on them do not count
        self._largest: dict[str, int] = {}
        self._answers: list[SearchAnswer] = []

    def ask(self, field: str, value: str) -> SearchAnswer:
        """Search once; raises what `Crm.query_cases` raises. Safe to call from several threads."""
        answer = SearchAnswer(field, value, self._crm.query_cases(field, value))
        self._answers.append(answer)
        self._largest[field] = max(self._largest.get(field, 0), len(answer.found.records))
        return answer

    def hits(self, answer: SearchAnswer, reference: str, mark_place: str | None) -> tuple[Hit, ...]:
        """Return the marked cases of an answer whose ids do not belong to another row."""
        marked = self.marked(answer, reference, mark_place)
        owners = self._journal.doubts.owners(self._record.id, [hit.wolkvox_id for hit in marked if hit.wolkvox_id])
        return tuple(hit for hit in marked if owners.get(hit.wolkvox_id or "", reference) == reference)

    def marked(self, answer: SearchAnswer, reference: str, mark_place: str | None) -> tuple[Hit, ...]:
        """Return the cases of an answer that carry the reference where it was written, whichever row has their ids."""
        found = (hit for place in self._mark_places(answer, mark_place) for hit in self._find(answer, reference, place))
        return distinct(hit for hit in found if hit.wolkvox_id not in self._gone)

    def _find(self, answer: SearchAnswer, reference: str, place: str) -> tuple[Hit, ...]:
        return find_mark(answer.found.records, reference, place, self._path(place))

    def _path(self, place: str) -> str | None:
        """Return where the mark of the doctor's test case came back, if that case was marked in the same place."""
        path = self._findings.mark_place if self._findings else None
        return path if path and place == "description" and not path.startswith("form.") else None

    def _mark_places(self, answer: SearchAnswer, mark_place: str | None) -> Sequence[str]:
        """Return where the mark can be; anywhere for an attempt of 0.1.0, which did not record it."""
        if mark_place is not None:
            return (mark_place,)
        names = {str(name) for record in answer.found.records for name in _form_of(record)}
        return ("description", *(f"form.{name}" for name in sorted(names)))

    @staticmethod
    def is_readable(answer: SearchAnswer) -> bool:
        """Tell whether an answer shows a record, or is the 'none' that is believed."""
        return answer.found.believed or bool(answer.found.records)

    def is_complete(self, answer: SearchAnswer) -> bool:
        """Tell whether an answer shows every matching case, judged by the page size that the doctor has seen.

        It must be a list that is believed, and either empty or shorter than a page that the doctor has seen.
        """
        size = len(answer.found.records)
        page_size = self._findings.page_size if self._findings else None
        return answer.found.believed and (size == 0 or (page_size is not None and size < page_size))

    def is_surely_complete(self, answer: SearchAnswer) -> bool:
        """Tell whether an answer is complete even if the CRM's pages have become smaller since the doctor saw one.

        A longer answer to the same kind of search, given now, shows that they have not. An empty list needs no such
        proof.
        """
        size = len(answer.found.records)
        return self.is_complete(answer) and (size == 0 or size < self._largest.get(answer.field, 0))

    def speaks_against(self, answer: SearchAnswer, reference: str, mark_place: str | None) -> bool:
        """Tell whether something in an answer speaks against the belief that there is no case.

        That is a record that was cut off before the end of its mark, or the reference anywhere in the answer.
        """
        records = self._there(answer)
        if mentions(records, reference):
            return True
        if mark_place is None:
            return True
        return not all(is_whole(record, mark_place, self._path(mark_place)) for record in records)

    def _there(self, answer: SearchAnswer) -> tuple[Record, ...]:
        """Return the records of an answer without those of cases that a person declared deleted."""
        if not self._gone:
            return answer.found.records
        return tuple(record for record in answer.found.records if hit_of(record).wolkvox_id not in self._gone)

    def references_shown(self, field: str, mark_place: str) -> list[str]:
        """Return every whole reference in this place in the answers to searches by a field."""
        path = self._path(mark_place)
        answers = [answer for answer in self._answers if answer.field == field]
        shown = (marks_at(answer.found.records, mark_place, path) for answer in answers)
        return list(dict.fromkeys(reference for marks in shown for reference, _wolkvox_id in marks))


def searches_for_id(arrived: str) -> list[tuple[str, str]]:
    """Return the searches for an id that arrived: by the kind of id that it is, or by all kinds that it may be."""
    if _SURELY_AN_ID.fullmatch(arrived):
        return [(BY_ID, arrived)]
    fields = (BY_ID, BY_PREFIX, BY_NUMBER) if arrived.isdigit() else (BY_ID, BY_PREFIX)
    return [(field, arrived) for field in fields]


def distinct(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return each case once; a record without an id may be a case of its own."""
    found: list[Hit] = []
    for hit in hits:
        if hit.wolkvox_id is None or all(hit.wolkvox_id != other.wolkvox_id for other in found):
            found.append(hit)
    return tuple(found)


def _form_of(record: Record) -> Iterable[object]:
    form = record.get("form")
    return form if isinstance(form, dict) else ()
