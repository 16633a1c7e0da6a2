"""Checks that create nothing: settings, server, token, journal, disk and keyring."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import keyring
from keyring.errors import KeyringError

from importer import settings
from importer.commands import adopt_command, command_line, option, placeholder, same_command
from importer.crm import Certificate, ConnectionProbe, Crm, Quota
from importer.errors import ConnectionRefused, ImporterError, ServerUnreachable, SettingsError
from importer.journal import Journal
from importer.journal_place import Place, folder_of
from importer.messages import _, shorten
from importer.model import Target
from importer.questions import QuestionsOpen
from importer.settings import Connection, Settings
from importer.system.causes import reason_of

_CLOCK_TOLERANCE = 60.0  # seconds; a server's Date header has whole seconds, and an answer takes its time
_CERTIFICATE_EXPIRES_SOON = timedelta(days=14)
_FEW_CALLS = 50
_LOW_SPACE = 500_000_000  # bytes; the journal needs about 1 kB per row, reports and spooled sheets far more
_NO_SPACE = 20_000_000


class Level(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its stable name, its result, what was seen, and what fixes it.

    `exit_status` is the command's exit status if this is its only fault, as for `run`.
    """

    name: str
    level: Level
    seen: str
    remedy: str = ""
    exit_status: int = 0


def exit_status(checks: list[Check]) -> int:
    """Return the highest exit status of the faults, 0 if there are none."""
    return max((check.exit_status for check in checks if check.level is Level.FAULT), default=0)


def run_checks(given: Connection, from_mapping: Connection, journal: Place) -> Iterator[Check]:
    """Yield each check as soon as it is made; nothing is created, neither here nor in the CRM."""
    try:
        found = settings.load_settings()
        if found.exists:
            yield _settings_file(found)
        server, operation = settings.server_and_operation(given, from_mapping)
    except SettingsError as error:
        server = operation = None
        yield _fault("settings", error)
    else:
        yield from _connection(given, from_mapping, server, operation)
    yield _journal(journal)
    yield _disk(journal)
    yield _keyring(server, operation)


def _connection(
    given: Connection, from_mapping: Connection, server: str | None, operation: str | None
) -> Iterator[Check]:
    """Check the settings, and with them the server and the token."""
    target = None
    try:
        target = settings.target(given, from_mapping)
        yield _ok("settings", _("{server}, operation {operation}, token found", server=server, operation=operation))
    except SettingsError as error:
        yield _fault("settings", error)
    except QuestionsOpen as error:
        question = error.questions[0]
        remedy = _("If so, give {option}.", option=question.option)
        yield Check("settings", Level.FAULT, question.sentence, remedy, 2)
        return  # until the user agrees, nothing is sent to that server
    if server is None:
        return
    try:
        with Crm(target or Target(server, operation or "", "", given.proxy, given.ca_file)) as crm:
            yield _ok("proxy", _("through {proxy}", proxy=crm.proxy) if crm.proxy else _("none"))
            yield from _server(crm, server)
            if target is not None:
                yield from _token(crm, target)
    except ImporterError as error:
        yield Check("server", Level.FAULT, str(error), _connection_remedy(error), error.exit_status)


def _settings_file(found: Settings) -> Check:
    """Show the settings file's path and content; it holds no token."""
    names = ("server", "operation", "proxy", "ca_file", "token_file", "journal", "case_url", "retention")
    content = [f"{name} = {value}" for name in names if (value := getattr(found, name)) is not None]
    content += [f"folder {folder}" for folder in found.folders]
    content += [
        f"trusted {one.operation} @ {one.server}" + (f", token_file = {one.token_file}" if one.token_file else "")
        for one in found.trusted
    ]
    shown = "; ".join(content) or _("no settings")
    return _ok("settings-file", _("{path}: {content}", path=found.path, content=shown))


def _connection_remedy(error: ImporterError) -> str:
    """Return what may fix a connection that cannot be made."""
    if isinstance(error, ConnectionRefused):
        return _(
            "Check that --server is the host that your browser shows after you log in, and that this computer's clock"
            " is right. If your network inspects connections, give its certificate with --ca-file."
        )
    if isinstance(error, ServerUnreachable):
        return _(
            "Check that this computer is online, that --server is the host that your browser shows after you log in,"
            " and whether your network requires a proxy (--proxy)."
        )
    return ""


def _server(crm: Crm, server: str) -> Iterator[Check]:
    probe = crm.probe_connection()
    peer = probe.peer or "?"
    seen = _("{server} answers ({peer}, {seconds:.2f} s)", server=server, peer=peer, seconds=probe.seconds)
    yield _ok("server", seen)
    if probe.certificate is not None:
        yield _certificate(probe.certificate)
    elif server.startswith("https:"):
        yield _ok("certificate", _("valid; the proxy hides its details"))
    else:
        yield _ok("certificate", _("none: plain http to this computer"))
    yield _clock(probe)


def _certificate(certificate: Certificate) -> Check:
    seen = _(
        "{subject}, issued by {issuer}, valid until {expires:%Y-%m-%d}",
        subject=certificate.subject,
        issuer=certificate.issuer,
        expires=certificate.expires,
    )
    if certificate.expires - datetime.now(UTC) > _CERTIFICATE_EXPIRES_SOON:
        return _ok("certificate", seen)
    remedy = _("It expires soon. The administrator of the server, or of your network's inspection, must renew it.")
    return Check("certificate", Level.WARNING, seen, remedy)


