"""The truth about every row: what was intended, what became of it, and which case it is.

One SQLite file in the user's data folder. Nothing else in the program speaks SQL.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from platformdirs import user_data_path

from importer.clock import Clock
from importer.journal.attempts import Attempt, Attempts, Concluded, Intent
from importer.journal.database import Database
from importer.journal.decisions import Decisions
from importer.journal.imports import ImportRecord, Imports
from importer.journal.rows import KnownRow, Rows
from importer.journal.runs import RowChange, RunRecord, Runs, RunStart
from importer.journal.schema import moment
from importer.journal.settling import Adopted, Decision, Dispute, Doubt, Settling
from importer.journal.user import program_name, user_name

__all__ = [
    "Adopted",
    "Attempt",
    "Concluded",
    "Decision",
    "Dispute",
    "Doubt",
    "ImportRecord",
    "Intent",
    "Journal",
    "KnownRow",
    "RowChange",
    "RunRecord",
    "RunStart",
    "default_path",
    "moment",
    "program_name",
    "user_name",
]


_CLOCK = Clock()


def default_path() -> Path:
    """Return where the journal lies unless `--journal` says otherwise: the user's data folder."""
    return user_data_path("case-importer", appauthor=False) / "journal.db"


class Journal:
    """An open journal; use it as a context manager.

    Raises errors.JournalError where the file cannot be used.
    """

    def __init__(self, path: Path, clock: Clock = _CLOCK) -> None:
        self._database = Database(path, clock)
        self.path, self.clock = path, clock
        self.imports = Imports(self._database)
        self.runs = Runs(self._database)
        self.rows = Rows(self._database)
        self.attempts = Attempts(self._database)
        self.settling = Settling(self._database)
        self.decisions = Decisions(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> list[str]:
        """Return what SQLite finds damaged in the file, nothing where it is sound and may be written.

        Raises JournalError where the file is too damaged to look at, or locked.
        """
        return self._database.damages()

    def close(self) -> None:
        """Close the file; what was committed is on the disk."""
        self._database.close()
