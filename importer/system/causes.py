"""Say in the user's language why the operating system, a library or the network refused something.

Each table has the words of the other program as its templates, so that in English they stay what they are and can be
searched for; words that no table has are shown as they came.
"""

from __future__ import annotations

import errno
import importlib
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from importer.messages import _, gettext_noop, translated


def reason_of(error: BaseException) -> str:
    """Return why something failed, as a phrase for the end of a sentence.

    Errors of libraries, and our own, say more than their number, or have a number that is not the system's.
    """
    if isinstance(error, OSError) and type(error).__module__ == "builtins" and error.errno in _SYSTEM:
        of_windows = _OF_WINDOWS.get(getattr(error, "winerror", None))
        if of_windows is None and error.errno == errno.ENOENT and isinstance(error.filename, str):
            return too_long(Path(error.filename)) or translated(_SYSTEM[error.errno])
        return translated(of_windows or _SYSTEM[error.errno])
    said = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return in_words(said or type(error).__name__)


def too_long(path: Path) -> str | None:
    """Return why Windows does not find a file, though its folder is there; None where its path is short enough."""
    length = len(str(path.absolute()))
    if sys.platform != "win32" or length <= _LONGEST_PATH or _finds_long_paths():
        return None
    return _(
        "the whole path has {length} characters, and Windows finds no more than {most}: use a folder nearer to the"
        " drive, such as C:\\Casos",
        length=length,
        most=_LONGEST_PATH,
    )


def _finds_long_paths() -> bool:
    """Tell whether somebody has switched long paths on in this Windows."""
    try:
        registry = importlib.import_module("winreg")
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _FILE_SYSTEM) as key:
            return bool(registry.QueryValueEx(key, "LongPathsEnabled")[0])
    except (ImportError, OSError):
        return False


def reworded(text: str, words: Iterable[tuple[str, str]], **values: object) -> str:
    """Return another program's words in the user's language, by the first pattern that is all of them.

    The values of the template are the pattern's named groups, and those given.
    """
    for pattern, template in words:
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return translated(template, **{**values, **found.groupdict("")})
    return text


def in_words(text: str) -> str:
    """Return the words of a library in the user's language, as they came where they are unknown."""
    return reworded(text, _WORDS)


_LONGEST_PATH = 259
_FILE_SYSTEM = r"SYSTEM\CurrentControlSet\Control\FileSystem"

_OF_WINDOWS: Mapping[int | None, str] = {
    32: gettext_noop("it is open in another program"),
    33: gettext_noop("it is open in another program"),
    206: gettext_noop("File name too long"),
}
"""What Windows says by numbers of its own, where those of `_SYSTEM` say less."""

_SYSTEM: Mapping[int | None, str] = {
    errno.ENOENT: gettext_noop("No such file or directory"),
    errno.ENOTDIR: gettext_noop("Not a directory"),
    errno.EISDIR: gettext_noop("Is a directory"),
    errno.EEXIST: gettext_noop("File exists"),
    errno.ENOTEMPTY: gettext_noop("Directory not empty"),
    errno.EACCES: gettext_noop("Permission denied"),
    errno.EPERM: gettext_noop("Operation not permitted"),
    errno.EROFS: gettext_noop("Read-only file system"),
    errno.ENOSPC: gettext_noop("No space left on device"),
    errno.EDQUOT: gettext_noop("Disk quota exceeded"),
    errno.EFBIG: gettext_noop("File too large"),
    errno.EIO: gettext_noop("Input/output error"),
    errno.EBUSY: gettext_noop("Device or resource busy"),
    errno.EMFILE: gettext_noop("Too many open files"),
    errno.ENFILE: gettext_noop("Too many open files in system"),
    errno.ENOMEM: gettext_noop("Cannot allocate memory"),
    errno.ENAMETOOLONG: gettext_noop("File name too long"),
    errno.EINVAL: gettext_noop("Invalid argument"),
    errno.ELOOP: gettext_noop("Too many levels of symbolic links"),
    errno.EXDEV: gettext_noop("Invalid cross-device link"),
    errno.ESTALE: gettext_noop("Stale file handle"),
    errno.ENXIO: gettext_noop("No such device or address"),
    errno.ENODEV: gettext_noop("No such device"),
    errno.EPIPE: gettext_noop("Broken pipe"),
    errno.EADDRINUSE: gettext_noop("Address already in use"),
    errno.EADDRNOTAVAIL: gettext_noop("Cannot assign requested address"),
    errno.ECONNREFUSED: gettext_noop("Connection refused"),
    errno.ECONNRESET: gettext_noop("Connection reset by peer"),
    errno.ECONNABORTED: gettext_noop("Software caused connection abort"),
    errno.ENOTCONN: gettext_noop("Transport endpoint is not connected"),
    errno.ENETUNREACH: gettext_noop("Network is unreachable"),
    errno.ENETDOWN: gettext_noop("Network is down"),
    errno.EHOSTUNREACH: gettext_noop("No route to host"),
    errno.EHOSTDOWN: gettext_noop("Host is down"),
    errno.ETIMEDOUT: gettext_noop("Connection timed out"),
}
"""What the system says, by its number: its own words differ from system to system."""

