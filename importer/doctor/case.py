"""The test case: what it should be like, how it is made, and what the user is asked about it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from importer import identity, payload
from importer.commands import same_command
from importer.errors import UsageError
from importer.identity import Scope
from importer.mapping import CaseMapping
from importer.messages import _
from importer.model import Payload
from importer.payload import EncodedFile
from importer.pipeline import check
from importer.workflow.job import Job, load_job
from importer.workflow.planning.plan import SEARCHED, PlannedRow

Observation = Literal["yes", "no", "unknown"]

_CONTENT = b"A test file of case-importer doctor, without meaning.\r\n"
_CHUNK = base64.b64encode(_CONTENT * 600)  # without padding, so that chunks can be concatenated


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """What a test case should be like: the fields that the tenant requires, and how the mapping treats references.

    `fields` are by path (`contact`, `form.Subject`). `reference_field` is the field that carries a row's reference, the
    description by default; `search_field` is the CRM's query field that settling searches by.
    """

    fields: Mapping[str, object]
    reference_field: str | None = None
    search_field: str = "email contact"

    @property
    def fills_form(self) -> bool:
        """Whether a field of the form has a value, without which nobody sees whether an update empties the form."""
        places = [path for path, value in self.fields.items() if value not in {None, ""}]
        return any(path.startswith("form.") for path in (*places, self.reference_field or ""))


@dataclass(frozen=True, slots=True)
class TestCase:
    """A case without meaning that can be told apart from every other.

    `fields` are by path, complete as they are sent. The `reference` is in the field that the mapping names, the `label`
    in the description. `file_size` is the size of its one attachment in bytes, 0 for none. `note` is what the user
    should know before it is created.
    """

    __test__ = False  # the name is the field's own, not a test class of pytest's

    fields: Mapping[str, object]
    operation: str
    reference: str
    label: str
    payload: Payload
    file_size: int = 0
    note: str = ""

    @property
    def document(self) -> dict[str, object]:
        """The JSON object that is sent, without its attachment."""
        return payload.document(self.fields, self.operation)


class DoctorPrompts(Protocol):
    """What the doctor asks the user, and shows; the command line decides how."""

    def confirm(self, case: TestCase) -> bool:
        """Show this case in full, and return whether it may be created."""

    def larger_size(self) -> int:
        """Return the size in bytes of the attachment of a second, larger case; 0 for no such case."""

    def common_value(self, field: str) -> str:
        """Return a value that many cases have in this query field, empty if the user names none."""

    def observed(self, question: str) -> Observation:
        """Return what the user sees in the CRM."""

    def show(self, sentence: str) -> None:
        """Show progress."""


def options_from_row(job: Job, number: int | None) -> CaseOptions:
    """Return the options for a case like a row, the first valid row if no `number` is given.

    The row itself is not sent, nor are its attachments. Raises UsageError if the row does not exist or is not valid.
    """
    plan = check(load_job(job))
    for row in plan:
        if row.number == number or (number is None and row.is_valid):
            if not row.is_valid:
                raise UsageError(_why_not(row))
            return CaseOptions(row.fields, plan.mapping.reference, plan.mapping.search)
    if number is None:
        raise UsageError(_("{path} has no valid row to base a test case on.", path=job.source))
    raise UsageError(_("{path} has no row {row}.", path=job.source, row=number))


def options_from_fields(mapping: CaseMapping | None, fields: Mapping[str, object]) -> CaseOptions:
    """Return the options for a case with these fields, with reference and search as in the mapping."""
    return CaseOptions(fields, mapping.reference, mapping.search) if mapping else CaseOptions(fields)


def new_reference(scope: Scope) -> str:
    """Return a reference that no other case has."""
    digest = identity.key_digest([secrets.token_hex(16)])
    return identity.reference(Scope(scope.tenant, scope.operation, "doctor"), digest)


def build_test_case(options: CaseOptions, scope: Scope, reference: str, file_size: int = 0) -> TestCase:
    """Return the test case with this reference, with a description that says what it is."""
    label = label_of(reference)
    text = _("Test case {label} of case-importer doctor. It has no meaning and may be deleted.", label=label)
    fields = {**options.fields, "description": text}
    complete = payload.with_reference(fields, options.reference_field or "description", reference)
    files = [_file(file_size)] if file_size else []
    body = payload.build(complete, scope.operation, reference, files)
    return TestCase(complete, scope.operation, reference, label, body, file_size)


def label_of(reference: str) -> str:
    """Return the part of a reference that people read and search for."""
    return reference.removeprefix("WCI-")


def search_value(case: TestCase, field: str) -> str:
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


def _why_not(row: PlannedRow) -> str:
    reason = row.skipped or "; ".join(issue.message for issue in row.issues)
    return _(
        "Row {row} cannot be a test case: {reason}. Choose another: `{command}`",
        command=same_command("--row", "NUMBER"),
        row=row.number,
        reason=reason,
    )


def _file(size: int) -> EncodedFile:
    """Return an attachment of about `size` bytes."""
    times = max(1, -(-size * 4 // 3 // len(_CHUNK)))

    def chunks() -> Iterator[bytes]:
        for _number in range(times):
            yield _CHUNK

    return EncodedFile(times * len(_CHUNK), chunks)
