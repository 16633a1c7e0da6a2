"""The promise's own room: an intent before the first byte, and what became of it, each in one durable commit."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from importer.errors import JournalFull
from importer.journal import rescue
from importer.journal.database import Database
from importer.journal.imports import moment
from importer.journal.rows import column_set_id
from importer.journal.schema import attempts, rows
from importer.messages import _
from importer.model import Outcome, Status, Verdict

OWNER = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"
"""This process, as a lease names it."""

_STATE_AFTER = {
    Verdict.CREATED: Status.CREATED,
    Verdict.REJECTED: Status.REJECTED,
    Verdict.UNKNOWN: Status.UNKNOWN,
    Verdict.NOT_DELIVERED: Status.PLANNED,
}


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the row's reference and content, and how it could be found in the CRM.

    `lease` is in seconds: after that, nobody waits for this attempt's answer any more.
    """

    reference: str
    content_hash: str
    columns: Sequence[str]
    body_length: int
    lease: float
    search_field: str | None = None
    search_value: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST that may begin: its number and the row that it is for."""

    id: int
    row_id: int
    reference: str


class Attempts:
    """The attempts of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.explained():
            rescue.replay(database.path, self._conclude_rescued)

    def claim(self, import_id: int, run_id: int, intent: Intent) -> Attempt | None:
        """Commit the intent to send a planned row; None where the row is not planned any more.

        Only after this returns may the first byte be sent. Raises JournalFull: then nothing may be sent.
        """
        now = time.time()
        with self._database.write() as connection:
            row_id = connection.execute(
                select(rows.c.id).where(
                    rows.c.import_id == import_id,
                    rows.c.reference == intent.reference,
                    rows.c.state == Status.PLANNED,
                )
            ).scalar_one_or_none()
            if row_id is None:
                return None
            number = connection.execute(
                insert(attempts)
                .values(
                    row_id=row_id,
                    run_id=run_id,
                    owner=OWNER,
                    started_at=now,
                    lease_until=now + intent.lease,
                    body_length=intent.body_length,
                    search_field=intent.search_field,
                    search_value=intent.search_value,
                )
                .returning(attempts.c.id)
            ).scalar_one()
            sending = {
                "state": Status.SENDING,
                "attempt_id": number,
                "run_id": run_id,
                "sent_at": now,
                "message": "",
                "content_hash": intent.content_hash,
                "column_set_id": column_set_id(connection, intent.columns),
            }
            connection.execute(update(rows).where(rows.c.id == row_id).values(**sending))
        return Attempt(number, row_id, intent.reference)

    def conclude(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit what an attempt came to; an id and its answer are in one commit.

        A created answer is kept whatever the row's state is by now: where the row has another id already, it becomes
        a conflict that names both. Any other answer counts only while the row's state speaks of this attempt.
        Raises JournalFull after the outcome was kept aside, to be taken in when the journal is opened again.
        """
        try:
            with self._database.write() as connection:
                _conclude(connection, attempt, outcome)
        except JournalFull:
            rescue.keep(self._database.path, attempt.id, outcome)
            raise

    def expire(self, import_id: int) -> int:
        """Make rows unknown whose lease has ended without an outcome; return how many."""
        ended = select(attempts.c.id).where(attempts.c.lease_until < time.time())
        change = (
            update(rows)
            .where(rows.c.import_id == import_id, rows.c.state == Status.SENDING, rows.c.attempt_id.in_(ended))
            .values(
                state=Status.UNKNOWN,
                message=_("The program was stopped while this row was being sent: the case may exist."),
            )
        )
        with self._database.write() as connection:
            return connection.execute(change).rowcount

    def leases_end(self, import_id: int) -> datetime | None:
        """Return when the last lease of a row that is being sent ends, None where none is."""
        query = (
            select(func.max(attempts.c.lease_until))
            .join(rows, rows.c.attempt_id == attempts.c.id)
            .where(rows.c.import_id == import_id, rows.c.state == Status.SENDING)
        )
        with self._database.read() as connection:
            last = connection.execute(query).scalar_one()
        return None if last is None else moment(last)

    def _conclude_rescued(self, attempt_id: int, outcome: Outcome) -> None:
        """Take in an outcome that a full disk kept out."""
        query = select(attempts.c.row_id, rows.c.reference).join(rows, rows.c.id == attempts.c.row_id)
        with self._database.write() as connection:
            found = connection.execute(query.where(attempts.c.id == attempt_id)).one_or_none()
            if found is not None:
                _conclude(connection, Attempt(attempt_id, found.row_id, found.reference), outcome)


def _conclude(connection: Connection, attempt: Attempt, outcome: Outcome) -> None:
    """Write an outcome to its attempt and, where it still counts, to its row."""
    ended = {
        "ended_at": time.time(),
        "verdict": outcome.verdict,
        "http_status": outcome.http_status,
        "code": outcome.code,
        "wolkvox_id": outcome.wolkvox_id,
        "message": outcome.message,
    }
    if outcome.verdict is not Verdict.UNKNOWN:
        ended["search_value"] = None
    connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(**ended))
    row = connection.execute(
        select(rows.c.state, rows.c.attempt_id, rows.c.wolkvox_id).where(rows.c.id == attempt.row_id)
    ).one()
    change: dict[str, object] = {"state": _STATE_AFTER[outcome.verdict], "message": outcome.message}
    if outcome.verdict is Verdict.CREATED:
        change |= {"attempt_id": attempt.id, "wolkvox_id": outcome.wolkvox_id, "id_prefijo": outcome.id_prefijo}
        if row.state in {Status.CREATED, Status.CONFLICT} and row.wolkvox_id != outcome.wolkvox_id:
            both = _("Two cases exist: {first} and {second}.", first=row.wolkvox_id, second=outcome.wolkvox_id)
            change = {"state": Status.CONFLICT, "message": both}
    elif row.attempt_id != attempt.id or row.state not in {Status.SENDING, Status.UNKNOWN}:
        return
    connection.execute(update(rows).where(rows.c.id == attempt.row_id).values(**change))
