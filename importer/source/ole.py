"""The compound file in which older Office keeps its streams; only as much of it as reading one stream takes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_NO_SECTOR = 0xFFFFFFFA  # from here on, a number names no sector
_HEADER = 512
_ENTRY = 128


class CompoundFile:
    """The streams of a compound file by name.

    Raises ValueError where the file is not what it says. No more is ever read than the file's own size.
    """

    def __init__(self, content: bytes) -> None:
        """Read the table of sectors and the directory."""
        if len(content) < _HEADER:
            raise ValueError("too short for a compound file")
        self._content = content
        self._size = 1 << (_short(content, 30) & 15)
        self._next = _numbers(b"".join(self._sector(sector) for sector in self._sectors_of_table()))
        directory = self._chain(_long(content, 48))
        self._entries = {
            _name(directory[at:]): (_long(directory, at + 116), _long(directory, at + 120))
            for at in range(0, len(directory) - _ENTRY + 1, _ENTRY)
        }

    def stream(self, name: str) -> bytes | None:
        """Return the bytes of a stream, None where there is none of that name."""
        if name not in self._entries:
            return None
        start, length = self._entries[name]
        if length >= _long(self._content, 56):
            return self._chain(start)[:length]
        small_size = 1 << (_short(self._content, 32) & 15)
        small = self._chain(self._entries["Root Entry"][0])
        sectors = _follow(start, _numbers(self._chain(_long(self._content, 60))))
        return b"".join(small[at * small_size :][:small_size] for at in sectors)[:length]

    def _sectors_of_table(self) -> Iterator[int]:
        """Yield the sectors of the table of sectors: the header names 109, a chain of its own the others."""
        yield from (sector for sector in _numbers(self._content[76:_HEADER]) if sector < _NO_SECTOR)
        sector = _long(self._content, 68)
        for _each in range(len(self._content) // self._size):
            if sector >= _NO_SECTOR:
                return
            *named, sector = _numbers(self._sector(sector)) or (_NO_SECTOR,)
            yield from (each for each in named if each < _NO_SECTOR)

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(sector) for sector in _follow(start, self._next))

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self._size
        return self._content[at : at + self._size]


def _follow(sector: int, following: Sequence[int]) -> Iterator[int]:
    """Yield a chain of sectors; raises ValueError where it leads in a circle or out of the file."""
    for _each in range(len(following) + 1):
        if sector >= _NO_SECTOR:
            return
        if sector >= len(following):
            break
        yield sector
        sector = following[sector]
    raise ValueError("a chain of sectors leads nowhere")


def _name(entry: bytes) -> str:
    length = min(_short(entry, 64), 64)
    return entry[: max(length - 2, 0)].decode("utf-16-le", "replace")


def _numbers(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])


def _short(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "little")


def _long(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "little")
