"""Open files that someone else has named, safely: no waiting, no detours, no bombs.

A path says where a file was at the time of a check. Between the check and the opening it may have become a pipe, which
waits for ever, a device, which never ends, or a link to another file. So a file is checked by its descriptor once it is
open: what was checked is what is read. A workbook is opened as a `Package`, whose parts have bounds.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml.ElementTree import fromstring

from importer.errors import SourceError
from importer.messages import _, shorten
from importer.system.causes import in_words
from importer.system.zips import LONGEST_LIST, open_zip

# Bounds of every file that is opened as a table: a source, a lookup, a report that comes back.

LARGEST_PACKAGE = 4 << 30
"""Bytes of all parts of a workbook, unpacked."""

HIGHEST_RATIO = 150
"""Unpacked bytes of a large part for each packed byte. Sheets have a ratio of ten to twenty, one long text in each row
a hundred; only bytes that are all equal have two hundred (at the fastest level) to a thousand."""

LARGE_PART = 32 << 20
"""Unpacked bytes from which on a part must keep to that ratio."""

LARGEST_TREE = 32 << 20
"""Bytes of a part that is held in memory as a tree: the lists of sheets, styles and links."""

MOST_ELEMENTS = 1_000_000
"""Elements of such a part, each about 500 bytes of memory; a sheet has at most 65,530 links."""

LONGEST_PROLOGUE = 1 << 20
"""Bytes before the first element of a part, where entities are declared; every program writes less than a hundred."""

MOST_COLUMNS = 16_384
"""Columns of a table, as many as a sheet of Excel or LibreOffice has, and so as many as any program can show."""

MOST_ROWS = 1_048_576
"""Rows of a sheet of a workbook; a text file may have more."""

LONGEST_CELL = 10_000_000
"""Characters of a cell; Excel allows 32,767, and text files are allowed three hundred times that."""

LONGEST_RECORD = 32 << 20
"""Characters of one row of a text file, which is held in memory as a whole."""

_BLOCK = 1 << 18
_PROLOGUE = 1 << 10  # its end is in the first one of almost every part

BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system can open a name relative to an open folder. Windows cannot; there, paths are checked before and
after opening."""

_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# O_PATH needs no right to list the folder, only the right to pass through it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

Identity = tuple[int, int, int, int]
"""What identifies the file that was checked: its device, its number there, its size and its time of change."""


class NotOrdinary(OSError):
    """The path is a pipe, a device or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, _("it is not an ordinary file"), str(path))


class Moved(OSError):
    """A file, or a folder on the way to it, became a link or another file while it was checked."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ELOOP, _("it turned into a link while it was checked"), str(path))


