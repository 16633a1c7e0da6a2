"""A sheet that no mapping knows: a draft for it, and what its columns show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from importer.mapping import (
    ColumnValues,
    KeyCandidate,
    MatchField,
    MatchModel,
    SheetColumn,
    SurveyedColumns,
    column_values,
    draft,
    match_fields,
    survey_columns,
)
from importer.model import TableOptions
from importer.report import own_columns
from importer.source import Table, open_table


@dataclass(frozen=True, slots=True)
class SheetSurvey:
    """A sheet that was read once, and what its columns show."""

    table: Table
    surveyed: SurveyedColumns

    @property
    def columns(self) -> tuple[SheetColumn, ...]:
        """The columns of the sheet, in its order."""
        return self.surveyed.columns

    @property
    def keys(self) -> tuple[KeyCandidate, ...]:
        """The columns that may identify the rows, the likeliest first."""
        return self.surveyed.keys

    @property
    def rows(self) -> int:
        """The rows below the header, without hidden ones and totals."""
        return self.surveyed.rows

    def match(self, text: str, path: Path = Path("mapping.yml")) -> MatchModel:
        """Return what fills each field of the case by the text of a mapping or a draft; quick, for after each edit."""
        return match_fields(self.surveyed, text, path)

    def values(self, column: str, field: MatchField | None = None, known: Sequence[str] = ()) -> ColumnValues:
        """Return the different texts of a column, with what they are in the CRM by `field`; `known` are its values."""
        return column_values(self.table.frames(), column, self.table.hidden, field, known)


def survey_sheet(source: Path, options: TableOptions | None = None) -> SheetSurvey:
    """Read a sheet and look at its columns; raises SourceError where it cannot be read."""
    return survey_table(open_table(source, options or TableOptions()))


def survey_table(table: Table) -> SheetSurvey:
    """Look at the columns of a table that is open; those that a report of ours adds are left out."""
    ours = set(own_columns(table.columns).values())
    columns = [column for column in table.columns if column not in ours]
    return SheetSurvey(table, survey_columns(columns, table.frames(), table.hidden))


def draft_mapping(source: Path, *, sheet: str | None = None, like: Path | None = None, name: str | None = None) -> str:
    """Return the text of a mapping for a sheet, with each guess's evidence beside it and each blank marked.

    `like` is a mapping whose decisions are kept; `name` is the import's, by default made of the file's name. Raises
    SourceError where the sheet cannot be read, and MappingError where `like` has faults.
    """
    options = TableOptions(sheet=sheet)
    table = open_table(source, options)
    filled = None
    if table.sheet is not None:  # a workbook, whose cells may be merged
        filled = open_table(source, replace(options, merged="fill")).frames()
    named = name or import_name(source)
    return draft(table.columns, table.frames(), named, sheet=sheet, like=like, beside=source.parent, filled=filled)


def import_name(source: Path) -> str:
    """Return a name for the import of a file, from the file's name: plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", source.stem.casefold())
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-") or "import"
