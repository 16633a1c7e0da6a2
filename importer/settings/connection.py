"""Where cases go: server and operation, who named them, and whether the token may go there.

An option outranks the environment, that the settings file, and that the mapping. A mapping may come from somebody else:
a server or an operation that it alone names has to be agreed to before anything goes there, the token included.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import getproxies_environment

from importer.errors import SettingsError
from importer.hosts import is_loopback
from importer.messages import _
from importer.model import Target
from importer.questions import Answer, Question, QuestionsOpen
from importer.settings.file import Settings, load_settings, normal_server
from importer.settings.token import find_token, token_in_keyring
from importer.text import clean

CASE_URL = "WOLKVOX_CASE_URL"
"""The environment variable that holds the address of a case, `{wolkvox_id}` in the place of its id."""

TRUST_SERVER = "trust-server"

NamedBy = Literal["option", "environment", "settings", "mapping", "nobody"]


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line, or a mapping, says of the connection; None where it says nothing.

    `trust_server` tells that the user means the server and operation, whoever named them; `file` is the mapping.
    """

    server: str | None = None
    operation: str | None = None
    token_env: str | None = None
    proxy: str | None = None
    ca_file: Path | None = None
    trust_server: bool = False
    file: Path | None = None


def server_and_operation(said: Connection, mapped: Connection = Connection()) -> tuple[str | None, str | None]:
    """Return the server's address and the operation, each None where nothing names it.

    An option outranks the environment (`WOLKVOX_SERVER`, `WOLKVOX_OPERATION`), that the settings file, and that the
    mapping. Raises SettingsError for an address that cannot be used, and for names that cannot be written in UTF-8.
    """
    settings = load_settings()
    server, _by = _named("server", said, mapped, settings)
    operation, _by = _named("operation", said, mapped, settings)
    return server and normal_server(server), operation


def _named(
    what: Literal["server", "operation"], said: Connection, mapped: Connection, settings: Settings
) -> tuple[str | None, NamedBy]:
    """Return the server or the operation, and who named it."""
    places: tuple[tuple[NamedBy, str | None], ...] = (
        ("option", getattr(said, what)),
        ("environment", os.environ.get(f"WOLKVOX_{what.upper()}")),
        ("settings", getattr(settings, what)),
        ("mapping", getattr(mapped, what)),
    )
    by, name = next((pair for pair in places if pair[1]), ("nobody", None))
    if name and not _is_text(name):
        raise SettingsError(
            _(
                "The {what} {value} holds bytes that are no text in UTF-8 ({named_by}), so it cannot be sent. Type its"
                " name anew, in a terminal that is set to UTF-8.",
                what=what,
                value=clean(name),
                named_by=by,
            )
        )
    return name or None, by


def _is_text(name: str) -> bool:
    """Tell whether a name can be written in UTF-8: what a command line holds beside it arrives as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def place(said: Connection, mapped: Connection = Connection()) -> tuple[str, str]:
    """Return the server's address and the operation; raises SettingsError, with the remedy, where one is missing."""
    server, operation = server_and_operation(said, mapped)
    if not server:
        raise SettingsError(
            _(
                "No server is named. Give --server with the host that your browser shows after you log in to the CRM"
                " (like crm0001.wolkvox.com), set WOLKVOX_SERVER, or write it under target: in the mapping."
            )
        )
    if not operation:
        raise SettingsError(
            _(
                "No operation is named. Give --operation, set WOLKVOX_OPERATION, or write it under target: in the"
                " mapping."
            )
        )
    return server, operation


def server_question(said: Connection, mapped: Connection = Connection()) -> Question | None:
    """Return the question whether server and operation are meant; None where the user has said so already.

    The user has who named both by an option, in the environment or in the settings file, who stored a token for them
    with `login`, and who agreed to them before. A stand-in on this computer needs no leave.
    """
    settings = load_settings()
    server, operation = server_and_operation(said, mapped)
    if not (server and operation) or is_loopback(server):
        return None
    named = [_named("server", said, mapped, settings)[1], _named("operation", said, mapped, settings)[1]]
    if "mapping" not in named or settings.trusts(server, operation) or token_in_keyring(server, operation):
        return None
    values = {"server": server, "operation": operation, "file": mapped.file or _("the mapping")}
    sentence = (
        _("{file} names the server {server} and the operation {operation}. Are these yours, and may the token and the"
          " cases go there?", **values)
        if named[0] == "mapping"
        else _("{file} names the operation {operation} for the server {server}. Is it yours, and may the token and the"
               " cases go there?", **values)
    )  # fmt: skip
    answer = Answer("yes", "--trust-server")
    about = f"{operation}@{server}"
    return Question(TRUST_SERVER, sentence, (answer,), about, given=answer if said.trust_server else None)


def require(said: Connection, mapped: Connection = Connection()) -> str:
    """Return the server's address where server, operation, certificates and token are there; nothing goes anywhere.

    Raises SettingsError, with the remedy, for what is missing or unusable.
    """
    return _target(said, mapped).server


def target(said: Connection, mapped: Connection = Connection()) -> Target:
    """Return where cases go, token included: nothing can be sent or asked without it.

    Raises QuestionsOpen where the user has not agreed to server and operation, SettingsError, with the remedy, for what
    is missing or unusable.
    """
    question = server_question(said, mapped)
    if question is not None and question.given is None:
        raise QuestionsOpen([question])
    return _target(said, mapped)


def _target(said: Connection, mapped: Connection) -> Target:
    settings = load_settings()
    server, operation = place(said, mapped)
    ca_file = said.ca_file or settings.ca_file
    if ca_file is not None and not ca_file.is_file():
        named = "--ca-file" if said.ca_file else settings.path
        raise SettingsError(_("{path}: there is no such certificate file ({named}).", path=ca_file, named=named))
    around = getproxies_environment()
    proxy = said.proxy or (None if around.get("https") or around.get("all") else settings.proxy)
    return Target(server, operation, find_token(settings, said.token_env, server, operation), proxy, ca_file)


def case_url() -> str | None:
    """Return the address of a case's page, `{wolkvox_id}` in the place of its id; None where nobody has said it.

    The vendor's pages document no such address, so that it has to be copied from a browser. Raises SettingsError for
    what cannot be one.
    """
    settings = load_settings()
    around = os.environ.get(CASE_URL, "").strip()
    said = around or settings.case_url
    if said and not (said.startswith(("https://", "http://")) and "{wolkvox_id}" in said):
        raise SettingsError(
            _(
                "{name} is {value}, which leads to no case. Open a case in the CRM, copy the address that your browser"
                " shows, and write {{wolkvox_id}} where its id stands.",
                name=CASE_URL if around else f"case_url ({settings.path})",
                value=said,
            )
        )
    return said or None
