"""What can go wrong with a whole command, as one tree.

    ImporterError                  carries a sentence for the user and an exit status
    ├── UsageError            2    the call: an option, a combination of options, a declined prompt
    ├── SourceError           2    the spreadsheet: missing, unreadable, no such sheet, no header
    ├── MappingError          2    the mapping file: every fault with its line and column
    ├── SettingsError         2    server, operation, token
    ├── StartRefused          2    a start that could make second cases
    ├── JournalError          2    the journal: unreadable, of a newer program, on a bad disk
    │   └── JournalFull       3    the disk is full
    ├── RunStopped            3    a run that had begun to send cannot go on
    ├── ReportError           2    the report cannot be written where it was asked for
    ├── AttachmentChanged          a file is no longer what was checked (of one row, never of a run)
    ├── ServerUnreachable     3    nothing answers there, or not now
    │   └── QuestionRefused   3    the CRM answers, but not this one question
    └── ConnectionRefused     5    a person must mend the connection: certificate, token, operation, path

A fault of one row or one cell is no exception: it is a `model.Issue`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class ImporterError(Exception):
    """A command cannot go on; `str(error)` is the sentence that the user reads."""

    exit_status: ClassVar[int] = 2


class UsageError(ImporterError):
    """The call itself is at fault."""


class SourceError(ImporterError):
    """A spreadsheet cannot be read as it is."""


@dataclass(frozen=True, slots=True)
class MappingFault:
    """One fault of a mapping file, at its place; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """Return `file:line:column: path: message`, as compilers write it."""
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class MappingError(ImporterError):
    """A mapping file has faults; all of them, in the order of their lines."""

    def __init__(self, faults: tuple[MappingFault, ...]) -> None:
        """Keep the faults; the sentence is one line for each."""
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class SettingsError(ImporterError):
    """Server, operation or token are missing or unusable."""


class StartRefused(ImporterError):
    """The start could make second cases, and a person has to say how to go on."""


class JournalError(ImporterError):
    """The journal cannot be used."""


class JournalFull(JournalError):
    """The disk under the journal is full."""

    exit_status = 3


class RunStopped(ImporterError):
    """A run that had begun to send cannot go on now; the same command takes it up again."""

    exit_status = 3


class ReportError(ImporterError):
    """The report cannot be written."""


class AttachmentChanged(ImporterError):
    """A file is no longer what it was when it was checked."""


class ServerUnreachable(ImporterError):
    """Nothing answers at the server's address."""

    exit_status = 3


class QuestionRefused(ServerUnreachable):
    """The CRM refuses one question in its own words; it may answer others."""


class ConnectionRefused(ImporterError):
    """The connection cannot be used until a person mends it."""

    exit_status = 5
