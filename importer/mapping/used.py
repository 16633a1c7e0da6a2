"""Every column of the source that a mapping uses, with the place that names it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from importer.mapping.checks import all_fields
from importer.mapping.document import Steps
from importer.mapping.fields import Slot, parse_template
from importer.mapping.grammar import FieldSpec, MappingFile
from importer.mapping.headings import Headings
from importer.mapping.table_grammar import Condition, RowsSpec


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column that a mapping names: where, and the texts that may be its name.

    A slot of a template has two of them, if what follows a colon may be a format or belong to the name. `at_key`: the
    name is the key at `path`, not the value.
    """

    path: Steps
    names: tuple[str, ...]
    at_key: bool = False


def headings_of(mapping: MappingFile, columns: Sequence[str]) -> Headings:
    """Return how a mapping finds its columns in a sheet with these columns."""
    names = (name for named in named_columns(mapping) for name in named.names)
    return Headings(columns, mapping.source.headings, names)


def all_headings(mapping: MappingFile) -> tuple[tuple[str, ...], ...]:
    """Return the headings that each column that a mapping uses may have, each column once."""
    headings = Headings((), mapping.source.headings)
    found = (tuple(chain.from_iterable(map(headings.texts, named.names))) for named in named_columns(mapping))
    return tuple(dict.fromkeys(found))


def named_columns(mapping: MappingFile) -> Iterator[NamedColumn]:
    """Yield every column of the source that a mapping uses, once for each place that names it."""
    source, files = mapping.source, mapping.attachments
    yield from _texts(source.key or (), ("source", "key"))
    yield from _texts(source.group or (), ("source", "group"))
    yield from _of_condition(source.skip_if, ("source", "skip_if"))
    for path, spec in all_fields(mapping):
        yield from columns_of_field(spec, path)
    if files is None:
        return
    yield from _texts(files.columns or (), ("attachments", "columns"))
    for number, pattern in enumerate(files.patterns or ()):
        yield from _of_template(pattern, ("attachments", "patterns", number))
    if files.list_ is not None and files.list_.match is not None:
        yield NamedColumn(("attachments", "list", "match"), (files.list_.match,))
    if files.transcript is not None:
        here: Steps = ("attachments", "transcript")
        yield from _of_template(files.transcript.name or "", (*here, "name"))
        yield from _of_rows(files.transcript.rows, here)


def _texts(names: Sequence[str], path: Steps) -> Iterator[NamedColumn]:
    return (NamedColumn((*path, number), (name,)) for number, name in enumerate(names))


def columns_of_field(spec: FieldSpec, path: Steps = ()) -> Iterator[NamedColumn]:
    """Yield the columns that a field names, also in its conditions."""
    yield from _of_condition(spec.when, (*path, "when"))
    if spec.column is not None:
        yield NamedColumn((*path, "column"), (spec.column,))
    yield from _of_rows(spec.rows, path)
    if spec.template is not None and spec.rows is None:
        yield from _of_template(spec.template, (*path, "template"))
    for name, inner in (spec.object or {}).items():
        yield from columns_of_field(inner, (*path, "object", name))


def _of_rows(rows: RowsSpec | None, path: Steps) -> Iterator[NamedColumn]:
    if rows is not None and rows.match is not None:
        yield NamedColumn((*path, "rows", "match"), (rows.match,))


def _of_template(text: str, path: Steps) -> Iterator[NamedColumn]:
    for part in parse_template(text):
        if isinstance(part, Slot):
            yield NamedColumn(path, tuple(dict.fromkeys((part.name, part.split().name))))


def _of_condition(condition: Condition | None, path: Steps) -> Iterator[NamedColumn]:
    for number, tests in enumerate(condition or ()):
        inside = (*path, number) if len(condition or ()) > 1 else path  # a single one may be written without its list
        yield from (NamedColumn((*inside, column), (column,), at_key=True) for column in tests)
