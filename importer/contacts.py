"""The contacts of a source as data: who they are and what is known of them; asking the CRM, and creating the missing.

What the command `contacts` does, for scripts and for a page. A run with `create: missing` does the same for the rows
that it sends.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, chain
from pathlib import Path

from importer import report, settings
from importer.crm import Crm, PauseReason, Quota, known_refusal
from importer.errors import JournalError, ReportError, RunStopped, StartRefused, UsageError
from importer.journal import EXISTING, ContactState, Journal, look_at_journal
from importer.journal_place import Place
from importer.mapping import ContactOptions
from importer.messages import _
from importer.model import Status
from importer.pipeline import plan_import
from importer.system.causes import reason_of
from importer.text import is_address
from importer.workflow import guards
from importer.workflow.contacts.making import ContactMaker, ContactSettings, ContactToMake
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.job import Job, LoadedJob, at_known_place, connection_in
from importer.workflow.outcome.contact_waits import creating_until
from importer.workflow.outcome.rejections import Rejection, refused_updates, rejected_contacts
from importer.workflow.planning.contact_rows import ADDRESS, PlannedContact, contact_fields, is_own
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.sending.token_limits import make_limiter, open_crm, turns_of

_LEFT_OUT = (Status.SKIPPED, Status.PART)
_RANKS = {Status.PLANNED: 3, Status.REJECTED: 2}
"""Which rows say what their contact is: the one that the next run sends, else one that may be sent again."""

_NUMBER = re.compile(r"[+-]?[\d ().,/-]*\d")
"""A phone or another number, which a spreadsheet program shows and does not run."""


@dataclass(slots=True)
class ListedContact:
    """A contact of a source: its address, its own fields as they would be sent, and the rows that name it.

    `state` is what the journal knows, None where nobody asked; `rejected` means that the CRM rejected these fields, and
    `message` says why. `sendable` means that one of its rows is planned, or was rejected, so that it is created if it
    is missing; `is_valid` that its own cells have no issues. `turned_away` are its rows that the CRM rejected because
    it had no such contact. The CRM is asked for each of the `spellings` of its address, until it has one.
    """

    address: str
    fields: dict[str, object]
    digest: str
    fields_digest: str
    state: ContactState | None
    rejected: bool = False
    message: str = ""
    sendable: bool = False
    spellings: tuple[str, ...] = ()
    rows: list[int] = field(default_factory=list)
    is_valid: bool = True
    turned_away: list[int] = field(default_factory=list)

    @property
    def searches(self) -> int:
        """The calls at most to ask the CRM for it."""
        return len({self.address, *self.spellings})

    @property
    def code(self) -> str:
        """How the contact's state is called: as `state`, or `rejected`, or `not-asked`; `invalid` is no address."""
        if self.rejected:
            return "rejected"
        if self.state is None and not is_address(self.address):
            return "invalid"
        return "not-asked" if self.state is None else self.state.value


@dataclass(frozen=True, slots=True)
class ContactList:
    """The distinct contacts of a source, in the order of their first rows; `creates` as the mapping says.

    `without` are the rows that name no address. `until` is when the last contact that is being created can be searched
    for, None where that is now.
    """

    contacts: tuple[ListedContact, ...]
    creates: bool = False
    without: tuple[int, ...] = ()
    until: datetime | None = None

    @property
    def left_out(self) -> tuple[int, ...]:
        """The rows whose contact is nobody: they name no address, or what is no e-mail address."""
        return tuple(sorted(chain(self.without, *(one.rows for one in self.of("invalid")))))

    def of(self, *codes: str) -> tuple[ListedContact, ...]:
        """Return the contacts whose state is called so."""
        return tuple(one for one in self.contacts if one.code in codes)

    @property
    def to_ask(self) -> tuple[ListedContact, ...]:
        """The contacts of which nothing is known: asking for one takes a call for each spelling."""
        return self.of("not-asked")

    @property
    def to_create(self) -> tuple[ListedContact, ...]:
        """The contacts that would be searched, and created if they are missing: a call more than asking."""
        return tuple(one for one in self.of("not-asked", "missing") if one.sendable)

    @property
    def not_created(self) -> tuple[ListedContact, ...]:
        """The contacts that the CRM lacks, and that are not created: no row that may be sent names them."""
        return tuple(one for one in self.of("missing") if not one.sendable)

    @property
    def turned_away(self) -> tuple[int, ...]:
        """The rows that the CRM rejected because it had no such contact, which it has now."""
        here = (one.turned_away for one in self.contacts if one.state in EXISTING)
        return tuple(sorted(chain.from_iterable(here)))

    @property
    def for_upload(self) -> tuple[ListedContact, ...]:
        """The contacts for the CRM's own upload: the missing ones, or all addresses where nobody has asked yet."""
        return tuple(one for one in self._lacking if one.is_valid)

    @property
    def unfit_for_upload(self) -> tuple[ListedContact, ...]:
        """The contacts that the upload leaves out, because their own cells have issues."""
        return tuple(one for one in self._lacking if not one.is_valid)

    @property
    def _lacking(self) -> tuple[ListedContact, ...]:
        asked = any(one.state is not None for one in self.contacts)
        return self.of("missing", "rejected") if asked else tuple(x for x in self.contacts if x.code != "invalid")

    @property
    def exit_status(self) -> int:
        """Return 4 while it is unknown of a contact whether it exists, 1 while the CRM lacks some."""
        codes = {one.code for one in self.contacts}
        if codes & {"unknown", "sending"}:
            return 4
        return 1 if codes & {"missing", "rejected"} else 0


