"""One attempt to send a row: its intent before the first byte, and its outcome, each in one durable commit.

A run claims a row, sends the case with one POST, and concludes the attempt. The promise rests on this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from importer.errors import JournalError
from importer.journal import ids, leases, rescue
from importer.journal.database import Database
from importer.journal.kept_outcomes import keep_aside
from importer.journal.leases import Attempt, Begun
from importer.journal.new_rows import column_set_id
from importer.journal.numbering import next_number
from importer.journal.schema import attempts, rows
from importer.messages import _
from importer.model import Outcome, Status, Verdict

STATE_AFTER = {
    Verdict.CREATED: Status.CREATED,
    Verdict.REJECTED: Status.REJECTED,
    Verdict.UNKNOWN: Status.UNKNOWN,
    Verdict.NOT_DELIVERED: Status.PLANNED,
}
"""The state to which the outcome of an attempt brings its row."""

_UNSENT = {Status.PLANNED, Status.REJECTED, Status.INVALID}
_ROW_OF_ATTEMPT: Select[Any] = select(
    rows.c.id,
    rows.c.import_id,
    rows.c.reference,
    rows.c.state,
    rows.c.attempt_id,
    rows.c.wolkvox_id,
    rows.c.id_prefijo,
    rows.c.message,
    attempts.c.id.label("ended_id"),
    attempts.c.token,
    attempts.c.verdict,
).join(rows, rows.c.id == attempts.c.row_id)
_ROW_BY_TOKEN = _ROW_OF_ATTEMPT.where(attempts.c.id == bindparam("number"), attempts.c.token == bindparam("token"))
_PLANNED_ROW = (
    select(rows.c.id)
    .where(
        rows.c.import_id == bindparam("import_id"),
        rows.c.reference == bindparam("reference"),
        rows.c.state == Status.PLANNED,
    )
    .with_for_update(skip_locked=True)
)
_IN_FLIGHT = leases.in_flight(
    attempts, attempts.c.id == rows.c.attempt_id, attempts.c.row_id == rows.c.id, rows.c.state == Status.SENDING
)
_BEGIN_ATTEMPT = insert(attempts).returning(attempts.c.id)
_END_ATTEMPT = update(attempts).where(attempts.c.id == bindparam("number"))
_CHANGE_ROW = update(rows).where(rows.c.id == bindparam("row"))


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the row's reference and content, and how its case could be found in the CRM.

    Nothing more is sent `seconds` after the attempt began. `mark_place` is the field that carries the reference.
    """

    reference: str
    content_hash: str
    column_digests: str
    columns: Sequence[str]
    body_length: int
    seconds: float
    search_field: str | None = None
    search_value: str | None = None
    mark_place: str | None = None


@dataclass(frozen=True, slots=True)
class Concluded:
    """What an outcome made of its row; `holder` is the reference of another row that has the answer's id."""

    state: Status
    holder: str | None = None


