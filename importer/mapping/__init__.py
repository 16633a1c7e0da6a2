"""The mapping: a small language in YAML for how the rows of a spreadsheet become cases.

`load` reads a file, and `CaseMapping.bind` binds it to the columns of a source, for a `Mapper` of frames. `draft`
proposes a mapping for a source; `json_schema` describes the language for editors.
"""

from importer.mapping.case import CaseMapping, ContactOptions
from importer.mapping.case_fields import (
    ColumnValue,
    ColumnValues,
    MatchField,
    MatchModel,
    count_cells,
    match_fields,
    values_of,
)
from importer.mapping.choices import (
    Meaning,
    ValueChoices,
    all_statuses,
    closed_statuses,
    decides_value,
    field_spec,
    fields_alike,
    meaning_of,
    open_statuses,
    says_nothing,
    texts_of,
    value_choices,
)
from importer.mapping.conditions import Conditions
from importer.mapping.converters.markup import html_to_text
from importer.mapping.document import Document, Node, SourceMap, read_document
from importer.mapping.drafting import (
    ColumnKind,
    KeyCandidate,
    OtherSheet,
    SheetColumn,
    SurveyedColumns,
    draft,
    survey_columns,
)
from importer.mapping.editing import MappingEditor
from importer.mapping.grammar import QUERY_FIELDS
from importer.mapping.headings import Headings
from importer.mapping.loader import load_mapping, load_mapping_text, wrong_value
from importer.mapping.mapper import ATTACHMENTS, LAST_LINE, ColumnUse, Converted, Mapper
from importer.mapping.masking import masked_outline
from importer.mapping.other_rows import ROWS, OtherTable
from importer.mapping.schema import json_schema
from importer.mapping.sheet_fit import AmbiguousColumn, MappingFit, MissingColumn, NewValue, fit
from importer.mapping.tables import TableNeed
from importer.mapping.transcripts import TranscriptText
from importer.mapping.words import Words, did_you_mean

__all__ = [
    "ATTACHMENTS",
    "LAST_LINE",
    "QUERY_FIELDS",
    "ROWS",
    "AmbiguousColumn",
    "CaseMapping",
    "ColumnKind",
    "ColumnUse",
    "ColumnValue",
    "ColumnValues",
    "Conditions",
    "ContactOptions",
    "Converted",
    "Document",
    "Headings",
    "KeyCandidate",
    "Mapper",
    "MappingEditor",
    "MappingFit",
    "MatchField",
    "MatchModel",
    "Meaning",
    "MissingColumn",
    "NewValue",
    "Node",
    "OtherSheet",
    "OtherTable",
    "SheetColumn",
    "SourceMap",
    "SurveyedColumns",
    "TableNeed",
    "TranscriptText",
    "ValueChoices",
    "Words",
    "all_statuses",
    "closed_statuses",
    "count_cells",
    "decides_value",
    "did_you_mean",
    "draft",
    "field_spec",
    "fields_alike",
    "fit",
    "html_to_text",
    "json_schema",
    "load_mapping",
    "load_mapping_text",
    "mapping_of",
    "masked_outline",
    "match_fields",
    "meaning_of",
    "open_statuses",
    "read_document",
    "says_nothing",
    "survey_columns",
    "texts_of",
    "value_choices",
    "values_of",
    "wrong_value",
]
