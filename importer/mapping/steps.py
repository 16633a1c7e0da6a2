"""The steps of a cell's way, each built from the keys of a field that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importer.mapping.converters.types import constant, options_in
from importer.mapping.fields import Step, Way, stripped
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import Refused
from importer.mapping.tables import Known, Lookup
from importer.mapping.words import Words, clean
from importer.messages import _, shorten
from importer.model import Typed

REST = "*"
"""The text of `values` that stands for every other one."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers a field's questions about other tables."""

    lookup: Lookup | None = None
    known: Known | None = None


def way(spec: FieldSpec, convert: Step, answers: Answers, column: str, field: str) -> Way:
    """Return a field's whole way; `convert` makes a value of its type, `column` and `field` name it in issues."""
    steps: list[Step] = []
    if spec.values:
        find = values_step(spec.values, column, field)
        steps.append(_each_option(find, spec.separator) if spec.type == "multi-select" else find)
    if (lookup := answers.lookup) is not None:
        steps.append(lambda cell: lookup.find(clean(str(cell))))
    steps.append(convert)
    if spec.upper or spec.lower:
        steps.append(lambda cell: str(cell).upper() if spec.upper else str(cell).lower())
    if spec.truncate:
        steps.append(lambda cell: str(cell)[: spec.truncate].rstrip())
    if answers.known is not None:
        steps.append(_known_step(answers.known, addresses=spec.type == "email" or field == "contact"))
    default = None if spec.default is None else constant(spec, spec.default)
    return Way(tuple(steps), default, _strip(spec.strip))


def values_step(values: Mapping[str, str], column: str, field: str) -> Step:
    """Return what turns a cell's text into the CRM's value that the mapping names for it."""
    words = Words((text, value) for text, value in values.items() if text != REST)

    def find(cell: str | Typed) -> str:
        text = clean(str(cell))
        alike = words.alike(text)
        meanings = {words[word] for word in alike}
        if len(meanings) == 1:
            return meanings.pop()
        if not meanings and REST in values:
            return values[REST]
        named = {"column": column, "value": shorten(text), "field": field}
        if meanings:
            message = _("{column} '{value}' may be any of several texts of {field}'s values", **named)
            raise Refused("ambiguous-value", message, _("add this line to values: {value}: …", **named))
        message = _("{column} '{value}' has no CRM {field}", **named)
        raise Refused("no-crm-value", message, _("add this line to values: {value}: …", **named))

    return find


def _each_option(find: Step, separator: str | None) -> Step:
    """Return what finds each option of a multi-select by itself."""

    def find_all(cell: str | Typed) -> str:
        return (separator or "").join(str(find(option)) for option in options_in(str(cell), separator))

    return find_all


def _known_step(known: Known, *, addresses: bool) -> Step:
    """Return what finds a value among the known ones; what is no address is left to validation, which says so."""

    def find(cell: str | Typed) -> str:
        text = clean(str(cell))
        return text if addresses and "@" not in text else known.spelling(text)

    return find


def _strip(asked: str | None) -> Callable[[str | Typed], str | Typed]:
    """Return how a field strips its cells: white space, nothing (`false`), or further characters as well."""
    if asked in {None, "true"}:
        return stripped
    if asked == "false":
        return lambda cell: cell
    further = asked or ""
    return lambda cell: cell.strip().strip(further).strip() if isinstance(cell, str) else cell
