"""Read a mapping file; all of its faults at once, each at its line and column."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from importer.errors import MappingError, MappingFault
from importer.files import open_ordinary
from importer.mapping import document
from importer.mapping.case import CaseMapping, attachment_options, rules, source_options, table_needs
from importer.mapping.checks import check
from importer.mapping.document import Document, Node, Steps
from importer.mapping.grammar import MappingFile
from importer.mapping.words import did_you_mean
from importer.messages import _, shorten

# MERGED importer.mapping.loader: From a document to the grammar: pydantic's errors become faults at the place of the node that they speak of.

Part: TypeAlias = type[BaseModel]


def parse(document: Document) -> tuple[MappingFile, list[MappingFault], Collection[Steps]]:
    """Return the mapping without its faulty parts, a fault for each of them, and the paths that were cut away.

    Faulty parts are cut away until the rest is sound, so that `checks` can look at the rest in the same pass.
    """
    content, faults = document.content, []
    cut: set[Steps] = set()
    if not isinstance(content, dict):
        faults.append(document.places.fault((), _("a mapping file begins with version: 1; see docs/mapping.md")))
        content = {}
    while True:
        try:
            return MappingFile.model_validate(content), faults, cut
        except ValidationError as errors:
            for error in errors.errors(include_url=False):
                path = _known_part(document, error["loc"])
                if not any(earlier[: len(path)] == path for earlier in cut):
                    unknown = error["type"] == "extra_forbidden"
                    faults.append(document.places.fault(path, _sentence(error), at_key=unknown))
                cut.add(path)
                content = _without(content, path)


def _known_part(document: Document, loc: Steps) -> Steps:
    """Return the part of pydantic's location that is a place in the file: short forms add steps of their own."""
    path: Steps = ()
    for step in loc:
        if (*path, step) in document.places.values:
            path = (*path, step)
    return path


def _without(content: Node, path: Steps) -> Node:
    """Return the tree without the node at `path`; of a list, nothing is kept, so that places stay true."""
    if not path or not isinstance(content, dict):
        return {}
    first, *rest = path
    kept = {key: value for key, value in content.items() if key != first}
    inner = content.get(str(first))
    if rest and isinstance(inner, dict):
        kept[str(first)] = _without(inner, tuple(rest))
    return kept


def _sentence(error: ErrorDetails) -> str:
    kind, given = error["type"], error["input"]
    context: dict[str, Any] = error.get("ctx", {})
    shown = shorten(given) if isinstance(given, str) else ""
    if kind == "extra_forbidden":
        return _("unknown key; {hint}", hint=did_you_mean(str(error["loc"][-1]), _siblings(error["loc"])))
    if isinstance(given, str) and not given.strip():
        return _blank(error["loc"])
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        wanted = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return _("'{value}' is not possible here; {hint}", value=shown, hint=did_you_mean(shown, wanted))
    if context.get("class_name") == "FieldSpec":
        return _("a constant, or keys such as column, are wanted here, not a list")
    return _wrong_type(kind, shown)


def _blank(loc: Steps) -> str:
    steps = [str(step) for step in loc if step != "value"]
    if "values" in steps[:-1]:
        return _("this is blank; write what '{value}' is in the CRM", value=steps[-1])
    infos = _part_around(steps).model_fields.items()
    wanted = next((info.description for name, info in infos if steps[-1] in {info.alias, name}), None)
    return _("this is blank; write a value, or remove the line. {wanted}", wanted=wanted or "").rstrip()


def _wrong_type(kind: str, shown: str) -> str:
    if kind in {"int_parsing", "int_type", "greater_than_equal"}:
        return _("a whole number from 1 is wanted here, not '{value}'", value=shown)
    if kind in {"bool_parsing", "bool_type"}:
        return _("true or false is wanted here, not '{value}'", value=shown)
    if kind == "string_type":
        return _("a text is wanted here, not a list or further keys")
    if kind in {"tuple_type", "list_type", "too_short"}:
        return _("a text or a list of texts is wanted here")
    return _("keys and values are wanted here, not a text or a list")


def _siblings(loc: Steps) -> tuple[str, ...]:
    """Return the keys that may stand where the last step of `loc` does."""
    return keys_of(_part_around(loc))


def keys_of(part: Part) -> tuple[str, ...]:
    """Return the keys of a part of the grammar as they are written in a file."""
    return tuple(info.alias or name for name, info in part.model_fields.items())


def _part_around(loc: Sequence[str | int]) -> Part:
    """Return the part of the grammar that holds the last step of `loc`."""
    part: Part = MappingFile
    named_freely = False
    for step in loc[:-1]:
        if named_freely or isinstance(step, int):
            named_freely = False
            continue
        annotation = next(
            (info.annotation for name, info in part.model_fields.items() if step in {info.alias, name}), None
        )
        part = next(_parts_in(annotation), part)
        named_freely = "dict[" in str(annotation)
    return part


def _parts_in(annotation: Any) -> Iterator[Part]:  # noqa: ANN401 - typing's own forms have no common type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _parts_in(argument)


# MERGED importer.mapping.loader: Read a mapping file; all of its faults at once, each at its line and column.

_LARGEST = 10_000_000
"""Bytes of a mapping: thousands of times those of a long one, and still read at once."""


def load(path: Path) -> CaseMapping:
    """Return what the mapping file at `path` says; raises `MappingError` with every fault of it."""
    try:
        with open_ordinary(path) as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        message = _("the mapping cannot be read: {reason}", reason=error.strerror or error)
        raise MappingError((MappingFault(str(path), 1, 1, "", message),)) from error
    if len(raw) > _LARGEST:
        message = _("the file has more than {most:,} bytes, so it is not a mapping", most=_LARGEST)
        raise MappingError((MappingFault(str(path), 1, 1, "", message),))
    return loads(raw, path)


def loads(raw: bytes, path: Path) -> CaseMapping:
    """Return what the bytes of a mapping file say; `path` names it in faults and is where its tables count from."""
    written = document.read(path, raw)
    mapping, faults, cut = parse(written)
    faults = [*written.faults, *faults, *check(mapping, written.places, cut)]
    if faults:
        raise MappingError(tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))))
    return CaseMapping(
        path=path,
        digest=hashlib.sha256(raw).hexdigest(),
        import_name=mapping.import_ or "",
        table=source_options(mapping.source),
        key=mapping.source.key or (),
        server=mapping.target.server,
        operation=mapping.target.operation,
        rules=rules(mapping),
        attachments=attachment_options(mapping.attachments),
        reference=mapping.reference,
        search=mapping.search,
        tables=table_needs(mapping, path),
        _grammar=mapping,
        _places=written.places,
    )
