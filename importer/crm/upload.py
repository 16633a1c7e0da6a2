"""A request's body on its way out, counting what was handed over."""

from __future__ import annotations

from collections.abc import Iterator

from importer.crm.watchdog import Watch
from importer.errors import AttachmentChanged
from importer.messages import _
from importer.model import Payload


class Upload:
    """A payload's bytes for one attempt.

    Fewer than `len(upload)` bytes in `handed_over` prove that the server cannot have had the whole case; so a chunk
    counts from the moment it leaves here, sent or not, and not one byte too many is ever given out.
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
        """Yield the body; raises AttachmentChanged where it is not what was promised, TimeoutError when time is up."""
        try:
            for chunk in self._payload.chunks():
                self._watch.check()
                if self.handed_over + len(chunk) > len(self):
                    break
                self.handed_over += len(chunk)
                yield chunk
            else:
                if self.whole:
                    return
        except TimeoutError:
            raise
        except OSError as error:
            raise AttachmentChanged(_("A file could not be read to its end: {reason}", reason=error)) from error
        raise AttachmentChanged(_("The files make another length than when they were checked; check them again"))