def identity_of(status: os.stat_result) -> Identity:
    """Return what identifies an open file."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def open_ordinary(path: Path) -> BinaryIO:
    """Return the file at `path`, open for reading.

    Raises `OSError` as `open` does, and immediately for a pipe, a device or a socket, for which `open` would wait.
    """
    _refuse_special(path, os.stat(path))  # noqa: PTH116 - some devices do something when they are opened
    return _judged(path, os.open(path, _FILE))


def open_below(root: Path, path: Path) -> BinaryIO:
    """Return the file at `path`, which is below `root`, open for reading; no link on the way is followed.

    Both are absolute, with links in `path` resolved. Raises `OSError`, and `Moved` where a link has appeared since.
    """
    if not BY_DESCRIPTOR:
        return _open_watched(path)
    with _folder_below(root, path.parent) as place:
        _refuse_special(path, os.stat(path.name, dir_fd=place, follow_symlinks=False))
        return _judged(path, _step(path, path.name, _FILE, place))


def names_below(root: Path, folder: Path) -> list[str]:
    """Return the names in a folder that is `root` or below it, with the same care and errors as `open_below`."""
    if not BY_DESCRIPTOR:
        _refuse_moved(folder)
        names = os.listdir(folder)  # noqa: PTH208 - names, and no paths
        _refuse_moved(folder)
        return names
    with _folder_below(root, folder) as place:
        listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
    try:
        return os.listdir(listed)  # noqa: PTH208 - a descriptor has no path
    finally:
        os.close(listed)


@contextmanager
def _folder_below(root: Path, folder: Path) -> Iterator[int]:
    """Open a folder, component by component, for the duration of a block."""
    place = os.open(root, _FOLDER)
    try:
        for part in folder.relative_to(root).parts:
            inner = _step(folder, part, _FOLDER, place)
            os.close(place)
            place = inner
        yield place
    finally:
        os.close(place)


def _step(path: Path, part: str, flags: int, place: int) -> int:
    """Open what `part` is in the open folder `place`; a link is not followed."""
    try:
        return os.open(part, flags | _NO_LINK, dir_fd=place)
    except OSError as error:
        if stat.S_ISLNK(os.stat(part, dir_fd=place, follow_symlinks=False).st_mode):
            raise Moved(path) from error
        raise


def _open_watched(path: Path) -> BinaryIO:
    """Open a file on systems that cannot open it relative to a folder: its real path is compared before and after."""
    _refuse_moved(path)
    _refuse_special(path, path.lstat())
    file = _judged(path, os.open(path, _FILE))
    try:
        _refuse_moved(path)
        if identity_of(os.fstat(file.fileno())) != identity_of(path.lstat()):
            raise Moved(path)
    except OSError:
        file.close()
        raise
    return file


def _refuse_moved(path: Path) -> None:
    if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
        raise Moved(path)


def _refuse_special(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise Moved(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise NotOrdinary(path)


def _judged(path: Path, descriptor: int) -> BinaryIO:
    """Return the file of an open descriptor; the descriptor is closed if it is not an ordinary file."""
    try:
        _refuse_special(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")  # raises IsADirectoryError for a folder
    except OSError:
        os.close(descriptor)
        raise


def password_needed(file: str) -> SourceError:
    """Return the error for a workbook that is encrypted."""
    return SourceError(
        _(
            "{file} is protected by a password. Open it in Excel, remove the password (File > Info > Protect Workbook >"
            " Encrypt with Password) and save it.",
            file=file,
        )
    )


def damaged(file: str, reason: str = "") -> SourceError:
    """Return the error for a workbook that no parser can read, with the parser's own words."""
    return SourceError(
        _(
            "{file} is damaged or incomplete, or written in an unknown way ({reason}). Download it again, or open it in"
            " Excel, let Excel repair it, and save it as .xlsx.",
            file=file,
            reason=shorten(in_words(reason), 120) or _("it ends too early"),
        )
    )


def beyond_the_sheet(file: str) -> SourceError:
    """Return the error for a sheet that has more rows than any program can show."""
    return SourceError(
        _(
            "{file}: the sheet has more than {most:,} rows, which is more than Excel can show. Export the table as CSV,"
            " or in parts.",
            file=file,
            most=MOST_ROWS,
        )
    )


