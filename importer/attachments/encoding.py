"""A checked file as base64, read while it is sent; never whole in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pybase64 import b64encode

from importer.attachments.reading import blocks
from importer.errors import AttachmentChanged
from importer.messages import _
from importer.model import Attachment

BLOCK = 192 * 1024  # bytes of the file; a block and its base64 stay in a processor's cache


def encoded_length(size: int) -> int:
    """Return how many characters the base64 of `size` bytes has, padding included."""
    return (size + 2) // 3 * 4


def encode(attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's base64, `block` bytes of the file at a time (rounded down to a multiple of three).

    Raises `errors.AttachmentChanged` where the file is no longer what was checked: another size, time of change or
    inode when it is opened or once it is read, other than `size` bytes in it, or no longer readable. Whatever is
    wrong is raised before the last chunk is yielded: a body that counted on `size` bytes stays incomplete.
    """
    step = max(3, block - block % 3)  # only the last chunk is padded
    try:
        with open(attachment.path, "rb", opener=_open_at_once) as file:
            _hold_to(attachment, os.fstat(file.fileno()))
            left = attachment.size
            for data in blocks(file, attachment.size, step):
                if len(data) < min(step, left):
                    raise _changed(attachment)
                left -= len(data)
                if not left:
                    _hold_to(attachment, os.fstat(file.fileno()))
                yield b64encode(data)
    except OSError as error:
        raise _changed(attachment) from error


def hold_to(attachment: Attachment) -> None:
    """Raise `AttachmentChanged` where the file is not the one that was checked, without opening it."""
    try:
        _hold_to(attachment, attachment.path.stat())
    except OSError as error:
        raise _changed(attachment) from error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting, so that a pipe that took the file's place is noticed and not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _hold_to(attachment: Attachment, now: os.stat_result) -> None:
    if (now.st_size, now.st_mtime_ns, now.st_ino) != (attachment.size, attachment.modified_ns, attachment.inode):
        raise _changed(attachment)


def _changed(attachment: Attachment) -> AttachmentChanged:
    return AttachmentChanged(
        _(
            "The attachment {path} changed after it was checked, or can no longer be read; run the command again",
            path=attachment.path,
        )
    )
