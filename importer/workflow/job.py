"""What a command was asked to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from importer import mapping, report, settings
from importer.errors import SourceError
from importer.identity import Scope, tenant_of
from importer.mapping import CaseMapping, TableNeed
from importer.messages import _
from importer.model import Status, TableOptions
from importer.questions import Answer, Question, QuestionsOpen
from importer.settings import Connection, load_settings
from importer.source import Table, open_table
from importer.workflow.tenant_facts import QUIET_PERIOD

if TYPE_CHECKING:
    import pandas as pd


# MERGED importer.workflow.job: What a command was asked to do.


@dataclass(frozen=True, slots=True)
class Job:
    """A source, a mapping, and how to go about it; None where nothing was said.

    `html` and `write_back` ask for a page and for the sheet in the source workbook. `only` are the states of the rows
    that this is about, none where it is about all of them. `rate` is in rows a second,
    `quiet_period` in seconds; `keep_quota` counts calls. `same_as` names the import that this one is, `new_import`
    tells that it is none of those before, `same_tickets` that rows with known keys are the same tickets, edited since.
    `look_first` searches the CRM for every row before it is sent, `spot_check` for so many of a new source. `until`
    ends the sending in time. `allow_folders` may be read though they are neither the mapping's nor the source's.
    `moved_here` tells that the journal was moved to this computer, `nothing_was_sent` that nothing was sent though the
    mark knows the import.
    """

    source: Path
    mapping: Path
    connection: Connection = field(default_factory=Connection)
    journal: Path | None = None
    report: Path | None = None
    html: bool = False
    write_back: bool = False
    only: tuple[Status, ...] = ()
    limit: int | None = None
    concurrency: int = 2
    rate: float | None = None
    only_if_all_valid: bool = False
    first_run: bool = False
    retry_rejected: bool = False
    look_first: bool = False
    spot_check: int = 3
    same_as: str | None = None
    new_import: bool = False
    same_tickets: bool = False
    allow_folders: tuple[Path, ...] = ()
    moved_here: bool = False
    nothing_was_sent: bool = False
    keep_quota: int = 0
    wait_for_quota: bool = False
    until: datetime | None = None
    quiet_period: float = QUIET_PERIOD

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""
        return journal_path(self.journal)

    @property
    def report_path(self) -> Path:
        """Where the report goes."""
        from importer.report import default_path  # noqa: PLC0415 - the same

        return self.report or default_path(self.source)

    @property
    def tries_rejected(self) -> bool:
        """Whether rejected rows are sent again though nothing in them changed."""
        return self.retry_rejected or Status.REJECTED in self.only


def scope_of(job: Job, cases: CaseMapping) -> Scope:
    """Return the scope of a job; what is not named yet is empty, which only commands that send nothing allow."""
    server, operation = settings.server_and_operation(job.connection, mapped(cases))
    return Scope(tenant_of(server) if server else "", operation or "", cases.import_name)


def mapped(cases: CaseMapping) -> Connection:
    """Return what the mapping says of the connection."""
    return Connection(cases.server, cases.operation, file=cases.path)


def journal_path(said: Path | None) -> Path:
    """Return where the journal is: where the command says, where the settings say, or in the user's data folder."""
    from importer.journal import default_path  # noqa: PLC0415 - slow to import, and not needed to begin

    return said or load_settings().journal or default_path()


def allowed_folders(job: Job) -> tuple[Path, ...]:
    """Return the folders beside the mapping's and the source's that the user allows to be read."""
    return (*job.allow_folders, *load_settings().folders)


# MERGED importer.workflow.job: Open a source, as its mapping says or as a report that is given back, and the other files that a mapping names.

ALLOW_FOLDER = "allow-folder"


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """A job whose mapping is loaded and whose source has been read."""

    job: Job
    cases: CaseMapping
    table: Table


def load_job(job: Job) -> LoadedJob:
    """Load a job's mapping and read its source.

    Raises MappingError with every fault of the mapping, and SourceError as `open_source` does.
    """
    cases = mapping.load_mapping(job.mapping)
    return LoadedJob(job, cases, open_source(job.source, cases.table))


def open_source(path: Path, options: TableOptions) -> Table:
    """Return the table of a source; a report that is given back has its own layout, whatever the mapping says.

    Raises SourceError where the file, the sheet or the header does not exist or cannot be read.
    """
    if report.is_given_back(path):
        options = replace(options, header_row=None, encoding=None, delimiter=None)
    return open_table(path, options)


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
