"""What a plan says of the contacts of its rows: who is missing, and for whom two rows say different things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from importer.journal import EXISTING, ContactState
from importer.mapping import CaseMapping
from importer.messages import _, ngettext, shorten
from importer.model import Status
from importer.workflow.planning.contact_rows import contact_fields
from importer.workflow.planning.plan import Batch, PlannedRow

_MOST = 20
"""Contacts, or rows, that a note names."""

_MOST_ROWS = 10
"""Rows of one contact that a note names."""


_DIGITS = 15
"""Hexadecimal digits of a digest that make a number of 64 bits with a sign."""


@dataclass(slots=True)
class _Named:
    """A contact that a note names: its address, its first rows, and how many it has."""

    address: str
    rows: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, row: int) -> None:
        """Count a row; the first ones are named."""
        self.count += 1
        if len(self.rows) < _MOST_ROWS:
            self.rows.append(row)

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.rows)) + (", …" if self.count > len(self.rows) else "")
        return ngettext(
            "{address} (row {rows})", "{address} (rows {rows})", self.count, address=self.address, rows=listed
        )


@dataclass(slots=True)
class _Found:
    """The contacts in one state: the first ones by name, all by number, since there may be very many."""

    named: dict[int, _Named] = field(default_factory=dict)
    all: set[int] = field(default_factory=set)

    def add(self, number: int, address: str, row: int) -> None:
        """Count a row of a contact."""
        self.all.add(number)
        if number in self.named or len(self.named) < _MOST:
            self.named.setdefault(number, _Named(shorten(address))).add(row)

    @property
    def listed(self) -> str:
        """The contacts that are named, each with its rows."""
        return "; ".join(map(str, self.named.values())) + ("; …" if len(self.all) > len(self.named) else "")


def contact_notes(batches: Iterable[Batch], mapping: CaseMapping) -> Iterator[str]:
    """Yield a note for what is to be known of the contacts of the rows that would be sent."""
    creates = mapping.contacts is not None and mapping.contacts.creates
    for state, found in _by_state(batches).items():
        listed, count = found.listed, len(found.all)
        if state is ContactState.MISSING and not creates:
            yield ngettext(
                "The CRM has no contact {contacts}: what it does with a case of an unknown contact is not documented.",
                "The CRM lacks {count} contacts: {contacts}. What it does with a case of an unknown contact is not"
                " documented.",
                count,
                contacts=listed,
            )
        elif state is ContactState.MISSING:
            yield ngettext(
                "The CRM had no contact {contacts}; it is created before its cases.",
                "The CRM lacked {count} contacts, which are created before their cases: {contacts}.",
                count,
                contacts=listed,
            )
        else:
            yield ngettext(
                "It is not known whether the contact {contacts} was created; its rows wait until that is settled.",
                "It is not known whether {count} contacts were created; their rows wait until that is settled:"
                " {contacts}.",
                count,
                contacts=listed,
            )
    if creates:
        yield from _different_fields(batches)


def _by_state(batches: Iterable[Batch]) -> dict[ContactState, _Found]:
    """Return the contacts that are missing or unknown, with the rows that would be sent."""
    found: dict[ContactState, _Found] = {}
    for batch in batches:
        contacts = batch.facts["contact"]
        if not contacts.notna().any():
            continue
        is_open = contacts.map(lambda each: each is not None and each.state not in {None, *EXISTING}).astype(bool)
        for row in batch.rows(batch.in_state(Status.PLANNED) & is_open):
            if row.contact is not None and row.contact.state is not None:
                state = ContactState.UNKNOWN if row.contact.state is ContactState.SENDING else row.contact.state
                number = int(row.contact.digest[:_DIGITS], 16)
                found.setdefault(state, _Found()).add(number, str(row.fields.get("contact")), row.number)
    return found


def _different_fields(batches: Iterable[Batch]) -> Iterator[str]:
    """Yield a note for rows that say something else of their contact than its first row, whose values are sent."""
    frames = [_fields_of(batch) for batch in batches]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if rows.empty:
        return
    first = rows.drop_duplicates("contact").set_index("contact")
    rows["first"] = rows["contact"].map(first["row"])
    differ = rows[rows["contact"].map(first["fields"]) != rows["fields"]]
    if differ.empty:
        return
    shown = dict(zip(differ["row"].head(_MOST).tolist(), differ["first"].head(_MOST).tolist(), strict=True))
    found = _rows(batches, {*shown, *shown.values()})
    pairs = ((found[row], found[before]) for row, before in shown.items())
    listed = "; ".join(text for row, before in pairs for text in _differences(row, before))
    yield ngettext(
        "A contact is created with the values of the first of its rows. {count} row has others: {rows}.",
        "A contact is created with the values of the first of its rows. {count} rows have others: {rows}.",
        len(differ),
        rows=listed + ("; …" if len(differ) > _MOST else ""),
    )


def _fields_of(batch: Batch) -> pd.DataFrame:
    """Return contact and fields of the rows whose contact may be created, as numbers: a million of them are held."""
    is_open = batch.facts["contact"].map(lambda each: each is not None and each.state not in EXISTING).astype(bool)
    contacts = batch.facts.loc[batch.in_state(Status.PLANNED) & is_open, "contact"]
    values = {
        "contact": [int(each.digest[:_DIGITS], 16) for each in contacts],
        "fields": [int(each.fields[:_DIGITS], 16) for each in contacts],
    }
    columns = {**values, "row": contacts.index.tolist()}
    return pd.DataFrame({name: pd.Series(each, dtype="int64") for name, each in columns.items()})


def _rows(batches: Iterable[Batch], numbers: set[int]) -> Mapping[int, PlannedRow]:
    chosen = (row for batch in batches for row in batch.rows(batch.facts.index.to_series().isin(numbers)))
    return {row.number: row for row in chosen}


def _differences(row: PlannedRow, first: PlannedRow) -> Iterator[str]:
    """Yield what a row says otherwise than the first one of its contact."""
    own, before = contact_fields(row.fields), contact_fields(first.fields)
    for name in {**before, **own}:
        if own.get(name) != before.get(name) and name != "emailcontact":
            yield _(
                "row {row} ({address}): {field} '{value}', but '{other}' in row {first}",
                row=row.number,
                address=shorten(str(row.fields.get("contact"))),
                field=name,
                value=shorten(str(own.get(name, ""))),
                other=shorten(str(before.get(name, ""))),
                first=first.number,
            )
