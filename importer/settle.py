"""Doubtful rows are settled and never guessed: the CRM is asked, or a person says what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from importer import mapping, report, settings, starts
from importer.crm import Crm, Found, find_reference, texts_in
from importer.errors import QuestionRefused, UsageError
from importer.findings import QUIET_PERIOD, Findings
from importer.identity import REFERENCE, Scope, canonical, key_digest, tenant_of
from importer.job import mapped
from importer.journal import Decision, Doubt, ImportRecord, Journal
from importer.messages import _, ngettext
from importer.model import Status
from importer.recognition import Memory
from importer.settings import Connection
from importer.source import open_table

_JUMP = 30.0
"""Seconds by which the clock may stray from the time since the computer's start before it is not believed."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of doubtful rows.

    `waiting_until` is when the quiet period of those that still wait is over; `refusals` are the CRM's words where it
    did not answer.
    """

    created: int = 0
    conflict: int = 0
    planned: int = 0
    doubtful: int = 0
    waiting_until: datetime | None = None
    refusals: tuple[str, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """Return what a person should know of it."""
        done = ((self.created, "created"), (self.conflict, "conflict"), (self.planned, "planned"))
        lines = [
            ngettext("Settled: {count} row is {state}.", "Settled: {count} rows are {state}.", count, state=state)
            for count, state in done
            if count
        ]
        if self.waiting_until:
            when = self.waiting_until
            lines.append(_("The CRM is asked for doubtful rows from {when:%Y-%m-%d %H:%M:%S} on.", when=when))
        return (*lines, *self.refusals)


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time; `gap` is the clock less the time since the computer's start, and changes when it jumps."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone()
    gap: Callable[[], float] = lambda: time.time() - time.monotonic()


class Settler:
    """Settles the unknown rows of one import by asking the CRM.

    `findings` are what the doctor learnt of this tenant; without them a search that finds nothing proves nothing.
    """

    def __init__(
        self, memory: Memory, crm: Crm, findings: Findings | None, quiet_period: float, clock: Clock = Clock()
    ) -> None:
        self._journal, self._record = memory.opened()
        self._crm, self._findings = crm, findings
        self._quiet, self._now, self._gap = timedelta(seconds=quiet_period), clock.now, clock.gap
        self._refusals: dict[str, None] = {}

    def settle(self) -> Settled:
        """Ask the CRM for every unknown row whose quiet period is over, once for all rows of one contact.

        Raises ServerUnreachable or ConnectionRefused where the CRM cannot be asked; what was settled stays settled.
        """
        self._journal.attempts.expire(self._record.id)
        unknown = [doubt for doubt in self._doubts() if doubt.state is Status.UNKNOWN]
        self._distrust_a_clock_that_jumped(unknown)
        ready: list[Doubt] = []
        waiting: list[Doubt] = []
        for doubt in self._doubts():
            if doubt.state is Status.UNKNOWN and doubt.lease_until is not None:
                (ready if self._quiet_until(doubt) <= self._now() else waiting).append(doubt)
        settled = [self._search(some) for some in _by_question(ready)]
        decided = [decision for some in settled for decision in some]
        return Settled(
            created=decided.count(Status.CREATED),
            conflict=decided.count(Status.CONFLICT),
            planned=decided.count(Status.PLANNED),
            doubtful=len(self._doubts()),
            waiting_until=max(map(self._quiet_until, waiting), default=None),
            refusals=tuple(self._refusals),
        )

    def _doubts(self) -> list[Doubt]:
        return self._journal.settling.doubts(self._record.id)

    def _quiet_until(self, doubt: Doubt) -> datetime:
        return (doubt.lease_until or self._now()) + self._quiet

    def _distrust_a_clock_that_jumped(self, doubts: Iterable[Doubt]) -> None:
        """Begin the quiet period anew where the clock, a sleep or a restart leaves it open how long ago that was."""
        gap = self._gap()
        jumped = [doubt for doubt in doubts if doubt.clock_gap is not None and abs(doubt.clock_gap - gap) > _JUMP]
        self._journal.settling.begin_anew(jumped, gap)

    def _search(self, doubts: list[Doubt]) -> list[Status]:
        """Ask one question of the CRM and decide all rows that it answers; return what was decided."""
        field, value = doubts[0].search_field, doubts[0].search_value
        if field is None or value is None:
            return []
        page_size = self._findings.page_size if self._findings else None
        try:
            found = self._crm.query_cases(field, value, page_size=page_size)
        except QuestionRefused as refusal:  # the rows of other contacts may be found all the same
            self._refusals[str(refusal)] = None
            return []
        decided = []
        for doubt in doubts:
            decision = self._decision(doubt, found)
            if decision and self._journal.settling.decide(doubt, decision):
                decided.append(decision.state)
        return decided

    def _decision(self, doubt: Doubt, found: Found) -> Decision | None:
        hits = find_reference(found.records, doubt.reference)
        if len(hits) > 1:
            ids = ", ".join(hit.wolkvox_id or "?" for hit in hits)
            message = _("The CRM has several cases with this reference: {ids}", ids=ids)
            return Decision(Status.CONFLICT, "search", message=message)
        if len(hits) == 1 and hits[0].wolkvox_id:
            return Decision(Status.CREATED, "search", hits[0].wolkvox_id, hits[0].id_prefijo)
        if not hits and self._proves_absence(doubt, found):
            return Decision(
                Status.PLANNED, "search", message=_("Not found in the CRM, where it would have been found.")
            )
        return None

    def _proves_absence(self, doubt: Doubt, found: Found) -> bool:
        """Tell whether a search that found nothing proves that there is no case.

        It does only where the doctor verified this search on this tenant for bodies of this length, the answer is
        known to be complete, and the same search finds a case that is known to exist.
        """
        if self._findings is None or doubt.search_field is None or found.complete is not True:
            return False
        if not self._findings.covers(doubt.search_field, doubt.body_length, self._quiet.total_seconds()):
            return False
        others = {mark.upper() for text in texts_in(found.records) for mark in REFERENCE.findall(text.upper())}
        known = self._journal.rows.by_reference(self._record.id, sorted(others))
        return any(other.row.status is Status.CREATED for other in known.values())


def _by_question(doubts: Iterable[Doubt]) -> list[list[Doubt]]:
    """Return the rows that one search answers together."""
    questions: dict[tuple[str | None, str | None], list[Doubt]] = {}
    for doubt in doubts:
        questions.setdefault((doubt.search_field, doubt.search_value), []).append(doubt)
    return list(questions.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a doubtful row: it is the case `created`, or it is none."""

    reference: str
    created: str | None
    id_prefijo: str | None = None


