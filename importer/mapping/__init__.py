"""The mapping: a small language in YAML that says how the rows of a spreadsheet become cases.

`load` reads a file; `CaseMapping.bind` binds it to the columns of a source; the `Mapper` converts frames. `draft`
proposes a mapping for a source; `json_schema` tells editors what may stand in one.
"""

from importer.mapping.case import CaseMapping
from importer.mapping.drafting import draft
from importer.mapping.loader import load
from importer.mapping.mapper import Converted, Mapper
from importer.mapping.schema import json_schema
from importer.mapping.tables import TableNeed

__all__ = ["CaseMapping", "Converted", "Mapper", "TableNeed", "draft", "json_schema", "load"]
