"""Doubtful rows, and what settles them: a search, or a person's decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, or_, select, update

from importer.journal import ids
from importer.journal.database import Database
from importer.journal.runs import user_name
from importer.journal.schema import attempts, rows, verdicts
from importer.messages import _
from importer.model import DOUBTFUL, Status, Verdict

_OF_ATTEMPT = ("boot", "began", "deadline", "lease", "body_length", "search_field", "search_value", "mark_place")
_IN_STATES = (
    select(rows, *(attempts.c[name] for name in _OF_ATTEMPT))
    .outerjoin(attempts, attempts.c.id == rows.c.attempt_id)
    .where(rows.c.import_id == bindparam("import_id"), rows.c.state.in_(bindparam("states", expanding=True)))
    .order_by(rows.c.attempt_id)
)
_LAST_DECISIONS = (
    select(verdicts.c.row_id, func.max(verdicts.c.id))
    .join(rows, rows.c.id == verdicts.c.row_id)
    .where(rows.c.import_id == bindparam("import_id"), rows.c.state.in_(DOUBTFUL))
    .group_by(verdicts.c.row_id)
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that may or may not be a case.

    `search_value` is what was sent in the field that the CRM calls `search_field`, None where no attempt is known (an
    adopted row); `mark_place` is the field that carried the reference. `silent_since` is when the last attempt had
    certainly ended, in seconds on the clock that counts sleep; None without an attempt. `decision_id` is the last
    decision about the row. `ids` arrived for it and are not settled; `sent_at` and `run` are as reports show them.
    """

    row_id: int
    import_id: int
    attempt_id: int | None
    decision_id: int | None
    reference: str
    state: Status
    message: str
    body_length: int = 0
    search_field: str | None = None
    search_value: str | None = None
    mark_place: str | None = None
    boot: str | None = None
    silent_since: float | None = None
    ids: tuple[str, ...] = ()
    sent_at: float | None = None
    run: int | None = None

    @property
    def about(self) -> str:
        """Return what a decision on the row is about: its attempt or, without one, the last decision."""
        return about(self.attempt_id, self.decision_id)


