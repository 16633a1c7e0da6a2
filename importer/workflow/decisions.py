"""What a person says of a doubtful row: taken where it is about the attempt in doubt, and costs no id that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from importer import mapping, report, settings
from importer.clock import local_datetime
from importer.crm import Crm
from importer.errors import UsageError
from importer.identity import Scope, canonical, key_digest, same_tenant, tenant_of
from importer.journal import Decision, Dispute, Doubt, ImportRecord, Journal
from importer.messages import _
from importer.model import Status
from importer.settings import Connection
from importer.source import open_table
from importer.workflow import guards
from importer.workflow.job import mapped
from importer.workflow.matching import ImportHistory
from importer.workflow.settling import SearchSettler, SettleResult
from importer.workflow.tenant_facts import QUIET_PERIOD, Findings

# MERGED importer.workflow.decisions: What a person says of a doubtful row: taken where it is about the attempt in doubt, and costs no id that is known.

_SAME_SECOND = 1.5
"""Seconds by which a moment that a sheet shows may differ from the journal's own."""

_ZONES = 900.0
"""Seconds by which time zones differ, or a multiple of it: a sheet shows the time of the computer that wrote it."""


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """What a person says of a doubtful row: it is the case `created`, or it has none.

    `about` names the attempt or decision that the person saw, None where they speak of the row as it is now; sheets of
    0.1.0 have `run` and `sent_at` instead. `despite` are ids that arrived for the row and are no case of it.
    """

    reference: str
    created: str | None
    id_prefijo: str | None = None
    about: str | None = None
    run: int | None = None
    sent_at: datetime | None = None
    despite: tuple[str, ...] = ()


