"""Whether a mapping fits a sheet: what is missing, what is new, and which texts have no value of the CRM yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.case import CaseMapping
from importer.mapping.checks import all_fields, field_path
from importer.mapping.conditions import Conditions, Headers
from importer.mapping.converters.types import options_in
from importer.mapping.document import SourceMap, Steps, dotted
from importer.mapping.drafting.rows import ShownRows
from importer.mapping.grammar import FieldSpec, MappingFile
from importer.mapping.headings import Headings
from importer.mapping.renamed import similar_heading
from importer.mapping.table_grammar import Condition
from importer.mapping.tables import OTHERS
from importer.mapping.used import named_columns
from importer.mapping.words import Words
from importer.model import CellError
from importer.text import as_sent, nearest, squeezed, trimmed

if TYPE_CHECKING:
    import pandas as pd

_MOST_VALUES = 200
"""New texts of one column that are listed, the most frequent first; a column with more has no list of values."""


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A column that the mapping uses and the sheet lacks.

    `used_by` are the places of the mapping that name it, such as `contact`, `form.Canal` or `source.key`. `proposal` is
    the heading of the sheet that it may be now, and `reason` says why, or that there is none.
    """

    column: str
    used_by: tuple[str, ...]
    proposal: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class AmbiguousColumn:
    """A column of the mapping that may be any of several headings of the sheet."""

    column: str
    used_by: tuple[str, ...]
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewValue:
    """A text that `values` of a field lack, in how many rows it is, and the CRM's values that it may mean."""

    field: str
    column: str
    text: str
    rows: int
    proposals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappingFit:
    """How a mapping fits a sheet.

    `columns` pair what the mapping calls a column with its heading in the sheet. `new_columns` are headings that the
    mapping neither uses nor ignores.
    """

    mapping: CaseMapping
    columns: tuple[tuple[str, str], ...]
    missing: tuple[MissingColumn, ...]
    ambiguous: tuple[AmbiguousColumn, ...]
    new_columns: tuple[str, ...]
    new_values: tuple[NewValue, ...]

    @property
    def fits(self) -> bool:
        """Whether every column that the mapping uses is there."""
        return not (self.missing or self.ambiguous)


def fit(
    case: CaseMapping, columns: Sequence[str], frames: Iterable[pd.DataFrame], hidden: Collection[int] = ()
) -> MappingFit:
    """Return how a mapping fits a sheet with these columns; rows that are `hidden` or skipped have no new values."""
    grammar, headings = case.grammar, case.headings(columns)
    used_by: dict[tuple[str, ...], list[str]] = {}
    for named in named_columns(grammar):
        used_by.setdefault(named.names, []).append(_place(named.path))
    places = {names: tuple(dict.fromkeys(found)) for names, found in used_by.items()}
    found = {names: column for names in places if (column := headings.column(*names)) is not None}
    doubtful = {names: alike for names in places if names not in found and (alike := headings.alike(names[-1]))}
    spare = [column for column in columns if column not in found.values()]
    ignored = {squeezed(column) for column in grammar.source.ignore or ()}
    return MappingFit(
        mapping=case,
        columns=tuple((next(filter(headings.column, names)), column) for names, column in found.items()),
        missing=tuple(_missing({n: p for n, p in places.items() if n not in {*found, *doubtful}}, spare, headings)),
        ambiguous=tuple(AmbiguousColumn(n[-1], places[n], tuple(alike)) for n, alike in doubtful.items()),
        new_columns=tuple(column for column in spare if squeezed(column) not in ignored),
        new_values=tuple(_new_values(grammar, headings, frames, hidden)),
    )


def _place(path: Steps) -> str:
    """Return the part of a mapping that a path leads to, as the page and the messages name it: `contact`."""
    if path[0] in {"fields", "form"}:
        return field_path(path[:2])
    return dotted(path[:2])


def _missing(
    places: Mapping[tuple[str, ...], tuple[str, ...]], spare: Sequence[str], headings: Headings
) -> Iterator[MissingColumn]:
    """Yield the missing columns; each is proposed a heading of its own, if one is similar."""
    free = list(spare)
    for names, used_by in places.items():
        proposal, reason = similar_heading(headings.texts(names[-1]), free)
        if proposal is not None:
            free.remove(proposal)
        yield MissingColumn(names[-1], used_by, proposal, reason)


def _new_values(
    grammar: MappingFile, headings: Headings, frames: Iterable[pd.DataFrame], hidden: Collection[int]
) -> Iterator[NewValue]:
    """Yield the texts that `values` lack, those of one field together, the most frequent first."""
    listed = {
        field_path(path): (spec, column)
        for path, spec in all_fields(grammar)
        if spec.values and OTHERS not in spec.values and spec.column  # noqa: PD011 - not a frame's values
        if (column := headings.column(spec.column)) is not None
    }
    counts: dict[str, Counter[object]] = {field: Counter() for field in listed}
    for frame in ShownRows(frames, hidden) if listed else ():
        rows = _where(grammar.source.skip_if, frame, headings, holds=False)
        for field, (spec, column) in listed.items():
            cells = _where(spec.when, rows, headings, holds=True)[column]
            counts[field].update(cells.tolist())
    for field, (spec, column) in listed.items():
        yield from _unknown(field, column, spec, counts[field])


def _where(condition: Condition | None, frame: pd.DataFrame, headings: Headings, *, holds: bool) -> pd.DataFrame:
    """Return the rows in which a condition holds, or does not; all of them where it cannot be told."""
    names = {name for tests in condition or () for name in tests}
    if condition is None or any(headings.column(name) is None for name in names):
        return frame
    bound = Conditions.bind(condition, Headers(headings, SourceMap(""), [], ""), ())
    return frame[[held == holds for held in bound.hold(frame)]]


def _unknown(field: str, column: str, spec: FieldSpec, cells: Mapping[object, int]) -> Iterator[NewValue]:
    """Yield what a field's `values` lack, with the values that it may mean: that of the text most like it first."""
    values = spec.values or {}  # noqa: PD011 - not a frame's values
    words = Words(values.items())
    rows: Counter[str] = Counter()
    for cell, count in cells.items():
        for text in _texts(cell, spec):
            if not words.alike(text):
                rows[text] += count
    possible = tuple(dict.fromkeys((*values.values(), *(spec.allowed or ()))))
    for text, count in rows.most_common(_MOST_VALUES):
        yield NewValue(field, column, text, count, value_proposals(text, values, possible))


def _texts(cell: object, spec: FieldSpec) -> Sequence[str]:
    """Return the texts of a cell that `values` have to know: its options, if it may have several."""
    if isinstance(cell, CellError) or not (text := trimmed(as_sent(str(cell)))):
        return ()
    return options_in(text, spec.separator) if spec.type == "multi-select" else (text,)


def value_proposals(text: str, values: Mapping[str, str], possible: Iterable[str]) -> tuple[str, ...]:
    """Return the values of the CRM that a text may mean, the likeliest first."""
    by_text = (values[near] for near in nearest(text, [known for known in values if known != OTHERS]))
    return tuple(dict.fromkeys((*by_text, *nearest(text, possible))))[:3]
