"""Zip files that others have made: opened within bounds, and read as folders of files.

Names are read as the programs that pack files write them: Windows in the code page of its console, other systems in
UTF-8, with or without saying so.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from importer.messages import _

LONGEST_LIST = 8 << 20
"""Bytes of a zip file's list of parts: some 100,000 parts, each of which takes half a kilobyte of memory."""

NOT_READABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)
"""What `zipfile` raises where a file is damaged, ends too early, or is packed in a way that it does not know."""

_BLOCK = 192 * 1024
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # others may need any amount of memory
_IS_ENCRYPTED, _SAYS_UTF_8 = 0x1, 0x800
_CODE_PAGES = ("cp850", "cp437")  # of consoles in Europe and Latin America, and in the United States
_ELSEWHERE = re.compile(r"/|[A-Za-z]:")
_OF_THE_SYSTEM = re.compile(r"(?:.*/)?(?:__MACOSX/.*|\.DS_Store|desktop\.ini|Thumbs\.db)", re.IGNORECASE)


class _ListReader:
    """An open file that refuses to read more than a bound at once while `zipfile` reads the list of parts."""

    def __init__(self, content: BinaryIO, longest_list: int) -> None:
        self.bound: int | None = longest_list
        self.seek, self.tell, self.seekable = content.seek, content.tell, content.seekable
        self._read = content.read

    def read(self, size: int = -1) -> bytes:
        if self.bound is not None and size > self.bound:
            raise zipfile.BadZipFile(_("its list of parts is too long"))
        return self._read(size)


def open_zip(content: BinaryIO, longest_list: int = LONGEST_LIST) -> zipfile.ZipFile:
    """Return an open file as a zip file whose list of parts has a bound; raises one of `NOT_READABLE`."""
    reader = _ListReader(content, longest_list)
    opened = zipfile.ZipFile(reader)
    reader.bound = None
    return opened


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in a zip file, by the names that it may have; the first is the likeliest.

    A name has `/` between folders, and nothing that leads elsewhere. `number` is its place in the list.
    """

    names: tuple[str, ...]
    number: int
    size: int
    leads_outside: bool
    is_link: bool
    is_encrypted: bool
    is_packed_otherwise: bool


class ZipFolder:
    """A zip file as a folder of files; `content` must stay open while they are read."""

    def __init__(self, content: BinaryIO) -> None:
        """Read the list of files; raises one of `NOT_READABLE`."""
        self._zip = open_zip(content)
        self.members: dict[int, ZipMember] = {}
        self._folders: set[str] = set()
        for number, info in enumerate(self._zip.infolist()):
            self._add(info, number)
        self.top = self._only_folder()

    def open(self, member: ZipMember) -> IO[bytes]:
        """Return the content of a file, read while it is unpacked; raises one of `NOT_READABLE`, also later."""
        return self._zip.open(self._zip.infolist()[member.number])

    def is_whole(self, member: ZipMember) -> bool:
        """Unpack a file to its end; tell whether it is as the list says."""
        try:
            with self.open(member) as content:
                return sum(map(len, iter(lambda: content.read(_BLOCK), b""))) == member.size
        except NOT_READABLE:
            return False

    def has_folder(self, path: str) -> bool:
        """Tell whether there is such a folder, from the root or from the one folder that has all files."""
        return not self._folders.isdisjoint({path, f"{self.top}{path}"})

    def paths(self) -> Iterator[str]:
        """Yield the likeliest name of each file, from the one folder that has them all, if there is one."""
        for member in self.members.values():
            if not member.leads_outside:
                yield member.names[0].removeprefix(self.top)

    def _add(self, info: zipfile.ZipInfo, number: int) -> None:
        written = [name.replace("\\", "/") for name in _readings(info)]
        if _OF_THE_SYSTEM.fullmatch(written[0]):
            return
        parts = [tuple(part for part in _bare(name).split("/") if part not in {"", ".", ".."}) for name in written]
        inside = [*parts[0][:-1]] if not written[0].endswith("/") else [*parts[0]]
        self._folders.update("/".join(inside[:depth]) for depth in range(1, len(inside) + 1))
        if written[0].endswith("/") or not parts[0]:
            return
        self.members[number] = ZipMember(
            tuple(map("/".join, parts)),
            number,
            info.file_size,
            leads_outside=bool(_ELSEWHERE.match(written[0])) or ".." in written[0].split("/"),
            is_link=stat.S_ISLNK(info.external_attr >> 16),
            is_encrypted=bool(info.flag_bits & _IS_ENCRYPTED),
            is_packed_otherwise=info.compress_type not in _METHODS,
        )

    def _only_folder(self) -> str:
        """Return the one folder that has all files, as in a folder that was packed itself; `""` where there is none."""
        tops = {member.names[0].partition("/")[:2] for member in self.members.values()}
        return "".join(tops.pop()) if len(tops) == 1 and all(slash for _top, slash in tops) else ""


def _bare(name: str) -> str:
    return re.sub(r"\A[A-Za-z]:", "", name)


def _readings(info: zipfile.ZipInfo) -> list[str]:
    """Return what the name of a file may be: `zipfile` takes one that does not say so for American."""
    written = info.orig_filename.split("\0")[0]
    is_told = info.flag_bits & _SAYS_UTF_8 or written.isascii()
    if is_told or info.filename != written.replace(os.sep, "/"):  # the list has it in UTF-8, too
        return [info.filename]
    raw = written.encode("cp437")
    try:
        return [raw.decode()]
    except UnicodeDecodeError:
        return list(dict.fromkeys(raw.decode(page) for page in _CODE_PAGES))
