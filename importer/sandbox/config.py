"""The sandbox's configuration: who exists, what is allowed, and how it behaves where the vendor's pages are silent.

Without a YAML file every printable token and every well-formed user, contact and value exists. `docs/sandbox.md`
explains each key; `sample_data/sandbox.yml` is an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ByteSize, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from importer.errors import MappingError, MappingFault, UsageError
from importer.mapping import did_you_mean, read_document, wrong_value
from importer.messages import _
from importer.system.causes import reason_of

_STRICT = ConfigDict(extra="forbid")
_WELL_FORMED_USER = re.compile(r"[^@\s]+@[^@\s]+")
_WELL_FORMED_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Condition = Annotated[Literal["open", "waiting", "solved", "closed"], BeforeValidator(str.lower)]
AtLeastOne = Annotated[int, Field(ge=1)]


def _zone(text: str) -> str:
    try:
        zone_of(text)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(_("'{text}' is not a time zone; write it like America/Bogota", text=text)) from error
    return text


def zone_of(name: str) -> tzinfo:
    """Return a zone by its name; UTC needs no list of zones, which some computers lack."""
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(frozen=True, config=_STRICT)
class Search:
    """How searches behave where the vendor's page is silent: all of it is the sandbox's own choice.

    `partial` and `ignore_case` are of `queryCases`; `Records` has its own. `partial` names the fields whose value may
    be part of the stored one; the other fields must be equal. `count` is what the answer counts in words: the records
    that it shows, all that match, or none; `next_page` whether it names a next page where not all are shown.
    `seen_after` is how many seconds a new case stays hidden. `record` is a case as it was sent, or as public code of an
    older version reads it.
    """

    partial: tuple[str, ...] = ("description",)
    ignore_case: bool = True
    order: Literal["oldest-first", "newest-first"] = "oldest-first"
    page_size: AtLeastOne | None = None
    count: Literal["shown", "all", "none"] = "shown"
    next_page: bool = False
    seen_after: Annotated[float, Field(ge=0)] = 0.0
    nothing_found: Literal["empty-list", "null", "404", "bare-list"] = "empty-list"
    record: Literal["as-sent", "nested"] = "as-sent"


@dataclass(frozen=True, config=_STRICT)
class RecordRules:
    """How the calls below `custom/` behave where the vendor's page is silent.

    `repeated` is what becomes of a contact whose address exists: a second one, a refusal, or a success with the id of
    the first. `cases` says whether these calls also find and delete cases, `dates` by which date, and in which `zone`.
    """

    partial: tuple[str, ...] = ()
    ignore_case: bool = True
    repeated: Literal["doubled", "refused", "returned"] = "doubled"
    cases: Literal["refused", "found", "found-and-deleted"] = "refused"
    dates: Literal["created", "modified"] = "created"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"


@dataclass(frozen=True, config=_STRICT)
class UpdateRules:
    """How updates of a case behave where the vendor's page is silent: fields that are absent, and files that come."""

    absent: Literal["kept", "emptied"] = "kept"
    files: Literal["added", "replacing", "ignored"] = "added"


@dataclass(frozen=True, config=_STRICT)
class SandboxConfig:
    """Who and what exists in the simulated CRM; `None` means everything that is well-formed.

    `max_body` is in bytes; `daily_quota` and `simultaneous_requests` count calls per token. `unknown_contact` is what
    becomes of a case whose contact does not exist; without it, any contact will do if none are listed, and otherwise
    the case is refused. `file_names` says whether those of `cases/insert.php` survive.
    """

    tokens: tuple[str, ...] | None = None
    operations: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    contacts: tuple[str, ...] | None = None
    case_types: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    statuses: Mapping[str, Condition] | None = None
    solution_needed_when: tuple[Condition, ...] = ("closed",)
    daily_quota: AtLeastOne = 1_000_000
    simultaneous_requests: AtLeastOne | None = None
    max_body: ByteSize = ByteSize(4_000_000_000)
    prefix: str = "SANDBOX"
    unknown_contact: Literal["refused", "created", "accepted"] | None = None
    file_names: Literal["kept", "lost"] = "lost"
    search: Search = field(default_factory=Search)
    records: RecordRules = field(default_factory=RecordRules)
    updates: UpdateRules = field(default_factory=UpdateRules)

    def accepts_token(self, token: str) -> bool:
        """Whether the token is listed, or is printable ASCII if no tokens are listed."""
        return token in self.tokens if self.tokens is not None else token.isascii() and token.isprintable()

    def knows_user(self, user: str) -> bool:
        """Whether the "Wolkvox Email" belongs to a user, or is well-formed if no users are listed."""
        return _listed(user, self.users) if self.users is not None else bool(_WELL_FORMED_USER.fullmatch(user))

    @property
    def rule_for_unknown_contacts(self) -> Literal["refused", "created", "accepted"]:
        """What becomes of a case whose contact does not exist."""
        return self.unknown_contact or ("accepted" if self.contacts is None else "refused")

    @staticmethod
    def is_address(contact: str) -> bool:
        """Whether a "Contact Email" is well-formed."""
        return bool(_WELL_FORMED_CONTACT.fullmatch(contact))

    def condition(self, status: str) -> Condition | None:
        """Return a status's condition, None if it does not exist; Cerrado and Closed are closed if none are listed."""
        if self.statuses is not None:
            return self.statuses.get(status)
        return "closed" if status.lower() in ("cerrado", "closed") else "open"


_GROUPS: Mapping[str, type] = {"search": Search, "records": RecordRules, "updates": UpdateRules}


def _listed(address: str, addresses: tuple[str, ...]) -> bool:
    return address.casefold() in (known.casefold() for known in addresses)


def load_config(path: Path) -> SandboxConfig:
    """Return the configuration in a YAML file, read as mappings are: every scalar is the text as written.

    Raises `UsageError` with file, line and column.
    """
    try:
        document = read_document(path, path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(_("There is no file {path}. Check the name and the folder.", path=path)) from error
    except OSError as error:
        raise UsageError(_("{file} cannot be read: {reason}.", file=path, reason=reason_of(error))) from error
    except MappingError as error:
        raise _refused(error.faults[0]) from error
    if document.faults:
        raise _refused(document.faults[0])
    try:
        return TypeAdapter(SandboxConfig).validate_python(document.content)
    except ValidationError as error:
        first = error.errors()[0]
        unknown = first["type"] == "unexpected_keyword_argument"
        part = _GROUPS.get(str(first["loc"][0]) if first["loc"][1:] else "", SandboxConfig)
        message = wrong_value(first)
        if unknown:
            hint = did_you_mean(str(first["loc"][-1]), [each.name for each in fields(part)])
            message = _("unknown key; {hint}", hint=hint)
        raise _refused(document.source_map.fault(first["loc"], message, at_key=unknown)) from error


def _refused(fault: MappingFault) -> UsageError:
    return UsageError(_("{fault}. Correct that line; docs/sandbox.md explains the keys.", fault=fault))
