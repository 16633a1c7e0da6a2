"""How a journal's server is connected to: what makes its commits durable, and tells soon that it is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from importer.journal.storage import busy_seconds
from importer.journal_place import Server

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import Buffer

SCHEMA = "case_importer"
"""Where the tables are, unless the URL's options name another `search_path`."""

_SESSION = {
    "timezone": "UTC",
    "synchronous_commit": "on",  # less could lose an intent when the server crashes, and send its row twice
    "idle_in_transaction_session_timeout": "10s",  # a process that was stopped in the middle must not stop all others
    "statement_timeout": "0",
}
_LIVING: dict[str, str | int | None] = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "connect_timeout": 10,
    "application_name": "case-importer",
}
"""What notices within half a minute that the server is gone."""


def connect(server: Server) -> psycopg.Connection[Any]:
    """Connect to a journal's server as the journal does; raises psycopg's errors."""
    import psycopg  # noqa: PLC0415 - an extra, and slow to import
    from psycopg.types.string import StrDumper  # noqa: PLC0415

    class Storable(StrDumper):
        def dump(self, obj: str) -> Buffer | None:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))  # PostgreSQL stores no NUL

    raw = psycopg.connect(conninfo_of(server))
    raw.adapters.register_dumper(str, Storable)
    return raw


def conninfo_of(server: Server) -> str:
    """Return what a client of a journal's server connects with, password and session settings included.

    Never to be shown. Raises psycopg's ProgrammingError for a URL that it does not understand.
    """
    from psycopg import conninfo  # noqa: PLC0415 - as above

    given = conninfo.conninfo_to_dict(server.url)
    settings = {"search_path": SCHEMA, "lock_timeout": f"{int(busy_seconds() * 1000)}ms"}
    options = (*_as_options(settings), str(given.pop("options", None) or ""), *_as_options(_SESSION))
    return conninfo.make_conninfo("", **{**_LIVING, **given, "options": " ".join(options)})


def _as_options(settings: Mapping[str, str]) -> Iterator[str]:
    return (f"-c {name}={value}" for name, value in settings.items())
