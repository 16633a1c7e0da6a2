"""What a command was asked to do, and the files that this names: mapping, source, journal, and other tables."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from importer import mapping, report, settings
from importer.commands import shell_words
from importer.errors import SourceError, UsageError
from importer.identity import Scope, same_tenant, tenant_of
from importer.journal import Journal, RunRecord, state_path
from importer.journal import default_path as default_journal_path
from importer.journal_place import Place, Server, place_of_environment
from importer.mapping import CaseMapping, TableNeed
from importer.messages import _
from importer.model import Status, TableOptions
from importer.periods import Period
from importer.questions import Answer, Question, QuestionsOpen
from importer.settings import TRUST_SERVER, Connection, load_settings
from importer.source import Table, open_table
from importer.workflow.tenant_facts import QUIET_PERIOD

ALLOW_FOLDER = "allow-folder"

_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")
_MAPPINGS = (".yml", ".yaml")


class GivenAnswer(NamedTuple):
    """An answer that a program gave: to which question, what that was about, and the value of the answer."""

    code: str
    about: str
    value: str


@dataclass(frozen=True, slots=True)
class Job:
    """A source, a mapping, and the options of the command; None means that an option was not given.

    `html` and `write_back` ask for a page and for the sheet in the source workbook, `share` for a report without
    what is private. `only` selects rows by state; empty means all rows. `rate` is in rows per second,
    `quiet_period` in seconds; `keep_quota` is a number of calls. `concurrency` is how many requests this process
    makes at once, and `token_limit` all machines together, None for as many. `same_as` names the import that this
    one continues, `new_import` means that it continues none, `same_tickets` that rows with known keys are the same
    tickets, edited since. `accept_changes` takes edits of created rows as known, and sends nothing of them.
    `look_first` searches the CRM for every row before it is sent, `spot_check` for so many rows of a new source.
    `until` is when to stop sending. `allow_folders` may be read although they are not those of the mapping or the
    source. `moved_here` means that the journal was moved to this computer, `nothing_was_sent` that nothing was sent
    although the high-water mark knows the import. `retention` is how long the journal keeps what it does not need,
    None as the settings say. `answers` are those that a program gave to single questions (`with_answer`).
    """

    source: Path
    mapping: Path
    connection: Connection = field(default_factory=Connection)
    journal: Place | None = None
    report: Path | None = None
    html: bool = False
    write_back: bool = False
    share: bool = False
    only: tuple[str, ...] = ()
    limit: int | None = None
    concurrency: int = 2
    token_limit: int | None = None
    rate: float | None = None
    only_if_all_valid: bool = False
    first_run: bool = False
    retry_rejected: bool = False
    accept_changes: bool = False
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
    retention: Period | None = None
    answers: tuple[GivenAnswer, ...] = ()

    def with_answer(self, question: Question, answer: Answer) -> Job:
        """Return the job with this answer to a question: a run then acts on it, and remembers it, as on its option."""
        fields: dict[str, Any] = dict(answer.gives)
        if question.code == ALLOW_FOLDER:
            fields["allow_folders"] = (*self.allow_folders, Path(question.about))
        elif question.code == TRUST_SERVER:
            fields["connection"] = replace(self.connection, trust_server=True)
        given = (*self.answers, GivenAnswer(question.code, question.about, answer.value))
        return replace(self, answers=given, **fields)

    def given(self, question: Question) -> Question:
        """Return a question with the answer that a program gave to it, if it did."""
        last = {(one.code, one.about): one.value for one in self.answers}.get((question.code, question.about))
        ways = (*question.answers, *question.further)
        answer = next((answer for answer in ways if answer.value == last), None)
        return question if answer is None else replace(question, given=answer)

    @property
    def journal_path(self) -> Place:
        """Where the journal is."""
        return journal_path(self.journal)

    @property
    def keeps_for(self) -> Period | None:
        """How long the journal keeps what it does not need, None without end."""
        return self.retention or load_settings().retention

    @property
    def requests_at_once(self) -> int:
        """How many requests with the token may be in flight, on all machines together."""
        return self.token_limit or self.concurrency

    @property
    def journal_files(self) -> tuple[Path, Path]:
        """The files that change when something is sent; of a journal on a server, those that know what is sent here."""
        file = state_path() if isinstance(self.journal_path, Server) else self.journal_path
        return file, file.with_name(f"{file.name}-wal")

    @property
    def report_path(self) -> Path:
        """Where the report goes."""
        return self.report or report.default_path(self.source)

    @property
    def tries_rejected(self) -> bool:
        """Whether unchanged rejected rows are sent again."""
        return self.retry_rejected or Status.REJECTED in self.only


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """A job with its mapping loaded and its source read."""

    job: Job
    case_mapping: CaseMapping
    table: Table

    def going_to(self, server: str, operation: str) -> LoadedJob:
        """Return the job with this server and operation."""
        connection = replace(self.job.connection, server=server, operation=operation)
        return replace(self, job=replace(self.job, connection=connection))


def load_job(job: Job) -> LoadedJob:
    """Load a job's mapping and read its source.

    Raises MappingError with every fault of the mapping, and SourceError as `open_source` does.
    """
    case_mapping = mapping.load_mapping(job.mapping)
    return LoadedJob(job, case_mapping, open_source(job.source, case_mapping.table))


def open_source(path: Path, options: TableOptions) -> Table:
    """Read a source and return its table.

    Raises SourceError if the file, the sheet or the header is missing or cannot be read, or for a rehearsal's report.
    """
    refuse_hand_over(path)
    if report.is_given_back(path):  # the mapping describes the layout of the source, not of a report made from it
        table = open_table(path, replace(options, header_row=None, encoding=None, delimiter=None))
        if report.own_columns(table.columns):
            _refuse_rehearsal(table)
            return table
    return open_table(path, options)


def refuse_hand_over(path: Path) -> None:
    """Raise SourceError for the hand-over workbook of an import, whatever its name is now."""
    if report.is_hand_over(path):
        raise SourceError(
            _(
                "{path} is the hand-over of an import, not a sheet of tickets. Give the sheet that was imported, or its"
                " report.",
                path=path,
            )
        )


def _refuse_rehearsal(table: Table) -> None:
    """Raise SourceError for the report of a rehearsal, whatever its name is now: nothing in it reached the CRM."""
    column = report.own_columns(table.columns)["reference"]
    cells = (str(cell).strip() for frame in islice(table.frames(), 1) for cell in frame[column])
    if any(map(report.is_rehearsed, cells)):
        raise SourceError(
            _(
                "{path} is the report of a rehearsal: nothing in it reached the CRM, and its ids are not real."
                " Use the sheet that was rehearsed, or the report of a run.",
                path=table.path,
            )
        )


class OpenedTables(NamedTuple):
    """The tables that a mapping needs beside its source: frames to look texts up in, and tables that stay on disk."""

    lookups: Mapping[TableNeed, Sequence[pd.DataFrame]]
    rows: Mapping[TableNeed, Table]


def open_tables(case_mapping: CaseMapping, source: Path, allowed: Iterable[Path]) -> OpenedTables:
    """Return every other table that a mapping needs, in other files or in the source itself.

    Raises QuestionsOpen if the mapping names a folder that the user has not allowed, and SourceError for a table that
    cannot be read, or is a device or a pipe.
    """
    if questions := folder_questions(case_mapping, source, allowed):
        raise QuestionsOpen(questions)
    lookups = {need: list(_open_need(need, source).frames()) for need in case_mapping.tables}
    return OpenedTables(lookups, {need: _open_need(need, source) for need in case_mapping.row_tables})


def scope_of(job: Job, case_mapping: CaseMapping) -> Scope:
    """Return the scope of a job; parts that are not known are empty, which commands that send do not allow."""
    server, operation = settings.server_and_operation(job.connection, connection_in(case_mapping))
    return Scope(tenant_of(server) if server else "", operation or "", case_mapping.import_name)


def at_known_place(loaded: LoadedJob, journal: Journal) -> LoadedJob:
    """Return a job with the server and operation of the only import of its name, where it does not name both itself.

    A job of which the journal knows no import stays as it is. Raises UsageError, with the choices, if it knows several.
    """
    scope = scope_of(loaded.job, loaded.case_mapping)
    if scope.tenant and scope.operation:
        return loaded
    runs = journal.runs.all()
    known = [
        (tenant, operation, record)
        for tenant, operation, record in journal.imports.scopes_named(scope.import_name)
        if (not scope.tenant or same_tenant(tenant, scope.tenant)) and scope.operation in {"", operation}
    ]
    if len(known) > 1:  # one that created nothing, such as under a mistyped operation, stands in nobody's way
        known = [place for place in known if journal.rows.has_cases(place[2].id)] or known
    places = [(_server_of(runs, tenant, record.id), operation) for tenant, operation, record in known]
    if len(places) > 1:
        options = (shell_words("--server", server, "--operation", operation) for server, operation in places)
        raise UsageError(
            _(
                "The journal knows several imports named {name}. Add the server and operation of the one that is"
                " meant: {choices}.",
                name=scope.import_name,
                choices=_(" or ").join(f"`{words}`" for words in options),
            )
        )
    return loaded.going_to(*places[0]) if places else loaded


def at_place_of(loaded: LoadedJob, journal: Journal, run: RunRecord) -> LoadedJob:
    """Return a job with the server and operation of a run, unless those that it names lead to the same import."""
    scope = scope_of(loaded.job, loaded.case_mapping)
    found = journal.imports.find(*scope.parts) if scope.tenant and scope.operation else None
    is_same = found is not None and found.id == run.import_id
    return loaded if is_same else loaded.going_to(run.start.server, run.operation)


def _server_of(runs: Iterable[RunRecord], tenant: str, import_id: int) -> str:
    """Return the address to which an import was sent last in a tenant, or the tenant's own where no run tells."""
    servers = (run.start.server for run in runs if run.import_id == import_id)
    return next((server for server in servers if same_tenant(tenant_of(server), tenant)), f"https://{tenant}")


