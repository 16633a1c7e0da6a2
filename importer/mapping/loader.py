"""Load a mapping file: from YAML to the grammar, with all faults at once, each at its line and column."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from importer.errors import MappingError, MappingFault
from importer.mapping.case import CaseMapping
from importer.mapping.checks import REQUIRED_KEYS, check
from importer.mapping.document import MAX_BYTES, Document, Node, Steps, read_document
from importer.mapping.grammar import ContactsSpec, FieldSpec, MappingFile
from importer.mapping.words import did_you_mean
from importer.messages import _, shorten, translated
from importer.system.causes import reason_of
from importer.system.files import open_ordinary

Part: TypeAlias = type[BaseModel]


def load_mapping(path: Path) -> CaseMapping:
    """Return the mapping in the file at `path`; raises `MappingError` with all of its faults."""
    try:
        with open_ordinary(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        message = _("There is no file {path}. Check the name and the folder.", path=path)
        raise MappingError((MappingFault(str(path), 1, 1, "", message),), message) from error
    except OSError as error:
        message = _("the mapping cannot be read: {reason}", reason=reason_of(error))
        raise MappingError((MappingFault(str(path), 1, 1, "", message),)) from error
    return _loaded(path, raw)


def load_mapping_text(text: str, path: Path) -> CaseMapping:
    """Return the mapping in a text that is to be the file at `path`; raises `MappingError` as `load_mapping`."""
    return _loaded(path, text.encode("utf-8", "surrogatepass"))


def _loaded(path: Path, raw: bytes) -> CaseMapping:
    document, grammar, faults = _judged(path, raw)
    if faults:
        raise MappingError(faults)
    return CaseMapping.of(path, hashlib.sha256(raw).hexdigest(), grammar, document.source_map)


def faults_of(path: Path, raw: bytes) -> tuple[MappingFault, ...]:
    """Return the faults of the content of a mapping file."""
    try:
        return _judged(path, raw)[2]
    except MappingError as error:
        return error.faults


def _judged(path: Path, raw: bytes) -> tuple[Document, MappingFile, tuple[MappingFault, ...]]:
    document = read_document(path, raw)
    grammar, faults, cut = parse(document)
    faults = [*document.faults, *faults, *check(grammar, document.source_map, cut)]
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
    return document, grammar, tuple(ordered)


def parse(document: Document) -> tuple[MappingFile, list[MappingFault], Collection[Steps]]:
    """Return the mapping without its faulty parts, a fault for each of them, and the paths of what was cut.

    Faulty parts are cut until the rest is valid, so that `checks` can look at the rest in the same pass.
    """
    content, faults = document.content, []
    cut: set[Steps] = set()
    if not isinstance(content, dict):
        message = _("not a mapping file: it has no keys at the top; see docs/mapping.md")
        faults.append(document.source_map.fault((), message))
        content = {}
    while True:
        try:
            return MappingFile.model_validate(content), faults, cut
        except ValidationError as errors:
            for error in errors.errors(include_url=False):
                path = _path_in_file(document, error["loc"])
                if not any(earlier[: len(path)] == path for earlier in cut):
                    unknown = error["type"] == "extra_forbidden"
                    faults.append(document.source_map.fault(path, _sentence(error, path), at_key=unknown))
                cut.add(path)
                content = _without(content, path)


def _path_in_file(document: Document, loc: Steps) -> Steps:
    """Return the steps of pydantic's location that the file has: short forms add steps of their own."""
    path: Steps = ()
    for step in loc:
        if (*path, step) in document.source_map.values:
            path = (*path, step)
    return path


def _without(content: Node, path: Steps) -> Node:
    """Return the tree without the node at `path`; a list is removed whole, so that locations stay right."""
    if not path or not isinstance(content, dict):
        return {}
    first, *rest = path
    kept = {key: value for key, value in content.items() if key != first}
    inner = content.get(str(first))
    if rest and isinstance(inner, dict):
        kept[str(first)] = _without(inner, tuple(rest))
    return kept


def _sentence(error: ErrorDetails, path: Steps) -> str:
    kind, given = error["type"], error["input"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _("unknown key; {hint}", hint=did_you_mean(str(error["loc"][-1]), _siblings(error["loc"])))
    if (isinstance(given, str) and not given.strip()) or (kind == "too_short" and not given):
        return _blank(path)
    if context.get("class_name") == "FieldSpec":
        return _("expected a constant, or keys such as column, not a list")
    return wrong_value(error)


def wrong_value(error: ErrorDetails) -> str:
    """Return what is wrong with a value of a YAML file, and what is expected, for a fault that pydantic found."""
    kind, given = error["type"], error["input"]
    context: dict[str, Any] = error.get("ctx", {})
    shown = shorten(given) if isinstance(given, str) else ""
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        possible = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return _("'{value}' is not a valid value; {hint}", value=shown, hint=did_you_mean(shown, possible))
    if kind.startswith("float_") or (kind == "greater_than_equal" and isinstance(context.get("ge"), float)):
        return _("expected a number from 0, not '{value}'", value=shown)
    if kind.startswith("byte_size"):
        return _("expected a size, such as 10MB")
    return _wrong_type(kind, shown)


def _blank(path: Steps) -> str:
    steps = [str(step) for step in path if not isinstance(step, int)]
    if "values" in steps[:-1]:
        return _("blank value; write the CRM's value for '{value}'", value=steps[-1])
    part = _part_around(steps)
    infos = part.model_fields.items()
    found = next((info.description for name, info in infos if steps[-1] in {info.alias, name}), None)
    description = translated(found) if found else ""
    if steps[-1] in (*REQUIRED_KEYS.get(part.__name__, ()), *_VALUES_OF_A_FIELD):
        return _("blank value; write one. {description}", description=description).rstrip()
    return _("blank value; write one, or remove the line. {description}", description=description).rstrip()


_VALUES_OF_A_FIELD = ("value", "column", "template")
"""What gives a field its value: without the line, the field would have none."""


def _wrong_type(kind: str, shown: str) -> str:
    if kind in {"int_parsing", "int_type", "greater_than_equal"}:
        return _("expected a whole number from 1, not '{value}'", value=shown)
    if kind in {"bool_parsing", "bool_type"}:
        return _("expected true or false, not '{value}'", value=shown)
    if kind == "string_type":
        return _("expected a text, not a list or further keys")
    if kind in {"tuple_type", "list_type", "too_short"}:
        return _("expected a text or a list of texts")
    return _("expected keys and values, not a text or a list")


def _siblings(loc: Steps) -> tuple[str, ...]:
    """Return the keys that are allowed where the last step of `loc` is."""
    return tuple(info.alias or name for name, info in _part_around(loc).model_fields.items())


def _part_around(loc: Sequence[str | int]) -> Part:
    """Return the part of the grammar with the last step of `loc`."""
    part: Part = MappingFile
    any_name = False
    for step in loc[:-1]:
        if any_name or isinstance(step, int):
            any_name = False
            continue
        annotation = next(
            (info.annotation for name, info in part.model_fields.items() if step in {info.alias, name}),
            FieldSpec if part is ContactsSpec else None,
        )
        part = next(_parts_in(annotation), part)
        any_name = "dict[" in str(annotation)
    return part


def _parts_in(annotation: Any) -> Iterator[Part]:  # noqa: ANN401 - typing's forms have no common type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts_in(argument)
