"""What `case-importer journal` does with a whole journal: check it, copy it, move it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from importer.commands import adopt_command, command_line, placeholder
from importer.errors import JournalError
from importer.journal.attempts import Attempts
from importer.journal.backup import copy_to, own_backups
from importer.journal.contact_attempts import ContactAttempts
from importer.journal.contacts import ContactState
from importer.journal.database import Database
from importer.journal.handing_over import copy_from_server, copy_to_server
from importer.journal.schema import contacts, facts, imports, rows, updates
from importer.journal.storage import refuse_unsafe
from importer.journal.updates import Updates
from importer.journal_place import Place, Server, resolved
from importer.messages import _, ngettext
from importer.model import Status
from importer.model.edits import UpdateState


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
            check=command_line("journal", "check", "--journal", self._database.place),
            adopt=adopt_command(into_another=True),
        )
        lines, torn = self._database.damages()
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
        """Copy the journal while others may write; return its path: `target`, or a name with the time beside it.

        Raises JournalError for a journal on a server, which is backed up with the server's own means.
        """
        path = self._database.place
        if isinstance(path, Server):
            raise JournalError(
                _(
                    "{path}: a journal on a server is backed up together with its database, by whoever runs the server"
                    " (pg_dump, or continuous archiving). `{command}` makes a file of it while no run uses it.",
                    path=path,
                    command=command_line("journal", "copy", placeholder("FILE"), "--journal", path),
                )
            )
        if target is None:
            stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
            target = path.with_name(f"{path.stem}.{stamp}.backup{path.suffix}")
        return copy_to(path, target)

    def own_backups(self, before: float) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Return the backups that this program made beside the journal under names of its own: older ones, newer ones.

        What a person named is that person's. A backup is as old as its file.
        """
        place = self._database.place
        found = () if isinstance(place, Server) else own_backups(place)
        older = tuple(path for path in found if path.stat().st_mtime < before)
        return older, tuple(path for path in found if path not in older)

    def remove_backup(self, path: Path) -> None:
        """Remove a backup; raises JournalError where that fails."""
        with self._database.explained():
            path.unlink(missing_ok=True)

    def copy(self, target: Place) -> Place:
        """Copy the journal while no row is being sent; raises JournalError where one is, or the target exists."""
        self._expire()
        with self._database.write() as connection:
            self._refuse_while_sending(connection)
            return self._copied(connection, target)

    def move(self, target: Place) -> None:
        """Copy the journal while no row is being sent, and retire this one: it names the new one when it is opened.

        Raises JournalError where a row is being sent, the target exists, or its folder is not safe for SQLite.
        """
        target = resolved(target)
        if not isinstance(target, Server):
            refuse_unsafe(target)
        self._expire()
        with self._database.write() as connection:
            self._refuse_while_sending(connection)
            if not isinstance(target, Server):
                with self._database.explained():
                    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._copied(connection, target)
            connection.execute(insert(facts).values(name="moved_to", value=str(target)))

    def _copied(self, connection: Connection, target: Place) -> Place:
        """Copy what is committed to a new file, or to a server that has no journal yet."""
        here = self._database.place
        if isinstance(target, Server):
            return copy_to_server(connection, target)
        if isinstance(here, Server):
            return copy_from_server(connection, here, target)
        return copy_to(here, target)

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
                    path=self._database.place,
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
                    path=self._database.place,
                )
            )
