"""Copies of sheets that were dropped into the browser, which tells no page where a file is."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from importer.errors import SourceError
from importer.messages import _
from importer.system import disk
from importer.system.causes import reason_of
from importer.system.files import open_ordinary
from importer.text import clean
from importer.web.folders import SPREADSHEETS

_BLOCK = 1 << 20
_LONGEST_STEM = 120

_CORRECTIONS = re.compile(r"\.corrections$", re.IGNORECASE)
_WRITTEN_BY_US = re.compile(r"\.((?:report|rehearsal)[ ().\d-]*)$", re.IGNORECASE)
"""What a report has at the end of its name: beside the sheet that it is of, it would be taken for its newest one."""


@dataclass(frozen=True, slots=True)
class SheetCopy:
    """Where a copy is, and whether it was made now: the same content is the same copy again."""

    path: Path
    is_new: bool


def keep_copy(content: BinaryIO, name: str, folder: Path) -> SheetCopy:
    """Copy a sheet into a folder, never over another file. Raises SourceError where that is not possible."""
    name = safe_name(name)
    temporary = folder / f".{secrets.token_hex(6)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            digest = _written(content, temporary)
            return _placed(temporary, name, digest)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SourceError(
            _(
                "{file} cannot be copied to {folder}: {reason}. Nothing was opened. Make room or choose the sheet from"
                " its own folder.",
                file=name,
                folder=folder,
                reason=reason_of(error),
            )
        ) from error


def safe_name(name: str) -> str:
    """Return a name for the copy that every system allows, and that no file has which this program writes.

    Raises SourceError for what is no spreadsheet, and for corrections: beside their sheet they would count at once.
    """
    last = re.split(r"[/\\]", clean(unicodedata.normalize("NFC", name)))[-1]
    stem, suffix = os.path.splitext(last)  # noqa: PTH122 - a name, and no path
    if suffix.lower() not in SPREADSHEETS:
        raise SourceError(
            _("{file} is not a spreadsheet. Choose an Excel or LibreOffice workbook, or a CSV file.", file=last)
        )
    stem = disk.plain_stem(stem, _LONGEST_STEM) or "1"
    if _CORRECTIONS.search(stem):
        raise SourceError(
            _("{file} is a file of corrections. Open the sheet itself: its corrections are found beside it.", file=last)
        )
    return disk.not_a_device(_WRITTEN_BY_US.sub(r" \1", stem)) + suffix


def _written(content: BinaryIO, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _placed(temporary: Path, name: str, digest: str) -> SheetCopy:
    """Give the copy the first free name, unless a copy with the same content has one of the names before it."""
    size = temporary.stat().st_size
    for candidate in _names(temporary.parent, name):
        if candidate.exists():
            if candidate.stat().st_size == size and _digest_of(candidate) == digest:
                return SheetCopy(candidate, is_new=False)
            continue
        with suppress(FileExistsError):
            candidate.touch(exist_ok=False)  # ours from now on
            disk.replace(temporary, candidate)
            return SheetCopy(candidate, is_new=True)
    raise AssertionError  # there is always another number


def _names(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - as above
    yield folder / name
    yield from (folder / f"{stem} ({number}){suffix}" for number in count(2))


def _digest_of(path: Path) -> str | None:
    try:
        with open_ordinary(path) as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            return digest.hexdigest()
    except OSError:
        return None
