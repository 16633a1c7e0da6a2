"""The fields of a case beside a sheet: what fills each of them by a mapping, or by a draft that still has blanks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from importer.errors import MappingFault
from importer.mapping.checks import REQUIRED, check, field_path, fields_of_case
from importer.mapping.document import read_document
from importer.mapping.drafting.closed import closing
from importer.mapping.drafting.columns import FieldGuess, Options, SurveyedColumns
from importer.mapping.drafting.headers import CASE_TYPES, SURE_TYPES
from importer.mapping.drafting.rows import ShownRows
from importer.mapping.grammar import CaseFields, ContactsSpec, FieldSpec
from importer.mapping.headings import Headings
from importer.mapping.loader import parse
from importer.mapping.sheet_fit import value_proposals
from importer.mapping.tables import OTHERS
from importer.mapping.used import columns_of_field, headings_of, named_columns
from importer.mapping.words import Words
from importer.messages import translated
from importer.model import CellError
from importer.text import as_sent, squeezed, trimmed, unaccented

if TYPE_CHECKING:
    import pandas as pd

FieldKind = Literal["blank", "constant", "column", "template", "object"]

_EDITED = ("default", "type", "read", "format", "decimal_sign", "country", "separator", "allowed", "zone", "century")
"""The keys of a field that the page edits, beside its source, `values`, `closed` and `required`."""

_SHOWN = frozenset({*_EDITED, "value", "column", "template", "values", "closed", "required"})
_MOST_VALUES = 200
_MOST_COUNTED = 5_000  # different cells that are told apart by what a person sees in them
_LONGEST_OPTION = 60  # characters; the values of longer texts are not looked for
CONTACT_NAME = "namecontact"
"""The field of a contact that has its name."""

_MOST_PROPOSALS = 50  # texts for which the nearest values are looked for
_MOST_KNOWN = 500  # values among which they are


@dataclass(frozen=True, slots=True)
class MatchField:
    """A field of the case, and what fills it.

    `value` is a constant, or the template. `columns` are those of the sheet that it uses, and `missing` what the
    mapping names and the sheet lacks. `options` are its keys as `MappingEditor.set_column` takes them; `configured` are
    the keys that only the file can change, such as `lookup`. `guess` is the column that the sheet proposes, `reason`
    why; it `is_sure` unless a person had better look at it. A field that only the file can set up, such as one of rows
    of another table, is of the kind `object`.
    """

    path: str
    description: str
    required: bool
    kind: FieldKind
    value: str | None = None
    columns: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    closed: tuple[str, ...] = ()
    options: Options = ()
    configured: tuple[str, ...] = ()
    guess: str | None = None
    reason: str = ""
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class MatchModel:
    """A mapping beside a sheet: every field of the case, those that the CRM requires first.

    `unused` are the columns of the sheet that neither fill anything nor are ignored. `key` and `group` are as the
    mapping has them, `key` None while it says nothing; so are what is in `source`, `attachments` and `target`. `faults`
    are what is left to do before the mapping can be used. `creates_contacts` is None where it says nothing of contacts,
    whose name is in the column `contact_name`, if it is in one. `updates_cases`: edited rows update their cases.
    """

    fields: tuple[MatchField, ...]
    unused: tuple[str, ...]
    ignored: tuple[str, ...]
    key: tuple[str, ...] | None
    group: tuple[str, ...]
    sheet: str | None
    folder: str | None
    attachments: tuple[str, ...]
    server: str | None
    operation: str | None
    reference: str | None
    import_name: str | None
    faults: tuple[MappingFault, ...]
    creates_contacts: bool | None = None
    contact_name: str | None = None
    updates_cases: bool = False


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A text of a column: in how many rows it is, and what it is in the CRM.

    Where the mapping does not say that, `proposals` are what it may be, the likeliest first, and `likely` is what it
    almost certainly is: the word of a case type, or the spelling of a word that is written in several ways. It
    `is_standard` where that is the CRM's own name of a standard case type, and not the sheet's word.
    """

    text: str
    rows: int
    value: str | None
    proposals: tuple[str, ...]
    looks_closed: bool
    likely: str | None = None
    is_standard: bool = False


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """The different texts of a column, the most frequent first.

    `distinct` counts them all, `left_out` are those that are not listed; `empty` counts the empty cells.
    """

    values: tuple[ColumnValue, ...]
    distinct: int
    left_out: int
    empty: int


