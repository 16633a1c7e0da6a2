"""Where a report goes: its name, the next free one, and a save that leaves the old file or the new one."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from importer.errors import ReportError
from importer.messages import _

ENDINGS = (".xlsx", ".csv", ".html")
ROOM_NEEDED = 1_000_000  # bytes; less than this is a full disk

_NUMBERED = re.compile(r"(?P<stem>.+) \((?P<number>[2-9]|[1-9]\d{1,3})\)")


def default_path(source: Path) -> Path:
    """Return where the report of a source goes: `tickets.report.xlsx` beside `tickets.xlsx`, and beside itself."""
    stem = source.stem.removesuffix(".report")
    return source.with_name(f"{stem}.report.xlsx")


def check_writable(path: Path) -> None:
    """Raise `ReportError` where a report could not be written to `path`, before anything is sent."""
    if path.suffix.lower() not in ENDINGS:
        raise ReportError(
            _("{path}: a report ends in .xlsx, .csv or .html. Choose one of these with --report.", path=path)
        )
    if path.is_dir():
        raise ReportError(_("{path} is a folder. Name a file in it with --report.", path=path))
    if not path.parent.is_dir():
        raise ReportError(
            _(
                "{path}: the folder {folder} does not exist. Make it, or name another with --report.",
                path=path,
                folder=path.parent.absolute(),
            )
        )
    if shutil.disk_usage(path.parent).free < ROOM_NEEDED:
        raise ReportError(_full(path))
    try:
        with unfinished(path) as (probe, _place):
            probe.write(bytes(4096))
            finish(probe)
    except OSError as error:
        raise _refused(path, error) from error


def _full(path: Path) -> str:
    return _("{path}: the disk is full. Make room, or name another folder with --report.", path=path)


def _refused(path: Path, error: OSError) -> ReportError:
    return ReportError(
        _(
            "{path}: the folder cannot be written to ({reason}). Name another with --report.",
            path=path,
            reason=error.strerror or error,
        )
    )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return digest_of(file)


def digest_of(file: BufferedReader) -> str:
    """Return the SHA-256 of an open file, from where it stands."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def why_kept(path: Path, ours: Callable[[str], bool]) -> str | None:
    """Return why the file at `path` must not be overwritten, or None where it may be."""
    if not path.exists():
        return None
    if not path.is_file():
        return _("{name} is no file", name=path.name)
    if any(path.with_name(lock).exists() for lock in (f"~${path.name}", f".~lock.{path.name}#")):
        return _("{name} is open in another program", name=path.name)
    if not path.stat().st_mode & 0o222:
        return _("{name} is read-only", name=path.name)
    try:
        return (
            None if ours(digest(path)) else _("{name} was edited since it was written, or is not ours", name=path.name)
        )
    except OSError:
        return _("{name} cannot be read; it may be open in another program", name=path.name)


def names(path: Path) -> Iterator[Path]:
    """Yield `path` and the names that come after it: `tickets (2).report.xlsx`, `tickets (3).report.xlsx`, and on."""
    yield path
    ending = "".join(path.suffixes[-2:]) if path.stem.endswith(".report") else path.suffix
    stem, number = path.name.removesuffix(ending), 1
    if numbered := _NUMBERED.fullmatch(stem):
        stem, number = numbered["stem"], int(numbered["number"])
    for following in range(number + 1, 10_000):
        yield path.with_name(f"{stem} ({following}){ending}")


@contextmanager
def unfinished(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file in the folder of `path`, to be moved once it is finished; otherwise it goes away.

    It takes the rights that a new file of the user has, which a file of `tempfile` does not.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}{path.suffix}.tmp")
    try:
        with temporary.open("x+b") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def finish(file: BinaryIO) -> None:
    """Close a file once its bytes are on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def replace(temporary: Path, path: Path) -> None:
    """Put a finished file in the place of `path` in one step, and have the folder remember it."""
    temporary.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # Windows keeps its folders in order by itself
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
