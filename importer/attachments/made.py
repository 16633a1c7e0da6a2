"""Attachments that are made: written once, kept in an anonymous temporary file, and sent from there."""

from __future__ import annotations

import tempfile
import weakref
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock

from jinja2 import Environment, PackageLoader, StrictUndefined

from importer.attachments.encoding import BLOCK
from importer.messages import _, language
from importer.model import Attachment
from importer.system.causes import reason_of
from importer.system.sorted_spool import no_temporary_file


class TooLarge(Exception):
    """An attachment that was being made became larger than the mapping allows."""


class MadeFiles:
    """The attachments that were made for a plan; `Attachment.made` is where each begins."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        self._end = 0
        self._lock = Lock()  # one place in the file, and several workers send at once
        weakref.finalize(self, self._file.close)

    def add(self, name: str, content: Iterable[str], max_size: int) -> Attachment:
        """Keep a file with this content in UTF-8; raises `TooLarge`, and then keeps nothing of it."""
        try:
            size = self._write(name, content, max_size)
        except OSError as error:
            raise no_temporary_file(reason_of(error)) from error
        made, self._end = self._end, self._end + size
        return Attachment(Path(name), name, size, 0, made=made)

    def _write(self, name: str, content: Iterable[str], max_size: int) -> int:
        """Write a file's content at the end, and return its size."""
        size = 0
        self._file.seek(self._end)
        for text in content:
            data = text.encode("utf-8", "replace")
            size += len(data)
            if size > max_size:
                raise TooLarge(_("{name} would have more than {limit} bytes", name=name, limit=f"{max_size:,}"))
            self._file.write(data)
        self._file.flush()
        return size

    def encode(self, attachment: Attachment, block: int = BLOCK) -> Iterator[bytes]:
        """Yield the base64 of a file, `block` bytes of it at a time (rounded down to a multiple of three)."""
        step = max(3, block - block % 3)
        place = attachment.made or 0
        end = place + attachment.size
        while place < end:
            with self._lock:
                self._file.seek(place)
                data = self._file.read(min(step, end - place))
            place += len(data)
            yield b64encode(data)


def text_of(texts: Iterable[str], separator: str) -> Iterator[str]:
    """Yield a transcript as plain text."""
    for number, text in enumerate(texts):
        yield f"{separator}{text}" if number else text
    yield "\n"


def page_of(name: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield a transcript as a page of HTML: each row a part of its own, its first line as its heading."""
    pages = Environment(loader=PackageLoader("importer.attachments"), autoescape=True, undefined=StrictUndefined)
    yield from pages.get_template("transcript.html").generate(
        title=name.rpartition(".")[0], language=language(), entries=map(_heading_and_rest, texts)
    )


def _heading_and_rest(text: str) -> tuple[str, str]:
    heading, _newline, rest = text.partition("\n")
    return (heading, rest) if rest else ("", heading)