def connection_in(case_mapping: CaseMapping) -> Connection:
    """Return the mapping's part of the connection settings."""
    return Connection(case_mapping.server, case_mapping.operation, file=case_mapping.path)


def journal_path(option: Place | None) -> Place:
    """Return where the journal is: as the option, the environment or the settings say, or in the user's data folder."""
    return option or place_of_environment() or load_settings().journal or default_journal_path()


def allowed_folders(job: Job) -> tuple[Path, ...]:
    """Return the folders that the user allows to be read, apart from those of the mapping and the source."""
    return (*job.allow_folders, *load_settings().folders)


def folder_questions(case_mapping: CaseMapping, source: Path, allowed: Iterable[Path]) -> list[Question]:
    """Return the question for each named folder outside those of the mapping and the source and the allowed ones.

    Folders are compared by their real paths, so that neither `..` nor a link can lead outside unnoticed.
    """
    inside = [_real(folder) for folder in (case_mapping.path.absolute().parent, source.absolute().parent, *allowed)]
    outside: dict[Path, str] = {}
    for folder, named in _named_folders(case_mapping, source):
        if not any(folder.is_relative_to(allowed_folder) for allowed_folder in inside):
            outside.setdefault(folder, named)
    return [_folder_question(case_mapping, folder, named) for folder, named in outside.items()]


