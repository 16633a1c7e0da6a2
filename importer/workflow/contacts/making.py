"""Asks the CRM for contacts and creates those that it does not have, with the pace and the limits of a run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Lock

from importer import payload
from importer.commands import told
from importer.crm import CircuitBreaker, Crm, PauseReason, RateLimiter, backoff
from importer.errors import ConnectionRefused, QuestionRefused, ServerUnreachable
from importer.journal import (
    EXISTING,
    Attempt,
    ContactDoubt,
    ContactIntent,
    ContactState,
    Journal,
    KnownContact,
    Operation,
)
from importer.messages import _
from importer.model import Outcome, Payload, Verdict
from importer.system.stopping import Stop
from importer.text import folded_address
from importer.workflow.contacts.searching import ContactAnswer, findings_of, in_each_spelling, judge
from importer.workflow.contacts.settling import ContactSettler
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.planning.contact_rows import ADDRESS
from importer.workflow.sending.workers import TRIES, AttemptMaker

_ANSWERED = Outcome(Verdict.CREATED)
"""What an answer to a search means for the pace: all is well."""

_DOUBTFUL = frozenset({ContactState.UNKNOWN, ContactState.SENDING})

_SUCCESSES = range(200, 300)
"""HTTP statuses of an answer that says, or may say, that the contact was created."""

_UNREADABLE = 5
"""Answers in a row that prove nothing, after which no more contacts are asked for."""


@dataclass(frozen=True, slots=True)
class ContactToMake:
    """A contact that is asked for, and created if it is missing: its digests, and its own fields by name.

    `spellings` are others of its address, under which the CRM may have it.
    """

    digest: str
    fields_digest: str
    fields: dict[str, object]
    spellings: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The contact's e-mail address, as it is sent."""
        return str(self.fields[ADDRESS])


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """How contacts are made: the place, the import for which (its mark is raised), and what is allowed.

    `creates` means that missing ones are created, `retries` that rejected ones are tried again.
    """

    operation: Operation
    scope: tuple[str, str, str]
    quiet_period: float
    run_id: int | None = None
    creates: bool = True
    retries: bool = False


