"""The forms of the page Correct about folders: where missing attachments are, and whether a folder may be read."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from importer import ImporterError, MappingEditor, QuestionsOpen, SettingsError, allow_folder
from importer.messages import _
from importer.web.correct.sheet_view import FormProblem
from importer.web.correct.views import back_from
from importer.web.office import OpenSheet
from importer.web.page import Visit, go_to, page

ALLOW_FOLDER = "allow-folder"


def choose_folder(visit: Visit) -> Response:
    """Write into the mapping in which folder the attachments are; choosing it is the leave to read it."""
    sheet, typed = visit.sheet, {"other": visit.text("other")}
    place = f"group-{visit.text('group')}"
    chosen = visit.text("other").strip().strip('"') or visit.text("folder")
    if not chosen:
        return back_from(visit, FormProblem(_("Choose a folder, or type the path of one."), place, typed))
    folder = Path(os.path.realpath(sheet.source.parent / Path(chosen).expanduser()))
    try:
        if not folder.is_dir():
            return back_from(visit, FormProblem(_("There is no folder {folder}.", folder=folder), place, typed))
        _write_folder(sheet, folder)
    except ImporterError as error:
        return back_from(visit, FormProblem(str(error), place, typed))
    except (OSError, ValueError, RuntimeError):
        return back_from(visit, FormProblem(_("There is no folder {folder}.", folder=chosen), place, typed))
    return back_from(visit)


def _write_folder(sheet: OpenSheet, folder: Path) -> None:
    if sheet.mapping is None:
        return
    beside = Path(os.path.realpath(sheet.source.parent))
    is_inside = folder.is_relative_to(beside)
    editor = MappingEditor.open(sheet.mapping)
    editor.set_attachments(folder=folder.relative_to(beside).as_posix() if is_inside else str(folder))
    editor.save()
    if not is_inside:
        _allow(sheet, folder)
    sheet.checker.again()


def allow(visit: Visit) -> Response:
    """Let the files of a folder be read that the mapping names, once the person has been asked."""
    sheet = visit.sheet
    error = sheet.checker.last.error
    if isinstance(error, QuestionsOpen):
        for question in error.questions:
            if question.code == ALLOW_FOLDER and question.about == visit.text("about"):
                _allow(sheet, Path(question.about))
    return go_to(f"/sheets/{sheet.id}/correct")


def _allow(sheet: OpenSheet, folder: Path) -> None:
    """Allow a folder for this sheet, and remember that where the settings can be written."""
    sheet.job = replace(sheet.job, allow_folders=(*sheet.job.allow_folders, folder))
    with suppress(SettingsError):  # it then holds until the program ends
        allow_folder(folder)


ROUTES = [
    Route("/sheets/{id}/correct/folder", page(choose_folder), methods=["POST"]),
    Route("/sheets/{id}/correct/allow", page(allow), methods=["POST"]),
]
