"""The files that hold personal data: which there are, and the deletion of those that the page itself has made.

The user's sheets and reports, corrections and the journal are never deleted. A file is named by an id, and found again
among those that are listed: what the browser says is never a path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from importer import files_of_sheet
from importer.messages import _, gettext_noop, ngettext, translated
from importer.system.causes import reason_of
from importer.web.notes import KeptNote
from importer.web.office import Office, OpenSheet
from importer.web.page import NotFound, Visit, go_to, page, render

_KINDS = {
    "source": gettext_noop("The sheet"),
    "copy": gettext_noop("Copy of a sheet that was dropped into the page"),
    "example": gettext_noop("The example for rehearsals"),
    "corrections": gettext_noop("Corrections of the sheet"),
    "report": gettext_noop("Report"),
    "rehearsal": gettext_noop("Report of a rehearsal"),
    "backup": gettext_noop("Copy of the sheet before its report was added to it"),
    "memory": gettext_noop("What the page remembers: the sheet's name and place"),
}
_SHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".csv", ".tsv"})
_OURS = frozenset({"copy", "example", "rehearsal", "memory"})


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file with personal data, or an entry of the page's memory; `delete` removes it, None where it is not ours."""

    id: str
    kind: str
    path: Path
    sheet: str
    size: int
    modified: datetime | None
    delete: Callable[[], None] | None

    @property
    def label(self) -> str:
        """What it is, in words."""
        return translated(_KINDS[self.kind])


def kept_files(office: Office, sheet: OpenSheet | None) -> list[KeptFile]:
    """Return the files of one sheet, or of all sheets that are remembered and all copies that the page has made."""
    sheets = office.sheets() if sheet is None else [sheet]
    found: dict[str, KeptFile] = {}
    for one in sheets:
        found |= {file.id: file for file in _of_sheet(office, one)}
    if sheet is None:
        found = {file.id: file for file in _copies(office)} | found
    return list(found.values())


def _of_sheet(office: Office, sheet: OpenSheet) -> Iterator[KeptFile]:
    for file in files_of_sheet(office.job_of(sheet)):
        yield _kept(_kind_of_source(office, file.path) if file.kind == "source" else file.kind, file.path, sheet.name)
    remembered = office.memory.path
    yield KeptFile(_id("memory", sheet.source), "memory", remembered, sheet.name, 0, None, lambda: office.forget(sheet))


def _kind_of_source(office: Office, source: Path) -> str:
    """Return what a sheet is: the user's own, a copy, or the example, in a folder of its own among the copies."""
    if source.parent in office.copy_folders:
        return "copy"
    return "example" if source.parent.parent in office.copy_folders else "source"


def _copies(office: Office) -> Iterator[KeptFile]:
    for folder in office.copy_folders:
        if folder.is_dir():
            yield from (_kept("copy", path, path.name) for path in sorted(folder.iterdir()) if _is_sheet(path))


def _is_sheet(path: Path) -> bool:
    """Tell whether a file in a folder of copies is a copied sheet, not what was made of one, and nothing else."""
    made = any(part in path.name for part in (".report", ".rehearsal", ".corrections", ".backup-"))
    return path.suffix.lower() in _SHEETS and not made and not path.name.startswith((".", "~$")) and path.is_file()


def _kept(kind: str, path: Path, sheet: str) -> KeptFile:
    status = path.stat()
    modified = datetime.fromtimestamp(status.st_mtime).astimezone()
    return KeptFile(
        _id(kind, path), kind, path, sheet, status.st_size, modified, path.unlink if kind in _OURS else None
    )


def _id(kind: str, path: Path) -> str:
    return hashlib.sha256(f"{kind}\0{path}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ------------------------------------------------------------------------------------------------ pages


def show(visit: Visit) -> Response:
    """List the files that hold personal data, those that may be deleted with a box to tick."""
    sheet = _sheet(visit, visit.asked("sheet"))
    note = visit.office.notes.find(visit.asked("note"))
    return render(
        visit,
        "files.html",
        sheet=sheet,
        files=kept_files(visit.office, sheet),
        note=note,
        journal=visit.office.journal_path,
    )


def ask(visit: Visit) -> Response:
    """Show once more what was ticked, before it is deleted."""
    sheet = _sheet(visit, visit.asked("sheet"))
    ticked = _ticked(visit.office, sheet, visit.request.query_params.getlist("file"))
    if not ticked:
        return _back(visit, sheet, KeptNote("warn", (_("First tick what you want to delete."),)))
    return render(visit, "files_delete.html", sheet=sheet, files=ticked)


def delete(visit: Visit) -> Response:
    """Delete what was ticked and confirmed; what is gone already counts as deleted."""
    sheet = _sheet(visit, visit.text("sheet"))
    if visit.office.is_busy:
        return _back(
            visit,
            sheet,
            KeptNote("warn", (_("Cases are being sent right now. Delete the files when the run has ended."),)),
        )
    ticked, failed, done = _ticked(visit.office, sheet, visit.texts("file")), [], 0
    for file in ticked:
        try:
            if file.delete is not None:
                file.delete()
                done += 1
        except FileNotFoundError:
            done += 1
        except OSError as error:
            failed.append(_("{name} could not be deleted: {reason}.", name=file.path.name, reason=reason_of(error)))
    said = ngettext("{count} entry was deleted.", "{count} entries were deleted.", done)
    still = sheet if sheet is None else visit.office.sheet(sheet.id)  # it may have been forgotten
    return _back(visit, still, KeptNote("bad" if failed else "good", (said, *failed)))


def _sheet(visit: Visit, sheet_id: str) -> OpenSheet | None:
    if not sheet_id:
        return None
    found = visit.office.sheet(sheet_id)
    if found is None:
        raise NotFound
    return found


def _ticked(office: Office, sheet: OpenSheet | None, ids: Iterable[str]) -> list[KeptFile]:
    wanted = set(ids)
    return [file for file in kept_files(office, sheet) if file.id in wanted and file.delete is not None]


def _back(visit: Visit, sheet: OpenSheet | None, note: KeptNote) -> Response:
    of_sheet = f"&sheet={sheet.id}" if sheet else ""
    return go_to(f"/files?note={visit.office.notes.keep(note)}{of_sheet}")


ROUTES = [
    Route("/files", page(show)),
    Route("/files/delete", page(ask), methods=["GET"]),
    Route("/files/delete", page(delete), methods=["POST"]),
]
