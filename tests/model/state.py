"""Everything that exists at one moment: the journal, the processes, the CRM, a copy, a person's note.

Everything is a frozen value, so that a moment is recognised if it was met before. Cases are numbered in the order in
which the CRM commits them, and the number is the id; attempts are numbered as they begin. 0 means none.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

CONTROL = -1
"""The row of a test case that settling makes; it is not in the sheet."""

NOBODYS_CASE = 99
"""An id that the CRM returned for a case that it never created."""


class State(IntEnum):
    """A row's state in the journal; an invalid or skipped row is not sent and not modelled."""

    PLANNED = 0
    SENDING = 1
    CREATED = 2
    REJECTED = 3
    UNKNOWN = 4
    CONFLICT = 5


DOUBTFUL = frozenset({State.UNKNOWN, State.CONFLICT})


class At(IntEnum):
    """How far a process has come with its row. A stopped or sleeping process stays where it is and takes no step."""

    IDLE = 0
    CLAIMED = 1  # the intent is committed
    READY = 2  # the high-water mark is raised, too
    UPLOADING = 3  # part of a long body is handed over, but not its last chunk
    WAITING = 4  # all of the body is handed over


class Request(IntEnum):
    """The state of an attempt's request at the CRM."""

    NONE = 0  # not all of it has arrived
    IN_WORK = 1  # it may be committed at any moment
    MADE = 2
    REFUSED = 3
    DROPPED = 4


class Row(NamedTuple):
    """A row in a journal; `noted` are ids that arrived for it but are not (or not surely) its case's.

    `gone` are ids of cases of it which a person called deleted.
    """

    state: int = State.PLANNED
    attempt: int = 0
    case: int = 0
    noted: frozenset[int] = frozenset()
    disputed: bool = False
    gone: frozenset[int] = frozenset()


class Journal(NamedTuple):
    """A journal's file: its rows, how many intents it has ever had, and which file it is (a copy is another one)."""

    rows: tuple[Row, ...]
    intents: int = 0
    identity: int = 0


class Process(NamedTuple):
    """A running importer; `file` is the identity of the journal's file that holds its intent.

    `leftover` is an attempt whose answer may still come on the connection that this process uses next.
    """

    machine: int = 0
    at: int = At.IDLE
    attempt: int = 0
    file: int = 0
    leftover: int = 0


class Attempt(NamedTuple):
    """One POST: its row, when it began (and whether the wall clock was a year ahead), and its number in the journal.

    `last_moment` is the latest time at which the CRM may commit it; `case` is the case that it created. After a restart
    of the computer, `begun` is when the program believes that it began. It is `clear` where a journal knows its
    outcome, which only what may be deleted asks for.
    """

    row: int
    begun: int = 0
    ahead: bool = False
    number: int = 0
    request: int = Request.NONE
    last_moment: int = 0
    case: int = 0
    clear: bool = False


class Case(NamedTuple):
    """A case in the CRM: its row, and when its attempt began (and whether the wall clock was ahead)."""

    row: int
    begun: int
    ahead: bool = False


class Note(NamedTuple):
    """What a person found out about an attempt of a row: its case, or 0 for "not created"."""

    row: int
    attempt: int
    case: int


class World(NamedTuple):
    """One moment.

    `journals` and `marks` are by machine; None is a machine that has no journal, or knows no mark. `indexed` is how
    many of the cases the CRM's search shows. `quoted` and `copied` mean that the case of row 2 has the mark of row 1 in
    its text, or at the very place where marks are written. `arrived` are all ids that came in any answer. `deleted` are
    cases that a person deleted in the CRM.
    """

    now: int
    ahead: bool
    journals: tuple[Journal | None, ...]
    marks: tuple[int | None, ...]
    processes: tuple[Process, ...]
    attempts: tuple[Attempt, ...] = ()
    cases: tuple[Case, ...] = ()
    indexed: int = 0
    backup: Journal | None = None
    put_back: bool = False
    note: Note | None = None
    quoted: bool = False
    copied: bool = False
    arrived: frozenset[int] = frozenset()
    restarted: bool = False
    deleted: frozenset[int] = frozenset()

    def attempt(self, number: int) -> Attempt:
        """Return an attempt by its number."""
        return self.attempts[number - 1]

    def cases_of(self, row: int) -> list[int]:
        """Return the ids of a row's cases that really exist in the CRM."""
        return [number for number, case in enumerate(self.cases, 1) if case.row == row and number not in self.deleted]

    def of(self, processes: tuple[Process, ...], attempts: tuple[Attempt, ...]) -> World:
        """Return the moment with other processes and attempts; `_replace` takes three times as long."""
        return World._make((*self[:4], processes, attempts, *self[6:]))

    def with_attempt(self, number: int, attempt: Attempt) -> World:
        """Return the moment with another value of an attempt."""
        return self.of(self.processes, (*self.attempts[: number - 1], attempt, *self.attempts[number:]))

    def with_process(self, which: int, process: Process) -> World:
        """Return the moment with another value of a process."""
        return self.of((*self.processes[:which], process, *self.processes[which + 1 :]), self.attempts)

    def with_journal(self, machine: int, journal: Journal) -> World:
        """Return the moment with another journal on a machine."""
        journals = (*self.journals[:machine], journal, *self.journals[machine + 1 :])
        return World._make((*self[:2], journals, *self[3:]))

    def with_row(self, machine: int, number: int, row: Row) -> World:
        """Return the moment after a commit that changes a row."""
        journal = self.journals[machine]
        assert journal is not None
        rows = (*journal.rows[:number], row, *journal.rows[number + 1 :])
        return self.with_journal(machine, Journal(rows, journal.intents, journal.identity))
