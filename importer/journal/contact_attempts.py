"""One attempt to create a contact: its intent before the first byte, and its outcome, each in one durable commit.

It is what `attempts` is for cases, with the same lease, and in the same sequence of numbers. A contact is created only
by who has just searched for it and found none, and by one attempt at a time, whichever process makes it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from importer.errors import JournalError
from importer.journal import leases, rescue
from importer.journal.contacts import ContactState, Operation, forget_controls, has_unknown
from importer.journal.database import Database
from importer.journal.kept_outcomes import keep_aside
from importer.journal.leases import Attempt, Begun
from importer.journal.numbering import next_number
from importer.journal.schema import contact_attempts, contacts
from importer.messages import _
from importer.model import Outcome, Verdict

STATE_AFTER = {
    Verdict.CREATED: ContactState.CREATED,
    Verdict.REJECTED: ContactState.MISSING,
    Verdict.UNKNOWN: ContactState.UNKNOWN,
    Verdict.NOT_DELIVERED: ContactState.MISSING,
}
"""The state to which the outcome of an attempt brings its contact."""

_OF_ATTEMPT: Select[Any] = select(
    *(contacts.c[name] for name in ("id", "tenant", "operation", "digest", "state", "attempt_id", "wolkvox_id")),
    *(contact_attempts.c[name] for name in ("token", "verdict", "fields")),
    contact_attempts.c.id.label("ended_id"),
).join(contacts, contacts.c.id == contact_attempts.c.contact_id)

_IN_FLIGHT = leases.in_flight(
    contact_attempts,
    contact_attempts.c.id == contacts.c.attempt_id,
    contact_attempts.c.contact_id == contacts.c.id,
    contacts.c.state == ContactState.SENDING,
)


@dataclass(frozen=True, slots=True)
class ContactIntent:
    """A contact that is about to be created.

    `search` is the search that found none, and `fields` the digest of what is sent. Nothing is sent `seconds` after the
    attempt began.
    """

    operation: Operation
    digest: str
    address: str
    search: str
    fields: str
    seconds: float
    run_id: int | None = None


class ContactAttempts:
    """The attempts of a journal to create contacts."""

    def __init__(self, database: Database) -> None:
        self._database, self._clock = database, database.clock

    def claim(self, intent: ContactIntent) -> Attempt | None:
        """Commit the intent to create a contact; None unless it is missing still, by this very search.

        Only after this returns may the first byte be sent.
        """
        tenant, name = intent.operation
        missing = (
            select(contacts.c.id)
            .where(contacts.c.tenant == tenant, contacts.c.operation == name, contacts.c.digest == intent.digest)
            .where(contacts.c.state == ContactState.MISSING, contacts.c.search == intent.search)
        )
        with self._database.write() as connection:
            contact_id = connection.scalars(missing.with_for_update(skip_locked=True)).one_or_none()
            if contact_id is None:
                return None
            attempt = self._begin(connection, contact_id, intent)
            sending = {"state": ContactState.SENDING, "how": "sent", "attempt_id": attempt.id, "search": None}
            change = update(contacts).where(contacts.c.id == contact_id, contacts.c.search == intent.search)
            connection.execute(change.values(**sending, message="", changed_at=self._clock.wall()))
        return attempt

    def _begin(self, connection: Connection, contact_id: int, intent: ContactIntent) -> Attempt:
        begun, number = Begun.now(self._clock, intent.seconds), next_number(connection)
        values = {
            "id": number,
            "contact_id": contact_id,
            "run_id": intent.run_id,
            **asdict(begun),
            "fields": intent.fields,
            "search_value": intent.address,
        }
        connection.execute(insert(contact_attempts).values(**values))
        return begun.attempt(number, intent.digest)

    def lease_holds(self, attempt: Attempt) -> bool:
        """Whether an attempt of this process may still send; asked right before the first byte and the last chunk."""
        return leases.lease_holds(self._database, _IN_FLIGHT, attempt)

    def conclude(self, attempt: Attempt, outcome: Outcome) -> ContactState:
        """Commit the outcome of an attempt; return the state of its contact then.

        A created answer is kept whatever the state is now; any other counts only while the state describes this
        attempt. Raises as `Attempts.conclude` does, after the outcome was kept aside.
        """
        try:
            with self._database.write() as connection:
                row = self._find(connection, attempt.id, attempt.token)
                if row is None:
                    raise self._another_journal()
                return self._conclude(connection, row, outcome)
        except JournalError:
            with suppress(JournalError):  # the address is searched for: nothing but the time of that search is lost
                keep_aside(self._database, attempt, outcome)
            raise

    def take_in(self, connection: Connection, kept: rescue.KeptOutcome) -> bool:
        """Write an outcome that was kept aside; False where it is not that of an attempt to create a contact."""
        row = self._find(connection, kept.attempt_id, kept.token or "")
        if row is None or row.digest != kept.reference:
            return False
        self._conclude(connection, row, kept.outcome)
        return True

    def _find(self, connection: Connection, number: int, token: str) -> Row[Any] | None:
        found = _OF_ATTEMPT.where(contact_attempts.c.id == number, contact_attempts.c.token == token)
        return connection.execute(found).one_or_none()

    def _conclude(self, connection: Connection, row: Row[Any], outcome: Outcome) -> ContactState:
        """Write an outcome to its attempt and, where it still counts, to its contact."""
        outcome = _undisputed(connection, row, outcome)
        created = outcome.verdict is Verdict.CREATED
        is_open = row.state in {ContactState.SENDING, ContactState.UNKNOWN}
        counts = created or (row.attempt_id == row.ended_id and is_open)
        operation = (row.tenant, row.operation)
        if created or row.verdict in {None, Verdict.UNKNOWN}:
            self._end(connection, row, outcome, counts=counts)
        if not counts:
            return ContactState(row.state)
        state = STATE_AFTER[outcome.verdict]
        change = {
            "state": state,
            "how": "sent",
            "search": None,
            "attempt_id": row.ended_id,
            "message": outcome.message,
            "wolkvox_id": outcome.wolkvox_id if created else row.wolkvox_id,
            "rejected": row.fields if outcome.verdict is Verdict.REJECTED else None,
            "changed_at": self._clock.wall(),
        }
        connection.execute(update(contacts).where(contacts.c.id == row.id).values(**change))
        if state is not ContactState.UNKNOWN and row.state == ContactState.UNKNOWN:
            forget_controls(connection, operation)
        return state

    def _end(self, connection: Connection, row: Row[Any], outcome: Outcome, *, counts: bool) -> None:
        """Write the outcome to its attempt; erase the address unless the contact is still to be searched.

        That of a created one is kept while others are unknown: a search that shows it is not behind.
        """
        ended: dict[str, object] = {
            "ended_at": self._clock.wall(),
            "verdict": outcome.verdict,
            "http_status": outcome.http_status,
            "code": outcome.code,
            "wolkvox_id": outcome.wolkvox_id,
            "message": outcome.message,
        }
        needed = outcome.verdict is Verdict.UNKNOWN and counts
        operation = (row.tenant, row.operation)
        if outcome.verdict is Verdict.CREATED and has_unknown(connection, operation):
            forget_controls(connection, operation, but_unknown=False)
            needed = True
        if not needed:
            ended["search_value"] = None
        connection.execute(update(contact_attempts).where(contact_attempts.c.id == row.ended_id).values(**ended))

    def expire(self, operation: Operation | None = None) -> int:
        """Make contacts unknown whose lease has ended without an outcome; return how many. None: of all operations."""
        of_operation = [contacts.c.tenant == operation[0], contacts.c.operation == operation[1]] if operation else []
        with self._database.write() as connection:
            self._rebase(connection)
            is_over = contact_attempts.c.lease < self._clock.elapsed()
            ended = select(contact_attempts.c.id).where(contact_attempts.c.id == contacts.c.attempt_id, is_over)
            change = update(contacts).where(*of_operation, contacts.c.state == ContactState.SENDING, ended.exists())
            message = _("The program was stopped while this contact was being created: it may exist.")
            return connection.execute(change.values(state=ContactState.UNKNOWN, message=message)).rowcount

    def _rebase(self, connection: Connection) -> None:
        """Measure attempts of another boot from now on, those of contacts that may exist or are being created."""
        sending = contacts.c.state == ContactState.SENDING
        found = (
            select(*(contact_attempts.c[name] for name in ("id", "began", "deadline", "lease")), sending)
            .join(contacts, contacts.c.attempt_id == contact_attempts.c.id)
            .where(
                contacts.c.state.in_((ContactState.SENDING, ContactState.UNKNOWN)),
                leases.of_another_boot(contact_attempts, self._clock),
            )
        )
        leases.rebase(connection, self._clock, contact_attempts, found)

    def _another_journal(self) -> JournalError:
        return JournalError(
            _(
                "{path}: the journal no longer knows the attempt to create a contact: another copy was put in its place"
                " while it was in use. Restore the journal that was in use.",
                path=self._database.place,
            )
        )


def _undisputed(connection: Connection, row: Row[Any], outcome: Outcome) -> Outcome:
    """Return the outcome, unknown where the CRM answered with the id of another contact: a proxy repeats answers."""
    if outcome.verdict is not Verdict.CREATED or outcome.wolkvox_id is None:
        return outcome
    another = select(contacts.c.id).where(
        contacts.c.tenant == row.tenant,
        contacts.c.operation == row.operation,
        contacts.c.wolkvox_id == outcome.wolkvox_id,
        contacts.c.id != row.id,
    )
    if connection.execute(another.limit(1)).first() is None:
        return outcome
    message = _("The CRM answered with the id {id}, which another contact already has.", id=outcome.wolkvox_id)
    return Outcome(Verdict.UNKNOWN, message, http_status=outcome.http_status, code=outcome.code)
