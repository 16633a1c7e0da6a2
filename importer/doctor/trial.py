"""One test case, and what searching for it shows about the CRM; there are findings to save at every moment."""

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
from typing import Any

from importer.crm import Crm, ProbedAnswer, Record, explained, hit_of, path_of
from importer.doctor.case import CaseOptions, DoctorPrompts, TestCase, build_test_case
from importer.errors import ConnectionRefused, ServerUnreachable, UsageError
from importer.identity import Scope
from importer.mapping import QUERY_FIELDS
from importer.messages import _
from importer.model import Outcome, Pause, Verdict
from importer.workflow.plan import SEARCHED
from importer.workflow.tenant_facts import AnswerExample, FieldFinding, Findings, Matching, Observation

_FIXED_BY_A_PERSON = {Pause.CREDENTIALS, Pause.REDIRECT, Pause.PATH, Pause.CERTIFICATE}


@dataclass(frozen=True, slots=True)
class Polling:
    """How long to search for a new case, in seconds: `limit` in all, with growing delays between the searches."""

    limit: float = 120.0
    first_delay: float = 1.0
    longest_delay: float = 15.0


class Trial:
    """Creates test cases, each after the user confirms it, and learns from the answers; `findings` grows."""

    def __init__(self, crm: Crm, scope: Scope, options: CaseOptions, prompts: DoctorPrompts, polling: Polling) -> None:
        self._crm, self._scope, self._options, self._prompts, self._polling = crm, scope, options, prompts, polling
        self.findings = Findings(
            tenant=scope.tenant,
            operation=scope.operation,
            when=datetime.now(UTC).astimezone().replace(microsecond=0),
            program=f"case-importer {version('wolkvox-case-importer')}",
            search_field=options.search_field,
        )
        self._secrets: tuple[str, ...] = ()

    @property
    def has_findings(self) -> bool:
        """Whether the CRM has answered any search."""
        return bool(self.findings.page_size or self.findings.fields or self.findings.nothing_found)

    def try_first_case(self) -> None:
        """Create one case and learn what searches for it show.

        Raises UsageError if the user or the CRM refuses the case, ServerUnreachable or ConnectionRefused if the CRM
        cannot be asked; `findings` holds what was learned until then.
        """
        case = build_test_case(self._options, self._scope)
        value = _search_value(case, self._options.search_field)
        if not self._prompts.confirm(case):
            raise UsageError(_("Stopped; no test case was created."))
        outcome = self._create(case)
        if outcome.verdict is Verdict.REJECTED:
            raise UsageError(_("The CRM rejected the test case: {words}", words=explained(outcome.message)))
        record = self._wait_until_found(case, value)
        for field, known_value, part in _searches(case, outcome, record):
            self._add_field(self._search_by(case, field, known_value, part))
        self._learn_other_answers(value)
        self._note_missing_reference(case, outcome)

    def try_larger_case(self) -> None:
        """Create a second case with a large attachment, if the user wants one; raises as `try_first_case` does."""
        size = self._prompts.larger_size()
        if not size:
            return
        case = build_test_case(self._options, self._scope, size)
        if not self._prompts.confirm(case):
            return
        outcome = self._create(case)
        if outcome.verdict is Verdict.REJECTED:
            self._prompts.show(_("The CRM rejected the larger case: {words}", words=explained(outcome.message)))
            self._add_error(_("a case of {length} bytes", length=case.payload.length), outcome.message)
            return
        self._wait_until_found(case, _search_value(case, self._options.search_field))
        self._ask(_("Does the larger case show its attachment, and can you open it?"))

    def ask_user(self) -> None:
        """Ask the user what no call can show, and list what remains unknown."""
        if value := self._prompts.common_value(self._options.search_field):
            self._search(self._options.search_field, value)
        self._ask(_("Did the contact receive an e-mail about the test case?"))
        self._ask(_("Does the test case show a running time limit (SLA)?"))
        self._note(unknown=(*self.findings.unknown, *_remaining(self.findings)))

    def _create(self, case: TestCase) -> Outcome:
        """Make the one POST of a case, and show its outcome; raises if the case provably did not arrive."""
        self._secrets = case.payload.values
        outcome = self._crm.create(case.payload)
        if outcome.verdict is Verdict.NOT_DELIVERED:
            error = ConnectionRefused if outcome.pause in _FIXED_BY_A_PERSON else ServerUnreachable
            raise error(_("The test case was not created: {words}", words=outcome.message))
        if outcome.verdict is Verdict.CREATED:
            created = _("Created: {id} ({prefix}).", id=outcome.wolkvox_id, prefix=outcome.id_prefijo or "-")
            self._prompts.show(created)
        elif outcome.verdict is Verdict.UNKNOWN:
            self._prompts.show(_("It is not known whether the case was created: {words}", words=outcome.message))
        return outcome

    def _wait_until_found(self, case: TestCase, value: str) -> Record:
        """Search for the new case until it is found or time is up, and note how long it took; return its record."""
        self._prompts.show(_("Searching for it by {field} …", field=self._options.search_field))
        started, pause, delay = time.monotonic(), threading.Event(), self._polling.first_delay
        while True:
            answer = self._search(self._options.search_field, value)
            waited = time.monotonic() - started
            if (record := self._record_of(case, answer)) is not None:
                break
            if waited >= self._polling.limit:
                self._prompts.show(_("Not found within {seconds:.0f} s.", seconds=waited))
                return {}
            pause.wait(min(delay, self._polling.limit - waited))
            delay = min(2 * delay, self._polling.longest_delay)
        self._prompts.show(_("Found after {seconds:.1f} s.", seconds=waited))
        self._note(
            body_length=max(self.findings.body_length, case.payload.length),
            found_after=max(self.findings.found_after or 0.0, math.ceil(waited * 10) / 10),
            case_found=answer.shape,
            mark_place=self._path_of_reference(case, record),
        )
        return record

    def _path_of_reference(self, case: TestCase, record: Record) -> str | None:
        """Return where a record shows the case's reference, None if it does not."""
        return path_of(record, case.reference, self._options.reference_field or "description")

    def _record_of(self, case: TestCase, answer: ProbedAnswer) -> Record | None:
        """Return the record with the case's reference as it was sent, under any name; None if there is none."""
        return next((record for record in answer.records if self._path_of_reference(case, record)), None)

    def _search_by(self, case: TestCase, field: str, value: str, part: str | None) -> FieldFinding:
        """Search for the case by one field, and also by part of its value if there is one to try."""
        answer = self._search(field, value)
        if not answer.accepted:
            return FieldFinding(field, None)
        found = self._record_of(case, answer) is not None
        matching: Matching = "unknown"
        if found and part:
            by_part = self._search(field, part)
            if self._record_of(case, by_part) is not None:
                matching = "partial"
            elif by_part.believed and not by_part.records:
                matching = "exact"
        return FieldFinding(field, found, len(answer.records), matching)

    def _learn_other_answers(self, value: str) -> None:
        """Learn how the CRM answers a search without a hit and two invalid searches; none of these creates anything."""
        nothing = self._search(self._options.search_field, f"{secrets.token_hex(8)}@example.invalid")
        self._note(nothing_found=nothing.shape, nothing_readable=nothing.believed and not nothing.records)
        self._add_error(_("a search by a field that does not exist"), self._search("no such field", value).shape)
        self._add_error(_("a search without a value"), self._search(self._options.search_field, "").shape)

    def _note_missing_reference(self, case: TestCase, outcome: Outcome) -> None:
        """Note if the case is found without its reference: settling could not recognize it."""
        if self.findings.body_length or outcome.wolkvox_id is None:
            return
        answer = self._search("wolkvox-id", outcome.wolkvox_id)
        shown = {hit_of(record).wolkvox_id for record in answer.records}
        if outcome.wolkvox_id in shown and self._record_of(case, answer) is None:
            missing = _("The records that a search returns do not show the reference: rows cannot be settled by it.")
            self._note(unknown=(*self.findings.unknown, missing))

    def _search(self, field: str, value: str) -> ProbedAnswer:
        """Search once, and note how many records an answer to settling's own search can hold.

        Answers to searches by other fields, or without a value, may be cut at another length or not at all.
        """
        answer = self._crm.probe_search(field, value, secrets=self._secrets)
        if field == self._options.search_field and value:
            self._note(page_size=max(self.findings.page_size or 0, len(answer.records)) or None)
        return answer

    def _ask(self, question: str) -> None:
        self._note(told=(*self.findings.told, Observation(question, self._prompts.observed(question))))

    def _add_field(self, finding: FieldFinding) -> None:
        self._note(fields=(*self.findings.fields, finding))

    def _add_error(self, asked: str, answer: str) -> None:
        self._note(errors=(*self.findings.errors, AnswerExample(asked, answer)))

    def _note(self, **changes: Any) -> None:  # noqa: ANN401  # fields of Findings
        self.findings = replace(self.findings, **changes)


