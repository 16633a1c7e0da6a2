"""A mapping file that was read and found sound, and how it is bound to the columns of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from importer.mapping import fields
from importer.mapping.checks import DEMANDED, all_fields
from importer.mapping.converters.types import TEXTUAL
from importer.mapping.document import Places, Steps, dotted
from importer.mapping.grammar import Attachments, FieldSpec, MappingFile, Source, Table
from importer.mapping.tables import TableNeed
from importer.model import AttachmentOptions, FieldRule, TableOptions

if TYPE_CHECKING:
    import pandas as pd

    from importer.mapping.mapper import Mapper


# MERGED importer.mapping.case: What a mapping says for other stages: the rules of its fields, the source's options, the tables that it needs.

FORM_TEXT_LENGTH = 2_500
"""The most characters of a text in a form field (the vendor's page on custom modules)."""


def rules(mapping: MappingFile) -> tuple[FieldRule, ...]:
    """Return what validation holds each field to, in the order of the file's sections."""
    return tuple(_rule(field_path(path), spec, mapping) for path, spec in all_fields(mapping))


def field_path(path: Steps) -> str:
    """Return the place in the payload of a field of the file: `contact`, `form.Subject`."""
    return dotted(path).removeprefix("fields.")


def _rule(path: str, spec: FieldSpec, mapping: MappingFile) -> FieldRule:
    kind = "object" if spec.object is not None else spec.type
    limited = path.startswith("form.") and kind in TEXTUAL
    return FieldRule(
        path=path,
        column=_column(spec),
        required=path in DEMANDED or bool(spec.required),
        kind="email" if path == "contact" else kind,
        allowed=spec.allowed,
        max_length=spec.max_length or (FORM_TEXT_LENGTH if limited else None),
        min_length=spec.min_length,
        pattern=spec.pattern,
        closed=spec.closed or (),
        carries_reference=path == mapping.reference,
    )


def _column(spec: FieldSpec) -> str | None:
    """Return the column that a person would correct, as the mapping writes it."""
    if spec.template is not None:
        slot = fields.parse(spec.template).slots[:1]
        return slot[0].split().name if slot else None
    if spec.object is not None:
        return next((column for inner in spec.object.values() if (column := _column(inner))), None)
    return spec.column


def source_options(source: Source) -> TableOptions:
    """Return how the source is to be read."""
    return TableOptions(
        source.sheet, source.header_row, source.encoding, source.delimiter, source.hidden, source.merged
    )


def attachment_options(files: Attachments | None) -> AttachmentOptions | None:
    """Return where attachments are, None where the mapping has none."""
    if files is None or files.folder is None:
        return None
    folder = Path(files.folder).expanduser()
    return AttachmentOptions(folder, files.columns or (), files.separator, files.max_size, files.missing)


def table_needs(mapping: MappingFile, path: Path) -> tuple[TableNeed, ...]:
    """Return the distinct tables that lookups, known values and lists of files need."""
    return tuple(dict.fromkeys(TableNeed.of(table, path) for table in _tables(mapping)))


def _tables(mapping: MappingFile) -> Iterator[Table]:
    for _path, spec in all_fields(mapping):
        for each in (spec, *(spec.object or {}).values()):
            yield from (table for table in (each.lookup, each.known) if table is not None)
    if mapping.attachments and mapping.attachments.list_:
        yield mapping.attachments.list_


# MERGED importer.mapping.case: A mapping file that was read and found sound, and how it is bound to the columns of a source.


@dataclass(frozen=True)
class CaseMapping:
    """What a mapping file says, for whoever imports by it.

    `digest` is the SHA-256 of the file in hexadecimal. `key` are the key columns as the mapping writes them, none
    for `key: content`. `rules` are what validation holds the fields to. `reference` is the field that carries the
    row's mark, `search` the field by which the CRM is asked for unknown rows. `tables` are the other tables that
    `bind` needs.
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
    tables: tuple[TableNeed, ...]
    _grammar: MappingFile = field(repr=False, compare=False)
    _places: Places = field(repr=False, compare=False)

    def bind(
        self, columns: Sequence[str], tables: Mapping[TableNeed, Sequence[pd.DataFrame]], beside: Path = Path()
    ) -> Mapper:
        """Return what converts frames with these columns; `tables` are the frames of all that `self.tables` names.

        `beside` is the source's folder, from which a relative attachments folder counts; patterns look there.
        Raises `MappingError` for every column that the source or one of the tables lacks.
        """
        from importer.mapping.binding import Binding, Given  # noqa: PLC0415 - pandas is slow to import

        return Binding(self._grammar, self._places, self.path, Given(tuple(columns), tables, beside)).mapper(self.rules)
