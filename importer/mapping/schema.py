"""The grammar as a JSON Schema, for editors that complete and check a mapping."""

from __future__ import annotations

from typing import Any

from importer.mapping.checks import REQUIRED_KEYS
from importer.mapping.grammar import MappingFile
from importer.messages import gettext_noop, translated

_SCALAR = ["string", "number", "boolean"]  # every YAML scalar is the text as written
_BY_NAME = ("properties", "$defs")  # their keys are names, not keywords of JSON Schema


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of mapping files, with a description for every key."""
    schema = MappingFile.model_json_schema(by_alias=True)
    parts: dict[str, Any] = schema["$defs"]
    for part in (schema, *parts.values()):
        part["required"] = list(REQUIRED_KEYS.get(part["title"], ()))
        part["description"] = _PARTS[part["title"]]
    parts["FieldSpec"] = {
        "title": "Field",
        "description": parts["FieldSpec"]["description"],
        "anyOf": [{"type": _SCALAR}, parts["FieldSpec"]],
    }
    parts["ConditionSpec"] = {
        "title": "Condition",
        "description": parts["ConditionSpec"]["description"],
        "anyOf": [{"type": _SCALAR}, {"type": "array", "items": {"type": _SCALAR}}, parts["ConditionSpec"]],
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": schema.pop("$schema"), **_relaxed(schema)}


_PARTS = {
    "MappingFile": gettext_noop("A mapping: how the rows of a spreadsheet become cases of the wolkvox CRM."),
    "SourceSpec": gettext_noop("The table whose rows become cases."),
    "TargetSpec": gettext_noop(
        "Where the cases go; options, the environment and the settings file can name it instead."
    ),
    "CaseFields": gettext_noop("The fields that every case has."),
    "FieldSpec": gettext_noop("Where a field's value comes from, and how it is converted. A plain text is a constant."),
    "LookupSpec": gettext_noop("A table in which a cell is looked up."),
    "KnownSpec": gettext_noop(
        "A table of the values that exist in the CRM, such as an export of its contacts or users."
    ),
    "RowsSpec": gettext_noop(
        "Another table, some of whose rows belong to each row of the source: comments, history, follow-ups."
    ),
    "TranscriptSpec": gettext_noop("An attachment that is made of the rows of another table."),
    "ConditionSpec": gettext_noop(
        "The tests of a cell; all that are given must hold. Texts are compared without case and accents."
    ),
    "ContactsSpec": gettext_noop(
        "The contacts of the cases: whether missing ones are created, and their own fields by their names in the CRM."
    ),
    "AttachmentsSpec": gettext_noop("The files that go with each case."),
    "FileListSpec": gettext_noop("A table that lists the files of each case, as GLPI and osTicket export them."),
}
"""What each part of the grammar is."""


def _relaxed(node: Any) -> Any:  # noqa: ANN401 - a tree of JSON
    """Return a part of the schema for YAML, translated: no titles or nulls, any scalar for a text, one for a list."""
    if isinstance(node, list):
        return [_relaxed(item) for item in node]
    if not isinstance(node, dict):
        return node
    choices = [choice for choice in node.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        node = {**{key: value for key, value in node.items() if key != "anyOf"}, **choices[0]}
    elif choices:
        node = {**node, "anyOf": choices}
    if node.get("type") == "array" and "minLength" in node:
        node = {**{key: value for key, value in node.items() if key != "minLength"}, "minItems": node["minLength"]}
    relaxed = {
        key: {name: _relaxed(inner) for name, inner in value.items()} if key in _BY_NAME else _relaxed(value)
        for key, value in node.items()
        if not _is_noise(key, value)
    }
    if "description" in relaxed and isinstance(relaxed["description"], str):
        relaxed["description"] = translated(relaxed["description"])
    if relaxed.get("type") == "string" and "enum" not in relaxed:
        relaxed["type"] = _SCALAR
    if relaxed.get("type") == "array" and "description" in relaxed:
        return {"description": relaxed.pop("description"), "anyOf": [_short_form(relaxed), relaxed]}
    return relaxed


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (
        key == "default" and (value is None or isinstance(value, dict))
    )


def _short_form(array: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one item, which may be written instead of a list."""
    item: dict[str, Any] = array["items"]
    return item