def _clock(probe: ConnectionProbe) -> Check:
    if probe.clock_ahead is None:
        remedy = _("Compare this computer's clock with another one.")
        return Check("clock", Level.WARNING, _("the server does not send its time"), remedy)
    seen = _("{seconds:.0f} s off the server's clock", seconds=abs(probe.clock_ahead))
    if abs(probe.clock_ahead) <= _CLOCK_TOLERANCE:
        return _ok("clock", seen)
    remedy = _("Set this computer's clock from the network: certificates and waiting times depend on it.")
    return Check("clock", Level.WARNING, seen, remedy)


def _token(crm: Crm, target: Target) -> Iterator[Check]:
    """Request the quota, which shows whether the token is accepted; costs one call."""
    try:
        quota = crm.token_information()
    except ServerUnreachable as error:
        yield Check("token", Level.FAULT, str(error), _("Try again later."), error.exit_status)
        return
    except ConnectionRefused as error:
        remedy = _(
            "Check that the token has the type Internal and belongs to operation {operation}. Create one in the CRM"
            " under Configuration, Wolkvox Integration, Tokens, and store it with `{command}`.",
            operation=target.operation,
            command=command_line("login", "--server", target.server, "--operation", target.operation),
        )
        yield Check("token", Level.FAULT, str(error), remedy, error.exit_status)
        return
    yield _ok("token", _("accepted for operation {operation}", operation=target.operation))
    yield _quota(quota)


def _quota(quota: Quota) -> Check:
    if quota.left is None:
        seen = _("the server does not send how many calls are left today")
        remedy = _("Check the token's limit in the CRM before a large run.")
        return Check("quota", Level.WARNING, seen, remedy)
    seen = _(
        "{left} of {limit} calls left today; the quota resets in about {hours} h",
        left=quota.left,
        limit="?" if quota.limit is None else quota.limit,
        hours="?" if quota.resets_in is None else math.ceil(quota.resets_in / 3600),
    )
    if quota.left == 0:
        return Check("quota", Level.FAULT, seen, _("Wait until the quota resets, or use another token."), 3)
    if quota.left < _FEW_CALLS:
        remedy = _("Each case takes one call: a run pauses when the calls are used up.")
        return Check("quota", Level.WARNING, seen, remedy)
    return _ok("quota", seen)


def _journal(path: Place) -> Check:
    try:
        if isinstance(path, Path) and not path.exists():
            return _no_journal(path)
        with Journal(path) as journal:
            damages, standing = journal.check(), journal.standing.sentence
    except ImporterError as error:
        return _fault("journal", error)
    except OSError as error:
        return _unusable_journal(_("{path} cannot be read: {error}", path=path, error=reason_of(error)))
    if damages:
        seen = _("{path} is damaged: {damages}", path=path, damages=shorten("; ".join(damages), 200))
        remedy = _(
            "Do not send anything with it. Restore it from a backup, or read the ids of its last report into a"
            " new one with `{command}`.",
            command=adopt_command(into_another=True),
        )
        return Check("journal", Level.FAULT, seen, remedy, 2)
    if standing:
        return Check("journal", Level.FAULT, standing, _("Until then, no row is sent with it."), 2)
    return _ok("journal", _("{path}: intact and writable", path=path))


def _no_journal(path: Path) -> Check:
    folder = _existing(path.parent)
    if os.access(folder, os.W_OK):
        return _ok("journal", _("{path}: does not exist yet; the first run creates it", path=path))
    return _unusable_journal(_("{path}: you do not have write access to {folder}", path=path, folder=folder))


def _unusable_journal(seen: str) -> Check:
    return Check(
        "journal",
        Level.FAULT,
        seen,
        _("Choose another file: `{command}`", command=same_command("--journal", placeholder("FILE"))),
        2,
    )


def _disk(journal: Place) -> Check:
    try:
        free = shutil.disk_usage(_existing(folder_of(journal))).free
    except OSError as error:
        seen = _("cannot determine the free space for the journal: {error}", error=reason_of(error))
        return Check("disk", Level.WARNING, seen, _("Check that the journal's folder exists."))
    seen = _("{free:.1f} GB free for the journal", free=free / 1e9)
    if free > _LOW_SPACE:
        return _ok("disk", seen)
    remedy = _("Free some space before a large run.")
    if free < _NO_SPACE:
        return Check("disk", Level.FAULT, seen, remedy, 3)
    return Check("disk", Level.WARNING, seen, remedy)


def _keyring(server: str | None, operation: str | None) -> Check:
    try:
        user = settings.keyring_user(server or "", operation or "")
        stored = keyring.get_password(settings.KEYRING_SERVICE, user) is not None
    except KeyringError:
        return _ok("keyring", _("none on this computer; set WOLKVOX_TOKEN or WOLKVOX_TOKEN_FILE instead"))
    if stored:
        return _ok("keyring", _("has a token for this operation"))
    command = command_line("login", *option("--server", server), *option("--operation", operation))
    return _ok("keyring", _("works; no token stored for this operation (`{command}` stores one)", command=command))


def _existing(folder: Path) -> Path:
    """Return this folder or its nearest parent that exists."""
    folders = (folder.absolute(), *folder.absolute().parents)
    return next((one for one in folders if one.is_dir()), folders[-1])


def _ok(name: str, seen: str) -> Check:
    return Check(name, Level.OK, seen)


def _fault(name: str, error: ImporterError) -> Check:
    return Check(name, Level.FAULT, str(error), exit_status=error.exit_status)
