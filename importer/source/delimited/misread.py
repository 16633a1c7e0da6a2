"""What a text would be if its bytes had been read in another encoding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

_CODECS = ("cp1252", "mac_roman", "cp850", "iso8859-15", "utf-8")


def other_readings(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the texts as they are if they were read in a wrong encoding, or would be in the right one; each once.

    All of them are taken to be of one file. Of the encodings, only those are tried between which a guess may err.
    """
    if all(map(str.isascii, texts)):
        return
    found = {tuple(texts)}
    for one, other in permutations(_CODECS, 2):
        try:
            reading = tuple([text.encode(one).decode(other) for text in texts])
        except UnicodeError:
            continue
        if reading not in found:
            found.add(reading)
            yield reading
