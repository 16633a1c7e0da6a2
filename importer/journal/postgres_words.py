"""What is wrong with a journal's server, as sentences that say what to do; never with a password in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from importer.commands import same_command, told
from importer.errors import JournalError, JournalFull, JournalUnreachable
from importer.journal_place import Place
from importer.messages import _

if TYPE_CHECKING:
    import psycopg

_RETIRING = {"57P01", "57P02", "57P03", "57P05", "25P03"}  # shut down, crashed, starting up; idle for too long
_DURABLE = {"on", "remote_apply"}


def require_driver(place: Place) -> None:
    """Raise JournalError where the packages are missing that speak with PostgreSQL."""
    if find_spec("psycopg") is None:
        raise JournalError(
            told(
                _(
                    "{path}: a journal on a server needs packages that are not installed. Install them with"
                    " `{command}`.",
                    path=place,
                    command='pip install "wolkvox-case-importer[server]"',
                ),
                _(
                    "{path}: a journal on a server needs packages that are not installed. Ask whoever set this program"
                    " up to install them.",
                    path=place,
                ),
            )
        )


def refuse_unusable(raw: psycopg.Connection[Any], place: Place, oldest: int) -> None:
    """Raise JournalError where a server is too old, cannot be written, or does not put its commits on the disk."""
    if raw.info.server_version < oldest * 10_000:
        raise JournalError(
            _(
                "{path}: this server is PostgreSQL {version}, and a journal needs {oldest} or newer. Ask whoever runs"
                " it for a newer one.",
                path=place,
                version=raw.info.server_version // 10_000,
                oldest=oldest,
            )
        )
    found = raw.execute(
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
        " current_setting('transaction_read_only'), pg_is_in_recovery()"
    ).fetchone()
    raw.rollback()
    fsync, commit, read_only, is_standby = found or ("", "", "", None)
    if is_standby or read_only == "on":
        raise _read_only(place)
    if fsync != "on" or commit not in _DURABLE:
        raise JournalError(
            _(
                "{path}: this server does not put every commit on its disk (fsync = {fsync}, synchronous_commit ="
                " {commit}). With such a journal cases could be sent twice. Ask whoever runs it to turn both on.",
                path=place,
                fsync=fsync,
                commit=commit,
            )
        )


def not_understood(place: Place) -> JournalError:
    """Return the error for an address that PostgreSQL's own library does not take."""
    return JournalError(
        _(
            "{path}: PostgreSQL does not understand this address. Check what is behind its ?, and that special"
            " characters are written as % and two digits.",
            path=place,
        )
    )


def is_lost(error: Exception) -> bool:
    """Tell whether there is no connection any more, or none yet, so that a new one may help."""
    cause, code = _cause(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return code in _RETIRING or code.startswith("08") or (not code and _is_operational(cause))


def _is_operational(cause: BaseException) -> bool:
    """Tell whether an error is of the connection, by a name: its package need not be there; pools have kinds of it."""
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)


def explain(error: Exception, place: Place, schema: str) -> JournalError:
    """Return the error that says what to do; `schema` is where the tables are that were used."""
    cause, code = _cause(error)
    words = _first_line(cause)
    if code in _RIGHTS:
        return no_right_in_schema(place, schema, words)
    if code in _WORDS:
        return _WORDS[code](place, words)
    if _wants_password(cause):
        return _password_refused(place, words)
    return _lost(place, words) if is_lost(error) else _unusable(place, words)


def _full(place: Place, cause: str) -> JournalError:
    return JournalFull(
        _(
            "{path}: the disk of the journal's server is full or failing ({cause}). Have room made there and"
            " continue the run; nothing is sent twice.",
            path=place,
            cause=cause,
        )
    )


def no_right_in_schema(place: Place, schema: str, cause: str) -> JournalError:
    """Return the error where a schema is there, and its owner has given this user too few rights in it."""
    return JournalError(
        _(
            "{path}: this user may not do in the schema {schema} what a journal needs ({cause}). Ask whoever made the"
            " schema for these rights: GRANT USAGE ON SCHEMA {schema} TO …; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL"
            " TABLES IN SCHEMA {schema} TO …; GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO …",
            path=place,
            schema=schema,
            cause=cause,
        )
    )


def no_right_to_create(place: Place, cause: str) -> JournalError:
    """Return the error where there is no schema yet, and this user may not make one."""
    return JournalError(
        _(
            "{path}: this user may not do on the server what a journal needs ({cause}). Ask whoever runs it for the"
            " right to create a schema in this database and tables in it: GRANT CREATE ON DATABASE … TO …",
            path=place,
            cause=cause,
        )
    )


def _locked(place: Place, _cause: str) -> JournalError:
    return JournalError(_("{path}: another program has locked the journal. Close it and try again.", path=place))


def _password_refused(place: Place, cause: str) -> JournalError:
    return JournalError(
        _(
            "{path}: the server does not accept the password, or none was given ({cause}). Put it into the file"
            " ~/.pgpass (Windows: %APPDATA%\\postgresql\\pgpass.conf), or set PGPASSWORD.",
            path=place,
            cause=cause,
        )
    )


def _lost(place: Place, cause: str) -> JournalError:
    return JournalUnreachable(
        told(
            _(
                "{path}: the journal's server does not answer, or refuses the connection ({cause}). Check the"
                " address, the network and that the server runs, then run `{command}`; nothing is sent twice.",
                path=place,
                cause=cause,
                command=same_command(),
            ),
            _(
                "{path}: the journal's server does not answer, or refuses the connection ({cause}). Check the"
                " network and try again; nothing is sent twice. If that does not help, ask whoever set this"
                " program up.",
                path=place,
                cause=cause,
            ),
        )
    )


def _unusable(place: Place, cause: str) -> JournalError:
    return JournalError(
        told(
            _(
                "{path}: the journal cannot be used ({cause}). Ask whoever runs the server, or name another journal"
                " with --journal.",
                path=place,
                cause=cause,
            ),
            _("{path}: the journal cannot be used ({cause}). Ask whoever runs the server.", path=place, cause=cause),
        )
    )


def _read_only(place: Place, _cause: str = "") -> JournalError:
    return JournalError(
        _(
            "{path}: this server can only be read, such as a standby that follows another one. Name the one that is"
            " written to.",
            path=place,
        )
    )


_WORDS: Mapping[str, Callable[[Place, str], JournalError]] = {
    "53100": _full,
    "58030": _full,  # an error of the disk
    "25006": _read_only,
    "55P03": _locked,
}
"""What is said of the kinds of errors that a server names by five characters."""


_RIGHTS = {"42501", "3F000"}
"""A right that is missing; a schema that is not there, or that this user may not use."""


def _cause(error: Exception) -> tuple[BaseException, str]:
    """Return the driver's own error, and the five characters by which the server names its kind, if it said so."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return cause, getattr(cause, "sqlstate", None) or ""


def _wants_password(cause: BaseException) -> bool:
    refused = getattr(cause, "pgconn", None)
    return refused is not None and bool(refused.needs_password or refused.used_password) and not _is_open(refused)


def _is_open(refused: Any) -> bool:  # noqa: ANN401 - of a package that need not be there
    return bool(refused.status == 0)


def _first_line(cause: BaseException) -> str:
    """Return what the driver says, without the lines that explain where in a statement that was."""
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