class Attempts:
    """The attempts of a journal."""

    def __init__(self, database: Database) -> None:
        self._database, self._clock = database, database.clock
        self._column_set: tuple[Sequence[str], int] | None = None  # that of the last claim: a run has but one

    def claim(self, import_id: int, run_id: int, intent: Intent) -> Attempt | None:
        """Commit the intent to send a planned row; return None where the row is no longer planned.

        Only after this returns may the first byte be sent. Where it raises, such as JournalFull, nothing may be sent.
        """
        planned = {"import_id": import_id, "reference": intent.reference}
        with self._database.write() as connection:
            row_id = connection.scalars(_PLANNED_ROW, planned).one_or_none()
            if row_id is None:
                return None
            attempt, started_at = self._begin(connection, row_id, run_id, intent)
            column_set = self._column_set_of(connection, intent.columns)
            sending = {
                "state": Status.SENDING,
                "attempt_id": attempt.id,
                "update_id": None,  # of an earlier case, which is gone
                "run_id": run_id,
                "sent_at": started_at,
                "message": "",
                "content_hash": intent.content_hash,
                "column_digests": intent.column_digests,
                "column_set_id": column_set,
            }
            connection.execute(_CHANGE_ROW, {"row": row_id, **sending})
        self._column_set = intent.columns, column_set
        return attempt

    def _column_set_of(self, connection: Connection, columns: Sequence[str]) -> int:
        known = self._column_set
        return known[1] if known and known[0] == columns else column_set_id(connection, columns)

    def _begin(self, connection: Connection, row_id: int, run_id: int, intent: Intent) -> tuple[Attempt, float]:
        begun = Begun.now(self._clock, intent.seconds)
        values = {
            "id": next_number(connection),
            "row_id": row_id,
            "run_id": run_id,
            **asdict(begun),
            "body_length": intent.body_length,
            "search_field": intent.search_field,
            "search_value": intent.search_value,
            "mark_place": intent.mark_place,
        }
        number: int = connection.execute(_BEGIN_ATTEMPT, values).scalar_one()
        return begun.attempt(number, intent.reference), begun.started_at

    def lease_holds(self, attempt: Attempt) -> bool:
        """Whether an attempt of this process may still send; asked right before the first byte and the last chunk."""
        return leases.lease_holds(self._database, _IN_FLIGHT, attempt)

    def conclude(self, attempt: Attempt, outcome: Outcome, *, patient: bool = False) -> Concluded:
        """Commit the outcome of an attempt; an id and its answer are in one commit. `patient`: see `Database.write`.

        A created answer is kept whatever the row's state is now: where the row already has another id, it becomes a
        conflict that names both. Where another row of the operation has the id, that row stays as it is, disputed, and
        this one is unknown. Any other answer counts only while the row's state describes this attempt, but an id in it
        always counts. Raises JournalFull, or JournalError where the journal fails otherwise, after the outcome was kept
        aside, to be taken in when the journal is opened again.
        """
        try:
            with self._database.write(patient=patient) as connection:
                named = {"number": attempt.id, "token": attempt.token}
                row = connection.execute(_ROW_BY_TOKEN, named).one_or_none()
                if row is None:
                    raise self._another_journal(attempt)
                return self._conclude(connection, row, outcome)
        except JournalError as error:
            self._keep_aside(attempt, outcome, error)

    def _another_journal(self, attempt: Attempt) -> JournalError:
        return JournalError(
            _(
                "{path}: the journal no longer knows the attempt for {reference}: another copy was put in its place"
                " while it was in use. Restore the journal that was in use.",
                path=self._database.place,
                reference=attempt.reference,
            )
        )

    def _conclude(self, connection: Connection, row: Row[Any], outcome: Outcome) -> Concluded:
        """Write an outcome to its attempt and, where it still counts, to its row; `row` has both as they are now."""
        holder = ids.claimant(connection, row.import_id, row.id, outcome.wolkvox_id)
        held_by: str | None = None
        if holder is not None:
            held_by = holder.reference
            ids.dispute(connection, holder.id)
            outcome = _disputed(outcome, holder.reference)
        elif ids.was_deleted(connection, row.import_id, outcome.wolkvox_id):  # an answer that a proxy repeats
            held_by = row.reference
            outcome = _disputed(outcome, row.reference)
        now = self._clock.wall()
        counts = row.attempt_id == row.ended_id and row.state in {Status.SENDING, Status.UNKNOWN}
        created = outcome.verdict is Verdict.CREATED
        if created or row.verdict in {None, Verdict.UNKNOWN}:
            self._end(connection, row, outcome, now, counts=counts)
        arrived = outcome.ids or ((outcome.wolkvox_id,) if outcome.wolkvox_id else ())
        ids.note(connection, ids.Arrival(row.id, "answer", now, row.ended_id), arrived)
        change: dict[str, object]
        if created:
            state, change = _created(connection, row, outcome)
        elif counts:
            state, change = STATE_AFTER[outcome.verdict], {"message": outcome.message}
        elif arrived and row.state in _UNSENT:
            state, change = Status.UNKNOWN, {"message": outcome.message, "attempt_id": row.ended_id}
        else:
            return Concluded(Status(row.state), held_by)
        connection.execute(_CHANGE_ROW, {"row": row.id, "state": state, **change})
        return Concluded(state, held_by)

    @staticmethod
    def _end(connection: Connection, row: Row[Any], outcome: Outcome, now: float, *, counts: bool) -> None:
        """Write the outcome to its attempt; erase the value by which its case is searched unless it is still needed."""
        ended: dict[str, object] = {
            "ended_at": now,
            "verdict": outcome.verdict,
            "http_status": outcome.http_status,
            "code": outcome.code,
            "wolkvox_id": outcome.wolkvox_id,
            "message": outcome.message,
        }
        needed = outcome.verdict is Verdict.UNKNOWN and counts
        if outcome.verdict is Verdict.CREATED and ids.has_unknown(connection, row.import_id):
            ids.forget_controls(connection, row.import_id)
            needed = True  # a search that finds this case proves that the CRM's search index is up to date
        if not needed:
            ended["search_value"] = None
        connection.execute(_END_ATTEMPT, {"number": row.ended_id, **ended})

    def expire(self, import_id: int) -> int:
        """Make rows unknown whose lease has ended without an outcome; return how many."""
        with self._database.write() as connection:
            self._rebase(connection, import_id)
            is_over = attempts.c.lease < self._clock.elapsed()
            ended = select(attempts.c.id).where(attempts.c.id == rows.c.attempt_id, is_over)
            change = update(rows).where(rows.c.import_id == import_id, rows.c.state == Status.SENDING, ended.exists())
            message = _("The program was stopped while this row was being sent: the case may exist.")
            return connection.execute(change.values(state=Status.UNKNOWN, message=message)).rowcount

    def _rebase(self, connection: Connection, import_id: int) -> None:
        """Measure attempts of another boot from now on, those of rows whose case may exist or is not known to."""
        sending = rows.c.state == Status.SENDING
        found = (
            select(attempts.c.id, attempts.c.began, attempts.c.deadline, attempts.c.lease, sending)
            .join(rows, rows.c.attempt_id == attempts.c.id)
            .where(
                rows.c.import_id == import_id,
                rows.c.state.in_((Status.SENDING, Status.UNKNOWN, Status.CONFLICT)),
                leases.of_another_boot(attempts, self._clock),
            )
        )
        leases.rebase(connection, self._clock, attempts, found)

    def _keep_aside(self, attempt: Attempt, outcome: Outcome, error: JournalError) -> NoReturn:
        """Keep an outcome that the journal did not take, and raise; where that fails too, the message contains it."""
        try:
            keep_aside(self._database, attempt, outcome)
        except JournalError:
            raise type(error)(
                _(
                    "{error}\nThe answer for {reference} could not be stored ({verdict}, wolkvox_id {wolkvox_id}):"
                    " write it down. The journal will call this row unknown.",
                    error=error,
                    reference=attempt.reference,
                    verdict=outcome.verdict,
                    wolkvox_id=", ".join(_ids_of(outcome)) or None,
                )
            ) from error
        raise error

    def take_in(self, connection: Connection, kept: rescue.KeptOutcome) -> bool:
        """Write an outcome that was kept aside; False where it is not that of an attempt to send a row."""
        row = connection.execute(_ROW_OF_ATTEMPT.where(attempts.c.id == kept.attempt_id)).one_or_none()
        if row is None or row.reference != kept.reference or kept.token not in {None, row.token}:
            return False
        self._conclude(connection, row, kept.outcome)
        return True


