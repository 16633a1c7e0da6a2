"""Find the files that cells name under one folder, and check them before anything is sent."""

from __future__ import annotations

import difflib
import errno
import os
import re
import stat
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from pybase64 import b64encode

from importer.errors import AttachmentChanged
from importer.files import Moved, identity_of, names_below, open_below
from importer.messages import _, ngettext, shorten
from importer.model import Attachment, AttachmentOptions, Issue

# MERGED importer.attachments: What a cell may call a file, judged by the name alone: nothing here touches the file system.

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


# MERGED importer.attachments: A checked file as base64, read while it is sent; never whole in memory.

BLOCK = 192 * 1024  # bytes of the file; a block and its base64 stay in a processor's cache


def encoded_length(size: int) -> int:
    """Return how many characters the base64 of `size` bytes has, padding included."""
    return (size + 2) // 3 * 4


def encode(attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's base64, `block` bytes of the file at a time (rounded down to a multiple of three).

    Raises `errors.AttachmentChanged` where the file is no longer what was checked: another device, number, size or time
    of change when it is opened or once it is read, a link on the way to it, other than `size` bytes in it, or no longer
    readable. Whatever is wrong is raised before the last chunk is yielded: a body that counted on `size` bytes stays
    incomplete.
    """
    step = max(3, block - block % 3)  # only the last chunk is padded
    try:
        with open_below(attachment.root, attachment.path) as file:
            _hold_to(attachment, file)
            left = attachment.size
            while left:
                data = file.read(min(step, left))
                if len(data) < min(step, left):
                    raise _changed(attachment)
                left -= len(data)
                if not left:
                    _hold_to(attachment, file)
                yield b64encode(data)
    except OSError as error:
        raise _changed(attachment) from error


def _hold_to(attachment: Attachment, file: BinaryIO) -> None:
    """Raise `AttachmentChanged` where the open file is not the one that was checked."""
    if identity_of(os.fstat(file.fileno())) != attachment.identity:
        raise _changed(attachment)


def _changed(attachment: Attachment) -> AttachmentChanged:
    return AttachmentChanged(
        _(
            "The attachment {path} changed after it was checked, or can no longer be read; run the command again",
            path=attachment.path,
        )
    )


# MERGED importer.attachments: Find the files that cells name under one folder, and check them before anything is sent.

_REMEMBERED_FILES = 50_000  # distinct files; beyond that the oldest are looked at again
_REMEMBERED_FOLDERS = 1_000
_REMEMBERED_LISTINGS = 128
_NEIGHBOURS = 8  # names beside the wanted one, in the order of the alphabet, that are compared with it


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a row's attachment cells: files to send, faults, and names left out by `missing: send_without`."""

    attachments: tuple[Attachment, ...]
    issues: tuple[Issue, ...]
    missing: tuple[str, ...]


class AttachmentFolder:
    """The folder under which all attachments of a source lie.

    `beside` is the source's folder, from which a relative `options.folder` counts. Each distinct name is looked at
    once, however many rows bear it; `encode` notices what changes later.
    """

    def __init__(self, options: AttachmentOptions, beside: Path) -> None:
        self._options = options
        self._root = Path(os.path.realpath(beside / options.folder))
        self._look = lru_cache(_REMEMBERED_FILES)(self._look_at)
        self._enter = lru_cache(_REMEMBERED_FOLDERS)(self._step_into)
        self._listing = lru_cache(_REMEMBERED_LISTINGS)(partial(_Listing, self._root))

    def find(self, row: int, names: Sequence[tuple[str, str]]) -> Found:
        """Return the files that a row's cells name, in their order; `names` pairs each column with its cell's text.

        A cell that names no file is passed over. Faults of one kind in one cell are one issue that names them all.
        """
        attachments: dict[tuple[int, int, str], Attachment] = {}
        issues: dict[tuple[str | None, str], Issue] = {}
        missing: list[str] = []
        for column, cell in names:
            for name in self._split(cell):
                looked = self._look(name)
                if isinstance(looked, Attachment) and _same_file(looked) in attachments:
                    looked = _repeated(name).issue
                if isinstance(looked, Attachment):
                    attachments[_same_file(looked)] = looked
                elif looked.code == "attachment-missing" and self._may_go_without():
                    missing.append(name)
                else:
                    _collect(issues, replace(looked, row=row, column=column, value=cell))
        return Found(tuple(attachments.values()), tuple(issues.values()), tuple(missing))

    def _split(self, cell: str) -> Iterator[str]:
        parts = cell.split(self._options.separator) if self._options.separator else [cell]
        return filter(None, (part.strip() for part in parts))

    def _may_go_without(self) -> bool:
        """Whether a missing file is left out: never where the whole folder is missing, which is no fault of a row."""
        return self._options.missing == "send_without" and self._root_exists

    @cached_property
    def _root_exists(self) -> bool:
        return self._root.is_dir()

    def _look_at(self, name: str) -> Attachment | Issue:
        """Return the file that `name` means, or why there is none to send."""
        try:
            parts = parts_of(name)
            if not self._root_exists:
                raise _no_folder(self._root)
            return self._check(self._step_into(parts), name)
        except Refused as refused:
            return refused.issue
        except OSError as error:
            return _unreadable(name, error.strerror or str(error)).issue

    def _step_into(self, parts: tuple[str, ...]) -> Path:
        """Return what `parts` lead to from the root; the folders on the way are remembered."""
        return self._step(self._enter(parts[:-1]), parts[-1]) if parts else self._root

    def _step(self, place: Path, part: str) -> Path:
        """Return what `part` is in `place`, a link followed where it stays under the root; raises `Refused`."""
        path = place / part
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            path = place / self._only_alike(place, part)
            status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", False):
            path = Path(os.path.realpath(path))
            if not path.is_relative_to(self._root):
                raise _link_outside(part)
            if path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        return path

    def _only_alike(self, place: Path, part: str) -> str:
        """Return the one name in `place` that differs from `part` in case or Unicode composition only."""
        listing = self._listing(place)
        alike = listing.alike(part)
        if len(alike) != 1:
            shown = self._options.folder / place.relative_to(self._root)
            raise _missing(part, shown, alike or listing.nearest(part))
        return alike[0]

    def _check(self, path: Path, name: str) -> Attachment:
        """Return the file as it is now, once it is open; raises `Refused` or `OSError` where it cannot be sent.

        `path` has no links in it as far as was seen; one that is there by now is not followed.
        """
        if path == self._root:
            raise _folder(name)
        try:
            with open_below(self._root, path) as file:  # only opening tells whether it may be read
                status = os.fstat(file.fileno())
        except IsADirectoryError as error:
            raise _folder(name) from error
        except Moved as error:
            raise _link_outside(name) from error
        if status.st_size == 0:
            raise Refused(
                "attachment-empty",
                _("{name} is empty (0 bytes)", name=shorten(name)),
                _("Replace the file by one that has content, or empty the cell"),
            )
        if status.st_size > self._options.max_size:
            raise _too_large(name, status.st_size, self._options.max_size)
        return Attachment(path, name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, root=self._root)


class _Listing:
    """The names in one folder, by how they are written without case and accents."""

    def __init__(self, root: Path, place: Path) -> None:
        self._names: dict[str, list[str]] = {}
        with suppress(FileNotFoundError, NotADirectoryError, Moved):  # what is no folder has no names in it
            for name in sorted(names_below(root, place)):
                self._names.setdefault(_loose(name), []).append(name)
        self._sorted = sorted(self._names)

    def alike(self, name: str) -> tuple[str, ...]:
        """Return the names that are `name` in another case or Unicode composition."""
        wanted = _composed(name)
        return tuple(other for other in self._names.get(_loose(name), ()) if _composed(other) == wanted)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return up to three names that `name` may have meant.

        Only neighbours in the alphabet are compared: a folder of 100,000 files costs no more than one of ten.
        """
        loose = _loose(name)
        middle = bisect_left(self._sorted, loose)
        around = self._sorted[max(0, middle - _NEIGHBOURS) : middle + _NEIGHBOURS]
        return tuple(self._names[near][0] for near in difflib.get_close_matches(loose, around))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _loose(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in folded if not unicodedata.combining(character))


def _same_file(attachment: Attachment) -> tuple[int, int, str]:
    """Return what two names of one file have in common, on file systems with and without regard to case."""
    return attachment.device, attachment.inode, _composed(str(attachment.path))


def _collect(issues: dict[tuple[str | None, str], Issue], issue: Issue) -> None:
    """Add a fault to its cell's issue of the same code, or begin that issue."""
    known = issues.setdefault((issue.column, issue.code), issue)
    if known is not issue:
        message = f"{known.message}; {issue.message}"
        remedy = known.remedy if issue.remedy in known.remedy else f"{known.remedy} {issue.remedy}"
        issues[issue.column, issue.code] = replace(known, message=message, remedy=remedy)


def _no_folder(root: Path) -> Refused:
    return Refused(
        "attachment-missing",
        _("the attachments folder {folder} does not exist", folder=root),
        _("Put the folder there, or correct attachments.folder in the mapping"),
    )


def _missing(name: str, folder: Path, near: Sequence[str]) -> Refused:
    message = _("{name} is not in {folder}", name=shorten(name), folder=folder)
    if not near:
        return Refused("attachment-missing", message, _("Put the file there, or correct its name"))
    quoted = ", ".join(near)
    remedy = ngettext("Did you mean {names}?", "Did you mean one of these: {names}?", len(near), names=quoted)
    return Refused("attachment-missing", message, remedy)


def _folder(name: str) -> Refused:
    return Refused(
        "attachment-folder",
        _("{name} is a folder, and only files can be attached", name=shorten(name)),
        _("Write the names of the files in it, or pack it into one file"),
    )


def _link_outside(name: str) -> Refused:
    return Refused(
        "attachment-outside",
        _("{name} is a link that leads out of the attachments folder", name=shorten(name)),
        _("Put the file itself into the attachments folder"),
    )


def _too_large(name: str, size: int, limit: int) -> Refused:
    return Refused(
        "attachment-too-large",
        _("{name} has {size:,} bytes, and the limit is {limit:,}", name=shorten(name), size=size, limit=limit),
        _("Make the file smaller, or raise attachments.max_size in the mapping"),
    )


def _unreadable(name: str, reason: str) -> Refused:
    return Refused(
        "attachment-unreadable",
        _("{name} cannot be read: {reason}", name=shorten(name), reason=reason),
        _("Allow reading the file, close the program that holds it, or replace it"),
    )


def _repeated(name: str) -> Refused:
    return Refused(
        "attachment-repeated",
        _("{name} is named twice in this row", name=shorten(name)),
        _("Name the file once"),
    )
