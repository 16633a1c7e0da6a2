"""What the page Match columns works on: a sheet that was read, its mapping file, and what a person chose."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from importer import (
    ImporterError,
    MappingEditor,
    MatchField,
    MatchModel,
    SheetSurvey,
    draft_mapping,
    load_mapping,
    survey_sheet,
)
from importer.errors import MappingFault
from importer.messages import _
from importer.model import TableOptions
from importer.system import disk
from importer.web.background import Background, Newest, stamp_of
from importer.web.field_names import fault_told, field_name
from importer.web.match.values import ValueTable, unfinished_lists, unsaid_users
from importer.web.office import Office, OpenSheet

_OF_ONE_COLUMN = ("values", "type", "read", "format", "decimal_sign", "country")
"""Keys of a field that are about the texts of its column, and do not go with another one."""

Fill = Literal["column", "constant", "same", "keep", "nothing"]
"""What a person chose for a field: a column, a fixed text, what the responsible user has, what it has, or nothing."""


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What a person chose for one field; `text` is the column or the fixed text."""

    path: str
    fill: Fill
    text: str = ""


def survey_of(office: Office, sheet: OpenSheet) -> Newest[SheetSurvey]:
    """Return what a sheet has: its columns with samples and guesses; read in the background, once."""
    if sheet.survey is None:
        sheet.survey = Background(
            lambda: survey_sheet(sheet.source, _options_of(sheet)),
            lambda: (_options_of(sheet), stamp_of(sheet.source)),
            office.pool,
        )
    return sheet.survey.now()


def _options_of(sheet: OpenSheet) -> TableOptions:
    """Return how the sheet is read: as its mapping says, as soon as that can be used."""
    if sheet.mapping is not None:
        try:
            return load_mapping(sheet.mapping).table
        except ImporterError:
            pass  # a draft with blanks; what is missing in it is shown on the page
    return TableOptions(sheet=sheet.tab)


def new_mapping(sheet: OpenSheet, name: str) -> Path:
    """Write the draft of a mapping beside a sheet, for the import of this name; return its path.

    An existing file is never overwritten: the new one gets a number.
    """
    text = draft_mapping(sheet.source, sheet=sheet.tab, name=name, by_hand=False)
    path = next(path for path in _names(sheet.source.with_name(f"{_plain(name)}.yml")) if not path.exists())
    editor = MappingEditor.new(path, text)
    editor.save(unfinished=True)
    return path


def proposed_name(source: Path) -> str:
    """Return a lasting name for the imports of a sheet: its own, without the numbers and dates of a week."""
    words = re.split(r"[\s_\-.]+", source.stem)
    lasting = [word for word in words if not any(letter.isdigit() for letter in word)]
    return " ".join(lasting or words)


def choices_in(form: Iterable[tuple[str, object]]) -> dict[str, FieldChoice]:
    """Return the choices in a submitted form, by the path of the field."""
    texts = {name: value for name, value in form if isinstance(value, str)}
    choices = {}
    for name, value in texts.items():
        kind, _dot, path = name.partition(".")
        written, _colon, column = value.partition(":")
        fill = next((one for one in get_args(Fill) if one == written), None)
        if kind != "fill" or fill is None:
            continue
        if fill == "column":
            choices[path] = FieldChoice(path, "column", column)
        elif fill == "constant":
            choices[path] = FieldChoice(path, "constant", texts.get(f"constant.{path}", "").strip())
        elif fill in {"same", "keep", "nothing"}:
            choices[path] = FieldChoice(path, fill)
    return choices


def apply_choices(
    editor: MappingEditor, survey: SheetSurvey, model: MatchModel, choices: Mapping[str, FieldChoice]
) -> None:
    """Write choices into the mapping; what is so already is not touched, so that its line stays as it is."""
    for field in model.fields:
        if field.path in choices:
            _apply_choice(editor, survey, model, field, choices[field.path])


def _apply_choice(
    editor: MappingEditor, survey: SheetSurvey, model: MatchModel, field: MatchField, choice: FieldChoice
) -> None:
    columns = {column.name: column for column in survey.columns}
    if choice.fill == "column" and choice.text in columns:
        if field.kind != "column" or field.columns != (choice.text,):
            before = {} if field.missing else dict.fromkeys(_OF_ONE_COLUMN)  # a column that was renamed keeps them
            before |= dict.fromkeys(unfinished_lists(model, field))
            editor.set_column(field.path, choice.text, **{**before, **dict(columns[choice.text].kind.options)})
    elif choice.fill == "constant" and choice.text:
        if field.kind != "constant" or field.value != choice.text:
            editor.set_constant(field.path, choice.text, marked=choice.text in columns)
    elif choice.fill == "nothing" and field.kind != "blank":
        editor.remove(field.path)


def what_is_missing(model: MatchModel, tables: Sequence[ValueTable]) -> list[str]:
    """Return what is left to do before the rows can be checked, each as a sentence without the file's own words."""
    sentences = [
        _("{field}: choose what to fill it with.", field=field_name(field.path))
        for field in model.fields
        if field.required and field.kind == "blank"
    ]
    sentences += [
        _("{field}: the sheet has no column {column}. Choose another.", field=field_name(field.path), column=column)
        for field in model.fields
        for column in field.missing
    ]
    sentences += [
        _(
            "{field}: {column} has names. Type below the user of the CRM for each, or choose something else.",
            field=field_name(table.path),
            column=table.column,
        )
        for table in unsaid_users(list(tables))
    ]
    if not model.key:
        sentences.append(_("Choose the identifier, below."))
    return sentences or list(dict.fromkeys(_said(fault, model) for fault in model.faults))


def _said(fault: MappingFault, model: MatchModel) -> str:
    """Return a fault of the mapping with the field that it is about, and what to click."""
    section, _dot, rest = fault.path.partition(".")
    named = fault.path if section == "form" else rest
    field = next((one for one in model.fields if f"{named}.".startswith(f"{one.path}.")), None)
    if field is not None and unfinished_lists(model, field):
        return _(
            "{field}: the list that the file names for it cannot be used. Click “Values and more…” beside the field,"
            " then “Do not use the list”.",
            field=field_name(field.path),
        )
    if section == "attachments":
        return _("Attachments: choose the columns that name them, and their folder, below.")
    return fault_told(fault)


def _names(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1


def _plain(name: str) -> str:
    """Return a name as a file may have it on every system."""
    stem = disk.plain_stem(unicodedata.normalize("NFC", name), 80, instead=" ")
    return " ".join(stem.split()) or "import"
