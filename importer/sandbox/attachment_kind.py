"""What an attachment seems to be: the CRM's call carries no names, so its first bytes have to tell."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A file's ending and media type; only what a browser shows without running anything is `shown` in it."""

    ending: str
    media_type: str
    shown: bool = True

    @property
    def picture(self) -> bool:
        """Whether it can stand in a page as an image."""
        return self.media_type.startswith("image/")


_UNKNOWN = Kind("bin", "application/octet-stream", shown=False)
_TEXT = Kind("txt", "text/plain; charset=utf-8")
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", Kind("png", "image/png")),
    (b"\xff\xd8\xff", Kind("jpg", "image/jpeg")),
    (b"GIF8", Kind("gif", "image/gif")),
    (b"%PDF-", Kind("pdf", "application/pdf")),
    (b"PK\x03\x04", Kind("zip", "application/zip", shown=False)),
)


def kind_of(head: bytes) -> Kind:
    """Return the kind of a file from its first bytes; a text is UTF-8 without control characters."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if b"\0" in head:
        return _UNKNOWN
    try:
        getincrementaldecoder("utf-8")().decode(head)  # incremental, since the last character may be cut
    except UnicodeDecodeError:
        return _UNKNOWN
    return _TEXT
