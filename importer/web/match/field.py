"""One field of the page Match columns: its values, when it is empty, how it is written, several columns in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from importer import ColumnValues, MappingEditor, MappingError, MatchField, SheetColumn, SheetSurvey
from importer.messages import gettext_noop, translated
from importer.web.field_names import field_hint, field_name
from importer.web.match.matching import survey_of
from importer.web.match.values import LISTS_OF_THE_FILE, unfinished_lists
from importer.web.page import NotFound, Visit, go_to, page, render

MOST_JOINED = 4

Ways = Mapping[str, "str | None"]

WAYS: Mapping[str, tuple[str, Ways]] = {
    "text": (gettext_noop("Text, as it is"), {}),
    "email": (gettext_noop("E-mail address"), {"type": "email"}),
    "integer": (gettext_noop("Whole number"), {"type": "integer"}),
    "comma": (gettext_noop("Number with a decimal comma (1.234,50)"), {"type": "decimal", "decimal_sign": ","}),
    "point": (gettext_noop("Number with a decimal point (1,234.50)"), {"type": "decimal", "decimal_sign": "."}),
    "dmy": (gettext_noop("Date: day, month, year (31/12/2026)"), {"type": "date", "read": "DD/MM/YYYY"}),
    "mdy": (gettext_noop("Date: month, day, year (12/31/2026)"), {"type": "date", "read": "MM/DD/YYYY"}),
    "ymd": (gettext_noop("Date: year, month, day (2026-12-31)"), {"type": "date", "read": "YYYY-MM-DD"}),
    "html": (gettext_noop("Text with HTML tags, which are removed"), {"type": "html"}),
}
"""How the cells of a column may be written, in an office's words, with the keys of the mapping that say so."""

_KEYS_OF_WAYS = ("type", "read", "decimal_sign", "country")

SEPARATORS = {
    "line": (gettext_noop("an empty line"), "\n\n"),
    "space": (gettext_noop("a space"), " "),
    "dash": (gettext_noop("a dash"), " - "),
}


def survey_and_mapping(visit: Visit) -> tuple[SheetSurvey, Path]:
    """Return what the sheet has and its mapping; raises NotFound where one of them is not there (any more)."""
    survey, path = survey_of(visit.office, visit.sheet).value, visit.sheet.mapping
    if survey is None or path is None:
        raise NotFound
    return survey, path


def show(visit: Visit) -> Response:
    """Show everything about one field."""
    survey, path = survey_and_mapping(visit)
    return _shown(visit, survey, _field(survey, MappingEditor.open(path), path, visit.asked("path")))


def _shown(visit: Visit, survey: SheetSurvey, field: MatchField, error: MappingError | None = None) -> Response:
    """Show the page of a field; with an error, what was chosen could not be saved."""
    values = _values(survey, field)
    return render(
        visit, "match_field.html", sheet=visit.sheet, step_shown="match", survey=survey, field=field, values=values,
        status=409 if error else 200, error=error, lists=[key for key in field.configured if key in LISTS_OF_THE_FILE],
        name=field_name(field.path), hint=field_hint(field.path), column=_column(survey, field), joined=MOST_JOINED,
        options=dict(field.options), way=_way(field), ways=_labels(WAYS), separators=_labels(SEPARATORS),
        separator=_separator(field), statuses=_statuses(field, values), saved=visit.asked("saved"),
    )  # fmt: skip


def save(visit: Visit) -> Response:
    """Write what the page says of the field into the mapping, with the columns that are joined in it."""
    survey, path = survey_and_mapping(visit)
    editor = MappingEditor.open(path)
    field = _field(survey, editor, path, visit.text("path"))
    if visit.text("act") == "no-list":
        editor.set_options(field.path, **dict.fromkeys(LISTS_OF_THE_FILE))
    else:
        _save_field(visit, survey, editor, field)
        _join(visit, survey, editor, field)
    try:
        editor.save(unfinished=True)
    except MappingError as error:
        return _shown(visit, survey, field, error)
    visit.sheet.checker.again()
    address = f"/sheets/{visit.sheet.id}/match"
    if visit.text("then") == "match":
        return go_to(address)
    return go_to(f"{address}/field?path={quote(field.path)}&saved=1")


def _field(survey: SheetSurvey, editor: MappingEditor, path: Path, name: str) -> MatchField:
    fields = survey.match(editor.text, path).fields
    found = next((field for field in fields if field.path == name), None)
    if found is None:
        raise NotFound
    return found


