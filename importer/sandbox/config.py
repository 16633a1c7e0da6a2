"""What the stand-in CRM believes: who exists, what is allowed, and how it fills the gaps in what is known.

A YAML file says it, or nothing does: then every printable token, well-formed user, contact and value exists. The page
`docs/sandbox.md` explains each key; `sample_data/sandbox.yml` is an example.
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
    """How `queryCases` behaves where the vendor's page is silent: each of these is the sandbox's own choice.

    `partial` names the fields whose value may be part of the stored one; the others have to be equal.
    `seen_after` is in seconds: how long a new case stays hidden from the search.
    """

    partial: tuple[str, ...] = ("description",)
    ignore_case: bool = True
    order: Literal["oldest-first", "newest-first"] = "oldest-first"
    page_size: AtLeastOne | None = None
    seen_after: Annotated[float, Field(ge=0)] = 0.0
    nothing_found: Literal["empty-list", "null", "404"] = "empty-list"


@dataclass(frozen=True, config=_STRICT)
class SandboxConfig:
    """Who and what exists in the stand-in CRM; `None` means: whatever is well-formed.

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

    def knows_user(self, user: str) -> bool:
        """Whether the "Wolkvox Email" belongs to a user, or could where none are listed."""
        return _listed(user, self.users) if self.users is not None else bool(_WELL_FORMED_USER.fullmatch(user))

    def knows_contact(self, contact: str) -> bool:
        """Whether the "Contact Email" belongs to a contact, or could where none are listed."""
        if self.contacts is not None:
            return _listed(contact, self.contacts)
        return bool(_WELL_FORMED_CONTACT.fullmatch(contact))

    def condition(self, status: str) -> Condition | None:
        """Return a status's condition, None where it does not exist; unless listed, Cerrado and Closed are closed."""
        if self.statuses is not None:
            return self.statuses.get(status)
        return "closed" if status.lower() in ("cerrado", "closed") else "open"


def _listed(address: str, addresses: tuple[str, ...]) -> bool:
    return address.casefold() in (known.casefold() for known in addresses)


def load_config(path: Path) -> SandboxConfig:
    """Return the configuration that a YAML file holds.

    Every scalar is the text that is written (`No` stays a status). Raises `UsageError` with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = yaml.compose(text, Loader=yaml.SafeLoader)
        alias = next((token for token in yaml.scan(text) if isinstance(token, yaml.AliasToken)), None)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(_("{file}: cannot be read: {reason}.", file=path, reason=error)) from error
    except yaml.MarkedYAMLError as error:
        raise _fault(path, error.problem_mark, str(error.problem)) from error
    if alias is not None:  # may repeat itself without end
        raise _fault(path, alias.start_mark, _("an alias (*) is not taken here"))
    if document is None:
        return SandboxConfig()
    content = _plain(document, path)
    try:
        return TypeAdapter(SandboxConfig).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _fault(path, _mark(document, first["loc"]), f"{place}: {first['msg']}") from error


def _plain(node: yaml.Node, path: Path) -> Any:  # noqa: ANN401  # YAML is of any shape until it is validated
    """Return a YAML node as dicts, lists and texts; a key that stands twice is an error, not the last one's win."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    content: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault(path, key.start_mark, _("a key has to be a text"))
        if key.value in content:
            raise _fault(path, key.start_mark, _("{key} stands twice", key=key.value))
        content[key.value] = _plain(value, path)
    return content


def _mark(node: yaml.Node, place: tuple[int | str, ...]) -> yaml.Mark:
    """Return where the innermost part of `place` that stands in the document begins."""
    mark: yaml.Mark = node.start_mark
    for part in place:
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
            "{file}:{line}: {reason}. Correct that line; the keys are explained in docs/sandbox.md.",
            file=path,
            line=mark.line + 1 if mark else 1,
            reason=reason,
        )
    )
