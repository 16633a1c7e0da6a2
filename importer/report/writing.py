"""Write a report: the kind that its name asks for, never over somebody's work, whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from importer.errors import ReportError
from importer.messages import _
from importer.model import ReportContent, Summary

from . import places
from .fingerprint import fingerprint
from .lines import write_csv
from .page import write_page
from .workbook import fits, renew_workbook, write_workbook

_WRITERS: dict[str, Callable[[BinaryIO, ReportContent], None]] = {
    ".xlsx": write_workbook,
    ".csv": write_csv,
    ".html": write_page,
}


@dataclass(frozen=True, slots=True)
class _Noted:
    """What is known of existing files, by the SHA-256 of their bytes."""

    ours: Callable[[str], bool]
    fingerprint_of: Callable[[str], str | None]


def _none(_digest: str) -> None:
    """Know no fingerprint."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report on the disk: where, the SHA-256 of its bytes, and why it is not where it was asked for, if so.

    `fingerprint` tells what a workbook says, None where that is not known.
    """

    path: Path
    digest: str
    note: str | None
    fingerprint: str | None = None


def write(
    path: Path, content: ReportContent, ours: Callable[[str], bool], fingerprint_of: Callable[[str], str | None] = _none
) -> Written:
    """Write the report as `path` ends (`.xlsx`, `.csv`, `.html`), and say where it is.

    `ours(sha256)` tells whether an existing file is as we wrote it. One that was edited, is open or is read-only
    is left alone, and the report takes the next free name. `fingerprint_of(sha256)` is what we noted of an existing
    file: where it says the same as this report, only its Summary is made anew. Raises `ReportError` where nothing can
    be written.
    """
    places.check_writable(path)
    notes: list[str] = []
    if path.suffix.lower() == ".xlsx" and not fits(content):
        path = path.with_suffix(".csv")
        notes.append(
            _(
                "A sheet holds 1,048,576 lines and 16,384 columns; this report needs more and is the CSV file {name}.",
                name=path.name,
            )
        )
    try:
        return _write(path, content, _Noted(ours, fingerprint_of), notes)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        reason = _("the disk is full") if full else error.strerror or str(error)
        raise ReportError(
            _(
                "{path}: the report could not be written ({reason}). Nothing that was imported is lost: mend this, "
                "then let `case-importer report` write it from the journal.",
                path=path,
                reason=reason,
            )
        ) from error


def _write(path: Path, content: ReportContent, noted: _Noted, notes: list[str]) -> Written:
    mark = fingerprint(content) if path.suffix.lower() == ".xlsx" else None
    with places.unfinished(path) as (file, temporary):
        if mark is None or not _renewed(path, mark, content.summary, noted, file):
            _WRITERS[path.suffix.lower()](file, content)
        places.finish(file)
        digest = places.digest(temporary)
        return Written(_place(temporary, path, noted.ours, notes), digest, " ".join(notes) or None, mark)


def _renewed(path: Path, mark: str, summary: Summary, noted: _Noted, file: BinaryIO) -> bool:
    """Write the report that stands there to `file`, its Summary made anew, if it says the same as this one."""
    standing = next((name for name in places.names(path) if places.why_kept(name, noted.ours) is None), path)
    if not standing.exists():
        return False
    with standing.open("rb") as old:
        if noted.fingerprint_of(places.digest_of(old)) != mark:
            return False
        renew_workbook(old, file, summary)
    return True


def _place(temporary: Path, path: Path, ours: Callable[[str], bool], notes: list[str]) -> Path:
    """Move the finished file to the first name that may be taken."""
    kept = None
    for candidate in places.names(path):
        reason = places.why_kept(candidate, ours)
        if reason is None:
            try:
                places.replace(temporary, candidate)
            except PermissionError:  # Windows: a program holds the file open
                reason = _("{name} is open in another program", name=candidate.name)
            else:
                if kept:
                    notes.append(_("{reason}, so the report is {name}.", reason=kept, name=candidate.name))
                return candidate
        kept = kept or reason
    raise ReportError(_("{path}: every name beside it is taken. Name another folder with --report.", path=path))
