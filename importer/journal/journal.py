"""The journal as the rest of the program uses it: one object whose attributes are its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from platformdirs import user_data_path
from sqlalchemy import Connection

from importer.errors import JournalError
from importer.journal.adoptions import Adoptions
from importer.journal.attempts import Attempts
from importer.journal.contact_attempts import ContactAttempts
from importer.journal.contacts import Contacts
from importer.journal.contents import Contents
from importer.journal.copies import Copies
from importer.journal.database import Database
from importer.journal.doubts import Doubts
from importer.journal.imports import Decisions, Imports
from importer.journal.kept_outcomes import take_in_what_was_kept_aside
from importer.journal.mark import Marks, Scope
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.provenance import Provenance
from importer.journal.purging import Purges
from importer.journal.queue import ImportQueue
from importer.journal.rows import Rows
from importer.journal.runs import Runs
from importer.journal.slots import TokenSlots, token_scope
from importer.journal.sqlite_database import SqliteDatabase
from importer.journal.standing import KnownImport, Standing
from importer.journal.updates import Updates
from importer.journal.verifications import Verifications
from importer.journal_place import Place, Server, resolved
from importer.system.clock import Clock

_CLOCK = Clock()


def default_path() -> Path:
    """Return the journal's path unless `--journal` names another: in the user's data folder."""
    return user_data_path("case-importer", appauthor=False) / "journal.db"


class Journal:
    """An open journal; use it as a context manager.

    `marks` are the user's own unless others are given. Raises errors.JournalError where the file cannot be used.
    """

    def __init__(self, place: Place, clock: Clock | None = None, *, marks: Marks | None = None) -> None:
        """Open the journal at a place, creating it if there is none; its clock is the place's own but in tests."""
        self._marks = marks or Marks(clock=(clock or _CLOCK).wall)
        try:
            was_there = None if self._marks.problem else self._marks.at_path(resolved(place))
            self._database: Database = (
                PostgresDatabase(place, clock)
                if isinstance(place, Server)
                else SqliteDatabase(place, clock or _CLOCK, was_there)
            )
        except BaseException:
            self._marks.close()
            raise
        self.path, self.clock, self._is_open = place, self._database.clock, True
        try:
            self._provenance = Provenance(self._database, self._marks, was_there)
            self.mark = self._provenance.mark
            self.imports = Imports(self._database)
            self.runs = Runs(self._database)
            self.rows = Rows(self._database)
            self.contents = Contents(self._database)
            self.attempts = Attempts(self._database)
            self.contact_attempts = ContactAttempts(self._database)
            self.updates = Updates(self._database)
            take_in_what_was_kept_aside(self._database, (self.attempts, self.contact_attempts, self.updates))
            self.contacts = Contacts(self._database)
            self.doubts = Doubts(self._database)
            self.adoptions = Adoptions(self._database)
            self.verifications = Verifications(self._database)
            self.copies = Copies(self._database, self.attempts, self.contact_attempts, self.updates)
            self.decisions = Decisions(self._database)
            self.purges = Purges(self._database)
            self.queue = ImportQueue(self._database)
        except BaseException:
            self._close_files()
            raise

    @property
    def standing(self) -> Standing:
        """Whether the journal is what it was when this computer last used it, and so may send."""
        return self._provenance.standing

    @property
    def id(self) -> str:
        """The journal's id, whatever the path of its file."""
        return self._provenance.journal_id

    def trust_again(self, reason: str, up_to: int = 0) -> None:
        """Accept the journal as it is from now on, for the reason that an option names; the decision is recorded.

        `look-first` recovers what it lacks row by row: until that is done, `must_look_first` is true of each import
        that has used the journal. `up_to` is the highest attempt that a report knew of, if one did.
        """
        self._provenance.trust_again(reason, up_to)

    def require_looking(self, scope: Scope) -> None:
        """Make `must_look_first` true of each source of an import until `looked_first` is called for it."""
        self._provenance.require_looking(scope)

    def must_look_first(self, scope: Scope, source: str = "") -> bool:
        """Tell whether rows of a source, by its digest, may be in the CRM although this journal calls them planned."""
        return self._provenance.must_look_first(scope, source)

    def looked_first(self, scope: Scope, source: str) -> None:
        """Note that the CRM was searched for every row of a source that would have been sent."""
        self._provenance.looked_first(scope, source)

    def need_not_look(self, scope: Scope) -> None:
        """Note that nothing of an import has to be searched any more, as a person says."""
        self._provenance.need_not_look(scope)

    def note_computer(self) -> None:
        """Accept that the journal was moved to this computer (--moved-here).

        Raises JournalError where more than that is wrong with the journal.
        """
        self._provenance.note_computer()

    def marks_know(self, scope: Scope) -> KnownImport | None:
        """Return which other journal of this computer has sent for an import for which this one never did."""
        return self._provenance.marks_know(scope)

    def lost_at(self, scope: Scope) -> float | None:
        """Return when this computer last sent what the journal may lack, in seconds since 1970, or None for nothing.

        Raises JournalError where the marks cannot be read.
        """
        return self._provenance.lost_at(scope)

    def highest_attempt(self) -> int:
        """Return the number of the newest attempt, 0 before the first."""
        return self._provenance.reached().attempt_id

    def raise_update(self, update_id: int, token: str) -> None:
        """Raise the mark to an update whose intent is committed; only then may its first byte be sent.

        Raises JournalError where that fails: then nothing may be sent.
        """
        self._provenance.raise_update(update_id, token)

    def is_behind(self, journal_id: str, attempt_id: int) -> bool:
        """Tell whether a report of this journal (by the beginning of its id) knows an attempt that is missing here."""
        return self._provenance.is_behind(journal_id, attempt_id)

    @property
    def is_shared(self) -> bool:
        """Whether several machines may use it."""
        return isinstance(self._database.place, Server)

    def token_slots(self, tenant: str, operation: str, token: str) -> TokenSlots | None:
        """Return the slots of a token, shared by all machines that use this journal; None where it is one computer's.

        There a process keeps the limits itself: two durable commits more for each request would cost more than they
        are worth, and a process that was killed would keep its slots for a minute.
        """
        if not self.is_shared:
            return None
        return TokenSlots(self._database, token_scope(tenant, operation, token, self.rows.column_secret))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def move(self, target: Place) -> None:
        """Move the journal to another file while no row is being sent; this one is retired and names the new one.

        Raises JournalError where a row is being sent, the target exists, or its folder is not safe for SQLite.
        """
        reached = self._provenance.reached()
        self.copies.move(target)
        if self.standing.may_send:
            self._provenance.moved(resolved(target), reached)

    def check(self) -> list[str]:
        """Return what is damaged; an empty list where the journal is sound and may be written.

        Raises JournalError where it is too damaged to be read, or locked.
        """
        return [problem.message for problem in self.copies.damages()]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for what is read across all parts; only this package speaks SQL."""
        with self._database.read() as connection:
            yield connection

    def close(self) -> None:
        """Raise the mark to what the journal has now, and close the file; what was committed is on the disk."""
        if not self._is_open:
            return
        try:
            self._provenance.leave()
        except JournalError:
            pass  # replaced, full or locked: its last use has raised that already; the mark stays where it was
        finally:
            self._close_files()

    def _close_files(self) -> None:
        self._is_open = False
        self._database.close()
        self._marks.close()
