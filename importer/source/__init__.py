"""Any spreadsheet that an office has, as frames of rows indexed by the number that Excel shows."""

from importer.source.files import begin_table, open_table
from importer.source.formats import shown_number
from importer.source.table import Table

__all__ = ["Table", "begin_table", "open_table", "shown_number"]
