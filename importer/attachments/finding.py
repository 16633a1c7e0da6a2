"""Find the files that cells name, and check them before anything is sent.

A name in a cell is judged by its text first, without touching the file system. A file must be under the one folder of
the mapping, or in its zip file, and it is checked when a plan is made.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from importer.attachments.folder import DiskFolder
from importer.attachments.issues import issue_of
from importer.attachments.names import composed, parts_of
from importer.attachments.refusals import (
    MISSING,
    NameRefusal,
    NotThere,
    RefusedAttachment,
    missing_file,
    repeated,
    several_files,
    unreadable,
)
from importer.attachments.several import how_to_list_those, listed_in
from importer.attachments.zipped import ZippedFolder, open_zipped
from importer.model import Attachment, AttachmentOptions, Issue
from importer.system.causes import reason_of
from importer.text import as_sent

_Kind = tuple[int, str, str]
"""The row, the column and the code of names that cannot be attached."""

_File = tuple[int, int, str, int | None]
_NO_SUCH_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL})  # several names together: too long, or with a `|`
_REMEMBERED_FILES = 50_000  # beyond that the oldest are looked at again


@dataclass(frozen=True, slots=True)
class FoundAttachments:
    """The result for a row's attachment cells: files to send, faults, and names left out by `missing: send_without`."""

    attachments: tuple[Attachment, ...]
    issues: tuple[Issue, ...]
    missing: tuple[str, ...]


class AttachmentFolder:
    """The folder, or the zip file, that contains all attachments of a source.

    `beside` is the source's folder; a relative `options.folder` starts there. `lost` is the sheet of a source that is a
    report, where neither is beside the folder. Each distinct name is checked once, however many rows have it; `encode`
    detects later changes.
    """

    def __init__(self, options: AttachmentOptions, beside: Path, lost: str | None = None) -> None:
        self._options, self._lost = options, lost
        self._root = Path(os.path.realpath(beside / options.folder))
        self._look = lru_cache(_REMEMBERED_FILES)(self._look_at)

    def find(self, row: int, names: Sequence[tuple[str, str]], lines: Sequence[int] = ()) -> FoundAttachments:
        """Return the files that a row's cells name, in order; `names` pairs each column with its cell's text.

        A cell without a name is ignored. Faults of one kind in one cell become one issue that names them all. `lines`
        are the rows of the cells where some are in further lines of the case, which may name a file again.
        """
        attachments: dict[_File, Attachment] = {}
        named_by: dict[_File, int] = {}
        refusals: dict[_Kind, tuple[str, list[NameRefusal]]] = {}
        missing: list[str] = []
        for (column, cell), line in zip(names, lines or [row] * len(names), strict=True):
            for name in self._split(cell):
                file = self._look(name)
                if isinstance(file, Attachment) and _same_file(file) in attachments:
                    if named_by[_same_file(file)] != line:
                        continue
                    file = repeated(name).refusal
                if isinstance(file, Attachment):
                    attachments[_same_file(file)], named_by[_same_file(file)] = file, line
                elif file.code == MISSING and self._may_go_without():
                    missing.append(name)
                else:
                    refusals.setdefault((line, column, file.code), (cell, []))[1].append(file)
        issues = (issue_of(each, line, column, cell) for (line, column, _), (cell, each) in refusals.items())
        return FoundAttachments(tuple(attachments.values()), tuple(issues), tuple(missing))

    def absent(self, cell: str) -> list[str]:
        """Return the names in a cell for which no file is there."""
        looked = ((name, self._look(name)) for name in self._split(cell))
        return [name for name, file in looked if isinstance(file, NameRefusal) and file.code == MISSING]

    def _split(self, cell: str) -> Iterator[str]:
        parts = cell.split(self._options.separator) if self._options.separator else [cell]
        return (part.strip() for part in parts if as_sent(part))

    def _may_go_without(self) -> bool:
        """Tell whether missing files are left out; never if the whole folder is missing: that is not a row's fault."""
        return self._options.missing == "send_without" and not isinstance(self._place, RefusedAttachment)

    @cached_property
    def _place(self) -> DiskFolder | ZippedFolder | RefusedAttachment:
        """Where the files are, or why there is no such place."""
        if self._root.is_dir():
            return DiskFolder(self._root, self._options.max_size)
        try:
            return open_zipped(self._root, self._options.folder, self._options.max_size, self._lost)
        except RefusedAttachment as refused:
            return refused

    def _look_at(self, name: str) -> Attachment | NameRefusal:
        """Return the file that `name` means, or what prevents sending it."""
        try:
            parts = parts_of(name, self._options.separator)
            if isinstance(self._place, RefusedAttachment):
                raise self._place
            return self._find(self._place, parts, name)
        except RefusedAttachment as refused:
            return refused.refusal
        except OSError as error:
            return unreadable(name, reason_of(error)).refusal

    def _find(self, place: DiskFolder | ZippedFolder, parts: tuple[str, ...], name: str) -> Attachment:
        try:
            return place.find(parts, name)
        except NotThere as absent:
            self._refuse_several(place, name)
            near = _ends_there(place, parts) or absent.near
            raise missing_file(name, self._options.folder, near, place.only_zip()) from absent
        except OSError as error:
            if error.errno in _NO_SUCH_NAME:
                self._refuse_several(place, name)
            raise

    def _refuse_several(self, place: DiskFolder | ZippedFolder, name: str) -> None:
        """Raise `RefusedAttachment` for what seems to list several files: proposing one of them drops the others."""
        if listed := listed_in(name, lambda part: _is_there(place, part)):
            remedy = how_to_list_those(listed, self._options.separator)
            raise several_files(name, self._options.folder, remedy, are_all_there=listed.are_all_there)


def _is_there(place: DiskFolder | ZippedFolder, name: str) -> bool:
    """Tell whether a file has this name, even one that cannot be sent."""
    try:
        place.find(parts_of(name), name)
    except RefusedAttachment as refused:
        return refused.refusal.code in {"attachment-empty", "attachment-too-large", "attachment-unreadable"}
    except (NotThere, OSError):
        return False
    return True


def _ends_there(place: DiskFolder | ZippedFolder, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the end of a path that is a file in the folder: the path begins elsewhere, or with the folder."""
    for start in range(1, len(parts)):
        with suppress(NotThere, RefusedAttachment, OSError):
            return (place.path_of(place.find(parts[start:], "")),)
    return ()


def _same_file(attachment: Attachment) -> _File:
    """Return what two names of one file share, on file systems with and without case sensitivity."""
    return attachment.device, attachment.inode, composed(str(attachment.path)), attachment.member
