"""How many rows are in each state, and what arrived in the CRM, for whoever answers for an import; frozen values.

A *ticket* is a row that is or should become a case; the rows that are further lines of it, or skipped, are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from importer.messages import _, ngettext, shorten

Kind = Literal["type", "status", "month", "sent", "year", "year-sent"]
"""What a table counts tickets by: their case type, their status, their own month, or the month of sending."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are in each state.

    Among the created rows, `changed` have a different content now, and `created_now` were sent by this run; the cases
    of `updated_now` were updated by it, and those of the changed rows `to_update` are by a later one. Of the
    rows that are `part` of another row's case, `created_parts` are part of a created one.
    """

    invalid: int = 0
    skipped: int = 0
    part: int = 0
    planned: int = 0
    sending: int = 0
    created: int = 0
    rejected: int = 0
    unknown: int = 0
    conflict: int = 0
    changed: int = 0
    created_now: int = 0
    created_parts: int = 0
    updated_now: int = 0
    to_update: int = 0

    @property
    def rows(self) -> int:
        """The number of all rows."""
        settled = self.created + self.rejected + self.skipped + self.part
        return settled + self.invalid + self.planned + self.sending + self.unknown + self.conflict

    @property
    def cases(self) -> int:
        """The number of rows that are, or would be, a case: what a customer calls the tickets."""
        return self.rows - self.skipped - self.part

    @property
    def case_rows(self) -> int:
        """The number of rows that these cases are made of."""
        return self.rows - self.skipped


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tickets of one name there are, and how many of them are in the CRM.

    The name is empty for tickets that have none, and None for all further names together.
    """

    name: str | None
    tickets: int
    arrived: int

    @property
    def missing(self) -> int:
        """The number of tickets that are not known to be in the CRM."""
        return self.tickets - self.arrived


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All tickets, counted by one of their properties."""

    kind: Kind
    tallies: tuple[Tally, ...]

    def by_year(self) -> Breakdown:
        """Return months, `2026-11`, added up by year; anything else stays as it is."""
        kind = _YEARS.get(self.kind)
        if kind is None:
            return self
        years: dict[str | None, list[Tally]] = {}
        for each in self.tallies:
            years.setdefault(each.name and each.name[:4], []).append(each)
        sums = (
            Tally(name, sum(one.tickets for one in some), sum(one.arrived for one in some))
            for name, some in years.items()
        )
        return Breakdown(kind, tuple(sums))


_YEARS: dict[Kind, Kind] = {"month": "year", "sent": "year-sent"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some tickets did not arrive, and what to do; each ticket counts for one reason.

    `rows` names them (`2-5, 9`). `message` is that of the first, if not `alike` one of several. `status` is empty for
    all further reasons together.
    """

    status: str
    count: int
    message: str
    rows: str
    remedy: str
    alike: bool = True


@dataclass(frozen=True, slots=True)
class FileCount:
    """How many attachments the tickets name: sent, waiting for their tickets, and those that cannot be sent.

    `left_out` are the first rows whose tickets go without some of them, each with the names of these.
    """

    sent: int = 0
    waiting: int = 0
    missing: int = 0
    left_out: tuple[tuple[int, tuple[str, ...]], ...] = ()

    @property
    def named(self) -> int:
        """The number of all attachments."""
        return self.sent + self.waiting + self.missing


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many of the rows that are skipped the spreadsheet hides, and how many say that they are a total.

    `rows` are the first of all `count` of them by number, each with its key and why, in words.
    """

    hidden: int = 0
    totals: int = 0
    rows: tuple[tuple[int, str, str], ...] = ()
    count: int = 0

    def told(self) -> str:
        """Return which rows are left out and why, in a sentence; empty where there are none."""
        rows = [
            _("row {row} ({key}): {why}", row=row, key=shorten(key), why=why)
            if key
            else _("row {row}: {why}", row=row, why=why)
            for row, key, why in self.rows
        ]
        if more := self.count - len(rows):
            rows.append(ngettext("{count} more row", "{count} more rows", more))
        return _("Left out: {rows}.", rows="; ".join(rows)) if rows else ""


NOTHING_LEFT_OUT = LeftOut()


@dataclass(frozen=True, slots=True)
class Account:
    """The numbers of an import beyond its states; `deleted` counts the cases of which a person reported that."""

    reasons: tuple[Reason, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    files: FileCount = FileCount()
    deleted: int = 0
    left_out: LeftOut = NOTHING_LEFT_OUT
