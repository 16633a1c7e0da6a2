"""Where cases go: server and operation, who named them, and whether the token may go there.

An option takes precedence over the environment, the environment over the settings file, and that over the mapping. A
mapping may come from someone else: the user has to agree to a server or an operation that only the mapping names before
anything goes there, the token included.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import getproxies_environment

from importer.commands import told
from importer.errors import SettingsError
from importer.messages import _
from importer.model import Target
from importer.questions import Answer, Question, QuestionsOpen
from importer.settings.address import normal_server
from importer.settings.file import Settings, load_settings
from importer.settings.token import TokenPlace, find_token, stored_token, token_place
from importer.system.hosts import is_loopback
from importer.text import clean

CASE_URL = "WOLKVOX_CASE_URL"
"""The environment variable with the address of a case, `{wolkvox_id}` standing for its id."""

TRUST_SERVER = "trust-server"
"""The code of the question whether server and operation are the user's."""

NamedBy = Literal["option", "environment", "settings", "mapping", "none"]


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line, or a mapping, says about the connection; None for what it leaves out.

    With `trust_server` the user has agreed to the server and operation, whatever names them; `file` is the mapping.
    """

    server: str | None = None
    operation: str | None = None
    token_env: str | None = None
    proxy: str | None = None
    ca_file: Path | None = None
    trust_server: bool = False
    file: Path | None = None


def server_and_operation(
    connection: Connection, from_mapping: Connection = Connection()
) -> tuple[str | None, str | None]:
    """Return the server's address and the operation, each None if nothing names it.

    `connection` is what the command line says; the environment has `WOLKVOX_SERVER` and `WOLKVOX_OPERATION`. Raises
    SettingsError for an address that cannot be used, and for names that are not UTF-8.
    """
    return _server_and_operation(connection, from_mapping, load_settings())


def _server_and_operation(
    connection: Connection, from_mapping: Connection, settings: Settings
) -> tuple[str | None, str | None]:
    server, _by = _find("server", connection, from_mapping, settings)
    operation, _by = _find("operation", connection, from_mapping, settings)
    return server and normal_server(server), operation


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """Server and operation, what names each of them, and where their token comes from; None for what is missing."""

    server: str | None
    server_by: NamedBy
    operation: str | None
    operation_by: NamedBy
    token: TokenPlace | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return bool(self.server and self.operation and self.token)


def named_target(connection: Connection, from_mapping: Connection = Connection()) -> NamedTarget:
    """Return what is known of where cases go, without asking and without the token itself.

    Raises SettingsError for an address, a settings file or a file with a token that cannot be used.
    """
    settings = load_settings()
    server, server_by = _find("server", connection, from_mapping, settings)
    operation, operation_by = _find("operation", connection, from_mapping, settings)
    server = server and normal_server(server)
    is_known = server and operation
    place = token_place(settings, connection.token_env, server or "", operation or "") if is_known else None
    return NamedTarget(server, server_by, operation, operation_by, place)


def _find(
    what: Literal["server", "operation"], connection: Connection, from_mapping: Connection, settings: Settings
) -> tuple[str | None, NamedBy]:
    """Return the server or the operation, and what names it."""
    candidates: tuple[tuple[NamedBy, str | None], ...] = (
        ("option", getattr(connection, what)),
        ("environment", os.environ.get(f"WOLKVOX_{what.upper()}")),
        ("settings", getattr(settings, what)),
        ("mapping", getattr(from_mapping, what)),
    )
    by, name = next((pair for pair in candidates if pair[1]), ("none", None))
    if name and not _is_text(name):
        raise _not_text(what, name, by)
    return name or None, by


def _not_text(what: Literal["server", "operation"], name: str, by: NamedBy) -> SettingsError:
    sources = {
        "option": _("an option"),
        "environment": _("the environment"),
        "settings": _("the settings file"),
        "mapping": _("the mapping"),
    }
    values = {"name": clean(name), "source": sources.get(by, by)}
    if what == "server":
        sentence = _(
            "The server {name} (from {source}) contains bytes that are not UTF-8, so it cannot be used. Type it again"
            " in a terminal that uses UTF-8.",
            **values,
        )
    else:
        sentence = _(
            "The operation {name} (from {source}) contains bytes that are not UTF-8, so it cannot be sent. Type it"
            " again in a terminal that uses UTF-8.",
            **values,
        )
    return SettingsError(sentence)


def _is_text(name: str) -> bool:
    """Tell whether a name is valid Unicode; bytes of a command line that are not UTF-8 arrive as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_server_and_operation(connection: Connection, from_mapping: Connection = Connection()) -> tuple[str, str]:
    """Return the server's address and the operation; raises SettingsError, with the remedy, if one is missing."""
    return _required(*server_and_operation(connection, from_mapping))


