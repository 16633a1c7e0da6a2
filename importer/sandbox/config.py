"""The sandbox's configuration: who exists, what is allowed, and how it behaves where the vendor's pages are silent.

Without a YAML file every printable token and every well-formed user, contact and value exists. `docs/sandbox.md`
explains each key; `sample_data/sandbox.yml` is an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from importer.causes import reason_of
from importer.errors import MappingError, MappingFault, UsageError
from importer.mapping import did_you_mean, read_document, wrong_value
from importer.messages import _

_STRICT = ConfigDict(extra="forbid")
_WELL_FORMED_USER = re.compile(r"[^@\s]+@[^@\s]+")
_WELL_FORMED_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Condition = Annotated[Literal["open", "waiting", "solved", "closed"], BeforeValidator(str.lower)]
AtLeastOne = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config=_STRICT)
class Search:
    """How `queryCases` behaves where the vendor's page is silent: all of it is the sandbox's own choice.

    `partial` names the fields whose value may be part of the stored one; the other fields must be equal.
    `seen_after` is how many seconds a new case stays hidden from the search.
    """

    partial: tuple[str, ...] = ("description",)
    ignore_case: bool = True
    order: Literal["oldest-first", "newest-first"] = "oldest-first"
    page_size: AtLeastOne | None = None
    seen_after: Annotated[float, Field(ge=0)] = 0.0
    nothing_found: Literal["empty-list", "null", "404"] = "empty-list"


@dataclass(frozen=True, config=_STRICT)
class SandboxConfig:
    """Who and what exists in the simulated CRM; `None` means everything that is well-formed.

    `max_body` is in bytes; `daily_quota` and `simultaneous_requests` count calls per token.
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
    search: Search = field(default_factory=Search)

    def accepts_token(self, token: str) -> bool:
        """Whether the token is listed, or is printable ASCII if no tokens are listed."""
        return token in self.tokens if self.tokens is not None else token.isascii() and token.isprintable()

    def knows_user(self, user: str) -> bool:
        """Whether the "Wolkvox Email" belongs to a user, or is well-formed if no users are listed."""
        return _listed(user, self.users) if self.users is not None else bool(_WELL_FORMED_USER.fullmatch(user))

    def knows_contact(self, contact: str) -> bool:
        """Whether the "Contact Email" belongs to a contact, or is well-formed if no contacts are listed."""
        if self.contacts is not None:
            return _listed(contact, self.contacts)
        return bool(_WELL_FORMED_CONTACT.fullmatch(contact))

    def condition(self, status: str) -> Condition | None:
        """Return a status's condition, None if it does not exist; Cerrado and Closed are closed if none are listed."""
        if self.statuses is not None:
            return self.statuses.get(status)
        return "closed" if status.lower() in ("cerrado", "closed") else "open"


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
        part = Search if first["loc"][:1] == ("search",) else SandboxConfig
        message = wrong_value(first)
        if unknown:
            hint = did_you_mean(str(first["loc"][-1]), [each.name for each in fields(part)])
            message = _("unknown key; {hint}", hint=hint)
        raise _refused(document.source_map.fault(first["loc"], message, at_key=unknown)) from error


def _refused(fault: MappingFault) -> UsageError:
    return UsageError(_("{fault}. Correct that line; docs/sandbox.md explains the keys.", fault=fault))
