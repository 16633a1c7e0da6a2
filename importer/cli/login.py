"""`case-importer login`: store an operation's token in the keyring; creates nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import keyring
from keyring.backends import fail
from keyring.errors import KeyringError

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.terminal import is_interactive
from importer.errors import SettingsError, UsageError
from importer.messages import _, gettext_noop
from importer.settings import (
    Connection,
    check_token,
    forget_token,
    keyring_user,
    require_server_and_operation,
    store_token,
)


@click.command(
    "login",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the token is stored"),
        2: gettext_noop("nothing was stored"),
        3: gettext_noop("the server cannot be reached"),
        5: gettext_noop("the CRM does not accept the token"),
    },
    help=gettext_noop(
        "Ask for an operation's token, check that the CRM accepts it, and store it in the keyring. Sends nothing else."
    ),
)
@options.any_mapping
@options.target
@options.network
@click.option("--forget", is_flag=True, help=gettext_noop("Remove the token from the keyring instead."))
@options.logging
def command(
    *,
    mapping: Path | None,
    forget: bool,
    log_file: Path | None,
    verbose: int,
    **others: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `login`."""
    set_up(log_file, verbose)
    connection = Connection(**others)
    server, operation = require_server_and_operation(connection, _mapped(mapping))
    if isinstance(keyring.get_keyring(), fail.Keyring):
        raise _no_keyring()
    if forget:
        _remove(server, operation)
        return 0
    token = _ask(operation, server)
    left = _calls_left(connection, server, operation, token)
    if not store_token(server, operation, token):
        raise _no_keyring()
    click.echo(_("The CRM accepts the token (calls left today: {left}); it is stored in the keyring.", left=left))
    if os.environ.get("WOLKVOX_TOKEN"):
        click.echo(_("Note: WOLKVOX_TOKEN is set, and is used instead of the token in the keyring."))
    return 0


def _mapped(path: Path | None) -> Connection:
    if path is None:
        return Connection()
    from importer import mapping  # noqa: PLC0415 - slow to import, and few logins need it

    case_mapping = mapping.load_mapping(path)
    return Connection(case_mapping.server, case_mapping.operation)


def _ask(operation: str, server: str) -> str:
    if not is_interactive():
        raise UsageError(_("Cannot ask for the token: no terminal. Set WOLKVOX_TOKEN or WOLKVOX_TOKEN_FILE instead."))
    question = _("Token of operation {operation} at {server} (not shown)", operation=operation, server=server)
    return check_token(click.prompt(question, hide_input=True, err=True).strip())


def _calls_left(connection: Connection, server: str, operation: str, token: str) -> str:
    """Return how many calls are left, which the CRM tells only for a token that it accepts; costs one call."""
    from importer.crm import Crm  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.model import Target  # noqa: PLC0415

    with Crm(Target(server, operation, token, connection.proxy, connection.ca_file)) as crm:
        left = crm.token_information().left
    return "?" if left is None else str(left)


def _remove(server: str, operation: str) -> None:
    user = keyring_user(server, operation)
    try:
        was_there = forget_token(server, operation)
    except KeyringError as error:
        raise _no_keyring() from error
    if was_there:
        click.echo(_("The token for {user} was removed from the keyring.", user=user))
    else:
        click.echo(_("The keyring has no token for {user}.", user=user))


def _no_keyring() -> SettingsError:
    return SettingsError(
        _(
            "This computer has no usable keyring. Set the environment variable WOLKVOX_TOKEN, or write the token into"
            " a file that only you can read and name that file in WOLKVOX_TOKEN_FILE."
        )
    )
