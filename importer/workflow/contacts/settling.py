"""Settles contacts of which it is unknown whether they were created, by searching for their addresses.

It is as strict as the settling of rows. A contact that is found exists. One that is not found is missing only after its
quiet period, by an empty list that is believed, and if the same search shows, in the same settling, a contact that this
program created after that quiet period: then the search finds such contacts, and its index is not behind. In place of
the doctor's test case, that later contact proves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from importer.crm import Crm
from importer.errors import QuestionRefused
from importer.journal import ContactDoubt, ContactState, Journal, KnownContact, Operation
from importer.messages import _, ngettext, shorten
from importer.system.stopping import Stop
from importer.text import folded_address
from importer.workflow.contacts.searching import ContactAnswer, findings_of, in_each_spelling, judge
from importer.workflow.planning.contact_rows import ADDRESS

_MOST_NAMED = 5
"""Contacts that a sentence names."""


@dataclass(frozen=True, slots=True)
class ContactsSettled:
    """What settling contacts came to, and how many are left; `until` is when the last of these can be searched for.

    `sending` are being created, by this process or another, or were when that was stopped. `addresses` are those of
    the unknown ones, `sending_addresses` those of the ones that are being created.
    """

    known: int = 0
    missing: int = 0
    unknown: int = 0
    sending: int = 0
    until: datetime | None = None
    refusals: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    sending_addresses: tuple[str, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """Return the result in sentences."""
        lines = []
        if self.known:
            lines.append(
                ngettext(
                    "Settled: {count} contact exists in the CRM.",
                    "Settled: {count} contacts exist in the CRM.",
                    self.known,
                )
            )
        if self.missing:
            lines.append(
                ngettext(
                    "Settled: {count} contact is missing in the CRM.",
                    "Settled: {count} contacts are missing in the CRM.",
                    self.missing,
                )
            )
        return (*lines, *self._left(), *self.refusals)

    def _left(self) -> Iterator[str]:
        """Yield which contacts are not settled, and from when on the CRM can be searched for them."""
        if self.unknown:
            yield ngettext(
                "It is unknown whether {count} contact was created: {addresses}.",
                "It is unknown whether {count} contacts were created: {addresses}.",
                self.unknown,
                addresses=_named(self.addresses, self.unknown),
            )
        if self.sending:
            yield ngettext(
                "{count} contact is being created, or was when its process stopped: {addresses}.",
                "{count} contacts are being created, or were when their process stopped: {addresses}.",
                self.sending,
                addresses=_named(self.sending_addresses, self.sending),
            )
        if self.until is not None:
            yield ngettext(
                "It can be searched for from {when:%Y-%m-%d %H:%M:%S} on.",
                "All of these contacts can be searched for from {when:%Y-%m-%d %H:%M:%S} on.",
                self.unknown + self.sending,
                when=self.until,
            )


def _named(addresses: tuple[str, ...], count: int) -> str:
    """Return the first of so many contacts."""
    shown = [shorten(address) for address in addresses[:_MOST_NAMED]]
    return ", ".join([*shown, *["…"] * (count > len(shown))])


def contact_waits(journal: Journal, operation: Operation, quiet_period: float) -> ContactsSettled:
    """Return what is not settled of the contacts of an operation, without asking the CRM."""
    doubts = journal.contacts.doubts(operation)
    searchable = (journal.contacts.searchable_from(doubt, quiet_period) for doubt in doubts)
    sending = [doubt.address for doubt in doubts if doubt.state is ContactState.SENDING]
    unknown = [doubt.address for doubt in doubts if doubt.state is not ContactState.SENDING]
    return ContactsSettled(
        unknown=len(unknown),
        sending=len(sending),
        until=max((until for until in searchable if until is not None), default=None),
        addresses=tuple(filter(None, unknown)),
        sending_addresses=tuple(filter(None, sending)),
    )


class ContactSettler:
    """Settles the unknown contacts of one operation; `quiet_period` is in seconds.

    `search` asks the CRM by an address, and raises what `Crm.query_contacts` raises.
    """

    def __init__(
        self, journal: Journal, operation: Operation, quiet_period: float, search: Callable[[str], ContactAnswer]
    ) -> None:
        self._journal, self._operation, self._quiet = journal, operation, quiet_period
        self._search = search
        self._asked: dict[str, ContactAnswer | None] = {}
        self._refusals: dict[str, None] = {}

    @classmethod
    def asking(cls, crm: Crm, journal: Journal, operation: Operation, quiet_period: float) -> ContactSettler:
        """Return a settler that asks the CRM itself, at no particular pace."""
        findings = findings_of(journal, operation)

        def search(text: str) -> ContactAnswer:
            return judge(crm.query_contacts(ADDRESS, text), text, findings)

        def in_spellings(text: str) -> ContactAnswer:
            return in_each_spelling(search, text, findings, (folded_address(text),))

        return cls(journal, operation, quiet_period, in_spellings)

    def settle(self, stop: Stop | None = None) -> ContactsSettled:
        """Search for every unknown contact whose quiet period is over; return the result.

        Raises ServerUnreachable or ConnectionRefused if the CRM cannot be asked; what was settled stays settled.
        """
        self._journal.contact_attempts.expire(self._operation)
        ready = filter(self.is_ready, self._journal.contacts.doubts(self._operation))
        decided = [self.settle_one(doubt) for doubt in ready if stop is None or not stop.requested]
        left = contact_waits(self._journal, self._operation, self._quiet)
        return replace(
            left,
            known=decided.count(ContactState.KNOWN),
            missing=decided.count(ContactState.MISSING),
            refusals=tuple(self._refusals),
        )

    def is_ready(self, doubt: ContactDoubt) -> bool:
        """Tell whether a doubtful contact can be settled: the CRM creates nothing of its attempt any more."""
        now, boot = self._journal.clock.elapsed(), self._journal.clock.boot()
        is_over = doubt.boot == boot and doubt.silent_since + self._quiet <= now
        return doubt.state is ContactState.UNKNOWN and is_over

    def settle_one(self, doubt: ContactDoubt) -> ContactState | None:
        """Settle one contact that is ready; return its state, None if it stays in doubt."""
        is_up_to_date = self._shows_newer(doubt)  # first: an index that was behind before proves nothing
        answer = self._answer(doubt.address)
        if answer is None:
            return None
        state, message = answer.state, answer.message
        if state is ContactState.MISSING and not is_up_to_date:
            self._refusals[
                _(
                    "Some contacts were not found, but the search shows no contact that was created after them: the"
                    " CRM's index may be behind. Settle again after the next contact was created, or look them up in"
                    " the CRM."
                )
            ] = None
            return None
        if state is None:
            self._refusals[message] = None
            return None
        decided = KnownContact(doubt.digest, state, "search", answer.wolkvox_id, message)
        return state if self._journal.contacts.decide(self._operation, doubt, decided) else None

    def _shows_newer(self, doubt: ContactDoubt) -> bool:
        """Tell whether the search finds a contact that was created after the quiet period of a doubtful one."""
        for control in self._journal.contacts.controls(self._operation, doubt, self._quiet)[:1]:
            answer = self._answer(control)
            return answer is not None and answer.state is ContactState.KNOWN
        return False

    def _answer(self, address: str | None) -> ContactAnswer | None:
        """Search once for each address of this settling; None where the CRM refuses the question."""
        if address is None:
            return None
        if address not in self._asked:
            try:
                self._asked[address] = self._search(address)
            except QuestionRefused as refusal:
                self._refusals[str(refusal)] = None
                self._asked[address] = None
        return self._asked[address]
