"""One visit of the doctor: its test cases, its calls, and what is learnt, which can be saved at any moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from importer import payload
from importer.crm import Crm, ProbedAnswer, Record, explained, hit_of, path_of, without_private
from importer.doctor.case import CaseOptions, DoctorPrompts, TestCase, build_test_case, new_reference, search_value
from importer.doctor.ledger import BegunCase, Ledger, digest_of
from importer.errors import ConnectionRefused, ServerUnreachable, UsageError
from importer.identity import Scope
from importer.messages import _, language, speaking
from importer.model import Outcome, Pause, Payload, Verdict
from importer.payload import NamedFile
from importer.system.stopping import Stop
from importer.workflow.tenant_facts import AnswerExample, FieldFinding, Findings, LastAsked, Observation

BY_ID = "wolkvox-id"

_READS = 4
"""How often a case is read again until it shows an update."""

_FIXED_BY_A_PERSON = {Pause.CREDENTIALS, Pause.REDIRECT, Pause.PATH, Pause.CERTIFICATE}
_OF_SEARCHES = {
    "body_length": 0,
    "found_after": None,
    "page_size": None,
    "page_says_more": None,
    "case_found": None,
    "nothing_found": None,
    "nothing_readable": False,
    "mark_place": None,
    "ignores_case": None,
}


@dataclass(frozen=True, slots=True)
class Polling:
    """How long to search for a new case, in seconds: `limit` in all, with growing delays between the searches.

    `settle` is how long to wait before an answer without a new contact is believed. `now` is the time, in seconds
    since 1970.
    """

    limit: float = 120.0
    first_delay: float = 1.0
    longest_delay: float = 15.0
    settle: float = 10.0
    now: Callable[[], float] = field(default=time.time)


class NotLearnt(Exception):
    """Nothing was learnt from a question; `reason` is a key of `WHY_NOT_LEARNT`, `answer` the shape of the answer."""

    def __init__(self, reason: str, answer: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.answer = reason, answer


@dataclass(frozen=True, slots=True)
class MadeCase:
    """A test case, what is written down of it, and its record, empty if no search has shown it.

    `outcome` is that of its POST, None if it was made on an earlier visit. `lacks_mark` says that a search by its id
    shows it, but without its reference.
    """

    case: TestCase
    begun: BegunCase
    record: Record
    outcome: Outcome | None = None
    lacks_mark: bool = False


class Session:
    """Makes the calls of the questions, and keeps what they show in `findings`."""

    def __init__(  # noqa: PLR0913 - what a visit is made of
        self,
        crm: Crm,
        scope: Scope,
        options: CaseOptions,
        prompts: DoctorPrompts,
        *,
        polling: Polling,
        ledger: Ledger,
        known: Findings | None,
        stop: Stop,
    ) -> None:
        self.crm, self.options, self.prompts, self.polling = crm, options, prompts, polling
        self._scope, self._ledger, self._stop = scope, ledger, stop
        self.findings = self._before = _begin_with(known, scope, options.search_field)
        self._secrets = tuple(map(str, options.fields.values()))
        self._mark = ""
        self._shared: MadeCase | None = None
        self._looked_for_shared = False

    # -------------------------------------------------------------------------------------------- what is learnt

    def note(self, **changes: Any) -> None:  # noqa: ANN401  # fields of Findings
        """Keep what was learnt."""
        self.findings = replace(self.findings, **changes)

    def note_field(self, name: str, **changes: Any) -> None:  # noqa: ANN401  # fields of FieldFinding
        """Keep what was learnt about searches by one field."""
        fields = {each.field: each for each in self.findings.fields}
        fields[name] = replace(fields.get(name, FieldFinding(name, None)), **changes)
        self.note(fields=tuple(fields.values()))

    def note_error(self, asked: str, answer: str) -> None:
        """Keep the answer to an invalid request."""
        others = [each for each in self.findings.errors if each.asked != asked]
        self.note(errors=(*others, AnswerExample(asked, answer)))

    def note_told(self, name: str, answer: str) -> None:
        """Keep what a person saw."""
        others = [each for each in self.findings.told if each.question != name]
        self.note(told=(*others, Observation(name, answer)))

    @property
    def has_learnt(self) -> bool:
        """Whether more is known than before."""
        return self.findings != self._before

    def note_asked(self, name: str, reason: str | None, answer: str | None) -> None:
        """Keep that a question was asked now, and why nothing was learnt from it, if so."""
        now = datetime.now(UTC).astimezone().replace(microsecond=0)
        others = [each for each in self.findings.asked if each.name != name]
        self.note(asked=(*others, LastAsked(name, now, reason, answer)), when=now, program=_program())

    # -------------------------------------------------------------------------------------------- searches

    def search(self, name: str, value: str) -> ProbedAnswer:
        """Search for cases once, and note how many records an answer to settling's own search can hold.

        Answers to searches by other fields, or without a value, may be cut at another length or not at all.
        """
        answer = self.crm.probe_search(name, value, secrets=self._secrets)
        if name == self.options.search_field and value:
            self.note(page_size=max(self.findings.page_size or 0, len(answer.records)) or None)
        return answer

    def contacts(self, value: str) -> ProbedAnswer:
        """Search for contacts by their address once."""
        return self.crm.probe_contacts("emailcontact", value, secrets=self._secrets)

    def dates(self, start: str, end: str) -> ProbedAnswer:
        """Search for cases between two moments once."""
        return self.crm.probe_dates("cases", start, end, secrets=self._secrets)

    def record_of(self, case: TestCase, answer: ProbedAnswer) -> Record | None:
        """Return the record with the case's reference as it was sent, under any name; None if there is none."""
        return next((record for record in answer.records if self._place(case, record)), None)

    def _place(self, case: TestCase, record: Record) -> str | None:
        return path_of(record, case.reference, self.options.reference_field or "description")

    # -------------------------------------------------------------------------------------------- test cases

    def shared(self) -> MadeCase:
        """Return the test case that the questions share; raises as `made`, and NotLearnt if no search shows it."""
        made = self.made()
        if not made.record:
            raise NotLearnt("no-mark" if made.lacks_mark else "not-found")
        return made

    def made(self) -> MadeCase:
        """Return the test case that the questions share: the one that exists, or a new one if the user agrees.

        Raises UsageError if the user or the CRM refuses it, NotLearnt if it is not certain that it exists, and
        ServerUnreachable or ConnectionRefused if the CRM cannot be asked.
        """
        if not self._looked_for_shared:
            self._looked_for_shared = True
            self._shared = self.obtain("first", self.build)
            if self._shared.outcome is not None and self._shared.outcome.verdict is Verdict.REJECTED:
                words = explained(self._shared.outcome.message)
                raise UsageError(_("The CRM rejected the test case: {words}", words=words))
        if self._shared is None or self._shared.begun.state != "created":
            raise NotLearnt("not-found")
        return self._shared

    @property
    def lacks_case(self) -> bool:
        """Whether no question has needed the shared test case yet."""
        return not self._looked_for_shared

    def build(self, reference: str, file_size: int = 0, **fields: object) -> TestCase:
        """Return a test case like the shared one, with some fields of its own."""
        options = replace(self.options, fields={**self.options.fields, **fields})
        return build_test_case(options, self._scope, reference, file_size)

    def obtain(
        self,
        purpose: str,
        build: Callable[[str], TestCase],
        send: Callable[[Payload], Outcome] | None = None,
    ) -> MadeCase:
        """Return a test case that was begun before and is found, or a new one.

        A case that was begun before and is not found may exist: then the user decides, told so. Raises UsageError if
        they do not agree, and ServerUnreachable or ConnectionRefused if the CRM cannot be asked.
        """
        digest, note = digest_of(self.options.fields), ""
        begun = self._ledger.find(purpose, digest)
        if begun is not None:
            with speaking(begun.language):
                case = build(begun.reference)
            self.prompts.show(_("Looking for the test case of before, {label} …", label=case.label))
            found = self._look_again(case, begun)
            if found is not None:
                return found
            note = _(
                "Test case {label} was begun before and is not found: it may still be in the CRM, unless it was"
                " deleted.",
                label=case.label,
            )
        case = replace(build(new_reference(self._scope)), note=note)
        value = search_value(case, self.options.search_field)
        if not self.prompts.confirm(case):
            raise UsageError(_("Stopped; no test case was created."))
        if purpose == "first":  # what older cases have shown says nothing about this one
            self.note(body_length=0, found_after=None, case_found=None, mark_place=None)
        begun = BegunCase(purpose, digest, case.reference, language(), self.polling.now())
        begun, outcome = self._post(self._ledger.record(begun), case, send or self.crm.create)
        if outcome.verdict is Verdict.REJECTED:
            return MadeCase(case, begun, {}, outcome)
        return replace(self._wait_until_found(case, begun, value), outcome=outcome)

    def _post(self, begun: BegunCase, case: TestCase, send: Callable[[Payload], Outcome]) -> tuple[BegunCase, Outcome]:
        """Make the one POST of a case, and write down its outcome; raises if the case provably did not arrive."""
        self._secrets = case.payload.values
        outcome = send(case.payload)
        if outcome.verdict is Verdict.NOT_DELIVERED:
            self._ledger.forget(begun)
            raise _cannot_ask(outcome.pause)(_("The test case was not created: {words}", words=outcome.message))
        if outcome.verdict is Verdict.CREATED:
            begun = self._ledger.note(begun, "created", outcome.wolkvox_id, outcome.id_prefijo)
            created = _("Created: {id} ({prefix}).", id=outcome.wolkvox_id, prefix=outcome.id_prefijo or "-")
            self.prompts.show(created)
        elif outcome.verdict is Verdict.UNKNOWN:
            begun = self._ledger.note(begun, "unknown", None, None)
            self.prompts.show(_("It is not known whether the case was created: {words}", words=outcome.message))
        else:
            begun = self._ledger.note(begun, "rejected", None, None)
        return begun, outcome

    def _look_again(self, case: TestCase, begun: BegunCase) -> MadeCase | None:
        """Search for a case of an earlier visit, as long as a new one may take to be found."""
        self._secrets = case.payload.values
        value = search_value(case, self.options.search_field)
        for delay in self._delays():
            answer = self.search(self.options.search_field, value)
            record = self.record_of(case, answer)
            age = self.polling.now() - begun.begun
            if record is not None:
                self._note_found(case, record, answer, age)
                return self._found(case, begun, record)
            if not 0 <= age < self.polling.limit:
                break
            self.wait(delay)
        if begun.wolkvox_id is not None:
            record = self.record_of(case, self.search(BY_ID, begun.wolkvox_id))
        return None if record is None else self._found(case, begun, record)

    def _wait_until_found(self, case: TestCase, begun: BegunCase, value: str) -> MadeCase:
        """Search for the new case until it is found or time is up, and note how long it took."""
        self.prompts.show(_("Searching for it by {field} …", field=self.options.search_field))
        started = time.monotonic()
        for delay in self._delays():
            answer = self.search(self.options.search_field, value)
            waited = time.monotonic() - started
            record = self.record_of(case, answer)
            if record is not None:
                self.prompts.show(_("Found after {seconds:.1f} s.", seconds=waited))
                self._note_found(case, record, answer, waited)
                return self._found(case, begun, record)
            if waited >= self.polling.limit:
                break
            self.wait(min(delay, self.polling.limit - waited))
        self.prompts.show(_("Not found within {seconds:.0f} s.", seconds=waited))
        return MadeCase(case, begun, {}, lacks_mark=self._is_shown(begun))

    def _is_shown(self, begun: BegunCase) -> bool:
        """Tell whether a search by its id shows a case, so that its record lacks the reference."""
        if begun.wolkvox_id is None:
            return False
        records = self.search(BY_ID, begun.wolkvox_id).records
        return begun.wolkvox_id in {hit_of(record).wolkvox_id for record in records}

    def _note_found(self, case: TestCase, record: Record, answer: ProbedAnswer, seconds: float) -> None:
        """Note what a found case shows; how soon it was found only if that was soon, since it may have been sooner."""
        self.note(case_found=answer.shape, mark_place=self._place(case, record))
        is_as_rows_are_sent = case.payload.content_type == "application/json"
        soon = 0 <= seconds <= max(self.polling.limit, 1.0)
        if is_as_rows_are_sent and soon and self.findings.body_length < case.payload.length:
            found_after = max(self.findings.found_after or 0.0, math.ceil(seconds * 10) / 10)
            self.note(body_length=case.payload.length, found_after=found_after)

    def wait(self, seconds: float) -> None:
        """Wait; raises NotLearnt if the user wants to stop."""
        if self._stop.wait(seconds):
            raise NotLearnt("stopped")

    def _found(self, case: TestCase, begun: BegunCase, record: Record) -> MadeCase:
        """Return a found case, with its ids if they were not known."""
        if begun.state != "created" or begun.wolkvox_id is None:
            hit = hit_of(record)
            begun = self._ledger.note(begun, "created", hit.wolkvox_id, hit.id_prefijo)
        return MadeCase(case, begun, record)

    def _delays(self) -> Iterator[float]:
        delay = self.polling.first_delay
        while True:
            yield delay
            delay = min(2 * delay, self.polling.longest_delay)

    # -------------------------------------------------------------------------------------------- updates

    def update(self, form: Mapping[str, object] | None) -> MadeCase:
        """Update the shared test case, and return it once a search shows the update; raises as `send_update`.

        Raises NotLearnt if no search shows it.
        """
        self.send_update(form)
        shared = self.shared()
        for _read, delay in zip(range(_READS), self._delays(), strict=False):
            record = self.record_of(shared.case, self.search(BY_ID, shared.begun.wolkvox_id or ""))
            if record is not None and self.shows_update(record):
                self._shared = replace(shared, record=record)
                return self._shared
            self.wait(delay)
        raise NotLearnt("not-shown")

    def send_update(self, form: Mapping[str, object] | None, files: Sequence[NamedFile] = ()) -> bool:
        """Send one update of the shared test case, by a solution that no other has; tell whether it surely arrived.

        Of its other keys it only sends the responsible, unchanged. Raises NotLearnt if the CRM refuses it.
        """
        shared = self.shared()
        if shared.begun.wolkvox_id is None:
            raise NotLearnt("not-found")
        self._mark = new_reference(self._scope).removeprefix("WCI-")
        given = {"responsible": shared.case.fields["responsible"], "solution": self._mark}
        body = payload.update_body(shared.begun.wolkvox_id, given, form, self._scope.operation, files=files)
        self._secrets = (*shared.case.payload.values, *body.values)
        begun = self._ledger.record(replace(shared.begun, updated=self.polling.now()))
        self._shared = replace(shared, begun=begun)
        outcome = self.crm.update_case(body)
        if outcome.verdict is Verdict.NOT_DELIVERED:
            raise _cannot_ask(outcome.pause)(_("The test case was not updated: {words}", words=outcome.message))
        if outcome.verdict is Verdict.REJECTED:
            raise NotLearnt("refused", without_private(outcome.message))
        return outcome.verdict is Verdict.CREATED

    def shows_update(self, record: Record) -> bool:
        """Tell whether a record shows the last update."""
        return any(self._mark in text for _path, text in texts_in(record))


def texts_in(record: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text in a record, with the keys that lead to it."""
    if isinstance(record, Mapping):
        for name, value in record.items():
            yield from texts_in(value, (*path, str(name)))
    elif isinstance(record, str | int | float) and not isinstance(record, bool):
        yield path, str(record)


def _begin_with(known: Findings | None, scope: Scope, search_field: str) -> Findings:
    """Return what is known already; searches by another field than now say nothing."""
    if known is None:
        when = datetime.now(UTC).astimezone().replace(microsecond=0)
        return Findings(scope.tenant, scope.operation, when, _program(), search_field)
    changes: dict[str, Any] = {**_OF_SEARCHES, "search_field": search_field}
    return known if known.search_field == search_field else replace(known, **changes)


def _program() -> str:
    return f"case-importer {version('wolkvox-case-importer')}"


def _cannot_ask(pause: Pause | None) -> type[ConnectionRefused | ServerUnreachable]:
    return ConnectionRefused if pause in _FIXED_BY_A_PERSON else ServerUnreachable
