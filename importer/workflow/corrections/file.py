"""The file of corrections beside a source: read as people leave it, and changed whole or not at all.

It is CSV (UTF-8 with a mark for Excel, comma, CRLF). A person may open it in Excel and save it with semicolons or in
the encoding of Windows; lines that no longer make sense are kept, and told. What is written replaces the file in one
step, while a lock keeps other writers out, in this process or another.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from importer.errors import SourceError
from importer.messages import _
from importer.report import marked, unmarked
from importer.system import disk
from importer.system.causes import reason_of
from importer.system.clock import local_datetime
from importer.system.file_lock import locked
from importer.system.files import open_ordinary
from importer.text import unaccented
from importer.workflow.corrections.correction import FIELDS, NEEDED, Correction

LARGEST_FILE = 64 << 20
"""Bytes of a file of corrections: half a million lines."""

LONGEST_TEXT = 32_767
"""Characters of a cell that can be corrected, as many as a cell of Excel holds."""

CORRECTIONS_ENDING = ".corrections.csv"

_MARK = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class CorrectionsFile:
    """What a file of corrections says; `digest` is the SHA-256 of its bytes, None where there is no file.

    `records` are its lines as they are, each with its number, and `header` the names of their columns. A file that was
    saved with semicolons keeps them.
    """

    path: Path
    digest: str | None = None
    header: tuple[str, ...] = FIELDS
    records: tuple[tuple[int, tuple[str, ...]], ...] = ()
    delimiter: str = ","

    def corrections(self) -> Iterator[Correction]:
        """Yield every correction, in the order of the lines."""
        for line, cells in self.records:
            yield self._correction(line, cells)

    def _correction(self, line: int, cells: Sequence[str]) -> Correction:
        named = dict(zip(self.header, cells, strict=False))
        sheet, key, column, before, to, who, when = (unmarked(named.get(name, "")) for name in FIELDS)
        return Correction(sheet, key, column, before, to, who, when, line)

    def with_new(self, corrections: Sequence[Correction]) -> CorrectionsFile:
        """Return the file with more corrections behind its own, made now as one act."""
        header = (*self.header, *(name for name in FIELDS if name not in self.header))
        made = [dict(zip(FIELDS, map(marked, one.values()), strict=True)) for one in corrections]
        new = tuple((0, tuple(values.get(name, "") for name in header)) for values in made)
        return replace(self, header=header, records=(*self.records, *new))

    def without(self, act: str) -> CorrectionsFile:
        """Return the file without the corrections of an act."""
        return replace(self, records=tuple(one for one in self.records if not self._is_of(act, *one)))

    def _is_of(self, act: str, line: int, cells: Sequence[str]) -> bool:
        when = self._when(cells)
        return when == act if when else self._correction(line, cells).act == act

    def moments(self) -> set[str]:
        """Return when the corrections were made, as they say it."""
        return {self._when(cells) for _line, cells in self.records}

    def _when(self, cells: Sequence[str]) -> str:
        at = self.header.index("when") if "when" in self.header else len(cells)
        return unmarked(cells[at]) if at < len(cells) else ""

    def content(self) -> bytes:
        """Return the file's bytes as we write them."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n", delimiter=self.delimiter)
        writer.writerow(self.header)
        writer.writerows(cells for _line, cells in self.records)
        return _MARK + text.getvalue().encode("utf-8", "surrogatepass")


def corrections_path(source: Path) -> Path:
    """Return where the corrections of a source are: `tickets.corrections.csv` beside `tickets.xlsx`."""
    return source.with_name(source.stem + CORRECTIONS_ENDING)


# ------------------------------------------------------------------------------------------------ reading


def load_corrections(source: Path) -> CorrectionsFile:
    """Return what the file of corrections beside a source says; nothing where there is none.

    Raises SourceError, with the line, where it is no such file, or a line cannot be told from the next.
    """
    path = corrections_path(source)
    try:
        with open_ordinary(path) as file:
            content = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return CorrectionsFile(path)
    except OSError as error:
        raise SourceError(
            _(
                "{path}: the corrections cannot be read ({reason}). Close the file in other programs, and check that"
                " you may open it.",
                path=path,
                reason=reason_of(error),
            )
        ) from error
    if len(content) > LARGEST_FILE:
        raise _error(path, 1, _("the file is larger than any file of corrections"))
    return _parsed(path, content)


