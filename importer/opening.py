"""Open a source: as its mapping says, or as a report where it is one that is given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from importer import report
from importer.model import TableOptions
from importer.source import Table, open_table


def open_source(path: Path, options: TableOptions) -> Table:
    """Return the table of a source; what a mapping says of the source's own layout holds for no report made from it.

    Raises SourceError where the file, the sheet or the header is not there or cannot be read.
    """
    if report.is_given_back(path):
        options = replace(options, header_row=None, encoding=None, delimiter=None)
    return open_table(path, options)
