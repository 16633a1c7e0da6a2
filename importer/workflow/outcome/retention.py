"""Forgetting what is no longer needed: in the journal, and the backups that this program made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from importer.errors import JournalError
from importer.identity import FORGOTTEN_CONTENT
from importer.journal import Forgotten, Journal
from importer.messages import _, ngettext
from importer.periods import Period
from importer.system.clock import local_datetime

_PURGE = "purge"
"""The decision that is recorded with each purge: up to when the journal has forgotten what it did not need."""

_AT_MOST_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Purged:
    """What was forgotten that had been settled `before` a time, or would be in a `dry_run`.

    `backups` were made before that time, and removed; `newer_backups` were not, and still have what was forgotten.
    """

    before: datetime
    forgotten: Forgotten
    backups: tuple[Path, ...]
    newer_backups: tuple[Path, ...]
    dry_run: bool = False

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to forget."""
        return self.forgotten.nothing and not self.backups

    def lines(self) -> Iterator[str]:
        """Yield what was forgotten, in words."""
        yield from _counted(self.forgotten)
        for path in self.backups:
            yield _("backup {path}", path=path)


def purge(journal: Journal, older_than: Period, *, dry_run: bool = False) -> Purged:
    """Forget what was settled longer ago than a period, or only count it; no row can be sent again because of that.

    A purge is recorded, with its time and user. Raises JournalError where the journal cannot be written, or a backup
    not removed.
    """
    before = older_than.before(local_datetime(journal.clock.wall()))
    backups, newer = journal.copies.own_backups(before.timestamp())
    known = before.timestamp(), FORGOTTEN_CONTENT
    if dry_run:
        return Purged(before, journal.purges.count(*known), backups, newer, dry_run=True)
    forgotten = journal.purges.forget(*known)
    for path in backups:
        journal.copies.remove_backup(path)
    journal.decisions.record(_PURGE, "", before.isoformat(timespec="seconds"))
    return Purged(before, forgotten, backups, newer)


def keep_for(journal: Journal, retention: Period | None) -> Iterator[str]:
    """Purge after a run, at most once a day, where a retention is set; yield a note where that did something."""
    if retention is None:
        return
    before = retention.before(local_datetime(journal.clock.wall()))
    last = journal.decisions.answered(_PURGE)
    if last is not None and before - datetime.fromisoformat(last) < _AT_MOST_EVERY:
        return
    try:
        purged = purge(journal, retention)
    except JournalError as error:  # the cases are sent, and the next run tries again
        yield _("Nothing was forgotten ({retention}): {reason}", retention=retention, reason=error)
        return
    if not purged.nothing:
        words = "; ".join(purged.lines())
        yield _("Forgotten, because it is older than {retention}: {what}.", retention=retention, what=words)


def _counted(forgotten: Forgotten) -> Iterator[str]:
    """Yield the counts that are not zero."""
    if forgotten.created:
        yield ngettext(
            "details of {count} row with a case (digests of its key, reference, ids and date stay)",
            "details of {count} rows with cases (digests of their keys, references, ids and dates stay)",
            forgotten.created,
        )
    if forgotten.rejected:
        yield ngettext(
            "what the CRM said of {count} rejected row",
            "what the CRM said of {count} rejected rows",
            forgotten.rejected,
        )
    if forgotten.never_sent:
        yield ngettext("{count} row that was never sent", "{count} rows that were never sent", forgotten.never_sent)
    if forgotten.contacts:
        yield ngettext(
            "{count} contact that the CRM can be asked for again",
            "{count} contacts that the CRM can be asked for again",
            forgotten.contacts,
        )
    if forgotten.reports:
        yield ngettext("the digest of {count} report", "the digests of {count} reports", forgotten.reports)
    if forgotten.checks:
        yield ngettext(
            "{count} note of what was asked of the CRM", "{count} notes of what was asked of the CRM", forgotten.checks
        )
