"""Parse a workbook in a child process: whatever a file does to the parser, this process goes on.

Some files make a parser crash, take all memory or never end. The child has limits of memory and time, and its end is
always one sentence about the file.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from importer.errors import SourceError
from importer.messages import _
from importer.source import calamine_child
from importer.source.snapshot import BLOCK, Snapshot
from importer.system import files, itself
from importer.system.files import damaged, password_needed
from importer.system.spool import Spool

MEMORY_LIMIT = 4 << 30  # a full sheet of 1,048,576 rows and 20 columns needs less
TIME_LIMIT = 30  # seconds; a small workbook takes less than one
TIME_LIMIT_PER_MEGABYTE = 10  # seconds more; a packed megabyte of cells takes about one

Parser = Literal["calamine", "xlrd"]
PROGRAMS = {
    "calamine": Path(calamine_child.__file__),
    "xlrd": Path(__file__).parent / "binary" / "xls_child.py",  # not imported, since this process does without xlrd
}


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet in the workbook's list."""

    name: str
    visible: bool


def list_sheets(snapshot: Snapshot, file: str, parser: Parser = "calamine") -> tuple[SheetEntry, ...]:
    """Return the worksheets of the workbook, in its order. Raises SourceError where it cannot be read."""
    with Parsing(snapshot, file, parser=parser) as parsing:
        (listed,) = parsing.finish()
    return tuple(SheetEntry(name, visible) for name, visible in listed)


class ParserRefusal(SourceError):
    """The parser cannot read the file; another spelling of the same workbook may suit it."""


def time_limit(snapshot: Snapshot) -> int:
    """Return how many seconds reading a workbook may take."""
    return TIME_LIMIT + TIME_LIMIT_PER_MEGABYTE * (snapshot.size >> 20)


class Parsing:
    """One run of the child process over one sheet; leaving the context ends the child."""

    def __init__(
        self,
        snapshot: Snapshot,
        file: str,
        sheet: str | None = None,
        parser: Parser = "calamine",
        parts: Sequence[str] = (),
    ) -> None:
        """Start the child on the workbook's bytes; without a sheet it lists the sheets.

        Of the `parts` of an XLSX workbook it says whether calamine misreads one of them.
        """
        self._file = file
        self._seconds = time_limit(snapshot)
        self._answer: Spool[Any] = Spool(in_memory=0)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the end of the child
        bounds: tuple[int | str, ...] = ()
        if parser == "calamine":
            bounds = (files.MOST_ROWS, files.MOST_COLUMNS, files.LONGEST_CELL, json.dumps(parts))
        command = [*itself.script(PROGRAMS[parser]), json.dumps(sheet), *map(str, (MEMORY_LIMIT, *bounds))]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            command,
            stdin=subprocess.PIPE,
            stdout=self._answer.file,
            stderr=self._errors,
            creationflags=itself.NO_WINDOW,
        )
        self._hand_over(snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def finish(self) -> Spool[Any]:
        """Wait for the child and return what it sent. Raises SourceError that says what is wrong with the file."""
        status = _status(self._process, self._seconds)
        if status is None:
            raise too_slow(self._file, self._seconds)
        if status < 0:
            raise _ended_by_a_signal(self._file)
        if status != 0:
            raise self._refusal(status)
        return self._answer

    def _refusal(self, status: int) -> SourceError:
        """Return the error that an exit status of the child stands for."""
        if status == calamine_child.PASSWORD:
            return password_needed(self._file)
        if status == calamine_child.TOO_WIDE:
            return too_wide(self._file)
        if status == calamine_child.TOO_TALL:
            return files.beyond_the_sheet(self._file)
        if status == calamine_child.TOO_LONG:
            return cell_too_long(self._file)
        if status == calamine_child.TOO_LARGE:
            return too_large(self._file)
        return ParserRefusal(str(damaged(self._file, self._last_words())))

    def _hand_over(self, snapshot: Snapshot) -> None:
        """Give the child the bytes; if it ends before it has read them all, `finish` says why."""
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


def _status(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the exit status of the child; None if it took too long and was ended.

    `Popen.wait` with a limit looks only every 50 ms, which is longer than most sheets take.
    """
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        process.kill()

    limit = threading.Timer(seconds, end)
    limit.start()
    try:
        status = process.wait()
    finally:
        limit.cancel()
    return None if is_late.is_set() else status


def _ended_by_a_signal(file: str) -> SourceError:
    """Return the error for a child that a signal ended: a parser crashed, or could not handle the lack of memory."""
    return SourceError(
        _(
            "{file} cannot be read: it is damaged, or reading it needs more than {size} GB of memory or more than this"
            " computer has free. Open it in Excel or LibreOffice, copy the table into a new workbook and save that as"
            " .xlsx.",
            file=file,
            size=MEMORY_LIMIT >> 30,
        )
    )


def too_wide(file: str) -> SourceError:
    """Return the error for a sheet that has more columns than any program can show."""
    return SourceError(
        _(
            "{file}: the sheet has more than {most:,} columns, which is more than Excel can show. Copy the"
            " table into a new workbook and save that.",
            file=file,
            most=files.MOST_COLUMNS,
        )
    )


def cell_too_long(file: str) -> SourceError:
    """Return the error for a cell whose text is beyond what a cell may have."""
    return SourceError(
        _(
            "{file}: a cell of the sheet has more than {most:,} characters. Shorten it, or move its text to"
            " a file that is attached.",
            file=file,
            most=files.LONGEST_CELL,
        )
    )


def too_large(file: str) -> SourceError:
    """Return the error for a sheet that takes more memory than may be used."""
    return SourceError(
        _(
            "{file} cannot be read within {size} GB of memory. Often the cause is a stray value far below the"
            " table or to the right of it: copy the table into a new workbook and save that.",
            file=file,
            size=MEMORY_LIMIT >> 30,
        )
    )


def too_slow(file: str, seconds: int) -> SourceError:
    """Return the error for a workbook that takes longer than it may."""
    return SourceError(
        _(
            "{file} cannot be read within {seconds} seconds, which is far more than a workbook of its size needs. Copy"
            " the table into a new workbook and save that.",
            file=file,
            seconds=seconds,
        )
    )
