"""What the parts of the journal need of a database: durable transactions one after another, and its clock.

A journal is one SQLite file, or a PostgreSQL database that several machines share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, select

from importer.commands import told
from importer.errors import JournalError
from importer.journal.schema import facts
from importer.journal.watched_file import FileTrace
from importer.journal_place import Place
from importer.messages import _
from importer.system.clock import Clock

MOVED_TO = select(facts.c.value).where(facts.c.name == "moved_to")
_MOVED_TO_AS_SQL = str(MOVED_TO.compile(compile_kwargs={"literal_binds": True}))  # asked in every transaction
_BATCH_SIZE = 500  # values in one statement, well under SQLite's limit

T = TypeVar("T")


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values in batches, each small enough for one statement."""
    return (values[start : start + _BATCH_SIZE] for start in range(0, len(values), _BATCH_SIZE))


def is_moved(connection: Connection) -> bool:
    """Tell whether `journal move` has moved a journal elsewhere."""
    return connection.scalars(MOVED_TO).first() is not None


class Database(ABC):
    """An open journal's database, shared by all threads of this process; other processes may have it open too."""

    place: Place
    clock: Clock

    @property
    @abstractmethod
    def beside(self) -> Path:
        """The path beside which outcomes are kept that the database does not take."""

    @abstractmethod
    def write(self, part: str = "", *, patient: bool = False) -> AbstractContextManager[Connection]:
        """Give the connection for a transaction that is on the disk when the block ends, or undone if it raises.

        No other one writes meanwhile; `part` names records which nobody changes without naming it, and then no other
        one writes these. Where many wait, who is `patient` comes last. Raises JournalError where that cannot be, or the
        journal was moved.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """Give the connection for reading what is committed, all of one moment."""

    @abstractmethod
    def keep_aside(self) -> AbstractContextManager[None]:
        """Hold others off, as far as that can be, to write the file of outcomes that is beside the journal."""

    @abstractmethod
    def guarding_what_is_aside(self) -> AbstractContextManager[object]:
        """Hold others off surely, to take outcomes out of that file; raises JournalError where that cannot be."""

    @abstractmethod
    def explained(self) -> AbstractContextManager[None]:
        """Turn errors of the database and the disk into sentences that say what to do."""

    @abstractmethod
    def verify(self) -> None:
        """Raise JournalError where the place no longer names what was opened."""

    @abstractmethod
    def trace(self) -> FileTrace:
        """Return what the marks note of the journal's files."""

    @abstractmethod
    def still_sends(self, in_flight: Select[Any], number: int, token: str, boot: str, lease: float) -> bool:
        """Tell whether an attempt may still send; asked right before the first byte and the last chunk.

        `in_flight` is the query for its `boot` and `lease` while its row is being sent by it and nothing else.
        """

    @abstractmethod
    def damages(self) -> tuple[list[str], int]:
        """Return what is damaged, and how many records refer to others that are missing."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


def refuse_retired(connection: Connection, place: Place) -> None:
    """Raise JournalError where `journal move` has moved the journal, even while this process has it open."""
    refuse_moved(connection.exec_driver_sql(_MOVED_TO_AS_SQL).scalar(), place)


def refuse_moved(elsewhere: str | None, place: Place) -> None:
    """Raise JournalError where a journal was moved elsewhere."""
    if elsewhere:
        raise JournalError(
            told(
                _(
                    "{path}: this journal was moved to {elsewhere}. Use that one (--journal {elsewhere}); nothing"
                    " is sent with this one.",
                    path=place,
                    elsewhere=elsewhere,
                ),
                _(
                    "{path}: this journal was moved to {elsewhere}. Nothing is sent with this"
                    " one: whoever set this program up has to let it use that one.",
                    path=place,
                    elsewhere=elsewhere,
                ),
            )
        )
