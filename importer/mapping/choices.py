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
    added with the first one, so that what was allowed before still is. `takes_others`: the CRM may have further values.
    """

    field: str
    values: tuple[str, ...]
    texts: tuple[str, ...]
    near: int
    adds: tuple[tuple[str, str], ...] = ()
    takes_others: bool = False

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
            takes_others = bool(spec.values) and spec.allowed is None
            return ValueChoices(field_path(path), values, texts, len(near), adds, takes_others)
    return None


def field_spec(case: CaseMapping, field: str) -> FieldSpec | None:
    """Return what a mapping says of a field, None where it does not send it."""
    return next((spec for path, spec in all_fields(case.grammar) if field_path(path) == field), None)


def fields_alike(case: CaseMapping, field: str) -> tuple[str, ...]:
    """Return the fields that have the same column and the same values as a field, itself included."""
    specs = {field_path(path): spec for path, spec in all_fields(case.grammar)}
    own = specs.get(field)
    same = (
        path
        for path, spec in specs.items()
        if own is not None and (spec.column, spec.values) == (own.column, own.values)
    )
    return tuple(same) if own is not None and own.column is not None else (field,)


def says_nothing(case: CaseMapping, field: str) -> bool:
    """Tell whether a mapping sends the texts of a field's column as they are, and says nothing about them."""
    spec = field_spec(case, field)
    if spec is None or spec.column is None or spec.type != "text":
        return False
    return not (spec.values or spec.allowed or spec.lookup or spec.known)


def decides_value(case: CaseMapping, field: str) -> bool:
    """Tell whether a mapping itself says what a field is, and does not leave that to the cells of a column alone."""
    spec = field_spec(case, field)
    return spec is None or spec.column is None or bool(spec.values or spec.lookup)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a mapping makes of a text in the column of a field, for a person who knows better.

    `word` is the text as the mapping's `values` write it, `values` are those of the CRM that the mapping knows. Texts
    of which it `lists` the values can be given another one; `adds` are to be added with the first.
    """

    field: str
    word: str
    values: tuple[str, ...]
    lists: bool
    adds: tuple[tuple[str, str], ...] = ()


def meaning_of(case: CaseMapping, field: str, text: str) -> Meaning | None:
    """Return what can be said of a text in the column of a field; None where another table says what it means."""
    spec = field_spec(case, field)
    if spec is None or spec.column is None or spec.lookup is not None or not text.strip():
        return None
    listed = spec.values or {value: value for value in spec.allowed or ()}
    values = tuple(dict.fromkeys(value for word, value in listed.items() if word != OTHERS))
    alike = [word for word in listed if word in Words(listed.items()).alike(text)]
    adds = () if spec.values else tuple(listed.items())
    return Meaning(field, alike[0] if len(alike) == 1 else text, values, bool(listed), adds)


def texts_of(case: CaseMapping, field: str) -> dict[str, str]:
    """Return the texts that a field's `values` name, each with its value."""
    spec = field_spec(case, field)
    return dict(spec.values or {}) if spec is not None else {}


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
    closed = closed_statuses(case)
    return tuple(text for text, value in _statuses(case).items() if value not in closed)


def all_statuses(case: CaseMapping) -> tuple[str, ...]:
    """Return what the sheet writes for any status; none where the mapping lists no statuses."""
    return tuple(_statuses(case))


def closed_statuses(case: CaseMapping) -> tuple[str, ...]:
    """Return the CRM's statuses that require a solution."""
    spec = field_spec(case, "status")
    return (spec.closed or ()) if spec is not None else ()


def _statuses(case: CaseMapping) -> dict[str, str]:
    """Return the texts for statuses, each with its value."""
    spec = field_spec(case, "status")
    if spec is None:
        return {}
    texts = spec.values or {value: value for value in spec.allowed or ()}
    return {text: value for text, value in texts.items() if text != OTHERS}
