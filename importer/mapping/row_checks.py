"""What the keys of `rows` and of a transcript mean together with others."""

from __future__ import annotations

from collections.abc import Iterator

from importer.mapping.converters.zones import EPOCH
from importer.mapping.document import Steps
from importer.mapping.findings import Finding, missing, template_fault
from importer.mapping.grammar import FieldSpec, SourceSpec, TranscriptSpec
from importer.mapping.table_grammar import RowsSpec
from importer.mapping.transcripts import HTML_ENDINGS, TEXT_ENDINGS
from importer.messages import _

_NOT_WITH_ROWS = ("values", "lookup", "known", "strip", "take", "column", "value", "object")
_TEXTS = ("text", "html")


def rows_findings(spec: FieldSpec, path: Steps, source: SourceSpec) -> Iterator[Finding]:
    """Check a field that is made of rows of another table."""
    if spec.template is None:
        message = _("rows needs a template: the text of each row, with {{Column}} of that table in it")
        yield missing((*path, "template"), message)
    for key in _NOT_WITH_ROWS:
        if key in spec.model_fields_set:
            yield Finding((*path, key), _("{key} has no effect on a field that is made of rows", key=key))
    if spec.type not in _TEXTS:
        yield Finding((*path, "type"), _("a field that is made of rows has type text or html"))
    if spec.rows is not None:
        yield from _rows(spec.rows, (*path, "rows"), source)


def transcript_findings(spec: TranscriptSpec, source: SourceSpec) -> Iterator[Finding]:
    """Check an attachment that is made of rows of another table."""
    here: Steps = ("attachments", "transcript")
    if spec.name is None:
        yield missing((*here, "name"), _("name is missing: the transcript's name, such as history.txt or history.html"))
    elif not spec.name.lower().endswith((*TEXT_ENDINGS, *HTML_ENDINGS)):
        yield Finding((*here, "name"), _("a transcript is a text or a page: its name ends with .txt or .html"))
    elif fault := template_fault(spec.name):
        yield Finding((*here, "name"), fault)
    if spec.template is None:
        message = _("rows needs a template: the text of each row, with {{Column}} of that table in it")
        yield missing((*here, "template"), message)
    elif fault := template_fault(spec.template):
        yield Finding((*here, "template"), fault)
    if EPOCH in (spec.read or ()) and not (spec.zone or source.zone):
        yield Finding((*here, "read"), _("epoch needs the zone of the cases: add zone: America/Bogota to source"))
    if spec.rows is None:
        yield missing(
            (*here, "rows"), _("rows is missing: the table with the rows, and which of them belong to a case")
        )
    else:
        yield from _rows(spec.rows, (*here, "rows"), source)


def _rows(rows: RowsSpec, here: Steps, source: SourceSpec) -> Iterator[Finding]:
    if rows.file is None and rows.sheet is None:
        yield missing((*here, "file"), _("file is missing: the table with the rows; or sheet, if the source has it"))
    if rows.key is None:
        yield missing((*here, "key"), _("key is missing: the column of that table that says to which row it belongs"))
    if rows.match is None and len(source.key or ()) != 1:
        yield missing((*here, "match"), _("match is missing: the source's column that `key` is compared with"))
