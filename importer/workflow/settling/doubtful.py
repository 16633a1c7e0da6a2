"""Doubtful rows as data, for a person who decides on them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from importer.journal import Doubt, ImportRecord, Journal, RunRecord
from importer.model import Status
from importer.system.clock import local_datetime


@dataclass(frozen=True, slots=True)
class OpenDoubt:
    """A row that may or may not be a case, and what a person needs to decide on it.

    `decidable_from` is when its quiet period ends, before which neither decision nor search can know; None if it is
    over, or nothing was sent. `can_ask` tells whether the CRM can be searched for it. `ids` are the cases that the CRM
    has named for it. `about` identifies the attempt in doubt, for `ByHand`. `source` is the file that was sent, None
    for an adopted row.
    """

    import_name: str
    tenant: str
    operation: str
    reference: str
    state: Status
    message: str
    sent_at: datetime | None
    run: int | None
    source: Path | None
    decidable_from: datetime | None
    can_ask: bool
    ids: tuple[str, ...]
    about: str


def open_doubts(
    journal: Journal, record: ImportRecord, quiet_period: float, runs: Mapping[int, RunRecord]
) -> Iterator[OpenDoubt]:
    """Yield the doubtful rows of an import, in the order in which they were sent."""
    for doubt in journal.doubts.of_import(record.id):
        run = runs.get(doubt.run or 0)
        yield OpenDoubt(
            import_name=record.name,
            tenant=record.tenant,
            operation=record.operation,
            reference=doubt.reference,
            state=doubt.state,
            message=doubt.message,
            sent_at=None if doubt.sent_at is None else local_datetime(doubt.sent_at),
            run=doubt.run,
            source=Path(run.start.source) if run else None,
            decidable_from=_decidable_from(doubt, journal, quiet_period),
            can_ask=can_be_searched(doubt),
            ids=doubt.ids,
            about=doubt.about,
        )


def _decidable_from(doubt: Doubt, journal: Journal, quiet_period: float) -> datetime | None:
    if doubt.silent_since is None:
        return None
    left = doubt.silent_since + quiet_period - journal.clock.elapsed()
    return local_datetime(journal.clock.wall() + left) if left > 0 else None


def can_be_searched(doubt: Doubt) -> bool:
    """Tell whether a search can settle a row: it was sent, and is found by what was sent or by an id that arrived.

    Where there are several cases, only a person can say which of them counts.
    """
    by_value = doubt.search_field is not None and doubt.search_value is not None and doubt.mark_place is not None
    return doubt.state is Status.UNKNOWN and doubt.silent_since is not None and (by_value or bool(doubt.ids))
