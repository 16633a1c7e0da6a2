"""The promise's own room: an intent before the first byte, and what became of it, each in one durable commit."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, Select, bindparam, exists, insert, select, update

from importer.errors import JournalError
from importer.journal import rescue
from importer.journal.database import Database
from importer.journal.rows import column_set_id
from importer.journal.schema import attempts, rows
from importer.messages import _
from importer.model import Outcome, Status, Verdict

OWNER = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"
"""This process, as a lease names it."""

STATE_AFTER = {
    Verdict.CREATED: Status.CREATED,
    Verdict.REJECTED: Status.REJECTED,
    Verdict.UNKNOWN: Status.UNKNOWN,
    Verdict.NOT_DELIVERED: Status.PLANNED,
}
"""The state into which an attempt brings its row."""

_OF_INTENT = (
    "run_id", "owner", "started_at", "lease_until", "clock_gap", "body_length", "search_field", "search_value",
)  # fmt: skip

# Statements of every row, built once: building them costs more than carrying them out.
_NEW_ATTEMPT = (
    insert(attempts)
    .from_select(
        ["row_id", *_OF_INTENT],
        select(rows.c.id, *(bindparam(name, type_=attempts.c[name].type) for name in _OF_INTENT)).where(
            rows.c.import_id == bindparam("import_id"),
            rows.c.reference == bindparam("reference"),
            rows.c.state == Status.PLANNED,
        ),
    )
    .returning(attempts.c.id, attempts.c.row_id)
)
_END_ATTEMPT = update(attempts).where(attempts.c.id == bindparam("which"))
_CHANGE_ROW = update(rows).where(rows.c.id == bindparam("which"))
_IDS_OF_ROW = (
    select(attempts.c.wolkvox_id)
    .where(attempts.c.row_id == bindparam("which"), attempts.c.wolkvox_id.is_not(None))
    .order_by(attempts.c.id)
)
_other = attempts.alias("other")
_ROW_OF_ATTEMPT: Select[Any] = (
    select(
        rows.c.id,
        rows.c.import_id,
        rows.c.reference,
        rows.c.state,
        rows.c.attempt_id,
        rows.c.wolkvox_id,
        rows.c.id_prefijo,
        rows.c.message,
        attempts.c.id.label("ended_id"),
        attempts.c.run_id,
        attempts.c.verdict,
        exists().where(_other.c.row_id == rows.c.id, _other.c.wolkvox_id.is_not(None)).label("has_ids"),
    )
    .join(rows, rows.c.id == attempts.c.row_id)
    .where(attempts.c.id == bindparam("which"))
)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the row's reference and content, and how it could be found in the CRM.

    `lease` is in seconds: after that, nobody waits for this attempt's answer any more. `clock_gap` is the clock less
    the time since the computer's start, in seconds: it tells later whether the clock can be believed.
    """

    reference: str
    content_hash: str
    columns: Sequence[str]
    body_length: int
    lease: float
    clock_gap: float
    search_field: str | None = None
    search_value: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST that may begin: its number and the row that it is for."""

    id: int
    reference: str


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where and when an attempt begins: its import and run, the number of its set of columns, and the time."""

    import_id: int
    run_id: int
    column_set_id: int
    now: float


