"""Where a journal is: a file of this computer, or a PostgreSQL database that several machines share."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from platformdirs import user_data_path

from importer.errors import UsageError
from importer.messages import _

VARIABLE = "WOLKVOX_JOURNAL"
"""The environment variable that names the journal."""

_IS_SERVER = re.compile(r"postgres(ql)?(\+\w+)?:", re.IGNORECASE)
_IS_PATH = re.compile(r"/(?!/[^/]*@)|~|\.{1,2}[/\\]|\\|[A-Za-z]:[/\\]")
"""How a path begins that is nothing else: at the root, at home, here, on a share, on a drive."""

_IS_NEARLY_SERVER = re.compile(
    r".*://|\s*[\w+.-]{2,}:[/\\]"  # another scheme
    r"|\s*postgres\w*[^\w./\\]*//"  # without its colon
    r"|[^/\\]*:[^/\\]*@|[^/\\]*//[^/]*@|[^/\\]*@[^/\\]*/"  # user and host
    r"|(.*\s)?(host|hostaddr|port|dbname|user|password)\s*=",  # as PostgreSQL's own programs take it
    re.IGNORECASE | re.DOTALL,
)
"""What was meant as an address, or holds a password: a file of such a name would not be the journal that is shared."""

_SETTINGS = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "service", "options", "connect_timeout", "application_name"),
        *(
            "target_session_attrs",
            "load_balance_hosts",
            "sslmode",
            "sslnegotiation",
            "sslrootcert",
            "sslcert",
            "sslkey",
        ),
        *("sslcrl", "sslcrldir", "sslsni", "sslcertmode", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("gssencmode", "krbsrvname", "channel_binding", "require_auth", "requirepeer", "passfile", "client_encoding"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    }
)
"""What a URL may say behind its `?` that is no secret."""

_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]]*)(:\d*)?")
"""A host, perhaps with its port."""

_SECRETS = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class Server:
    """A journal's PostgreSQL database; wherever it is shown, it is without what only its user may know."""

    shown: str
    secret: str = field(repr=False, compare=False, default="")
    """The URL as it was given, perhaps with a password; empty where it is as shown."""

    def __str__(self) -> str:
        """Return the URL without password."""
        return self.shown

    @property
    def url(self) -> str:
        """The URL with all that it says; never to be shown."""
        return self.secret or self.shown


Place = Path | Server
"""Where a journal is."""


def parse_place(text: str, *, may_hold_password: bool = False) -> Place:
    """Return the place that a text names: a PostgreSQL database where it is such a URL, else a file.

    Raises UsageError for a URL that cannot be right, for what is nearly one, and for one with a password where others
    could read it.
    """
    if _IS_SERVER.match(text.strip()):
        return _parse_server(text, may_hold_password=may_hold_password)
    if _IS_NEARLY_SERVER.match(text) and not _IS_PATH.match(text):
        raise UsageError(
            _(
                "The journal's place looks like an address, but is none. Write a database as"
                " postgresql://user@host/database, and a file by its path: ./ before it says that it is one."
            )
        )
    return Path(text)


def place_of_environment() -> Place | None:
    """Return the place that WOLKVOX_JOURNAL names, None where it names none; a URL in it may hold the password."""
    text = os.environ.get(VARIABLE, "").strip()
    place = parse_place(text, may_hold_password=True) if text else None
    return place.expanduser() if isinstance(place, Path) else place


def folder_of(place: Place) -> Path:
    """Return the folder of this computer for what goes with a journal: its own, or the user's for a server."""
    return user_data_path("case-importer", appauthor=False) if isinstance(place, Server) else place.parent


def resolved(place: Place) -> Place:
    """Return a place under the one name that it has, whatever links lead to it."""
    return place if isinstance(place, Server) else place.resolve()


def is_there(place: Place) -> bool:
    """Tell whether there is a journal, as far as that can be told without opening it: a server always may have one."""
    return isinstance(place, Server) or place.is_file()


def may_be_there(place: Place) -> bool:
    """Tell whether there is something at a place that opening it would use, or refuse."""
    return isinstance(place, Server) or place.exists()


def _parse_server(text: str, *, may_hold_password: bool) -> Server:
    text = text.strip()
    try:
        parts = urlsplit(text)
        asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _not_a_url() from error
    user, _at, hosts = parts.netloc.rpartition("@")
    is_cut = parts.fragment or "@" in parts.path + parts.query  # by a character of a password that is to be written %…
    if is_cut or not re.match(r"postgres(ql)?://", text) or not all(map(_HOST.fullmatch, hosts.split(","))):
        raise _not_a_url()
    name, _colon, password = user.partition(":")
    where = f"postgresql://{name}@{hosts}" if name else f"postgresql://{hosts}"
    settings = urlencode([(key, value) for key, value in asked if key in _SETTINGS], safe="/")
    shown = f"{where}{parts.path}{f'?{settings}' if settings else ''}"
    for key, _value in asked:
        if key not in _SETTINGS | _SECRETS:
            raise UsageError(
                _("{place}: {key} is not a setting that the address of a journal may have.", place=shown, key=key)
            )
    if not may_hold_password and (password or any(key in _SECRETS for key, _value in asked)):
        raise UsageError(
            _(
                "{place}: a password in an option can be read by other users of this computer, and stays in the shell's"
                " history. Leave it out, and put it into the file ~/.pgpass (Windows:"
                " %APPDATA%\\postgresql\\pgpass.conf), or set PGPASSWORD or {variable}.",
                place=shown,
                variable=VARIABLE,
            )
        )
    return Server(shown, "" if shown == text else text)


def _not_a_url() -> UsageError:
    return UsageError(
        _(
            "The journal's address is not right. Write it as postgresql://user@host/database, with a port as in"
            " host:5433 where it is not 5432. A special character in a part of it is written as % and two digits, such"
            " as %40 for @."
        )
    )
