"""Attachments: find the files that cells name, check them before anything is sent, and stream them as base64.

A name in a cell is judged by its text first, without touching the file system. A file must be under the one folder of
the mapping, and it is checked when a plan is made. While it is sent it is read block by block, never held whole in
memory, and it must still be the file that was checked.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import stat
import unicodedata
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from importer.errors import AttachmentChanged
from importer.files import Moved, identity_of, names_below, open_below
from importer.messages import _, ngettext, shorten
from importer.model import Attachment, AttachmentOptions, Issue
from importer.text import as_sent, seen

BLOCK = 192 * 1024  # bytes of the file that are encoded at a time
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.|(mailto|data|javascript|file):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)
_REMEMBERED_FILES, _REMEMBERED_LISTINGS = 50_000, 128  # beyond that the oldest are read again
_NEIGHBOURS = 8  # names on either side, in alphabetical order, that are compared with a missing one


@dataclass(frozen=True, slots=True)
class FoundAttachments:
    """The result for a row's attachment cells: files to send, faults, and names left out by `missing: send_without`."""

    attachments: tuple[Attachment, ...]
    issues: tuple[Issue, ...]
    missing: tuple[str, ...]


class AttachmentFolder:
    """The folder that contains all attachments of a source.

    `beside` is the source's folder; a relative `options.folder` starts there. Each distinct name is checked once,
    however many rows have it; `encode` detects later changes.
    """

    def __init__(self, options: AttachmentOptions, beside: Path) -> None:
        self._options = options
        self._root = Path(os.path.realpath(beside / options.folder))
        self._look = lru_cache(_REMEMBERED_FILES)(self._look_at)
        self._listing = lru_cache(_REMEMBERED_LISTINGS)(partial(_FolderListing, self._root))

    def find(self, row: int, names: Sequence[tuple[str, str]], lines: Sequence[int] = ()) -> FoundAttachments:
        """Return the files that a row's cells name, in order; `names` pairs each column with its cell's text.

        A cell without a name is ignored. Faults of one kind in one cell become one issue that names them all. `lines`
        are the rows of the cells where some are in further lines of the case, which may name a file again.
        """
        attachments: dict[tuple[int, int, str], Attachment] = {}
        named_by: dict[tuple[int, int, str], int] = {}
        issues: dict[tuple[int | None, str | None, str], Issue] = {}
        missing: list[str] = []
        for (column, cell), line in zip(names, lines or [row] * len(names), strict=True):
            for name in self._split(cell):
                file = self._look(name)
                if isinstance(file, Attachment) and _same_file(file) in attachments:
                    if named_by[_same_file(file)] != line:
                        continue
                    file = _repeated(name).issue
                if isinstance(file, Attachment):
                    attachments[_same_file(file)], named_by[_same_file(file)] = file, line
                elif file.code == "attachment-missing" and self._may_go_without():
                    missing.append(name)
                else:
                    _collect(issues, replace(file, row=line, column=column, value=cell))
        return FoundAttachments(tuple(attachments.values()), tuple(issues.values()), tuple(missing))

    def _split(self, cell: str) -> Iterator[str]:
        parts = cell.split(self._options.separator) if self._options.separator else [cell]
        return (part.strip() for part in parts if as_sent(part))

    def _may_go_without(self) -> bool:
        """Tell whether missing files are left out; never if the whole folder is missing: that is not a row's fault."""
        return self._options.missing == "send_without" and self._root_exists

    @cached_property
    def _root_exists(self) -> bool:
        return self._root.is_dir()

    def _look_at(self, name: str) -> Attachment | Issue:
        """Return the file that `name` means, or the issue that prevents sending it."""
        try:
            parts = parts_of(name)
            if not self._root_exists:
                raise _no_folder(self._root)
            return self._check(self._resolve(parts), name)
        except _NotThere as absent:
            return _missing(name, self._options.folder, self._ends_there(parts) or absent.near).issue
        except RefusedAttachment as refused:
            return refused.issue
        except OSError as error:
            return _unreadable(name, error.strerror or str(error)).issue

    def _ends_there(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the end of a path that is a file in the folder: the path begins elsewhere, or with the folder."""
        for start in range(1, len(parts)):
            with suppress(_NotThere, RefusedAttachment, OSError):
                return (self._check(self._resolve(parts[start:]), "").path.relative_to(self._root).as_posix(),)
        return ()

    def _resolve(self, parts: tuple[str, ...]) -> Path:
        """Return the path that `parts` lead to from the root; raises `RefusedAttachment` or `_NotThere`."""
        path = self._root
        for part in parts:
            path = self._step(path, part)
        return path

    def _step(self, folder: Path, part: str) -> Path:
        """Return the path of `part` in `folder`; follows a link that stays under the root."""
        path = folder / part
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            path = folder / self._only_alike(folder, part)
            status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", False):
            path = Path(os.path.realpath(path))
            if not path.is_relative_to(self._root):
                raise _link_outside(part)
            if path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        return path

    def _only_alike(self, folder: Path, part: str) -> str:
        """Return the one name in `folder` that differs from `part` only in case or Unicode composition."""
        listing = self._listing(folder)
        alike = listing.alike(part)
        if len(alike) != 1:
            here = folder.relative_to(self._root)
            raise _NotThere(tuple((here / near).as_posix() for near in alike or listing.nearest(part)))
        return alike[0]

    def _check(self, path: Path, name: str) -> Attachment:
        """Open the file and return it as it is now; raises `RefusedAttachment` or `OSError` if it cannot be sent.

        No links were seen in `path`; one that has appeared since is not followed.
        """
        if path == self._root:
            raise _folder(name)
        try:
            with open_below(self._root, path) as file:  # only opening shows whether it is readable
                status = os.fstat(file.fileno())
        except IsADirectoryError as error:
            raise _folder(name) from error
        except Moved as error:
            raise _link_outside(name) from error
        if status.st_size == 0:
            raise RefusedAttachment(
                "attachment-empty",
                _("{name} is empty (0 bytes)", name=shorten(name)),
                _("Replace the file with one that has content, or empty the cell"),
            )
        if status.st_size > self._options.max_size:
            raise _too_large(name, status.st_size, self._options.max_size)
        return Attachment(path, name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, root=self._root)


def encoded_length(size: int) -> int:
    """Return the number of characters in the base64 text of `size` bytes, including padding."""
    return (size + 2) // 3 * 4


def encode(attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's base64, `block` bytes of the file at a time (rounded down to a multiple of three).

    Raises `errors.AttachmentChanged` if the file has changed since it was checked: a different device, inode, size or
    modification time when it is opened or after it is read, a link in its path, not exactly `size` bytes, or no longer
    readable. It is always raised before the last chunk is yielded, so that a body of the announced length stays
    incomplete.
    """
    step = max(3, block - block % 3)  # only the last chunk is padded
    try:
        with open_below(attachment.root, attachment.path) as file:
            _require_same(attachment, file)
            left = attachment.size
            while left:
                data = file.read(min(step, left))
                if len(data) < min(step, left):
                    raise _changed(attachment)
                left -= len(data)
                if not left:
                    _require_same(attachment, file)
                yield b64encode(data)
    except OSError as error:
        raise _changed(attachment) from error


class RefusedAttachment(Exception):
    """A name in a cell cannot be attached; `issue` says why, without its row and column."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.issue = Issue(None, None, None, code, message, remedy)
        super().__init__(message)


class _NotThere(Exception):
    """There is no such file in the folder; `near` are the files that may have been meant."""

    def __init__(self, near: tuple[str, ...]) -> None:
        self.near = near
        super().__init__(*near)


def parts_of(name: str) -> tuple[str, ...]:
    r"""Return the folders and the file in a name; `\` is a separator like `/`.

    Raises `RefusedAttachment` for anything that points elsewhere or is not a plain file name: URLs, absolute paths,
    drives, network shares, `..`, alternate streams, device names, control characters, parts that end in a dot or space.
    """
    shown = shorten(name)
    if _URL.match(name):
        raise RefusedAttachment(
            "attachment-url",
            _("{name} is a web address, and only files can be attached", name=shown),
            _("Download the file into the attachments folder and write its name here"),
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise RefusedAttachment(
            "attachment-name",
            _("{name} contains a line break or another control character", name=shown),
            _('Write one file name; if a cell lists several, add to `attachments`: `separator: ";"`'),
        )
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise RefusedAttachment(
            "attachment-outside",
            _("{name} is an absolute path; only files in the attachments folder can be attached", name=shown),
            _(
                "Copy the files into that folder; the mapping then takes off what is before their names there, such as"
                " strip_prefix: '{prefix}'",
                prefix=re.split(r"[^/\\]+\Z", name)[0] or name,
            ),
        )
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if ".." in parts:
        raise RefusedAttachment(
            "attachment-outside",
            _("{name} leads outside the attachments folder", name=shown),
            _("Put the file into the attachments folder and write its name relative to that folder"),
        )
    for part in parts:
        _check_part(part, shown)
    return parts


def _check_part(part: str, shown: str) -> None:
    """Raise `RefusedAttachment` if a folder or file cannot have this name on Windows or means something else there."""
    if ":" in part:
        reason = _("{name} contains a colon, which is not allowed in a file name", name=shown)
    elif part[-1] in ". ":
        reason = _("in {name}, {part} ends in a dot or a space, which Windows removes", name=shown, part=repr(part))
    elif part.split(".", maxsplit=1)[0].rstrip().casefold() in _DEVICES:
        reason = _("in {name}, {part} is a Windows device, not a file", name=shown, part=repr(part))
    else:
        return
    raise RefusedAttachment("attachment-name", reason, _("Rename the file and write its new name here"))


class _FolderListing:
    """The names in one folder, indexed by their spelling without case and accents."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._names: dict[str, list[str]] = {}
        with suppress(FileNotFoundError, NotADirectoryError, Moved):  # if it is not a folder, it has no names
            for name in sorted(names_below(root, folder)):
                self._names.setdefault(_loose(name), []).append(name)
        self._sorted = sorted(self._names)

    def alike(self, name: str) -> tuple[str, ...]:
        """Return the names that equal `name` but for case, Unicode composition or what nobody sees."""
        wanted = _composed(name)
        return tuple(other for other in self._names.get(_loose(name), ()) if _composed(other) == wanted)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return up to three names that may have been meant by `name`.

        Only alphabetical neighbours are compared, so a folder with 100,000 files costs no more than one with ten.
        """
        loose = _loose(name)
        middle = bisect_left(self._sorted, loose)
        around = self._sorted[max(0, middle - _NEIGHBOURS) : middle + _NEIGHBOURS]
        return tuple(self._names[near][0] for near in difflib.get_close_matches(loose, around))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen(name)).casefold())


def _loose(name: str) -> str:
    folded = unicodedata.normalize("NFKD", seen(name).casefold())
    return "".join(character for character in folded if not unicodedata.combining(character))


def _same_file(attachment: Attachment) -> tuple[int, int, str]:
    """Return what two names of one file share, on file systems with and without case sensitivity."""
    return attachment.device, attachment.inode, _composed(str(attachment.path))


def _collect(issues: dict[tuple[int | None, str | None, str], Issue], issue: Issue) -> None:
    """Merge a fault into its cell's issue with the same code, or add it as a new issue."""
    known = issues.setdefault((issue.row, issue.column, issue.code), issue)
    if known is not issue:
        message = f"{known.message}; {issue.message}"
        remedy = known.remedy if issue.remedy in known.remedy else f"{known.remedy} {issue.remedy}"
        issues[issue.row, issue.column, issue.code] = replace(known, message=message, remedy=remedy)


def _require_same(attachment: Attachment, file: BinaryIO) -> None:
    """Raise `AttachmentChanged` if the open file is not the one that was checked."""
    if identity_of(os.fstat(file.fileno())) != attachment.identity:
        raise _changed(attachment)


def _changed(attachment: Attachment) -> AttachmentChanged:
    return AttachmentChanged(
        _(
            "The attachment {path} changed after it was checked, or can no longer be read; run the command again",
            path=attachment.path,
        )
    )


def _no_folder(root: Path) -> RefusedAttachment:
    if root.is_file():
        message = _("the attachments folder {folder} is a file", folder=root)
        remedy = _("Unpack it if it is a ZIP file, and name the folder as `folder` of `attachments` in the mapping")
    else:
        message = _("the attachments folder {folder} does not exist", folder=root)
        remedy = _("Create the folder, or correct `folder` of `attachments` in the mapping")
    return RefusedAttachment("attachment-missing", message, remedy)


def _missing(name: str, folder: Path, near: Sequence[str]) -> RefusedAttachment:
    message = _("{name} is not in {folder}", name=shorten(name), folder=folder)
    if not near:
        return RefusedAttachment("attachment-missing", message, _("Put the file there, or correct its name"))
    quoted = ", ".join(near)
    remedy = ngettext("Did you mean {names}?", "Did you mean one of these: {names}?", len(near), names=quoted)
    return RefusedAttachment("attachment-missing", message, remedy)


def _folder(name: str) -> RefusedAttachment:
    return RefusedAttachment(
        "attachment-folder",
        _("{name} is a folder, and only files can be attached", name=shorten(name)),
        _("Write the names of the files in it, or pack them into one file"),
    )


def _link_outside(name: str) -> RefusedAttachment:
    return RefusedAttachment(
        "attachment-outside",
        _("{name} is a link that leads outside the attachments folder", name=shorten(name)),
        _("Put the file itself into the attachments folder"),
    )


def _too_large(name: str, size: int, limit: int) -> RefusedAttachment:
    return RefusedAttachment(
        "attachment-too-large",
        _("{name} has {size:,} bytes, and the limit is {limit:,}", name=shorten(name), size=size, limit=limit),
        _("Make the file smaller, or add to `attachments`: `max_size: {needed}MB`", needed=-(-size // 10**6)),
    )


def _unreadable(name: str, reason: str) -> RefusedAttachment:
    return RefusedAttachment(
        "attachment-unreadable",
        _("{name} cannot be read: {reason}", name=shorten(name), reason=reason),
        _("Make the file readable, close the program that is using it, or replace it"),
    )


def _repeated(name: str) -> RefusedAttachment:
    return RefusedAttachment(
        "attachment-repeated",
        _("{name} is named twice in this row", name=shorten(name)),
        _("Name the file once"),
    )
