"""The base64 text of files, made while they are sent: block by block, of the very files that were checked."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from typing import BinaryIO

from importer.attachments.zipped import content_of
from importer.errors import AttachmentChanged
from importer.messages import _
from importer.model import Attachment
from importer.system.files import identity_of, open_below
from importer.system.zips import NOT_READABLE

BLOCK = 192 * 1024  # bytes of the file that are encoded at a time


def encoded_length(size: int) -> int:
    """Return the number of characters in the base64 text of `size` bytes, including padding."""
    return (size + 2) // 3 * 4


def encode(attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's base64, `block` bytes of the file at a time (rounded down to a multiple of three).

    Raises `errors.AttachmentChanged` if the file has changed since it was checked: a different device, inode, size or
    modification time when it is opened or after it is read, a link in its path, not exactly `size` bytes, or no longer
    readable. It is always raised before the last chunk is yielded, so that a body of the announced length stays
    incomplete.
    """
    step = max(3, block - block % 3)  # only the last chunk is padded
    try:
        with open_below(attachment.root, attachment.path) as file:
            _require_same(attachment, file)
            with content_of(attachment, file) as content:
                left = attachment.size
                while left:
                    data = content.read(min(step, left))
                    if len(data) < min(step, left):
                        raise _changed(attachment)
                    left -= len(data)
                    if not left:
                        _require_same(attachment, file)
                    yield b64encode(data)
    except NOT_READABLE as error:
        raise _changed(attachment) from error


def _require_same(attachment: Attachment, file: BinaryIO) -> None:
    """Raise `AttachmentChanged` if the open file is not the one that was checked."""
    if identity_of(os.fstat(file.fileno())) != attachment.identity:
        raise _changed(attachment)


def _changed(attachment: Attachment) -> AttachmentChanged:
    return AttachmentChanged(
        _(
            "The attachment {path} changed after it was checked, or can no longer be read; run the command again",
            path=attachment.path,
        )
    )
