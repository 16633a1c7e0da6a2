"""Which calls the contacts of rows need before these rows can be sent, by what the journal knew of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from importer.journal import EXISTING, ContactState
from importer.workflow.planning.plan import Plan, PlannedRow

_NAMED = 5
"""Contacts that a forecast names."""


@dataclass(frozen=True, slots=True)
class ContactForecast:
    """What a run is about to do for the contacts of its rows.

    `to_create` contacts are searched, and created where the CRM does not have them; `named` are the addresses of the
    first ones. `rejected` are searched only: the CRM has rejected them as they are. `unknown` may exist, and are
    searched once that is possible. `further` searches are for other spellings of their addresses.
    """

    to_create: int = 0
    rejected: int = 0
    unknown: int = 0
    further: int = 0
    named: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        """The calls that this takes at most: a search for each spelling, and one to create those that are missing."""
        return 2 * self.to_create + self.rejected + self.unknown + self.further


NO_CONTACTS = ContactForecast()
"""Nothing is done for contacts."""


def forecast_contacts(rows: Iterable[PlannedRow], plan: Plan, *, retries: bool) -> ContactForecast:
    """Return what has to be done for the contacts of rows that are about to be sent."""
    counts = {"to_create": 0, "rejected": 0, "unknown": 0, "further": 0}
    named: list[str] = []
    for row, kind in _first_rows(rows, plan, retries=retries):
        if kind is not None:
            counts[kind] += 1
            counts["further"] += _further(row, kind, plan)
            if kind == "to_create" and len(named) < _NAMED:
                named.append(str(row.fields.get("contact")))
    return ContactForecast(**counts, named=tuple(named))


def calls_for_contacts(rows: Iterable[PlannedRow], plan: Plan) -> Iterator[int]:
    """Yield for each row how many calls its contact needs at most, where the row is the first one of it."""
    for row, kind in _first_rows(rows, plan, retries=True):
        yield (2 if kind == "to_create" else int(kind is not None)) + _further(row, kind, plan)


def _further(row: PlannedRow, kind: str | None, plan: Plan) -> int:
    """Return how many searches other spellings of a contact's address take; one in doubt is searched as it was sent."""
    if row.contact is None or kind in {None, "unknown"}:
        return 0
    return len({*plan.spellings.get(row.contact.digest, ()), str(row.fields.get("contact"))}) - 1


def _first_rows(rows: Iterable[PlannedRow], plan: Plan, *, retries: bool) -> Iterator[tuple[PlannedRow, str | None]]:
    """Yield every row, with what its contact needs where it is the first one of it."""
    seen: set[int] = set()
    mapping = plan.mapping
    creates = mapping.contacts is not None and mapping.contacts.creates
    for row in rows:
        contact = row.contact if creates else None
        number = None if contact is None or contact.state in EXISTING else int(contact.digest[:16], 16)
        if contact is None or number is None or number in seen:
            yield row, None
            continue
        seen.add(number)
        if contact.state in {ContactState.UNKNOWN, ContactState.SENDING}:
            yield row, "unknown"
        else:
            is_rejected = contact.rejected == contact.fields and not retries
            yield row, "rejected" if is_rejected else "to_create"
