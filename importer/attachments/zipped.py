"""Attachments in a zip file, which is read as it is: nothing is unpacked to the disk or held in memory as a whole."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import IO, BinaryIO

from importer.attachments.names import NameList, composed
from importer.attachments.refusals import (
    NotThere,
    damaged_zip,
    in_the_zip,
    is_folder,
    link_outside,
    no_folder,
    refuse_size,
)
from importer.messages import _
from importer.model import Attachment
from importer.system.causes import reason_of
from importer.system.files import Identity, identity_of, open_below, open_ordinary
from importer.system.zips import NOT_READABLE, ZipFolder, ZipMember

_SIGNATURES = (b"PK\3\4", b"PK\5\6")
_OPEN_ZIPS = 2  # at a time; a run has one


class ZippedFolder:
    """The files in a zip file; `path` has no links in it."""

    def __init__(self, path: Path, identity: Identity, max_size: int) -> None:
        """Read the list of files; raises one of `NOT_READABLE`."""
        self._path, self._identity, self._max_size = path, identity, max_size
        self._zip = _open(path, identity)

    def find(self, parts: tuple[str, ...], name: str) -> Attachment:
        """Return the file that the `parts` of a name lead to; raises `RefusedAttachment` or `NotThere`."""
        member = self._zip.member("/".join(parts), name)
        _refuse(member, name)
        refuse_size(name, member.size, self._max_size)
        if not self._zip.is_whole(member):
            raise in_the_zip(name, _("it is damaged in the zip file"))
        device, inode, zip_size, modified = self._identity
        return Attachment(
            self._path, name, member.size, modified, inode, device, self._path.parent, member.number, zip_size
        )

    def path_of(self, attachment: Attachment) -> str:
        """Return a file's path in the zip file."""
        return self._zip.path_of(attachment.member or 0)

    def only_zip(self) -> None:
        """Return None: a zip file in a zip file is an attachment like any other."""


class _OpenZip:
    """An open zip file with an index of its names; it is closed when nobody needs it any more."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self._file = open_below(path.parent, path)
        weakref.finalize(self, self._file.close)
        if identity_of(os.fstat(self._file.fileno())) != identity:
            raise OSError(_("it changed while it was read"))
        self._folder = ZipFolder(self._file)
        self._by_name: dict[str, list[ZipMember]] = {}
        for nth in range(max((len(member.names) for member in self._folder.members.values()), default=0)):
            self._index(nth)
        self._names = NameList(self._by_name)
        self._whole: dict[int, bool] = {}

    def _index(self, nth: int) -> None:
        """Add the n-th name of each file that has so many; a likelier name of another file keeps its meaning."""
        likelier = frozenset(self._by_name)
        for member in self._folder.members.values():
            path = self._below_top(member.names[nth]) if nth < len(member.names) else ""
            if path and path not in likelier:
                self._by_name.setdefault(path, []).append(member)

    def _below_top(self, name: str) -> str:
        return name.partition("/")[2] if self._folder.top else name

    def member(self, wanted: str, name: str) -> ZipMember:
        """Return the one file that a path means, from the root or from the one folder that has all files."""
        tries = [wanted]
        if composed(wanted).startswith(composed(self._folder.top)):
            tries.insert(0, self._below_top(wanted))
        found = next(filter(None, map(self._by_name.get, tries)), None) or self._alike(tries, name)
        if len(found) > 1:
            raise in_the_zip(name, _("the zip file has several files of this name"))
        return found[0]

    def _alike(self, tries: Sequence[str], name: str) -> list[ZipMember]:
        """Return what a path means but for its spelling; raises `RefusedAttachment` or `NotThere`."""
        alike = list(dict.fromkeys(other for each in tries for other in self._names.alike(each)))
        if len(alike) == 1:
            return self._by_name[alike[0]]
        if any(self._folder.has_folder(each) for each in tries):
            raise is_folder(name)
        raise NotThere(tuple(alike or self._names.nearest(tries[0])))

    def is_whole(self, member: ZipMember) -> bool:
        """Tell whether a file can be unpacked to its end; it is unpacked once to see that."""
        if member.number not in self._whole:
            self._whole[member.number] = self._folder.is_whole(member)
        return self._whole[member.number]

    def content(self, number: int) -> IO[bytes]:
        """Return the content of the file at a place in the list."""
        return self._folder.open(self._folder.members[number])

    def path_of(self, number: int) -> str:
        """Return the path of a file, from the one folder that has all files."""
        return self._below_top(self._folder.members[number].names[0])


_open = lru_cache(_OPEN_ZIPS)(_OpenZip)
"""Open a zip file, once for all of its attachments, as long as it is the same file."""


def open_zipped(path: Path, written: Path, max_size: int, lost: str | None = None) -> ZippedFolder:
    """Return the files in a zip file; raises `RefusedAttachment` where there is none, or where it cannot be read.

    `written` is how the mapping names it, and `lost` the sheet of a report beside which it should be.
    """
    if not path.is_file():
        raise no_folder(path, written, lost)
    try:
        with open_ordinary(path) as file:
            begins_like_one = file.read(4) in _SIGNATURES
            identity = identity_of(os.fstat(file.fileno()))
        if not begins_like_one:
            raise no_folder(path, written)
        return ZippedFolder(path, identity, max_size)
    except NOT_READABLE as error:
        told = isinstance(error, OSError) and error.strerror and reason_of(error)
        raise damaged_zip(path, told or _("its list of files is damaged, or it ends too early")) from error


def content_of(attachment: Attachment, file: BinaryIO) -> AbstractContextManager[IO[bytes]]:
    """Return what is sent of an open file: itself, or the file in it if it is a zip file."""
    if attachment.member is None:
        return nullcontext(file)
    return _open(attachment.path, attachment.identity).content(attachment.member)


def _refuse(member: ZipMember, name: str) -> None:
    """Raise `RefusedAttachment` for what must not, or cannot, be unpacked."""
    if member.is_link:
        raise link_outside(name)
    if member.leads_outside:
        raise in_the_zip(name, _("its path in the zip file leads outside of it"))
    if member.is_encrypted:
        raise in_the_zip(name, _("it is protected by a password in the zip file"))
    if member.is_packed_otherwise:
        raise in_the_zip(name, _("the zip file packs it in a way that only some programs can read"))
