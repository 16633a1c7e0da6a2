"""The errors that end a command, as one tree.

    ImporterError                  carries a sentence for the user and an exit status
    ├── UsageError            2    the command line: an option, a combination of options, a declined prompt
    ├── SourceError           2    the spreadsheet: missing, unreadable, no such sheet, no header
    ├── MappingError          2    the mapping file: every fault with its line and column
    ├── MappingChanged        2    the mapping file was changed since it was opened for editing
    ├── SettingsError         2    server, operation, token
    ├── StartRefused          2    a start that could create second cases
    ├── JournalError          2    the journal: unreadable, from a newer version, on a bad disk
    │   ├── JournalPathRefused   it cannot be where it is
    │   ├── JournalUnreachable   its server does not answer, or not now
    │   └── JournalFull       3    the disk is full
    ├── RunStopped            3    a run that had begun to send cannot go on
    ├── ReportError           2    the report cannot be written
    │   └── ReportPathRefused      not where it was asked for
    ├── AttachmentChanged          a file is not what was checked (concerns one row, never a run)
    ├── ServerUnreachable     3    the server does not answer, or not now
    │   └── QuestionRefused   3    the CRM answers, but refuses this one question
    └── ConnectionRefused     5    the connection needs fixing: certificate, token, operation, path

A fault of one row or cell is not an exception: it is a `model.Issue`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from importer.model import Outcome


class ImporterError(Exception):
    """A command cannot continue; `str(error)` is the sentence that the user reads."""

    exit_status: ClassVar[int] = 2
    instead: tuple[str, ...] = ()
    """Options with which the same command may go on, what is to be filled in in capitals; shown as a whole command."""


class UsageError(ImporterError):
    """The command line is at fault."""


class SourceError(ImporterError):
    """A spreadsheet cannot be read."""


@dataclass(frozen=True, slots=True)
class MappingFault:
    """One fault of a mapping file, with its location; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """Return `file:line:column: path: message`, as compilers write it."""
        location = f"{self.file}:{self.line}:{self.column}"
        return f"{location}: {self.path}: {self.message}" if self.path else f"{location}: {self.message}"


class MappingError(ImporterError):
    """A mapping file has faults; `faults` are all of them, in the order of their lines."""

    def __init__(self, faults: tuple[MappingFault, ...], sentence: str | None = None) -> None:
        """Keep the faults; the sentence has one line for each, unless there is another for the file as a whole."""
        self.faults = faults
        super().__init__(sentence or "\n".join(str(fault) for fault in faults))


class MappingChanged(ImporterError):
    """A mapping file was changed by somebody else since it was opened, so that an edit is not written over that."""


class SettingsError(ImporterError):
    """Server, operation or token is missing or unusable."""


class StartRefused(ImporterError):
    """The start could create second cases, and a person has to say how to continue."""

    def __init__(self, sentence: str, *, looking_helps: bool = False) -> None:
        """Keep whether a search for every row before it is sent is one way to continue."""
        super().__init__(sentence)
        self.looking_helps = looking_helps


class JournalError(ImporterError):
    """The journal cannot be used."""


class JournalPathRefused(JournalError):
    """The journal cannot be where it is."""

    instead = ("--journal", "FILE")


class JournalUnreachable(JournalError):
    """The server of the journal does not answer, or refuses the connection."""


class JournalFull(JournalError):
    """The disk under the journal is full."""

    exit_status = 3


class RunStopped(ImporterError):
    """A run that had begun to send cannot continue now; the same command resumes it."""

    exit_status = 3


class ReportError(ImporterError):
    """The report cannot be written."""


class ReportPathRefused(ReportError):
    """The report cannot be written where it was asked for."""

    instead = ("--report", "FILE")


class AttachmentChanged(ImporterError):
    """A file has changed since it was checked."""


class ServerUnreachable(ImporterError):
    """The server does not answer; `outcome` is what that means for the pace of further calls."""

    exit_status = 3
    outcome: Outcome | None = None


class QuestionRefused(ServerUnreachable):
    """The CRM refuses one question with a message of its own; it may answer others."""


class ConnectionRefused(ImporterError):
    """The connection cannot be used until someone fixes it; `outcome` as for `ServerUnreachable`."""

    exit_status = 5
    outcome: Outcome | None = None
