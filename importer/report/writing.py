"""Write a report: of the kind that its name asks for, never over somebody's work, and whole or not at all."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from importer.commands import report_command, told
from importer.errors import ReportError, ReportPathRefused
from importer.messages import _, speaking
from importer.model import ReportContent, ReportRow, Summary
from importer.report.columns import ColumnLayout
from importer.report.content import row_message
from importer.report.page import write_page
from importer.report.text import marked
from importer.report.workbook import fits, write_workbook
from importer.report_words import OWN_COLUMNS
from importer.system.causes import reason_of, too_long
from importer.system.disk import replace

ROOM_NEEDED = 1_000_000  # bytes; less than this is a full disk

REHEARSAL = ".rehearsal"
"""The end of the name of a rehearsal's report, before its kind."""

_NUMBERED = re.compile(r"(?P<stem>.+) \((?P<number>[2-9]|[1-9]\d{1,3})\)")


# ------------------------------------------------------------------------------------------------ the CSV file


def write_csv(file: BinaryIO, content: ReportContent) -> None:
    """Write the report for other programs: one line per row as CSV (comma, UTF-8 without BOM, CRLF).

    Its columns are those of the sheet `Report`, in English and with the states as codes whatever the language, since
    programs read it; memory does not grow with the rows.
    """
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        with speaking("en"):
            layout = ColumnLayout.of(content)
        writer.writerow(map(marked, layout.headers))
        writer.writerows(_line(row, content.summary, layout) for row in content.rows)
    finally:
        text.detach()


def _line(row: ReportRow, summary: Summary, layout: ColumnLayout) -> list[str]:
    line = [""] * len(layout.headers)
    for place, cell in zip(layout.source, row.cells, strict=True):
        line[place] = marked(str(cell))
    for name, value in zip(OWN_COLUMNS, _own_values(row, summary), strict=True):
        line[layout.own[name]] = marked(value)
    return line


def _own_values(row: ReportRow, summary: Summary) -> Iterator[str]:
    yield str(row.number)
    yield row.state
    yield row.wolkvox_id or ""
    yield row.id_prefijo or ""
    yield row_message(row, summary)
    yield row.sent_at.astimezone(summary.started_at.tzinfo).isoformat(timespec="seconds") if row.sent_at else ""
    yield "" if row.run is None else str(row.run)
    yield row.reference or ""


# ------------------------------------------------------------------------------------------------ the report

