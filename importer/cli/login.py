"""`case-importer login`: an operation's token into the keyring; creates nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click
import keyring
from keyring.backends import fail
from keyring.errors import KeyringError, PasswordDeleteError

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.terminal import someone_is_there
from importer.errors import SettingsError, UsageError
from importer.messages import _
from importer.settings import KEYRING_SERVICE, Connection, keyring_user, place, usable


@click.command("login")
@options.any_mapping
@options.place
@options.network
@click.option("--forget", is_flag=True, help=_("Remove the token from the keyring instead."))
@options.logging
def command(
    *,
    mapping: Path | None,
    forget: bool,
    log_file: Path | None,
    verbose: int,
    **connection: object,
) -> int:
    """Ask for an operation's token, see whether the CRM takes it, and store it in the keyring. Sends nothing else.

    Exit status: 0 stored, 2 nothing was stored, 3 the server cannot be reached, 5 the CRM does not take the token.
    """
    set_up(log_file, verbose)
    said = Connection(**connection)  # type: ignore[arg-type]
    address, name = place(said, _mapped(mapping))
    user = keyring_user(address, name)
    if isinstance(keyring.get_keyring(), fail.Keyring):
        raise _no_keyring()
    if forget:
        _remove(user)
        return 0
    token = _ask(name, address)
    left = _verified(said, address, name, token)
    _store(user, token)
    click.echo(_("The CRM takes the token ({left} calls left today), and the keyring holds it.", left=left))
    if os.environ.get("WOLKVOX_TOKEN"):
        click.echo(_("Note: WOLKVOX_TOKEN is set, and is used instead of the keyring's."))
    return 0


def _mapped(path: Path | None) -> Connection:
    if path is None:
        return Connection()
    from importer import mapping  # noqa: PLC0415 - pandas is slow to import

    cases = mapping.load_mapping(path)
    return Connection(cases.server, cases.operation)


def _ask(operation: str, server: str) -> str:
    if not someone_is_there():
        raise UsageError(_("Nobody can be asked for the token here. Set WOLKVOX_TOKEN or WOLKVOX_TOKEN_FILE instead."))
    question = _("Token of operation {operation} at {server} (not shown)", operation=operation, server=server)
    return usable(click.prompt(question, hide_input=True, err=True).strip())


def _verified(said: Connection, server: str, operation: str, token: str) -> str:
    """Return how many calls are left, which only a token that the CRM takes is told; costs one call."""
    from importer.crm import Crm  # noqa: PLC0415 - requests is slow to import
    from importer.model import Target  # noqa: PLC0415

    with Crm(Target(server, operation, token, said.proxy, said.ca_file)) as crm:
        left = crm.token_information().left
    return "?" if left is None else str(left)


def _store(user: str, token: str) -> None:
    """Store the token and read it back: some keyrings take everything and keep nothing."""
    try:
        keyring.set_password(KEYRING_SERVICE, user, token)
        kept = keyring.get_password(KEYRING_SERVICE, user) == token
    except KeyringError as error:
        raise _no_keyring() from error
    if not kept:
        raise _no_keyring()


def _remove(user: str) -> None:
    try:
        keyring.delete_password(KEYRING_SERVICE, user)
    except PasswordDeleteError:
        click.echo(_("The keyring holds no token for {user}.", user=user))
    except KeyringError as error:
        raise _no_keyring() from error
    else:
        click.echo(_("The keyring holds the token for {user} no longer.", user=user))


def _no_keyring() -> SettingsError:
    return SettingsError(
        _(
            "This computer has no keyring that can be used. Set the environment variable WOLKVOX_TOKEN, or write the"
            " token into a file that only you may read and name it in WOLKVOX_TOKEN_FILE."
        )
    )