def by_person(memory: Memory, verdicts: Iterable[Verdict], how: str) -> tuple[str, ...]:
    """Record the verdicts of a person; return the references whose verdicts were not taken.

    These rows are not in doubt, or the case that was named for them is another row's.
    """
    journal, record = memory.opened()
    doubts = {doubt.reference: doubt for doubt in journal.settling.doubts(record.id)}
    not_taken = []
    for verdict in verdicts:
        state = Status.PLANNED if verdict.created is None else Status.CREATED
        decision = Decision(state, how, verdict.created, verdict.id_prefijo)
        doubt = doubts.get(verdict.reference)
        if doubt is None or _is_of_another(journal, verdict) or not journal.settling.decide(doubt, decision):
            not_taken.append(verdict.reference)
    return tuple(not_taken)


def _is_of_another(journal: Journal, verdict: Verdict) -> bool:
    """Tell whether the case that a person named is another row's already: a slip of the keyboard, and no verdict."""
    return verdict.created is not None and journal.rows.owner(verdict.created) not in {None, verdict.reference}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What `settle` is about: the imports of one operation, or one of them by its mapping; sizes as in `Job`."""

    connection: Connection
    journal: Path
    mapping: Path | None = None
    quiet_period: float = QUIET_PERIOD

    def by_search(self) -> list[tuple[ImportRecord, Settled]]:
        """Ask the CRM for the doubtful rows of each import; return what became of them.

        Raises SettingsError, UsageError or StartRefused before anything is asked, ServerUnreachable or
        ConnectionRefused where the CRM cannot be asked.
        """
        target = settings.target(self.connection, self._mapped())
        starts.refuse_short_quiet_period(self.quiet_period, target.server)
        settled = []
        with self._open() as journal, Crm(target) as crm:
            for record in self._records(journal):
                scope = Scope(tenant_of(target.server), target.operation, record.name)
                findings = Findings.load(journal.path.parent, scope)
                settler = Settler(Memory(journal, record), crm, findings, self.quiet_period)
                settled.append((record, settler.settle()))
        return settled

    def by_hand(self, key: str, created: str | None) -> Settled:
        """Record what a person found out about one row; `key` is its key, or its reference.

        Raises UsageError where no doubtful row has that key, or where the case is another row's.
        """
        with self._open() as journal:
            found = [
                (record, reference)
                for record in self._records(journal)
                if (reference := _doubtful(journal, record, key)) is not None
            ]
            if len(found) != 1:
                raise _not_one(key, [record for record, _reference in found])
            record, reference = found[0]
            if by_person(Memory(journal, record), [Verdict(reference, created)], "by-hand"):
                raise _not_taken(reference, created, journal.rows.owner(created) if created else None)
            left = len(journal.settling.doubts(record.id))
        return Settled(created=int(created is not None), planned=int(created is None), doubtful=left)

    def from_report(self, path: Path) -> tuple[Settled, tuple[str, ...]]:
        """Record the verdicts that a person wrote into a report; return what they came to, and what was not taken.

        Raises ReportError where the file is no report.
        """
        verdicts, incomplete = [], []
        for row in report.read_rows(path, open_table):
            if row.verdict and row.reference:
                created = row.verdict.casefold() == report.CREATED_VERDICT
                if created == bool(row.wolkvox_id) and (
                    created or row.verdict.casefold() == report.NOT_CREATED_VERDICT
                ):
                    verdicts.append(Verdict(row.reference, row.wolkvox_id, row.id_prefijo))
                else:
                    incomplete.append(row.reference)
        with self._open() as journal:
            records = self._records(journal)
            waiting = verdicts
            for record in records:
                journal.attempts.expire(record.id)
                left = set(by_person(Memory(journal, record), waiting, "report"))
                waiting = [verdict for verdict in waiting if verdict.reference in left]
            doubtful = sum(len(journal.settling.doubts(record.id)) for record in records)
        taken = [verdict for verdict in verdicts if verdict not in waiting]
        created_rows = sum(verdict.created is not None for verdict in taken)
        settled = Settled(created=created_rows, planned=len(taken) - created_rows, doubtful=doubtful)
        return settled, (*incomplete, *(verdict.reference for verdict in waiting))

    def _open(self) -> Journal:
        if not self.journal.is_file():
            raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=self.journal))
        return Journal(self.journal)

    def _mapped(self) -> Connection:
        return mapped(mapping.load(self.mapping)) if self.mapping else Connection()

    def _records(self, journal: Journal) -> list[ImportRecord]:
        """Return the imports that this is about; raises UsageError where the journal knows none of them."""
        server, operation = settings.server_and_operation(self.connection, self._mapped())
        name = mapping.load(self.mapping).import_name if self.mapping else None
        if name and server and operation:
            found = [journal.imports.find(tenant_of(server), operation, name)]
        else:
            found = [
                record
                for record in journal.imports.all()
                if (not server or record.tenant == tenant_of(server))
                and operation in {None, record.operation}
                and name in {None, record.name}
            ]
        records = [record for record in found if record is not None]
        if not records:
            raise UsageError(
                _("{path}: the journal knows no such import; see `case-importer history`.", path=self.journal)
            )
        return records


def _doubtful(journal: Journal, record: ImportRecord, key: str) -> str | None:
    """Return the reference of the doubtful row of an import that has this key or reference, None where none has."""
    journal.attempts.expire(record.id)
    known = journal.rows.known(record.id, [key_digest([canonical(key)])])
    reference = next((row.row.reference for row in known.values()), key.strip().upper())
    return reference if any(doubt.reference == reference for doubt in journal.settling.doubts(record.id)) else None


def _not_taken(reference: str, created: str | None, owner: str | None) -> UsageError:
    if owner is None:
        return UsageError(_("{reference} has just been settled in another way.", reference=reference))
    return UsageError(
        _("--created {id}: this is the case of the row {reference} already.", id=created, reference=owner)
    )


def _not_one(key: str, records: list[ImportRecord]) -> UsageError:
    if records:
        names = ", ".join(record.name for record in records)
        return UsageError(
            _(
                "Doubtful rows of several imports have the key {key}: {names}. Name the mapping of one of them with -m,"
                " or give the row's reference.",
                key=key,
                names=names,
            )
        )
    return UsageError(
        _(
            "No doubtful row has the key or reference {key}. The report's sheet `To decide` lists those that are in"
            " doubt; where a key has several columns, give the reference.",
            key=key,
        )
    )
