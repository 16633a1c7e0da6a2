"""Open a source: as its mapping says, or as a report where it is one that is given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from importer import mapping, report
from importer.job import Job
from importer.mapping import CaseMapping
from importer.model import TableOptions
from importer.source import Table, begin_table


@dataclass(frozen=True, slots=True)
class Begun:
    """A job whose mapping is loaded and whose source is being read; `table` waits for the rows, once.

    It raises SourceError where the file, the sheet or the header is not there or cannot be read.
    """

    job: Job
    cases: CaseMapping
    table: Callable[[], Table]


def begin(job: Job) -> Begun:
    """Load a job's mapping and begin to read its source; a workbook is parsed by another process from here on.

    What the mapping says of the source's own layout holds for no report made from it. Raises MappingError with every
    fault of the mapping, SourceError as `Begun.table` does.
    """
    cases = mapping.load(job.mapping)
    return Begun(job, cases, _begin(job.source, cases.table))


def open_source(path: Path, options: TableOptions) -> Table:
    """Return the table of a source, read at once; raises SourceError as `Begun.table` does."""
    return _begin(path, options)()


def _begin(path: Path, options: TableOptions) -> Callable[[], Table]:
    if report.is_given_back(path):
        options = replace(options, header_row=None, encoding=None, delimiter=None)
    return begin_table(path, options)
