"""A request's body on its way out, counting what was handed over."""

from __future__ import annotations

from collections.abc import Iterator

from importer.crm.watchdog import Watch
from importer.errors import AttachmentChanged
from importer.messages import _
from importer.model import Payload

_LAST = 1024  # bytes; so few leave by one call of the system, right after the lease was asked for


class Upload:
    """A payload's bytes for one attempt.

    Fewer than `len(upload)` bytes in `handed_over` prove that the server cannot have had the whole case; so a chunk
    counts from the moment it leaves here, sent or not, and not one byte too many is ever given out. The last of them
    leave only while the attempt may still send: without them there is no case, however long all of it took.
    """

    def __init__(self, payload: Payload, watch: Watch) -> None:
        self._payload, self._watch = payload, watch
        self.handed_over = 0

    def __len__(self) -> int:
        """Return the body's length in bytes: the request's Content-Length."""
        return self._payload.length

    @property
    def whole(self) -> bool:
        """Whether every byte was handed over."""
        return self.handed_over >= len(self)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body; raises AttachmentChanged where it is not what was promised, and as `Watch.allow_sending`."""
        for chunk in self._chunks():
            self._watch.check()
            for piece in self._pieces(chunk):
                if self.handed_over + len(piece) == len(self):
                    self._watch.allow_sending()
                self.handed_over += len(piece)
                yield piece

    def _pieces(self, chunk: bytes) -> list[bytes]:
        """Return a chunk in the pieces that leave one by one, none empty: the body's last bytes are one."""
        ends = self.handed_over + len(chunk) == len(self)
        cut = max(len(chunk) - _LAST, 0) if ends else len(chunk)
        return [piece for piece in (chunk[:cut], chunk[cut:]) if piece]

    def _chunks(self) -> Iterator[bytes]:
        """Yield what the payload gives, up to the length that was promised."""
        given = 0
        try:
            for chunk in self._payload.chunks():
                given += len(chunk)
                if given > len(self):
                    break
                yield chunk
            else:
                if given == len(self):
                    return
        except OSError as error:
            raise AttachmentChanged(_("A file could not be read to its end: {reason}", reason=error)) from error
        raise AttachmentChanged(_("The files make another length than when they were checked; check them again"))
