"""One update of a case by its id: its intent before the first byte, its outcome, and edits that a person accepted.

An update repeats nothing but itself, so that one whose answer was lost may be sent again once nothing of it can arrive
any more. The hash of a row's content moves when an update has succeeded, and only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from importer.errors import JournalError
from importer.journal import ids, leases, rescue
from importer.journal.database import Database
from importer.journal.kept_outcomes import keep_aside
from importer.journal.leases import Attempt, Begun
from importer.journal.new_rows import column_set_id
from importer.journal.schema import rows, updates
from importer.messages import _
from importer.model import Outcome, Status, Verdict
from importer.model.edits import UpdateState

_STATE_AFTER = {
    Verdict.CREATED: UpdateState.UPDATED,
    Verdict.REJECTED: UpdateState.REFUSED,
    Verdict.UNKNOWN: UpdateState.UNKNOWN,
    Verdict.NOT_DELIVERED: UpdateState.UNSENT,
}

_IN_FLIGHT = leases.in_flight(updates, updates.c.state == UpdateState.SENDING)


@dataclass(frozen=True, slots=True)
class RowEdit:
    """The present content of a row whose case is known; `known_hash` is that of the content which the journal has."""

    reference: str
    known_hash: str
    content_hash: str
    column_digests: str


@dataclass(frozen=True, slots=True)
class UpdateIntent:
    """What is about to be sent: the edited row, and the id of its case. `columns` are those of its content.

    Nothing more is sent `seconds` after the update began, and nothing as long as `quiet_period` seconds have not passed
    since the last one whose answer is missing.
    """

    row: RowEdit
    wolkvox_id: str
    columns: Sequence[str]
    seconds: float
    quiet_period: float


class Updates:
    """The updates of a journal."""

    def __init__(self, database: Database) -> None:
        self._database, self._clock = database, database.clock

    def claim(self, import_id: int, run_id: int, intent: UpdateIntent) -> Attempt | None:
        """Commit the intent to update a case; return None where it may not be updated now.

        It may not where its row is no longer what was planned, or another update is under way or may still arrive. Only
        after this returns may the first byte be sent.
        """
        with self._database.write() as connection:
            row = _created_row(connection, import_id, intent.row)
            if row is None or row.wolkvox_id != intent.wolkvox_id or row.disputed or row.deleted:
                return None
            if not self._is_free(connection, row, intent.quiet_period):
                return None
            begun = Begun.now(self._clock, intent.seconds)
            of_content = _content(connection, intent.row, intent.columns)
            values = {"row_id": row.id, "run_id": run_id, "state": UpdateState.SENDING, "message": "", **of_content}
            number = _add(connection, {**values, **asdict(begun)})
        return begun.attempt(number, intent.row.reference)

    def lease_holds(self, attempt: Attempt) -> bool:
        """Whether an update of this process may still send; asked right before the first byte and the last chunk."""
        return leases.lease_holds(self._database, _IN_FLIGHT, attempt)

    def conclude(self, attempt: Attempt, outcome: Outcome) -> UpdateState | None:
        """Commit the outcome of an update; return what it came to, None where the journal does not know the update.

        A success moves the hash of the row's content in the same commit, unless a newer update has begun. A success is
        kept whatever came of the update meanwhile; any other outcome counts only while nothing else is known. Raises
        JournalError as `Attempts.conclude` does, after the outcome was kept aside.
        """
        try:
            with self._database.write() as connection:
                found = _find(connection, attempt.id, attempt.token)
                return None if found is None else self._conclude(connection, found, outcome)
        except JournalError:
            with suppress(JournalError):  # without room the update is unknown, and is sent again
                keep_aside(self._database, attempt, outcome)
            raise

    def take_in(self, connection: Connection, kept: rescue.KeptOutcome) -> bool:
        """Write an outcome that was kept aside; False where it is not that of an update."""
        found = _find(connection, kept.attempt_id, kept.token or "")
        if found is None or found.reference != kept.reference:
            return False
        self._conclude(connection, found, kept.outcome)
        return True

    def _conclude(self, connection: Connection, found: Row[Any], outcome: Outcome) -> UpdateState:
        """Write an outcome to its update, as far as it still counts."""
        row = connection.execute(select(rows).where(rows.c.id == found.row_id)).one()
        outcome = self._with_own_id(connection, row, outcome)
        state = _STATE_AFTER[outcome.verdict]
        if found.state not in {UpdateState.SENDING, UpdateState.UNKNOWN} and state is not UpdateState.UPDATED:
            return UpdateState(found.state)
        ended = {
            "state": state,
            "ended_at": self._clock.wall(),
            "http_status": outcome.http_status,
            "code": outcome.code,
            "message": outcome.message,
        }
        connection.execute(update(updates).where(updates.c.id == found.id).values(**ended))
        if row.update_id != found.id:
            return state
        if state is UpdateState.UPDATED:
            _take_content(connection, row.id, found._mapping)  # noqa: SLF001 - SQLAlchemy's name for a row by its columns
        elif state is not UpdateState.UNKNOWN:
            _go_back(connection, row, found, outcome)
        return state

    def _with_own_id(self, connection: Connection, row: Row[Any], outcome: Outcome) -> Outcome:
        """Return an outcome that is unknown where the answer names another case; its id is kept."""
        arrived = tuple(dict.fromkeys(filter(None, (outcome.wolkvox_id, *outcome.ids))))
        others = tuple(one for one in arrived if one != row.wolkvox_id)
        if not others:
            return outcome
        ids.note(connection, ids.Arrival(row.id, "update", self._clock.wall()), others)
        for other in others:
            holder = ids.holder(connection, row.import_id, row.id, other)
            if holder is not None:
                ids.dispute(connection, holder.id)
        ids.dispute(connection, row.id)
        message = _(
            "The CRM answered the update of {id} with another id: {others}.",
            id=row.wolkvox_id,
            others=", ".join(others),
        )
        return Outcome(Verdict.UNKNOWN, message, http_status=outcome.http_status, code=outcome.code)

    def expire(self, import_id: int) -> int:
        """Make updates unknown whose lease has ended without an outcome; return how many."""
        with self._database.write() as connection:
            in_flight = updates.c.state == UpdateState.SENDING
            of_import = (
                select(updates.c.id, updates.c.began, updates.c.deadline, updates.c.lease, in_flight)
                .join(rows, rows.c.update_id == updates.c.id)
                .where(
                    rows.c.import_id == import_id,
                    updates.c.state.in_((UpdateState.SENDING, UpdateState.UNKNOWN)),
                    leases.of_another_boot(updates, self._clock),
                )
            )
            leases.rebase(connection, self._clock, updates, of_import)
            mine = select(rows.c.id).where(rows.c.id == updates.c.row_id, rows.c.import_id == import_id)
            is_over = updates.c.lease < self._clock.elapsed()
            change = update(updates).where(in_flight, is_over, mine.exists())
            message = _("The program was stopped while the update was being sent.")
            return connection.execute(change.values(state=UpdateState.UNKNOWN, message=message)).rowcount

    def accept(
        self, import_id: int, run_id: int, edited: Iterable[RowEdit], columns: Sequence[str], quiet_period: float
    ) -> list[str]:
        """Take the content of edited rows as known, as a person says; return their references; in one commit.

        A row stays as it is whose content is no longer what was planned, or of which an update is under way or may
        still arrive.
        """
        accepted = []
        with self._database.write() as connection:
            begun = asdict(Begun.now(self._clock, 0.0))
            for one in edited:
                row = _created_row(connection, import_id, one)
                if row is None or not self._is_free(connection, row, quiet_period):
                    continue
                content = _content(connection, one, columns)
                values = {"row_id": row.id, "run_id": run_id, "state": UpdateState.ACCEPTED, "message": "", **content}
                _add(connection, {**values, **begun, "ended_at": begun["started_at"]})
                _take_content(connection, row.id, content)
                accepted.append(one.reference)
        return accepted

    def _is_free(self, connection: Connection, row: Row[Any], quiet_period: float) -> bool:
        """Tell whether no earlier update of a row's case is under way, or could still arrive."""
        last = connection.execute(select(updates).where(updates.c.id == row.update_id)).one_or_none()
        if last is None or last.state not in {UpdateState.SENDING, UpdateState.UNKNOWN}:
            return True
        if last.state == UpdateState.SENDING or last.boot != self._clock.boot():
            return False
        return bool(self._clock.elapsed() >= max(last.deadline, last.lease) + quiet_period)


