"""Takes in the outcomes that were kept aside while the disk was full, once the journal is opened again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from importer.journal import rescue
from importer.journal.database import Database


class OutcomeTaker(Protocol):
    """The attempts of one kind, of rows or of contacts."""

    def take_in(self, connection: Connection, kept: rescue.KeptOutcome) -> bool:
        """Write an outcome that was kept aside; False where it is not of this kind."""


def take_in_what_was_kept_aside(database: Database, kinds: Sequence[OutcomeTaker]) -> None:
    """Write the outcomes that were kept aside, and reserve room for the next time.

    Writing an outcome twice changes nothing, so that two processes, or a crash in between, do no harm. Raises
    JournalError for one that belongs to another journal that was here.
    """
    path = database.path
    with database.write() as connection:
        rescue.prepare(path)
        content = rescue.kept(path)
        for kept in rescue.outcomes(path, content):
            if not any(kind.take_in(connection, kept) for kind in kinds):
                raise rescue.refusal(path, kept.line)
    if content:
        with database.write():
            rescue.forget(path, content)