class DecisionTaker:
    """Takes the verdicts of a person on the rows of one import; `quiet_period` is in seconds."""

    def __init__(self, history: ImportHistory, quiet_period: float, how: str) -> None:
        self._journal, self._record = history.opened()
        self._quiet, self._how = quiet_period, how

    def doubt(self, reference: str) -> Doubt | None:
        """Return the doubtful row with this reference, None where it is not in doubt."""
        self._journal.attempts.expire(self._record.id)
        doubts = self._journal.doubts.of_import(self._record.id)
        return next((doubt for doubt in doubts if doubt.reference == reference), None)

    def take(self, verdict: HumanDecision) -> str | None:
        """Record a verdict; return None, or why it was not taken."""
        doubt = self.doubt(verdict.reference)
        if doubt is None:
            return self._why_not_in_doubt(verdict.reference)
        refusal = self._other_attempt(doubt, verdict) or self._too_early(doubt) or self._not_possible(doubt, verdict)
        if refusal is not None:
            return refusal
        state = Status.PLANNED if verdict.created is None else Status.CREATED
        decision = Decision(state, self._how, verdict.created, verdict.id_prefijo, despite=verdict.despite)
        if self._journal.doubts.decide(doubt, decision) is None:
            return _("{reference} has just been settled in another way.", reference=verdict.reference)
        return None

    def hand_over(self, doubt: Doubt, dispute: Dispute) -> str | None:
        """Record that a disputed id is the case of a doubtful row; return None, or why that was not taken."""
        refusal = self._too_early(doubt)
        if refusal is None:
            decision = Decision(Status.CREATED, self._how, dispute.wolkvox_id)
            if self._journal.doubts.hand_over(doubt, dispute, decision) is None:
                return _("{reference} has just been settled in another way.", reference=doubt.reference)
        return refusal

    def _why_not_in_doubt(self, reference: str) -> str:
        known = self._journal.rows.by_reference(self._record.id, [reference]).get(reference)
        if known is None:
            return _("{reference}: no row of import {name} has it.", reference=reference, name=self._record.name)
        row = known.row
        if row.status is Status.SENDING and row.lease_until is not None:
            return _(
                "{reference} is being sent; without an answer it counts as unknown from {until:%Y-%m-%d %H:%M:%S} on.",
                reference=reference,
                until=row.lease_until,
            )
        if row.wolkvox_id:
            return _(
                "{reference} is not in doubt: it is {state}, as the case {id}.",
                reference=reference,
                state=row.status.value,
                id=row.wolkvox_id,
            )
        return _("{reference} is not in doubt: it is {state}.", reference=reference, state=row.status.value)

    def _other_attempt(self, doubt: Doubt, verdict: HumanDecision) -> str | None:
        """Return why a verdict is about something else than the attempt that is in doubt now."""
        if verdict.about is not None:
            same = verdict.about == doubt.about
        elif verdict.sent_at is not None and doubt.sent_at is not None:
            off = abs(verdict.sent_at.timestamp() - doubt.sent_at) % _ZONES
            same = min(off, _ZONES - off) <= _SAME_SECOND and verdict.run in {None, doubt.run}
        else:
            return None
        if same:
            return None
        return _(
            "{reference}: the verdict is about an earlier attempt, and the row was sent again since (run {run}). Look"
            " it up once more, and write the verdict into the newest report.",
            reference=doubt.reference,
            run=doubt.run or "-",
        )

    def _too_early(self, doubt: Doubt) -> str | None:
        """Return why nobody can know yet what became of a row."""
        if doubt.silent_since is None:
            return None
        clock = self._journal.clock
        left = doubt.silent_since + self._quiet - clock.elapsed()
        if left <= 0:
            return None
        return _(
            "{reference}: its case may still come into being until {until:%Y-%m-%d %H:%M:%S}. Look it up after that,"
            " and give the verdict then.",
            reference=doubt.reference,
            until=local_datetime(clock.wall() + left),
        )

    def _not_possible(self, doubt: Doubt, verdict: HumanDecision) -> str | None:
        """Return what is known of the row that speaks against a verdict."""
        if verdict.created is None:
            known = [wolkvox_id for wolkvox_id in doubt.ids if wolkvox_id not in verdict.despite]
            if not known:
                return None
            return _(
                "{reference}: the CRM has named {ids} for this row, so it cannot be called not created. Look these ids"
                " up; if none of them is its case, give {option}.",
                reference=doubt.reference,
                ids=", ".join(known),
                option=" ".join(["--not-created", *(f"--despite {quoted(wolkvox_id)}" for wolkvox_id in known)]),
            )
        owner = self._journal.doubts.owners(doubt.import_id, [verdict.created]).get(verdict.created)
        if owner in {None, doubt.reference}:
            return None
        return _(
            "{reference}: {id} is the case of {owner} already. If it is this row's case and not that one's, give"
            " --created {id} --instead-of {owner}.",
            reference=doubt.reference,
            id=verdict.created,
            owner=owner,
        )


def quoted(word: str) -> str:
    """Return a word as a command line takes it, on Windows too."""
    return word if word.replace("-", "").replace("_", "").replace(".", "").isalnum() else f'"{word}"'


