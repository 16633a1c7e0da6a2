"""The mapping: a small language in YAML that says how the rows of a spreadsheet become cases.

`load` reads a file; `CaseMapping.bind` binds it to the columns of a source, for a `Mapper` of frames. In
`drafting`, a mapping is proposed for a source; `schema` tells editors what may stand in one.
"""

from importer.mapping.case import CaseMapping
from importer.mapping.loader import load
from importer.mapping.tables import TableNeed

__all__ = ["CaseMapping", "TableNeed", "load"]
