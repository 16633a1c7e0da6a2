"""The settings file, in the user's own folder: what stays the same from week to week, and what its user has agreed to.

It is TOML, written by a person or by the answers to questions, and readable by its owner only. No mapping and no source
can change it.
"""

from __future__ import annotations

import difflib
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from importer.errors import SettingsError, UsageError
from importer.journal_place import Place, Server, parse_place
from importer.messages import _
from importer.periods import Period
from importer.settings.address import normal_server
from importer.system import disk
from importer.system.causes import reason_of

_TEXTS = ("server", "operation", "proxy", "case_url")
_PATHS = ("token_file", "ca_file", "journal")
_KEYS = (*_TEXTS, *_PATHS, "retention", "folders", "trusted")
_TRUSTED_KEYS = ("server", "operation", "token_file")


@dataclass(frozen=True, slots=True)
class Trusted:
    """A server and an operation that the user agreed to, and the file with their token, if one is named."""

    server: str
    operation: str
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the settings file says; None, or empty, for what it leaves out."""

    path: Path
    exists: bool = False
    server: str | None = None
    operation: str | None = None
    proxy: str | None = None
    case_url: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    journal: Place | None = None
    retention: Period | None = None
    folders: tuple[Path, ...] = ()
    trusted: tuple[Trusted, ...] = ()

    def trusts(self, server: str, operation: str) -> bool:
        """Tell whether the user agreed to this server and operation."""
        return any((one.server, one.operation) == (server, operation) for one in self.trusted)

    def token_file_for(self, server: str, operation: str) -> Path | None:
        """Return the file with the token of this server and operation; a token belongs to both.

        The `token_file` at the top is for the server and operation beside it, or for any if none are there.
        """
        for one in self.trusted:
            if one.token_file and (one.server, one.operation) == (server, operation):
                return one.token_file
        if self.server not in {None, server} or self.operation not in {None, operation}:
            return None
        return self.token_file


def settings_path() -> Path:
    """Return where the settings file is: in the user's folder for configuration."""
    return user_config_path("case-importer", appauthor=False) / "settings.toml"


def load_settings() -> Settings:
    """Return what the settings file says; raises SettingsError, with the line or key, if it is not valid."""
    path = settings_path()
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return Settings(path)
    except tomllib.TOMLDecodeError as error:
        raise _error(path, _("it is not valid TOML: {reason}", reason=error)) from error
    except UnicodeDecodeError as error:
        raise _error(path, _("it is not UTF-8 text")) from error
    except OSError as error:
        raise _error(path, _("it cannot be read: {reason}", reason=reason_of(error))) from error
    _refuse_unknown(path, content, _KEYS, "")
    folder = path.parent
    return Settings(
        path=path,
        exists=True,
        server=_server(path, content, "server"),
        operation=_text(path, content, "operation"),
        proxy=_text(path, content, "proxy"),
        case_url=_text(path, content, "case_url"),
        token_file=_path(path, content, "token_file"),
        ca_file=_path(path, content, "ca_file"),
        journal=_place(path, content, "journal"),
        retention=_period(path, content, "retention"),
        folders=tuple(folder / Path(name).expanduser() for name in _texts(path, content, "folders")),
        trusted=tuple(_trusted(path, content)),
    )


def trust(server: str, operation: str) -> None:
    """Remember that the user agreed to this server and operation; raises SettingsError if that cannot be written."""
    settings = load_settings()
    if not settings.trusts(server, operation):
        _append(settings, "trusted", {"server": server, "operation": operation})


def allow_folder(folder: Path) -> None:
    """Remember that files in this folder may be read; raises SettingsError if that cannot be written."""
    settings = load_settings()
    if folder not in settings.folders:
        _append(settings, "folders", str(folder))


def name_target(server: str, operation: str) -> None:
    """Name the server and the operation for all imports; raises SettingsError if that cannot be written."""
    _change(load_settings(), {"server": server, "operation": operation})


