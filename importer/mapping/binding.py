"""Bind a mapping to the columns of a source and to the tables that it needs; all missing columns are faults at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from importer.errors import MappingError, MappingFault
from importer.mapping.checks import all_fields, field_path
from importer.mapping.conditions import Conditions, Headers
from importer.mapping.converters.formats import format_datetime, format_number, is_number_format
from importer.mapping.converters.markup import HtmlColumn, without_tags
from importer.mapping.converters.numbers import NumberReader
from importer.mapping.converters.types import constant, converter
from importer.mapping.converters.zones import MomentReader
from importer.mapping.document import SourceMap, Steps
from importer.mapping.fields import (
    BoundSlot,
    ColumnField,
    Constant,
    Conversion,
    Field,
    ObjectField,
    Observer,
    Slot,
    Step,
    TemplateField,
    parse_template,
)
from importer.mapping.files import NO_FILE, Files, literal
from importer.mapping.grammar import AttachmentsSpec, FieldSpec, MappingFile, TranscriptSpec
from importer.mapping.groups import RowChoice
from importer.mapping.headings import Headings, line_with
from importer.mapping.mapper import BoundMapping, Mapper
from importer.mapping.other_rows import JoinedRows, OtherTable, RowsField
from importer.mapping.row_order import RowOrder
from importer.mapping.table_grammar import Condition, FileListSpec, RowsSpec, TableSpec
from importer.mapping.tables import Known, Lookup, ReferenceTables, TableNeed, UnusedValues, conversion, listed_files
from importer.mapping.transcripts import HTML_ENDINGS, Transcript
from importer.mapping.used import headings_of, named_columns
from importer.messages import _
from importer.model import FieldRule, Typed
from importer.text import as_yaml


@dataclass(frozen=True)
class BindingInput:
    """What a mapping is bound to: the source's columns, the frames of other tables, and the source's folder.

    `rows` are the tables some of whose rows belong to each row of the source.
    """

    columns: tuple[str, ...]
    tables: Mapping[TableNeed, Sequence[pd.DataFrame]]
    beside: Path
    rows: Mapping[TableNeed, OtherTable]


def bind(
    mapping: MappingFile, source_map: SourceMap, path: Path, given: BindingInput, rules: Sequence[FieldRule]
) -> Mapper:
    """Return what converts frames of the source; raises `MappingError` with every missing column.

    `path` is the mapping's, at whose folder the paths of its tables start; `rules` name columns as the mapping does.
    """
    return _Binding(mapping, source_map, path, given).mapper(rules)


class _Binding:
    """Finds every column that the mapping names, and prepares every table for lookups."""

    def __init__(self, mapping: MappingFile, source_map: SourceMap, path: Path, given: BindingInput) -> None:
        self._mapping, self._source_map, self._path, self._given = mapping, source_map, path, given
        self._faults: list[MappingFault] = []
        self._listed_contacts: Known | None = None
        self._constants: list[tuple[str, Steps]] = []
        self._headings = headings_of(mapping, given.columns)
        self._source = Headers(self._headings, source_map, self._faults, _("the sheet"))

    def mapper(self, rules: Sequence[FieldRule]) -> Mapper:
        source, files = self._mapping.source, self._mapping.attachments
        named = [(field_path(path), path, spec) for path, spec in all_fields(self._mapping)]
        fields = {name: self._field(_without_default(spec), path, name) for name, path, spec in named}
        key = self._found(source.key or (), ("source", "key"))
        skip_if = self._when(source.skip_if, ("source", "skip_if"))
        group = self._found(source.group or (), ("source", "group"))
        bound_files = self._files(files) if files else None
        transcript = self._transcript(files.transcript) if files and files.transcript else None
        self._refuse_headers({*key, *group, *(column for field in fields.values() for column in field.columns)})
        if self._faults:
            self._propose_headings()
            raise MappingError(tuple(sorted(self._faults, key=lambda fault: (fault.line, fault.column))))
        bound = BoundMapping(
            key_columns=key,
            rules=tuple(replace(rule, column=fields[rule.path].column) for rule in rules),
            fields=tuple(fields.values()),
            joins={name: spec.join for name, _path, spec in named if spec.join is not None and spec.rows is None},
            lasts={name: _default(spec) for name, _path, spec in named if spec.take == "last"},
            choice=RowChoice(skip_if, key, source.keep, group),
            files=bound_files,
            names_in=files.names_in if files else None,
            transcript=transcript,
            unused_values=tuple(
                UnusedValues(path, column, spec.values)
                for name, path, spec in named
                if spec.values and (column := fields[name].column)  # noqa: PD011 - not a frame's values
            ),
            source_map=self._source_map,
            listed_contacts=self._listed_contacts.addresses() if self._listed_contacts else frozenset(),
        )
        return Mapper(bound, self._given.columns, self._headings)

    def _propose_headings(self) -> None:
        """Add to the last missing column of the sheet the line that says which headings such columns have now."""
        from importer.mapping.renamed import headings_now  # noqa: PLC0415 - it needs drafting, which loads mappings

        missing = self._source.missing
        named = [self._headings.column(name) for each in named_columns(self._mapping) for name in each.names]
        free = [column for column in self._given.columns if column not in named]
        found = headings_now([name for name, _fault in missing], free, self._headings)
        if not found:
            return
        advice = _(
            "If a header was renamed after its rows were sent, leave the name in the mapping as it is, and write under"
            " `source`: `{line}`. Then the rows stay the same and unchanged.",
            line=line_with(self._mapping.source.headings or {}, found),
        )
        last = max((fault for _name, fault in reversed(missing)), key=lambda fault: (fault.line, fault.column))
        stop = "" if last.message.endswith("?") else "."
        at = next(at for at, fault in enumerate(self._faults) if fault is last)
        self._faults[at] = replace(last, message=f"{last.message}{stop} {advice}")

    def _found(self, names: Sequence[str], path: Steps) -> tuple[str, ...]:
        """Return the headers that a text or a list of texts at `path` names."""
        return tuple(self._source.find(name, (*path, number)) for number, name in enumerate(names))

    def _when(self, condition: Condition | None, path: Steps) -> Conditions | None:
        return Conditions.bind(condition, self._source, path) if condition else None

    def _field(self, spec: FieldSpec, path: Steps, name: str) -> Field:
        spec = spec.model_copy(update={"zone": spec.zone or self._mapping.source.zone})
        when = self._when(spec.when, (*path, "when"))
        if spec.object is not None:
            inner = (self._field(each, (*path, "object", key), key) for key, each in spec.object.items())
            return ObjectField(name, tuple(inner), when)
        if spec.value is not None:
            self._constants.append((spec.value, path))
            return Constant(name, constant(spec, spec.value), when, _default(spec))
        convert, observer = converter(spec)
        if spec.template is not None and spec.type == "html":
            convert = str  # each part has its own text already
        if spec.rows is not None:
            rows = self._rows(spec.rows, spec, path, name)
            steps = self._conversion(spec, path, name, convert, name)
            separator = "\n" if spec.join is None else spec.join
            return RowsField(name, rows, separator, steps, when, spec.truncate)
        if spec.template is not None:
            parts = self._slots(spec.template, spec, (*path, "template"), self._source)
            steps = self._conversion(spec, path, name, convert, _("the template"))
            return TemplateField(name, parts, steps, when, observer)
        column = self._source.find(spec.column or "", (*path, "column"))
        return ColumnField(name, column, self._conversion(spec, path, name, convert, column), when, observer)

    def _refuse_headers(self, used: Collection[str]) -> None:
        """Add a fault for each constant that names a column of which nothing is made, unless marked: `{value: …}`."""
        for text, path in self._constants:
            is_marked = (*path, "value") in self._source_map.values  # noqa: PD011
            if is_marked or path[-2:] == ("object", "type") or not self._source.has(text):
                continue
            if self._source.find(text, path) in used:
                continue  # such as a status `Abierto` beside a date of that name
            message = _(
                "'{text}' is the name of a column; write `{{column: {name}}}`, or `{{value: {name}}}` if it is what the"
                " CRM is to get",
                text=text,
                name=as_yaml(text),
            )
            self._faults.append(self._source_map.fault(path, message))

    def _conversion(self, spec: FieldSpec, path: Steps, name: str, convert: Step, column: str) -> Conversion:
        lookup = known = None
        if spec.lookup is not None:
            frames, title, headers = self._table(spec.lookup)
            key = headers.find(spec.lookup.key or "", (*path, "lookup", "key"))
            value = headers.find(spec.lookup.value or "", (*path, "lookup", "value"))
            lookup = None if self._faults else Lookup(frames, key, value, title, spec.lookup.otherwise)
        if spec.known is not None:
            frames, title, headers = self._table(spec.known)
            listed = headers.find(spec.known.column or "", (*path, "known", "column"))
            known = None if self._faults else Known(frames, listed, title)
            if path == ("fields", "contact") and self._mapping.contacts and self._mapping.contacts.create == "missing":
                self._listed_contacts, known = known, None  # it says which exist, and does not forbid the others
        return conversion(spec, convert, ReferenceTables(lookup, known), column, name.removeprefix("form."))

    def _table(self, table: TableSpec) -> tuple[Sequence[pd.DataFrame], str, Headers]:
        """Return a table's frames, its name in messages, and its headers."""
        frames = self._given.tables[TableNeed.of(table, self._path)]
        title = table.file or _("sheet {sheet}", sheet=table.sheet or "1")
        columns = list(frames[0].columns) if frames else []
        return frames, title, Headers(Headings(columns), self._source_map, self._faults, title)

    def _rows(self, spec: RowsSpec, text: FieldSpec, path: Steps, place: str) -> JoinedRows:
        """Return the rows of another table that belong to a row of the source; `text` has their template."""
        here = (*path, "rows")
        table = self._given.rows[TableNeed.of(spec, self._path)]
        title = spec.file or _("sheet {sheet}", sheet=spec.sheet or "1")
        headers = Headers(Headings(table.columns), self._source_map, self._faults, title)
        match = spec.match or (self._mapping.source.key or ("",))[0]
        order = headers.find(spec.order, (*here, "order")) if spec.order else None
        return JoinedRows(
            table,
            title,
            key=headers.find(spec.key or "", (*here, "key")),
            match=self._source.find(match, (*here, "match")),
            text=TemplateField("", self._slots(text.template or "", text, (*path, "template"), headers), Conversion()),
            place=place,
            choice=spec.model_dump_json(include={"key", "match", "skip_if"}, by_alias=True, exclude_none=True),
            order=RowOrder(order, text) if order else None,
            skip_if=Conditions.bind(spec.skip_if, headers, (*here, "skip_if")) if spec.skip_if else None,
        )

    def _transcript(self, spec: TranscriptSpec) -> Transcript:
        """Return the attachment that is made of rows of another table."""
        here: Steps = ("attachments", "transcript")
        given = {key: getattr(spec, key) for key in ("template", "type", "read", "zone", "century", "decimal_sign")}
        text = FieldSpec.model_construct(**given)
        text = text.model_copy(update={"zone": spec.zone or self._mapping.source.zone})
        name = TemplateField("", self._slots(spec.name or "", FieldSpec(), (*here, "name"), self._source), Conversion())
        rows = self._rows(spec.rows or RowsSpec(), text, here, ".".join(map(str, here)))
        is_html = (spec.name or "").lower().endswith(HTML_ENDINGS)
        return Transcript(name, rows, "\n\n" if spec.join is None else spec.join, is_html)

    def _slots(self, text: str, spec: FieldSpec, path: Steps, headers: Headers) -> tuple[str | BoundSlot, ...]:
        parts = parse_template(text)
        if spec.type == "html":
            parts = tuple(without_tags(part) if isinstance(part, str) else part for part in parts)
        return tuple(part if isinstance(part, str) else self._slot(part, spec, path, headers) for part in parts)

    @staticmethod
    def _slot(slot: Slot, spec: FieldSpec, path: Steps, headers: Headers) -> BoundSlot:
        if not headers.has(slot.name):
            slot = slot.split()
        column = headers.find(slot.name, path)
        if slot.format is None and spec.type == "html":
            markup = HtmlColumn()
            return BoundSlot(column, markup.write, markup.observe)
        if slot.format is None:
            return BoundSlot(column)
        write, observer = _writer(slot.format, spec)
        return BoundSlot(column, write, observer)

    def _files(self, files: AttachmentsSpec) -> Files:
        here: Steps = ("attachments",)
        bound = Files(
            self._given.beside / Path(files.folder or "").expanduser(),
            self._found(files.columns or (), (*here, "columns")),
            files.separator,
            files.strip_prefix or (),
            files.none,
            tuple(self._pattern(text, (*here, "patterns", n)) for n, text in enumerate(files.patterns or ())),
        )
        if files.list_ is not None:
            self._add_list(bound, files.list_, (*here, "list"))
        return bound

    def _add_list(self, bound: Files, listed: FileListSpec, here: Steps) -> None:
        """Add the files of a list; rows are matched by the source's key, unless `match` names another column."""
        frames, _title, headers = self._table(listed)
        key = headers.find(listed.key or "", (*here, "key"))
        path = headers.find(listed.path or "", (*here, "path"))
        name = headers.find(listed.name, (*here, "name")) if listed.name else None
        bound.match = self._source.find(listed.match or (self._mapping.source.key or ("",))[0], (*here, "match"))
        bound.listed = {} if self._faults else listed_files(frames, key, path, name)

    def _pattern(self, text: str, path: Steps) -> TemplateField:
        parts = self._slots(text, FieldSpec(), path, self._source)
        slots = (part if isinstance(part, str) else BoundSlot(part.column, literal, blank=NO_FILE) for part in parts)
        return TemplateField("", tuple(slots), Conversion())


def _default(spec: FieldSpec) -> object:
    return None if spec.default is None else constant(spec, spec.default)


def _without_default(spec: FieldSpec) -> FieldSpec:
    """Return a field without its default if that counts only where no line of a case says anything else."""
    return spec.model_copy(update={"default": None}) if spec.take == "last" else spec


def _writer(form: str, spec: FieldSpec) -> tuple[Callable[[str | Typed], str], Observer]:
    """Return what writes a slot's cells in its format, and what must observe their column before."""
    if is_number_format(form):
        numbers = NumberReader(spec.decimal_sign)
        return lambda cell: format_number(numbers.read(cell), form), numbers.observe
    reader = MomentReader(spec.read or (), spec.zone, spec.century)
    return lambda cell: format_datetime(reader.read(cell), form), reader.observe
