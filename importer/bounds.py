"""The bounds of every file that is opened as a table, whoever opens it: a source, a lookup, a report that comes back.

A few thousand bytes can unpack to gigabytes, and a text without an end fits into no memory. What lies beyond these
bounds is refused in a sentence, before it is read. They are far above what offices have: a full sheet of 20 columns
stays below each.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml.ElementTree import fromstring

from importer.errors import SourceError
from importer.messages import _
from importer.refusals import damaged, password_needed

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