def _change(settings: Settings, values: Mapping[str, str]) -> None:
    """Set values in the file; everything else is kept, comments included."""
    import tomlkit  # noqa: PLC0415 - as below

    path = settings.path
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if settings.exists else tomlkit.document()
        for key, value in values.items():
            document[key] = value
        _replace(path, tomlkit.dumps(document))
    except OSError as error:
        raise _error(path, _("it cannot be written: {reason}", reason=reason_of(error))) from error


def _append(settings: Settings, key: str, value: object) -> None:
    """Add a value to a list in the file; everything else is kept, comments included."""
    import tomlkit  # noqa: PLC0415 - only a new answer needs it

    path = settings.path
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if settings.exists else tomlkit.document()
        if key not in document:
            document[key] = tomlkit.aot() if isinstance(value, dict) else tomlkit.array()
        if isinstance(document[key], tomlkit.items.AoT) and isinstance(value, dict):
            entry = tomlkit.table()
            entry.update(value)
            document[key].append(entry)
        else:
            document[key].append(value)
        _replace(path, tomlkit.dumps(document))
    except OSError as error:
        raise _error(path, _("it cannot be written: {reason}", reason=reason_of(error))) from error


def _replace(path: Path, text: str) -> None:
    """Replace the file by one with the new text, in one step; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{secrets.token_hex(6)}.toml")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        disk.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _trusted(path: Path, content: Mapping[str, Any]) -> list[Trusted]:
    found = content.get("trusted", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _error(path, _("trusted: write tables, each [[trusted]] with a server and an operation"))
    trusted = []
    for one in found:
        _refuse_unknown(path, one, _TRUSTED_KEYS, "trusted: ")
        server, operation = _server(path, one, "server"), _text(path, one, "operation")
        if server is None or operation is None:
            raise _error(path, _("trusted: each entry needs both server and operation"))
        trusted.append(Trusted(server, operation, _path(path, one, "token_file")))
    return trusted


def _server(path: Path, content: Mapping[str, Any], key: str) -> str | None:
    written = _text(path, content, key)
    try:
        return written and normal_server(written)
    except SettingsError as error:
        raise _error(path, str(error)) from error


def _text(path: Path, content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise _error(path, _('{key}: write text in quotation marks, such as {key} = "…"', key=key))
    return value


def _period(path: Path, content: Mapping[str, Any], key: str) -> Period | None:
    written = _text(path, content, key)
    try:
        return None if written is None else Period.read(written)
    except ValueError as error:
        raise _error(path, f"{key}: {error}") from error


def _path(path: Path, content: Mapping[str, Any], key: str) -> Path | None:
    value = _text(path, content, key)
    return None if value is None else path.parent / Path(value).expanduser()


def _place(path: Path, content: Mapping[str, Any], key: str) -> Place | None:
    value = _text(path, content, key)
    if value is None:
        return None
    try:
        place = parse_place(value)
    except UsageError as error:
        raise _error(path, f"{key}: {error}") from error
    return place if isinstance(place, Server) else path.parent / place.expanduser()


def _texts(path: Path, content: Mapping[str, Any], key: str) -> list[str]:
    value = content.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise _error(path, _('{key}: write a list of texts, such as {key} = ["…"]', key=key))
    return value


def _refuse_unknown(path: Path, content: Mapping[str, Any], known: tuple[str, ...], within: str) -> None:
    """Raise SettingsError that names every unknown key, with the names that it may have meant."""
    unknown = [key for key in content if key not in known]
    if not unknown:
        return
    hints = []
    for key in unknown:
        near = difflib.get_close_matches(key, known, 2)
        hints.append(f"{key} ({_('did you mean {names}?', names=' / '.join(near))})" if near else key)
    raise _error(
        path,
        _(
            "{within}unknown keys: {keys}. Known keys: {known}",
            within=within,
            keys=", ".join(hints),
            known=", ".join(known),
        ),
    )


def _error(path: Path, reason: str) -> SettingsError:
    return SettingsError(_("{path} (the settings file): {reason}", path=path, reason=reason))
