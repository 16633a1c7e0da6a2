"""A checked file as base64, read while it is sent; never whole in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from pybase64 import b64encode

from importer.errors import AttachmentChanged
from importer.files import identity_of, open_below
from importer.messages import _
from importer.model import Attachment

BLOCK = 192 * 1024  # bytes of the file; a block and its base64 stay in a processor's cache


def encoded_length(size: int) -> int:
    """Return how many characters the base64 of `size` bytes has, padding included."""
    return (size + 2) // 3 * 4


def encode(attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's base64, `block` bytes of the file at a time (rounded down to a multiple of three).

    Raises `errors.AttachmentChanged` where the file is no longer what was checked: another device, number, size or time
    of change when it is opened or once it is read, a link on the way to it, other than `size` bytes in it, or no longer
    readable. Whatever is wrong is raised before the last chunk is yielded: a body that counted on `size` bytes stays
    incomplete.
    """
    step = max(3, block - block % 3)  # only the last chunk is padded
    try:
        with open_below(attachment.root, attachment.path) as file:
            _hold_to(attachment, file)
            left = attachment.size
            while left:
                data = file.read(min(step, left))
                if len(data) < min(step, left):
                    raise _changed(attachment)
                left -= len(data)
                if not left:
                    _hold_to(attachment, file)
                yield b64encode(data)
    except OSError as error:
        raise _changed(attachment) from error


def _hold_to(attachment: Attachment, file: BinaryIO) -> None:
    """Raise `AttachmentChanged` where the open file is not the one that was checked."""
    if identity_of(os.fstat(file.fileno())) != attachment.identity:
        raise _changed(attachment)


def _changed(attachment: Attachment) -> AttachmentChanged:
    return AttachmentChanged(
        _(
            "The attachment {path} changed after it was checked, or can no longer be read; run the command again",
            path=attachment.path,
        )
    )
