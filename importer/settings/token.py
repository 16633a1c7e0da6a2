"""The token of a server and an operation: from the environment, a file that only its owner can read, or the keyring.

The importer never writes it to a file. Where a computer has no keyring, a program may hold it in memory until it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from importer.commands import command_line, told
from importer.errors import SettingsError
from importer.messages import _
from importer.settings.file import Settings
from importer.system.causes import reason_of

KEYRING_SERVICE = "case-importer"

TokenPlace = Literal["environment", "file", "memory", "keyring"]

_OTHERS_MAY_READ = 0o077

_held: dict[str, str] = {}
"""Tokens that this process holds, by the names that they would have in a keyring."""


def keyring_user(server: str, operation: str) -> str:
    """Return the name under which the keyring holds the token of an operation."""
    return f"{operation}@{urlsplit(server).netloc}"


def find_token(settings: Settings, token_env: str | None, server: str, operation: str) -> str:
    """Return the token from the variable that is named, `WOLKVOX_TOKEN`, a file or the keyring, in that order.

    Raises SettingsError, with the remedy, if there is none or it is not valid.
    """
    if token_env and not os.environ.get(token_env, "").strip():
        raise SettingsError(
            told(
                _("The environment variable {name} (--token-env) is empty or not set.", name=token_env),
                _(
                    "The token is to be in the environment variable {name}, which is empty or not set."
                    " Whoever set this program up has to set it.",
                    name=token_env,
                ),
            )
        )
    _place, token = next(_tokens(settings, token_env, server, operation), (None, ""))
    if not token:
        raise SettingsError(
            told(
                _(
                    "There is no token for operation {operation}. Store it with `{command}`, or set the environment"
                    " variable WOLKVOX_TOKEN. Tokens are created in the CRM under Configuration, Wolkvox Integration,"
                    " Tokens (type: Internal).",
                    operation=operation,
                    command=command_line("login", "--server", server, "--operation", operation),
                ),
                _(
                    "There is no token for operation {operation} yet. On the page Send, click"
                    " Connection, and enter it. Tokens are created in the CRM under Configuration,"
                    " Wolkvox Integration, Tokens (type: Internal).",
                    operation=operation,
                ),
            )
        )
    return check_token(token)


def token_place(settings: Settings, token_env: str | None, server: str, operation: str) -> TokenPlace | None:
    """Return where the token of a server and an operation comes from, None where there is none.

    Raises SettingsError for a file with it that cannot be used.
    """
    place, _token = next(_tokens(settings, token_env, server, operation), (None, ""))
    return place


def _tokens(settings: Settings, token_env: str | None, server: str, operation: str) -> Iterator[tuple[TokenPlace, str]]:
    """Yield the tokens that there are, the one that is used first."""
    if token := os.environ.get(token_env or "WOLKVOX_TOKEN", "").strip():
        yield "environment", token
    if token := _from_file_in_environment() or _from_file_in_settings(settings, server, operation) or "":
        yield "file", token
    if token := stored_token(server, operation) or "":
        yield "memory" if keyring_user(server, operation) in _held else "keyring", token


def check_token(token: str) -> str:
    """Return the token; raises SettingsError if it has characters that no token has."""
    if not (token.isascii() and token.isprintable()):
        raise SettingsError(_("The token contains characters that no token has. Copy it again from the CRM."))
    return token


def stored_token(server: str, operation: str) -> str | None:
    """Return the token that was stored for a server and an operation; a computer without a keyring has none."""
    import keyring  # noqa: PLC0415 - slow to import, and most commands do not need it
    from keyring.errors import KeyringError  # noqa: PLC0415

    user = keyring_user(server, operation)
    try:
        return _held.get(user) or keyring.get_password(KEYRING_SERVICE, user)
    except KeyringError:
        return None


def store_token(server: str, operation: str, token: str) -> bool:
    """Store a token in the keyring; return False where the computer has none that keeps it.

    It is read back, because some keyrings accept everything and keep nothing.
    """
    import keyring  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError  # noqa: PLC0415

    user = keyring_user(server, operation)
    try:
        keyring.set_password(KEYRING_SERVICE, user, token)
        stored = keyring.get_password(KEYRING_SERVICE, user) == token
    except KeyringError:
        return False
    if stored:
        _held.pop(user, None)
    return stored


def hold_token(server: str, operation: str, token: str) -> None:
    """Hold a token in memory until this process ends, for a computer without a keyring."""
    _held[keyring_user(server, operation)] = token


def forget_token(server: str, operation: str) -> bool:
    """Remove a stored token; return False where there is none. Raises KeyringError where the keyring cannot be used."""
    import keyring  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError, PasswordDeleteError  # noqa: PLC0415

    user = keyring_user(server, operation)
    was_held = _held.pop(user, None) is not None
    try:
        keyring.delete_password(KEYRING_SERVICE, user)
    except PasswordDeleteError:
        return was_held
    except KeyringError:
        if not was_held:
            raise
    return True


def _from_file_in_environment() -> str | None:
    name = os.environ.get("WOLKVOX_TOKEN_FILE")
    return _read(Path(name), "WOLKVOX_TOKEN_FILE") if name else None


def _from_file_in_settings(settings: Settings, server: str, operation: str) -> str | None:
    """Return the token in the file that the settings name; raises SettingsError if other users can read that file."""
    path = settings.token_file_for(server, operation)
    if path is None:
        return None
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0  # reading the file reports what is wrong
    if os.name == "posix" and mode & _OTHERS_MAY_READ:
        raise SettingsError(
            _(
                "{path}: other users can read the token file. Make it readable by its owner only (chmod 600 {path}),"
                " and create a new token in the CRM if someone may have read this one.",
                path=path,
            )
        )
    return _read(path, _("token_file in {settings}", settings=settings.path))


def _read(path: Path, named_by: str) -> str:
    """Return the token in a file; `named_by` is shown in messages."""
    try:
        token = path.read_text(encoding="utf-8-sig").strip()  # Notepad begins a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _(
                "{path}: the token file ({named_by}) cannot be read: {error}",
                path=path,
                named_by=named_by,
                error=reason_of(error),
            )
        ) from error
    if not token:
        raise SettingsError(_("{path}: the token file ({named_by}) is empty.", path=path, named_by=named_by))
    return token
