"""Open a source, as its mapping says or as a report that is given back, and the other files that a mapping names.

A mapping may come from somebody else, so that what it names is read only in its own folder, in the source's, and in
those that the user allows.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer import mapping, report
from importer.errors import SourceError
from importer.job import Job
from importer.mapping import CaseMapping
from importer.mapping.tables import TableNeed
from importer.messages import _
from importer.model import TableOptions
from importer.questions import Answer, Question, QuestionsOpen
from importer.source import Table, begin_table, open_table

if TYPE_CHECKING:
    import pandas as pd

ALLOW_FOLDER = "allow-folder"


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


def folder_questions(cases: CaseMapping, source: Path, allowed: Iterable[Path]) -> list[Question]:
    """Return, for each folder outside of the mapping's, the source's and the allowed ones, whether it may be read.

    Folders are compared where they really are: neither `..` nor a link leads out of one unseen.
    """
    inside = [_real(folder) for folder in (cases.path.absolute().parent, source.absolute().parent, *allowed)]
    outside: dict[Path, str] = {}
    for folder, named in _named_folders(cases, source):
        if not any(folder.is_relative_to(one) for one in inside):
            outside.setdefault(folder, named)
    return [_folder_question(cases, folder, named) for folder, named in outside.items()]


def open_tables(cases: CaseMapping, source: Path, allowed: Iterable[Path]) -> dict[TableNeed, Sequence[pd.DataFrame]]:
    """Return the frames of every table that a mapping needs beside its source, and of those in the source itself.

    Raises QuestionsOpen where the mapping names a folder that the user has not allowed, and SourceError for a table
    that cannot be read, or is a device or a pipe.
    """
    if questions := folder_questions(cases, source, allowed):
        raise QuestionsOpen(questions)
    return {need: list(_open_need(need, source).frames()) for need in cases.tables}


def _open_need(need: TableNeed, source: Path) -> Table:
    if need.path is None:
        return open_table(source, need.options)
    if need.path.exists() and not stat.S_ISREG(need.path.stat().st_mode) and not need.path.is_dir():
        raise SourceError(_("{path} is a device or a pipe. The mapping can only name ordinary files.", path=need.path))
    return open_table(need.path, need.options)


def _named_folders(cases: CaseMapping, source: Path) -> Iterable[tuple[Path, str]]:
    """Yield every folder that a mapping has files read from, as it really is, and what in the mapping names it."""
    for need in cases.tables:
        if need.path is not None:
            yield _real(need.path).parent, str(need.path)
    if cases.attachments is not None:
        folder = source.absolute().parent / cases.attachments.folder
        yield _real(folder), str(cases.attachments.folder)


def _folder_question(cases: CaseMapping, folder: Path, named: str) -> Question:
    sentence = _(
        "{file} names {named}, which is neither in its own folder nor in the source's. May files in {folder} be read,"
        " and be sent with the cases?",
        file=cases.path,
        named=named,
        folder=folder,
    )
    return Question(ALLOW_FOLDER, sentence, (Answer("yes", f'--allow-folder "{folder}"'),), str(folder))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _begin(path: Path, options: TableOptions) -> Callable[[], Table]:
    if report.is_given_back(path):
        options = replace(options, header_row=None, encoding=None, delimiter=None)
    return begin_table(path, options)
