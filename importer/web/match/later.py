"""What a sheet does beside its cases, as plain questions: creating contacts, and updating cases of changed rows."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import FormData

from importer import MappingEditor, MatchModel, SheetSurvey


@dataclass(frozen=True, slots=True)
class LaterQuestions:
    """The questions with what is so now; `names` are the columns that may have a contact's name, empty: not asked.

    `asks_updates` means that the import has cases already, so that a row can change after its case was created.
    """

    names: tuple[str, ...]
    creates: bool
    name: str | None
    asks_updates: bool
    updates: bool


def later_questions(survey: SheetSurvey, model: MatchModel, *, has_cases: bool) -> LaterQuestions:
    """Return the questions that make sense for a sheet."""
    names = [column.name for column in survey.columns if column.names_person]
    if model.contact_name is not None:
        names.insert(0, model.contact_name)
    creates = bool(model.creates_contacts)
    return LaterQuestions(
        tuple(dict.fromkeys(names)), creates, model.contact_name, has_cases or model.updates_cases, model.updates_cases
    )


def save_later(editor: MappingEditor, survey: SheetSurvey, model: MatchModel, form: FormData) -> None:
    """Write the answers into the mapping; what is so already is not touched."""
    asked = later_questions(survey, model, has_cases=True)
    creates, name = form.get("contacts-create"), form.get("contacts-name")
    named = name if isinstance(name, str) and name in asked.names else None
    if creates == "yes" and named is not None and (not asked.creates or named != asked.name):
        editor.set_contacts(creates=True, name=named if named != asked.name else None)
    elif creates == "no" and asked.creates:
        editor.set_contacts(creates=False)
    updates = form.get("updates")
    if updates in {"yes", "no"} and (updates == "yes") != asked.updates:
        editor.set_updates(updates=updates == "yes")