WRITERS: dict[str, Callable[[BinaryIO, ReportContent], None]] = {
    ".xlsx": write_workbook,
    ".csv": write_csv,
    ".html": write_page,
}


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report on the disk: where, the SHA-256 of its bytes, and why it is not where it was asked for, if so."""

    path: Path
    digest: str
    note: str | None


def write(path: Path, content: ReportContent, ours: Callable[[str], bool]) -> WrittenReport:
    """Write the report as `path` ends (`.xlsx`, `.csv`, `.html`), and return where it is.

    `ours(sha256)` tells whether an existing file is as we wrote it. A file that was edited, is open or is read-only
    is left alone, and the report takes the next free name. Raises `ReportError` where nothing can be written.
    """
    check_writable(path)
    path, notes = _format_that_fits(path, content)
    try:
        return write_whole(path, lambda file: WRITERS[path.suffix.lower()](file, content), ours, notes)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        reason = _("the disk is full") if full else reason_of(error)
        raise ReportError(
            told(
                _(
                    "{path}: the report could not be written ({reason}). Nothing that was imported is lost: fix this,"
                    " then `{command}` writes it from the journal.",
                    path=path,
                    reason=reason,
                    command=report_command(),
                ),
                _(
                    "{path}: the report could not be written ({reason}). Nothing that was imported is"
                    " lost: fix this, and then write the report again on the page Look back.",
                    path=path,
                    reason=reason,
                ),
            )
        ) from error


def write_whole(
    path: Path, fill: Callable[[BinaryIO], None], ours: Callable[[str], bool], notes: list[str]
) -> WrittenReport:
    """Write a file that `fill` makes, whole or not at all, to the first free path; raises OSError where it cannot."""
    with temporary_beside(path) as (file, temporary):
        fill(file)
        fsync_and_close(file)
        written = digest(temporary)
        return WrittenReport(_moved(temporary, path, ours, notes), written, " ".join(notes) or None)


def choose_path(
    path: Path, content: ReportContent, ours: Callable[[str], bool], keep: Callable[[Path], str | None]
) -> tuple[Path, list[str]]:
    """Return the first path that `write` may write to, and notes on why it is not the one that was asked for.

    `keep` returns why a report of ours must stay, None if it may be replaced. Raises `ReportError` where every name is
    taken.
    """
    path, notes = _format_that_fits(path, content)
    blocked: str | None = None
    for candidate in paths_to_try(path):
        blocker = overwrite_blocker(candidate, ours) or keep(candidate)
        if blocker is None:
            if blocked:
                notes.append(_("{reason}, so the report is {name}.", reason=blocked, name=candidate.name))
            return candidate, notes
        blocked = blocked or blocker
    raise _no_name_left(path)


def _format_that_fits(path: Path, content: ReportContent) -> tuple[Path, list[str]]:
    """Return the path of a workbook, or of a CSV file where the report is too large for one, with a note."""
    if path.suffix.lower() != ".xlsx" or fits(content):
        return path, []
    path = path.with_suffix(".csv")
    note = _(
        "A sheet holds 1,048,576 lines and 16,384 columns; this report needs more and is the CSV file {name}.",
        name=path.name,
    )
    return path, [note]


def _no_name_left(path: Path) -> ReportError:
    return ReportPathRefused(
        told(
            _("{path}: every name beside it is taken. Name another folder with --report.", path=path),
            _(
                "{path}: every name for the report is taken in this folder. Move older reports of this"
                " sheet to another folder in Explorer, then try again.",
                path=path,
            ),
        )
    )


def _moved(temporary: Path, path: Path, ours: Callable[[str], bool], notes: list[str]) -> Path:
    """Move the finished file to the first path that may be written, and return that."""
    blocked = None
    for candidate in paths_to_try(path):
        blocker = overwrite_blocker(candidate, ours)
        if blocker is None:
            try:
                replace(temporary, candidate)
            except PermissionError:  # Windows: a program holds the file open
                blocker = _("{name} is open in another program", name=candidate.name)
            else:
                if blocked:
                    notes.append(_("{reason}, so the report is {name}.", reason=blocked, name=candidate.name))
                return candidate
        blocked = blocked or blocker
    raise _no_name_left(path)


# ------------------------------------------------------------------------------------------------ paths


def default_path(source: Path) -> Path:
    """Return where the report of a source goes: `tickets.report.xlsx` beside `tickets.xlsx`, and beside itself."""
    stem = source.stem.removesuffix(".report")
    return source.with_name(f"{stem}.report.xlsx")


def rehearsal_path(path: Path) -> Path:
    """Return where a rehearsal is reported, beside the report that a run would write: `tickets.rehearsal.xlsx`.

    No run takes a file of this name for one of its reports.
    """
    ending = path.suffix if path.suffix.lower() in {".xlsx", ".csv"} else ".xlsx"
    return path.with_name(f"{path.stem.removesuffix('.report')}{REHEARSAL}{ending}")


def paths_to_try(path: Path) -> Iterator[Path]:
    """Yield `path` and those that come after it: `tickets (2).report.xlsx`, `tickets (3).report.xlsx`, and so on."""
    yield path
    ending = "".join(path.suffixes[-2:]) if path.stem.endswith(".report") else path.suffix
    stem, number = path.name.removesuffix(ending), 1
    if numbered := _NUMBERED.fullmatch(stem):
        stem, number = numbered["stem"], int(numbered["number"])
    for following in range(number + 1, 10_000):
        yield path.with_name(f"{stem} ({following}){ending}")


def check_writable(path: Path) -> None:
    """Raise `ReportError` where a report could not be written to `path`, before anything is sent."""
    if refusal := _place_refusal(path):
        raise ReportPathRefused(refusal)
    try:
        with temporary_beside(path) as (probe, _temporary):
            probe.write(bytes(4096))
            fsync_and_close(probe)
    except OSError as error:
        raise ReportPathRefused(
            told(
                _(
                    "{path}: the folder cannot be written to ({reason}). Name another with --report.",
                    path=path,
                    reason=reason_of(error),
                ),
                _(
                    "{path}: nothing can be written into this folder ({reason}). Ask whoever manages"
                    " it for leave to write there, or move the sheet and the files beside it to a"
                    " folder of your own, and choose it there.",
                    path=path,
                    reason=reason_of(error),
                ),
            )
        ) from error


def _place_refusal(path: Path) -> str | None:
    """Return why a report cannot be at `path`, as far as it shows without writing; None where it can."""
    if path.suffix.lower() not in WRITERS:
        return _("{path}: a report ends in .xlsx, .csv or .html. Choose one of these with --report.", path=path)
    if reason := too_long(path):
        return _("{path}: the report cannot be written there: {reason}.", path=path, reason=reason)
    if path.is_dir():
        return told(
            _("{path} is a folder. Name a file in it with --report.", path=path),
            _(
                "{path} is a folder, and the report has to go there. Rename that folder in Explorer,"
                " or move it, then try again.",
                path=path,
            ),
        )
    if not path.parent.is_dir():
        return told(
            _(
                "{path}: the folder {folder} does not exist. Create it, or name another with --report.",
                path=path,
                folder=path.parent.absolute(),
            ),
            _(
                "The folder {folder}, where the report goes, is not there any more. Put it back"
                " in Explorer, or choose the sheet again where it is now.",
                folder=path.parent.absolute(),
            ),
        )
    if shutil.disk_usage(path.parent).free < ROOM_NEEDED:
        return told(
            _("{path}: the disk is full. Free some space, or name another folder with --report.", path=path),
            _(
                "{path}: the disk is full, and the report has no room. Delete or move files that"
                " you do not need any more, then try again.",
                path=path,
            ),
        )
    return None


def overwrite_blocker(path: Path, ours: Callable[[str], bool]) -> str | None:
    """Return why the file at `path` must not be overwritten, or None where it may be."""
    if not path.exists():
        return None
    if not path.is_file():
        return _("{name} is not a file", name=path.name)
    if any(path.with_name(lock).exists() for lock in (f"~${path.name}", f".~lock.{path.name}#")):
        return _("{name} is open in another program", name=path.name)
    if not path.stat().st_mode & 0o222:
        return told(
            _("{name} is read-only", name=path.name),
            _("{name} is read-only (in Explorer: right click, Properties, Read-only)", name=path.name),
        )
    try:
        unchanged = ours(digest(path))
    except OSError:
        return told(
            _("{name} cannot be read; it may be open in another program", name=path.name),
            _("{name} cannot be read; it may be open in Excel (close it there)", name=path.name),
        )
    return None if unchanged else _("{name} was edited since it was written, or is not ours", name=path.name)


# ------------------------------------------------------------------------------------------------ bytes on the disk


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def temporary_beside(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file in the folder of `path`, to be moved once it is finished; otherwise it is removed.

    It has the permissions that a new file of the user has, which a file of `tempfile` has not.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}{path.suffix}.tmp")
    try:
        with temporary.open("x+b") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def fsync_and_close(file: BinaryIO) -> None:
    """Close a file once its bytes are on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
