"""A workbook as the package that it is: parts that are made anew, and parts that are carried over as they are."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

    from .sheet import Sheet

LEVEL = 3  # of compression: less than half the time of the usual 6, for an eighth more of size
HUGE = 1 << 30  # bytes; a larger part may need the fields of a large file

_PIECE = 1 << 20
_LENGTHS = struct.Struct("<HH")  # of the name and of what follows it, at the end of a part's header
_LENGTHS_AT = 26


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is made anew, piece by piece."""

    pieces: Iterable[bytes]
    huge: bool = False


def save(workbook: Workbook, sheets: Sequence[Sheet], file: BinaryIO) -> None:
    """Write a workbook of these sheets to an open file; memory does not grow with their lines."""
    frame = io.BytesIO()
    for sheet in sheets:
        sheet.lay_out()
    workbook.save(frame)
    with ZipFile(frame) as package:
        frames = {sheet.part: package.read(sheet.part) for sheet in sheets}
    parts = {sheet.part: Part(sheet.pieces(frames[sheet.part]), sheet.size > HUGE) for sheet in sheets}
    assemble(frame, parts, file)


def assemble(source: BinaryIO, parts: Mapping[str, Part], file: BinaryIO) -> None:
    """Write the package `source` to an open file with some of its parts made anew, and the others as they are."""
    with ZipFile(source) as old, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL) as new:
        for info in old.infolist():
            part = parts.get(info.filename)
            if part is None:
                _carry_over(source, info, file, new)
            else:
                with new.open(info.filename, "w", force_zip64=part.huge) as written:
                    written.writelines(part.pieces)


def _carry_over(source: BinaryIO, info: ZipInfo, file: BinaryIO, package: ZipFile) -> None:
    """Copy a part of the package `source` into the package `file` as it is stored, without inflating it.

    `zipfile` has no call for that, but all that it needs to know of a part: its place, its sizes and its checksum.
    """
    source.seek(info.header_offset + _LENGTHS_AT)
    name, more = _LENGTHS.unpack(source.read(_LENGTHS.size))
    source.seek(name + more, os.SEEK_CUR)
    copied = copy(info)
    copied.extra, copied.flag_bits = b"", 0  # whatever stood there is written anew where it is needed
    copied.header_offset = file.seek(package.start_dir)
    file.write(copied.FileHeader())
    file.writelines(source.read(min(left, _PIECE)) for left in range(info.compress_size, 0, -_PIECE))
    package.start_dir = file.tell()
    package.filelist.append(copied)
    package.NameToInfo[copied.filename] = copied
