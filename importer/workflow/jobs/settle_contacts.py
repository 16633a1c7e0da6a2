"""The part of the command `settle` that is about contacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from importer import settings
from importer.commands import told
from importer.crm import Crm
from importer.errors import (
    ConnectionRefused,
    QuestionRefused,
    ServerUnreachable,
    SettingsError,
    StartRefused,
    UsageError,
)
from importer.journal import ContactDoubt, ContactState, Journal, Operation
from importer.messages import _, ngettext
from importer.text import folded_address
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.contacts.deciding import decide_contact, note_deleted_contact
from importer.workflow.contacts.searching import ContactAnswer, findings_of, in_each_spelling, judge
from importer.workflow.contacts.settling import ContactSettler, ContactsSettled, contact_waits
from importer.workflow.jobs.settle_job import SettleJob, Waiter
from importer.workflow.planning.contact_rows import ADDRESS

_MOST_NAMED = 5


def settle_contacts(job: SettleJob, wait: Waiter | None = None) -> ContactsSettled:
    """Search the CRM for the contacts of a job's operations that are in doubt; return the result.

    The CRM is not asked where there are none. Raises what `SettleJob.by_search` raises.
    """
    if wait is not None:
        _wait(job, wait)
    results = []
    with job.open_journal() as journal:
        for operation in _in_doubt(job, journal):
            target = settings.target(job.connection, job.mapped())
            guards.refuse_short_quiet_period(job.quiet_period, target.server)
            with Crm(target) as crm:
                results.append(ContactSettler.asking(crm, journal, operation, job.quiet_period).settle())
        by_hand = _by_hand(job, journal)
    result = _together(results)
    return replace(result, refusals=(*result.refusals, *_by_waiting(job, result), *by_hand))


def _by_waiting(job: SettleJob, left: ContactsSettled) -> tuple[str, ...]:
    """Return the command that waits until the contacts that are left can be searched for, if they cannot be now."""
    if left.until is None:
        return ()
    sentence = told(
        ngettext(
            "`{command}` waits until then and searches the CRM for it.",
            "`{command}` waits until then and searches the CRM for them.",
            left.unknown + left.sending,
            command=_commands(job).settle("--wait"),
        ),
        "",
    )
    return (sentence,) if sentence else ()


def _commands(job: SettleJob) -> Commands:
    return Commands(None, job.mapping, job.connection, job.journal_option, quiet_period=job.quiet_period)


def _by_hand(job: SettleJob, journal: Journal) -> tuple[str, ...]:
    """Return who can be settled by hand now, and by which commands."""
    doubts = [_for_a_person(job, journal, one) for at in _in_doubt(job, journal) for one in journal.contacts.doubts(at)]
    addresses = [one.address for one in doubts if one.address and not one.is_being_created and not one.decidable_from]
    if not addresses:
        return ()
    commands = _commands(job)
    exists, missing = (commands.settle("--by-hand", addresses[0], option) for option in ("--exists", "--not-created"))
    sentence = ngettext(
        "Look up {addresses} in the CRM, and run `{exists}` or `{missing}`.",
        "Look up each of {count} contacts in the CRM ({addresses}), and run `{exists}` or `{missing}` for the first"
        " one, and so on.",
        len(addresses),
        addresses=", ".join([*addresses[:_MOST_NAMED], *["…"] * (len(addresses) > _MOST_NAMED)]),
        exists=exists,
        missing=missing,
    )
    return (sentence,)


def contacts_in_doubt(job: SettleJob) -> ContactsSettled:
    """Return what is not settled of the contacts of a job's operations, without asking the CRM."""
    with job.open_journal() as journal:
        return _waits(job, journal)


@dataclass(frozen=True, slots=True)
class ContactInDoubt:
    """A contact of which it is not known whether it was created, for a person to decide on from `decidable_from` on.

    That is None where it may be decided now, or where it cannot be told while the contact is being created.
    """

    address: str
    is_being_created: bool = False
    decidable_from: datetime | None = None
    message: str = ""


