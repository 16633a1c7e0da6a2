"""What is known of contacts: whether the CRM has them, and what became of the attempts to create them.

A contact is one address of one operation, known by a digest under the journal's own secret. The address itself is here
only while the contact is being created or in doubt, to search for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from importer.journal.database import Database, batches
from importer.journal.runs import user_name
from importer.journal.schema import contact_attempts, contacts
from importer.system.clock import local_datetime


class ContactState(StrEnum):
    """The state of a contact; one that nobody asked about has none, and is not in the journal."""

    KNOWN = "known"
    MISSING = "missing"
    SENDING = "sending"
    CREATED = "created"
    UNKNOWN = "unknown"


EXISTING = frozenset({ContactState.KNOWN, ContactState.CREATED})
"""States of a contact that the CRM has."""

Operation = tuple[str, str]
"""Tenant and operation, to which contacts belong."""


class KnownContact(NamedTuple):
    """What the journal knows of a contact; `rejected` is the digest of the fields that the CRM rejected, if it did.

    A tuple, because there may be hundreds of thousands.
    """

    digest: str
    state: ContactState
    how: str
    wolkvox_id: str | None = None
    message: str = ""
    rejected: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class ContactDoubt:
    """A contact that may or may not have been created, by its attempt.

    `address` is what was sent, by which it is searched; `silent_since` is when the attempt had certainly ended, in
    seconds on the clock that counts sleep, of the boot `boot`.
    """

    digest: str
    state: ContactState
    attempt: int
    address: str | None
    boot: str
    silent_since: float
    message: str = ""


class Contacts:
    """The contacts of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, operation: Operation, digests: Sequence[str]) -> dict[str, KnownContact]:
        """Return what is known of these contacts, by digest; nothing of those that nobody asked about."""
        found: dict[str, KnownContact] = {}
        with self._database.read() as connection:
            for some in batches(digests):
                query = _of(operation).where(contacts.c.digest.in_(some))
                found |= {row.digest: _known(row) for row in connection.execute(query)}
        return found

    def rejected(self, operation: Operation) -> dict[str, KnownContact]:
        """Return the contacts of an operation that the CRM rejected, by digest."""
        query = _of(operation).where(contacts.c.state == ContactState.MISSING, contacts.c.rejected.is_not(None))
        with self._database.read() as connection:
            return {row.digest: _known(row) for row in connection.execute(query)}

    def any_known(self, operation: Operation) -> bool:
        """Tell whether anything is known of contacts of this operation."""
        with self._database.read() as connection:
            return connection.execute(_of(operation).limit(1)).first() is not None

    def note(self, operation: Operation, found: KnownContact, search: str | None = None) -> KnownContact:
        """Record what a search showed, and return what is known then.

        A contact that is being sent, in doubt or created stays so: only its attempt, or what settles it, ends that.
        `search` names a search that found none: `ContactAttempts.claim` demands that it was the last one.
        """
        values = {
            "state": found.state,
            "how": found.how,
            "search": search,
            "wolkvox_id": found.wolkvox_id,
            "user": user_name() if found.how == "by-hand" else None,
            "changed_at": self._database.clock.wall(),
        }
        with self._database.write() as connection:
            row = _row(connection, operation, found.digest)
            if row is None:
                tenant, name = operation
                new = {"tenant": tenant, "operation": name, "digest": found.digest, "message": found.message}
                connection.execute(insert(contacts).values(**values, **new))
            elif row.state in {ContactState.KNOWN, ContactState.MISSING}:
                rejected = row.state == found.state == ContactState.MISSING and row.rejected is not None
                kept = {} if rejected else {"message": found.message, "rejected": None}
                connection.execute(update(contacts).where(contacts.c.id == row.id).values(**values, **kept))
            return _known(_row(connection, operation, found.digest))

    def doubts(self, operation: Operation) -> list[ContactDoubt]:
        """Return the contacts of an operation that are unknown, or being created, in the order of their attempts."""
        query = (
            select(contacts, *(contact_attempts.c[name] for name in ("boot", "deadline", "lease", "search_value")))
            .join(contact_attempts, contact_attempts.c.id == contacts.c.attempt_id)
            .where(contacts.c.tenant == operation[0], contacts.c.operation == operation[1])
            .where(contacts.c.state.in_((ContactState.UNKNOWN, ContactState.SENDING)))
            .order_by(contacts.c.attempt_id)
        )
        with self._database.read() as connection:
            return [_doubt(row) for row in connection.execute(query)]

    def searchable_from(self, doubt: ContactDoubt, quiet_period: float) -> datetime | None:
        """Return from when on a search for a contact in doubt proves something; None where it does so now.

        The quiet period, in seconds, begins when its attempt had certainly ended. That of another boot is measured
        from now on.
        """
        clock = self._database.clock
        now = clock.elapsed()
        left = quiet_period + (doubt.silent_since - now if doubt.boot == clock.boot() else 0.0)
        return local_datetime(clock.wall() + left) if left > 0 else None

    def operations_in_doubt(self) -> list[Operation]:
        """Return the operations that have contacts which are unknown or being created."""
        in_doubt = contacts.c.state.in_((ContactState.UNKNOWN, ContactState.SENDING))
        query = select(contacts.c.tenant, contacts.c.operation).where(in_doubt).distinct()
        with self._database.read() as connection:
            return [(tenant, name) for tenant, name in connection.execute(query)]

    def decide(self, operation: Operation, doubt: ContactDoubt, decided: KnownContact) -> bool:
        """Commit what settles an unknown contact; False, with nothing changed, where it has changed meanwhile.

        The address by which it was searched is erased.
        """
        with self._database.write() as connection:
            row = _row(connection, operation, doubt.digest)
            if row is None or (row.attempt_id, row.state) != (doubt.attempt, ContactState.UNKNOWN):
                return False
            values = {
                "state": decided.state,
                "how": decided.how,
                "search": None,
                "message": decided.message,
                "wolkvox_id": decided.wolkvox_id or row.wolkvox_id,
                "user": user_name() if decided.how == "by-hand" else None,
                "changed_at": self._database.clock.wall(),
            }
            connection.execute(update(contacts).where(contacts.c.id == row.id).values(**values))
            of_contact = contact_attempts.c.contact_id == row.id
            connection.execute(update(contact_attempts).where(of_contact).values(search_value=None))
            forget_controls(connection, operation)
        return True

    def note_deleted(self, operation: Operation, digest: str) -> bool:
        """Record that a contact which existed was deleted, by whom and when; False where it is not known to exist.

        It is missing then, and is created again by who searches for it and finds none.
        """
        with self._database.write() as connection:
            row = _row(connection, operation, digest)
            if row is None or row.state not in EXISTING:
                return False
            values = {
                "state": ContactState.MISSING,
                "how": "by-hand",
                "search": None,
                "message": "",
                "wolkvox_id": None,
                "user": user_name(),
                "changed_at": self._database.clock.wall(),
            }
            connection.execute(update(contacts).where(contacts.c.id == row.id).values(**values))
            of_contact = contact_attempts.c.contact_id == row.id
            connection.execute(update(contact_attempts).where(of_contact).values(search_value=None))
        return True

    def controls(self, operation: Operation, doubt: ContactDoubt, quiet_period: float) -> list[str]:
        """Return the addresses of contacts that were created in attempts which began after a doubtful one's quiet time.

        A search that shows one of them has an index that is not behind. The newest come first.
        """
        newer = (
            select(contact_attempts.c.search_value)
            .join(contacts, contacts.c.attempt_id == contact_attempts.c.id)
            .where(contacts.c.tenant == operation[0], contacts.c.operation == operation[1])
            .where(contacts.c.state == ContactState.CREATED, contact_attempts.c.search_value.is_not(None))
            .where(contact_attempts.c.boot == doubt.boot)
            .where(contact_attempts.c.began > doubt.silent_since + quiet_period)
            .order_by(contact_attempts.c.id.desc())
        )
        with self._database.read() as connection:
            return list(connection.scalars(newer))

    def counts(self, operation: Operation, digests: Iterable[str]) -> dict[ContactState, int]:
        """Return how many of these contacts are in each state."""
        counted: dict[ContactState, int] = {}
        for known in self.known(operation, list(digests)).values():
            counted[known.state] = counted.get(known.state, 0) + 1
        return counted

    def created_by(self, run_id: int) -> int:
        """Return how many contacts the attempts of a run have created."""
        of_run = (contact_attempts.c.run_id == run_id, contact_attempts.c.verdict == ContactState.CREATED)
        with self._database.read() as connection:
            return connection.scalars(select(func.count()).select_from(contact_attempts).where(*of_run)).one()


