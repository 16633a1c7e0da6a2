"""What is said of the contacts of a sheet, on their own page and before the sheet is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer import ContactList, ContactsDone, Forecast, ListedContact
from importer.messages import _, ngettext

MOST = 50
"""Contacts that are listed before a sheet is sent; the page about contacts has all of them."""

_MOST_ROWS = 10


@dataclass(frozen=True, slots=True)
class ContactsTold:
    """What is said of contacts before a sheet is sent: a title, why it matters, the first of them, and the rest."""

    title: str
    why: str = ""
    listed: Sequence[ListedContact] = ()
    more: str = ""


def contacts_before(forecast: Forecast, known: ContactList | None) -> ContactsTold | None:
    """Return what a person should know of the contacts before agreeing; None where nothing of the sheet is sent."""
    if not forecast.rows_to_send:
        return None
    return ContactsTold(_("Contacts of these rows")) if known is None else _before(known)


def _before(known: ContactList) -> ContactsTold | None:
    """Return what is said of contacts that are known: who is created first, who is missing, or that nobody asked."""
    if known.creates:
        wanted = known.to_create
        title = ngettext("Which contact is created", "Which contacts are created", len(wanted))
        return _told(title, _("Each is searched for first, so that none is created twice."), wanted) if wanted else None
    if missing := known.of("missing", "rejected"):
        title = ngettext(
            "The CRM lacks {count} contact, as far as is known",
            "The CRM lacks {count} contacts, as far as is known",
            len(missing),
        )
        return _told(title, rejects_unknown(), missing)
    if known.to_ask:
        title = ngettext(
            "Nobody has asked the CRM yet whether it has {count} contact",
            "Nobody has asked the CRM yet whether it has {count} contacts",
            len(known.to_ask),
        )
        return ContactsTold(title, rejects_unknown())
    return None


def rejects_unknown() -> str:
    """Return why contacts that the CRM does not have matter."""
    return _("The CRM usually rejects a case whose contact it does not have. Its row can be sent again once it has it.")


def _told(title: str, why: str, contacts: Sequence[ListedContact]) -> ContactsTold:
    rest = len(contacts) - MOST
    more = ngettext("And {count} more.", "And {count} more.", rest) if rest > 0 else ""
    return ContactsTold(title, why, contacts[:MOST], more)


def rows_of(contact: ListedContact) -> str:
    """Return the numbers of a contact's rows, the first ones of many."""
    return ", ".join(map(str, contact.rows[:_MOST_ROWS])) + (", …" if len(contact.rows) > _MOST_ROWS else "")


def state_of(contact: ListedContact) -> str:
    """Return what is known of a contact."""
    return {
        "not-asked": _("not asked yet"),
        "known": _("is there"),
        "created": _("created by this program"),
        "missing": _("missing"),
        "sending": _("being created"),
        "unknown": _("to be confirmed"),
        "rejected": _("rejected by the CRM"),
        "invalid": _("no e-mail address"),
    }[contact.code]


def waiting_rows(known: ContactList | None) -> dict[int, str]:
    """Return why rows that are to be sent wait for their contacts, by the numbers of the rows.

    The CRM has not got the contact, as far as is known; nobody waits where contacts are not created.
    """
    if known is None or not known.creates:
        return {}
    return {row: why for one in known.contacts if (why := _why_waiting(one)) for row in one.rows}


def _why_waiting(contact: ListedContact) -> str:
    names = {"address": contact.address, "message": contact.message}
    if contact.code == "rejected":
        return _("Contact: the CRM rejected {address}: {message}", **names)
    if contact.code in {"unknown", "sending"}:
        return _("Contact: it is not known whether {address} was created in the CRM. {message}", **names).rstrip()
    if contact.code == "missing":
        return _("Contact: {address} is not in the CRM yet, as far as is known.", **names)
    return ""


def summary(known: ContactList) -> Iterator[str]:
    """Yield how many contacts there are, and what is known of them."""
    count = len(known.contacts)
    yield ngettext("The sheet has {count} contact.", "The sheet has {count} contacts.", count)
    if there := len(known.of("known", "created")):
        yield ngettext("The CRM has {count} of them.", "The CRM has {count} of them.", there)
    if missing := len(known.of("missing")):
        yield ngettext("It lacks {count}.", "It lacks {count}.", missing)
    if rejected := len(known.of("rejected")):
        yield ngettext("It rejected {count}.", "It rejected {count}.", rejected)
    if unknown := len(known.of("unknown", "sending")):
        yield ngettext("{count} is to be confirmed.", "{count} are to be confirmed.", unknown)
    if left := len(known.to_ask):
        yield ngettext("Nobody has asked for {count} yet.", "Nobody has asked for {count} yet.", left)


def asked_told(done: ContactsDone) -> Iterator[str]:
    """Yield what asking came to."""
    yield ngettext("The CRM was asked: {count} call.", "The CRM was asked: {count} calls.", done.calls)
    if done.reason:
        yield done.reason
    if done.left:
        yield ngettext(
            "{count} contact was not asked for; click again to go on.",
            "{count} contacts were not asked for; click again to go on.",
            done.left,
        )
    if done.unclear:
        yield ngettext(
            "The answer for {count} contact proves nothing: look it up in the CRM, and say below what you found.",
            "The answers for {count} contacts prove nothing: look them up in the CRM, and say below what you found.",
            len(done.unclear),
        )
