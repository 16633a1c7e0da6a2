"""The token of a server and an operation: from the environment, a file that only its owner reads, or the keyring.

It is never written to a file of ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from importer.errors import SettingsError
from importer.messages import _
from importer.settings.file import Settings

KEYRING_SERVICE = "case-importer"

_OTHERS_MAY_READ = 0o077


def keyring_user(server: str, operation: str) -> str:
    """Return the name under which the keyring holds the token of an operation."""
    return f"{operation}@{urlsplit(server).netloc}"


def find_token(settings: Settings, token_env: str | None, server: str, operation: str) -> str:
    """Return the token: of a named variable, `WOLKVOX_TOKEN`, a named file, or the keyring, in that order.

    Raises SettingsError, with the remedy, where there is none or it cannot be one.
    """
    token = os.environ.get(token_env or "WOLKVOX_TOKEN", "").strip()
    if not token and token_env:
        raise SettingsError(_("The environment variable {name} (--token-env) is not set or empty.", name=token_env))
    token = (
        token
        or _of_the_environments_file()
        or _of_the_settings_file(settings, server, operation)
        or token_in_keyring(server, operation)
        or ""
    )
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


def token_in_keyring(server: str, operation: str) -> str | None:
    """Return the token that `login` stored for a server and an operation; a machine without a keyring has none."""
    import keyring  # noqa: PLC0415 - slow to import, and most starts need it not
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(KEYRING_SERVICE, keyring_user(server, operation))
    except KeyringError:
        return None


def _of_the_environments_file() -> str | None:
    name = os.environ.get("WOLKVOX_TOKEN_FILE")
    return _content(Path(name), "WOLKVOX_TOKEN_FILE") if name else None


def _of_the_settings_file(settings: Settings, server: str, operation: str) -> str | None:
    """Return the token of the file that the settings name; raises SettingsError where others may read that file."""
    path = settings.token_file_for(server, operation)
    if path is None:
        return None
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0  # reading it says what is wrong
    if os.name == "posix" and mode & _OTHERS_MAY_READ:
        raise SettingsError(
            _(
                "{path}: other users may read the token file. Make it readable by its owner only (chmod 600 {path}),"
                " and make a new token in the CRM if somebody may have read this one.",
                path=path,
            )
        )
    return _content(path, _("token_file in {settings}", settings=settings.path))


def _content(path: Path, named: str) -> str:
    """Return the token in a file; `named` says who names the file."""
    try:
        token = path.read_text(encoding="utf-8-sig").strip()  # Notepad begins a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{path}: the token file ({named}) cannot be read: {error}", path=path, named=named, error=error)
        ) from error
    if not token:
        raise SettingsError(_("{path}: the token file ({named}) is empty.", path=path, named=named))
    return token
