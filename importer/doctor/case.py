"""The test case: what it says, where its mark stands, and how it is made larger."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer import identity, payload
from importer.identity import Scope
from importer.messages import _
from importer.model import Payload
from importer.payload import EncodedFile

_FILLING = b"A test file of case-importer doctor; it means nothing.\r\n"
_CHUNK = base64.b64encode(_FILLING * 600)  # without padding, so that chunks can follow one another


@dataclass(frozen=True, slots=True)
class TestCase:
    """A case that means nothing and can be told from every other.

    `fields` are by path, complete as they are sent; `reference` stands in the field that the mapping names, the
    `mark` in the description. `payload` is the body; `file_size` the bytes of its one attachment, 0 for none.
    """

    __test__ = False  # the name is the field's own, and no test of pytest's

    fields: Mapping[str, object]
    operation: str
    reference: str
    mark: str
    payload: Payload
    file_size: int = 0

    @property
    def document(self) -> dict[str, object]:
        """The JSON object that is sent, its attachment left out."""
        return payload.document(self.fields, self.operation)


def compose(fields: Mapping[str, object], scope: Scope, place: str | None, file_size: int = 0) -> TestCase:
    """Return a test case with a mark of its own.

    `fields` are what the tenant demands; the description is replaced. `place` is the field that carries a row's
    reference: the description, or a form field.
    """
    digest = identity.key_digest([secrets.token_hex(16)])
    reference = identity.reference(Scope(scope.tenant, scope.operation, "doctor"), digest)
    mark = reference.removeprefix("WCI-")
    text = _("Test case {mark} of case-importer doctor. It means nothing and may be deleted.", mark=mark)
    complete = payload.with_reference({**fields, "description": text}, place or "description", reference)
    files = [_file(file_size)] if file_size else []
    body = payload.build(complete, scope.operation, reference, files)
    return TestCase(complete, scope.operation, reference, mark, body, file_size)


def _file(size: int) -> EncodedFile:
    """Return an attachment of about `size` bytes."""
    times = max(1, -(-size * 4 // 3 // len(_CHUNK)))

    def chunks() -> Iterator[bytes]:
        for _number in range(times):
            yield _CHUNK

    return EncodedFile(times * len(_CHUNK), chunks)
