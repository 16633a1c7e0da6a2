"""Read spreadsheets of every common format into frames of rows, indexed by the row number that Excel shows."""

from importer.source.delimited.misread import other_readings
from importer.source.files import list_tabs, open_table
from importer.source.number_formats.languages import month_number, short_month_names
from importer.source.number_formats.rendering import shown_number
from importer.source.table import Table

__all__ = ["Table", "list_tabs", "month_number", "open_table", "other_readings", "short_month_names", "shown_number"]
