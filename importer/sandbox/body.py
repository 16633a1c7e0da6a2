"""A request's body: saved to a temporary file, and decoded without holding its attachments in memory."""

from __future__ import annotations

import binascii
import json
import mmap
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

_IN_MEMORY = 1 << 20
_LONGEST_FIELD = 100_000_000  # bytes of a form's field that is not a file
_STEP = 4 << 18  # characters of base64 decoded at a time; a multiple of four
_LONG_BASE64 = re.compile(rb'(?<!\\)"([A-Za-z0-9+/]{65536,}={0,2})"')

Buffer = bytes | mmap.mmap


class BodyTooLarge(Exception):
    """The body exceeds the configured limit; it was read to its end, so that the client can receive the answer."""


class InvalidBody(Exception):
    """The body is not a JSON object, or not the form that the call takes."""


@dataclass(frozen=True, slots=True)
class Base64Text:
    """A base64 text inside the body, from `start` to `end`."""

    buffer: Buffer
    start: int
    end: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the decoded bytes in chunks; raises `binascii.Error` if the text is not base64."""
        for position in range(self.start, self.end, _STEP):
            piece = self.buffer[position : min(position + _STEP, self.end)]
            yield binascii.a2b_base64(piece, strict_mode=True)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a multipart form."""

    file: IO[bytes]
    name: str

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes in chunks."""
        while chunk := self.file.read(_STEP):
            yield chunk


@dataclass(frozen=True, slots=True)
class CallBody:
    """A decoded JSON object or form; `attachments` is None if an object has none, or no list of strings."""

    values: Mapping[str, object]
    attachments: tuple[Base64Text | FilePart, ...] | None


async def save_body(chunks: AsyncIterator[bytes], limit: int) -> IO[bytes]:
    """Return the body in a temporary file, rewound; raises `BodyTooLarge` over `limit` bytes."""
    with ExitStack() as on_failure:
        saved = on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size <= limit:
                saved.write(chunk)
        if size > limit:
            raise BodyTooLarge
        saved.seek(0)
        on_failure.pop_all()
    return saved


@contextmanager
def decoded(saved: IO[bytes]) -> Iterator[CallBody]:
    """Give the JSON object in a saved body, valid within the block; raises `InvalidBody` if it is not one."""
    head = saved.read(_IN_MEMORY + 1)
    if len(head) <= _IN_MEMORY:
        yield _decode(head)
        return
    with mmap.mmap(saved.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        yield _decode(buffer)


@asynccontextmanager
async def decoded_form(saved: IO[bytes], content_type: str) -> AsyncIterator[CallBody]:
    """Give the multipart form in a saved body, valid within the block; raises `InvalidBody` if it is not one.

    Its field `form` is a JSON object, as the vendor's page says.
    """

    async def receive() -> Message:
        chunk = saved.read(_IN_MEMORY)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    headers = [(b"content-type", content_type.encode("latin-1", "replace"))]
    request = Request({"type": "http", "headers": headers}, receive)
    try:
        async with request.form(max_part_size=_LONGEST_FIELD) as form:
            files = tuple(
                FilePart(part.file, part.filename or "")
                for _name, part in form.multi_items()
                if isinstance(part, UploadFile)
            )
            values: dict[str, object] = {name: part for name, part in form.multi_items() if isinstance(part, str)}
            if not content_type.startswith("multipart/form-data"):
                raise InvalidBody
            if "form" in values:
                values["form"] = _form_object(values["form"])
            yield CallBody(values, files)
    except MultiPartException as error:
        raise InvalidBody from error


def _form_object(text: object) -> object:
    try:
        return json.loads(str(text), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidBody from error


def _decode(buffer: Buffer) -> CallBody:
    """Decode everything except long base64 texts, which stay in the buffer and are only pointed to."""
    prefix = secrets.token_hex(8)
    rest, position, left_out = bytearray(), 0, dict[str, Base64Text]()
    for match in _LONG_BASE64.finditer(buffer):
        start, end = match.span(1)
        name = f"{prefix}:{len(left_out)}"
        left_out[name] = Base64Text(buffer, start, end)
        rest += buffer[position:start] + name.encode()
        position = end
    rest += buffer[position : len(buffer)]
    try:
        values = json.loads(rest, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidBody from error
    if not isinstance(values, dict):
        raise InvalidBody
    attachments = values.pop("attachments", None)
    return CallBody(_restored(values, left_out), _attachments(attachments, left_out))


def _attachments(value: object, left_out: Mapping[str, Base64Text]) -> tuple[Base64Text, ...] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(left_out.get(item) or Base64Text(item.encode(), 0, len(item.encode())) for item in value)


def _refuse_constant(name: str) -> object:
    """Refuse `NaN` and the like, which Python's parser accepts although JSON does not have them."""
    raise ValueError(name)


def _restored(value: Any, left_out: Mapping[str, Base64Text]) -> Any:  # noqa: ANN401  # JSON is of any shape
    """Put back the long texts that are not attachments."""
    if isinstance(value, dict):
        return {key: _restored(item, left_out) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, left_out) for item in value]
    if isinstance(value, str) and value in left_out:
        text = left_out[value]
        return text.buffer[text.start : text.end].decode()
    return value
