"""One test case, and what searching it tells of the CRM; at every moment there are findings to keep."""

from __future__ import annotations

import math
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from importer.crm import Answered, Crm, Record, hit_of, path_of
from importer.doctor.case import TestCase, compose
from importer.doctor.person import Person
from importer.doctor.wish import Wish
from importer.errors import ConnectionRefused, ServerUnreachable, UsageError
from importer.identity import Scope
from importer.mapping.grammar import QUERY_FIELDS
from importer.messages import _
from importer.model import Outcome, Pause, Verdict
from importer.workflow.plan import SEARCHED
from importer.workflow.tenant_facts import FieldFinding, Findings, Matching, Observation, Shape

_MENDED_BY_A_PERSON = {Pause.CREDENTIALS, Pause.REDIRECT, Pause.PATH, Pause.CERTIFICATE}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a new case is looked for: `limit` seconds in all, `first` and then ever longer between two searches."""

    limit: float = 120.0
    first: float = 1.0
    longest: float = 15.0


class Trial:
    """Creates test cases, one after the person's yes to each, and learns from the answers; `findings` grows."""

    def __init__(self, crm: Crm, scope: Scope, wish: Wish, person: Person, patience: Patience) -> None:
        self._crm, self._scope, self._wish, self._person, self._patience = crm, scope, wish, person, patience
        self.findings = Findings(
            tenant=scope.tenant,
            operation=scope.operation,
            when=datetime.now(UTC).astimezone().replace(microsecond=0),
            program=f"case-importer {version('wolkvox-case-importer')}",
            search_field=wish.search_field,
        )
        self._secrets: tuple[str, ...] = ()

    @property
    def learnt(self) -> bool:
        """Whether the CRM has answered anything yet."""
        return bool(self.findings.page_size or self.findings.fields or self.findings.nothing_found)

    def first_case(self) -> None:
        """Create one case and learn what searching it tells.

        Raises UsageError where the person or the CRM does not take the case, ServerUnreachable or ConnectionRefused
        where the CRM cannot be asked; what was learnt until then is in `findings`.
        """
        case = compose(self._wish.fields, self._scope, self._wish.place)
        value = _searched(case, self._wish.search_field)
        if not self._person.allows(case):
            raise UsageError(_("Stopped; no test case was created."))
        outcome = self._create(case)
        if outcome.verdict is Verdict.REJECTED:
            raise UsageError(_("The CRM rejected the test case: {words}", words=outcome.message))
        record = self._await(case, value)
        for field, value, part in _questions(case, outcome, record):
            self._learn(field=self._study(case, field, value, part))
        self._learn_refusals(value)
        self._note_what_records_lack(case, outcome)

    def larger_case(self) -> None:
        """Create a second case with a large attachment, if the person wants one; raises as `first_case` does."""
        size = self._person.larger()
        if not size:
            return
        case = compose(self._wish.fields, self._scope, self._wish.place, size)
        if not self._person.allows(case):
            return
        outcome = self._create(case)
        if outcome.verdict is Verdict.REJECTED:
            self._person.told(_("The CRM rejected the larger case: {words}", words=outcome.message))
            self._learn(error=Shape(_("a case of {length} bytes", length=case.payload.length), outcome.message))
            return
        self._await(case, _searched(case, self._wish.search_field))
        self._ask(_("Does the larger case show its attachment, and can it be opened?"))

    def ask_what_cannot_be_seen(self) -> None:
        """Ask the person for what no call tells by itself, and say what remains unknown."""
        if crowded := self._person.crowded(self._wish.search_field):
            self._search(self._wish.search_field, crowded)
        self._ask(_("Did the contact receive an e-mail about the test case?"))
        self._ask(_("Does the test case show a running time limit (SLA)?"))
        self.findings = replace(self.findings, unknown=(*self.findings.unknown, *_remaining(self.findings)))

    def _create(self, case: TestCase) -> Outcome:
        """Make the one POST of a case, and say what came of it; raises where it is proven that it did not arrive."""
        self._secrets = case.payload.values
        outcome = self._crm.create(case.payload)
        if outcome.verdict is Verdict.NOT_DELIVERED:
            refusal = ConnectionRefused if outcome.pause in _MENDED_BY_A_PERSON else ServerUnreachable
            raise refusal(_("The test case was not created: {words}", words=outcome.message))
        if outcome.verdict is Verdict.CREATED:
            created = _("Created: {id} ({prefix}).", id=outcome.wolkvox_id, prefix=outcome.id_prefijo or "-")
            self._person.told(created)
        elif outcome.verdict is Verdict.UNKNOWN:
            self._person.told(_("Whether it was created is not known: {words}", words=outcome.message))
        return outcome

    def _await(self, case: TestCase, value: str) -> Record:
        """Search the new case until it is found or patience ends, and learn how long that took; return its record."""
        self._person.told(_("Looking for it by {field} …", field=self._wish.search_field))
        began, pause, delay = time.monotonic(), threading.Event(), self._patience.first
        while True:
            answer = self._search(self._wish.search_field, value)
            waited = time.monotonic() - began
            if (record := self._of(case, answer)) is not None:
                break
            if waited >= self._patience.limit:
                self._person.told(_("Not found within {seconds:.0f} s.", seconds=waited))
                return {}
            pause.wait(min(delay, self._patience.limit - waited))
            delay = min(2 * delay, self._patience.longest)
        self._person.told(_("Found after {seconds:.1f} s.", seconds=waited))
        self.findings = replace(
            self.findings,
            body_length=max(self.findings.body_length, case.payload.length),
            found_after=max(self.findings.found_after or 0.0, math.ceil(waited * 10) / 10),
            case_found=answer.shape,
            mark_place=path_of(record, case.reference, self._place),
        )
        return record

    @property
    def _place(self) -> str:
        return self._wish.place or "description"

    def _of(self, case: TestCase, answer: Answered) -> Record | None:
        """Return the record that carries the case's mark as it was written, under whatever name; None without one."""
        return next((record for record in answer.records if path_of(record, case.reference, self._place)), None)

    def _study(self, case: TestCase, field: str, value: str, part: str | None) -> FieldFinding:
        """Search the case by one field, and by a part of its value where that could tell something."""
        answer = self._search(field, value)
        if not answer.accepted:
            return FieldFinding(field, None)
        found = self._of(case, answer) is not None
        matching: Matching = "unknown"
        if found and part:
            by_part = self._search(field, part)
            if self._of(case, by_part) is not None:
                matching = "partial"
            elif by_part.believed and not by_part.records:
                matching = "exact"
        return FieldFinding(field, found, len(answer.records), matching)

    def _learn_refusals(self, value: str) -> None:
        """Learn how the CRM says that it found nothing, and that a question is wrong; none of these creates."""
        nobody = f"{secrets.token_hex(8)}@example.invalid"
        nothing = self._search(self._wish.search_field, nobody)
        readable = nothing.believed and not nothing.records
        self.findings = replace(self.findings, nothing_found=nothing.shape, nothing_readable=readable)
        no_field = self._search("no such field", value)
        self._learn(error=Shape(_("a search by a field that does not exist"), no_field.shape))
        no_value = self._search(self._wish.search_field, "")
        self._learn(error=Shape(_("a search without a value"), no_value.shape))

    def _note_what_records_lack(self, case: TestCase, outcome: Outcome) -> None:
        """Note where the case comes back, and without its reference: settling could not know it again."""
        if self.findings.body_length or outcome.wolkvox_id is None:
            return
        answer = self._search("wolkvox-id", outcome.wolkvox_id)
        shown = {hit_of(record).wolkvox_id for record in answer.records}
        if outcome.wolkvox_id in shown and self._of(case, answer) is None:
            lacking = _("The records that a search returns do not show the reference: rows cannot be settled by it.")
            self.findings = replace(self.findings, unknown=(*self.findings.unknown, lacking))

    def _search(self, field: str, value: str) -> Answered:
        """Ask once, and learn how many records an answer to settling's question may hold.

        What answers by other fields hold, or to a question without a value, may be cut elsewhere or not at all.
        """
        answer = self._crm.probe_search(field, value, secrets=self._secrets)
        if field == self._wish.search_field and value:
            most = max(self.findings.page_size or 0, len(answer.records))
            self.findings = replace(self.findings, page_size=most or None)
        return answer

    def _ask(self, question: str) -> None:
        told = Observation(question, self._person.saw(question))
        self.findings = replace(self.findings, told=(*self.findings.told, told))

    def _learn(self, *, field: FieldFinding | None = None, error: Shape | None = None) -> None:
        fields = (*self.findings.fields, field) if field else self.findings.fields
        errors = (*self.findings.errors, error) if error else self.findings.errors
        self.findings = replace(self.findings, fields=fields, errors=errors)


