"""The page Match columns: which column of the sheet goes into which field of the CRM."""

from __future__ import annotations

from collections.abc import Sequence
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
    MappingError,
    MatchModel,
    Preview,
    SheetColumn,
    SheetSurvey,
    earlier_imports,
    load_mapping_text,
    name_is_locked,
    preview,
)
from importer.errors import MappingFault
from importer.text import squeezed
from importer.web.background import Newest
from importer.web.field_names import field_hint, field_name
from importer.web.match import field as match_field
from importer.web.match.attached import attachments_choice, save_attachments, set_columns
from importer.web.match.later import later_questions, save_later
from importer.web.match.matching import (
    apply_choices,
    choices_in,
    new_mapping,
    proposed_name,
    survey_of,
    what_is_missing,
)
from importer.web.match.values import (
    lacks_solution,
    same_as_responsible,
    save_values,
    to_say,
    unsaid_users,
    unseen_tables,
    value_tables,
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
    if then in _PLACES:
        _place_column(survey, editor, path, then, about)
    model = survey.match(editor.text, path)
    tables = value_tables(survey, model, None)
    unseen = unseen_tables(tables, visit.form)
    goes_on = then == "correct" and not (model.faults or unsaid_users(tables) or unseen)
    if goes_on:
        for name in model.unused:
            editor.ignore_column(name)  # it was shown here as not sent; next week's new columns are others
    try:
        editor.save(unfinished=True)
    except MappingError as error:
        return _shown(visit, survey, editor, path, faults=error.faults)
    sheet.checker.again()
    if then == "field":
        return go_to(f"/sheets/{sheet.id}/match/field?path={quote(about)}")
    at = "#columns" if then in _PLACES else f"#values-{unseen[0].path}" if unseen and not model.faults else ""
    return go_to(f"/sheets/{sheet.id}/{'correct' if goes_on else 'match'}{at}")


_PLACES = frozenset({"send", "files", "ignore"})
"""Where a column goes by one click."""


def edited(visit: Visit) -> tuple[SheetSurvey, MappingEditor, Path]:
    """Return the mapping of a sheet with what the submitted form says; nothing is written yet."""
    survey, path = match_field.survey_and_mapping(visit)
    editor = MappingEditor.open(path)
    model, choices = survey.match(editor.text, path), choices_in(visit.form.multi_items())
    same = choices.pop("owner") if "owner" in choices and choices["owner"].fill == "same" else None
    apply_choices(editor, survey, model, choices)
    now = survey.match(editor.text, path)
    takes_guesses = visit.wants_fragment or visit.text("then") in {"match", "correct"}
    tables = value_tables(survey, now, visit.sheet.checker.last.value)
    save_values(editor, now, tables, visit.form, takes_guesses=takes_guesses)
    if same is not None:
        editor.copy("owner", "responsible")
    save_attachments(editor, survey, now, visit.form)
    save_later(editor, survey, now, visit.form)
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
        editor.use_column(found.name)
    elif place == "files":
        model = survey.match(editor.text, path)
        set_columns(editor, model, [*model.attachments, found.name])
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


def _shown(
    visit: Visit, survey: SheetSurvey, editor: MappingEditor, path: Path, faults: Sequence[MappingFault] = ()
) -> Response:
    """Show the page; `faults` are those for which what was chosen could not be saved."""
    sheet, model = visit.sheet, survey.match(editor.text, path)
    locked = _is_locked(visit, model)
    tables = value_tables(survey, model, sheet.checker.last.value)
    return render(
        visit, "match.html", status=409 if faults else 200, sheet=sheet, step_shown=HERE, survey=survey, model=model,
        hint_of=field_hint, missing=what_is_missing(model, tables), by_name={one.name: one for one in survey.columns},
        tables=tables, to_say=to_say(tables, is_proven=locked), is_same=same_as_responsible(model),
        lacks_solution=lacks_solution(model, tables), attachments=attachments_choice(survey, model, path),
        later=later_questions(survey, model, has_cases=locked),
        columns_not_sent=_not_sent(survey, model), is_locked=locked, key_columns=_key_columns(survey, model.key or ()),
        **_first_case(visit, survey, editor, path),
    )  # fmt: skip


def _not_sent(survey: SheetSurvey, model: MatchModel) -> list[tuple[SheetColumn, bool]]:
    """Return the columns that go into no field, each with whether that was said already."""
    by_name = {column.name: column for column in survey.columns}
    in_fields = {name for field in model.fields for name in (*field.columns, *model.attachments)}
    keys = [name for name in model.key or () if name in by_name and name not in in_fields]
    ignored = {squeezed(name) for name in model.ignored}
    left_out = [name for name in by_name if squeezed(name) in ignored and name not in in_fields]
    names = dict.fromkeys([*keys, *(name for name in model.unused if name in by_name), *left_out])
    return [(by_name[name], name in left_out) for name in names]


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
    return {"first": first, "sent": _sent(first) if first else [], "name_of": field_name}


def _sent(first: Preview) -> list[tuple[str, object]]:
    """Return what is sent of a row, by the paths of the fields: with the code by which its case is found."""
    form = first.body.get("form")
    own = [(path, value) for path, value in first.body.items() if path not in {"operation", "form"}]
    return [*own, *((f"form.{name}", value) for name, value in (form.items() if isinstance(form, dict) else ()))]


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
