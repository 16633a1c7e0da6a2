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

from pydantic import TypeAdapter
from pydantic_core import from_json

from importer.errors import JournalError
from importer.identity import Scope
from importer.messages import _, gettext_noop, in_all_languages
from importer.system import disk
from importer.system.causes import reason_of
from importer.system.hosts import normal_tenant, same_tenant

QUIET_PERIOD = 120.0
"""The default number of seconds that settling waits before it searches; a new case must be found within them."""

Matching = Literal["exact", "partial", "unknown"]
UnknownContact = Literal["refused", "created", "accepted"]
DatesOfCases = Literal["refused", "found", "created", "modified"]
"""By which date cases are found; `found` if it is not known which."""

UpdateFiles = Literal["added", "replacing", "ignored"]

_TOLD_BEFORE = {
    "mail": gettext_noop("Did the contact receive an e-mail about the test case?"),
    "clock": gettext_noop("Does the test case show a running time limit (SLA)?"),
}
"""The questions that a person was asked in version 1, which kept the sentence in that person's language."""


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
    """What a person saw in the CRM: the `answer` to a question, by its name, is `yes`, `no` or `unknown`."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class LastAsked:
    """When one question was last asked, by its name; `reason` is why nothing was learnt, a key of `WHY_NOT_LEARNT`.

    `answer` is the shape of the answer from which nothing could be learnt, where there was one.
    """

    name: str
    when: datetime
    reason: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about one operation of a tenant since `when`; None and an empty tuple mean: not learnt.

    `body_length` is the length in bytes of the longest case that was created and then found by `search_field`, 0 if
    none was; `found_after` is the longest time in seconds until it was found. `page_size` is the greatest number of
    records in one answer to a search by `search_field`: a page holds at least so many, so a shorter answer is complete.
    `page_says_more` is true if an answer was seen that told of records which it did not show.
    `case_found` is the shape of an answer with the case, `nothing_found` that of an answer without one, and
    `nothing_readable` says whether the latter states that there is none, rather than being a refusal or unreadable.
    `mark_place` is the path of keys under which a record shows the mark of its case. `update_keeps_absent` says
    whether `cases/update.php` leaves alone what it is not sent: keys of the case, and fields of its form;
    `update_files` what it does with the files that a case has already. `told` are a person's observations, `asked`
    when each question was asked last.

    `contact_` and `contacts_` are of searches for contacts, as the fields above are of those for cases;
    `unknown_contact` is what becomes of a case whose contact does not exist. `dates_of_cases` is by which date
    `custom/queryDates.php` finds cases, if it does, and `dates_zone` the zone of its moments, such as `-05:00`.
    `file_names` says whether the names of files survive in `cases/insert.php`.
    """

    tenant: str
    operation: str
    when: datetime
    program: str
    search_field: str
    body_length: int = 0
    found_after: float | None = None
    page_size: int | None = None
    page_says_more: bool | None = None
    case_found: str | None = None
    nothing_found: str | None = None
    nothing_readable: bool = False
    mark_place: str | None = None
    ignores_case: bool | None = None
    contact_found: str | None = None
    contacts_none: str | None = None
    contacts_none_readable: bool | None = None
    contacts_matching: Matching = "unknown"
    contacts_ignore_case: bool | None = None
    unknown_contact: UnknownContact | None = None
    dates_of_cases: DatesOfCases | None = None
    dates_zone: str | None = None
    file_names: Literal["kept", "lost"] | None = None
    update_files: UpdateFiles | None = None
    fields: tuple[FieldFinding, ...] = ()
    errors: tuple[AnswerExample, ...] = ()
    update_keeps_absent: bool | None = None
    told: tuple[Observation, ...] = ()
    asked: tuple[LastAsked, ...] = ()
    version: Literal[2] = field(default=2)

    def observed(self, question: str) -> str | None:
        """Return what a person told about a question, `yes` or `no`; None if nobody knew."""
        answers = {each.question: each.answer for each in self.told}
        return answers.get(question) if answers.get(question) in {"yes", "no"} else None

    def last_asked(self, name: str) -> LastAsked | None:
        """Return when a question was asked last, None if it never was."""
        return next((each for each in self.asked if each.name == name), None)

    @property
    def may_prove_no_contact(self) -> bool:
        """Whether an empty list can prove that there is no such contact; not if the CRM says so in another way."""
        return self.contacts_none_readable is not False

    def spellings_to_search(self, address: str) -> tuple[str, ...]:
        """Return how a contact's address is searched for: in small letters too, if capitals are known to matter."""
        return tuple(dict.fromkeys((address, address.lower()))) if self.contacts_ignore_case is False else (address,)

    def effects(self) -> tuple[str, ...]:
        """Return in sentences what a new case is known to set off."""
        known = {
            ("mail", "yes"): _("a test case sent its contact an e-mail"),
            ("mail", "no"): _("a test case sent its contact no e-mail"),
            ("clock", "yes"): _("a test case with an open status started a time limit (SLA)"),
            ("clock", "no"): _("a test case with an open status started no time limit (SLA)"),
        }
        told = [known[name, answer] for name in ("mail", "clock") if (answer := self.observed(name))]
        if self.unknown_contact == "created":
            told.append(_("a case whose contact does not exist makes that contact"))
        return tuple(told)

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
            disk.replace(Path(file.name), path)
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
            findings = _JSON.validate_python(_this_version(from_json(content)))
        except (OSError, ValueError, TypeError, LookupError):  # pydantic's errors are ValueErrors
            return None
        same = same_tenant(findings.tenant, scope.tenant) and findings.operation == scope.operation
        return findings if same else None


def _this_version(content: object) -> object:
    """Return what a file holds, of version 1 as this version writes it.

    Version 1 kept sentences in the language of whoever asked; those that nothing can be made of are dropped.
    """
    if not isinstance(content, dict) or content.get("version", 1) != 1:
        return content
    known = {each: name for name, template in _TOLD_BEFORE.items() for each in in_all_languages(template)}
    told = [
        {**each, "question": known[each["question"]]} for each in content.get("told", ()) if each["question"] in known
    ]
    kept = {name: value for name, value in content.items() if name not in {"told", "unknown", "errors"}}
    return {**kept, "told": told, "version": 2}


_JSON = TypeAdapter(Findings)


def findings_path(folder: Path, tenant: str, operation: str) -> Path:
    """Return the path of the file for an operation of a tenant, below the journal's `folder`."""
    tenant = normal_tenant(tenant)
    digest = hashlib.sha256(f"{tenant}\n{operation}".encode()).hexdigest()[:8]  # similar names stay distinct
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{tenant}-{operation}")[:80]
    return folder / "findings" / disk.not_a_device(f"{name}-{digest}.json")