def match_fields(surveyed: SurveyedColumns, text: str, path: Path = Path("mapping.yml")) -> MatchModel:
    """Return what fills each field by the text of a mapping or a draft, whose blanks are faults that are listed.

    Raises MappingError where the text is no YAML.
    """
    document = read_document(path, text.encode("utf-8", "surrogatepass"))
    mapping, faults, cut = parse(document)
    found = {*document.faults, *faults, *check(mapping, document.source_map, cut)}
    headings = headings_of(mapping, [column.name for column in surveyed.columns])
    guesses = {guess.field: guess for guess in surveyed.guesses}
    specs = {field_path(path): spec for path, spec in fields_of_case(mapping)}
    used = {headings.column(*named.names) for named in named_columns(mapping)}
    ignored = {squeezed(name) for name in mapping.source.ignore or ()}
    return MatchModel(
        fields=tuple(_fields(specs, headings, guesses)),
        unused=tuple(name for name in headings if name not in used and squeezed(name) not in ignored),
        ignored=mapping.source.ignore or (),
        key=mapping.source.key,
        group=mapping.source.group or (),
        sheet=mapping.source.sheet,
        folder=mapping.attachments.folder if mapping.attachments else None,
        attachments=(mapping.attachments.columns or ()) if mapping.attachments else (),
        server=mapping.target.server,
        operation=mapping.target.operation,
        reference=mapping.reference,
        import_name=mapping.import_,
        faults=tuple(sorted(found, key=lambda fault: (fault.line, fault.column))),
        creates_contacts=mapping.contacts.create == "missing" if mapping.contacts else None,
        contact_name=_column_of(mapping.contacts, headings),
        updates_cases=mapping.on_change == "update",
    )


def _column_of(contacts: ContactsSpec | None, headings: Headings) -> str | None:
    """Return the column of the sheet that has the contact's name, None where none has it alone."""
    spec = (contacts.model_extra or {}).get(CONTACT_NAME) if contacts else None
    return headings.column(spec.column) if spec and spec.column else None


def _fields(
    specs: Mapping[str, FieldSpec], headings: Headings, guesses: Mapping[str, FieldGuess]
) -> Iterator[MatchField]:
    about = {info.alias or name: info.description or "" for name, info in CaseFields.model_fields.items()}
    others = [name for name in about if name not in REQUIRED]
    for path in (*REQUIRED, *others, *(name for name in specs if name not in about)):
        description = translated(about[path]) if path in about else ""
        blank = MatchField(path, description, path in REQUIRED, "blank")
        if guess := guesses.get(path):
            blank = replace(blank, guess=guess.column, reason=guess.reason, is_sure=guess.is_sure)
        yield _filled(blank, specs[path], headings) if path in specs else blank


def _filled(blank: MatchField, spec: FieldSpec, headings: Headings) -> MatchField:
    """Return a field with what the mapping says of it."""
    given = spec.model_fields_set
    columns = {named.names[-1]: headings.column(*named.names) for named in columns_of_field(spec)}
    options = {key: getattr(spec, key) for key in _EDITED if key in given}
    return replace(
        blank,
        required=blank.required or bool(spec.required),
        kind=_kind(spec),
        value=spec.template if spec.template is not None and spec.rows is None else spec.value,
        columns=tuple(dict.fromkeys(column for column in columns.values() if column is not None)),
        missing=tuple(name for name, column in columns.items() if column is None),
        values=tuple((spec.values or {}).items()),  # noqa: PD011 - not a frame's values
        closed=spec.closed or (),
        options=tuple((key, value if isinstance(value, tuple) else str(value)) for key, value in options.items()),
        configured=tuple(key for key in FieldSpec.model_fields if key in given and key not in _SHOWN),
    )


