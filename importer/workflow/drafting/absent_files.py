"""Attachments that are not where the mapping says: which they are, and in which folders near the sheet they may be."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from importer.attachments import MISSING, AttachmentFolder
from importer.model import Issue
from importer.text import unaccented
from importer.workflow.job import LoadedJob, place_of_files

MISSING_FILE = MISSING
"""The code of an issue about a file that is not where the mapping says."""

_MOST_FOLDERS, _MOST_FILES, _DEPTH = 300, 50_000, 3
_MOST_LIKELY = 5


@dataclass(frozen=True, slots=True)
class AbsentFile:
    """A file that is not there: its name as written in the cells, and in how many of them it is."""

    name: str
    cells: int


@dataclass(frozen=True, slots=True)
class LikelyFolder:
    """A folder in which some of the absent files are, by their names alone; `found` is how many."""

    path: Path
    found: int


def absent_files(loaded: LoadedJob, issues: Iterable[Issue]) -> tuple[AbsentFile, ...]:
    """Return the files that these issues miss, those that most cells name first."""
    options = loaded.case_mapping.attachments
    if options is None:
        return ()
    folder = AttachmentFolder(options, *place_of_files(loaded.table.path, loaded.case_mapping))
    cells = Counter(issue.value for issue in issues if issue.code == MISSING and issue.value)
    names: Counter[str] = Counter()
    for cell, count in cells.items():
        names.update(dict.fromkeys(folder.absent(cell), count))
    return tuple(AbsentFile(name, count) for name, count in names.most_common())


def likely_folders(source: Path, names: Iterable[str]) -> tuple[LikelyFolder, ...]:
    """Return the folders beside and below a sheet that have files with these names, the one with most of them first.

    Only names are compared, and only so many folders are looked at that it takes a moment.
    """
    wanted = {unaccented(PurePosixPath(name.replace("\\", "/")).name) for name in names}
    found = (LikelyFolder(folder, len(wanted & files)) for folder, files in _folders(source.absolute().parent))
    return tuple(sorted((one for one in found if one.found), key=lambda one: -one.found)[:_MOST_LIKELY])


def _folders(top: Path) -> Iterator[tuple[Path, set[str]]]:
    """Yield folders from the top down, each with the names of its files in the form in which they are compared."""
    waiting, looked_at, files_seen = [(top, 0)], 0, 0
    while waiting and looked_at < _MOST_FOLDERS and files_seen < _MOST_FILES:
        folder, depth = waiting.pop(0)
        looked_at += 1
        files: set[str] = set()
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if depth < _DEPTH and not entry.name.startswith("."):
                        waiting.append((Path(entry.path), depth + 1))
                else:
                    files.add(unaccented(entry.name))
        files_seen += len(files)
        yield folder, files
