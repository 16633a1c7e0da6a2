"""Which mappings fit a sheet: those in some folders and beside earlier sources, each with its last use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from importer.errors import ImporterError, SourceError
from importer.journal_place import Place
from importer.mapping import CaseMapping, MappingFit, fit, load_mapping
from importer.model import TableOptions
from importer.report import own_columns
from importer.source import Table
from importer.system.files import open_ordinary
from importer.workflow.drafting.earlier_imports import ImportUse, earlier_imports
from importer.workflow.job import open_source

_MOST_FILES = 200
"""Mapping files of one folder that are looked at."""

_LOOKED_AT = 300_000  # bytes: a longer file is no mapping
_ENDINGS = frozenset({".yml", ".yaml"})
_KEYS = (re.compile(rb"^\W*import\W*:", re.MULTILINE), re.compile(rb"^\W*fields\W*:", re.MULTILINE))
"""What a mapping has at its top, also one with faults."""


@dataclass(frozen=True, slots=True)
class SheetFit:
    """A mapping beside a sheet.

    `table` is what the mapping reads of the file. Where the file has no sheet of the mapping's name, and none that can
    stand in for it, it is the first one, and `error` says so. Of a mapping with faults, `path` and `error` are all.
    """

    path: Path
    fit: MappingFit | None = None
    table: Table | None = None
    error: ImporterError | None = None
    use: ImportUse | None = None

    @property
    def fits(self) -> bool:
        """Whether the sheet can be sent by this mapping as it is."""
        return self.error is None and self.fit is not None and self.fit.fits


def find_mappings(folders: Iterable[Path], journal: Place | None = None) -> list[Path]:
    """Return the mapping files in these folders, and in those of the sources that the journal knows.

    Folders below them are not searched. A folder that cannot be read has none.
    """
    beside = (use.source.parent for use in earlier_imports(journal) if use.source is not None)
    found = (path for folder in (*folders, *beside) for path in _mappings_in(folder))
    return list({path.absolute(): path for path in found}.values())


def fit_mappings(source: Path, mappings: Iterable[Path], journal: Place | None = None) -> list[SheetFit]:
    """Return how each mapping fits a sheet, the best first: it fits, little is missing, it was used last.

    The file is read once for each way of reading it. Raises SourceError where it cannot be read at all.
    """
    uses, tables = earlier_imports(journal), _Tables(source)
    fits = [_fit(path, tables, uses) for path in mappings]
    return sorted(fits, key=_rank)


def fit_mapping(table: Table, case_mapping: CaseMapping, *, columns_alone: bool = False) -> MappingFit:
    """Return how a mapping fits a table that is open; the columns that a report of ours adds do not count.

    With `columns_alone` no row is looked at, so that no value is new.
    """
    ours = set(own_columns(table.columns).values())
    columns = [column for column in table.columns if column not in ours]
    return fit(case_mapping, columns, () if columns_alone else table.frames(), table.hidden)


class _Tables:
    """What each way of reading a file gives of it."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._tables: dict[tuple[TableOptions, object], Table | SourceError] = {}

    def read(self, options: TableOptions) -> tuple[Table, SourceError | None]:
        """Return the table that a mapping reads, or the first sheet and why its own cannot be read."""
        found = self._opened(options)
        if isinstance(found, Table):
            return found, None
        if options.sheet is None:
            raise found
        first = self._opened(replace(options, sheet=None, columns=()))
        if isinstance(first, SourceError):
            raise first
        return first, found

    def _opened(self, options: TableOptions) -> Table | SourceError:
        way = options, options.columns
        if way not in self._tables:
            try:
                self._tables[way] = open_source(self._source, options)
            except SourceError as error:
                self._tables[way] = error
        return self._tables[way]


def _fit(path: Path, tables: _Tables, uses: Iterable[ImportUse]) -> SheetFit:
    try:
        case_mapping = load_mapping(path)
    except ImporterError as error:
        return SheetFit(path, error=error)
    name, digest = case_mapping.import_name, case_mapping.digest
    used = [use for use in uses if use.is_of(name, digest)]
    use = next((use for use in used if use.mapping_digest == digest), next(iter(used), None))
    try:
        table, refused = tables.read(case_mapping.table)
    except SourceError as unreadable:
        return SheetFit(path, error=unreadable, use=use)
    return SheetFit(path, fit_mapping(table, case_mapping), table, refused, use)


def _rank(found: SheetFit) -> tuple[bool, bool, int, float]:
    if found.fit is None:
        return True, True, 0, 0.0
    used = found.use.last_used if found.use is not None else None
    faults = len(found.fit.missing) + len(found.fit.ambiguous)
    return not found.fits, found.error is not None, faults, -used.timestamp() if used else 0.0


def _mappings_in(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS)
    except OSError:
        return
    yield from islice(filter(_looks_like_a_mapping, found), _MOST_FILES)


def _looks_like_a_mapping(path: Path) -> bool:
    try:
        with open_ordinary(path) as file:
            text = file.read(_LOOKED_AT)
    except OSError:
        return False
    return all(key.search(text) for key in _KEYS)
