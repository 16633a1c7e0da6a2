"""Output that is UTF-8 wherever it goes, and that ends no run where nobody reads it any more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _LastingFile(io.FileIO):
    """A file that takes what cannot be written, too, and remembers why that could not be."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write as far as that is possible."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            return memoryview(data).nbytes


class Output:
    """Standard output or standard error.

    `text` is what to write to, None where the shell closed it (`>&-`). With `by_line` each line goes out at once, for
    somebody who reads it while it happens.
    """

    def __init__(self, stream: TextIO | None, *, by_line: bool = False) -> None:
        self.text, self._file = stream, None
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="replace")
        elif stream is not None:
            self._file = _LastingFile(stream.fileno(), "wb", closefd=False)
            raw = io.BufferedWriter(self._file)
            self.text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", line_buffering=by_line)

    def failure(self) -> str | None:
        """Return why the output is not whole, such as a full disk; that its reader went away (`| head`) is no fault."""
        if self.text is not None:
            self.text.flush()
        error = self._file.failure if self._file else None
        return None if error is None or isinstance(error, BrokenPipeError) else str(error.strerror or error)
