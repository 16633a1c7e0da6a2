"""What `case-importer journal` does with a whole journal: check it, copy it, move it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from importer.commands import adopt_command, command_line
from importer.edits import UpdateState
from importer.errors import JournalError
from importer.journal.attempts import Attempts
from importer.journal.backup import copy_to
from importer.journal.contact_attempts import ContactAttempts
from importer.journal.contacts import ContactState
from importer.journal.database import Database
from importer.journal.schema import contacts, facts, imports, rows, updates
from importer.journal.storage import refuse_unsafe
from importer.journal.updates import Updates
from importer.messages import _, ngettext
from importer.model import Status


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a journal, and what to do about it."""

    message: str
    remedy: str


class Copies:
    """A journal as a whole: whether it is sound, and copies of it."""

    def __init__(
        self, database: Database, attempts: Attempts, contact_attempts: ContactAttempts, made: Updates
    ) -> None:
        self._database, self._attempts, self._updates = database, attempts, made
        self._contact_attempts = contact_attempts

    def damages(self) -> list[Problem]:
        """Return what is damaged in the file, nothing where it is sound and may be written."""
        remedy = _(
            "Restore a backup (`{check}` then says whether it is the newest), or take the ids of the last"
            " reports into a new journal with `{adopt}`.",
            check=command_line("journal", "check", "--journal", self._database.path),
            adopt=adopt_command(into_another=True),
        )
        with self._database.write() as connection:
            lines = [str(line) for line in connection.exec_driver_sql("PRAGMA quick_check").scalars() if line != "ok"]
            torn = len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())
        found = [Problem(_("The file is damaged: {line}", line=line), remedy) for line in lines]
        if torn:
            words = ngettext(
                "{count} record refers to another one that is missing.",
                "{count} records refer to others that are missing.",
                torn,
            )
            found.append(Problem(words, remedy))
        return found

    def states(self) -> Counter[Status]:
        """Return how many rows of all imports are in each state."""
        query = select(rows.c.state, func.count()).group_by(rows.c.state)
        with self._database.read() as connection:
            return Counter({Status(state): number for state, number in connection.execute(query)})

    def back_up(self, target: Path | None = None) -> Path:
        """Copy the journal while others may write; return its path: `target`, or a name with the time beside it."""
        if target is None:
            path = self._database.path
            stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
            target = path.with_name(f"{path.stem}.{stamp}.backup{path.suffix}")
        return copy_to(self._database.path, target)

    def copy(self, target: Path) -> Path:
        """Copy the journal while no row is being sent; raises JournalError where one is, or the target exists."""
        self._expire()
        with self._database.write() as connection:
            self._refuse_while_sending(connection)
            return copy_to(self._database.path, target)

    def move(self, target: Path) -> None:
        """Copy the journal while no row is being sent, and retire this file: it names the new one when it is opened.

        Raises JournalError where a row is being sent, the target exists, or its folder is not safe for SQLite.
        """
        target = target.resolve()
        refuse_unsafe(target)
        self._expire()
        with self._database.write() as connection:
            self._refuse_while_sending(connection)
            with self._database.explained():
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy_to(self._database.path, target)
            connection.execute(insert(facts).values(name="moved_to", value=str(target)))

    def _expire(self) -> None:
        """End attempts whose lease is over, so that only rows that are really being sent are left."""
        with self._database.read() as connection:
            known = connection.scalars(select(imports.c.id)).all()
        for number in known:
            self._attempts.expire(number)
            self._updates.expire(number)
        self._contact_attempts.expire()

    def _refuse_while_sending(self, connection: Connection) -> None:
        in_flight = (rows.c.state == Status.SENDING, updates.c.state == UpdateState.SENDING)
        sending = sum(connection.scalars(select(func.count()).where(which)).one() for which in in_flight)
        if sending:
            raise JournalError(
                ngettext(
                    "{path}: {count} row is being sent right now. Let the run end, then run the same command again.",
                    "{path}: {count} rows are being sent right now. Let the run end, then run the same command again.",
                    sending,
                    path=self._database.path,
                )
            )
        creating = connection.scalars(select(func.count()).where(contacts.c.state == ContactState.SENDING)).one()
        if creating:
            raise JournalError(
                ngettext(
                    "{path}: {count} contact is being created right now. Let the run end, then run the same command"
                    " again.",
                    "{path}: {count} contacts are being created right now. Let the run end, then run the same command"
                    " again.",
                    creating,
                    path=self._database.path,
                )
            )