class _Creation:
    """Attempts to create contacts, as workers make them."""

    def __init__(self, journal: Journal, settings: ContactSettings) -> None:
        self._journal, self._settings = journal, settings

    def raise_mark(self, attempt: Attempt) -> None:
        """Raise the journal's high-water mark to an attempt."""
        self._journal.mark.raise_to(attempt.id, attempt.token, self._settings.scope)

    def conclude(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit an outcome."""
        self._journal.contact_attempts.conclude(attempt, outcome)

    @property
    def given_up(self) -> str:
        """What is said of a contact whose answer was given up."""
        return _("Stopped while this contact was being created: it may exist.")


class ContactMaker:
    """Makes contacts with several workers; one instance serves one run.

    `unclear` says, by digest, why it could not be told of some contacts whether they exist.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - everything that a contact depends on
        self,
        crm: Crm,
        journal: Journal,
        settings: ContactSettings,
        limiter: RateLimiter,
        ui: UserInterface,
        stop: Stop,
    ) -> None:
        self._crm, self._journal, self._settings, self._limiter = crm, journal, settings, limiter
        self._findings = findings_of(journal, settings.operation)
        self._ui, self._stop = ui, stop
        self._breaker = CircuitBreaker(kind="contact")
        self._attempts = self._new_attempts()
        self._done: set[str] = set()
        self._lock = Lock()
        self._unreadable = 0
        self.unclear: dict[str, str] = {}

    def make(
        self, contacts: Iterable[ContactToMake], workers: int, until: datetime | None = None
    ) -> PauseReason | None:
        """Ask for contacts and create those that are missing; return why it stopped early, None if all were tried.

        Those that this instance has dealt with before are left as they are. Raises JournalError as `Sender.send`.
        """
        self._attempts = self._new_attempts()
        self._journal.contact_attempts.expire(self._settings.operation)
        return self._attempts.workers.carry_out(self._open(contacts), self._make_and_tell, workers, until)

    def existing(self, digests: Iterable[str]) -> set[str]:
        """Return which of these contacts the CRM has, as far as the journal knows."""
        known = self._journal.contacts.known(self._settings.operation, list(digests))
        return {digest for digest, contact in known.items() if contact.state in EXISTING}

    def _new_attempts(self) -> AttemptMaker:
        """Return what makes attempts until it is stopped, which is for good."""
        kind = _Creation(self._journal, self._settings)
        return AttemptMaker(kind, self._limiter, self._breaker, self._ui, self._stop)

    def _open(self, contacts: Iterable[ContactToMake]) -> list[ContactToMake]:
        """Return the contacts that may be missing, each once, with the fields of its first row.

        Those in doubt come last: a contact that is created before may be the proof that they are missing.
        """
        fresh: dict[str, ContactToMake] = {}
        for each in contacts:
            if each.digest not in self._done:
                fresh.setdefault(each.digest, each)
        known = self._journal.contacts.known(self._settings.operation, list(fresh))
        states = {digest: known[digest].state if digest in known else None for digest in fresh}
        missing = [each for digest, each in fresh.items() if states[digest] not in EXISTING]
        return sorted(missing, key=lambda each: states[each.digest] in _DOUBTFUL)

    def _make_and_tell(self, contact: ContactToMake) -> None:
        self._make_one(contact)
        self._ui.asked()

    def _make_one(self, contact: ContactToMake) -> None:
        """Search for a contact, and create it if there is none; again only after proof that nothing was delivered."""
        known = self._known(contact.digest)
        if known is not None and known.state in _DOUBTFUL:
            self._settle(contact)
            known = self._known(contact.digest)
            if known is None or known.state is not ContactState.MISSING:
                return  # it exists, or nobody knows yet
        for tries in range(TRIES):
            answer = self._search(contact)
            if answer is None:
                return
            search = self._note(contact, answer, known)
            outcome = None if search is None else self._create(contact, search)
            if outcome is None or outcome.verdict is not Verdict.NOT_DELIVERED:
                self._done.add(contact.digest)
                return
            if self._attempts.workers.halted.wait(backoff(tries)):
                return

    def _note(self, contact: ContactToMake, answer: ContactAnswer, known: KnownContact | None) -> str | None:
        """Record what an answer shows; return the name of the search if the contact is to be created now.

        Where a person has said that there is none, an answer that shows others only does not contradict that.
        """
        self._count_unreadable(answer)
        is_persons_word = known is not None and known.how == "by-hand" and known.state is ContactState.MISSING
        state = answer.state
        if state is None and is_persons_word and not answer.is_unreadable:
            state = ContactState.MISSING
        if state is None:
            self.unclear[contact.digest] = answer.message
            return None
        self.unclear.pop(contact.digest, None)
        how = "by-hand" if is_persons_word and state is ContactState.MISSING else "search"
        search = secrets.token_hex(8) if state is ContactState.MISSING else None
        found = KnownContact(contact.digest, state, how, answer.wolkvox_id, answer.message)
        now = self._journal.contacts.note(self._settings.operation, found, search)
        may_create = now.rejected != contact.fields_digest or self._settings.retries
        return search if self._settings.creates and now.state is ContactState.MISSING and may_create else None

    def _create(self, contact: ContactToMake, search: str) -> Outcome | None:
        """Make the one POST of an attempt to create a contact; None if it was not made."""
        body = payload.contact_body(contact.fields, self._settings.operation[1], contact.digest)
        intent = ContactIntent(
            operation=self._settings.operation,
            digest=contact.digest,
            address=contact.address,
            search=search,
            fields=contact.fields_digest,
            seconds=self._crm.attempt_deadline(body.length),
            run_id=self._settings.run_id,
        )
        claim = partial(self._journal.contact_attempts.claim, intent)
        made = self._attempts.make(claim, partial(self._post, contact.address, body))
        return None if made is None else made[0]

    def _post(self, address: str, body: Payload, attempt: Attempt) -> Outcome:
        """Make the one POST of an attempt; a success that gives no id counts once a search shows the contact."""
        leases = self._journal.contact_attempts
        outcome = self._crm.create_contact(body, lambda: leases.lease_holds(attempt))
        if outcome.verdict is not Verdict.UNKNOWN or outcome.ids or outcome.http_status not in _SUCCESSES:
            return outcome
        try:
            answer = judge(self._crm.query_contacts(ADDRESS, address), address, self._findings)
        except (QuestionRefused, ServerUnreachable, ConnectionRefused):
            return outcome
        if answer.state is not ContactState.KNOWN:
            return outcome
        return replace(outcome, verdict=Verdict.CREATED, wolkvox_id=answer.wolkvox_id, message=answer.message)

    def _search(self, contact: ContactToMake) -> ContactAnswer | None:
        """Search for a contact at the pace of the run; None if there is no answer, which may have stopped the run."""
        try:
            return in_each_spelling(self._paced_search, contact.address, self._findings, contact.spellings)
        except QuestionRefused as refusal:
            self.unclear[contact.digest] = str(refusal)
            self._count_unreadable(ContactAnswer(None, message=str(refusal)))
        except (ServerUnreachable, ConnectionRefused) as error:
            self.unclear[contact.digest] = str(error)
        return None

    def _paced_search(self, address: str) -> ContactAnswer:
        """Search for an address; raises what `Crm.query_contacts` raises, after some patience.

        A search creates nothing: it may be repeated whatever became of it.
        """
        halted = self._attempts.workers.halted
        for tries in range(TRIES):
            if not self._limiter.acquire(halted):
                break
            started = time.monotonic()
            try:
                found = self._crm.query_contacts(ADDRESS, address)
            except QuestionRefused:
                self._limiter.release(_ANSWERED, time.monotonic() - started)
                raise
            except (ServerUnreachable, ConnectionRefused) as error:
                outcome = error.outcome or Outcome(Verdict.NOT_DELIVERED, str(error))
                self._limiter.release(outcome, time.monotonic() - started)
                if reason := self._breaker.note(outcome, asking=True):
                    self._attempts.workers.halt(reason)
                if tries == TRIES - 1 or halted.wait(backoff(tries)):
                    raise
            except BaseException:
                self._limiter.release(Outcome(Verdict.NOT_DELIVERED), time.monotonic() - started)
                raise
            else:
                self._limiter.release(_ANSWERED, time.monotonic() - started)
                self._breaker.note_answer()
                return judge(found, address, self._findings)
        raise ServerUnreachable(_("Nothing more is asked: the run was stopped."))

    def _settle(self, contact: ContactToMake) -> None:
        """Settle a contact that may have been created, if its quiet period is over; this is tried once."""
        settings, doubt = self._settings, self._doubt(contact.digest)

        def search(text: str) -> ContactAnswer:
            others = contact.spellings if folded_address(text) == folded_address(contact.address) else ()
            return in_each_spelling(self._paced_search, text, self._findings, others)

        settler = ContactSettler(self._journal, settings.operation, settings.quiet_period, search)
        if doubt is None or not settler.is_ready(doubt):
            return
        try:
            settler.settle_one(doubt)
        except (ServerUnreachable, ConnectionRefused):
            return  # it stays unknown
        self._done.add(contact.digest)

    def _doubt(self, digest: str) -> ContactDoubt | None:
        doubts = self._journal.contacts.doubts(self._settings.operation)
        return next((doubt for doubt in doubts if doubt.digest == digest), None)

    def _known(self, digest: str) -> KnownContact | None:
        return self._journal.contacts.known(self._settings.operation, [digest]).get(digest)

    def _count_unreadable(self, answer: ContactAnswer) -> None:
        """Stop after too many answers in a row that prove nothing: each of them costs a call."""
        with self._lock:
            self._unreadable = self._unreadable + 1 if answer.is_unreadable else 0
            if self._unreadable < _UNREADABLE:
                return
        sentence = told(
            _(
                "Paused: {count} answers in a row do not tell whether a contact exists: {words} Import the contacts"
                " yourself (`--csv` writes a file for that), or take `create: missing` out of the mapping.",
                count=_UNREADABLE,
                words=answer.message,
            ),
            _(
                "Paused: {count} answers in a row do not tell whether a contact exists: {words} Whoever looks after"
                " this program has to import the contacts in the CRM itself.",
                count=_UNREADABLE,
                words=answer.message,
            ),
        )
        self._attempts.workers.halt(PauseReason(sentence, 3))