def doubtful_contacts(job: SettleJob) -> tuple[ContactInDoubt, ...]:
    """Return the contacts of a job's operations of which it is not known whether they were created."""
    with job.open_journal() as journal:
        doubts = [one for operation in _in_doubt(job, journal) for one in journal.contacts.doubts(operation)]
        return tuple(_for_a_person(job, journal, one) for one in doubts if one.address is not None)


def _for_a_person(job: SettleJob, journal: Journal, doubt: ContactDoubt) -> ContactInDoubt:
    until = journal.contacts.searchable_from(doubt, job.quiet_period)
    return ContactInDoubt(doubt.address or "", doubt.state is ContactState.SENDING, until, doubt.message)


def settle_contact_by_hand(job: SettleJob, address: str, *, exists: bool, deleted: bool = False) -> ContactsSettled:
    """Record what a person says of a contact; return what that settled. Raises UsageError where it is refused.

    For a contact that was `deleted` the CRM is searched first, where it can be.
    """
    if deleted:
        with job.open_journal() as journal:
            search = partial(_look_for_deleted, job, journal, address)
            return note_deleted_contact(journal, job.operations(journal), address, search)
    with job.open_journal() as journal:
        guards.refuse_short_quiet_period(job.quiet_period, f"https://{job.operations(journal)[0][0]}")
        return decide_contact(journal, job.operations(journal), address, job.quiet_period, exists=exists)


def _look_for_deleted(job: SettleJob, journal: Journal, address: str, operation: Operation) -> ContactAnswer:
    """Search for a contact that a person calls deleted; nothing is proven where the CRM cannot be asked."""
    findings = findings_of(journal, operation)
    try:
        with Crm(settings.target(job.connection, job.mapped())) as crm:

            def search(text: str) -> ContactAnswer:
                return judge(crm.query_contacts(ADDRESS, text), text, findings)

            return in_each_spelling(search, address, findings, (folded_address(address),))
    except (SettingsError, UsageError, StartRefused, QuestionRefused, ServerUnreachable, ConnectionRefused) as error:
        message = _("The CRM was not asked for {id}, or did not answer: {reason}", id=address, reason=error)
        return ContactAnswer(None, message=message)


def is_deleted_contact(job: SettleJob, key: str) -> bool:
    """Tell whether a key is the address of a contact, and that of no row."""
    with job.open_journal() as journal:
        return "@" in key and not job.is_row(journal, key)


def is_contact(job: SettleJob, key: str) -> bool:
    """Tell whether a key is the address of a contact, and not that of a row in doubt."""
    with job.open_journal() as journal:
        return "@" in key and not job.is_doubtful_row(journal, key)


def only_contacts(job: SettleJob) -> bool:
    """Tell whether a job has contacts in doubt, and no import yet: contacts were created before its first run."""
    with job.open_journal() as journal:
        return not job.has_imports(journal) and bool(_in_doubt(job, journal))


def _in_doubt(job: SettleJob, journal: Journal) -> list[Operation]:
    journal.contact_attempts.expire()
    doubtful = journal.contacts.operations_in_doubt()
    return [operation for operation in job.operations(journal) if operation in doubtful]


def _waits(job: SettleJob, journal: Journal) -> ContactsSettled:
    return _together([contact_waits(journal, operation, job.quiet_period) for operation in _in_doubt(job, journal)])


def _wait(job: SettleJob, wait: Waiter) -> None:
    """Wait until every contact that is in doubt now can be searched for."""
    with job.open_journal() as journal:
        left = _waits(job, journal)
    if left.until is not None:
        wait(left.until, left.unknown + left.sending)


def _together(results: list[ContactsSettled]) -> ContactsSettled:
    return ContactsSettled(
        known=sum(one.known for one in results),
        missing=sum(one.missing for one in results),
        unknown=sum(one.unknown for one in results),
        sending=sum(one.sending for one in results),
        until=max((one.until for one in results if one.until), default=None),
        refusals=tuple(dict.fromkeys(sentence for one in results for sentence in one.refusals)),
        addresses=tuple(address for one in results for address in one.addresses),
        sending_addresses=tuple(address for one in results for address in one.sending_addresses),
    )
