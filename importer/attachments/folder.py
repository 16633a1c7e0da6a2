"""Attachments in a folder of the disk."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from importer.attachments.names import NameList
from importer.attachments.refusals import NotThere, is_folder, link_outside, refuse_size
from importer.model import Attachment
from importer.system.files import Moved, names_below, open_below

_REMEMBERED_LISTINGS = 128  # beyond that the oldest are read again


class DiskFolder:
    """A folder of files; `root` has no links in it."""

    def __init__(self, root: Path, max_size: int) -> None:
        """Remember where the files are; nothing is read."""
        self._root, self._max_size = root, max_size
        self._listing = lru_cache(_REMEMBERED_LISTINGS)(self._list)

    def find(self, parts: tuple[str, ...], name: str) -> Attachment:
        """Return the file that the `parts` of a name lead to; raises `RefusedAttachment`, `NotThere` or `OSError`."""
        return self._check(self._resolve(parts), name)

    def path_of(self, attachment: Attachment) -> str:
        """Return a file's path in the folder."""
        return attachment.path.relative_to(self._root).as_posix()

    def only_zip(self) -> str | None:
        """Return the name of the zip file that is all that the folder has, None where it has more or none."""
        names = self._names(self._root)
        return names[0] if len(names) == 1 and names[0].lower().endswith(".zip") else None

    def _names(self, folder: Path) -> list[str]:
        with suppress(FileNotFoundError, NotADirectoryError, Moved):  # if it is not a folder, it has no names
            return names_below(self._root, folder)
        return []

    def _list(self, folder: Path) -> NameList:
        return NameList(self._names(folder))

    def _resolve(self, parts: tuple[str, ...]) -> Path:
        """Return the path that `parts` lead to from the root; raises `RefusedAttachment` or `NotThere`."""
        path = self._root
        for at, part in enumerate(parts):
            path = self._step(path, part, parts[at + 1 :])
        return path

    def _step(self, folder: Path, part: str, rest: tuple[str, ...]) -> Path:
        """Return the path of `part` in `folder`; follows a link that stays under the root.

        `rest` are the parts that follow: where this one is not there, the files that may have been meant end with them.
        """
        path = folder / part
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            path = folder / self._only_alike(folder, part, rest)
            status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", False):
            path = Path(os.path.realpath(path))
            if not path.is_relative_to(self._root):
                raise link_outside(part)
            if path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        return path

    def _only_alike(self, folder: Path, part: str, rest: tuple[str, ...]) -> str:
        """Return the one name in `folder` that differs from `part` only in case or Unicode composition."""
        listing = self._listing(folder)
        alike = listing.alike(part)
        if len(alike) != 1:
            here = folder.relative_to(self._root)
            near = (Path(name, *rest) for name in alike or listing.nearest(part))
            raise NotThere(tuple((here / path).as_posix() for path in near if (folder / path).is_file()))
        return alike[0]

    def _check(self, path: Path, name: str) -> Attachment:
        """Open the file and return it as it is now; raises `RefusedAttachment` or `OSError` if it cannot be sent.

        No links were seen in `path`; one that has appeared since is not followed.
        """
        if path == self._root:
            raise is_folder(name)
        try:
            with open_below(self._root, path) as file:  # only opening shows whether it is readable
                status = os.fstat(file.fileno())
        except IsADirectoryError as error:
            raise is_folder(name) from error
        except Moved as error:
            raise link_outside(name) from error
        refuse_size(name, status.st_size, self._max_size)
        return Attachment(path, name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, root=self._root)
