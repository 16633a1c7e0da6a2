"""A request's body: taken to a temporary file, and decoded without holding its attachments in memory."""

from __future__ import annotations

import binascii
import json
import mmap
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

_IN_MEMORY = 1 << 20
_STEP = 4 << 18  # characters of base64 decoded at a time; a multiple of four
_LONG_BASE64 = re.compile(rb'(?<!\\)"([A-Za-z0-9+/]{65536,}={0,2})"')

Buffer = bytes | mmap.mmap


class BodyTooLarge(Exception):
    """The body is over the configured limit; all of it was read and thrown away, so that an answer can arrive."""


class BadBody(Exception):
    """The body is no JSON object."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A base64 text that still lies in the body, from `start` to `end`."""

    buffer: Buffer
    start: int
    end: int

    def parts(self) -> Iterator[bytes]:
        """Yield the decoded bytes piece by piece; raises `binascii.Error` where it is no base64."""
        for position in range(self.start, self.end, _STEP):
            piece = self.buffer[position : min(position + _STEP, self.end)]
            yield binascii.a2b_base64(piece, strict_mode=True)


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded JSON object; `attachments` is None where the key is missing or is no list of texts."""

    values: Mapping[str, object]
    attachments: tuple[Encoded, ...] | None


async def take(chunks: AsyncIterator[bytes], limit: int) -> IO[bytes]:
    """Return the body in a temporary file, rewound; raises `BodyTooLarge` over `limit` bytes."""
    with ExitStack() as on_failure:
        taken = on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size <= limit:
                taken.write(chunk)
        if size > limit:
            raise BodyTooLarge
        taken.seek(0)
        on_failure.pop_all()
    return taken


@contextmanager
def decoded(taken: IO[bytes]) -> Iterator[Body]:
    """Give the JSON object in `taken`, valid within the block; raises `BadBody` where there is none."""
    head = taken.read(_IN_MEMORY + 1)
    if len(head) <= _IN_MEMORY:
        yield _decode(head)
        return
    with mmap.mmap(taken.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        yield _decode(buffer)


def _decode(buffer: Buffer) -> Body:
    """Decode all but the long base64 texts, which are left where they lie and only pointed to."""
    mark = secrets.token_hex(8)
    rest, position, left_out = bytearray(), 0, dict[str, Encoded]()
    for match in _LONG_BASE64.finditer(buffer):
        start, end = match.span(1)
        name = f"{mark}:{len(left_out)}"
        left_out[name] = Encoded(buffer, start, end)
        rest += buffer[position:start] + name.encode()
        position = end
    rest += buffer[position : len(buffer)]
    try:
        values = json.loads(rest, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    if not isinstance(values, dict):
        raise BadBody
    attachments = values.pop("attachments", None)
    return Body(_restored(values, left_out), _attachments(attachments, left_out))


def _attachments(value: object, left_out: Mapping[str, Encoded]) -> tuple[Encoded, ...] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(left_out.get(item) or Encoded(item.encode(), 0, len(item.encode())) for item in value)


def _no_number(name: str) -> object:
    """Refuse `NaN` and its like, which Python's reader takes and JSON does not know."""
    raise ValueError(name)


def _restored(value: Any, left_out: Mapping[str, Encoded]) -> Any:  # noqa: ANN401  # JSON is of any shape
    """Put back the long texts that turned out to be no attachments."""
    if isinstance(value, dict):
        return {key: _restored(item, left_out) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, left_out) for item in value]
    if isinstance(value, str) and value in left_out:
        text = left_out[value]
        return text.buffer[text.start : text.end].decode()
    return value
