"""What a cell may call a file, judged by the name alone: nothing here touches the file system.

The rules are those of Windows wherever it runs, since that is where the sheets come from: a name means the same
file, or no file, on every machine.
"""

from __future__ import annotations

import re
import unicodedata

from importer.messages import _, shorten
from importer.model import Issue

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.|(mailto|data|javascript|file):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)


class Refused(Exception):
    """A name in a cell gives no attachment; `issue` says why, its row and column still open."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.issue = Issue(None, None, None, code, message, remedy)
        super().__init__(message)


def parts_of(name: str) -> tuple[str, ...]:
    r"""Return the folders and the file that a name consists of; `\` separates as `/` does.

    Raises `Refused` for whatever points elsewhere or is no plain file name: URLs, absolute paths, drives, network
    shares, `..`, alternate streams, device names, control characters, parts that end in a dot or a space.
    """
    shown = shorten(name)
    if _URL.match(name):
        raise Refused(
            "attachment-url",
            _("{name} is an address on the web, and only files can be attached", name=shown),
            _("Download the file into the attachments folder and write its name here"),
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise Refused(
            "attachment-name",
            _("{name} holds a line break or another control character", name=shown),
            _("Write one file name; where a cell lists several, name their separator in attachments.separator"),
        )
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise _outside(
            _("{name} is an absolute path, and only files in the attachments folder can be named", name=shown)
        )
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if ".." in parts:
        raise _outside(_("{name} leads out of the attachments folder", name=shown))
    for part in parts:
        _check_part(part, shown)
    return parts


def _check_part(part: str, shown: str) -> None:
    """Raise `Refused` where one folder or file cannot be called so on Windows and would mean something else there."""
    if ":" in part:
        reason = _("{name} holds a colon, which no file name can", name=shown)
    elif part[-1] in ". ":
        reason = _("in {name}, {part} ends in a dot or a space, which Windows drops", name=shown, part=repr(part))
    elif part.split(".", maxsplit=1)[0].rstrip().casefold() in _DEVICES:
        reason = _("in {name}, {part} is a device of Windows and no file", name=shown, part=repr(part))
    else:
        return
    raise Refused("attachment-name", reason, _("Rename the file and write its new name here"))


def _outside(message: str) -> Refused:
    return Refused(
        "attachment-outside",
        message,
        _("Put the file into the attachments folder and write its name relative to that folder"),
    )
