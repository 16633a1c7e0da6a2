"""What a person says of a contact: that it exists in the CRM, or that it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from importer.commands import told
from importer.errors import UsageError
from importer.identity import address_digest
from importer.journal import EXISTING, ContactState, Journal, KnownContact, Operation
from importer.messages import _
from importer.system.clock import local_datetime
from importer.text import folded_address, is_address
from importer.workflow.contacts.searching import ContactAnswer
from importer.workflow.contacts.settling import ContactsSettled


def decide_contact(
    journal: Journal, operations: Sequence[Operation], address: str, quiet_period: float, *, exists: bool
) -> ContactsSettled:
    """Record that a contact exists, or that it does not; return what that settled.

    Raises UsageError where it is not clear which operation is meant, where the contact may still be created, or where
    this program has created it.
    """
    operation, digest = contact_meant(journal, operations, address)
    journal.contact_attempts.expire(operation)
    state = ContactState.KNOWN if exists else ContactState.MISSING
    decided = KnownContact(digest, state, "by-hand")
    notes: tuple[str, ...] = ()
    doubt = next((one for one in journal.contacts.doubts(operation) if one.digest == digest), None)
    if doubt is None:
        before = journal.contacts.known(operation, [digest]).get(digest)
        if before is not None and before.state is ContactState.CREATED and not exists:
            raise UsageError(_("{address}: this contact was created, and the CRM said so.", address=address))
        if before is None or before.state not in EXISTING or not exists:
            journal.contacts.note(operation, decided)
        if before is None:
            notes = (_("The journal did not know {address}: no attempt to create it was in doubt.", address=address),)
    else:
        over = doubt.silent_since + quiet_period - journal.clock.elapsed()
        if doubt.state is ContactState.SENDING or over > 0:
            until = local_datetime(journal.clock.wall() + max(over, 0))
            raise UsageError(
                _(
                    "{address}: this contact may still be created. Look it up in the CRM after"
                    " {until:%Y-%m-%d %H:%M:%S}, and say then what you found.",
                    address=address,
                    until=until,
                )
            )
        if not journal.contacts.decide(operation, doubt, decided):
            raise UsageError(_("{address}: this contact was settled meanwhile.", address=address))
    return ContactsSettled(known=int(exists), missing=int(not exists), refusals=notes)


def contact_meant(journal: Journal, operations: Sequence[Operation], address: str) -> tuple[Operation, str]:
    """Return the operation and the digest of the contact that a person names.

    Raises UsageError for what is no e-mail address, or where it is not clear which operation is meant.
    """
    if not is_address(folded_address(address)):
        raise UsageError(_("{address} is no e-mail address, by which a contact is named.", address=address))
    digest = address_digest(address, journal.rows.column_secret)
    return _operation(journal, operations, digest, address), digest


def note_deleted_contact(
    journal: Journal, operations: Sequence[Operation], address: str, search: Callable[[Operation], ContactAnswer]
) -> ContactsSettled:
    """Record that a contact was deleted in the CRM, unless a search still finds it; return what that settled.

    Raises UsageError where it is found, or is not known to exist; what a search that proves nothing says is told.
    """
    operation, digest = contact_meant(journal, operations, address)
    found = journal.contacts.known(operation, [digest]).get(digest)
    if found is None or found.state not in EXISTING:
        raise UsageError(
            _(
                "{address}: the journal does not know this contact as one that exists. Nothing to record.",
                address=address,
            )
        )
    answer = search(operation)
    if answer.state is ContactState.KNOWN:
        raise UsageError(
            _(
                "--deleted: the CRM still shows {address}. Nothing was recorded: if it is deleted there, wait until the"
                " CRM no longer finds it.",
                address=address,
            )
        )
    if not journal.contacts.note_deleted(operation, digest):
        raise UsageError(_("{address}: this contact was settled meanwhile.", address=address))
    return ContactsSettled(missing=1, refusals=(answer.message,) if answer.message else ())


def _operation(journal: Journal, operations: Sequence[Operation], digest: str, address: str) -> Operation:
    knowing = [one for one in operations if journal.contacts.known(one, [digest])] or list(operations)
    if len(knowing) != 1:
        raise UsageError(
            told(
                _(
                    "{address}: contacts of several operations are meant. Name the mapping of one of them with -m.",
                    address=address,
                ),
                _("{address}: contacts of several operations are meant.", address=address),
            )
        )
    return knowing[0]
