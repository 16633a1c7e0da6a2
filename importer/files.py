"""Open files that somebody else has named, without waiting and without being led elsewhere.

A path says where a file was when somebody looked. Between a look and the opening it may have become a pipe, which
waits for ever, a device, which never ends, or a link to another file. So a file is judged by its descriptor, once it is
open: what was checked is what is read.
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
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml.ElementTree import fromstring

from importer.errors import SourceError
from importer.messages import _, shorten

# MERGED importer.files: Open files that somebody else has named, without waiting and without being led elsewhere.

BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system opens a name relative to an open folder; Windows does not, and is watched before and after."""

_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# O_PATH asks for no right to list the folder, only for the right to go through it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

Identity = tuple[int, int, int, int]
"""What makes a file the one that was looked at: its device, its number there, its size and its time of change."""


class NotOrdinary(OSError):
    """What bears the name is a pipe, a device or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, _("it is not an ordinary file"), str(path))


class Moved(OSError):
    """A file, or a folder on the way to it, became a link or another one while it was looked at."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ELOOP, _("it turned into a link while it was looked at"), str(path))


def identity_of(status: os.stat_result) -> Identity:
    """Return what makes an open file itself."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def open_ordinary(path: Path) -> BinaryIO:
    """Return the file at `path`, open for reading.

    Raises `OSError` as `open` does, and at once for a pipe, a device or a socket, which `open` would wait for.
    """
    _refuse_special(path, os.stat(path))  # noqa: PTH116 - some devices do something when they are opened
    return _judged(path, os.open(path, _FILE))


def open_below(root: Path, path: Path) -> BinaryIO:
    """Return the file at `path`, which lies below `root`, open for reading; no link on the way is followed.

    Both are absolute, links in `path` resolved. Raises `OSError`; `Moved` where there is a link now all the same.
    """
    if not BY_DESCRIPTOR:
        return _open_watched(path)
    with _folder_below(root, path.parent) as place:
        _refuse_special(path, os.stat(path.name, dir_fd=place, follow_symlinks=False))
        return _judged(path, _step(path, path.name, _FILE, place))


def names_below(root: Path, folder: Path) -> list[str]:
    """Return the names in a folder that is `root` or lies below it, with the same care and errors as `open_below`."""
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
    """Open a folder component by component, for the length of a block."""
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
    """Open a file where nothing can be opened relative to a folder: its real place is the same before and after."""
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
    """Return the file of an open descriptor, which is closed where it is not an ordinary file."""
    try:
        _refuse_special(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")  # raises IsADirectoryError for a folder
    except OSError:
        os.close(descriptor)
        raise


# MERGED importer.files: What is said of a file that cannot be read.


def password_needed(file: str) -> SourceError:
    """Return the error of a workbook that is encrypted."""
    return SourceError(
        _(
            "{file} is protected by a password. Open it in Excel, remove the password (File > Info > Protect Workbook >"
            " Encrypt with Password) and save it.",
            file=file,
        )
    )


def damaged(file: str, reason: str = "") -> SourceError:
    """Return the error of a workbook that no reader understands, with the reader's own words."""
    return SourceError(
        _(
            "{file} is damaged or incomplete, or written in a way that is not known here ({reason}). Fetch it again, or"
            " open it in Excel, let Excel repair it, and save it as .xlsx.",
            file=file,
            reason=shorten(reason, 120) or _("it ends too early"),
        )
    )


# MERGED importer.files: The bounds of every file that is opened as a table, whoever opens it: a source, a lookup, a report that comes back.

LARGEST_PACKAGE = 4 << 30
"""Bytes of all parts of a workbook, unpacked."""

HIGHEST_RATIO = 150
"""How many bytes a large part may unpack to for each of its own: deflate packs sheets ten- to twentyfold, one long text
in each row a hundredfold; emptiness alone packs two hundredfold, at the fastest level, to a thousandfold."""

LARGE_PART = 32 << 20
"""Bytes from which on a part has to keep to that ratio."""

LONGEST_LIST = 8 << 20
"""Bytes of a zip file's list of parts: some 100,000 of them, each of which costs half a kilobyte of memory."""

LARGEST_TREE = 32 << 20
"""Bytes of a part that is held in memory as a tree: the lists of sheets, styles and links."""

MOST_ELEMENTS = 1_000_000
"""Elements of such a part, each some 500 bytes of memory; a sheet has at most 65,530 links."""

LONGEST_PROLOGUE = 1 << 20
"""Bytes before the first element of a part, where entities are declared; every program writes less than a hundred."""

MOST_COLUMNS = 16_384
"""Columns of a table: what a sheet of Excel or LibreOffice holds, and so what any program can show."""

