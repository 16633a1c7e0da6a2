"""The names of files: what a cell may name, and which names are alike."""

from __future__ import annotations

import difflib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable

from importer.attachments.refusals import NameRefusal, RefusedAttachment, refused_name
from importer.attachments.several import how_to_list
from importer.messages import _, shorten
from importer.system.disk import is_device
from importer.system.paths import absolute_paths, between_paths
from importer.text import seen

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.|(mailto|data|javascript|file):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_NEIGHBOURS = 8  # names on either side, in alphabetical order, that are compared with a missing one


def parts_of(name: str, separator: str | None = None) -> tuple[str, ...]:
    r"""Return the folders and the file in a name; `\` is a separator like `/`.

    Raises `RefusedAttachment` for anything that points elsewhere or is not a plain file name: URLs, absolute paths,
    drives, network shares, `..`, alternate streams, device names, control characters, parts that end in a dot or space.
    `separator` is the mapping's, for what a cell that lists several files should have.
    """
    shown = shorten(name)
    if _URL.match(name):
        raise refused_name(
            "attachment-url",
            _("{name} is a web address, and only files can be attached", name=shown),
            _("Download the file into the attachments folder and write its name here"),
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise refused_name(
            "attachment-name",
            _("{name} contains a line break or another control character", name=shown),
            how_to_list(next((sign for sign in "\n\t" if sign in name), ";"), separator),
        )
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise _absolute(name, separator)
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if ".." in parts:
        raise refused_name(
            "attachment-outside",
            _("{name} leads outside the attachments folder", name=shown),
            _("Put the file into the attachments folder and write its name relative to that folder"),
        )
    if ":" in path and (sign := between_paths(name)):
        reason = _("{name} contains a colon, which is not allowed in a file name", name=shown)
        raise refused_name("attachment-name", reason, how_to_list(sign, separator))
    for part in parts:
        _check_part(part, shown)
    return parts


def _absolute(name: str, separator: str | None) -> RefusedAttachment:
    """Refuse an absolute path, or several of them in a row: what is before their names is not one text to take off."""
    message = _("{name} is an absolute path; only files in the attachments folder can be attached", name=shorten(name))
    sign = between_paths(name)
    paths = absolute_paths(name, sign)
    prefixes = tuple(dict.fromkeys(re.split(r"[^/\\]+\Z", path)[0] or path for path in paths or [name]))
    remedies = (how_to_list(sign, separator),) if sign else ()
    return RefusedAttachment(NameRefusal("attachment-outside", message, remedies, name, prefixes=prefixes))


def _check_part(part: str, shown: str) -> None:
    """Raise `RefusedAttachment` if a folder or file cannot have this name on Windows or means something else there."""
    if ":" in part:
        reason = _("{name} contains a colon, which is not allowed in a file name", name=shown)
    elif part[-1] in ". ":
        reason = _("in {name}, {part} ends in a dot or a space, which Windows removes", name=shown, part=repr(part))
    elif is_device(part):
        reason = _("in {name}, {part} is a Windows device, not a file", name=shown, part=repr(part))
    else:
        return
    raise refused_name("attachment-name", reason, _("Rename the file and write its new name here"))


class NameList:
    """Names, indexed by their spelling without case and accents."""

    def __init__(self, names: Iterable[str]) -> None:
        """Index the names."""
        self._names: dict[str, list[str]] = {}
        for name in sorted(names):
            self._names.setdefault(_loose(name), []).append(name)
        self._sorted = sorted(self._names)

    def alike(self, name: str) -> tuple[str, ...]:
        """Return the names that equal `name` but for case, Unicode composition or what nobody sees."""
        wanted = composed(name)
        return tuple(other for other in self._names.get(_loose(name), ()) if composed(other) == wanted)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return up to three names that may have been meant by `name`.

        A name with another number is another client's file. Only alphabetical neighbours are compared, so a folder with
        100,000 files costs no more than one with ten.
        """
        loose = _loose(name)
        middle = bisect_left(self._sorted, loose)
        around = self._sorted[max(0, middle - _NEIGHBOURS) : middle + _NEIGHBOURS]
        around = [other for other in around if _numbers(other) == _numbers(loose)]
        return tuple(self._names[near][0] for near in difflib.get_close_matches(loose, around))


def composed(name: str) -> str:
    """Return what names have in common that differ in case, Unicode composition or what nobody sees."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen(name)).casefold())


def _numbers(name: str) -> list[str]:
    return [digits.lstrip("0") for digits in re.findall(r"\d+", name)]


def _loose(name: str) -> str:
    folded = unicodedata.normalize("NFKD", seen(name).casefold())
    return "".join(character for character in folded if not unicodedata.combining(character))
