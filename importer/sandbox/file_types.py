"""What kind of file an attachment is, by its first bytes."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """A file's extension and media type; `inline` only if a browser shows it without running anything in it."""

    extension: str
    media_type: str
    inline: bool = True

    @property
    def is_image(self) -> bool:
        """Whether a page can show it as an image."""
        return self.media_type.startswith("image/")


_UNKNOWN = FileType("bin", "application/octet-stream", inline=False)
_TEXT = FileType("txt", "text/plain; charset=utf-8")
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", FileType("png", "image/png")),
    (b"\xff\xd8\xff", FileType("jpg", "image/jpeg")),
    (b"GIF8", FileType("gif", "image/gif")),
    (b"%PDF-", FileType("pdf", "application/pdf")),
    (b"PK\x03\x04", FileType("zip", "application/zip", inline=False)),
)


def detect_type(head: bytes) -> FileType:
    """Return an attachment's type from its first bytes, since the CRM's call carries no file names."""
    for signature, file_type in _SIGNATURES:
        if head.startswith(signature):
            return file_type
    if b"\0" in head:
        return _UNKNOWN
    try:
        getincrementaldecoder("utf-8")().decode(head)  # incremental: the last character may be cut
    except UnicodeDecodeError:
        return _UNKNOWN
    return _TEXT
