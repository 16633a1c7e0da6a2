"""A sheet that no mapping knows: a draft for it, and what its columns show."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from importer.errors import ImporterError
from importer.mapping import (
    ColumnValues,
    KeyCandidate,
    MatchField,
    MatchModel,
    OtherSheet,
    SheetColumn,
    SurveyedColumns,
    count_cells,
    draft,
    match_fields,
    survey_columns,
    values_of,
)
from importer.model import TableOptions
from importer.report import is_given_back, own_columns
from importer.source import Table, list_tabs, open_table


@dataclass(frozen=True, slots=True)
class SheetSurvey:
    """A sheet that was read once, and what its columns show."""

    table: Table
    surveyed: SurveyedColumns
    _counted: dict[str, Counter[object]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def columns(self) -> tuple[SheetColumn, ...]:
        """The columns of the sheet, in its order."""
        return self.surveyed.columns

    @property
    def keys(self) -> tuple[KeyCandidate, ...]:
        """The columns that may identify the rows, the likeliest first."""
        return self.surveyed.keys

    @property
    def hidden(self) -> int:
        """How many rows the spreadsheet hides."""
        return len({*self.table.hidden} - {*self.surveyed.footer})

    @property
    def rows(self) -> int:
        """The rows below the header, without hidden ones and totals."""
        return self.surveyed.rows

    def match(self, text: str, path: Path = Path("mapping.yml")) -> MatchModel:
        """Return what fills each field of the case by the text of a mapping or a draft; quick, for after each edit."""
        return match_fields(self.surveyed, text, path)

    def values(self, column: str, of: MatchField | None = None, known: Sequence[str] = ()) -> ColumnValues:
        """Return the different texts of a column, with what they are in the CRM by a field; `known` are its values."""
        if column not in self._counted:
            left_out = {*self.table.hidden, *self.surveyed.footer}
            self._counted[column] = count_cells(self.table.frames(), column, left_out)
        return values_of(self._counted[column], of, known)


def survey_sheet(source: Path, options: TableOptions | None = None) -> SheetSurvey:
    """Read a sheet and look at its columns; raises SourceError where it cannot be read."""
    return survey_table(open_table(source, replace(options or TableOptions(), names_below_groups=True)))


def survey_table(table: Table) -> SheetSurvey:
    """Look at the columns of a table that is open; those that a report of ours adds are left out."""
    ours = set(own_columns(table.columns).values())
    columns = [column for column in table.columns if column not in ours]
    return SheetSurvey(table, survey_columns(columns, table.frames(), table.hidden))


_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_MOST_OTHERS = 12  # tables beside a sheet that are looked into
_MOST_BYTES = {
    True: 300_000_000,
    False: 20_000_000,
}  # of these in all, by whether their names say that they have comments
_LIKE_ROWS = re.compile(
    r"comment|coment|hist|segui|nota|note|follow|interac|mensa|message|thread|activ|bitac|evolu|gestion|trato",
    re.IGNORECASE,
)


def draft_mapping(  # noqa: PLR0913 - each is a decision of the caller
    source: Path,
    *,
    sheet: str | None = None,
    like: Path | None = None,
    name: str | None = None,
    fields: Path | None = None,
    by_hand: bool = True,
) -> str:
    """Return the text of a mapping for a sheet, with each guess's evidence beside it and each blank marked.

    `like` is a mapping whose decisions are kept; `name` is the import's, by default made of the file's name. `fields`
    is a table whose headers are the names of the form's fields, such as the CRM's own template for uploads. Without
    `by_hand` it is for a page, which asks for what is left: no line waits for a person with an editor, and no other
    table is looked into. Raises SourceError where a sheet cannot be read, and MappingError where `like` has faults.
    """
    options = TableOptions(sheet=sheet, names_below_groups=True)
    table = open_table(source, options)
    filled = None
    if table.sheet is not None:  # a workbook, whose cells may be merged
        filled = open_table(source, replace(options, merged="fill")).frames()
    named = name or import_name(source)
    return draft(
        *(table.columns, table.frames(), named),
        sheet=sheet,
        like=like,
        beside=source.parent,
        filled=filled,
        hidden=table.hidden,
        others=_others(source, table.sheet) if by_hand else (),
        fields=open_table(fields).columns if fields else (),
        by_hand=by_hand,
    )


def _others(source: Path, sheet: str | None) -> Iterator[OtherSheet]:
    """Yield the tables that may have rows of those of a sheet: in its workbook, then in files beside it."""
    with suppress(ImporterError):
        for tab in [tab for tab in list_tabs(source) if tab != sheet][:_MOST_OTHERS]:
            with suppress(ImporterError):
                other = open_table(source, TableOptions(sheet=tab))
                yield OtherSheet(None, tab, other.columns, other.frames())
    left = dict(_MOST_BYTES)
    for path in _files_beside(source)[:_MOST_OTHERS]:
        with suppress(ImporterError, OSError):
            is_likely = bool(_LIKE_ROWS.search(path.stem))
            left[is_likely] -= path.stat().st_size
            if left[is_likely] >= 0 and not is_given_back(path):
                other = open_table(path, TableOptions())
                yield OtherSheet(path.name, None, other.columns, other.frames())


def _files_beside(source: Path) -> list[Path]:
    """Return the tables beside a source, those first whose names say that they have comments."""
    with suppress(OSError):
        found = [path for path in source.absolute().parent.iterdir() if _may_have_rows(path, source)]
        return sorted(found, key=lambda path: (not _LIKE_ROWS.search(path.stem), path.name))
    return []


def _may_have_rows(path: Path, source: Path) -> bool:
    is_ours = path.name == source.name or path.stem.endswith((".corrections", ".report"))
    return path.suffix.lower() in _SUFFIXES and not is_ours and not path.name.startswith((".", "~$"))


def import_name(source: Path) -> str:
    """Return a name for the import of a file, from the file's name: plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", source.stem.casefold())
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-") or "import"
