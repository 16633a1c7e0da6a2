"""The page's own list of folders: where a person's sheets are, and what is in one folder; nothing else is shown."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
import string
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from platformdirs import user_desktop_path, user_documents_path, user_downloads_path

from importer.errors import SourceError
from importer.messages import _, gettext_noop, translated
from importer.system.causes import reason_of

MOST_ENTRIES = 10_000
"""Entries of a folder that are looked at; a folder with more is one for programs."""

SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".fods", ".csv", ".tsv", ".txt"})

_OURS = re.compile(r"\.(?:report|rehearsal|hand-over)(?: ?\(?\d+\)?|[.-]\d+)?\.[a-z]+$", re.IGNORECASE)
_CORRECTIONS = ".corrections.csv"
_HIDDEN_ON_WINDOWS = getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 2) | getattr(stat, "FILE_ATTRIBUTE_SYSTEM", 4)
_HIDDEN_ON_MACS = getattr(stat, "UF_HIDDEN", 0x8000)
_MOUNTED = ("/media", "/run/media", "/Volumes", "/mnt")


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder to begin with, under the name that people call it by."""

    name: str
    path: Path

    @property
    def token(self) -> str:
        """The folder as the page's addresses name it."""
        return token_of(self.path)


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A spreadsheet in a folder. `is_report` marks what this program wrote, `is_open` what Excel holds open."""

    path: Path
    size: int
    changed: datetime
    is_report: bool
    is_open: bool

    @property
    def token(self) -> str:
        """The file as the page's forms name it."""
        return token_of(self.path)


@dataclass(frozen=True, slots=True)
class FolderContent:
    """The folders and spreadsheets in a folder, these the newest first; `is_cut` where it has too many entries."""

    folder: Path
    folders: tuple[FolderPlace, ...]
    files: tuple[FolderFile, ...]
    is_cut: bool


def token_of(path: Path) -> str:
    """Return a path as an address or a form carries it, whatever characters it has."""
    return base64.urlsafe_b64encode(os.fsencode(path)).decode()


def text_token(text: str) -> str:
    """Return a heading, or the name of a tab, as a form carries it, whatever characters it has."""
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


def path_of(token: str) -> Path | None:
    """Return the path that a token names, None where it is none."""
    try:
        path = Path(os.fsdecode(base64.b64decode(token.encode(), b"-_", validate=True)))
    except (binascii.Error, ValueError):
        return None
    return path if path.is_absolute() and "\0" not in str(path) else None


def typed_path(text: str) -> Path | None:
    """Return the path that a person typed or pasted, as Windows copies it in quotation marks; None for nothing."""
    text = text.strip().strip('"').strip()
    if not text or "\0" in text:
        return None
    path = Path.home() / text[2:] if text == "~" or text.startswith(("~/", "~\\")) else Path(text)
    return path if path.is_absolute() else Path.home() / path


def known_places(copies: Path) -> list[FolderPlace]:
    """Return the folders of this user that exist: documents, copies, desktop, downloads, home, drives."""
    named = (
        (gettext_noop("Documents"), user_documents_path()),
        (None, copies),
        (gettext_noop("Desktop"), user_desktop_path()),
        (gettext_noop("Downloads"), user_downloads_path()),
        (gettext_noop("Personal folder"), Path.home()),
    )
    found: dict[Path, FolderPlace] = {}
    for name, path in named:
        if os.path.isdir(path):  # noqa: PTH112 - False also where it may not be looked at
            found.setdefault(path, FolderPlace(translated(name) if name else path.name, path))
    for path in _drives():
        found.setdefault(path, FolderPlace(path.name or str(path), path))
    return list(found.values())


def recent_places(folders: Iterable[str]) -> list[FolderPlace]:
    """Return folders of last time that are still there."""
    return [FolderPlace(path.name or str(path), path) for path in map(Path, folders) if os.path.isdir(path)]  # noqa: PTH112


def _drives() -> Iterator[Path]:
    if sys.platform == "win32":
        yield from (drive for letter in string.ascii_uppercase if (drive := Path(f"{letter}:\\")).exists())
        return
    for top in map(Path, _MOUNTED):
        try:
            yield from islice((path for path in sorted(top.iterdir()) if path.is_dir() and path.name[0] != "."), 12)
        except OSError:
            continue


def is_within(path: Path, chosen: Iterable[Path]) -> bool:
    """Tell whether a path is in one of the chosen folders, wherever links on the way lead."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in chosen)


def content_of(folder: Path) -> FolderContent:
    """Return what a person may want to see of a folder. Raises SourceError where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            some = list(islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        raise SourceError(
            _("The folder {folder} cannot be opened: {reason}.", folder=folder, reason=reason_of(error))
        ) from error
    names = {entry.name for entry in some}
    folders, files = [], []
    for entry in some[:MOST_ENTRIES]:
        found = _examined(entry, names)
        if isinstance(found, FolderPlace):
            folders.append(found)
        elif found is not None:
            files.append(found)
    folders.sort(key=lambda place: place.name.casefold())
    files.sort(key=lambda file: file.changed, reverse=True)
    return FolderContent(folder, tuple(folders), tuple(files), is_cut=len(some) > MOST_ENTRIES)


def _examined(entry: os.DirEntry[str], names: set[str]) -> FolderPlace | FolderFile | None:
    """Return an entry as it is shown, None for what is not: hidden, of the system, or no spreadsheet."""
    if entry.name.startswith((".", "~$")) or entry.name.lower().endswith(_CORRECTIONS):
        return None
    try:
        if _is_hidden(entry.stat(follow_symlinks=False)):
            return None
        if entry.is_dir():
            return FolderPlace(entry.name, Path(entry.path))
        if os.path.splitext(entry.name)[1].lower() not in SPREADSHEETS or not entry.is_file():  # noqa: PTH122
            return None
        status = entry.stat()
        changed = datetime.fromtimestamp(status.st_mtime).astimezone()
    except (OSError, ValueError, OverflowError):  # it went away meanwhile, or its time is out of any calendar
        return None
    is_open = f"~${entry.name}" in names or f".~lock.{entry.name}#" in names
    return FolderFile(Path(entry.path), status.st_size, changed, bool(_OURS.search(entry.name)), is_open)


def _is_hidden(status: os.stat_result) -> bool:
    attributes = getattr(status, "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS
    return bool(attributes or getattr(status, "st_flags", 0) & _HIDDEN_ON_MACS)
