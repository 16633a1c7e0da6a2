"""Forgets what a journal no longer needs: of settled rows everything but what keeps their cases from being made again.

Nothing that proves how far the journal has come is removed: attempts, updates and decisions stay, without what was said
in them. What is erased is overwritten in the file (`secure_delete`), and leaves the `-wal` file beside it when the last
program closes the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, or_, select, update

from importer.journal.contacts import EXISTING, ContactState
from importer.journal.database import Database
from importer.journal.runs import troubles_name
from importer.journal.schema import (
    arrived_ids,
    attempts,
    contact_attempts,
    contacts,
    facts,
    reports,
    row_spellings,
    rows,
    runs,
    spot_checks,
    uncorrected_keys,
    updates,
    verdicts,
    verifications,
)
from importer.model import Status
from importer.model.edits import UpdateState

_RANGE = 20_000
"""Numbers of rows in one transaction, so that a run which sends meanwhile waits for moments only."""

_DOUBTFUL_UPDATES = (UpdateState.SENDING, UpdateState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many records were stripped or removed, or would be; `kept` are old rows that stay whole."""

    created: int = 0
    rejected: int = 0
    never_sent: int = 0
    contacts: int = 0
    reports: int = 0
    checks: int = 0
    kept: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to forget."""
        return not any((self.created, self.rejected, self.never_sent, self.contacts, self.reports, self.checks))


class Purges:
    """What a journal forgets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, before: float, content: str) -> Forgotten:
        """Return what `forget` would forget; nothing is changed."""
        with self._database.read() as connection:

            def found(table: Table, which: ColumnElement[bool]) -> int:
                return connection.scalars(select(func.count()).select_from(table).where(which)).one()

            settled, strip = _settled(before), _has_more_than_needed(content)
            last = connection.scalars(_last_row_sent(before)).one() or 0
            return Forgotten(
                created=found(rows, and_(settled, rows.c.state == Status.CREATED, strip)),
                rejected=found(rows, and_(settled, rows.c.state == Status.REJECTED, rows.c.message != "")),
                never_sent=found(rows, _was_never_sent(last)),
                contacts=found(contacts, _askable(before)),
                reports=found(reports, reports.c.written_at < before),
                checks=found(verifications, verifications.c.at < before)
                + found(spot_checks, spot_checks.c.checked_at < before),
                kept=found(rows, and_(_old(before), ~_forgettable())),
            )

    def forget(self, before: float, content: str) -> Forgotten:
        """Forget what was settled before this time, in seconds since 1970; return how much that was.

        A created row keeps the digests of its key, its reference, its ids and its date; a rejected one also the hash of
        its content, by which it is known whether it was corrected. Rows that are unknown, in conflict, being sent,
        disputed or in an update of which nobody knows whether it arrived stay whole. Rows that were never sent, and
        contacts that the CRM can be asked for again, are removed. `content` is the hash that a created row has then.
        """
        counted = self.count(before, content)
        with self._database.read() as connection:
            last = connection.scalars(_last_row_sent(before)).one() or 0
            top = connection.scalars(select(func.max(rows.c.id))).one() or 0
        for first in range(0, top + 1, _RANGE):
            self._strip_rows(before, rows.c.id.between(first, first + _RANGE - 1), content)
        self._remove_never_sent(last)
        self._forget_contacts(before)
        with self._database.write() as connection:
            connection.execute(delete(reports).where(reports.c.written_at < before))
            connection.execute(delete(spot_checks).where(spot_checks.c.checked_at < before))
            connection.execute(delete(verifications).where(verifications.c.at < before))
            resting = select(runs.c.import_id).group_by(runs.c.import_id).having(func.max(runs.c.started_at) < before)
            names = [troubles_name(import_id) for import_id in connection.scalars(resting)]
            connection.execute(delete(facts).where(facts.c.name.in_(names)))
        return counted

    def _strip_rows(self, before: float, some: ColumnElement[bool], content: str) -> None:
        """Erase what attempts, updates and the rows themselves say, of settled rows among some."""
        which = select(rows.c.id).where(some, _settled(before))
        with self._database.write() as connection:
            erased = {"owner": "", "body_length": 0, "search_field": None, "mark_place": None, "search_value": None}
            of_rows = update(attempts).where(attempts.c.row_id.in_(which))
            connection.execute(of_rows.values(message=None, **erased))
            connection.execute(
                update(updates)
                .where(updates.c.row_id.in_(which))
                .values(owner="", content_hash=content, column_digests="", message="")
            )
            connection.execute(update(rows).where(some, _settled(before)).values(message="", changed=False))
            connection.execute(
                update(rows)
                .where(some, _settled(before), rows.c.state == Status.CREATED)
                .values(content_hash=content, column_digests=None)
            )

    def _remove_never_sent(self, last: int) -> None:
        which = select(rows.c.id).where(_was_never_sent(last))
        with self._database.write() as connection:
            for table in (row_spellings, uncorrected_keys, verifications):
                connection.execute(delete(table).where(table.c.row_id.in_(which)))
            connection.execute(delete(rows).where(_was_never_sent(last)))

    def _forget_contacts(self, before: float) -> None:
        old = contacts.c.changed_at < before
        settled = select(contacts.c.id).where(old, contacts.c.state.in_((*EXISTING, ContactState.MISSING)))
        with self._database.write() as connection:
            connection.execute(
                update(contact_attempts)
                .where(contact_attempts.c.contact_id.in_(settled))
                .values(owner="", fields="", search_value=None, message=None)
            )
            connection.execute(update(contacts).where(contacts.c.id.in_(settled)).values(message="", search=None))
            connection.execute(delete(contacts).where(_askable(before)))


