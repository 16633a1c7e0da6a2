"""Detect the encoding of a text file.

This is done by rule and not by a guessing library: on the project's samples the rules are right more often than
charset-normalizer, and they can be explained to a user.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from importer.errors import SourceError
from importer.messages import _
from importer.source.delimited import encoding_version_1
from importer.source.delimited.likelihood import likelihood

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What offices save that is not Unicode, and how much more often than the others: from Windows, old Macs, the DOS
# console, from the web (Latin-9, for its euro sign). What the older code page 437 has of our letters is at the same
# place in 850.
_LEGACY = {"cp1252": 0.9, "mac_roman": 0.0, "cp850": 0.1, "iso8859-15": 0.3}
_LINES_OF_MACS = 4.0  # points for Mac Roman where lines end as on old Macs, which is as good as some words
_WIDE = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_SEPARATORS = bytes.maketrans(b';,|"', b"    ")
_BESIDE_DIGIT = re.compile(rb"(?<=[\x80-\xff]) (?=\d)|(?<=\d) (?=[\x80-\xff])")
_KEPT_SPACE = b"\x1f"  # inside of a word
_SAMPLE = 1 << 20
_ASCII = 0x7F
_LIKELY = 1.2  # points of a character
_MOST_WORDS = 20_000


class Encoding(NamedTuple):
    """The codec of a text, and the one that version 1 of the reading would have taken where that is another."""

    codec: str
    earlier: str | None = None


def detect_encoding(file: BinaryIO, wanted: str | None) -> Encoding:
    """Return the codec of the text in `file`: by its byte order mark, else UTF-8, else an older one that offices use.

    `wanted` decides, if it is given; a name that Python does not know raises SourceError. A file with UTF-8 in it is
    UTF-8, although some bytes of it are not. The file may be read to its end.
    """
    head = file.read(_SAMPLE)
    marked = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
    if wanted is not None:
        return Encoding(_wanted_codec(wanted, marked))
    if wide := marked or _wide_without_mark(head):
        return Encoding(wide)
    return _utf8_or_older(file)


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


def _wide_without_mark(head: bytes) -> str | None:
    """Return the codec of text in which most characters have zero bytes, all at the same places, as Latin letters have.

    Zeros at the end are padding, and belong to no text.
    """
    text = head.rstrip(b"\0")
    for codec, width, place in _WIDE:
        size = -(-len(text) // width)
        zeros = [text[at::width].count(0) for at in range(width)]
        others = [count for at, count in enumerate(zeros) if at != place]
        if min(others) > 0.6 * (size - 1) and zeros[place] <= 0.1 * size and size > 1:
            return codec
    return None


def _utf8_or_older(file: BinaryIO) -> Encoding:
    """Decide between UTF-8 and older encodings by the bytes of the file that are not ASCII."""
    file.seek(0)
    ends_as_on_macs = _ends_as_on_macs(file.read(_SAMPLE))
    file.seek(0)
    is_utf8 = _is_all_utf8(file)
    foreign = bytearray()
    words: Counter[bytes] = Counter()
    file.seek(0)
    while len(foreign) < _SAMPLE and (block := file.read(_SAMPLE)):
        if block.isascii():
            continue
        foreign += b" ".join(_NOT_ASCII.findall(block)) + b" "
        if words.total() < _MOST_WORDS:
            words.update(_words(block))
    if is_utf8 and not _is_utf8_by_chance(bytes(foreign), words):
        return Encoding("utf-8")
    earlier = "utf-8" if is_utf8 else encoding_version_1.guess(bytes(foreign))
    codec = "utf-8" if _has_utf8(bytes(foreign)) else _likeliest(words, is_of_mac=ends_as_on_macs)
    return Encoding(codec, None if earlier == codec else earlier)


def _words(block: bytes) -> Iterator[bytes]:
    """Yield the words with bytes beyond ASCII, each with a number that is beside such a byte: N° 5, 20 €."""
    joined = _BESIDE_DIGIT.sub(_KEPT_SPACE, block.translate(_SEPARATORS))
    return (word.replace(_KEPT_SPACE, b" ") for word in joined.split() if not word.isascii())


def _ends_as_on_macs(head: bytes) -> bool:
    """Return whether a carriage return alone ends the lines; inside of cells, a line feed may."""
    return b"\r\n" not in head and head.count(b"\r") > head.count(b"\n")


def _is_all_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_SAMPLE):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8_by_chance(foreign: bytes, words: Counter[bytes]) -> bool:
    """Return whether text that follows UTF-8 is rather of Windows, as `PASÓ…`, whose last two are one letter in UTF-8.

    None of its characters is then a Western letter or sign in UTF-8, and in cp1252 all of them are where they belong.
    """
    if not words or any(map(_is_utf8, foreign.split())):
        return False
    count = sum(times * sum(byte > _ASCII for byte in word) for word, times in words.items())
    points = sum(likelihood(word.decode("cp1252", "replace")) * times for word, times in words.items())
    return points > _LIKELY * count


def _has_utf8(foreign: bytes) -> bool:
    """Return whether some of the runs of bytes beyond ASCII are characters in UTF-8.

    In any older encoding these would be signs that nobody writes beside each other. That is not so for characters that
    have two bytes and are not Western letters.
    """
    runs = Counter(foreign.split())
    return sum(count for run, count in runs.items() if _is_utf8(run)) * 10 > runs.total()


def _is_utf8(run: bytes) -> bool:
    try:
        return all(character < "\u0100" or character >= "\u0800" for character in run.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _likeliest(words: Counter[bytes], *, is_of_mac: bool) -> str:
    """Return the older encoding in which these words are likeliest; cp1252 where they tie.

    It is more likely Mac Roman if the file `is_of_mac` by the ends of its lines.
    """
    common = words.most_common(_MOST_WORDS)

    def points(codec: str) -> float:
        prior = _LEGACY[codec] + (_LINES_OF_MACS if is_of_mac and codec == "mac_roman" else 0)
        return prior + sum(likelihood(word.decode(codec, "replace")) * count for word, count in common)

    return max(_LEGACY, key=points)
