"""The rows of a sheet as they were written, and the columns that identify them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from importer import report
from importer.source import Table
from importer.system.spool import Spool
from importer.workflow.corrections.locating import Identifying


def identifying_columns(columns: Sequence[str], key: tuple[str, ...], *, trust_references: bool = True) -> Identifying:
    """Return which of a sheet's columns identify its rows, if the mapping has this key."""
    ours = report.own_columns(columns)
    if key or (trust_references and "reference" in ours):
        return Identifying(key)
    return Identifying(tuple(column for column in columns if column not in ours.values()), is_content=True)


def frames_as_written(table: Table) -> Iterable[pd.DataFrame]:
    """Return a table's rows without the marks by which our CSV keeps a spreadsheet from evaluating text."""
    if table.sheet is not None or not report.own_columns(table.columns):
        return table.frames()
    unmarked: Spool[pd.DataFrame] = Spool()
    for frame in table.frames():
        unmarked.append(frame.map(lambda cell: report.unmarked(cell) if isinstance(cell, str) else cell))
    return unmarked
