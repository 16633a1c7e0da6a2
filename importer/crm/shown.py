"""What a record of a search shows of a case, whatever its keys are called and however deep they are.

The vendor documents no record. One was seen in public code of an older version (`priority.name`, `description_case`,
`form{…}`), so each field is looked for under every name that it is likely to have; what is not found is not shown.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping

from importer.crm.records import Record
from importer.text import fold

_NAMES: Mapping[str, frozenset[str]] = {
    "case-type": frozenset({"casetype", "typecase", "type", "tipo", "tipocaso", "tipodecaso"}),
    "status": frozenset({"status", "casestatus", "estado"}),
    "priority": frozenset({"priority", "prioridad"}),
    "responsible": frozenset({"responsible", "responsable"}),
    "owner": frozenset({"owner", "propietario"}),
    "contact": frozenset({"contact", "contactemail", "emailcontact", "contacto", "correocontacto"}),
    "description": frozenset({"description", "descriptioncase", "casedescription", "descripcion", "descripcioncaso"}),
    "solution": frozenset({"solution", "solutioncase", "casesolution", "solucion"}),
}
"""The keys of a record for each field of a case, in letters alone."""

_INSIDE = (
    "",
    "name",
    "nombre",
    "value",
    "valor",
    "label",
    "email",
    "mail",
    "correo",
    "user",
    "usuario",
    "emailcontact",
)
"""What the text of a field is called inside an object of its own, or after a dot: `status.name`."""

_FILES = frozenset({"attachments", "attachment", "attachs", "files", "file", "adjuntos", "archivos", "documents"})
_FILE_COUNTS = frozenset(
    f"{one}{other}" for name in _FILES for one, other in ((name, "count"), ("count", name), ("total", name))
)


def shown_texts(record: Record, path: str) -> tuple[str, ...] | None:
    """Return what a record shows of a field: one text, or several such as a name and an address; None for nothing.

    A field that is shown without a value is an empty text.
    """
    names = _NAMES[path]
    found: list[str] = []
    for name, value in record.items():
        letters = _letters(name)
        member = next(
            (each for each in _INSIDE if letters.removesuffix(each) in names and letters.endswith(each)), None
        )
        if letters in names or member is not None:
            found += _texts_of(value)
    texts = tuple(dict.fromkeys(found))
    return texts or None


def shown_form(record: Record) -> Mapping[str, object] | None:
    """Return the form fields that a record shows, by their folded names; None where it shows no form."""
    shown: dict[str, object] = {}
    forms = [_opened(value) for name, value in record.items() if _letters(name) in {"form", "formulario"}]
    parts = [part for part in forms if isinstance(part, Mapping | list)]
    for part in parts:
        pairs = part.items() if isinstance(part, Mapping) else _pairs(part)
        shown |= {fold(str(name)): value for name, value in pairs}
    return shown if parts else None


def attachments_shown(record: Record) -> int | None:
    """Return how many attachments a record shows of its case; None where it says nothing of them."""
    for name, value in record.items():
        letters, opened = _letters(name), _opened(value)
        if letters in _FILES | _FILE_COUNTS:
            if isinstance(opened, list | Mapping):
                return len(opened)
            if isinstance(opened, int) and not isinstance(opened, bool):
                return opened
            if isinstance(opened, str) and re.fullmatch(r"\d{1,4}", opened.strip(), re.ASCII):
                return int(opened)
    return None


def _pairs(items: list[object]) -> Iterator[tuple[object, object]]:
    """Yield the fields of a form that is a list of objects, each with a name and a value."""
    for item in items:
        if isinstance(item, Mapping):
            parts = {_letters(str(name)): value for name, value in item.items()}
            name = next((parts[key] for key in ("name", "label", "field", "nombre", "campo") if key in parts), None)
            value = next((parts[key] for key in ("value", "valor") if key in parts), None)
            if name is not None:
                yield name, value


def _texts_of(value: object) -> list[str]:
    """Return the texts of a field: the value itself, or the members of an object that carry its text."""
    opened = _opened(value)
    if opened is None:
        return [""]
    if isinstance(opened, Mapping):
        members = {_letters(str(name)): member for name, member in opened.items()}
        return [str(members[name]) for name in _INSIDE if isinstance(members.get(name), str | int | float)]
    if isinstance(opened, list):
        return [text for each in opened for text in _texts_of(each)]
    return [str(opened)]


def _opened(value: object) -> object:
    """Return a JSON object or list that comes as text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            opened = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return opened if isinstance(opened, Mapping | list) else value
    return value


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name).casefold())