def _find(connection: Connection, number: int, token: str) -> Row[Any] | None:
    """Return an update by its number and token, with the reference of its row."""
    query = select(updates, rows.c.reference).join(rows, rows.c.id == updates.c.row_id)
    return connection.execute(query.where(updates.c.id == number, updates.c.token == token)).one_or_none()


def _go_back(connection: Connection, row: Row[Any], failed: Row[Any], outcome: Outcome) -> None:
    """Make a row about the update before one that changed nothing, if that may have arrived, or has meanwhile.

    Else a row whose edit was lost and undone would look unchanged as soon as the undoing fails.
    """
    earlier = updates.c.row_id == row.id, updates.c.id < failed.id
    changed_nothing = updates.c.state.in_((UpdateState.REFUSED, UpdateState.UNSENT))
    query = select(updates).where(*earlier, ~changed_nothing).order_by(updates.c.id.desc()).limit(1)
    before = connection.execute(query).one_or_none()
    if before is None or before.state == UpdateState.ACCEPTED:
        return
    if before.state == UpdateState.UPDATED:
        if before.started_at >= (row.sent_at or 0):  # else it was one of a case that is gone
            _take_content(connection, row.id, before._mapping)  # noqa: SLF001 - as above
        return
    connection.execute(update(updates).where(updates.c.id == before.id).values(message=outcome.message))
    connection.execute(update(rows).where(rows.c.id == row.id).values(update_id=before.id))


def _created_row(connection: Connection, import_id: int, edited: RowEdit) -> Row[Any] | None:
    """Return a created row whose content is still what was known when the edit was planned."""
    query = select(rows).where(
        rows.c.import_id == import_id,
        rows.c.reference == edited.reference,
        rows.c.state == Status.CREATED,
        rows.c.content_hash == edited.known_hash,
    )
    return connection.execute(query).one_or_none()


def _content(connection: Connection, edited: RowEdit, columns: Sequence[str]) -> dict[str, object]:
    return {
        "content_hash": edited.content_hash,
        "column_digests": edited.column_digests,
        "column_set_id": column_set_id(connection, columns),
    }


def _add(connection: Connection, values: dict[str, object]) -> int:
    """Add an update, which is then the newest of its row; return its number."""
    number: int = connection.execute(insert(updates).values(**values).returning(updates.c.id)).scalar_one()
    connection.execute(update(rows).where(rows.c.id == values["row_id"]).values(update_id=number))
    return number


def _take_content(connection: Connection, row_id: int, content: Any) -> None:  # noqa: ANN401 - a dictionary or a row's mapping
    """Make the content of an update the one that the journal knows of the row."""
    taken = {name: content[name] for name in ("content_hash", "column_digests", "column_set_id")}
    connection.execute(update(rows).where(rows.c.id == row_id).values(**taken, changed=False))
