"""The form's fields by the names that they have in the module, as the CRM's own template for uploads lists them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from importer.mapping.document import Node
from importer.mapping.drafting.guesses import DraftLine, flow
from importer.mapping.drafting.headers import FIELDS, words_of
from importer.mapping.drafting.matching import is_called
from importer.messages import _
from importer.text import unaccented, yaml_scalar

_MARK = "<-- "
_ALIKE = 0.8  # of the letters of two headers
_OF_THE_CASE = (
    "case-type", "responsible", "owner", "contact", "description", "status", "priority", "solution",
)  # fmt: skip


def tenant_lines(
    fields: Sequence[str],
    chosen: Mapping[str, str],
    keys_of: Callable[[str], Mapping[str, Node]],
    doubts_of: Callable[[str], str],
) -> Iterator[DraftLine]:
    """Yield a line for each field: with its column if one was `chosen`, else commented.

    `keys_of` returns what the mapping says of a column, and `doubts_of` what its cells prove of that.
    """
    for field in dict.fromkeys(fields):
        if (column := chosen.get(field)) is not None:
            same = words_of(field) == words_of(column)
            why = _("by its header") if same else _("the header is similar to '{synonym}'", synonym=column)
            doubt = doubts_of(column)
            if doubt.startswith(_MARK):  # what is unclear is an issue in each row that it matters in
                why = f"{why}; {doubt.removeprefix(_MARK)}"
            yield DraftLine(f"  {yaml_scalar(field)}: {flow(dict(keys_of(column)))}", why)
        elif _is_of_the_case(field):
            yield DraftLine(f"#  {yaml_scalar(field)}:", _("probably one of the case's own fields, above"))
        else:
            yield DraftLine(
                f"#  {yaml_scalar(field)}: {{column: …}}", _("a field of the module; no column has such a header")
            )


def _is_of_the_case(field: str) -> bool:
    return any(is_called(name, field) or unaccented(field) == name for name in _OF_THE_CASE)


def nearest_columns(fields: Sequence[str], columns: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Return the column of each field whose header is like its name; the most similar pairs first, each column once.

    `taken` are columns that the case's own fields use: these fill a field only by the very same words, and none that is
    called as a field of the case.
    """
    pairs = sorted(
        ((-_likeness(field, column), at, field, column) for at, field in enumerate(fields) for column in columns),
        key=lambda pair: pair[:2],
    )
    chosen: dict[str, str] = {}
    for unlikeness, _at, field, column in pairs:
        likeness = -unlikeness
        if likeness < (1 if column in taken else _ALIKE) or (column in taken and _is_of_the_case(field)):
            continue
        if field not in chosen and column not in chosen.values():
            chosen[field] = column
    return chosen


def _likeness(field: str, column: str) -> float:
    one, two = words_of(field), words_of(column)
    if one == two:
        return 2.0 if field == column else 1.0
    if any(is_called(name, field) and is_called(name, column) for name in FIELDS):
        return 0.95
    words, others = set(one.split()), set(two.split())
    if min(len(words), len(others)) > 1 and (words <= others or others <= words):
        return 0.9
    if min(len(one), len(two)) < len("fecha"):  # a letter more makes another word of it
        return 0.0
    return min(0.99, SequenceMatcher(None, one, two).ratio())