def _kind(spec: FieldSpec) -> FieldKind:
    if spec.object is not None or spec.rows is not None:
        return "object"
    if spec.template is not None:
        return "template"
    if spec.column is not None:
        return "column"
    return "constant" if spec.value is not None else "blank"


def count_cells(frames: Iterable[pd.DataFrame], column: str, hidden: Collection[int] = ()) -> Counter[object]:
    """Count the different cells of a column, without the rows that are `hidden`."""
    cells: Counter[object] = Counter()
    for frame in ShownRows(frames, hidden):
        cells.update(frame[column].tolist())
    return cells


def values_of(cells: Counter[object], field: MatchField | None = None, known: Sequence[str] = ()) -> ColumnValues:
    """Return the different texts of counted cells, with what they are in the CRM by `field`, where one is given.

    `known` are further values of the CRM that are proposed.
    """
    rows: Counter[str] = Counter()
    common = cells.most_common(_MOST_COUNTED)
    for cell, count in common:
        rows["" if isinstance(cell, CellError) else trimmed(as_sent(str(cell)))] += count
    empty = rows.pop("", 0)
    distinct = len(rows) + len(cells) - len(common)
    values = dict(field.values) if field else {}
    listed = rows.most_common(_MOST_VALUES)
    spelling = _spellings(text for text, _count in listed) if field and field.path in _SPELT else {}
    find = _Meanings(field.path if field else "", values, (*_allowed(field), *known), spelling)
    return ColumnValues(
        values=tuple(find.value(text, count, at) for at, (text, count) in enumerate(listed)),
        distinct=distinct,
        left_out=distinct - len(listed),
        empty=empty,
    )


_SPELT = ("status", "priority")
"""The fields whose values are words that people write with or without capitals and accents."""


def _spellings(texts: Iterable[str]) -> dict[str, str]:
    """Return the spelling of each word: of several, one with a capital before small letters, and the most frequent."""
    found: dict[str, str] = {}
    for text in texts:
        word = unaccented(text)
        if word not in found or (_is_shouted(found[word]) and not _is_shouted(text)):
            found[word] = text
    return found


def _is_shouted(text: str) -> bool:
    """Return whether a word is written without its capital, or in capitals only."""
    return text[:1].islower() or (text.isupper() and len(text) > 1)


def _allowed(field: MatchField | None) -> tuple[str, ...]:
    allowed = dict(field.options).get("allowed", ()) if field else ()
    return allowed if isinstance(allowed, tuple) else (allowed,)


class _Meanings:
    """What the texts of a column are in the CRM, or may be."""

    def __init__(
        self, field: str, values: Mapping[str, str], known: Iterable[str], spelling: Mapping[str, str]
    ) -> None:
        self._spelling = spelling
        self._values, self._words = values, Words((text, value) for text, value in values.items() if text != OTHERS)
        self._types = CASE_TYPES if field == "case-type" else {}
        self._closes = field == "status"
        self._possible = tuple(dict.fromkeys((*values.values(), *known, *self._types.values())))[:_MOST_KNOWN]

    def value(self, text: str, rows: int, at: int) -> ColumnValue:
        """Return what is known of a text; nearest values only for the first ones, as looking for them takes long."""
        meanings = {self._words[word] for word in self._words.alike(text)}
        value = meanings.pop() if len(meanings) == 1 else self._values.get(OTHERS)
        proposals: tuple[str, ...] = ()
        if value is None and at < _MOST_PROPOSALS and len(text) <= _LONGEST_OPTION:
            usual = [self._types[word] for word in (unaccented(text),) if word in self._types]
            proposals = tuple(dict.fromkeys((*usual, *value_proposals(text, self._values, self._possible))))[:3]
        likely = self._likely(text)
        return ColumnValue(
            text=text,
            rows=rows,
            value=value,
            proposals=proposals,
            looks_closed=self._closes and closing(text) == "closed",
            likely=likely,
            is_standard=value is None and likely != text and likely in self._types.values(),
        )

    def _likely(self, text: str) -> str | None:
        word = unaccented(text)
        known = next((value for value in self._possible if unaccented(value) == word), None)
        return known or (self._types[word] if word in SURE_TYPES and self._types else self._spelling.get(word))
