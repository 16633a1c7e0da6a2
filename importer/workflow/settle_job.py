"""The command `settle`: search the CRM for doubtful rows, or record what a person decided about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from importer import mapping, settings
from importer.crm import Crm
from importer.errors import UsageError
from importer.identity import Scope, canonical, key_digest, same_tenant, tenant_of
from importer.journal import ImportRecord, Journal
from importer.messages import _
from importer.settings import Connection
from importer.workflow import guards
from importer.workflow.decisions import DecisionTaker, HumanDecision, NotTaken, read_decisions
from importer.workflow.job import connection_in
from importer.workflow.matching import ImportHistory
from importer.workflow.settling import SearchSettler, SettleResult
from importer.workflow.tenant_facts import QUIET_PERIOD, Findings


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person's decision on the row with this key or reference.

    Its case is `created`, `instead_of` the row that has that id now; or it has none, `despite` ids that the CRM named
    for it; or its case was `deleted` from the CRM.
    """

    key: str
    created: str | None = None
    instead_of: str | None = None
    despite: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SettleJob:
    """What `settle` is to settle: the imports of one operation, or the one of a `mapping`; units as in `Job`."""

    connection: Connection
    journal: Path
    mapping: Path | None = None
    quiet_period: float = QUIET_PERIOD

    def by_search(self) -> list[tuple[ImportRecord, SettleResult]]:
        """Search the CRM for the doubtful rows of each import; return the results.

        Raises SettingsError, UsageError or StartRefused before the CRM is asked, ServerUnreachable or
        ConnectionRefused if it cannot be asked.
        """
        target = settings.target(self.connection, self._mapped())
        guards.refuse_short_quiet_period(self.quiet_period, target.server)
        with self._open() as journal, Crm(target) as crm:
            return [(record, self._settler(journal, record, crm).settle()) for record in self._records(journal)]

    def by_hand(self, decision: ByHand) -> SettleResult:
        """Record what a person decided about one row.

        Raises UsageError if no row has that key or if the decision is refused; with `despite`, also what the CRM's
        search raises.
        """
        with self._open() as journal:
            record, reference = self._row(journal, decision.key, doubtful=not decision.deleted)
            taker = self._taker(journal, record, "by-hand")
            if decision.deleted:
                refusal = None if journal.doubts.note_deleted(record.id, reference) else _not_created_yet(reference)
            elif decision.despite and self._found_by_search(journal, record, taker, reference):
                return _counted(journal, record, created=1)
            elif decision.instead_of:
                refusal = self._hand_over(journal, taker, reference, decision)
            else:
                refusal = taker.take(HumanDecision(reference, decision.created, despite=decision.despite))
            if refusal is not None:
                raise UsageError(refusal)
            planned = decision.created is None and not decision.deleted
            settled = _counted(journal, record, created=int(decision.created is not None), planned=int(planned))
            return replace(settled, deleted=int(decision.deleted))

    def _found_by_search(self, journal: Journal, record: ImportRecord, taker: DecisionTaker, reference: str) -> bool:
        """Search for a row before the ids that the CRM named for it are set aside; tell whether that settled it."""
        doubt = taker.doubt(reference)
        if doubt is None:
            return False
        target = settings.target(self.connection, self._mapped())
        with Crm(target) as crm:
            return self._settler(journal, record, crm).settle_one(doubt) is not None

    def _hand_over(self, journal: Journal, taker: DecisionTaker, reference: str, decision: ByHand) -> str | None:
        """Give the row an id that another row has; return why that was refused, None if it was recorded."""
        record, holder = self._row(journal, decision.instead_of or "", doubtful=False)
        doubt = taker.doubt(reference)
        known = journal.rows.by_reference(record.id, [holder]).get(holder)
        created = decision.created
        if not created or doubt is None or known is None or known.row.wolkvox_id != created:
            return _(
                "--instead-of {key}: this row does not have the id {id}; see its line in the report.",
                key=decision.instead_of,
                id=created,
            )
        return taker.hand_over(doubt, journal.doubts.holder_of(record.id, holder, created))

    def from_report(self, path: Path) -> tuple[SettleResult, tuple[NotTaken, ...]]:
        """Record the decisions that a person wrote into a report; return the result, and those that were refused.

        Raises ReportError if the file is not a report.
        """
        decisions, not_taken = read_decisions(path)
        taken: list[HumanDecision] = []
        with self._open() as journal:
            records = self._records(journal)
            for decision in decisions:
                record = next((record for record in records if _knows(journal, record, decision.reference)), None)
                if record is None:
                    reason = _("{reference} is not a reference of this import.", reference=decision.reference)
                else:
                    reason = self._taker(journal, record, "report").take(decision) or ""
                if reason:
                    not_taken.append(NotTaken(decision.reference, reason))
                else:
                    taken.append(decision)
            doubtful = sum(len(journal.doubts.of_import(record.id)) for record in records)
        created = sum(decision.created is not None for decision in taken)
        return SettleResult(created=created, planned=len(taken) - created, doubtful=doubtful), tuple(not_taken)

    def _taker(self, journal: Journal, record: ImportRecord, how: str) -> DecisionTaker:
        guards.refuse_short_quiet_period(self.quiet_period, f"https://{record.tenant}")
        return DecisionTaker(ImportHistory(journal, record), self.quiet_period, how)

    def _settler(self, journal: Journal, record: ImportRecord, crm: Crm) -> SearchSettler:
        scope = Scope(record.tenant, record.operation, record.name)
        findings = Findings.load(journal.path.parent, scope)
        return SearchSettler(ImportHistory(journal, record), crm, findings, self.quiet_period)

    def _row(self, journal: Journal, key: str, *, doubtful: bool) -> tuple[ImportRecord, str]:
        """Return the row with this key or reference, and its import; raises UsageError unless there is exactly one."""
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
            raise UsageError(_("{path}: there is no journal yet; the first run creates it.", path=self.journal))
        return Journal(self.journal)

    def _mapped(self) -> Connection:
        return connection_in(mapping.load_mapping(self.mapping)) if self.mapping else Connection()

    def _records(self, journal: Journal) -> list[ImportRecord]:
        """Return the imports to settle; raises UsageError if the journal has none of them."""
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
                _("{path}: the journal has no such import; see `case-importer history`.", path=self.journal)
            )
        return records


def _reference(journal: Journal, record: ImportRecord, key: str) -> str | None:
    """Return the reference of an import's row with this key or reference, None if there is none."""
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
    return _("--deleted: {reference} is not created, so it has no case that could be deleted.", reference=reference)


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
            "No doubtful row has the key or reference {key}. The report's sheet `To decide` lists the rows in doubt; if"
            " the key has several columns, give the reference.",
            key=key,
        )
    )
