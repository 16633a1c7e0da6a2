"""What can be looked at without creating anything: settings, server, token, journal, disk and keyring."""

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
from importer.crm import Certificate, ConnectionProbe, Crm, Quota
from importer.errors import ConnectionRefused, ImporterError, ServerUnreachable, SettingsError
from importer.journal import Journal
from importer.messages import _, shorten
from importer.model import Target
from importer.questions import QuestionsOpen
from importer.settings import Connection, Settings

_CLOCK_TOLERANCE = 60.0  # seconds; a server's Date header shows whole ones, and an answer takes its time
_CERTIFICATE_ENDS_SOON = timedelta(days=14)
_FEW_CALLS = 50
_LITTLE_ROOM = 500_000_000  # bytes; the journal needs about 1 kB for a row, reports and spooled sheets far more
_NO_ROOM = 20_000_000


class Level(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its stable name, what was seen, and what mends it.

    `exit_status` is what a fault alone would end the command with, as for `run`.
    """

    name: str
    level: Level
    seen: str
    remedy: str = ""
    exit_status: int = 0


def exit_status(checks: list[Check]) -> int:
    """Return the highest exit status of the faults, 0 where there are none."""
    return max((check.exit_status for check in checks if check.level is Level.FAULT), default=0)


def examine(said: Connection, mapped: Connection, journal: Path) -> Iterator[Check]:
    """Look at everything, and yield each check when it is made; creates nothing, anywhere."""
    try:
        found = settings.load_settings()
        if found.exists:
            yield _settings_file(found)
        server, operation = settings.server_and_operation(said, mapped)
    except SettingsError as error:
        server = operation = None
        yield _fault("settings", error)
    else:
        yield from _connection(said, mapped, server, operation)
    yield _journal(journal)
    yield _disk(journal)
    yield _keyring(server, operation)


def _connection(said: Connection, mapped: Connection, server: str | None, operation: str | None) -> Iterator[Check]:
    """Look at the settings, and as far as they lead at the server and the token."""
    target = None
    try:
        target = settings.target(said, mapped)
        yield _ok(
            "settings", _("{server}, operation {operation}; a token is there", server=server, operation=operation)
        )
    except SettingsError as error:
        yield _fault("settings", error)
    except QuestionsOpen as error:
        asked = error.questions[0]
        yield Check("settings", Level.FAULT, asked.sentence, _("If so, give {option}.", option=asked.option), 2)
        return  # nothing goes there, not even a greeting
    if server is None:
        return
    try:
        with Crm(target or Target(server, operation or "", "", said.proxy, said.ca_file)) as crm:
            yield _ok("proxy", _("through {proxy}", proxy=crm.proxy) if crm.proxy else _("none"))
            yield from _visit(crm, server)
            if target is not None:
                yield from _token(crm, target)
    except ImporterError as error:
        yield Check("server", Level.FAULT, str(error), _remedy(error), error.exit_status)


def _settings_file(found: Settings) -> Check:
    """Tell where the settings file is and what it says; it holds no token."""
    names = ("server", "operation", "proxy", "ca_file", "token_file", "journal", "case_url")
    said = [f"{name} = {value}" for name in names if (value := getattr(found, name)) is not None]
    said += [f"folder {folder}" for folder in found.folders]
    said += [
        f"trusted {one.operation} @ {one.server}" + (f", token_file = {one.token_file}" if one.token_file else "")
        for one in found.trusted
    ]
    return _ok("settings-file", _("{path}: {said}", path=found.path, said="; ".join(said) or _("it sets nothing")))


def _remedy(error: ImporterError) -> str:
    """Return what mends a connection that cannot be had."""
    if isinstance(error, ConnectionRefused):
        return _(
            "See whether --server is the host that the browser shows after login, whether this computer's clock is"
            " right, and whether the network inspects connections: then name its certificate with --ca-file."
        )
    if isinstance(error, ServerUnreachable):
        return _(
            "See whether this computer is online, whether --server is the host that the browser shows after login, and"
            " whether the network demands a proxy (--proxy)."
        )
    return ""


def _visit(crm: Crm, server: str) -> Iterator[Check]:
    visit = crm.visit()
    yield _ok(
        "server",
        _("{server} answers ({peer}, {seconds:.2f} s)", server=server, peer=visit.peer or "?", seconds=visit.seconds),
    )
    if visit.certificate is not None:
        yield _certificate(visit.certificate)
    elif server.startswith("https:"):
        yield _ok("certificate", _("valid; the proxy hides what is in it"))
    else:
        yield _ok("certificate", _("none: plain http, which never leaves this computer"))
    yield _clock(visit)


def _certificate(certificate: Certificate) -> Check:
    seen = _(
        "{subject}, issued by {issuer}, valid until {expires:%Y-%m-%d}",
        subject=certificate.subject,
        issuer=certificate.issuer,
        expires=certificate.expires,
    )
    if certificate.expires - datetime.now(UTC) > _CERTIFICATE_ENDS_SOON:
        return _ok("certificate", seen)
    remedy = _("It ends soon: whoever runs the server, or the network's inspection, has to renew it.")
    return Check("certificate", Level.WARNING, seen, remedy)


def _clock(visit: ConnectionProbe) -> Check:
    if visit.clock_ahead is None:
        remedy = _("Compare this computer's clock with another one.")
        return Check("clock", Level.WARNING, _("the server does not say what time it is"), remedy)
    seen = _("{seconds:.0f} s away from the server's", seconds=abs(visit.clock_ahead))
    if abs(visit.clock_ahead) <= _CLOCK_TOLERANCE:
        return _ok("clock", seen)
    remedy = _("Let this computer set its clock by the network: certificates and waiting times depend on it.")
    return Check("clock", Level.WARNING, seen, remedy)


def _token(crm: Crm, target: Target) -> Iterator[Check]:
    """Ask for the quota, which shows that the token is taken; costs one call."""
    try:
        quota = crm.token_information()
    except ServerUnreachable as error:
        yield Check("token", Level.FAULT, str(error), _("Try again later."), error.exit_status)
        return
    except ConnectionRefused as error:
        remedy = _(
            "See whether the token is of kind Internal and belongs to operation {operation}; make one in the CRM under"
            " Configuration, Wolkvox Integration, Tokens, and store it with `case-importer login`.",
            operation=target.operation,
        )
        yield Check("token", Level.FAULT, str(error), remedy, error.exit_status)
        return
    yield _ok("token", _("accepted for operation {operation}", operation=target.operation))
    yield _quota(quota)


def _quota(quota: Quota) -> Check:
    if quota.left is None:
        return Check(
            "quota",
            Level.WARNING,
            _("the server does not say how many calls are left today"),
            _("See the token's limit in the CRM before a large run."),
        )
    seen = _(
        "{left} of {limit} calls left today, counted anew in about {hours} h",
        left=quota.left,
        limit="?" if quota.limit is None else quota.limit,
        hours="?" if quota.resets_in is None else math.ceil(quota.resets_in / 3600),
    )
    if quota.left == 0:
        return Check("quota", Level.FAULT, seen, _("Wait until the calls are counted anew, or use another token."), 3)
    if quota.left < _FEW_CALLS:
        return Check(
            "quota", Level.WARNING, seen, _("Every case takes one call: a run will pause when they are used up.")
        )
    return _ok("quota", seen)


def _journal(path: Path) -> Check:
    try:
        if not path.exists():
            return _no_journal(path)
        with Journal(path) as journal:
            damages, standing = journal.check(), journal.standing.sentence
    except ImporterError as error:
        return _fault("journal", error)
    except OSError as error:
        return _misplaced(_("{path} cannot be looked at: {error}", path=path, error=error.strerror))
    if standing and not damages:
        return Check("journal", Level.FAULT, standing, _("No row is sent with it until then."), 2)
    if not damages:
        return _ok("journal", _("{path}: sound, and may be written", path=path))
    seen = _("{path}: damaged: {damages}", path=path, damages=shorten("; ".join(damages), 200))
    remedy = _(
        "Send nothing with it. Bring it back from a backup, or take the ids from its last report with"
        " `case-importer adopt` into a new one (--journal)."
    )
    return Check("journal", Level.FAULT, seen, remedy, 2)


def _no_journal(path: Path) -> Check:
    folder = _existing(path.parent)
    if os.access(folder, os.W_OK):
        return _ok("journal", _("{path}: there is none yet, the first run makes it", path=path))
    return _misplaced(_("{path}: you may not write to {folder}", path=path, folder=folder))


def _misplaced(seen: str) -> Check:
    return Check("journal", Level.FAULT, seen, _("Name another place with --journal."), 2)


def _disk(journal: Path) -> Check:
    try:
        free = shutil.disk_usage(_existing(journal.parent)).free
    except OSError as error:
        seen = _("the room where the journal lies cannot be told: {error}", error=error.strerror)
        return Check("disk", Level.WARNING, seen, _("See that its folder is there."))
    seen = _("{free:.1f} GB free where the journal lies", free=free / 1e9)
    if free > _LITTLE_ROOM:
        return _ok("disk", seen)
    remedy = _("Make room before a large run.")
    if free < _NO_ROOM:
        return Check("disk", Level.FAULT, seen, remedy, 3)
    return Check("disk", Level.WARNING, seen, remedy)


def _keyring(server: str | None, operation: str | None) -> Check:
    try:
        user = settings.keyring_user(server or "", operation or "")
        stored = keyring.get_password(settings.KEYRING_SERVICE, user) is not None
    except KeyringError:
        return _ok("keyring", _("none on this computer; tokens come from WOLKVOX_TOKEN or WOLKVOX_TOKEN_FILE"))
    if stored:
        return _ok("keyring", _("holds a token for this operation"))
    return _ok("keyring", _("works, and holds no token for this operation (`case-importer login` stores one)"))


def _existing(folder: Path) -> Path:
    """Return the nearest folder above, or this one, that is there."""
    places = (folder.absolute(), *folder.absolute().parents)
    return next((place for place in places if place.is_dir()), places[-1])


def _ok(name: str, seen: str) -> Check:
    return Check(name, Level.OK, seen)


def _fault(name: str, error: ImporterError) -> Check:
    return Check(name, Level.FAULT, str(error), exit_status=error.exit_status)