# MERGED importer.workflow.decisions: What the command `settle` does: ask the CRM for doubtful rows, or take what a person says of them.


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A verdict that was not taken, by its row's reference, and why."""

    reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person says of the row with this key or reference.

    It is the case `created`, `instead_of` the row that has that id now; or it has none, `despite` ids that the CRM
    named for it; or its case is `deleted`, gone from the CRM.
    """

    key: str
    created: str | None = None
    instead_of: str | None = None
    despite: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SettleJob:
    """What `settle` is about: the imports of one operation, or one of them by its mapping; sizes as in `Job`."""

    connection: Connection
    journal: Path
    mapping: Path | None = None
    quiet_period: float = QUIET_PERIOD

    def by_search(self) -> list[tuple[ImportRecord, SettleResult]]:
        """Ask the CRM for the doubtful rows of each import; return what became of them.

        Raises SettingsError, UsageError or StartRefused before anything is asked, ServerUnreachable or
        ConnectionRefused where the CRM cannot be asked.
        """
        target = settings.target(self.connection, self._mapped())
        guards.refuse_short_quiet_period(self.quiet_period, target.server)
        with self._open() as journal, Crm(target) as crm:
            return [(record, self._settler(journal, record, crm).settle()) for record in self._records(journal)]

    def by_hand(self, said: ByHand) -> SettleResult:
        """Record what a person found out about one row.

        Raises UsageError where no row has that key, or where the verdict cannot be taken; with `despite`, what the
        CRM's search raises.
        """
        with self._open() as journal:
            record, reference = self._row(journal, said.key, doubtful=not said.deleted)
            taker = self._taker(journal, record, "by-hand")
            if said.deleted:
                refusal = None if journal.doubts.note_deleted(record.id, reference) else _not_created_yet(reference)
            elif said.despite and self._found_by_search(journal, record, taker, reference):
                return _counted(journal, record, created=1)
            elif said.instead_of:
                refusal = self._hand_over(journal, taker, reference, said)
            else:
                refusal = taker.take(HumanDecision(reference, said.created, despite=said.despite))
            if refusal is not None:
                raise UsageError(refusal)
            planned = said.created is None and not said.deleted
            settled = _counted(journal, record, created=int(said.created is not None), planned=int(planned))
            return replace(settled, deleted=int(said.deleted))

    def _found_by_search(self, journal: Journal, record: ImportRecord, taker: DecisionTaker, reference: str) -> bool:
        """Ask the CRM for a row before ids that it named for it are set aside; tell whether that settled it."""
        doubt = taker.doubt(reference)
        if doubt is None:
            return False
        target = settings.target(self.connection, self._mapped())
        with Crm(target) as crm:
            return self._settler(journal, record, crm).settle_one(doubt) is not None

    def _hand_over(self, journal: Journal, taker: DecisionTaker, reference: str, said: ByHand) -> str | None:
        """Give the row an id that another row has; return why that was not taken, None where it was."""
        record, holder = self._row(journal, said.instead_of or "", doubtful=False)
        doubt = taker.doubt(reference)
        known = journal.rows.by_reference(record.id, [holder])
        if doubt is None or holder not in known or known[holder].row.wolkvox_id != said.created or not said.created:
            return _(
                "--instead-of {key}: this row does not have the id {id}; see its line in the report.",
                key=said.instead_of,
                id=said.created,
            )
        return taker.hand_over(doubt, journal.doubts.holder_of(record.id, holder, said.created))

    def from_report(self, path: Path) -> tuple[SettleResult, tuple[NotTaken, ...]]:
        """Record the verdicts that a person wrote into a report; return what they came to, and what was not taken.

        Raises ReportError where the file is no report.
        """
        verdicts, not_taken = _verdicts_in(path)
        taken: list[HumanDecision] = []
        with self._open() as journal:
            records = self._records(journal)
            for verdict in verdicts:
                record = next((record for record in records if _knows(journal, record, verdict.reference)), None)
                if record is None:
                    reason = _("{reference}: no row of this import has it.", reference=verdict.reference)
                else:
                    reason = self._taker(journal, record, "report").take(verdict) or ""
                if reason:
                    not_taken.append(NotTaken(verdict.reference, reason))
                else:
                    taken.append(verdict)
            doubtful = sum(len(journal.doubts.of_import(record.id)) for record in records)
        created = sum(verdict.created is not None for verdict in taken)
        return SettleResult(created=created, planned=len(taken) - created, doubtful=doubtful), tuple(not_taken)

    def _taker(self, journal: Journal, record: ImportRecord, how: str) -> DecisionTaker:
        guards.refuse_short_quiet_period(self.quiet_period, f"https://{record.tenant}")
        return DecisionTaker(ImportHistory(journal, record), self.quiet_period, how)

    def _settler(self, journal: Journal, record: ImportRecord, crm: Crm) -> SearchSettler:
        scope = Scope(record.tenant, record.operation, record.name)
        findings = Findings.load(journal.path.parent, scope)
        return SearchSettler(ImportHistory(journal, record), crm, findings, self.quiet_period)

    def _row(self, journal: Journal, key: str, *, doubtful: bool) -> tuple[ImportRecord, str]:
        """Return the row that has this key or reference, and its import; raises UsageError where it is not one."""
        found = []
        for record in self._records(journal):
            reference = _reference(journal, record, key)
            if reference is not None and (not doubtful or _in_doubt(journal, record, reference)):
                found.append((record, reference))
        if len(found) != 1:
            raise _not_one(key, [record for record, _reference_ in found])
        return found[0]

    def _open(self) -> Journal:
        if not self.journal.is_file():
            raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=self.journal))
        return Journal(self.journal)

    def _mapped(self) -> Connection:
        return mapped(mapping.load_mapping(self.mapping)) if self.mapping else Connection()

    def _records(self, journal: Journal) -> list[ImportRecord]:
        """Return the imports that this is about; raises UsageError where the journal knows none of them."""
        server, operation = settings.server_and_operation(self.connection, self._mapped())
        name = mapping.load_mapping(self.mapping).import_name if self.mapping else None
        if name and server and operation:
            found = [journal.imports.find(tenant_of(server), operation, name)]
        else:
            found = [
                record
                for record in journal.imports.all()
                if (not server or same_tenant(record.tenant, tenant_of(server)))
                and operation in {None, record.operation}
                and name in {None, record.name}
            ]
        records = [record for record in found if record is not None]
        if not records:
            raise UsageError(
                _("{path}: the journal knows no such import; see `case-importer history`.", path=self.journal)
            )
        return records


def _verdicts_in(path: Path) -> tuple[list[HumanDecision], list[NotTaken]]:
    """Return the verdicts in a report, and those that say too little or contradict themselves."""
    verdicts, incomplete = [], []
    for row in report.read_rows(path, open_table):
        if not row.verdict or not row.reference:
            continue
        created = row.verdict.casefold() == report.CREATED_VERDICT
        if not created and row.verdict.casefold() != report.NOT_CREATED_VERDICT:
            incomplete.append(NotTaken(row.reference, _("{verdict} is not a verdict.", verdict=row.verdict)))
        elif created and not row.wolkvox_id:
            reason = _("A verdict `created` needs the wolkvox_id of the case beside it.")
            incomplete.append(NotTaken(row.reference, reason))
        elif not created and row.wolkvox_id:
            reason = _("A verdict `not created` cannot have the wolkvox_id of a case beside it.")
            incomplete.append(NotTaken(row.reference, reason))
        else:
            told = HumanDecision(row.reference, row.wolkvox_id, row.id_prefijo, row.about, row.run, row.sent_at)
            verdicts.append(told)
    return verdicts, incomplete


def _reference(journal: Journal, record: ImportRecord, key: str) -> str | None:
    """Return the reference of the row of an import that has this key or reference, None where none has."""
    known = journal.rows.known(record.id, [key_digest([canonical(key)])])
    reference = next((row.row.reference for row in known.values()), key.strip().upper())
    return reference if _knows(journal, record, reference) else None


def _knows(journal: Journal, record: ImportRecord, reference: str) -> bool:
    return reference in journal.rows.by_reference(record.id, [reference])


def _in_doubt(journal: Journal, record: ImportRecord, reference: str) -> bool:
    journal.attempts.expire(record.id)
    doubts = (*journal.doubts.of_import(record.id), *journal.doubts.in_flight(record.id))
    return any(doubt.reference == reference for doubt in doubts)


def _counted(journal: Journal, record: ImportRecord, *, created: int = 0, planned: int = 0) -> SettleResult:
    return SettleResult(created=created, planned=planned, doubtful=len(journal.doubts.of_import(record.id)))


def _not_created_yet(reference: str) -> str:
    return _("--deleted: {reference} is not created, so there is no case that could be gone.", reference=reference)


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
