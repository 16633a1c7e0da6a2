"""Standard output and standard error: streams that survive every error, and show what their terminal can show."""

from __future__ import annotations

import codecs
import io
import os
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from importer.system.causes import reason_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

VARIABLE = "PYTHONIOENCODING"
"""Who sets it says what the terminal or the reader of a pipe understands; otherwise everything is UTF-8."""

_NEAREST = "case-importer-nearest"
_SIMILAR = str.maketrans("“”«»‘’–—·•█¡→", '""""\'\'---*#!>')  # noqa: RUF001 - the typographic marks are meant


class Output:
    """Standard output or standard error, in UTF-8 unless the environment asks for another encoding.

    `text` is the stream to write to, None where the shell closed it (`>&-`). With `by_line` each line goes out at once,
    for a person who reads it while it happens. No run ends because its output cannot be written.
    """

    def __init__(
        self, stream: TextIO | None, *, by_line: bool = False, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.text, self._file = stream, None
        encoding = asked_encoding(environ)
        if encoding == "ascii" and stream is not None:
            self._file = _TolerantFile(stream.fileno(), "wb", closefd=False)
            self.text = _AsciiText(
                io.BufferedWriter(self._file), encoding="utf-8", line_buffering=by_line or stream.isatty()
            )
        elif isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(encoding=encoding, errors=_NEAREST)
        elif stream is not None:
            self._file = _TolerantFile(stream.fileno(), "wb", closefd=False)
            raw = io.BufferedWriter(self._file)
            self.text = io.TextIOWrapper(raw, encoding=encoding, errors=_NEAREST, line_buffering=by_line)

    def failure(self) -> str | None:
        """Return why the output is incomplete, such as a full disk; that its reader left (`| head`) is no failure."""
        if self.text is not None:
            self.text.flush()
        error = self._file.failure if self._file else None
        return None if error is None or isinstance(error, BrokenPipeError) else reason_of(error)


class _TolerantFile(io.FileIO):
    """A file that also accepts what it cannot write, and remembers why it could not."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write if possible."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            return memoryview(data).nbytes


class _AsciiText(io.TextIOWrapper):
    """Text of ASCII alone; it does not call itself so, for click takes ASCII for a mistake and makes it UTF-8."""

    def write(self, text: str, /) -> int:
        """Write the text with the nearest characters that ASCII has."""
        return super().write(text.encode("ascii", _NEAREST).decode("ascii"))


def asked_encoding(environ: Mapping[str, str] = os.environ) -> str:
    """Return the encoding that the environment asks for (`cp850`, `cp1252:strict`); UTF-8 if it asks for none."""
    try:
        return codecs.lookup(environ.get(VARIABLE, "").partition(":")[0] or "utf-8").name
    except LookupError:
        return "utf-8"


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks: an accented letter by the letter, a typographic mark by the plain one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    replaced = []
    for sign in error.object[error.start : error.end]:
        parts = unicodedata.normalize("NFKD", sign.translate(_SIMILAR))
        replaced.append("".join(part for part in parts if part.isascii()) or "?")
    return "".join(replaced), error.end


codecs.register_error(_NEAREST, _nearest)