@dataclass(frozen=True, slots=True)
class ContactsDone:
    """What asking for contacts, or creating them, came to: the list as it is now, and why it stopped early, if so.

    `left` were not dealt with; the same goes on with them. `unclear` are addresses of which the CRM's answer did not
    tell whether they exist, each with the reason.
    """

    listed: ContactList
    calls: int
    left: int = 0
    reason: str | None = None
    status: int = 0
    unclear: tuple[tuple[str, str], ...] = ()

    @property
    def exit_status(self) -> int:
        """Return the highest exit status that applies: 3 while some are left, and that of the list."""
        return max(self.listed.exit_status, self.stopped_with)

    @property
    def stopped_with(self) -> int:
        """Return 3 while some are left, or why it stopped early, whatever the contacts are."""
        return max(self.status, 3 if self.left else 0)


def list_contacts(loaded: LoadedJob) -> ContactList:
    """Return the contacts of a source, with what the journal knows; the CRM is not asked, and nothing is changed."""
    with look_at_journal(loaded.job.journal_path) as journal:
        return _listed(_plan(at_known_place(loaded, journal), journal), journal, loaded.job.quiet_period)


def held_rows(plan: Plan, journal_path: Place) -> tuple[Rejection, ...]:
    """Return the rows of a plan that wait for a contact which the CRM rejected, and those whose update it refused."""
    with Journal(journal_path) as journal:
        return (*rejected_contacts(plan, journal), *refused_updates(plan))


def quota_of(loaded: LoadedJob) -> Quota:
    """Return what is left of the token's daily calls; asking costs one. Raises what `Crm.token_information` raises."""
    with Crm(settings.target(loaded.job.connection, connection_in(loaded.case_mapping))) as crm:
        return crm.token_information()


def ask_contacts(loaded: LoadedJob, ui: UserInterface, *, creates: bool = False) -> ContactsDone:
    """Ask the CRM for the contacts of which nothing is known, a call each, and remember the answers.

    With `creates`, ask for the missing ones, too, and create those that the CRM does not have. The job's `limit` counts
    contacts. What was asked is remembered, so that the same goes on where it stopped. Raises what `run` raises before
    it sends anything.
    """
    job, from_mapping = loaded.job, connection_in(loaded.case_mapping)
    target = settings.target(job.connection, from_mapping)
    guards.refuse_short_quiet_period(job.quiet_period, target.server)
    with Journal(job.journal_path) as journal, ExitStack() as here:
        turns = turns_of(journal, target, job.requests_at_once, job.rate)
        crm = here.enter_context(open_crm(target, turns, ui.stop_request))
        if not journal.standing.may_send:
            raise StartRefused(journal.standing.sentence or "")
        plan = _plan(loaded, journal)
        wanted = _wanted(_listed(plan, journal, job.quiet_period), job, creates=creates)
        where = ContactSettings(
            operation=(plan.scope.tenant, plan.scope.operation),
            scope=plan.scope.parts,
            quiet_period=job.quiet_period,
            creates=creates,
            retries=job.retry_rejected,
        )
        limiter = make_limiter(job.concurrency, job.rate, turns)
        maker = ContactMaker(crm, journal, where, limiter, ui, ui.stop_request)
        now = wanted[: _most(crm, job, [one.searches + creates for one in wanted])]
        ui.asking(len(now))
        reason = _make(maker, now, job, ui)
        listed = _listed(_plan(loaded, journal), journal, job.quiet_period)
    return ContactsDone(
        listed,
        crm.calls,
        left=len(_wanted(listed, replace(job, retry_rejected=False), creates=creates)),
        reason=reason.message if reason else None,
        status=reason.exit_status if reason else 0,
        unclear=tuple((one.address, maker.unclear[one.digest]) for one in wanted if one.digest in maker.unclear),
    )


def _wanted(listed: ContactList, job: Job, *, creates: bool) -> tuple[ListedContact, ...]:
    if not creates:
        return listed.to_ask
    again = listed.of("rejected") if job.retry_rejected else ()
    return (*listed.to_create, *(one for one in again if one.sendable))


def _most(crm: Crm, job: Job, calls: list[int]) -> int | None:
    """Return how many contacts may be dealt with today, by the calls that each takes; None for any number."""
    quota = crm.token_information() if job.keep_quota else None
    if quota is None or quota.left is None:
        return job.limit
    left = quota.left - job.keep_quota
    within = sum(1 for spent in accumulate(calls) if spent <= left)
    return within if job.limit is None else min(job.limit, within)


