"""The page that chooses a sheet: the folders of this user, a path that is typed, or a file that is dropped in."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import Route

from importer.errors import SourceError
from importer.messages import _
from importer.web.copies import keep_copy
from importer.web.folders import (
    FolderPlace,
    content_of,
    is_within,
    known_places,
    path_of,
    recent_places,
    token_of,
    typed_path,
)
from importer.web.office import Office
from importer.web.page import NotFound, Visit, go_to, page, render
from importer.web.start.opening import arrive

FILES_AT_ONCE = 100
"""Files of a folder on one page, the newest first."""


def choose(visit: Visit) -> Response:
    """Show a folder: the one that the address names, else the one in which a sheet was chosen last."""
    folder = path_of(visit.asked("at")) if visit.asked("at") else _first_folder(visit.office)
    if folder is None:
        raise NotFound
    return _show(visit, folder)


def take(visit: Visit) -> Response:
    """Open what was chosen: a sheet of the list, a path that was typed, or a file that was dropped in."""
    folder = path_of(visit.text("at")) or _first_folder(visit.office)
    try:
        if "sheet" in visit.form:
            return _take_copy(visit, visit.file("sheet"))
        if visit.text("pick"):
            return _pick(visit, path_of(visit.text("pick")))
        path = typed_path(visit.text("path"))
        return go_to(f"/choose?at={token_of(folder)}") if path is None else arrive(visit, path)
    except SourceError as error:
        return _show(visit, folder, error=error, status=422)


def open_path(visit: Visit) -> Response:
    """Open the sheet, or list the folder, that the program was started with."""
    path = typed_path(visit.asked("path"))
    try:
        return go_to("/") if path is None else arrive(visit, path)
    except SourceError as error:
        return _show(visit, _first_folder(visit.office), error=error, status=422)


def _pick(visit: Visit, path: Path | None) -> Response:
    """Open a sheet of the list; only one in a folder that is shown there."""
    if path is None or not is_within(path.parent, _chosen(visit.office)):
        raise NotFound
    return arrive(visit, path)


def _take_copy(visit: Visit, dropped: UploadFile | None) -> Response:
    """Copy a file that was dropped into the browser, and open the copy, which is the source from now on."""
    if dropped is None:
        raise SourceError(_("No file was chosen. Pick one first, or drop one here."))
    copied = keep_copy(dropped.file, dropped.filename or "", visit.office.copies)
    try:
        return arrive(visit, copied.path)
    except SourceError:
        if copied.is_new:
            copied.path.unlink(missing_ok=True)  # no sheet, and nothing was made of it
        raise


def _show(visit: Visit, folder: Path, *, error: SourceError | None = None, status: int = 200) -> Response:
    chosen, places = _chosen(visit.office), known_places(visit.office.copies)
    content, is_ours = None, is_within(folder, chosen)
    if is_ours:
        try:
            content = content_of(folder)
        except SourceError as unreadable:
            error = error or unreadable
    asked = visit.asked("from")
    first = int(asked) if asked.isdecimal() and len(asked) < 6 else 0
    values = {
        "places": places,
        "recent": recent_places(visit.office.memory.load().folders),
        "folder": folder,
        "here_token": token_of(folder),
        "above": _above(folder, chosen, places) if is_ours else [],
        "content": content,
        "is_ours": is_ours,
        "first": first,
        "files": content.files[first : first + FILES_AT_ONCE] if content else (),
        "step": FILES_AT_ONCE,
        "typed": visit.text("path"),
        "error": error,
    }
    return render(visit, "choose.html", status=status, **values)


def _chosen(office: Office) -> list[Path]:
    """Return the folders in and below which everything may be listed: the usual ones, and those that were typed."""
    places = [place.path for place in known_places(office.copies)]
    return [*places, *map(Path, office.memory.load().folders)]


def _first_folder(office: Office) -> Path:
    recent = recent_places(office.memory.load().folders)
    return next((place.path for place in (*recent, *known_places(office.copies))), Path.home())


def _above(folder: Path, chosen: list[Path], places: list[FolderPlace]) -> list[FolderPlace]:
    """Return the folders above one that may be listed too, the outermost first, by the names that people know."""
    names = {place.path: place.name for place in places}
    above = [one for one in reversed(folder.parents) if is_within(one, chosen)]
    return [FolderPlace(names.get(one) or one.name or str(one), one) for one in above]


ROUTES = [
    Route("/open", page(open_path)),
    Route("/choose", page(choose)),
    Route("/choose", page(take), methods=["POST"]),
]