def _column(survey: SheetSurvey, field: MatchField) -> SheetColumn | None:
    """Return the column that fills a field alone."""
    only = field.columns[0] if field.kind == "column" and field.columns else None
    return next((column for column in survey.columns if column.name == only), None)


def _values(survey: SheetSurvey, field: MatchField) -> ColumnValues | None:
    column = _column(survey, field)
    return None if column is None else survey.values(column.name, field)


def _statuses(field: MatchField, values: ColumnValues | None) -> list[str]:
    """Return the statuses of the CRM that rows get, of which a person says which are closed."""
    if field.path != "status":
        return []
    constant = [field.value] if field.kind == "constant" and field.value else []
    found = [one.value or one.text for one in values.values] if values else constant
    return list(dict.fromkeys([*field.closed, *(value for _text, value in field.values), *found]))


def _labels(choices: Mapping[str, tuple[str, object]]) -> dict[str, str]:
    return {key: translated(label) for key, (label, _meaning) in choices.items()}


def _way(field: MatchField) -> str:
    """Return how the cells of a field are written now; "" for a way that only the file can say."""
    now = {key: value for key, value in field.options if key in _KEYS_OF_WAYS}
    return next((key for key, (_label, keys) in WAYS.items() if dict(keys) == now), "")


# ---------------------------------------------------------------------------------------------- what is saved


def _save_field(visit: Visit, survey: SheetSurvey, editor: MappingEditor, field: MatchField) -> None:
    """Write what the texts are in the CRM, which statuses are closed, and how cells are written."""
    values = _new_values(visit, survey, field)
    if values and (unfinished := unfinished_lists(survey.match(editor.text, editor.path), field)):
        editor.set_options(field.path, **dict.fromkeys(unfinished))
    if values:
        editor.add_values(field.path, values)
    if "has-statuses" in visit.form:
        editor.set_closed(_closed(visit.texts("closed"), field, values))
    options: dict[str, str | None] = {}
    if "default" in visit.form:
        options["default"] = visit.text("default").strip() or None
    way = WAYS.get(visit.text("way"))
    if way is not None and visit.text("way") != _way(field):
        options |= {**dict.fromkeys(_KEYS_OF_WAYS), **way[1]}
    now = dict(field.options)
    if any(now.get(key) != value for key, value in options.items()):
        editor.set_options(field.path, **options)


def _new_values(visit: Visit, survey: SheetSurvey, field: MatchField) -> dict[str, str]:
    """Return what was written for the texts of the column, where it is new; an empty field leaves a text as it is."""
    known, given = dict(field.values), {}
    listed = _values(survey, field)
    for place, one in enumerate(listed.values if listed else ()):
        value = visit.text(f"value.{place}").strip()
        if visit.text(f"text.{place}") == one.text and value and value not in {known.get(one.text), one.value}:
            given[one.text] = value
    return given


def _closed(ticked: list[str], field: MatchField, values: Mapping[str, str]) -> list[str]:
    """Return the closed statuses: those ticked, under the names that they have now."""
    known = dict(field.values)
    possible = {**known, **values}.values()
    renamed = [value for text, value in values.items() if known.get(text, text) in ticked]
    stay = [one for one in ticked if one in possible or not possible]
    return list(dict.fromkeys([*stay, *renamed]))


def _join(visit: Visit, survey: SheetSurvey, editor: MappingEditor, field: MatchField) -> None:
    """Write the columns that are joined, where they or what is between them were chosen otherwise than they are."""
    names = {column.name for column in survey.columns}
    columns = [*(name for name in visit.texts("column") if name in names), *field.columns[MOST_JOINED:]]
    between = visit.text("separator")
    is_other = between in SEPARATORS and between != _separator(field)
    if tuple(columns) == field.columns and not (len(columns) > 1 and is_other):
        return
    _label, separator = SEPARATORS.get(between, SEPARATORS["line"])
    if len(columns) > 1:
        of_one_column: dict[str, None] = {"values": None} if field.kind == "column" else {}
        editor.join_columns(field.path, columns, separator, **of_one_column)
    elif columns:
        editor.set_column(field.path, columns[0])


def _separator(field: MatchField) -> str:
    """Return what is between the columns that are joined now: `""` for a text that only the file can say."""
    if field.kind != "template":
        return next(iter(SEPARATORS))
    written = {key: sign.join(f"{{{name}}}" for name in field.columns) for key, (_label, sign) in SEPARATORS.items()}
    return next((key for key, template in written.items() if template == field.value), "")


ROUTES = [
    Route("/sheets/{id}/match/field", page(show)),
    Route("/sheets/{id}/match/field", page(save), methods=["POST"]),
]
