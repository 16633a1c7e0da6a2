"""The promise's own room: an intent before the first byte, and what became of it, each in one durable commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, Select, bindparam, exists, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from importer.errors import JournalError
from importer.journal import rescue
from importer.journal.claiming import Attempt, Claiming, Intent, Setting
from importer.journal.creation import Creation
from importer.journal.database import Database
from importer.journal.rows import column_set_id
from importer.journal.schema import attempts, rows
from importer.messages import _
from importer.model import Outcome, Status, Verdict

STATE_AFTER = {
    Verdict.CREATED: Status.CREATED,
    Verdict.REJECTED: Status.REJECTED,
    Verdict.UNKNOWN: Status.UNKNOWN,
    Verdict.NOT_DELIVERED: Status.PLANNED,
}
"""The state into which an attempt brings its row."""

# Statements of every row are built once: building them costs more than carrying them out.
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


class Attempts:
    """The attempts of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claiming, self._creation = Claiming(database.dialect), Creation(database.dialect)
        self._column_sets: dict[tuple[str, ...], int] = {}  # as committed: one that is rolled back must not stay here
        self._take_in_what_was_kept_aside()

    def claim(self, import_id: int, run_id: int, intent: Intent) -> Attempt | None:
        """Commit the intent to send a planned row; None where the row is not planned any more.

        Only after this returns may the first byte be sent. Raises JournalFull: then nothing may be sent.
        """
        columns = self._column_set(intent.columns)
        with self._database.write_swiftly() as cursor:
            return self._claiming.claim(cursor, Setting(import_id, run_id, columns, self._database.clock()), intent)

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
            return self._conclude(attempt, outcome, then)
        except JournalError as error:
            self._keep_aside(attempt, outcome, error)

    def _conclude(self, attempt: Attempt, outcome: Outcome, then: Intent | None) -> Attempt | None:
        """Commit an outcome and the intent that follows: swiftly if that may be, weighing the row's state if not."""
        columns = self._column_set(then.columns) if then else 0  # it may need a transaction of its own
        if outcome.verdict is Verdict.CREATED:
            with self._database.write_swiftly() as cursor:
                now = self._database.clock()
                place = self._creation.note(cursor, attempt, outcome, now)
                if place is not None:
                    return self._follow(cursor, Setting(*place, columns, now), then)
        with self._database.write() as connection:
            now = self._database.clock()
            row = connection.execute(_ROW_OF_ATTEMPT, {"which": attempt.id}).one()
            _conclude(connection, row, outcome, now)
            setting = Setting(row.import_id, row.run_id, columns, now)
            return self._follow(connection.connection.cursor(), setting, then)

    def _follow(self, cursor: DBAPICursor, setting: Setting, then: Intent | None) -> Attempt | None:
        return None if then is None else self._claiming.claim(cursor, setting, then)

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
