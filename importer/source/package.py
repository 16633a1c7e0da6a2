"""The zip file that a modern workbook is, looked over before any of it is parsed."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

from importer.errors import SourceError
from importer.messages import _
from importer.source.refusals import damaged, password_needed
from importer.source.snapshot import Snapshot

_LARGEST = 4 << 30  # bytes of all parts unpacked; a full sheet of 20 columns stays below
_LARGE_PART = 32 << 20
_HIGHEST_RATIO = 250  # deflate packs sheets ten- to fiftyfold; only emptiness packs a thousandfold
_BLOCK = 1 << 18


class Package:
    """The parts of a zip file by name, none of them a bomb."""

    def __init__(self, snapshot: Snapshot, file: str) -> None:
        """Read the list of parts. Raises SourceError where the file is cut short, locked or unpacks beyond reason."""
        self.file = file
        try:
            self._zip = zipfile.ZipFile(snapshot.open())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(file, str(error)) from error
        parts = self._zip.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise password_needed(file)
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise damaged(file, _("it is packed as no spreadsheet program does"))
        large = [part for part in parts if part.file_size > _LARGE_PART]
        bomb = any(part.file_size > _HIGHEST_RATIO * max(part.compress_size, 1) for part in large)
        if bomb or sum(part.file_size for part in parts) > _LARGEST:
            raise SourceError(
                _(
                    "{file} unpacks to far more than a table would need, as a zip bomb does; it was not opened. If it"
                    " is yours, copy the table into a new workbook and save that.",
                    file=file,
                )
            )
        self.names = frozenset(self._zip.namelist())

    def refuse_entities(self) -> None:
        """Raise SourceError where a part declares entities, with which a few bytes can grow without bound."""
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

    def tree(self, name: str) -> Element:
        """Return a small part as a tree of elements."""
        try:
            return fromstring(b"".join(self.blocks(name)))  # noqa: S314 - entities were refused
        except (ParseError, ValueError, LookupError) as error:
            raise damaged(self.file, f"{name}: {error}") from error

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
            return self._zip.open(name)
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
        try:
            for _block in self.parse(name, parser):
                if seen:
                    break
        except SourceError:
            pass
        if "declarations" in seen:
            raise SourceError(
                _(
                    "{file} declares XML entities in {part}, which no spreadsheet program does; it was not opened.",
                    file=self.file,
                    part=name,
                )
            )
