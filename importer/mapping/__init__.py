"""The mapping: a small language in YAML for how the rows of a spreadsheet become cases.

`load` reads a file, and `CaseMapping.bind` binds it to the columns of a source, for a `Mapper` of frames. `draft`
proposes a mapping for a source; `json_schema` describes the language for editors.
"""

from importer.mapping.case import CaseMapping
from importer.mapping.document import Document, Node, SourceMap, read_document
from importer.mapping.drafting import draft
from importer.mapping.editing import MappingEditor
from importer.mapping.grammar import QUERY_FIELDS
from importer.mapping.headings import Headings
from importer.mapping.loader import load_mapping, mapping_of, wrong_value
from importer.mapping.mapper import Converted, Mapper
from importer.mapping.schema import json_schema
from importer.mapping.sheet_fit import AmbiguousColumn, MappingFit, MissingColumn, NewValue, fit
from importer.mapping.tables import TableNeed
from importer.mapping.words import Words, did_you_mean

__all__ = [
    "QUERY_FIELDS",
    "AmbiguousColumn",
    "CaseMapping",
    "Converted",
    "Document",
    "Headings",
    "Mapper",
    "MappingEditor",
    "MappingFit",
    "MissingColumn",
    "NewValue",
    "Node",
    "SourceMap",
    "TableNeed",
    "Words",
    "did_you_mean",
    "draft",
    "fit",
    "json_schema",
    "load_mapping",
    "mapping_of",
    "read_document",
    "wrong_value",
]
