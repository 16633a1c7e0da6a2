"""Have a workbook parsed by calamine in a child process: whatever the file does to the parser, it does not do to us."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from importer import files
from importer.errors import SourceError
from importer.files import damaged, password_needed
from importer.messages import _
from importer.source import calamine_child
from importer.source.snapshot import BLOCK, Snapshot
from importer.spool import Spool

MEMORY_LIMIT = 4 << 30  # a full sheet of 1,048,576 rows and 20 columns stays below


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet in the workbook's list."""

    name: str
    visible: bool


def list_sheets(snapshot: Snapshot, file: str) -> tuple[SheetEntry, ...]:
    """Return the worksheets of the workbook, in its order. Raises SourceError where it cannot be read."""
    with Parsing(snapshot, file) as parsing:
        (listed,) = parsing.finish()
    return tuple(SheetEntry(name, visible) for name, worksheet, visible in listed if worksheet)


class Parsing:
    """One run of the child over one sheet, beside which the parent may work; leaving the context ends the child."""

    def __init__(self, snapshot: Snapshot, file: str, sheet: str | None = None) -> None:
        """Start the child on the workbook's bytes; without a sheet it lists them."""
        self._file = file
        self._answer: Spool[Any] = Spool(in_memory=0)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the end of the child
        # -P: this folder's modules must not hide those of the standard library.
        limits = map(str, (MEMORY_LIMIT, files.MOST_ROWS, files.MOST_COLUMNS, files.LONGEST_CELL))
        command = [sys.executable, "-P", calamine_child.__file__, json.dumps(sheet), *limits]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            command, stdin=subprocess.PIPE, stdout=self._answer.file, stderr=self._errors
        )
        self._end = weakref.finalize(self, _end, self._process, self._errors)  # also where nobody asks for the answer
        self._hand_over(snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def finish(self) -> Spool[Any]:
        """Wait for the child and return what it sent. Raises SourceError that says what is wrong with the file."""
        status = self._process.wait()
        if status == calamine_child.PASSWORD:
            raise password_needed(self._file)
        if status == calamine_child.TOO_WIDE:
            raise SourceError(
                _(
                    "{file}: the sheet has more than {most:,} columns, which is more than Excel can show. Copy the"
                    " table into a new workbook and save that.",
                    file=self._file,
                    most=files.MOST_COLUMNS,
                )
            )
        if status == calamine_child.TOO_TALL:
            raise files.beyond_the_sheet(self._file)
        if status == calamine_child.TOO_LONG:
            raise SourceError(
                _(
                    "{file}: a cell of the sheet holds more than {most:,} characters. Shorten it, or put its text into"
                    " a file that is attached.",
                    file=self._file,
                    most=files.LONGEST_CELL,
                )
            )
        if status == calamine_child.TOO_LARGE or status < 0:
            raise SourceError(
                _(
                    "{file} cannot be read within {size} GB of memory. Often a stray value far below or to the right"
                    " of the table is the cause: copy the table into a new workbook and save that.",
                    file=self._file,
                    size=MEMORY_LIMIT >> 30,
                )
            )
        if status != 0:
            raise damaged(self._file, self._last_words())
        return self._answer

    def _hand_over(self, snapshot: Snapshot) -> None:
        """Give the child the bytes; one that ended before it took them all is asked for its reason later."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - it was asked for
        with snapshot.open() as source, suppress(OSError):
            shutil.copyfileobj(source, pipe, BLOCK)
        with suppress(OSError):
            pipe.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    """End a child, if it still runs, and let go of what it wrote."""
    process.kill()
    process.wait()
    errors.close()