def _required(server: str | None, operation: str | None) -> tuple[str, str]:
    if not server:
        error = SettingsError(
            told(
                _(
                    "No server is given. Give --server with the host that your browser shows after you log in to the"
                    " CRM (such as crm0001.wolkvox.com), set WOLKVOX_SERVER, or write it under target: in the mapping."
                ),
                _(
                    "It is not known yet where the cases go. On the page Send, click Connection, and"
                    " enter the address that your browser shows after you log in to the CRM (such as"
                    " crm0001.wolkvox.com).",
                ),
            )
        )
        error.instead = ("--server", "HOST") if operation else ("--server", "HOST", "--operation", "NAME")
        raise error
    if not operation:
        error = SettingsError(
            told(
                _(
                    "No operation is given. Give --operation, set WOLKVOX_OPERATION, or write it under target: in the"
                    " mapping."
                ),
                _(
                    "The operation is not known yet. On the page Send, click Connection, and enter it.",
                ),
            )
        )
        error.instead = ("--operation", "NAME")
        raise error
    return server, operation


def server_question(connection: Connection, from_mapping: Connection = Connection()) -> Question | None:
    """Return the question whether server and operation are the user's; None if that is certain.

    It is where the user named both by an option, in the environment or in the settings file, stored a token for them
    with `login`, or agreed to them before. A simulated CRM on this computer needs no consent.
    """
    settings = load_settings()
    server, operation = _server_and_operation(connection, from_mapping, settings)
    if not (server and operation) or is_loopback(server):
        return None
    _name, server_by = _find("server", connection, from_mapping, settings)
    _name, operation_by = _find("operation", connection, from_mapping, settings)
    if "mapping" not in {server_by, operation_by}:
        return None
    if settings.trusts(server, operation) or stored_token(server, operation):
        return None
    values = {"server": server, "operation": operation, "file": from_mapping.file or _("the mapping")}
    if server_by == "mapping":
        sentence = _(
            "{file} names the server {server} and the operation {operation}. Are these yours, and may the token and"
            " the cases go there?",
            **values,
        )
    else:
        sentence = _(
            "{file} names the operation {operation} for the server {server}. Is it yours, and may the token and the"
            " cases go there?",
            **values,
        )
    answer = Answer("yes", "--trust-server")
    about = f"{operation}@{server}"
    return Question(TRUST_SERVER, sentence, (answer,), about, given=answer if connection.trust_server else None)


def require_server(connection: Connection, from_mapping: Connection = Connection()) -> str:
    """Return the server's address, once server, operation, certificates and token are known; sends nothing.

    Raises SettingsError, with the remedy, for what is missing or unusable.
    """
    return _target(connection, from_mapping).server


def target(connection: Connection, from_mapping: Connection = Connection()) -> Target:
    """Return where cases go, token included: nothing can be sent or asked without it.

    Raises QuestionsOpen if the user has not agreed to server and operation, SettingsError, with the remedy, for what is
    missing or unusable.
    """
    question = server_question(connection, from_mapping)
    if question is not None and question.given is None:
        raise QuestionsOpen([question])
    return _target(connection, from_mapping)


def _target(connection: Connection, from_mapping: Connection) -> Target:
    settings = load_settings()
    server, operation = _required(*_server_and_operation(connection, from_mapping, settings))
    ca_file = connection.ca_file or settings.ca_file
    if ca_file is not None and not ca_file.is_file():
        named_by = "--ca-file" if connection.ca_file else settings.path
        raise SettingsError(
            told(
                _("{path}: this certificate file does not exist ({named_by}).", path=ca_file, named_by=named_by),
                _(
                    "{path}: the certificate of your office's network is not there any more. Whoever"
                    " set this program up has to put it back.",
                    path=ca_file,
                ),
            )
        )
    environment = getproxies_environment()
    proxy = connection.proxy or (None if environment.get("https") or environment.get("all") else settings.proxy)
    return Target(server, operation, find_token(settings, connection.token_env, server, operation), proxy, ca_file)


def case_url() -> str | None:
    """Return the address of a case's page, `{wolkvox_id}` standing for its id; None if it is not configured.

    The vendor's documentation has no such address, so a person has to copy it from the browser. Raises SettingsError
    for an address that cannot be one.
    """
    settings = load_settings()
    in_environment = os.environ.get(CASE_URL, "").strip()
    address = in_environment or settings.case_url
    if address and not (address.startswith(("https://", "http://")) and "{wolkvox_id}" in address):
        raise SettingsError(
            _(
                "{name} is {value}, which is not the address of a case. Open a case in the CRM, copy the address that"
                " your browser shows, and replace the id in it by {{wolkvox_id}}.",
                name=CASE_URL if in_environment else f"case_url ({settings.path})",
                value=address,
            )
        )
    return address or None