def _make(maker: ContactMaker, wanted: Iterable[ListedContact], job: Job, ui: UserInterface) -> PauseReason | None:
    contacts = (ContactToMake(one.digest, one.fields_digest, one.fields, one.spellings) for one in wanted)
    try:
        with ui.stop_request.by_signal():
            return maker.make(contacts, job.concurrency, job.until)
    except JournalError as error:
        raise RunStopped(str(error)) from error


def refuse_existing(path: Path) -> None:
    """Raise UsageError where a file exists already: what it holds would be lost."""
    if path.exists() or path.is_symlink():
        raise _exists(path)


def _exists(path: Path) -> UsageError:
    return UsageError(_("{path} exists already. Name a file that does not exist yet.", path=path))


def write_contacts_csv(contacts: Iterable[ListedContact], path: Path) -> int:
    """Write contacts for the CRM's own upload: commas, UTF-8, columns named like the fields; return how many.

    A text that a spreadsheet program might run gets an apostrophe, as in a report; a phone number stays as it is.
    Raises UsageError where the file exists, and ReportError where it cannot be written.
    """
    some = list(contacts)
    names = list(dict.fromkeys(chain([ADDRESS], *(one.fields for one in some))))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(one.fields.get(name)) for name in names] for one in some)
    try:
        with path.open("xb") as file:
            file.write(text.getvalue().encode("utf-8", "replace"))
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        message = _("{path}: the file cannot be written ({reason}).", path=path, reason=reason_of(error))
        raise ReportError(message) from error
    return len(some)


def _cell(value: object) -> str:
    """Return a field's value as a cell: the value of an object, the items of a list."""
    if isinstance(value, dict):
        return _cell(value.get("value"))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else str(value)
    return text if _NUMBER.fullmatch(text) else report.marked(text)


def _plan(loaded: LoadedJob, journal: Journal) -> Plan:
    """Plan a source with the contact of each row, whether or not its mapping says anything of contacts."""
    case_mapping = loaded.case_mapping
    if case_mapping.contacts is None:
        case_mapping = replace(case_mapping, contacts=ContactOptions(creates=False, fields=()))
    journal.contact_attempts.expire()
    _record, plan = plan_import(replace(loaded, case_mapping=case_mapping), journal)
    return plan


def _listed(plan: Plan, journal: Journal, quiet_period: float) -> ContactList:
    """Return the contacts of a plan; the fields of one are those of its first row that would be sent, if any."""
    found: dict[str, ListedContact] = {}
    ranks: dict[str, int] = {}
    without: list[int] = []
    own_columns = {column for column, uses in plan.uses.items() if any(is_own(use.path) for use in uses)}
    for row in plan:
        if row.status in _LEFT_OUT:
            continue
        if row.contact is None:
            without.append(row.number)
            continue
        digest, is_valid = row.contact.digest, not any(issue.column in own_columns for issue in row.issues)
        known, rank = found.get(digest), _RANKS.get(row.status, int(is_valid))
        if known is None or rank > ranks[digest]:
            ranks[digest] = rank
            found[digest] = _of_row(row, row.contact, plan, known, is_valid=is_valid)
        found[digest].rows.append(row.number)
        if _lacked_its_contact(row):
            found[digest].turned_away.append(row.number)
    operation, options = (plan.scope.tenant, plan.scope.operation), plan.mapping.contacts
    told = [digest for digest, one in found.items() if one.state is ContactState.UNKNOWN or one.rejected]
    for digest, recorded in journal.contacts.known(operation, told).items():
        found[digest].message = recorded.message
    creating = {digest for digest, one in found.items() if one.state is ContactState.SENDING}
    until = creating_until(journal, operation, creating, quiet_period)
    creates = options is not None and options.creates
    return ContactList(tuple(found.values()), creates=creates, without=tuple(without), until=until)


def _lacked_its_contact(row: PlannedRow) -> bool:
    """Tell whether the CRM rejected a row because it had no such contact."""
    if row.status is not Status.REJECTED or row.known is None:
        return False
    refusal = known_refusal(row.known.message)
    return refusal is not None and refusal.field == "contact"


def _of_row(
    row: PlannedRow, contact: PlannedContact, plan: Plan, before: ListedContact | None, *, is_valid: bool
) -> ListedContact:
    """Return the contact as a row has it; the rows are those of what was known of it `before`."""
    fields = contact_fields(row.fields)
    return ListedContact(
        address=str(fields[ADDRESS]),
        fields=fields,
        digest=contact.digest,
        fields_digest=contact.fields,
        state=contact.state,
        rejected=contact.state not in EXISTING and contact.rejected == contact.fields,
        sendable=row.status in _RANKS,
        spellings=plan.spellings.get(contact.digest, ()),
        rows=before.rows if before else [],
        is_valid=is_valid,
        turned_away=before.turned_away if before else [],
    )
