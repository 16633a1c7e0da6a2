"""A mapping bound to the columns of a source and to the tables that it needs; all missing columns are told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from importer.errors import MappingError, MappingFault
from importer.mapping import fields
from importer.mapping.case import field_path
from importer.mapping.checks import all_fields
from importer.mapping.conditions import Conditions, Headers
from importer.mapping.converters.formats import is_number_format, write_moment, write_number
from importer.mapping.converters.moments import MomentReader
from importer.mapping.converters.numbers import NumberReader
from importer.mapping.converters.types import constant, converter
from importer.mapping.document import Places, Steps
from importer.mapping.fields import (
    ColumnField,
    Constant,
    Field,
    Filled,
    ObjectField,
    Observer,
    Step,
    TemplateField,
    Way,
)
from importer.mapping.files import NO_FILE, Files, literal
from importer.mapping.grammar import Attachments, Condition, FieldSpec, MappingFile, Table
from importer.mapping.mapper import Mapper, Parts, RowChoice
from importer.mapping.tables import Answers, Known, Lookup, TableNeed, Vocabulary, listed_files, way
from importer.messages import _
from importer.model import FieldRule, Typed


@dataclass(frozen=True)
class Given:
    """What a mapping is bound to: the source's columns, the frames of other tables, and the source's folder."""

    columns: tuple[str, ...]
    tables: Mapping[TableNeed, Sequence[pd.DataFrame]]
    beside: Path


class Binding:
    """One binding: every column that the mapping names is looked for, every table is turned into what answers."""

    def __init__(self, mapping: MappingFile, places: Places, path: Path, given: Given) -> None:
        self._mapping, self._places, self._path, self._given = mapping, places, path, given
        self._faults: list[MappingFault] = []
        self._source = Headers(given.columns, places, self._faults, _("the sheet"))

    def mapper(self, rules: Sequence[FieldRule]) -> Mapper:
        """Return the mapper; raises `MappingError` for every column that is not there."""
        files = self._mapping.attachments
        named = [(field_path(path), path, spec) for path, spec in all_fields(self._mapping)]
        fields = {name: self._field(spec, path, name) for name, path, spec in named}
        key = self._found(self._mapping.source.key or (), ("source", "key"))
        choice = self._choice(key)
        bound_files = self._files(files) if files else None
        if self._faults:
            raise MappingError(tuple(sorted(self._faults, key=lambda fault: (fault.line, fault.column))))
        parts = Parts(
            key_columns=key,
            rules=tuple(replace(rule, column=fields[rule.path].column) for rule in rules),
            fields=tuple(fields.values()),
            joins={name: spec.join for name, _path, spec in named if spec.join is not None},
            choice=choice,
            files=bound_files,
            names_in=files.names_in if files else None,
            vocabularies=tuple(
                Vocabulary(path, column, spec.values)
                for name, path, spec in named
                if spec.values and (column := fields[name].column)  # noqa: PD011 - a field's values, no frame's
            ),
            places=self._places,
        )
        return Mapper(parts, self._given.columns)

    def _choice(self, key: Sequence[str]) -> RowChoice:
        source = self._mapping.source
        skip_if = self._when(source.skip_if, ("source", "skip_if"))
        return RowChoice(skip_if, key, source.keep, self._found(source.group or (), ("source", "group")))

    def _found(self, names: Sequence[str], path: Steps) -> tuple[str, ...]:
        """Return the headers that a text or a list of texts at `path` names."""
        items = [(*path, number) for number in range(len(names))]
        return tuple(self._source.find(name, item) for name, item in zip(names, items, strict=True))

    def _when(self, condition: Condition | None, path: Steps) -> Conditions | None:
        return Conditions.of(condition, self._source, path) if condition else None

    def _field(self, spec: FieldSpec, path: Steps, name: str) -> Field:
        when = self._when(spec.when, (*path, "when"))
        if spec.object is not None:
            inner = (self._field(each, (*path, "object", key), key) for key, each in spec.object.items())
            return ObjectField(name, tuple(inner), when)
        if spec.value is not None:
            default = None if spec.default is None else constant(spec, spec.default)
            return Constant(name, constant(spec, spec.value), when, default)
        convert, observer = converter(spec)
        if spec.template is not None:
            parts = self._parts(spec.template, spec, (*path, "template"))
            return TemplateField(name, parts, self._way(spec, path, name, convert, _("the template")), when, observer)
        column = self._source.find(spec.column or "", (*path, "column"))
        return ColumnField(name, column, self._way(spec, path, name, convert, column), when, observer)

    def _way(self, spec: FieldSpec, path: Steps, name: str, convert: Step, column: str) -> Way:
        lookup = known = None
        if spec.lookup is not None:
            frames, title, headers = self._table(spec.lookup)
            here = (*path, "lookup")
            key = headers.find(spec.lookup.key or "", (*here, "key"))
            value = headers.find(spec.lookup.value or "", (*here, "value"))
            lookup = None if self._faults else Lookup(frames, key, value, title)
        if spec.known is not None:
            frames, title, headers = self._table(spec.known)
            listed = headers.find(spec.known.column or "", (*path, "known", "column"))
            known = None if self._faults else Known(frames, listed, title)
        return way(spec, convert, Answers(lookup, known), column, name.removeprefix("form."))

    def _table(self, table: Table) -> tuple[Sequence[pd.DataFrame], str, Headers]:
        """Return a table's frames, what to call it, and its headers."""
        frames = self._given.tables[TableNeed.of(table, self._path)]
        title = table.file or _("sheet {sheet}", sheet=table.sheet or "1")
        columns = list(frames[0].columns) if frames else []
        return frames, title, Headers(columns, self._places, self._faults, title)

    def _parts(self, text: str, spec: FieldSpec, path: Steps) -> tuple[str | Filled, ...]:
        parts = fields.parse(text).parts
        return tuple(part if isinstance(part, str) else self._filled(part, spec, path) for part in parts)

    def _filled(self, slot: fields.Slot, spec: FieldSpec, path: Steps) -> Filled:
        if not self._source.knows(slot.name):
            slot = slot.split()
        column = self._source.find(slot.name, path)
        if slot.format is None:
            return Filled(column)
        write, observer = _formatted(slot.format, spec)
        return Filled(column, write, observer)

    def _files(self, files: Attachments) -> Files:
        here: Steps = ("attachments",)
        columns = self._found(files.columns or (), (*here, "columns"))
        patterns = tuple(self._pattern(text, (*here, "patterns", n)) for n, text in enumerate(files.patterns or ()))
        bound = Files(
            self._given.beside / Path(files.folder or "").expanduser(),
            columns,
            files.separator,
            files.strip_prefix,
            patterns,
        )
        if files.list_ is not None:
            frames, _title, headers = self._table(files.list_)
            inside = (*here, "list")
            key = headers.find(files.list_.key or "", (*inside, "key"))
            path = headers.find(files.list_.path or "", (*inside, "path"))
            name = headers.find(files.list_.name, (*inside, "name")) if files.list_.name else None
            bound.match = self._match(files, (*inside, "match"))
            bound.listed = {} if self._faults else listed_files(frames, key, path, name)
        return bound

    def _match(self, files: Attachments, path: Steps) -> str:
        """Return the source's column that tells which lines of the list are a row's: the key, if none is named."""
        named = files.list_.match if files.list_ else None
        return self._source.find(named or (self._mapping.source.key or ("",))[0], path)

    def _pattern(self, text: str, path: Steps) -> TemplateField:
        parts = self._parts(text, FieldSpec(), path)
        named = (part if isinstance(part, str) else Filled(part.column, literal, blank=NO_FILE) for part in parts)
        return TemplateField("", tuple(named), Way())


def _formatted(form: str, spec: FieldSpec) -> tuple[Callable[[str | Typed], str], Observer]:
    """Return what writes a template's part in its format, and what must see its column before."""
    if is_number_format(form):
        numbers = NumberReader(spec.decimal_sign)
        return lambda cell: write_number(numbers.read(cell), form), numbers.observe
    moments = MomentReader(spec.read or ())
    return lambda cell: write_moment(moments.read(cell), form), moments.observe