class Package:
    """The parts of a zip file by name, none of them a bomb."""

    def __init__(self, content: BinaryIO, file: str) -> None:
        """Read the list of parts of the open file `content`, which is called `file` in sentences.

        Raises SourceError where the file is incomplete or encrypted, declares entities, or unpacks beyond the bounds.
        """
        self.file = file
        try:
            self.zip = open_zip(content, LONGEST_LIST)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(file, str(error)) from error
        parts = self.zip.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise password_needed(file)
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise damaged(file, _("no spreadsheet program compresses files in this way"))
        large = [part for part in parts if part.file_size > LARGE_PART]
        bomb = any(part.file_size > HIGHEST_RATIO * max(part.compress_size, 1) for part in large)
        if bomb or sum(part.file_size for part in parts) > LARGEST_PACKAGE:
            raise SourceError(
                _(
                    "{file} unpacks to far more than a table needs, as a zip bomb does, and was not opened. If the file"
                    " is yours, copy the table into a new workbook and save that.",
                    file=file,
                )
            )
        self.names = frozenset(self.zip.namelist())
        self.respelled: set[str] = set()
        self._spellings = {_plain_name(name): name for name in sorted(self.names, reverse=True)}
        for name in sorted(self.names):
            if _is_xml(name):
                self._check_prologue(name)

    def spelled(self, name: str) -> str:
        """Return the name of a part as the zip file spells it; as it is given where there is no such part.

        Excel minds neither letter case nor backslashes, nor characters written as `%20`.
        """
        if name in self.names or (found := self._spellings.get(_plain_name(name))) is None:
            return name
        self.respelled.add(found)
        return found

    def blocks(self, name: str, first: int = _BLOCK) -> Iterator[bytes]:
        """Yield the unpacked bytes of a part. Raises SourceError where it is missing or damaged."""
        try:
            with self._open(name) as part:
                block = part.read(first)
                while block:
                    yield block
                    block = part.read(_BLOCK)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, UnicodeDecodeError) as error:
            raise damaged(self.file, str(error)) from error

    def content(self, name: str) -> bytes:
        """Return the bytes of a small part. Raises SourceError where it is missing, damaged or too large."""
        held = bytearray()
        for block in self.blocks(name):
            held += block
            if len(held) > LARGEST_TREE:
                raise damaged(self.file, _("part {name} is larger than in any workbook", name=name))
        return bytes(held)

    def tree(self, name: str) -> Element:
        """Return a small part as a tree of elements; raises SourceError as `content` does."""
        content = self.content(name)
        if content.count(b"<") > 2 * MOST_ELEMENTS:  # one opens an element, one may close it
            raise damaged(self.file, _("part {name} is larger than in any workbook", name=name))
        try:
            root: Element = fromstring(content)  # entities raise a ValueError
        except (ParseError, ValueError, LookupError) as error:
            raise damaged(self.file, f"{name}: {error}") from error
        return root

    def parse(self, name: str, parser: expat.XMLParserType) -> Iterator[bytes]:
        """Feed a part to a parser, and yield every block after that. Raises SourceError as `blocks` does."""
        if not _is_xml(name):  # any name may be a sheet's
            self._check_prologue(name)
        yield from self._feed(name, parser)

    def _feed(self, name: str, parser: expat.XMLParserType, first: int = _BLOCK) -> Iterator[bytes]:
        try:
            for block in self.blocks(name, first):
                parser.Parse(block, False)  # noqa: FBT003 - the parser's own signature
                yield block
            parser.Parse(b"", True)  # noqa: FBT003 - the same
        except (expat.ExpatError, ValueError, LookupError) as error:  # not a number, an unknown encoding
            raise damaged(self.file, f"{name}: {error}") from error

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the targets of a part by their ids, each with the last word of its type; inner ones as part names.

        A target is spelled as the part is; where a relative one leads nowhere, some programs mean it from the root.
        """
        folder, _slash, base = name.replace("\\", "/").rpartition("/")
        rels = self.spelled(posixpath.join(folder, "_rels", f"{base}.rels"))
        if rels not in self.names:
            return {}
        found = {}
        for element in self.tree(rels):
            target = element.get("Target", "")
            if element.get("TargetMode") != "External":
                target = self._target(folder, target.replace("\\", "/"))
            found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], target)
        return found

    def _target(self, folder: str, target: str) -> str:
        paths = [posixpath.normpath(posixpath.join("/", base, target)).lstrip("/") for base in (folder, "")]
        return next((name for name in map(self.spelled, paths) if name in self.names), paths[0])

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self.zip.open(self.spelled(name))
        except KeyError as error:
            raise damaged(self.file, _("part {name} is missing", name=name)) from error

    def _check_prologue(self, name: str) -> None:
        """Read a part up to its first element and refuse declarations; other damage is reported when the part is read.

        A document type that is only named, as in each part of a macro in ODS, declares nothing and is never loaded.
        """
        seen: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda *_element: seen.append("element")
        parser.StartDoctypeDeclHandler = lambda *declared: seen.append("declarations" if declared[-1] else "name")
        read_so_far = 0
        try:
            for block in self._feed(name, parser, _PROLOGUE):
                read_so_far += len(block)
                if seen or read_so_far > LONGEST_PROLOGUE:
                    break
        except SourceError:
            return
        if not seen:
            raise damaged(self.file, _("part {name} begins with nothing but comments or white space", name=name))
        if "declarations" in seen:
            raise SourceError(
                _(
                    "{file} declares XML entities in {part}, which no spreadsheet program does, and was not opened.",
                    file=self.file,
                    part=name,
                )
            )


def _plain_name(name: str) -> str:
    """Return the name of a part in the one spelling that stands for all others."""
    return posixpath.normpath(posixpath.join("/", unquote(name.replace("\\", "/")))).lstrip("/").lower()


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))