def _searched(case: TestCase, field: str) -> str:
    """Return the value by which settling would ask for the case; raises UsageError where it has none."""
    value = case.fields.get(SEARCHED.get(field, ""))
    if value is None:
        raise UsageError(
            _(
                "Rows cannot be searched by {field}: a case is not sent with a value for it. Name another field under"
                " search: in the mapping, or fill it.",
                field=field,
            )
        )
    return str(value)


def _questions(case: TestCase, outcome: Outcome, record: Record) -> Iterator[tuple[str, str, str | None]]:
    """Yield each query field whose value was sent or came back, that value, and a part of it."""
    parts = {"description": case.mark, "email contact": str(case.fields["contact"]).partition("@")[0]}
    shown = {_plain(name): value for name, value in record.items() if isinstance(value, str | int) and value}
    values: dict[str, object] = {field: shown.get(_plain(field)) for field in QUERY_FIELDS}
    values |= {field: case.fields.get(path) for field, path in SEARCHED.items()}
    values |= {"idPrefijo": outcome.id_prefijo, "wolkvox-id": outcome.wolkvox_id}
    for field, value in values.items():
        if value is not None:
            yield field, str(value), parts.get(field)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _remaining(findings: Findings) -> Iterator[str]:
    """Yield what is still unknown, in words for a person."""
    if not findings.body_length:
        yield _("Whether a search finds every case: rows whose answer was lost cannot be settled by it.")
    elif not findings.nothing_readable:
        yield _("How the CRM says that it found nothing: a search without a hit proves nothing.")
    else:
        yield _("Whether larger cases than {length} bytes are found as well.", length=findings.body_length)
    if findings.page_size is not None:
        yield _(
            "How many records a full page holds; at least {count}: an answer with as many or more may lack some.",
            count=findings.page_size,
        )
    refused = [finding.field for finding in findings.fields if finding.found is None]
    tried = {finding.field for finding in findings.fields}
    not_tried = [field for field in QUERY_FIELDS if field not in tried]
    if refused:
        yield _("What these fields search by; the question was refused: {fields}.", fields=", ".join(refused))
    yield _("How these fields search; not tried, their values are not known: {fields}.", fields=", ".join(not_tried))
    yield _("In which order records come, and whether paging depends on the field.")
    yield _("Whether an unknown contact or user is refused or created; not tried.")
    yield _("How long the CRM works on a case at most, and its greatest body, number and kind of attachments.")
    for told in findings.told:
        if told.answer == "unknown":
            yield _("Not answered: {question}", question=told.question)