def _old(before: float) -> ColumnElement[bool]:
    """Return whether a row was sent or adopted, and neither sent, updated nor decided about since."""
    since = (
        select(attempts.c.row_id).where(attempts.c.started_at >= before),
        select(updates.c.row_id).where(updates.c.started_at >= before),
        select(verdicts.c.row_id).where(verdicts.c.decided_at >= before),
    )
    ever = or_(
        rows.c.sent_at.is_not(None),
        rows.c.id.in_(select(attempts.c.row_id)),
        rows.c.id.in_(select(verdicts.c.row_id)),
    )
    is_before = or_(rows.c.sent_at.is_(None), rows.c.sent_at < before)
    return and_(ever, is_before, *(rows.c.id.not_in(query) for query in since))


def _forgettable() -> ColumnElement[bool]:
    """Return whether nothing about a row is open."""
    in_doubt = select(updates.c.row_id).where(updates.c.state.in_(_DOUBTFUL_UPDATES))
    return and_(
        rows.c.state.in_((Status.CREATED, Status.REJECTED)),
        rows.c.disputed.is_(False),
        rows.c.id.not_in(in_doubt),
    )


def _settled(before: float) -> ColumnElement[bool]:
    return and_(_old(before), _forgettable())


def _has_more_than_needed(content: str) -> ColumnElement[bool]:
    """Return whether a created row still has what it does not need."""
    has_digests = and_(rows.c.column_digests.is_not(None), rows.c.column_digests != "")
    return or_(rows.c.content_hash != content, has_digests, rows.c.message != "")


def _last_row_sent(before: float) -> Select[int]:
    """Return the query for the newest row that was sent before a time; rows with lower numbers are as old."""
    return select(func.max(attempts.c.row_id)).where(attempts.c.started_at < before)


def _was_never_sent(last: int) -> ColumnElement[bool]:
    """Return whether a row is at least as old as the row `last`, and the CRM never heard of it."""
    heard_of = (select(table.c.row_id) for table in (attempts, verdicts, arrived_ids, updates))
    is_open = rows.c.state.in_((Status.PLANNED, Status.INVALID))
    return and_(rows.c.id <= last, is_open, *(rows.c.id.not_in(query) for query in heard_of))


def _askable(before: float) -> ColumnElement[bool]:
    """Return whether a contact is one of which the journal knows only what a search showed, long ago."""
    return and_(
        contacts.c.changed_at < before,
        contacts.c.state.in_((ContactState.KNOWN, ContactState.MISSING)),
        contacts.c.id.not_in(select(contact_attempts.c.contact_id)),
    )
