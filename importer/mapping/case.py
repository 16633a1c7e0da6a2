"""A valid mapping for the other stages: how to read the source, the rules of the fields, the tables that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from importer.errors import MappingFault
from importer.mapping.binding import BindingInput, bind
from importer.mapping.checks import CONTACTS, REQUIRED, all_fields, field_path, fields_of_case
from importer.mapping.conditions import Conditions, Headers
from importer.mapping.converters.types import DEFAULT_FORMATS, SINGLE_TEXTS
from importer.mapping.document import SourceMap
from importer.mapping.fields import slot_columns
from importer.mapping.grammar import AttachmentsSpec, ContactsSpec, FieldSpec, MappingFile
from importer.mapping.headings import Headings, line_with
from importer.mapping.mapper import Mapper
from importer.mapping.other_rows import OtherTable
from importer.mapping.table_grammar import RowsSpec, TableSpec
from importer.mapping.tables import ADDRESSES, OTHERS, TableNeed
from importer.mapping.used import all_headings, headings_of
from importer.model import AttachmentOptions, FieldRule, TableOptions

_NO_TABLES: Mapping[TableNeed, OtherTable] = MappingProxyType({})

FORM_TEXT_LENGTH = 2_500
"""The maximum number of characters of a text in a form field (the vendor's page on custom modules)."""


@dataclass(frozen=True, slots=True)
class ContactOptions:
    """What a mapping says of contacts: whether missing ones are created, and the names of their own fields."""

    creates: bool
    fields: tuple[str, ...]


@dataclass(frozen=True)
class CaseMapping:
    """The content of a mapping file.

    `digest` is the SHA-256 of the file in hexadecimal. `key` has the key columns as the mapping writes them, none for
    `key: content`. `rules` are what validation checks the fields against. `reference` is the field with the row's
    mark, `search` the field by which the CRM is searched for unknown rows. It `updates_cases` whose rows were edited
    after their creation, instead of only reporting them. `contacts` is None where the mapping says nothing of them.
    `tables` and `row_tables` are what `bind` needs. `grammar` is for the other modules of this package.
    """

    path: Path
    digest: str
    import_name: str
    table: TableOptions
    key: tuple[str, ...]
    server: str | None
    operation: str | None
    rules: tuple[FieldRule, ...]
    attachments: AttachmentOptions | None
    reference: str | None
    search: str
    contacts: ContactOptions | None
    updates_cases: bool
    tables: tuple[TableNeed, ...]
    row_tables: tuple[TableNeed, ...]
    grammar: MappingFile = field(repr=False, compare=False)
    _source_map: SourceMap = field(repr=False, compare=False)

    @classmethod
    def of(cls, path: Path, digest: str, mapping: MappingFile, source_map: SourceMap) -> CaseMapping:
        """Return the content of a valid mapping file; relative paths of its tables start at its folder."""
        return cls(
            path=path,
            digest=digest,
            import_name=mapping.import_ or "",
            table=_source_options(mapping),
            key=mapping.source.key or (),
            server=mapping.target.server,
            operation=mapping.target.operation,
            rules=tuple(_rule(field_path(path), spec, mapping) for path, spec in all_fields(mapping)),
            attachments=_attachment_options(mapping.attachments),
            reference=mapping.reference,
            search=mapping.search,
            contacts=_contact_options(mapping.contacts),
            updates_cases=mapping.on_change == "update",
            tables=tuple(dict.fromkeys(TableNeed.of(table, path) for table in _tables(mapping))),
            row_tables=tuple(dict.fromkeys(TableNeed.of(table, path) for table in _row_tables(mapping))),
            grammar=mapping,
            _source_map=source_map,
        )

    @property
    def own_date(self) -> tuple[str, str] | None:
        """The path and the format of the first field that is a date or a moment; None if there is none."""
        for path, spec in fields_of_case(self.grammar):
            if spec.object is None and spec.type in {"date", "datetime"}:
                return field_path(path), spec.format or DEFAULT_FORMATS[spec.type]
        return None

    def allowed(self, field: str) -> tuple[str, ...]:
        """Return the values of the CRM that a field may have; none where the mapping does not restrict them."""
        return next((tuple(rule.allowed or ()) for rule in self.rules if rule.path == field), ())

    def headings(self, columns: Sequence[str]) -> Headings:
        """Return how the mapping finds its columns in a sheet with these columns."""
        return headings_of(self.grammar, columns)

    def headings_line(self, renamed: Iterable[tuple[str, str]]) -> str:
        """Return the line of `source` that names further headings of columns, as (own name, heading) pairs."""
        return line_with(self.grammar.source.headings or {}, renamed)

    def skipping(self, columns: Sequence[str]) -> Conditions | None:
        """Return the conditions under which a row of a sheet with these columns is skipped, if the sheet has them."""
        if self.grammar.source.skip_if is None:
            return None
        faults: list[MappingFault] = []
        headers = Headers(self.headings(columns), self._source_map, faults, "")
        conditions = Conditions.bind(self.grammar.source.skip_if, headers, ("source", "skip_if"))
        return None if faults else conditions

    @property
    def makes_attachments(self) -> bool:
        """Whether cases may have attachments: files, or transcripts that are made."""
        return self.grammar.attachments is not None

    @property
    def largest_attachment(self) -> int:
        """The largest attachment that the mapping allows, in bytes."""
        return (self.grammar.attachments or AttachmentsSpec()).max_size

    def bind(
        self,
        columns: Sequence[str],
        tables: Mapping[TableNeed, Sequence[pd.DataFrame]],
        beside: Path = Path(),
        rows: Mapping[TableNeed, OtherTable] = _NO_TABLES,
    ) -> Mapper:
        """Return what converts frames with these columns; `tables` has the frames of each of `self.tables`.

        `rows` has each of `self.row_tables`. `beside` is the source's folder, at which a relative attachments
        folder starts. Raises `MappingError` with every
        column that the source or one of the tables lacks.
        """
        given = BindingInput(tuple(columns), tables, beside, rows)
        return bind(self.grammar, self._source_map, self.path, given, self.rules)


def _rule(path: str, spec: FieldSpec, mapping: MappingFile) -> FieldRule:
    kind = "object" if spec.object is not None else spec.type
    limited = path.startswith(("form.", f"{CONTACTS}.")) and kind in SINGLE_TEXTS
    return FieldRule(
        path=path,
        column=_column(spec),
        required=path in REQUIRED or bool(spec.required),
        kind="email" if path in ADDRESSES else kind,
        allowed=spec.allowed,
        max_length=spec.max_length or (FORM_TEXT_LENGTH if limited else None),
        min_length=spec.min_length,
        pattern=spec.pattern,
        closed=spec.closed or (),
        closed_texts=_closed_texts(spec),
        carries_reference=path == mapping.reference,
    )


def _closed_texts(spec: FieldSpec) -> tuple[str, ...]:
    """Return what the sheet writes for the closed statuses; none where the mapping lists no texts."""
    means = spec.values or {}  # noqa: PD011 - not of pandas
    return tuple(text for text, value in means.items() if value in (spec.closed or ()) and text != OTHERS)


def _column(spec: FieldSpec) -> str | None:
    """Return the column that a person would correct, as the mapping writes it."""
    if spec.rows is not None:
        return None
    if spec.template is not None:
        return next(iter(slot_columns(spec.template)), None)
    if spec.object is not None:
        return next((column for inner in spec.object.values() if (column := _column(inner))), None)
    return spec.column


def _source_options(mapping: MappingFile) -> TableOptions:
    source = mapping.source
    others = (table for table in (*_tables(mapping), *_row_tables(mapping)) if not table.file)
    return TableOptions(
        source.sheet,
        source.header_row,
        source.encoding,
        source.delimiter,
        source.hidden,
        source.merged,
        columns=all_headings(mapping),
        read_besides=tuple(dict.fromkeys(table.sheet for table in others if table.sheet is not None)),
    )


def _attachment_options(files: AttachmentsSpec | None) -> AttachmentOptions | None:
    if files is None or files.folder is None:
        return None
    folder = Path(files.folder).expanduser()
    return AttachmentOptions(folder, files.columns or (), files.separator, files.max_size, files.missing)


def _contact_options(contacts: ContactsSpec | None) -> ContactOptions | None:
    return None if contacts is None else ContactOptions(contacts.create == "missing", tuple(contacts.model_extra or ()))


def _tables(mapping: MappingFile) -> Iterator[TableSpec]:
    """Yield every table for lookups, known values and lists of files."""
    for _path, spec in all_fields(mapping):
        for each in (spec, *(spec.object or {}).values()):
            yield from (table for table in (each.lookup, each.known) if table is not None)
    if mapping.attachments and mapping.attachments.list_:
        yield mapping.attachments.list_


def _row_tables(mapping: MappingFile) -> Iterator[RowsSpec]:
    """Yield every table some of whose rows belong to each row of the source."""
    yield from (spec.rows for _path, spec in all_fields(mapping) if spec.rows is not None)
    files = mapping.attachments
    if files and files.transcript and files.transcript.rows:
        yield files.transcript.rows
