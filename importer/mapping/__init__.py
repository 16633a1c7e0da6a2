"""The mapping: a small language in YAML for how the rows of a spreadsheet become cases.

`load` reads a file, and `CaseMapping.bind` binds it to the columns of a source, for a `Mapper` of frames. `draft`
proposes a mapping for a source; `json_schema` describes the language for editors.
"""

from importer.mapping.case import CaseMapping
from importer.mapping.case_fields import ColumnValue, ColumnValues, MatchField, MatchModel, column_values, match_fields
from importer.mapping.choices import ValueChoices, open_statuses, texts_of, value_choices
from importer.mapping.conditions import Conditions
from importer.mapping.document import Document, Node, SourceMap, read_document
from importer.mapping.drafting import ColumnKind, KeyCandidate, SheetColumn, SurveyedColumns, draft, survey_columns
from importer.mapping.editing import MappingEditor
from importer.mapping.grammar import QUERY_FIELDS
from importer.mapping.headings import Headings
from importer.mapping.loader import load_mapping, load_mapping_text, wrong_value
from importer.mapping.mapper import Converted, Mapper
from importer.mapping.schema import json_schema
from importer.mapping.sheet_fit import AmbiguousColumn, MappingFit, MissingColumn, NewValue, fit
from importer.mapping.tables import TableNeed
from importer.mapping.words import Words, did_you_mean

__all__ = [
    "QUERY_FIELDS",
    "AmbiguousColumn",
    "CaseMapping",
    "ColumnKind",
    "ColumnValue",
    "ColumnValues",
    "Conditions",
    "Converted",
    "Document",
    "Headings",
    "KeyCandidate",
    "Mapper",
    "MappingEditor",
    "MappingFit",
    "MatchField",
    "MatchModel",
    "MissingColumn",
    "NewValue",
    "Node",
    "SheetColumn",
    "SourceMap",
    "SurveyedColumns",
    "TableNeed",
    "ValueChoices",
    "Words",
    "column_values",
    "did_you_mean",
    "draft",
    "fit",
    "json_schema",
    "load_mapping",
    "load_mapping_text",
    "mapping_of",
    "match_fields",
    "open_statuses",
    "read_document",
    "survey_columns",
    "texts_of",
    "value_choices",
    "wrong_value",
]
