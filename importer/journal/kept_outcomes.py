"""Takes in the outcomes that were kept aside while the disk was full, once the journal is opened again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from importer.journal import rescue
from importer.journal.database import Database
from importer.journal.leases import Attempt
from importer.model import Outcome


class OutcomeTaker(Protocol):
    """The attempts of one kind: of rows, of contacts, or of updates."""

    def take_in(self, connection: Connection, kept: rescue.KeptOutcome) -> bool:
        """Write an outcome that was kept aside; False where it is not of this kind."""


def keep_aside(database: Database, attempt: Attempt, outcome: Outcome) -> None:
    """Keep an outcome that the journal did not take; raises JournalError where there is no room for it either."""
    with database.keep_aside():
        rescue.keep(database.beside, rescue.KeptOutcome(attempt.id, attempt.token, attempt.reference, outcome))


def take_in_what_was_kept_aside(database: Database, kinds: Sequence[OutcomeTaker]) -> None:
    """Write the outcomes that were kept aside, and reserve room for the next time.

    Writing an outcome twice changes nothing, so that two processes, or a crash in between, do no harm. Raises
    JournalError for one that belongs to another journal that was here.
    """
    path = database.beside
    with database.guarding_what_is_aside():
        rescue.prepare(path)
        content = rescue.kept(path)
    if not content:
        return
    with database.write() as connection:
        for kept in rescue.outcomes(path, content):
            if not any(kind.take_in(connection, kept) for kind in kinds):
                raise rescue.refusal(path, kept.line)
    with database.guarding_what_is_aside():
        rescue.forget(path, content)
