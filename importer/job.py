"""What a command was asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from importer.findings import QUIET_PERIOD
from importer.mapping import CaseMapping
from importer.model import Status
from importer.settings import Connection, load_settings


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