class FilesPlace(NamedTuple):
    """Where a relative attachments folder starts; `lost` is the sheet of a report that is no longer where it was."""

    beside: Path
    lost: str | None = None


def place_of_files(source: Path, case_mapping: CaseMapping) -> FilesPlace:
    """Return where the attachments folder of a source starts: beside it, or beside the sheet that a report is of.

    The sheet counts as long as the folder is beside it: a report may have been written to any other folder.
    """
    own = source.absolute().parent
    if case_mapping.attachments is None or case_mapping.attachments.folder.is_absolute():
        return FilesPlace(own)
    lost, report_of = None, recorded_source(source)
    seen = {source.absolute()}
    while report_of is not None and Path(report_of) not in seen:
        path = Path(report_of)
        folder = path.parent / case_mapping.attachments.folder
        if path.is_absolute() and os.path.exists(folder):  # noqa: PTH110 - False also for what no path can be
            return FilesPlace(path.parent)
        lost = lost or report_of
        seen.add(path)
        report_of = recorded_source(path)  # a report that was corrected has a report, too
    return FilesPlace(own, lost)


def recorded_source(path: Path) -> str | None:
    """Return the path that a report names as its source, None if it is no report or names none."""
    if not report.is_given_back(path):
        return None
    texts = (text.strip() for text in report.summary_texts(path, open_table))
    return next((text for text in texts if _ABSOLUTE.match(text) and not text.lower().endswith(_MAPPINGS)), None)


def _open_need(need: TableNeed, source: Path) -> Table:
    if need.path is None:
        return open_table(_workbook_of(source), need.options)
    if need.path.exists() and not stat.S_ISREG(need.path.stat().st_mode) and not need.path.is_dir():
        raise SourceError(_("{path} is a device or a pipe. The mapping can only name ordinary files.", path=need.path))
    return open_table(need.path, need.options)


def _workbook_of(source: Path) -> Path:
    """Return the file with the other sheets of a source: of a report given back, the one that it is a report of."""
    path, seen = source.absolute(), set[Path]()
    while (report_of := recorded_source(path)) is not None and path not in seen:
        seen.add(path)
        if not os.path.isfile(report_of):  # noqa: PTH113 - False also for what no path can be
            return source
        path = Path(report_of)
    return path if seen else source


def _named_folders(case_mapping: CaseMapping, source: Path) -> Iterable[tuple[Path, str]]:
    """Yield the real path of every folder from which a mapping reads files, and the text that names it."""
    needs = (*case_mapping.tables, *case_mapping.row_tables)
    for need in needs:
        if need.path is not None:
            yield _real(need.path).parent, str(need.path)
    if any(need.path is None for need in needs):
        workbook = _workbook_of(source)
        yield _real(workbook).parent, str(workbook)
    if case_mapping.attachments is not None:
        folder = place_of_files(source, case_mapping).beside / case_mapping.attachments.folder
        yield _real(folder), str(case_mapping.attachments.folder)


def _folder_question(case_mapping: CaseMapping, folder: Path, named: str) -> Question:
    sentence = _(
        "{file} names {named}, which is neither in its own folder nor in the source's. May files in {folder} be read"
        " and sent with the cases?",
        file=case_mapping.path,
        named=named,
        folder=folder,
    )
    return Question(ALLOW_FOLDER, sentence, (Answer("yes", shell_words("--allow-folder", folder)),), str(folder))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
