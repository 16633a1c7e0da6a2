"""What the tests of the mapping share: a mapping from text, frames from columns, a conversion in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pandas as pd

from importer import mapping
from importer.errors import MappingError
from importer.mapping import CaseMapping
from importer.mapping.mapper import Converted, Mapper
from importer.model import Cell

HEAD = """\
version: 1
import: test
source: {key: Id}
fields:
  case-type: Request
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: ana@example.com
  description: words
  status: Abierto
  priority: Media
"""
"""The shortest mapping that is whole; tests add sections or replace lines."""


def written(folder: Path, text: str, name: str = "mapping.yml") -> Path:
    """Write a mapping file and return its path."""
    path = folder / name
    path.write_text(dedent(text), "utf-8")
    return path


def loaded(folder: Path, text: str) -> CaseMapping:
    """Return a mapping from its text."""
    return mapping.load_mapping(written(folder, text))


def faults(folder: Path, text: str) -> list[str]:
    """Return the faults of a mapping text as `line:column: path: message`."""
    try:
        loaded(folder, text)
    except MappingError as error:
        return [str(fault).removeprefix(f"{fault.file}:") for fault in error.faults]
    return []


def frame(columns: Mapping[str, Sequence[Cell]], first_row: int = 2) -> pd.DataFrame:
    """Return a frame as the source makes them: object cells, indexed by Excel's row numbers."""
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=range(first_row, first_row + rows), dtype=object)


def converted(
    case: CaseMapping,
    *frames: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame] | None = None,
    beside: Path = Path(),
) -> Converted:
    """Return what becomes of the last of the frames, once all of them were surveyed."""
    mapper = bound(case, *frames, tables=tables, beside=beside)
    return mapper.convert(frames[-1])


def bound(
    case: CaseMapping,
    *frames: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame] | None = None,
    beside: Path = Path(),
) -> Mapper:
    """Return the mapper that has surveyed all frames; `tables` are found by the name of their file or sheet."""
    given = {need: [_table_of(tables or {}, need)] for need in case.tables}
    mapper = case.bind(list(frames[0].columns), given, beside)
    for each in frames:
        mapper.survey(each)
    return mapper


def _table_of(tables: Mapping[str, pd.DataFrame], need: mapping.TableNeed) -> pd.DataFrame:
    return tables[need.path.name if need.path else str(need.options.sheet)]


def form_values(folder: Path, spec: str, cells: Sequence[Cell], **tables: pd.DataFrame) -> list[object]:
    """Return what a form field with this specification makes of a column's cells; of an issue, its code."""
    case = loaded(folder, f"{HEAD}form:\n  X: {spec}\n")
    sheet = frame({"Id": [str(number) for number in range(len(cells))], "C": cells})
    result = converted(case, sheet, tables={f"{name}.csv": table for name, table in tables.items()})
    codes = {issue.row: f"! {issue.code}" for issue in result.issues}
    return [codes.get(row, value) for row, value in result.fields["form.X"].items()]
