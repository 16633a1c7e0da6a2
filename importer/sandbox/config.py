"""The sandbox's configuration: who exists, what is allowed, and how it behaves where the vendor's pages are silent.

Without a YAML file every printable token and every well-formed user, contact and value exists. `docs/sandbox.md`
explains each key; `sample_data/sandbox.yml` is an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ByteSize, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from importer.errors import UsageError
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
    """Return the configuration in a YAML file.

    Every scalar is the text as written (`No` stays a status). Raises `UsageError` with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = yaml.compose(text, Loader=yaml.SafeLoader)
        alias = next((token for token in yaml.scan(text) if isinstance(token, yaml.AliasToken)), None)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(_("{file} cannot be read: {reason}.", file=path, reason=error)) from error
    except yaml.MarkedYAMLError as error:
        raise _fault(path, error.problem_mark, str(error.problem)) from error
    if alias is not None:  # it may contain itself
        raise _fault(path, alias.start_mark, _("aliases (*) are not allowed here"))
    if document is None:
        return SandboxConfig()
    content = _plain(document, path)
    try:
        return TypeAdapter(SandboxConfig).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _fault(path, _mark(document, first["loc"]), f"{key}: {first['msg']}") from error


def _plain(node: yaml.Node, path: Path) -> Any:  # noqa: ANN401  # YAML is of any shape until it is validated
    """Return a YAML node as dicts, lists and texts; a duplicate key is an error, where PyYAML takes the last one."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault(path, key.start_mark, _("a key must be a text"))
        if key.value in content:
            reason = _("duplicate key {key}; first defined on line {line}", key=key.value, line=lines[key.value])
            raise _fault(path, key.start_mark, reason)
        lines[key.value] = key.start_mark.line + 1
        content[key.value] = _plain(value, path)
    return content


def _mark(node: yaml.Node, key_path: tuple[int | str, ...]) -> yaml.Mark:
    """Return where the innermost part of `key_path` that the document has begins."""
    mark: yaml.Mark = node.start_mark
    for part in key_path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            mark = node.start_mark
    return mark


def _fault(path: Path, mark: yaml.Mark | None, reason: str) -> UsageError:
    return UsageError(
        _(
            "{file}:{line}: {reason}. Correct that line; docs/sandbox.md explains the keys.",
            file=path,
            line=mark.line + 1 if mark else 1,
            reason=reason,
        )
    )