_WORDS = (
    # the network, and TLS
    (
        "Name or service not known|nodename nor servname provided.*|getaddrinfo failed|.*[Nn]o such host.*",
        gettext_noop("Name or service not known"),
    ),
    ("No address associated with hostname", gettext_noop("No address associated with hostname")),
    ("Temporary failure in name resolution", gettext_noop("Temporary failure in name resolution")),
    ("Non-recoverable failure in name resolution", gettext_noop("Non-recoverable failure in name resolution")),
    ("timed out|The (read|handshake) operation timed out", gettext_noop("timed out")),
    ("self.signed certificate", gettext_noop("self-signed certificate")),
    ("self.signed certificate in certificate chain", gettext_noop("self-signed certificate in certificate chain")),
    ("certificate has expired", gettext_noop("certificate has expired")),
    ("certificate is not yet valid", gettext_noop("certificate is not yet valid")),
    ("certificate revoked", gettext_noop("certificate revoked")),
    ("unable to get local issuer certificate", gettext_noop("unable to get local issuer certificate")),
    ("unable to get issuer certificate", gettext_noop("unable to get issuer certificate")),
    (
        "Hostname mismatch, certificate is not valid for '(?P<host>[^']*)'[.]?",
        gettext_noop("Hostname mismatch, certificate is not valid for '{host}'."),
    ),
    (
        "IP address mismatch, certificate is not valid for '(?P<host>[^']*)'[.]?",
        gettext_noop("IP address mismatch, certificate is not valid for '{host}'."),
    ),
    (r".*WRONG_VERSION_NUMBER.*", gettext_noop("the server does not speak HTTPS on this port")),
    (
        r".*UNEXPECTED_EOF_WHILE_READING.*|EOF occurred in violation of protocol.*",
        gettext_noop("the connection was closed"),
    ),
    (r".*(NO_CERTIFICATE_OR_CRL_FOUND|PEM lib|PEM_LIB|NO_START_LINE).*", gettext_noop("there is no certificate in it")),
    # SQLite
    ("file is not a database", gettext_noop("file is not a database")),
    ("file is encrypted or is not a database", gettext_noop("file is not a database")),
    ("database disk image is malformed", gettext_noop("database disk image is malformed")),
    ("database or disk is full", gettext_noop("database or disk is full")),
    ("disk I/O error", gettext_noop("disk I/O error")),
    ("database is locked", gettext_noop("database is locked")),
    ("database table is locked", gettext_noop("database is locked")),
    ("attempt to write a readonly database", gettext_noop("attempt to write a readonly database")),
    ("unable to open database file", gettext_noop("unable to open database file")),
    ("no such table: (?P<name>.*)", gettext_noop("no such table: {name}")),
    ("no such column: (?P<name>.*)", gettext_noop("no such column: {name}")),
    # zip files
    ("File is not a zip file", gettext_noop("File is not a zip file")),
    ("Bad CRC-32 for file '(?P<name>.*)'", gettext_noop("Bad CRC-32 for file '{name}'")),
    ("Bad magic number for (?P<part>.*)", gettext_noop("Bad magic number for {part}")),
    ("Truncated file header", gettext_noop("Truncated file header")),
    ("embedded null (byte|character)", gettext_noop("the name has a character that no file name can have")),
)  # fmt: skip
"""Patterns of what other programs say without a number, and their words."""
