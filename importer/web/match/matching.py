"""What the page Match columns works on: a sheet that was read, its mapping file, and what a person chose."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
from importer.messages import _
from importer.model import TableOptions
from importer.web.background import Background, Newest, stamp_of
from importer.web.field_names import field_name
from importer.web.office import Office, OpenSheet

_OF_LISTS = ("case-type", "status", "priority")
"""Fields whose values the CRM takes from lists of its own."""

_OF_ONE_COLUMN = ("values", "type", "read", "format", "decimal_sign", "country")
"""Keys of a field that are about the texts of its column, and do not go with another one."""

Fill = Literal["column", "constant", "keep", "nothing"]
"""What a person chose for a field: a column, a fixed text, what the mapping has for it already, or nothing."""


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
    text = draft_mapping(sheet.source, sheet=sheet.tab, name=name)
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
        fill, _colon, column = value.partition(":")
        if kind != "fill":
            continue
        if fill == "column":
            choices[path] = FieldChoice(path, "column", column)
        elif fill == "constant":
            choices[path] = FieldChoice(path, "constant", texts.get(f"constant.{path}", "").strip())
        elif fill in {"keep", "nothing"}:
            choices[path] = FieldChoice(path, "keep" if fill == "keep" else "nothing")
    return choices


def apply_choice(editor: MappingEditor, survey: SheetSurvey, field: MatchField, choice: FieldChoice) -> None:
    """Write a choice into the mapping; what is so already is not touched, so that its line stays as it is."""
    columns = {column.name: column for column in survey.columns}
    if choice.fill == "column" and choice.text in columns:
        if field.kind != "column" or field.columns != (choice.text,):
            before = {} if field.missing else dict.fromkeys(_OF_ONE_COLUMN)  # a column that was renamed keeps them
            editor.set_column(field.path, choice.text, **{**before, **dict(columns[choice.text].kind.options)})
    elif choice.fill == "constant" and choice.text:
        if field.kind != "constant" or field.value != choice.text:
            editor.set_constant(field.path, choice.text, marked=choice.text in columns)
    elif choice.fill == "nothing" and field.kind != "blank":
        editor.remove(field.path)


def what_is_missing(model: MatchModel) -> list[str]:
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
    if not model.key:
        sentences.append(_("Choose the identifier, below."))
    return sentences or list(dict.fromkeys(fault.message for fault in model.faults))


def untranslated(model: MatchModel, *, is_proven: bool) -> list[MatchField]:
    """Return the fields with values of the CRM's own lists about whose column nothing was said yet.

    Texts that stay as they are were perhaps only proposed so, until a case `is_proven` to have been created with them.
    """
    said = {"allowed", "lookup", "known"}
    return [
        field
        for field in model.fields
        if field.path in _OF_LISTS
        and field.kind == "column"
        and field.columns
        and (all(text == value for text, value in field.values) and not is_proven)
        and not said & {*dict(field.options), *field.configured}
    ]


def _names(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1


def _plain(name: str) -> str:
    """Return a name as a file may have it on every system."""
    text = unicodedata.normalize("NFC", re.sub(r'[<>:"/\\|?*\x00-\x1f]', " ", name))
    return " ".join(text.split()).strip(". ")[:80] or "import"
