"""Searches the CRM for a contact by its address, and weighs what the answer proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from importer.crm import Found
from importer.identity import Scope
from importer.journal import ContactState, Journal, Operation
from importer.journal_place import folder_of
from importer.messages import _, ngettext
from importer.text import folded_address
from importer.workflow.planning.contact_rows import ADDRESS
from importer.workflow.tenant_facts import Findings


@dataclass(frozen=True, slots=True)
class ContactAnswer:
    """What an answer proves of one contact: that it is known, that it is missing, or (None) neither.

    `others` are the contacts that it shows instead; `message` is for people.
    """

    state: ContactState | None
    wolkvox_id: str | None = None
    message: str = ""
    others: int = 0

    @property
    def is_unreadable(self) -> bool:
        """Whether the answer cannot be believed, whatever it shows."""
        return self.state is None and not self.others


def findings_of(journal: Journal, operation: Operation) -> Findings | None:
    """Return what the doctor learnt about an operation, None if nothing."""
    return Findings.load(folder_of(journal.path), Scope(*operation, ""))


def in_each_spelling(
    search: Callable[[str], ContactAnswer], address: str, findings: Findings | None, others: Iterable[str] = ()
) -> ContactAnswer:
    """Search for an address as it is written, then as it is in `others`, and in small letters if capitals matter.

    A hit in any spelling is the contact; it is missing only if none has one. Nothing more is asked after an answer that
    cannot be read.
    """
    known = findings.spellings_to_search(address) if findings else ()
    proven = ContactAnswer(ContactState.MISSING)
    for text in dict.fromkeys((address, *others, *known)):
        answer = search(text)
        if answer.state is ContactState.KNOWN or answer.is_unreadable:
            return answer
        proven = answer if answer.state is None else proven
    return proven


def judge(found: Found, address: str, findings: Findings | None = None) -> ContactAnswer:
    """Return what an answer to a search for an address proves.

    A record with the address, however it is spelled, is the contact. Only an empty list that is believed shows that
    there is none, unless the doctor learnt that this CRM says so in another way: whether the search is exact, and
    whether it shows all, is undocumented.
    """
    wanted = folded_address(address)
    hits = [record for record in found.records if wanted in _addresses(record)]
    if hits:
        ids = list(filter(None, map(_id_of, hits)))
        message = ""
        if len(hits) > 1:
            message = ngettext(
                "The CRM has {count} contact with this address.",
                "The CRM has {count} contacts with this address.",
                len(hits),
            )
        return ContactAnswer(ContactState.KNOWN, ids[0] if ids else None, message)
    if found.believed and not found.records and (findings is None or findings.may_prove_no_contact):
        return ContactAnswer(ContactState.MISSING)
    if found.records:
        message = ngettext(
            "The CRM shows {count} other contact for this address; whether it shows all is not documented.",
            "The CRM shows {count} other contacts for this address; whether it shows all is not documented.",
            len(found.records),
        )
        return ContactAnswer(None, message=message, others=len(found.records))
    return ContactAnswer(None, message=_("The CRM's answer to the search cannot be read, so that it proves nothing."))


def _addresses(record: Mapping[str, object]) -> set[str]:
    """Return the folded addresses of a record: that in its own field or, where it has no such field, any text in it."""
    values = [record[ADDRESS]] if record.get(ADDRESS) else list(record.values())
    return {folded_address(value) for value in values if isinstance(value, str)}


def _id_of(record: Mapping[str, object]) -> str | None:
    found = record.get("wolkvox_id")
    return found.strip() or None if isinstance(found, str) else None
