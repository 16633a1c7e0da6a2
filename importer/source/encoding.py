"""Detect the encoding of a text file.

This is done by rule and not by a guessing library: on the project's samples the rules are right more often than
charset-normalizer, and they can be explained to a user.
"""

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
# What offices save that is not Unicode: from Windows, old Macs, the DOS console.
_LEGACY = ("cp1252", "mac_roman", "cp850")
_LETTERS = frozenset("áéíóúüñçàâãêôõÁÉÍÓÚÜÑÇÀÂÃÊÔÕ¿¡ºª€°")
_WELL_FORMED = re.compile(rb"(?:[\xc2-\xf4][\x80-\xbf]{1,3})+")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_SAMPLE = 1 << 20


def detect_encoding(file: BinaryIO, wanted: str | None) -> str:
    """Return the codec of the text in `file`: by its byte order mark, else UTF-8, else an older one that offices use.

    `wanted` decides, if it is given; a name that Python does not know raises SourceError. A file of which most is UTF-8
    counts as UTF-8, although some bytes of it are not. The file may be read to its end.
    """
    head = file.read(_SAMPLE)
    marked = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
    if wanted is not None:
        return _wanted_codec(wanted, marked)
    return marked or _utf16_without_mark(head) or _utf8_or_older(file, head)


def _wanted_codec(wanted: str, marked: str | None) -> str:
    """Return the codec of that name; a byte order mark belongs to it and not to the first header."""
    try:
        name = codecs.lookup(wanted).name
        b"a".decode(name, "replace")  # codecs such as hex and idna do not decode whole texts
    except (LookupError, ValueError) as error:
        raise SourceError(
            _(
                "{name} is not a known encoding. Write utf-8, utf-16, cp1252 or latin-1 as source.encoding.",
                name=wanted,
            )
        ) from error
    return "utf-8-sig" if name == "utf-8" else (marked if marked == name else name)


def _utf16_without_mark(head: bytes) -> str | None:
    """Return the codec of text in which most second bytes are zero, as in UTF-16 of Latin letters."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    if head[1::2].count(0) > 0.6 * pairs:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > 0.6 * pairs else None


def _utf8_or_older(file: BinaryIO, head: bytes) -> str:
    """Decide between UTF-8 and older encodings by the bytes of the file that are not ASCII."""
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
    return _likeliest_encoding(bytes(foreign))


def _likeliest_encoding(foreign: bytes) -> str:
    """Return the older encoding in which most of these bytes are letters of our languages; cp1252 when they tie."""

    def letters(codec: str) -> int:
        return sum(character in _LETTERS for character in foreign.decode(codec, "replace"))

    return max(_LEGACY, key=letters)
