"""What the doctor learnt about a tenant: the CRM's own answers to questions that the vendor's pages leave open.

Stored as JSON beside the journal, one file for each operation of a tenant. It contains no data of any case: no address,
no description, no token, no id. So the file can be sent to support.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from importer.causes import reason_of
from importer.errors import JournalError
from importer.hosts import normal_tenant, same_tenant
from importer.identity import Scope
from importer.messages import _

QUIET_PERIOD = 120.0
"""The default number of seconds that settling waits before it searches; a new case must be found within them."""

Matching = Literal["exact", "partial", "unknown"]


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """The result of a search by one field of `queryCases`.

    `found` says whether the test case was among the `records` that came back, None if the search was refused;
    `matching` whether a part of the value is enough.
    """

    field: str
    found: bool | None
    records: int = 0
    matching: Matching = "unknown"


@dataclass(frozen=True, slots=True)
class AnswerExample:
    """The structure of an answer without its values, and the request that it answered."""

    asked: str
    answer: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What a person saw in the CRM: the `answer` to a question is `yes`, `no` or `unknown`."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about one operation of a tenant since `when`; None and an empty tuple mean: not learnt.

    `body_length` is the length in bytes of the longest case that was created and then found by `search_field`, 0 if
    none was; `found_after` is the longest time in seconds until it was found. `page_size` is the greatest number of
    records in one answer to a search by `search_field`: a page holds at least so many, so a shorter answer is complete.
    `case_found` is the shape of an answer with the case, `nothing_found` that of an answer without one, and
    `nothing_readable` says whether the latter states that there is none, rather than being a refusal or unreadable.
    `mark_place` is the path of keys under which a record shows the mark of its case. `told` are a person's
    observations, `unknown` what could not be learnt.
    """

    tenant: str
    operation: str
    when: datetime
    program: str
    search_field: str
    body_length: int = 0
    found_after: float | None = None
    page_size: int | None = None
    case_found: str | None = None
    nothing_found: str | None = None
    nothing_readable: bool = False
    mark_place: str | None = None
    fields: tuple[FieldFinding, ...] = ()
    errors: tuple[AnswerExample, ...] = ()
    told: tuple[Observation, ...] = ()
    unknown: tuple[str, ...] = ()
    version: Literal[1] = field(default=1)

    def covers(self, search_field: str, body_length: int, quiet_period: float = QUIET_PERIOD) -> bool:
        """Tell whether a search by this field would have found a case of `body_length` bytes.

        It would if the doctor found a case at least as long within the `quiet_period` (in seconds) and knows an answer
        without a hit. Whether such an answer is complete follows from `page_size`.
        """
        return (
            self.search_field == search_field
            and 0 < body_length <= self.body_length
            and self.found_after is not None
            and self.found_after <= quiet_period
            and self.nothing_readable
        )

    def save(self, folder: Path) -> Path:
        """Write the findings below `folder`, replacing older ones, and return the file's path.

        Raises JournalError if they cannot be written.
        """
        path = findings_path(folder, self.tenant, self.operation)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
                file.write(_JSON.dump_json(self, indent=2) + b"\n")
            Path(file.name).replace(path)
        except OSError as error:
            raise JournalError(
                _("{path}: cannot write what the doctor learnt: {error}", path=path, error=reason_of(error))
            ) from error
        return path

    @staticmethod
    def load(folder: Path, scope: Scope) -> Findings | None:
        """Return what the doctor learnt about a scope's tenant and operation, None if nothing.

        A file that cannot be read, or that another version wrote, counts as nothing.
        """
        try:
            content = findings_path(folder, scope.tenant, scope.operation).read_bytes()
            findings = _JSON.validate_json(content)
        except (OSError, ValidationError):
            return None
        same = same_tenant(findings.tenant, scope.tenant) and findings.operation == scope.operation
        return findings if same else None


_JSON = TypeAdapter(Findings)


def findings_path(folder: Path, tenant: str, operation: str) -> Path:
    """Return the path of the file for an operation of a tenant, below the journal's `folder`."""
    tenant = normal_tenant(tenant)
    digest = hashlib.sha256(f"{tenant}\n{operation}".encode()).hexdigest()[:8]  # similar names stay distinct
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{tenant}-{operation}")[:80]
    return folder / "findings" / f"{name}-{digest}.json"