def about(attempt_id: int | None, decision_id: int | None) -> str:
    """Return how a report names what a decision is about; equal in every language, since it is read back."""
    return str(attempt_id) if attempt_id is not None else f"D{decision_id or 0}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What settles a doubtful row; `how` is `search`, `by-hand`, `report`, `look-first`, `spot-check` or `adopted`.

    `despite` are ids that arrived for the row and that, a person says, are not its case. `ids` are further cases that
    were found. `names` are other names of the case that was found, which are not a second case.
    """

    state: Status
    how: str
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""
    despite: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dispute:
    """A created row whose id was also the answer to another row."""

    row_id: int
    reference: str
    wolkvox_id: str
    mark_place: str | None


class Doubts:
    """The doubtful rows of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_import(self, import_id: int) -> list[Doubt]:
        """Return the rows of an import that are unknown or conflicting, in the order in which they were sent."""
        return self._in_states(import_id, DOUBTFUL)

    def in_flight(self, import_id: int) -> list[Doubt]:
        """Return the rows of an import that are being sent, by this process or another."""
        return self._in_states(import_id, (Status.SENDING,))

    def _in_states(self, import_id: int, states: Iterable[Status]) -> list[Doubt]:
        with self._database.read() as connection:
            found = connection.execute(_IN_STATES, {"import_id": import_id, "states": tuple(states)}).all()
            if not found:  # as nearly always
                return []
            numbers = [row.id for row in found]
            arrived, decided = ids.open_ids_of(connection, numbers), _last_decisions(connection, import_id)
            return [_doubt(row, arrived.get(row.id, ()), decided.get(row.id)) for row in found]

    def owners(self, import_id: int, wanted: Sequence[str]) -> dict[str, str]:
        """Return, by id, the reference of the row of the same tenant and operation that has it."""
        with self._database.read() as connection:
            return {wolkvox_id: row.reference for wolkvox_id, row in ids.holders(connection, import_id, wanted).items()}

    def newer_controls(self, doubt: Doubt, references: Sequence[str], quiet_period: float) -> list[str]:
        """Return those created rows whose attempts began after the quiet period of a doubtful one was over.

        A case of an earlier attempt could be in the CRM's search index before the doubtful case is even made.
        """
        if doubt.silent_since is None:
            return []
        newer = (
            select(rows.c.reference)
            .join(attempts, attempts.c.id == rows.c.attempt_id)
            .where(
                rows.c.reference.in_(list(references)),
                rows.c.state == Status.CREATED,
                attempts.c.boot == doubt.boot,
                attempts.c.began > doubt.silent_since + quiet_period,
            )
        )
        with self._database.read() as connection:
            return list(connection.scalars(newer))

    def control(self, import_id: int, field: str) -> str | None:
        """Return the value by which the newest created case of an import can be searched, None where there is none."""
        query = (
            select(attempts.c.search_value)
            .join(rows, rows.c.attempt_id == attempts.c.id)
            .where(
                rows.c.import_id == import_id,
                rows.c.state == Status.CREATED,
                attempts.c.search_field == field,
                attempts.c.search_value.is_not(None),
            )
            .order_by(attempts.c.id.desc())
        )
        with self._database.read() as connection:
            return connection.scalars(query).first()

    def decide(self, doubt: Doubt, decision: Decision) -> Status | None:
        """Commit what settles a row, and who decided it; return the state that it has then.

        Returns None, and changes nothing, where the row has changed since it was read, where the case is another row's,
        or where the row would be sent again although ids are known for it that `decision.despite` does not name. The
        value by which the row was searched is erased once it is settled; an id never is.
        """
        with self._database.write() as connection:
            if ids.holder(connection, doubt.import_id, doubt.row_id, decision.wolkvox_id) is not None:
                return None
            if decision.how == "search" and ids.was_deleted(connection, doubt.import_id, decision.wolkvox_id):
                return None
            row = connection.execute(select(rows).where(rows.c.id == doubt.row_id)).one()
            if (row.attempt_id, row.state) != (doubt.attempt_id, doubt.state):
                return None
            known = self._known_ids(connection, row)
            if decision.state is Status.PLANNED and not known <= set(decision.despite):
                return None
            return self._settle(connection, row, decision, known)

    def found_first(self, import_id: int, reference: str, decision: Decision) -> Status | None:
        """Commit that a row was found in the CRM before it was sent; return its state then.

        Returns None where the row is no longer planned or rejected, or where the case is another row's.
        """
        unsent = rows.c.state.in_((Status.PLANNED, Status.REJECTED))
        with self._database.write() as connection:
            found = select(rows).where(rows.c.import_id == import_id, rows.c.reference == reference, unsent)
            row = connection.execute(found).one_or_none()
            if row is None or ids.holder(connection, import_id, row.id, decision.wolkvox_id) is not None:
                return None
            if ids.was_deleted(connection, import_id, decision.wolkvox_id):
                return None
            return self._settle(connection, row, decision, self._known_ids(connection, row))

    def case_of(self, import_id: int, reference: str) -> str | None:
        """Return the id of a created row's case, None if no such row is created."""
        query = select(rows.c.wolkvox_id).where(*_created_row(import_id, reference))
        with self._database.read() as connection:
            return connection.scalars(query).one_or_none()

    def note_deleted(self, import_id: int, reference: str) -> bool:
        """Record that a created row's case is gone from the CRM, as a person says; False if no such row is created.

        The row is planned again, for a new case; if a newer attempt of it has no known outcome, it is about that one
        instead. The id is kept, and hits on it do not count from now on.
        """
        with self._database.write() as connection:
            row = connection.execute(select(rows).where(*_created_row(import_id, reference))).one_or_none()
            if row is None:
                return False
            now = self._database.clock.wall()
            ids.note(connection, ids.Arrival(row.id, ids.DELETED, now), filter(None, (row.wolkvox_id,)))
            ids.dismiss(connection, row.id)
            again = {"state": Status.PLANNED, "deleted": True, "disputed": False, "changed": False}
            message = _("Its case {id} was deleted from the CRM, as a person reported.", id=row.wolkvox_id)
            change: dict[str, object] = {**again, "wolkvox_id": None, "id_prefijo": None, "message": message}
            newer = _newer_without_outcome(connection, row)
            if newer is not None:  # it becomes unknown once its lease is over, and is searched for
                change |= {"state": Status.SENDING, "attempt_id": newer}
            connection.execute(update(rows).where(rows.c.id == row.id).values(**change))
            state = Status.PLANNED if newer is None else Status.SENDING
            self._record(connection, row, Decision(state, ids.DELETED, row.wolkvox_id), state)
        return True

    def gone(self, import_id: int) -> frozenset[str]:
        """Return the ids of the cases of an import that a person declared deleted; hits on them do not count."""
        with self._database.read() as connection:
            return ids.gone(connection, import_id)

    def contest(self, doubt: Doubt, wolkvox_id: str) -> None:
        """Record that a search shows a row's mark in the case of another row, which is disputed from now on."""
        with self._database.write() as connection:
            arrival = ids.Arrival(doubt.row_id, "search", self._database.clock.wall())
            ids.note(connection, arrival, (wolkvox_id,))
            holder = ids.holder(connection, doubt.import_id, doubt.row_id, wolkvox_id)
            if holder is not None:
                ids.dispute(connection, holder.id)

    def disputes(self, import_id: int) -> list[Dispute]:
        """Return the created rows of an import whose ids were also the answers to other rows."""
        query = (
            select(rows.c.id, rows.c.reference, rows.c.wolkvox_id, attempts.c.mark_place)
            .outerjoin(attempts, attempts.c.id == rows.c.attempt_id)
            .where(rows.c.import_id == import_id, rows.c.disputed.is_(True), rows.c.wolkvox_id.is_not(None))
        )
        with self._database.read() as connection:
            return [Dispute(*found) for found in connection.execute(query)]

    def holder_of(self, import_id: int, reference: str, wolkvox_id: str) -> Dispute:
        """Return the row that has an id, as a dispute about that id; raises NoResultFound where it has another id."""
        query = select(rows.c.id).where(
            rows.c.import_id == import_id, rows.c.reference == reference, rows.c.wolkvox_id == wolkvox_id
        )
        with self._database.read() as connection:
            return Dispute(connection.scalars(query).one(), reference, wolkvox_id, None)

    def confirm(self, dispute: Dispute) -> None:
        """Remove the flag from a row whose case was found to be its own."""
        with self._database.write() as connection:
            ids.dispute(connection, dispute.row_id, disputed=False)

    def hand_over(self, doubt: Doubt, dispute: Dispute, decision: Decision) -> Status | None:
        """Give a disputed id to the doubtful row whose case it is; the row that had it becomes unknown.

        The CRM has answered that row with a case: unless a person decides otherwise, the id still keeps the row
        from being sent again. Returns None, and changes nothing, where either row has changed meanwhile.
        """
        with self._database.write() as connection:
            holder = connection.execute(select(rows).where(rows.c.id == dispute.row_id)).one()
            row = connection.execute(select(rows).where(rows.c.id == doubt.row_id)).one()
            changed = (row.attempt_id, row.state) != (doubt.attempt_id, doubt.state)
            if changed or holder.wolkvox_id != dispute.wolkvox_id:
                return None
            message = _(
                "Its id {id} turned out to be the case of {reference}: it is unknown whether this row has a case.",
                id=dispute.wolkvox_id,
                reference=doubt.reference,
            )
            taken = {"state": Status.UNKNOWN, "wolkvox_id": None, "id_prefijo": None, "disputed": False}
            connection.execute(update(rows).where(rows.c.id == holder.id).values(**taken, message=message))
            arrival = ids.Arrival(holder.id, decision.how, self._database.clock.wall())
            ids.note(connection, arrival, (dispute.wolkvox_id,))
            if decision.how != "search":
                ids.dismiss(connection, holder.id)
            self._record(connection, holder, decision, Status.UNKNOWN)
            return self._settle(connection, row, decision, {dispute.wolkvox_id})

    def _known_ids(self, connection: Connection, row: Row[Any]) -> set[str]:
        known = {row.wolkvox_id, *ids.open_ids(connection, row.import_id, row.id)}
        return {wolkvox_id for wolkvox_id in known if wolkvox_id}

    def _settle(self, connection: Connection, row: Row[Any], decision: Decision, known: set[str]) -> Status:
        """Write a decision; a search that finds one case while another id is known leads to a conflict."""
        now, state, message = self._database.clock.wall(), decision.state, decision.message
        found = tuple(filter(None, (decision.wolkvox_id, *decision.ids)))
        ids.note(connection, ids.Arrival(row.id, decision.how, now), (*found, *decision.despite))
        others = known - {decision.wolkvox_id, *decision.names}
        if decision.how == "search" and state is Status.CREATED and others:
            state = Status.CONFLICT
            message = _("More than one case exists for this row: {ids}.", ids=", ".join([*sorted(others), *found]))
        change: dict[str, object] = {"state": state, "message": message}
        if state is Status.CREATED:
            change |= {"wolkvox_id": decision.wolkvox_id, "id_prefijo": decision.id_prefijo, "deleted": False}
        elif state is Status.PLANNED:
            change |= {"wolkvox_id": None, "id_prefijo": None}
        connection.execute(update(rows).where(rows.c.id == row.id).values(**change))
        if state is not Status.CONFLICT:
            ids.dismiss(connection, row.id, but=decision.wolkvox_id)
        self._record(connection, row, decision, state)
        self._erase_values(connection, row.id, row.import_id, state)
        return state

    def _record(self, connection: Connection, row: Row[Any], decision: Decision, state: Status) -> None:
        record_decision(connection, (row.id, row.attempt_id), decision, state, self._database.clock.wall())

    def _erase_values(self, connection: Connection, row_id: int, import_id: int, state: Status) -> None:
        """Erase the values by which a settled row was searched, and those of controls once no row is unknown."""
        if state not in DOUBTFUL:
            connection.execute(update(attempts).where(attempts.c.row_id == row_id).values(search_value=None))
        if not ids.has_unknown(connection, import_id):
            ids.forget_controls(connection, import_id)