def has_unknown(connection: Connection, operation: Operation) -> bool:
    """Tell whether a contact of an operation is unknown."""
    query = _of(operation).where(contacts.c.state == ContactState.UNKNOWN).limit(1)
    return connection.execute(query).first() is not None


def forget_controls(connection: Connection, operation: Operation, *, but_unknown: bool = True) -> None:
    """Erase the addresses of created contacts, which serve as controls only while some contact is unknown."""
    if but_unknown and has_unknown(connection, operation):
        return
    created = (
        select(contacts.c.id)
        .where(contacts.c.tenant == operation[0], contacts.c.operation == operation[1])
        .where(contacts.c.state == ContactState.CREATED)
    )
    kept = (contact_attempts.c.search_value.is_not(None), contact_attempts.c.contact_id.in_(created))
    connection.execute(update(contact_attempts).where(*kept).values(search_value=None))


def _of(operation: Operation) -> Select[Any]:
    return select(contacts).where(contacts.c.tenant == operation[0], contacts.c.operation == operation[1])


def _row(connection: Connection, operation: Operation, digest: str) -> Row[Any] | None:
    return connection.execute(_of(operation).where(contacts.c.digest == digest)).one_or_none()


def _known(row: Any) -> KnownContact:  # noqa: ANN401 - a line of the table, whose columns SQLAlchemy does not type
    state = ContactState(row.state)
    return KnownContact(row.digest, state, row.how, row.wolkvox_id, row.message, row.rejected, row.attempt_id)


def _doubt(row: Any) -> ContactDoubt:  # noqa: ANN401 - as above
    ends = max(row.deadline, row.lease)
    state = ContactState(row.state)
    return ContactDoubt(row.digest, state, row.attempt_id, row.search_value, row.boot, ends, row.message)
