"""Server, operation and token: from flags, the environment, the mapping and the keyring, in that order.

The token is never written to a file of ours; it is read from `WOLKVOX_TOKEN`, from the file that
`WOLKVOX_TOKEN_FILE` names, or from the keyring of the operating system.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from importer.errors import SettingsError
from importer.hosts import is_loopback
from importer.messages import _
from importer.model import Target

KEYRING_SERVICE = "case-importer"

CASE_URL = "WOLKVOX_CASE_URL"
"""The environment variable that holds the address of a case, `{wolkvox_id}` in the place of its id."""

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line says of the connection; None where it says nothing."""

    server: str | None = None
    operation: str | None = None
    token_env: str | None = None
    proxy: str | None = None
    ca_file: Path | None = None


def server_and_operation(said: Connection, mapped: Connection = Connection()) -> tuple[str | None, str | None]:
    """Return the server's address and the operation, each None where nothing names it.

    A flag outranks the environment (`WOLKVOX_SERVER`, `WOLKVOX_OPERATION`), and that the mapping. Raises SettingsError
    for an address that cannot be used.
    """
    server = said.server or os.environ.get("WOLKVOX_SERVER") or mapped.server
    operation = said.operation or os.environ.get("WOLKVOX_OPERATION") or mapped.operation
    return server and normal_server(server), operation


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


def target(said: Connection, mapped: Connection = Connection()) -> Target:
    """Return where cases go, token included.

    Raises SettingsError, with the remedy, for what is missing or unusable.
    """
    server, operation = place(said, mapped)
    if said.ca_file is not None and not said.ca_file.is_file():
        raise SettingsError(_("{path}: there is no such certificate file (--ca-file).", path=said.ca_file))
    return Target(server, operation, _token(said, server, operation), said.proxy, said.ca_file)


def case_url() -> str | None:
    """Return the address of a case's page, `{wolkvox_id}` in the place of its id; None where nobody has said it.

    The vendor's pages document no such address, so that it has to be copied from a browser. Raises SettingsError for
    what cannot be one.
    """
    said = os.environ.get(CASE_URL, "").strip()
    if said and not (said.startswith(("https://", "http://")) and "{wolkvox_id}" in said):
        raise SettingsError(
            _(
                "{name} is {value}, which leads to no case. Open a case in the CRM, copy the address that your browser"
                " shows, and write {{wolkvox_id}} where its id stands.",
                name=CASE_URL,
                value=said,
            )
        )
    return said or None


def normal_server(server: str) -> str:
    """Return a server's address as `https://host`, without a trailing slash.

    Raises SettingsError for anything but a host with an optional port, and for plain http to a host that is not
    loopback.
    """
    written = server.strip()
    try:
        address = urlsplit(written if "://" in written else f"https://{written}")
        host, port = (address.hostname or "").rstrip("."), address.port
        usable = bool(_HOST_NAME.fullmatch(host) or _ip_address(host)) and address.scheme in {"http", "https"}
        more = "@" in address.netloc or address.path.strip("/") or address.query or address.fragment
    except ValueError:
        usable = False
    if not usable or more:
        raise SettingsError(
            _(
                "{server} is no server's address. Give the host alone, like crm0001.wolkvox.com: the one that your"
                " browser shows after you log in to the CRM.",
                server=server,
            )
        )
    if address.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            _(
                "{server}: plain http would send the token and the customers' data unprotected; it is allowed to this"
                " computer only. Use https://{host}.",
                server=server,
                host=host,
            )
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{shown}" + (f":{port}" if port else "")


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def keyring_user(server: str, operation: str) -> str:
    """Return the name under which the keyring holds the token of an operation."""
    return f"{operation}@{urlsplit(server).netloc}"


def _token(said: Connection, server: str, operation: str) -> str:
    """Find the token: a named variable, `WOLKVOX_TOKEN`, a named file, the keyring."""
    variable = said.token_env or "WOLKVOX_TOKEN"
    token = os.environ.get(variable, "").strip()
    if not token and said.token_env:
        raise SettingsError(
            _("The environment variable {name} (--token-env) is not set or empty.", name=said.token_env)
        )
    token = token or _token_from_file() or _token_from_keyring(server, operation) or ""
    if not token:
        raise SettingsError(
            _(
                "There is no token for operation {operation}. Store it with `case-importer login --server {server}"
                " --operation {operation}`, or set the environment variable WOLKVOX_TOKEN. Tokens are made in the CRM"
                " under Configuration, Wolkvox Integration, Tokens (kind: Internal).",
                operation=operation,
                server=server,
            )
        )
    return usable(token)


def usable(token: str) -> str:
    """Return the token; raises SettingsError where it cannot be one."""
    if not (token.isascii() and token.isprintable()):
        raise SettingsError(_("The token holds characters that no token has. Copy it again from the CRM."))
    return token


def _token_from_file() -> str | None:
    name = os.environ.get("WOLKVOX_TOKEN_FILE")
    if not name:
        return None
    try:
        token = Path(name).read_text(encoding="utf-8-sig").strip()  # Notepad begins a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{path}: the token file (WOLKVOX_TOKEN_FILE) cannot be read: {error}", path=name, error=error)
        ) from error
    if not token:
        raise SettingsError(_("{path}: the token file (WOLKVOX_TOKEN_FILE) is empty.", path=name))
    return token


def _token_from_keyring(server: str, operation: str) -> str | None:
    """Ask the keyring; a machine without one has no token there."""
    import keyring  # noqa: PLC0415 - slow to import, and most starts need it not
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(KEYRING_SERVICE, keyring_user(server, operation))
    except KeyringError:
        return None
