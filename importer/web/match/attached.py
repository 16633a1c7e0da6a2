"""The attachments on the page Match columns: which columns name them, and the folder in which they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from starlette.datastructures import FormData

from importer import MappingEditor, MatchModel, SheetSurvey

HERE = "."
"""The folder of the mapping file, which is that of the sheet."""

_MOST_FOLDERS = 100


@dataclass(frozen=True, slots=True)
class AttachmentsChoice:
    """What is chosen of attachments: the columns that may name them, each with whether it does, and the folders."""

    columns: tuple[tuple[str, bool], ...]
    folders: tuple[str, ...]
    folder: str


def attachments_choice(survey: SheetSurvey, model: MatchModel, path: Path) -> AttachmentsChoice:
    """Return what there is to choose; the mapping at `path` names the folder from its own place."""
    named = [column.name for column in survey.columns if column.names_files or column.name in model.attachments]
    beside = list(islice(_folders(path.parent), _MOST_FOLDERS))
    now = model.folder or HERE
    return AttachmentsChoice(
        columns=tuple((name, name in model.attachments) for name in named),
        folders=tuple(dict.fromkeys([now, HERE, *beside])),
        folder=now,
    )


def _folders(beside: Path) -> Iterator[str]:
    """Yield the folders and the zip files beside a mapping."""
    try:
        found = sorted(beside.iterdir())
        yield from (one.name for one in found if one.is_dir() and not one.name.startswith("."))
        yield from (one.name for one in found if one.suffix.lower() == ".zip")
    except OSError:
        return


def save_attachments(editor: MappingEditor, survey: SheetSurvey, model: MatchModel, form: FormData) -> None:
    """Write which columns name attachments, and their folder; a form without them changes nothing."""
    if "has-attachments" not in form:
        return
    choice = attachments_choice(survey, model, editor.path)
    ticked = [name for name, _is_chosen in choice.columns if name in form.getlist("attached")]
    asked = form.get("folder")
    folder = asked if isinstance(asked, str) and asked in choice.folders else choice.folder
    others = [name for name in model.attachments if name not in dict(choice.columns)]
    set_columns(editor, model, [*others, *ticked], folder)


def set_columns(editor: MappingEditor, model: MatchModel, columns: list[str], folder: str | None = None) -> None:
    """Let these columns name attachments, in this folder or the one that is known; without columns there are none."""
    folder = folder or model.folder or HERE
    if not columns:
        if model.attachments:
            editor.remove_attachments()
    elif (tuple(columns), folder) != (model.attachments, model.folder):
        editor.set_attachments(columns=columns, folder=folder)