MOST_ROWS = 1_048_576
"""Rows of a sheet of a workbook; a text file may have more."""

LONGEST_CELL = 10_000_000
"""Characters of a cell: Excel holds 32,767, and text files are given three hundred times that."""

LONGEST_RECORD = 32 << 20
"""Characters of one row of a text file, which is held in memory as a whole."""

_BLOCK = 1 << 18


def beyond_the_sheet(file: str) -> SourceError:
    """Return the error of a sheet that has more rows than any program can show."""
    return SourceError(
        _(
            "{file}: the sheet has more than {most:,} rows, which is more than Excel can show. Export the table as CSV,"
            " or in parts.",
            file=file,
            most=MOST_ROWS,
        )
    )


class _ListReader:
    """An open file of which no more than the longest list of parts is read at once while `zipfile` asks for it."""

    def __init__(self, content: BinaryIO) -> None:
        self.listing = True
        self.seek, self.tell, self.seekable = content.seek, content.tell, content.seekable
        self._read = content.read

    def read(self, size: int = -1) -> bytes:
        if self.listing and size > LONGEST_LIST:
            raise zipfile.BadZipFile(_("its list of parts is too long"))
        return self._read(size)


class Package:
    """The parts of a zip file by name, none of them a bomb."""

    def __init__(self, content: BinaryIO, file: str) -> None:
        """Read the list of parts of the open file `content`, which sentences call `file`.

        Raises SourceError where the file is cut short, locked, declares entities or unpacks beyond reason.
        """
        self.file = file
        try:
            reader = _ListReader(content)
            self.zip = zipfile.ZipFile(reader)
            reader.listing = False
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(file, str(error)) from error
        parts = self.zip.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise password_needed(file)
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise damaged(file, _("it is packed as no spreadsheet program does"))
        large = [part for part in parts if part.file_size > LARGE_PART]
        bomb = any(part.file_size > HIGHEST_RATIO * max(part.compress_size, 1) for part in large)
        if bomb or sum(part.file_size for part in parts) > LARGEST_PACKAGE:
            raise SourceError(
                _(
                    "{file} unpacks to far more than a table would need, as a zip bomb does; it was not opened. If it"
                    " is yours, copy the table into a new workbook and save that.",
                    file=file,
                )
            )
        self.names = frozenset(self.zip.namelist())
        for name in sorted(self.names):
            if name.endswith((".xml", ".rels")):
                self._look_at_prologue(name)

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield the unpacked bytes of a part. Raises SourceError where it is missing or damaged."""
        try:
            with self._open(name) as part:
                while block := part.read(_BLOCK):
                    yield block
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise damaged(self.file, str(error)) from error

    def content(self, name: str) -> bytes:
        """Return a small part as a whole. Raises SourceError where it is missing, damaged or too large for that."""
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

    def parse(self, name: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Feed a part to a parser, pausing after every block for whoever collects what it finds."""
        try:
            for block in self.blocks(name):
                parser.Parse(block, False)  # noqa: FBT003 - the parser's own signature
                yield
            parser.Parse(b"", True)  # noqa: FBT003 - the same
        except (expat.ExpatError, ValueError, LookupError) as error:  # no number for a row, no such encoding
            raise damaged(self.file, f"{name}: {error}") from error

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part points to: the type's last word and the target, by id; inner targets as part names."""
        folder, _slash, base = name.rpartition("/")
        rels = posixpath.join(folder, "_rels", f"{base}.rels")
        if rels not in self.names:
            return {}
        found = {}
        for element in self.tree(rels):
            target = element.get("Target", "")
            if element.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], target)
        return found

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self.zip.open(name)
        except KeyError as error:
            raise damaged(self.file, _("part {name} is missing", name=name)) from error

    def _look_at_prologue(self, name: str) -> None:
        """Read a part up to its first element; what is damaged in it is for whoever needs the part to say.

        A document type that is only named, as in each part of a macro in ODS, declares nothing and is never fetched.
        """
        seen: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda *_element: seen.append("element")
        parser.StartDoctypeDeclHandler = lambda *declared: seen.append("declarations" if declared[-1] else "name")
        looked_at = 0
        try:
            for _block in self.parse(name, parser):
                looked_at += _BLOCK
                if seen or looked_at > LONGEST_PROLOGUE:
                    break
        except SourceError:
            return
        if not seen:
            raise damaged(self.file, _("part {name} begins with nothing but remarks or white space", name=name))
        if "declarations" in seen:
            raise SourceError(
                _(
                    "{file} declares XML entities in {part}, which no spreadsheet program does; it was not opened.",
                    file=self.file,
                    part=name,
                )
            )
