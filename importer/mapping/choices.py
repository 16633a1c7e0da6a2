"""The CRM's values among which a person chooses for a text that has none, and what that adds to a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer.mapping.case import CaseMapping
from importer.mapping.checks import all_fields, field_path
from importer.mapping.grammar import FieldSpec
from importer.mapping.sheet_fit import value_proposals
from importer.mapping.tables import OTHERS
from importer.mapping.words import Words


@dataclass(frozen=True, slots=True)
class ValueChoices:
    """What a text of one column may be made into.

    `values` are those of the CRM, the first `near` of them the ones that it probably means. `texts` are, in the same
    order, what the sheet writes for them: a cell that says so has that value. `adds` are the texts that have to be
    added with the first one, so that what was allowed before still is.
    """

    field: str
    values: tuple[str, ...]
    texts: tuple[str, ...]
    near: int
    adds: tuple[tuple[str, str], ...] = ()

    def text_for(self, value: str) -> str | None:
        """Return what a cell has to say to get a value; None for a value that is not among the choices."""
        return dict(zip(self.values, self.texts, strict=True)).get(value)

    def always(self, text: str, value: str) -> dict[str, str]:
        """Return what to add to the field's `values` so that a text always means a value."""
        return {**dict(self.adds), text: value}


def value_choices(case: CaseMapping, columns: Sequence[str], column: str, text: str) -> ValueChoices | None:
    """Return the choices for a text of a sheet's column; None where no list of values is at fault."""
    headings = case.headings(columns)
    for path, spec in all_fields(case.grammar):
        if spec.column is not None and headings.column(spec.column) == column and (known := _known(spec, text)):
            proposed = value_proposals(text, dict(spec.values or {}), known)
            near = tuple(value for value in proposed if value in known)
            values = tuple(dict.fromkeys((*near, *known)))
            adds = () if spec.values else tuple((value, value) for value in known)
            texts = tuple(known[value] for value in values)
            return ValueChoices(field_path(path), values, texts, len(near), adds)
    return None


def texts_of(case: CaseMapping, field: str) -> dict[str, str]:
    """Return the texts that a field's `values` name, each with its value."""
    found = (spec.values or {} for path, spec in all_fields(case.grammar) if field_path(path) == field)
    return dict(next(found, {}))


def _known(spec: FieldSpec, text: str) -> dict[str, str]:
    """Return the values that a field may have, each with the text for it; none where the text has one already.

    A cell with several options has no choices: one of them would take the place of all.
    """
    if spec.type == "multi-select":
        return {}
    if spec.values:
        if OTHERS in spec.values or len(set(_meanings(spec, text))) == 1:
            return {}
        known: dict[str, str] = {}
        for written, value in spec.values.items():
            known.setdefault(value, written)
        return {value: known[value] for value in known if spec.allowed is None or value in spec.allowed}
    if spec.allowed and text not in spec.allowed and spec.type != "boolean":
        return {value: value for value in spec.allowed}
    return {}


def _meanings(spec: FieldSpec, text: str) -> Iterator[str]:
    words = Words((spec.values or {}).items())
    return (words[word] for word in words.alike(text))


def open_statuses(case: CaseMapping) -> tuple[str, ...]:
    """Return what the sheet writes for the statuses that are not closed; none where the mapping lists no statuses."""
    spec = next((spec for path, spec in all_fields(case.grammar) if field_path(path) == "status"), None)
    if spec is None:
        return ()
    texts = spec.values or {value: value for value in spec.allowed or ()}
    return tuple(text for text, value in texts.items() if text != OTHERS and value not in (spec.closed or ()))
