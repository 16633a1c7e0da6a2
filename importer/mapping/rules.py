"""What a mapping says for other stages: the rules of its fields, the source's options, the tables that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from importer.mapping import template
from importer.mapping.checks import DEMANDED, all_fields
from importer.mapping.converters.types import TEXTUAL
from importer.mapping.document import Steps, dotted
from importer.mapping.grammar import Attachments, FieldSpec, MappingFile, Source, Table
from importer.mapping.tables import TableNeed
from importer.model import AttachmentOptions, FieldRule, TableOptions

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
        slot = template.parse(spec.template).slots[:1]
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
