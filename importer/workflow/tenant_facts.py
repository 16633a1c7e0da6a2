"""What the doctor learnt of a tenant: the CRM's own answers to what its vendor's pages leave open.

Kept as JSON beside the journal, one file for each operation of a tenant. Nothing in it was typed into a case or came
out of one: no address, no description, no token, no id; so the file can be sent to whoever helps.
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

from importer.errors import JournalError
from importer.hosts import normal_tenant, same_tenant
from importer.identity import Scope
from importer.messages import _

QUIET_PERIOD = 120.0
"""Seconds that settling waits before it asks, unless told otherwise: a case has to be found sooner than that."""

Matching = Literal["exact", "partial", "unknown"]


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """What a search by one field of `queryCases` gave.

    `found` says whether the test case was among the `records` that came back, None where the question was refused;
    `matching` whether a part of the value suffices.
    """

    field: str
    found: bool | None
    records: int = 0
    matching: Matching = "unknown"


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer looks, its values left out, and what was asked to get it."""

    asked: str
    answer: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a person saw in the CRM and said: `answer` is `yes`, `no` or `unknown`."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one operation of a tenant since `when`; None and the empty tuple mean: not learnt.

    `body_length` is in bytes, that of the longest case which was created and then found by `search_field`, 0 where
    none was; `found_after` is in seconds, the longest that it took. `page_size` is the greatest number of records that
    one answer to a search by `search_field` held: a page holds at least so many, so that an answer with fewer is all
    there is. `case_found` is the shape of an answer that holds the case, `nothing_found` that of the answer where there
    is no such case, and `nothing_readable` whether the latter is one that says so, rather than a refusal or something
    unreadable. `mark_place` is the path of keys under which a record shows the mark of its case.
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
    errors: tuple[Shape, ...] = ()
    told: tuple[Told, ...] = ()
    unknown: tuple[str, ...] = ()
    version: Literal[1] = field(default=1)

    def covers(self, search_field: str, body_length: int, quiet_period: float = QUIET_PERIOD) -> bool:
        """Tell whether a search by this field would have found a case of `body_length` bytes.

        That is so where the doctor found one at least as long by it within the `quiet_period` (in seconds),
        and knows how an answer without a hit looks. Whether such an answer is complete, `page_size` tells.
        """
        return (
            self.search_field == search_field
            and 0 < body_length <= self.body_length
            and self.found_after is not None
            and self.found_after <= quiet_period
            and self.nothing_readable
        )

    def save(self, folder: Path) -> Path:
        """Write the findings below `folder`, in place of older ones, and return the file's path.

        Raises JournalError where they cannot be written.
        """
        path = place(folder, self.tenant, self.operation)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
                file.write(_JSON.dump_json(self, indent=2) + b"\n")
            Path(file.name).replace(path)
        except OSError as error:
            raise JournalError(
                _("{path}: what the doctor learnt cannot be written there: {error}", path=path, error=error.strerror)
            ) from error
        return path

    @staticmethod
    def load(folder: Path, scope: Scope) -> Findings | None:
        """Return what the doctor learnt of a scope's tenant and operation, None where it learnt nothing.

        A file that cannot be read, or was written by a program of another version, proves nothing either.
        """
        try:
            content = place(folder, scope.tenant, scope.operation).read_bytes()
            findings = _JSON.validate_json(content)
        except (OSError, ValidationError):
            return None
        same = same_tenant(findings.tenant, scope.tenant) and findings.operation == scope.operation
        return findings if same else None


_JSON = TypeAdapter(Findings)


def place(folder: Path, tenant: str, operation: str) -> Path:
    """Return the file for an operation of a tenant below the journal's `folder`."""
    tenant = normal_tenant(tenant)
    digest = hashlib.sha256(f"{tenant}\n{operation}".encode()).hexdigest()[:8]  # names that look alike stay two
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{tenant}-{operation}")[:80]
    return folder / "findings" / f"{name}-{digest}.json"
