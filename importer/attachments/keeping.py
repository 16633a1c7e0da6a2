"""Encoded files that one row after another attaches: a logo, the annex of a contract."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from importer.attachments.encoding import encode, encoded_length, hold_to
from importer.model import Attachment

_ROOM = 32_000_000  # bytes of base64 that are kept in all
_REMEMBERED = 1_000  # files that were sent lately, of which nothing but their names is kept
_BLOCK = 768 * 1024  # bytes of the file; what is sent many times is best sent in few, larger calls


@dataclass(slots=True)
class _Body:
    """A file's base64, whole or still being collected, and how many workers are at it."""

    length: int
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    users: int = 0


class KeptFiles:
    """Encodes files, and keeps the base64 of those that are sent again, in `room` bytes; for many threads.

    A file that is sent once leaves nothing here, since its second sending is the one that is collected. What is
    kept and what is being collected never exceed `room` together, and no file takes more than half of it: where
    there is none, because all of it is being sent from, a file is encoded as if it were alone.
    """

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room
        self._guard = threading.Lock()
        self._sent: OrderedDict[Attachment, None] = OrderedDict()
        self._bodies: OrderedDict[Attachment, _Body] = OrderedDict()  # what was sent last comes last

    @property
    def held(self) -> int:
        """The bytes that are kept, the room of what is being collected included."""
        with self._guard:
            return self._taken()

    def encode(self, attachment: Attachment) -> Iterator[bytes]:
        """Yield the file's base64 and raise what `encoding.encode` does; a kept file is looked at, and not read."""
        body = self._take(attachment)
        if body is None:
            yield from encode(attachment)
            return
        try:
            if body.complete:
                hold_to(attachment)
                yield from body.chunks
            else:
                for chunk in encode(attachment, _BLOCK):
                    body.chunks.append(chunk)
                    yield chunk
                body.complete = True
        finally:
            self._give_back(attachment, body)

    def _take(self, attachment: Attachment) -> _Body | None:
        """Return what to send from, or to collect in; None where the file is to be encoded for this once."""
        with self._guard:
            body = self._bodies.get(attachment)
            if body is None:
                length = encoded_length(attachment.size)
                if not (self._was_sent(attachment) and self._has_room(length)):
                    return None
                body = self._bodies[attachment] = _Body(length)
            elif not body.complete:
                return None  # another worker collects it at this moment
            self._bodies.move_to_end(attachment)
            body.users += 1
            return body

    def _give_back(self, attachment: Attachment, body: _Body) -> None:
        """Let go of a body; one that was not collected to its end is dropped."""
        with self._guard:
            body.users -= 1
            if not body.complete:
                del self._bodies[attachment]

    def _was_sent(self, attachment: Attachment) -> bool:
        """Return whether the file was sent lately, and remember that it is."""
        known = attachment in self._sent
        self._sent[attachment] = None
        self._sent.move_to_end(attachment)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        return known

    def _has_room(self, length: int) -> bool:
        """Return whether there is room for one more; what nobody sends from makes room, the longest unsent first."""
        if length > self._room // 2:
            return False
        idle = [attachment for attachment, body in self._bodies.items() if not body.users]
        while self._taken() + length > self._room and idle:
            del self._bodies[idle.pop(0)]
        return self._taken() + length <= self._room

    def _taken(self) -> int:
        return sum(body.length for body in self._bodies.values())
