"""Tell how the characters of a text file are written."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from importer.errors import SourceError
from importer.messages import _

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What offices save that is not Unicode: Windows, old Macs, the DOS console.
_LEGACY = ("cp1252", "mac_roman", "cp850")
_LETTERS = frozenset("áéíóúüñçàâãêôõÁÉÍÓÚÜÑÇÀÂÃÊÔÕ¿¡ºª€°")
_WELL_FORMED = re.compile(rb"(?:[\xc2-\xf4][\x80-\xbf]{1,3})+")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_SAMPLE = 1 << 20


def detect(file: BinaryIO, wanted: str | None) -> str:
    """Return the codec of the text in `file`, which is read to its end: by its mark, else UTF-8, else what offices use.

    `wanted` settles it; a name that Python does not know raises SourceError. Where most of a file is UTF-8 it is taken
    for that, although some bytes do not follow it.
    """
    head = file.read(_SAMPLE)
    marked = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
    if wanted is not None:
        return _asked_for(wanted, marked)
    return marked or _utf16_without_mark(head) or _utf8_or_older(file, head)


def _asked_for(wanted: str, marked: str | None) -> str:
    """Return the codec that was named; a mark at the file's start belongs to it and not to the first header."""
    try:
        name = codecs.lookup(wanted).name
        b"a".decode(name, "replace")  # codecs such as hex and idna are none of a whole text
    except (LookupError, ValueError) as error:
        raise SourceError(
            _(
                "Python knows no encoding {name}. Write utf-8, utf-16, cp1252 or latin-1 as source.encoding.",
                name=wanted,
            )
        ) from error
    return "utf-8-sig" if name == "utf-8" else (marked if marked == name else name)


def _utf16_without_mark(head: bytes) -> str | None:
    """Return the codec of text in which every second byte is zero, as in UTF-16 of Latin letters."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    if head[1::2].count(0) > 0.6 * pairs:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > 0.6 * pairs else None


def _utf8_or_older(file: BinaryIO, head: bytes) -> str:
    """Decide between UTF-8 and the encodings before it by all bytes of the file that are not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    foreign = bytearray()
    valid = True
    block = head
    while block:
        if valid:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                valid = False
        if len(foreign) < _SAMPLE and not block.isascii():
            foreign += b" ".join(_NOT_ASCII.findall(block)) + b" "
        block = file.read(_SAMPLE)
    try:
        decoder.decode(b"", final=valid)
    except UnicodeDecodeError:
        valid = False
    if valid:
        return "utf-8"
    pieces = bytes(foreign).split()
    if sum(bool(_WELL_FORMED.fullmatch(piece)) for piece in pieces) > len(pieces) / 2:
        return "utf-8"
    return _likeliest(bytes(foreign))


def _likeliest(foreign: bytes) -> str:
    """Return the older encoding in which most of these bytes are letters of our languages; cp1252 when they tie."""

    def letters(codec: str) -> int:
        return sum(character in _LETTERS for character in foreign.decode(codec, "replace"))

    return max(_LEGACY, key=letters)
