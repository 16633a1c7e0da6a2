"""Which columns name files, and in which folder these are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from importer.mapping.drafting.matching import is_called
from importer.mapping.drafting.profiles import Profile, is_file_name
from importer.system.files import open_ordinary
from importer.system.zips import NOT_READABLE, ZipFolder

_MOST_FOLDERS = 500
_MOST_FILES = 50
_MOST_ZIPS = 5
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|[\\/]")


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The columns with names of files, the folder that has them, if it was found, and what their paths begin with."""

    columns: Sequence[str] = ()
    folder: str | None = None
    prefix: str = ""


def named_files(found: Mapping[str, Profile], beside: Path | None) -> NamedFiles:
    """Return the columns that name files: by their cells and perhaps their header, or by files under `beside`."""
    folder, columns = None, []
    named = {column: profile.parts() for column, profile in found.items() if _may_be_files(column, profile)}
    prefix = _common_prefix([name for parts in named.values() for name in parts])
    for column, parts in named.items():
        names = [name.removeprefix(prefix).lstrip("/\\").replace("\\", "/") for name in parts][:_MOST_FILES]
        where = _folder_of(names, beside, folder)
        if where is not None or seems_to_name_files(found[column]):
            columns.append(column)
            folder = folder or where
    return NamedFiles(columns, folder, prefix if columns else "")


def seems_to_name_files(profile: Profile) -> bool:
    """Return whether a column names files by what it shows alone, wherever these are: its cells and its header."""
    return profile.files or (is_called("attachments", profile.column) and profile.share_of_files() > 0.5)


def _may_be_files(column: str, profile: Profile) -> bool:
    if is_called("attachments", column):
        return profile.share_of_files(known_endings=False) > 0.5
    return profile.share_of_files(known_endings=False) >= 0.9


def _common_prefix(names: Sequence[str]) -> str:
    r"""Return the folder of another computer that all names begin with, such as `Z:\\Soportes\\`; `''` without one."""
    names = [name for name in names if is_file_name(name)]
    if not names or not all(map(_ABSOLUTE.match, names)):
        return ""
    common = names[0]
    while common and not all(name.startswith(common) for name in names):
        common = common[:-1]
    return common[: max(common.rfind("/"), common.rfind("\\")) + 1]


def _folder_of(names: Sequence[str], beside: Path | None, first: str | None) -> str | None:
    """Return the folder or zip file in or under `beside` that has at least half of the named files, None if none has.

    `first` is the folder of other columns, and the only one if it is given: attachments have one folder.
    """
    if beside is None or not names:
        return None
    for folder in [beside / first] if first is not None else _folders_under(beside):
        if sum(map(_files_in(folder), names)) * 2 >= len(names):
            return folder.relative_to(beside).as_posix()
    return None


def _folders_under(root: Path) -> Iterator[Path]:
    """Yield the folders, and then the zip files beside them at the top."""
    yield from (Path(folder) for folder, _folders, _files in islice(os.walk(root), _MOST_FOLDERS))
    yield from sorted(path for path in root.glob("*.[zZ][iI][pP]") if _is_file(path))[:_MOST_ZIPS]


def _files_in(place: Path) -> Callable[[str], bool]:
    """Return what tells whether a name is that of a file in a folder, or in a zip file; none is in a damaged one."""
    if not _is_file(place):
        return lambda name: _is_file(place / name)
    with suppress(*NOT_READABLE), open_ordinary(place) as file:
        return frozenset(ZipFolder(file).paths()).__contains__
    return lambda _name: False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a cell with a text that is no path: too long, or with a NUL
        return False