def _created_row(import_id: int, reference: str) -> tuple[ColumnElement[bool], ...]:
    return rows.c.import_id == import_id, rows.c.reference == reference, rows.c.state == Status.CREATED


def _newer_without_outcome(connection: Connection, row: Row[Any]) -> int | None:
    """Return the newest attempt of a row after the one that created its case, if its outcome is not known."""
    if row.attempt_id is None:
        return None
    is_open = or_(attempts.c.verdict.is_(None), attempts.c.verdict == Verdict.UNKNOWN)
    newer = select(func.max(attempts.c.id)).where(attempts.c.row_id == row.id, attempts.c.id > row.attempt_id, is_open)
    number: int | None = connection.scalars(newer).one()
    return number


def record_decision(
    connection: Connection, row: tuple[int, int | None], decision: Decision, state: Status, decided_at: float
) -> None:
    """Record what settled a row, given by its number and its attempt's, with the user's name and the time."""
    row_id, attempt_id = row
    connection.execute(
        insert(verdicts).values(
            row_id=row_id,
            attempt_id=attempt_id,
            how=decision.how,
            state=state,
            wolkvox_id=decision.wolkvox_id,
            user=user_name(),
            decided_at=decided_at,
        )
    )


def _last_decisions(connection: Connection, import_id: int) -> dict[int, int]:
    """Return, by row, the number of the last decision about each doubtful row of an import."""
    found = connection.execute(_LAST_DECISIONS, {"import_id": import_id})
    return {row_id: number for row_id, number in found}  # noqa: C416 - rows are no pairs to mypy


def _doubt(found: Row[Any], arrived: tuple[str, ...], decision_id: int | None) -> Doubt:
    ends = [end for end in (found.deadline, found.lease) if end is not None]
    return Doubt(
        row_id=found.id,
        import_id=found.import_id,
        attempt_id=found.attempt_id,
        decision_id=decision_id,
        reference=found.reference,
        state=Status(found.state),
        message=found.message,
        body_length=found.body_length or 0,
        search_field=found.search_field,
        search_value=found.search_value,
        mark_place=found.mark_place,
        boot=found.boot,
        silent_since=max(ends, default=None),
        ids=tuple(dict.fromkeys(filter(None, (found.wolkvox_id, *arrived)))),
        sent_at=found.sent_at,
        run=found.run_id,
    )
