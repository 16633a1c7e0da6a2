"""The token of a server and an operation: from the environment, a file that only its owner can read, or the keyring.

The importer never writes it to a file.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from importer.causes import reason_of
from importer.commands import command_line
from importer.errors import SettingsError
from importer.messages import _
from importer.settings.file import Settings

KEYRING_SERVICE = "case-importer"

_OTHERS_MAY_READ = 0o077


def keyring_user(server: str, operation: str) -> str:
    """Return the name under which the keyring holds the token of an operation."""
    return f"{operation}@{urlsplit(server).netloc}"


def find_token(settings: Settings, token_env: str | None, server: str, operation: str) -> str:
    """Return the token from the variable that is named, `WOLKVOX_TOKEN`, a file or the keyring, in that order.

    Raises SettingsError, with the remedy, if there is none or it is not valid.
    """
    token = os.environ.get(token_env or "WOLKVOX_TOKEN", "").strip()
    if not token and token_env:
        raise SettingsError(_("The environment variable {name} (--token-env) is empty or not set.", name=token_env))
    token = (
        token
        or _from_file_in_environment()
        or _from_file_in_settings(settings, server, operation)
        or token_in_keyring(server, operation)
        or ""
    )
    if not token:
        raise SettingsError(
            _(
                "There is no token for operation {operation}. Store it with `{command}`, or set the environment"
                " variable WOLKVOX_TOKEN. Tokens are created in the CRM under Configuration, Wolkvox Integration,"
                " Tokens (type: Internal).",
                operation=operation,
                command=command_line("login", "--server", server, "--operation", operation),
            )
        )
    return check_token(token)


def check_token(token: str) -> str:
    """Return the token; raises SettingsError if it has characters that no token has."""
    if not (token.isascii() and token.isprintable()):
        raise SettingsError(_("The token contains characters that no token has. Copy it again from the CRM."))
    return token


def token_in_keyring(server: str, operation: str) -> str | None:
    """Return the token that `login` stored for a server and an operation; a computer without a keyring has none."""
    import keyring  # noqa: PLC0415 - slow to import, and most commands do not need it
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(KEYRING_SERVICE, keyring_user(server, operation))
    except KeyringError:
        return None


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
