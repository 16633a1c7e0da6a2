"""Builds one body of known length, of a case and its attachments, a contact or an update, and produces it in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from urllib3 import encode_multipart_formdata

from importer.messages import _
from importer.model import Payload

FIELD_ORDER = (
    "operation",
    "case-type",
    "responsible",
    "owner",
    "contact",
    "description",
    "form",
    "status",
    "priority",
    "solution",
)
"""The body's keys in the order of the vendor's sample; `attachments` follows them so that it can be streamed."""

UPDATE_FIELDS = ("case-type", "responsible", "status", "priority", "solution")
"""The fields of a case that the vendor documents for an update, beside `form` and the files."""

_SHORT = 64 * 1024  # bytes; shorter chunks are joined, since each is a write to the socket
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """An attachment in the body: the length of its base64 text in bytes, and a function that produces that text."""

    length: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A small text file of a multipart form, with its name."""

    name: str
    content: bytes


def build(fields: Mapping[str, object], operation: str, reference: str, files: Sequence[EncodedFile]) -> Payload:
    """Return the payload of one case; `fields` are by path (`contact`, `form.Subject`) and already complete.

    Raises ValueError for a value that JSON cannot represent, before anything is sent.
    """
    case = document(fields, operation)
    head = _JSON.encode(case).encode()
    opening = head.removesuffix(b"}") + b',"attachments":['
    quotes_and_commas = max(3 * len(files) - 1, 0)
    length = len(opening) + sum(file.length for file in files) + quotes_and_commas + len(b"]}")

    def pieces() -> Iterator[bytes]:
        yield opening
        for index, file in enumerate(files):
            yield b',"' if index else b'"'
            yield from file.chunks()
            yield b'"'
        yield b"]}"

    return Payload(reference, length, lambda: _gathered(pieces()), tuple(_texts(fields.values())))


def contact_body(fields: Mapping[str, object], operation: str, reference: str = "") -> Payload:
    """Return the payload of one contact; `fields` are its own by name (`emailcontact`), None values are left out.

    Raises ValueError for a value that JSON cannot represent, before anything is sent.
    """
    filled = _filled(fields)
    body = _JSON.encode({"operation": operation, "module": "contacts", "fields": filled}).encode()
    return Payload(reference, len(body), lambda: iter((body,)), tuple(_texts(filled.values())))


def update_body(  # noqa: PLR0913, PLR0917 - an update, and what identifies it
    wolkvox_id: str,
    values: Mapping[str, object],
    form: Mapping[str, object] | None,
    operation: str,
    reference: str = "",
    files: Sequence[NamedFile] = (),
) -> Payload:
    """Return the payload of one update of a case, a multipart form.

    `values` are fields of `UPDATE_FIELDS`, `form` is left out where it is None, and so are None values. Raises
    ValueError for any other field, since an update of it is undocumented, and as `contact_body` does.
    """
    if others := values.keys() - set(UPDATE_FIELDS):
        raise ValueError(", ".join(sorted(others)))
    given = {"operation": operation, "wolkvox-id": wolkvox_id, **{name: values.get(name) for name in UPDATE_FIELDS}}
    parts = _filled({**given, "form": None if form is None else _filled(form)})
    return _form(parts, reference, files)


def form_body(fields: Mapping[str, object], operation: str, reference: str, files: Sequence[NamedFile]) -> Payload:
    """Return the payload of one case as a multipart form, `fields` as for `build`; its files are held in memory."""
    return _form(document(fields, operation), reference, files)


def _form(parts: Mapping[str, object], reference: str, files: Sequence[NamedFile]) -> Payload:
    texts = [(name, value if isinstance(value, str) else _JSON.encode(value)) for name, value in parts.items()]
    attached = [("file", (file.name, file.content, "text/plain")) for file in files]
    body, content_type = encode_multipart_formdata([*texts, *attached])
    sent = tuple(_texts(value for name, value in parts.items() if name != "operation"))
    return Payload(reference, len(body), lambda: iter((body,)), sent, content_type)


def _filled(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, joining short ones, since each is a write to the socket; long ones are passed on unchanged."""
    waiting = b""
    for piece in pieces:
        if len(waiting) + len(piece) <= _SHORT:
            waiting += piece
            continue
        if waiting:
            yield waiting
            waiting = b""
        if len(piece) > _SHORT:
            yield piece
        else:
            waiting = piece
    if waiting:
        yield waiting


def document(fields: Mapping[str, object], operation: str) -> dict[str, object]:
    """Return the body without its attachments as a JSON object; `form` is always present, None values are left out."""
    form = {path.removeprefix("form."): value for path, value in fields.items() if path.startswith("form.")}
    flat: dict[str, object] = {
        **fields,
        "operation": operation,
        "form": _filled(form),
    }
    return {key: flat[key] for key in FIELD_ORDER if flat.get(key) is not None}


def with_reference(fields: Mapping[str, object], field: str | None, reference: str) -> dict[str, object]:
    """Return the fields with the reference as the first line of the description, or in a form field of its own."""
    if field is None:
        return dict(fields)
    if field == "description":
        return {**fields, field: f"[{reference}]\n{fields.get(field) or ''}"}
    return {**fields, field: reference}


def with_missing(fields: Mapping[str, object], missing: Sequence[str]) -> dict[str, object]:
    """Return the fields with the names of the missing files in a last line of the description."""
    if not missing:
        return dict(fields)
    line = _("[Missing attachments: {names}]", names=", ".join(missing))
    return {**fields, "description": f"{fields.get('description') or ''}\n\n{line}"}


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Yield every text and number in the values, also inside lists and objects, as written in the body."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield json.dumps(value)
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, Iterable):
            yield from _texts(value)
