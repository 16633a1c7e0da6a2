"""An answer as it comes off the wire: read at once where it is as plain as nearly every one, by urllib3 where not."""

from __future__ import annotations

import contextlib
import io
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse as Answer
from typing import cast

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d)(?: [^\r\n]*)?\r\n"  # never 1xx, which only announces an answer
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*)"  # no line that goes on in the next, no space in a name
    rb"\r\n"
)
_AT_ONCE = 8192  # bytes; nearly every answer is shorter
_LENGTH = re.compile(r"\d{1,9}", re.ASCII)
_WITHOUT_BODY = (204, 304)
_CODINGS = ("transfer-encoding", "content-encoding")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, headers (names in lower case), and as much of the body as arrived and was wanted.

    `last` says that the connection cannot carry another request.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a plain answer: a length, nothing encoded, every name once; `size` is its own in bytes."""

    status: int
    headers: Mapping[str, str]
    size: int
    length: int


def receive(line: socket.socket, method: str, limit: int) -> Reply:
    """Return the answer to a request of that method, at most `limit` bytes of it; raises where not even a head comes.

    A body that is cut is looked at all the same: the id may be in it.
    """
    arrived = line.recv(_AT_ONCE)
    head = None if method == "HEAD" else _plain_head(arrived)
    if head is None or head.length > limit:
        return _by_urllib3(_Arriving(arrived, line), method, limit)
    end = head.size + head.length
    with contextlib.suppress(OSError):  # what has arrived is judged
        while len(arrived) < end and (piece := line.recv(_AT_ONCE)):
            arrived += piece
    closing = "close" in head.headers.get("connection", "").lower()
    # whatever comes behind the body, it is no answer to the next request
    return Reply(head.status, head.headers, arrived[head.size : end], last=closing or len(arrived) != end)


def _plain_head(arrived: bytes) -> _Head | None:
    """Return the head of an answer that has arrived, None where it is not all there, or not plain."""
    found = _PLAIN_HEAD.match(arrived)
    if found is None:
        return None
    lines = found[2].decode("latin-1").split("\r\n")[:-1]
    pairs = [text.split(":", 1) for text in lines]
    headers = {name.lower(): value.strip(" \t") for name, value in pairs}
    length = _LENGTH.fullmatch(headers.get("content-length", ""))
    status = int(found[1])
    simple = len(headers) == len(lines) and headers.keys().isdisjoint(_CODINGS) and status not in _WITHOUT_BODY
    if length is None or not simple:
        return None
    return _Head(status, headers, found.end(), int(length[0]))


def _by_urllib3(arriving: _Arriving, method: str, limit: int) -> Reply:
    """Return any answer that HTTP knows, in chunks, compressed, or until the connection ends."""
    answer = Answer(cast("socket.socket", arriving), method=method)
    answer.begin()
    raw = HTTPResponse(
        answer,
        HTTPHeaderDict(answer.headers.items()),
        answer.status,
        preload_content=False,
        original_response=answer,
        enforce_content_length=False,
        request_method=method,
    )
    body = bytearray()
    complete = False
    try:
        for piece in raw.stream(8192, decode_content=True):
            body += piece
            if len(body) > limit:
                break
        else:
            complete = True
    except (HTTPError, OSError):
        pass  # a verdict that is cut short cannot be read, and is none
    headers = {name.lower(): value for name, value in raw.headers.items()}
    return Reply(answer.status, headers, bytes(body[:limit]), last=not complete or bool(answer.will_close))


class _Arriving(io.RawIOBase):
    """Stands in for a connection of which something was read already."""

    def __init__(self, arrived: bytes, line: socket.socket) -> None:
        self._arrived, self._line = arrived, line

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return all that comes, from the beginning."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # all that a BufferedReader gives
        """Read some bytes, none at the end."""
        if not self._arrived:
            return self._line.recv_into(buffer)
        size = min(len(buffer), len(self._arrived))
        buffer[:size], self._arrived = self._arrived[:size], self._arrived[size:]
        return size