def _created(connection: Connection, row: Row[Any], outcome: Outcome) -> tuple[Status, dict[str, object]]:
    """Return the new state and values of a row whose attempt created a case: its first id stays, others conflict."""
    several = _distinct((row.wolkvox_id, *ids.open_ids(connection, row.import_id, row.id), outcome.wolkvox_id))
    if len(several) > 1:
        message = _("More than one case exists for this row: {ids}.", ids=", ".join(several))
    else:
        message = row.message if row.state == Status.CONFLICT else outcome.message
    state = Status.CONFLICT if len(several) > 1 or row.state == Status.CONFLICT else Status.CREATED
    return state, {
        "message": message,
        "attempt_id": row.ended_id,
        "wolkvox_id": row.wolkvox_id or outcome.wolkvox_id,
        "id_prefijo": row.id_prefijo if row.wolkvox_id else outcome.id_prefijo,
        "deleted": False,  # the case of which a person said so was an earlier one
    }


def _disputed(outcome: Outcome, holder: str) -> Outcome:
    """Return the outcome of an answer whose id another row has: this row's case may exist, under an unknown id."""
    message = _(
        "The CRM answered with the id {id}, which already belongs to the case of {holder}: it is unclear whose case it"
        " is.",
        id=outcome.wolkvox_id,
        holder=holder,
    )
    return Outcome(
        verdict=Verdict.UNKNOWN,
        message=message,
        http_status=outcome.http_status,
        code=outcome.code,
        ids=_ids_of(outcome),
        bytes_sent=outcome.bytes_sent,
    )


def _ids_of(outcome: Outcome) -> tuple[str, ...]:
    return _distinct((outcome.wolkvox_id, *outcome.ids))


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