class Attempts:
    """The attempts of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._column_sets: dict[tuple[str, ...], int] = {}  # as committed: one that is rolled back must not stay here
        self._take_in_what_was_kept_aside()

    def claim(self, import_id: int, run_id: int, intent: Intent) -> Attempt | None:
        """Commit the intent to send a planned row; None where the row is not planned any more.

        Only after this returns may the first byte be sent. Raises JournalFull: then nothing may be sent.
        """
        columns = self._column_set(intent.columns)
        with self._database.write() as connection:
            return _claim(connection, _Setting(import_id, run_id, columns, self._database.clock()), intent)

    def conclude(self, attempt: Attempt, outcome: Outcome, then: Intent | None = None) -> Attempt | None:
        """Commit what an attempt came to; an id and its answer are in one commit.

        A created answer is kept whatever the row's state is by now: where the row has another id already, it becomes
        a conflict that names both. Any other answer counts only while the row's state speaks of this attempt.
        Raises JournalFull, or JournalError where the journal fails otherwise, after the outcome was kept aside, to be
        taken in when the journal is opened again.

        The intent to send another row of the import `then` is in the same commit, and its attempt is returned as
        `claim` returns it: a commit is what a row waits for most, and one is enough where the next row is ready.
        """
        try:
            columns = None if then is None else self._column_set(then.columns)
            with self._database.write() as connection:
                now = self._database.clock()
                row = connection.execute(_ROW_OF_ATTEMPT, {"which": attempt.id}).one()
                _conclude(connection, row, outcome, now)
                if then is None or columns is None:
                    return None
                return _claim(connection, _Setting(row.import_id, row.run_id, columns, now), then)
        except JournalError as error:
            self._keep_aside(attempt, outcome, error)

    def expire(self, import_id: int) -> int:
        """Make rows unknown whose lease has ended without an outcome; return how many."""
        ended = exists().where(attempts.c.id == rows.c.attempt_id, attempts.c.lease_until < self._database.clock())
        change = (
            update(rows)
            .where(rows.c.import_id == import_id, rows.c.state == Status.SENDING, ended)
            .values(
                state=Status.UNKNOWN,
                message=_("The program was stopped while this row was being sent: the case may exist."),
            )
        )
        with self._database.write() as connection:
            return connection.execute(change).rowcount

    def _column_set(self, columns: Sequence[str]) -> int:
        """Return the number of a set of columns, which all rows of a run share."""
        key = tuple(columns)
        if key not in self._column_sets:
            with self._database.write() as connection:
                number = column_set_id(connection, key)
            self._column_sets[key] = number
        return self._column_sets[key]

    def _keep_aside(self, attempt: Attempt, outcome: Outcome, error: JournalError) -> NoReturn:
        """Keep an outcome that the journal did not take, and raise; where that fails too, the sentence holds it."""
        try:
            with self._database.write():
                rescue.keep(self._database.path, attempt.id, attempt.reference, outcome)
        except JournalError:
            raise type(error)(
                _(
                    "{error}\nThe answer for {reference} could not be kept ({verdict}, wolkvox_id {wolkvox_id}): note"
                    " it. The journal will call this row unknown.",
                    error=error,
                    reference=attempt.reference,
                    verdict=outcome.verdict,
                    wolkvox_id=outcome.wolkvox_id,
                )
            ) from error
        raise error

    def _take_in_what_was_kept_aside(self) -> None:
        """Write the outcomes that a full disk kept out, and have room set aside for the next time.

        Taking an outcome in twice changes nothing, so that two processes, or a crash in between, do no harm.
        """
        path, now = self._database.path, self._database.clock()
        with self._database.write() as connection:
            rescue.prepare(path)
            content = rescue.kept(path)
            for kept in rescue.outcomes(path, content):
                row = connection.execute(_ROW_OF_ATTEMPT, {"which": kept.attempt_id}).one_or_none()
                if row is None or row.reference != kept.reference:
                    raise rescue.refusal(path, kept.line)  # it belongs to another journal that lay here
                _conclude(connection, row, kept.outcome, now)
        if content:
            with self._database.write():
                rescue.forget(path, content)


def _claim(connection: Connection, setting: _Setting, intent: Intent) -> Attempt | None:
    """Write the intent to send a planned row; None where the row is not planned any more."""
    attempt = {
        "import_id": setting.import_id,
        "reference": intent.reference,
        "run_id": setting.run_id,
        "owner": OWNER,
        "started_at": setting.now,
        "lease_until": setting.now + intent.lease,
        "clock_gap": intent.clock_gap,
        "body_length": intent.body_length,
        "search_field": intent.search_field,
        "search_value": intent.search_value,
    }
    begun = connection.execute(_NEW_ATTEMPT, attempt).one_or_none()
    if begun is None:
        return None
    sending = {
        "state": Status.SENDING,
        "attempt_id": begun.id,
        "run_id": setting.run_id,
        "sent_at": setting.now,
        "message": "",
        "content_hash": intent.content_hash,
        "column_set_id": setting.column_set_id,
    }
    connection.execute(_CHANGE_ROW, {"which": begun.row_id, **sending})
    return Attempt(begun.id, intent.reference)


def _conclude(connection: Connection, row: Row[Any], outcome: Outcome, now: float) -> None:
    """Write an outcome to its attempt and, where it still counts, to its row; `row` is both as they stand."""
    counts = row.attempt_id == row.ended_id and row.state in {Status.SENDING, Status.UNKNOWN}
    created = outcome.verdict is Verdict.CREATED
    if created or row.verdict in {None, Verdict.UNKNOWN}:
        ended = {
            "ended_at": now,
            "verdict": outcome.verdict,
            "http_status": outcome.http_status,
            "code": outcome.code,
            "wolkvox_id": outcome.wolkvox_id,
            "message": outcome.message,
        }
        if outcome.verdict is not Verdict.UNKNOWN or not counts:
            ended["search_value"] = None
        connection.execute(_END_ATTEMPT, {"which": row.ended_id, **ended})
    if created:
        change = _created(connection, row, outcome)
    elif counts:
        change = {"state": STATE_AFTER[outcome.verdict], "message": outcome.message}
    else:
        return
    connection.execute(_CHANGE_ROW, {"which": row.id, **change})


def _created(connection: Connection, row: Row[Any], outcome: Outcome) -> dict[str, object]:
    """Return what becomes of a row whose attempt created a case: the row's first id stays, others make a conflict."""
    known = connection.scalars(_IDS_OF_ROW, {"which": row.id}) if row.has_ids else (outcome.wolkvox_id,)
    several = [case for case in dict.fromkeys((row.wolkvox_id, *known)) if case is not None]
    if len(several) > 1:
        message = _("More than one case exists for this row: {ids}.", ids=", ".join(several))
    else:
        message = row.message if row.state == Status.CONFLICT else outcome.message
    return {
        "state": Status.CONFLICT if len(several) > 1 or row.state == Status.CONFLICT else Status.CREATED,
        "message": message,
        "attempt_id": row.ended_id,
        "wolkvox_id": row.wolkvox_id or outcome.wolkvox_id,
        "id_prefijo": row.id_prefijo if row.wolkvox_id else outcome.id_prefijo,
    }
