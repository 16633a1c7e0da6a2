"""The page Match columns: which column of the sheet goes into which field of the CRM."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from importer import (
    ImporterError,
    ImportUse,
    LoadedJob,
    MappingEditor,
    MatchModel,
    SheetSurvey,
    earlier_imports,
    load_mapping_text,
    name_is_locked,
    preview,
)
from importer.web.background import Newest
from importer.web.field_names import field_hint, field_name
from importer.web.match import field as match_field
from importer.web.match.matching import (
    apply_choice,
    choices_in,
    new_mapping,
    proposed_name,
    survey_of,
    untranslated,
    what_is_missing,
)
from importer.web.page import NotFound, Visit, go_to, page, render

HERE = "match"


def show(visit: Visit) -> Response:
    """Show every field of the CRM with what fills it, and the sheet's columns."""
    sheet = visit.sheet
    read = survey_of(visit.office, sheet)
    if read.value is None or not read.is_current:
        return reading(visit, read)
    if sheet.mapping is None:
        return render(
            visit, "match_new.html", sheet=sheet, step_shown=HERE, survey=read.value,
            name=proposed_name(sheet.source), earlier=_continued(visit),
        )  # fmt: skip
    return _shown(visit, read.value, MappingEditor.open(sheet.mapping), sheet.mapping)


def reading(visit: Visit, read: Newest[SheetSurvey]) -> Response:
    """Say that the sheet is being read, or why it cannot be."""
    if read.error is not None and read.is_current:
        return render(visit, "begin_unreadable.html", sheet=visit.sheet, step_shown=HERE, error=read.error, status=409)
    return render(visit, "begin_reading.html", sheet=visit.sheet, step_shown=HERE)


def begin(visit: Visit) -> Response:
    """Draft the mapping of a sheet that has none, under the name of a new import or of an earlier one."""
    sheet = visit.sheet
    if sheet.mapping is None:
        known = {one.name for one in _continued(visit)}
        continued = visit.text("continues")
        name = continued if continued in known else visit.text("name").strip() or proposed_name(sheet.source)
        visit.office.open(sheet.source, new_mapping(sheet, name))
    return go_to(f"/sheets/{sheet.id}/match")


def save(visit: Visit) -> Response:
    """Write what was chosen into the mapping: a column or a fixed text for each field, and the identifier."""
    sheet, (survey, editor, path) = visit.sheet, edited(visit)
    if visit.wants_fragment:  # our script asks what the first case would be with what is chosen now
        return render(visit, "match_preview.html", **_first_case(visit, survey, editor, path))
    then, _colon, about = visit.text("then").partition(":")
    if then in {"send", "files", "ignore"}:
        _place_column(survey, editor, path, then, about)
    editor.save(unfinished=True)
    sheet.checker.again()
    if then == "field":
        return go_to(f"/sheets/{sheet.id}/match/field?path={quote(about)}")
    goes_on = then == "correct" and not survey.match(editor.text, path).faults
    at = "#columns" if then in {"send", "files", "ignore"} else ""
    return go_to(f"/sheets/{sheet.id}/{'correct' if goes_on else 'match'}{at}")


def edited(visit: Visit) -> tuple[SheetSurvey, MappingEditor, Path]:
    """Return the mapping of a sheet with what the submitted form says; nothing is written yet."""
    survey, path = match_field.survey_and_mapping(visit)
    editor = MappingEditor.open(path)
    model, choices = survey.match(editor.text, path), choices_in(visit.form.multi_items())
    for field in model.fields:
        if field.path in choices:
            apply_choice(editor, survey, field, choices[field.path])
    names = {column.name for column in survey.columns}
    keys = tuple(key for key in visit.texts("key") if key in names)
    if keys and set(keys) != set(model.key or ()):
        editor.set_key(list(keys))
    return survey, editor, path


def _place_column(survey: SheetSurvey, editor: MappingEditor, path: Path, place: str, name: str) -> None:
    """Send a column that no field uses as a form field of its own name, or its files, or leave it out for good."""
    found = next((one for one in survey.columns if one.name == name), None)
    if found is None:
        raise NotFound
    if place == "send":
        editor.set_column(f"form.{found.name}", found.name, **dict(found.kind.options))
    elif place == "files":
        editor.set_attachments(columns=[*survey.match(editor.text, path).attachments, found.name])
    else:
        editor.ignore_column(found.name)


def rename(visit: Visit) -> Response:
    """Name the import, as long as it has no case."""
    survey, path = match_field.survey_and_mapping(visit)
    editor, name = MappingEditor.open(path), visit.text("name").strip()
    if name and not _is_locked(visit, survey.match(editor.text, path)):
        editor.set_import_name(name)
        editor.save(unfinished=True)
        visit.sheet.checker.again()
    return go_to(f"/sheets/{visit.sheet.id}/match")


def _shown(visit: Visit, survey: SheetSurvey, editor: MappingEditor, path: Path) -> Response:
    sheet, model = visit.sheet, survey.match(editor.text, path)
    locked = _is_locked(visit, model)
    by_name = {column.name: column for column in survey.columns}
    in_fields = {name for field in model.fields for name in field.columns}
    unused = [*(name for name in model.key or () if name in by_name and name not in in_fields), *model.unused]
    return render(
        visit, "match.html", sheet=sheet, step_shown=HERE, survey=survey, model=model, hint_of=field_hint,
        missing=what_is_missing(model), by_name=by_name, unused=[by_name[name] for name in unused],
        untranslated=untranslated(model, is_proven=locked), is_locked=locked,
        key_columns=_key_columns(survey, model.key or ()),
        **_first_case(visit, survey, editor, path),
    )  # fmt: skip


def _key_columns(survey: SheetSurvey, key: tuple[str, ...]) -> list[tuple[str, str, bool]]:
    """Return the columns that may be the identifier: name, why, and whether it is (a part of) it now."""
    reasons = {one.column: one.reason for one in survey.keys}
    names = [*key, *reasons, *(column.name for column in survey.columns)]
    known = {column.name for column in survey.columns}
    return [(name, reasons.get(name, ""), name in key) for name in dict.fromkeys(names) if name in known]


def _first_case(visit: Visit, survey: SheetSurvey, editor: MappingEditor, path: Path) -> dict[str, Any]:
    """Return the case that the first row would become, as far as it can be said."""
    first = None
    try:
        loaded = LoadedJob(visit.office.job_of(visit.sheet), load_mapping_text(editor.text, path), survey.table.head(1))
        first = next(preview(loaded), None)
    except ImporterError:
        pass  # something is missing still, which the page lists
    return {"first": first, "name_of": field_name}


def _continued(visit: Visit) -> list[ImportUse]:
    """Return the imports that a new sheet may continue, each name once, the one that was used last first."""
    uses = earlier_imports(visit.office.journal_path)
    return list({one.name: one for one in reversed(uses)}.values())[::-1]


def _is_locked(visit: Visit, model: MatchModel) -> bool:
    return model.import_name is not None and name_is_locked(model.import_name, visit.office.journal_path)


ROUTES = [
    Route("/sheets/{id}/match", page(show)),
    Route("/sheets/{id}/match", page(save), methods=["POST"]),
    Route("/sheets/{id}/match/new", page(begin), methods=["POST"]),
    Route("/sheets/{id}/match/name", page(rename), methods=["POST"]),
    *match_field.ROUTES,
]