def _parsed(path: Path, content: bytes) -> CorrectionsFile:
    text = _decoded(content)
    if text.startswith("sep="):  # some programs tell Excel the separator so
        text = text.partition("\n")[2]
    first = text.partition("\n")[0].rstrip("\r")
    delimiter = max(_DELIMITERS, key=lambda sign: len(set(NEEDED) & set(_header(first, sign))))
    header = _header(first, delimiter)
    missing = [name for name in NEEDED if header.count(name) != 1]
    if missing:
        raise _error(path, 1, _("it needs one column with each of these names: {names}", names=", ".join(missing)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            if line > 1 and any(cells):
                records.append((line, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _error(path, line, _("a quotation mark is missing or not doubled")) from error
    return CorrectionsFile(path, hashlib.sha256(content).hexdigest(), header, tuple(records), delimiter)


def _decoded(content: bytes) -> str:
    """Return the text of a file of ours, or as Excel saves it: as "Unicode text", or in the encoding of Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.removeprefix(_MARK).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _header(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return ()
    return tuple(unaccented(cell.strip()) for cell in cells)


def _error(path: Path, line: int, reason: str) -> SourceError:
    return SourceError(
        _(
            "{path}, line {line}: the corrections cannot be read: {reason}. Fix the line, or put an earlier copy"
            " of the file in its place.",
            path=path,
            line=line,
            reason=reason,
        )
    )


# ------------------------------------------------------------------------------------------------ writing


def add_corrections(source: Path, corrections: Sequence[Correction]) -> list[Correction]:
    """Write corrections behind those that are there, as one act; return them as they are in the file.

    Raises SourceError where the file cannot be read or written; it is then as it was.
    """
    made: list[Correction] = []

    def added(file: CorrectionsFile) -> CorrectionsFile:
        written = file.content().decode("utf-8", "surrogatepass")
        when, line = _moment(file), 1 + len(_LINE_END.findall(written))
        for one in corrections:
            made.append(replace(one, when=when, line=line))
            line += 1 + sum(len(_LINE_END.findall(value)) for value in one.values())
        return file.with_new(made)

    _change(source, added)
    return made


def remove_act(source: Path, act: str) -> int:
    """Take the corrections of an act out of the file; return how many there were. Raises as `add_corrections`."""
    removed: list[int] = []

    def without(file: CorrectionsFile) -> CorrectionsFile:
        kept = file.without(act)
        removed.append(len(file.records) - len(kept.records))
        return kept

    _change(source, without)
    return sum(removed)


def rename_digest(source: Path, before: str, now: str) -> None:
    """Let corrections by row number go on, where this program itself has changed the file with that digest."""

    def renamed(file: CorrectionsFile) -> CorrectionsFile:
        at = file.header.index("key")
        return replace(
            file,
            records=tuple(
                (line, tuple(cell.replace(before, now) if place == at else cell for place, cell in enumerate(cells)))
                for line, cells in file.records
            ),
        )

    if any(row.digest == before for one in load_corrections(source).corrections() if (row := one.numbered_row)):
        _change(source, renamed)


def _moment(file: CorrectionsFile) -> str:
    """Return the present moment as text, later than that of any act in the file."""
    taken = file.moments()
    moment = local_datetime(datetime.now().astimezone().timestamp())
    while (text := moment.isoformat(timespec="microseconds")) in taken:
        moment += timedelta(microseconds=1)
    return text


def _change(source: Path, change: Callable[[CorrectionsFile], CorrectionsFile]) -> None:
    """Change the file while no one else does."""
    path = corrections_path(source)
    try:
        with locked(path):
            before = load_corrections(source)
            after = change(before)
            if after.records != before.records:
                _refuse_open(path)
                _replace(path, after.content())
    except OSError as error:
        raise SourceError(
            _(
                "{path}: the correction could not be saved ({reason}). Close the file in other programs, or free some"
                " space on the disk, and try again.",
                path=path,
                reason=reason_of(error),
            )
        ) from error


def _refuse_open(path: Path) -> None:
    """Refuse to change a file that another program would overwrite when it saves."""
    for lock in (f"~${path.name}", f".~lock.{path.name}#"):
        if path.with_name(lock).exists():
            raise OSError(_("it is open in another program"))


def _replace(path: Path, content: bytes) -> None:
    """Replace the file in one step; only its owner may read it, as it holds what people wrote into the sheet."""
    if len(content) > LARGEST_FILE:
        raise OSError(_("the file cannot hold any more corrections"))
    temporary = path.with_name(f".{path.name}.tmp")  # one name, so that what a killed writer leaves does not pile up
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        disk.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