def _search_value(case: TestCase, field: str) -> str:
    """Return the value by which settling would search for the case; raises UsageError if it has none."""
    value = case.fields.get(SEARCHED.get(field, ""))
    if value is None:
        raise UsageError(
            _(
                "Rows cannot be searched by {field}: cases are sent without a value for it. Name another field under"
                " search: in the mapping, or fill this one.",
                field=field,
            )
        )
    return str(value)


def _searches(case: TestCase, outcome: Outcome, record: Record) -> Iterator[tuple[str, str, str | None]]:
    """Yield each query field whose value was sent or returned, that value, and a part of it to try."""
    parts = {"description": case.label, "email contact": str(case.fields["contact"]).partition("@")[0]}
    shown = {_letters(name): value for name, value in record.items() if isinstance(value, str | int) and value}
    values: dict[str, object] = {field: shown.get(_letters(field)) for field in QUERY_FIELDS}
    values |= {field: case.fields.get(path) for field, path in SEARCHED.items()}
    values |= {"idPrefijo": outcome.id_prefijo, "wolkvox-id": outcome.wolkvox_id}
    for field, value in values.items():
        if value is not None:
            yield field, str(value), parts.get(field)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _remaining(findings: Findings) -> Iterator[str]:
    """Yield what is still unknown, in sentences for people."""
    if not findings.body_length:
        yield _("Whether a search finds every case: rows whose answer was lost cannot be settled by it.")
    elif not findings.nothing_readable:
        yield _("How the CRM reports that nothing was found: a search without a hit proves nothing.")
    else:
        yield _("Whether cases larger than {length} bytes are found.", length=findings.body_length)
    if findings.page_size is not None:
        yield _(
            "How many records a full page holds; at least {count}. An answer with that many or more may be incomplete.",
            count=findings.page_size,
        )
    refused = [finding.field for finding in findings.fields if finding.found is None]
    tried = {finding.field for finding in findings.fields}
    not_tried = [field for field in QUERY_FIELDS if field not in tried]
    if refused:
        yield _("How the CRM searches by these fields; it refused the search: {fields}.", fields=", ".join(refused))
    yield _("How the CRM searches by these fields; their values are unknown: {fields}.", fields=", ".join(not_tried))
    yield _("In which order records are returned, and whether paging depends on the field.")
    yield _("Whether the CRM refuses or creates an unknown contact or user; not tried.")
    yield _("How long the CRM takes for a case at most, and its limits on bodies and attachments.")
    for observation in findings.told:
        if observation.answer == "unknown":
            yield _("Not answered: {question}", question=observation.question)
