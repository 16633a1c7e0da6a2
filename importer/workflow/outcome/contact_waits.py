"""The rows that were not sent because of their contacts: why each of them waits, and what there is to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from importer.commands import told
from importer.journal import EXISTING, ContactState, Journal, KnownContact, Operation
from importer.messages import _, ngettext, shorten
from importer.model import Status
from importer.system.spool import Spool
from importer.workflow.commands import Commands
from importer.workflow.planning.plan import Batch, Plan, PlannedRow


@dataclass(frozen=True, slots=True)
class ContactWaits:
    """How many planned rows wait for their contacts, by the reason; `named` has an address for each reason.

    The contact was `rejected` by the CRM, or it is `unknown` whether it was created, or `unclear` whether the CRM has
    it; a process is `creating` it, or was when it stopped; or it is `open`: missing, or not asked for yet. `until` is
    when the last of those that are being created can be searched for, None where that is so now. `created` counts the
    contacts that the run created.
    """

    rejected: int = 0
    unknown: int = 0
    unclear: int = 0
    open: int = 0
    created: int = 0
    named: Mapping[str, str] = field(default_factory=dict)
    creating: int = 0
    until: datetime | None = None

    @property
    def blocked(self) -> int:
        """The rows for which giving the same command again does not help by itself."""
        return self.rejected + self.unknown + self.unclear + self.creating

    def notes(self) -> Iterator[str]:
        """Yield what the run did."""
        if self.created:
            yield ngettext(
                "{count} contact was created in the CRM.", "{count} contacts were created in the CRM.", self.created
            )


NO_WAITS = ContactWaits()
"""No row waits for its contact."""


def with_contact_waits(
    plan: Plan, journal: Journal, unclear: Mapping[str, str], quiet_period: float, run: int | None = None
) -> tuple[Plan, ContactWaits]:
    """Return the plan with the reason in each planned row whose contact the CRM does not have, and their counts.

    `unclear` says, by digest, why a search did not tell whether a contact exists.
    """
    if plan.mapping.contacts is None or not plan.mapping.contacts.creates:
        return plan, NO_WAITS
    operation = (plan.scope.tenant, plan.scope.operation)
    judge = _Judge(journal, operation, unclear)
    batches: Spool[Batch] = Spool(in_memory=1)
    for batch in plan.batches:
        batches.append(batch.with_facts(contact_waits=list(judge.reasons(batch))))
    whole = None if plan.whole is None else with_contact_waits(plan.whole, journal, unclear, quiet_period)[0]
    created = 0 if run is None else journal.contacts.created_by(run)
    until = creating_until(journal, operation, judge.creating, quiet_period)
    waits = ContactWaits(**judge.counts, created=created, named=judge.named, until=until)
    return replace(plan, batches=batches, whole=whole), waits


def creating_until(
    journal: Journal, operation: Operation, digests: AbstractSet[str], quiet_period: float
) -> datetime | None:
    """Return when the last of these contacts, which are being created, can be searched for; None where that is now."""
    if not digests:
        return None
    doubts = [one for one in journal.contacts.doubts(operation) if one.digest in digests]
    ends = (journal.contacts.searchable_from(doubt, quiet_period) for doubt in doubts)
    return max((end for end in ends if end is not None), default=None)


class _Judge:
    """Says of each planned row whether it waits for its contact, and counts the reasons."""

    def __init__(self, journal: Journal, operation: tuple[str, str], unclear: Mapping[str, str]) -> None:
        self._journal, self._operation, self._unclear = journal, operation, unclear
        self._first_fields: dict[str, str] = {}
        self.counts: dict[str, int] = dict.fromkeys(("rejected", "unknown", "unclear", "creating", "open"), 0)
        self.creating: set[str] = set()
        self.named: dict[str, str] = {}

    def reasons(self, batch: Batch) -> Iterator[str | None]:
        """Yield why each row of a batch waits for its contact, None for a row that does not."""
        planned = batch.in_state(Status.PLANNED).tolist()
        contacts = batch.facts["contact"].tolist()
        digests = {each.digest for each, may in zip(contacts, planned, strict=True) if may and each is not None}
        known = self._journal.contacts.known(self._operation, list(digests))
        for row, may in zip(batch.rows(), planned, strict=True):
            if not may or row.contact is None or row.contact.state is ContactState.KNOWN:
                yield None
                continue
            found = known.get(row.contact.digest)
            yield None if found is not None and found.state in EXISTING else self._reason(row, found)

    def _reason(self, row: PlannedRow, found: KnownContact | None) -> str:
        address = shorten(str(row.fields.get("contact")))
        kind, sentence = self._judged(row, found, address)
        self.counts[kind] += 1
        self.named.setdefault(kind, address)
        return sentence

    def _judged(self, row: PlannedRow, found: KnownContact | None, address: str) -> tuple[str, str]:
        digest, fields = (row.contact.digest, row.contact.fields) if row.contact else ("", "")
        if found is not None and found.state is ContactState.SENDING:
            self.creating.add(digest)
            return "creating", _(
                "Contact: {address} is being created, or was when its process stopped: it may exist.", address=address
            )
        if found is not None and found.state is ContactState.UNKNOWN:
            return "unknown", _(
                "Contact: it is not known whether {address} was created in the CRM. {message}",
                address=address,
                message=found.message,
            ).rstrip()
        if found is not None and found.rejected is not None:
            first = self._first_fields.setdefault(digest, fields)  # the values of the first row are those that are sent
            if first == found.rejected:
                return "rejected", _(
                    "Contact: the CRM rejected {address}: {message}", address=address, message=found.message
                )
        if digest in self._unclear:
            return "unclear", _(
                "Contact: it is not clear whether the CRM has {address}. {message}",
                address=address,
                message=self._unclear[digest],
            )
        return "open", _("Contact: {address} is not in the CRM yet, as far as is known.", address=address)


def contact_steps(waits: ContactWaits, commands: Commands) -> Iterator[str]:
    """Yield what there is to do about contacts, the most pressing first."""
    if waits.unknown:
        yield _unknown(waits, commands)
    if waits.creating:
        yield _creating(waits, commands)
    if waits.rejected:
        yield _rejected(waits, commands)
    if waits.unclear:
        yield _unclear(waits, commands)


def _unknown(waits: ContactWaits, commands: Commands) -> str:
    """Return what there is to do about contacts that may have been created."""
    named = waits.named
    exists, missing = (
        commands.settle("--by-hand", named["unknown"], option) for option in ("--exists", "--not-created")
    )
    return told(
        ngettext(
            "{count} row waits because it is unknown whether its contact was created ({address}): `{search}`"
            " searches the CRM for it; or look it up there and run `{exists}` or `{missing}`.",
            "{count} rows wait because it is unknown whether their contacts were created ({address}): `{search}`"
            " searches the CRM for them; or look each up there and run `{exists}` or `{missing}`.",
            waits.unknown,
            address=named["unknown"],
            search=commands.settle("--wait"),
            exists=exists,
            missing=missing,
        ),
        ngettext(
            "{count} row waits because it is unknown whether its contact was created ({address}). The next run"
            " searches the CRM for it.",
            "{count} rows wait because it is unknown whether their contacts were created ({address}). The next run"
            " searches the CRM for them.",
            waits.unknown,
            address=named["unknown"],
        ),
    )


def _creating(waits: ContactWaits, commands: Commands) -> str:
    """Return what there is to do about contacts that a process is creating, or was creating when it stopped."""
    values = {"address": waits.named["creating"], "search": commands.settle("--wait"), "when": waits.until}
    if waits.until is None:
        return _creating_until_now(waits.creating, values)
    return told(
        ngettext(
            "{count} row waits for a contact that is being created, or was when its process stopped ({address}). The"
            " contact can be searched for from {when:%Y-%m-%d %H:%M:%S} on, and `{search}` waits until then.",
            "{count} rows wait for contacts that are being created, or were when their process stopped ({address})."
            " The contacts can be searched for from {when:%Y-%m-%d %H:%M:%S} on, and `{search}` waits until then.",
            waits.creating,
            **values,
        ),
        ngettext(
            "{count} row waits for a contact that is being created, or was when its process stopped ({address}). The"
            " first run after {when:%Y-%m-%d %H:%M:%S} searches the CRM for it.",
            "{count} rows wait for contacts that are being created, or were when their process stopped ({address})."
            " The first run after {when:%Y-%m-%d %H:%M:%S} searches the CRM for them.",
            waits.creating,
            **values,
        ),
    )


def _creating_until_now(count: int, values: Mapping[str, object]) -> str:
    """Return what there is to do about contacts that were being created, and can be searched for now."""
    return told(
        ngettext(
            "{count} row waits for a contact that was being created when its process stopped ({address}): `{search}`"
            " searches the CRM for it.",
            "{count} rows wait for contacts that were being created when their process stopped ({address}): `{search}`"
            " searches the CRM for them.",
            count,
            **values,
        ),
        ngettext(
            "{count} row waits for a contact that was being created when its process stopped ({address}). The next run"
            " searches the CRM for it.",
            "{count} rows wait for contacts that were being created when their process stopped ({address}). The next"
            " run searches the CRM for them.",
            count,
            **values,
        ),
    )


def _rejected(waits: ContactWaits, commands: Commands) -> str:
    """Return what there is to do about contacts that the CRM rejected."""
    named = waits.named
    return told(
        ngettext(
            "{count} row waits for a contact that the CRM rejected ({address}): correct what `contacts` in the"
            " mapping sends of it; or create it in the CRM, or run `{command}` once the CRM accepts it.",
            "{count} rows wait for contacts that the CRM rejected ({address}): correct what `contacts` in the"
            " mapping sends of them; or create them in the CRM, or run `{command}` once the CRM accepts them.",
            waits.rejected,
            address=named["rejected"],
            command=commands.run("--retry-rejected"),
        ),
        ngettext(
            "{count} row waits for a contact that the CRM rejected ({address}): correct the row, or create the"
            " contact in the CRM, and send the row again.",
            "{count} rows wait for contacts that the CRM rejected ({address}): correct the rows, or create the"
            " contacts in the CRM, and send the rows again.",
            waits.rejected,
            address=named["rejected"],
        ),
    )


def _unclear(waits: ContactWaits, commands: Commands) -> str:
    """Return what there is to do about contacts of which the CRM does not tell whether it has them."""
    named = waits.named
    exists, missing = (
        commands.settle("--by-hand", named["unclear"], option) for option in ("--exists", "--not-created")
    )
    return told(
        ngettext(
            "{count} row waits because the CRM does not tell whether it has its contact ({address}): look it up"
            " there, and run `{exists}` or `{missing}`.",
            "{count} rows wait because the CRM does not tell whether it has their contacts ({address}): look each"
            " up there, and run `{exists}` or `{missing}`.",
            waits.unclear,
            address=named["unclear"],
            exists=exists,
            missing=missing,
        ),
        ngettext(
            "{count} row waits because the CRM does not tell whether it has its contact ({address}): create it in"
            " the CRM if it is missing there, and send the row again.",
            "{count} rows wait because the CRM does not tell whether it has their contacts ({address}): create"
            " those that are missing there, and send the rows again.",
            waits.unclear,
            address=named["unclear"],
        ),
    )
