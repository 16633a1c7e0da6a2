"""Verify the cases of a source: ask the CRM for them, compare them with the sheet, write the hand-over workbook.

Nothing in the CRM and no row's state is changed. What a record does not show is said to be not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from importer import report, settings
from importer.commands import placeholder, told
from importer.crm import Crm
from importer.errors import UsageError
from importer.identity import tenant_of
from importer.journal import ImportRecord, Journal, Verified, program_name
from importer.journal_place import folder_of
from importer.messages import _, ngettext
from importer.model import MAY_BE_CASES, Counts, Status
from importer.model.proof import CaseProof, HandOver, ProofCounts
from importer.pipeline import plan_import
from importer.system.clock import local_datetime
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.job import LoadedJob, at_known_place, connection_in
from importer.workflow.outcome.accounting import files_sent
from importer.workflow.outcome.outcome import SendResult, now, summary_of
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.sending.token_limits import open_crm, turns_of
from importer.workflow.settling.looking import OTHER_COMPUTER
from importer.workflow.tenant_facts import Findings
from importer.workflow.verifying.asking import CaseAnswers, CaseAsker
from importer.workflow.verifying.events import VerifyInterface
from importer.workflow.verifying.handing import HandOverRows
from importer.workflow.verifying.selecting import (
    Selection,
    VerifyChoice,
    VerifyForecast,
    is_verifiable,
    select,
    verifiable,
    within,
)

PAUSED = 3
"""Exit status if the same command, given again later, asks for what is left."""

_DIFFERENCES = 12
"""Differences on the first sheet; all of them are on a sheet of their own."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification came to, and where its workbook is; `rows` counts those of the source by their state.

    `unexpected` are references with ids of cases that the CRM showed and that the journal did not know of these rows;
    they are kept. `reason` says why not all was asked that was to be.
    """

    counts: ProofCounts
    proofs: tuple[CaseProof, ...]
    path: Path
    calls: int
    exit_status: int
    rows: Counts
    reason: str | None = None
    unexpected: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    deleted: int = 0
    next_step: str | None = None


def verify(
    loaded: LoadedJob,
    ui: VerifyInterface,
    choice: VerifyChoice = VerifyChoice(),  # noqa: B008 - frozen
    path: Path | None = None,
) -> Verification:
    """Ask the CRM for created cases of a source, compare them, and write the hand-over workbook.

    `path` is where that goes, by default `<source>.hand-over.xlsx`. Raises UsageError where there is no created case
    or the calls are not agreed to; SettingsError, ServerUnreachable or ConnectionRefused before the first question.
    A request to stop ends it early, with what is known by then.
    """
    path = path or report.hand_over_path(loaded.job.source)
    report.check_hand_over(path)
    started = now()
    with Journal(loaded.job.journal_path) as journal:
        loaded = at_known_place(loaded, journal)
        record, plan = plan_import(loaded, journal, sends=False)
        if record is None or not any(True for _row in verifiable(plan)):
            raise UsageError(_("No row of {path} has a case yet: there is nothing to verify.", path=plan.table.path))
        from_mapping = connection_in(loaded.case_mapping)
        connection = guards.ask_for_server(loaded.job.connection, from_mapping, ui)
        loaded = replace(loaded, job=replace(loaded.job, connection=connection))
        target = settings.target(connection, from_mapping)
        verifier = _Verifier(loaded, journal, record, plan, choice)
        turns = turns_of(journal, target, loaded.job.requests_at_once)
        with open_crm(target, turns, ui.stop_request) as crm:
            selection, asked = verifier.ask(crm, ui, target.server)
            sent = SendResult(started, target.server, calls=crm.calls)
        return verifier.hand_over(selection, asked, sent, path)


@dataclass(frozen=True, slots=True)
class _Verifier:
    """One verification: what is asked and what is handed over."""

    loaded: LoadedJob
    journal: Journal
    record: ImportRecord
    plan: Plan
    choice: VerifyChoice

    def ask(self, crm: Crm, ui: VerifyInterface, server: str) -> tuple[Selection, CaseAnswers]:
        """Say the price, and once that is agreed to ask; keep what the answers tell of other cases."""
        job, findings = self.loaded.job, self._findings(server)
        same_field = findings is not None and findings.search_field == self.plan.mapping.search
        # without a sign that there were more, the largest answer so far is no limit of any answer
        page_size = findings.page_size if findings and same_field and findings.page_says_more else None
        verified = self.journal.verifications.of_import(self.record.id) if self.choice.everything else {}
        selection = select(self.plan, self.choice, verified, page_size)
        if not selection.calls:
            return selection, CaseAnswers()
        forecast = self._forecast(selection, crm, server)
        ui.confirm_calls(forecast)
        if self.choice.again:  # once: from now on the same verification goes on without it
            self.journal.verifications.forget(self.record.id)
        calls = within(selection.calls, forecast.calls_left)
        wanted = {number for call in calls for number in call.rows}
        rows = {row.number: row for row in verifiable(self.plan) if row.number in wanted}
        unexpected: list[tuple[str, str]] = []

        def keep(proofs: Mapping[int, CaseProof], shown: Sequence[tuple[str, str]]) -> None:
            self._note(proofs, rows)
            unexpected.extend(self._keep_ids(shown))

        asker = CaseAsker(
            crm,
            self.plan,
            rows,
            ui.stop_request,
            concurrency=job.concurrency,
            rate=job.rate,
            mark_path=findings.mark_place if findings else None,
            gone=self.journal.doubts.gone(self.record.id),
            answered=ui.verified,
            keep=keep,
        )
        ui.verifying(len(wanted))
        try:
            asked = asker.ask(calls, forecast.calls_left)
        finally:
            ui.done()
        left = selection.wanted - len(asked.proofs)
        if not left:
            asked.reason, asked.status = None, 0  # a request to stop came too late to matter
        elif asked.reason is None:
            asked.reason, asked.status = self._left_by_quota(left, forecast), PAUSED
        asked.unexpected = unexpected
        return selection, asked

    def _forecast(self, selection: Selection, crm: Crm, server: str) -> VerifyForecast:
        forecast = VerifyForecast(
            plan=self.plan,
            server=server,
            cases=selection.cases,
            remembered=len(selection.remembered),
            wanted=selection.wanted,
            calls=len(selection.calls),
            further=sum(len(call.rows) for call in selection.calls if call.is_shared),
            calls_today=len(selection.calls),
            quota=crm.token_information(),
            asked_at=now(),
            quota_reserve=self.loaded.job.keep_quota,
            is_sample=not self.choice.everything,
        )
        return replace(forecast, calls_today=len(within(selection.calls, forecast.calls_left)))

    def _left_by_quota(self, left: int, forecast: VerifyForecast) -> str:
        resets = forecast.quota_resets
        sentence = ngettext(
            "{count} case was not asked for: the calls of today are used up.",
            "{count} cases were not asked for: the calls of today are used up.",
            left,
        )
        if resets is None:
            return sentence
        when = _("The quota resets at about {time:%Y-%m-%d %H:%M}.", time=resets)
        return f"{sentence} {when}"

    def _note(self, proofs: Mapping[int, CaseProof], rows: Mapping[int, PlannedRow]) -> None:
        """Record which of some cases were asked for, and which of these were equal."""
        asked: list[Verified] = []
        for number, proof in proofs.items():
            known = rows[number].known
            if known is None or known.wolkvox_id is None:
                continue
            content = rows[number].content_hash if proof.result == "equal" else ""
            at = proof.when.timestamp() if proof.when else 0.0
            digest, case = self.plan.mapping.digest, known.wolkvox_id
            asked.append(Verified(known.reference, content, digest, case, proof.files_shown, at))
        self.journal.verifications.note(self.record.id, asked)

    def _keep_ids(self, shown: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Keep ids that the journal did not know of these references, and return them.

        A case of a row that this journal has not sent is another computer's: each run looks for such rows from now on.
        """
        new = self.journal.verifications.keep_ids(self.record.id, shown)
        known = self.journal.rows.by_reference(self.record.id, [reference for reference, _case in new])
        if any(one.row.status not in MAY_BE_CASES for one in known.values()):
            self.journal.decisions.record(OTHER_COMPUTER, "/".join(self.record.scope), "found")
        return new

    def _findings(self, server: str) -> Findings | None:
        """Return what the doctor learnt about the server that is asked."""
        return Findings.load(folder_of(self.journal.path), replace(self.plan.scope, tenant=tenant_of(server)))

    def hand_over(self, selection: Selection, asked: CaseAnswers, sent: SendResult, path: Path) -> Verification:
        """Write the workbook; return what the verification came to."""
        proofs = {**self._remembered(selection), **asked.proofs}
        ordered = tuple(proofs[number] for number in sorted(proofs))
        commands = Commands.of(self.loaded.job)
        first = tuple(difference for proof in ordered for difference in proof.differences)[:_DIFFERENCES]
        summary = replace(
            summary_of(self.plan, sent, commands), journal=(self.journal.id, self.journal.highest_attempt())
        )
        counts = ProofCounts.of(ordered, summary.counts.created)
        status = max(asked.status, 0 if counts.is_clean else 1)
        runs = sorted(run.id for run in self.journal.runs.all() if run.import_id == self.record.id)
        content = HandOver(
            summary=summary,
            counts=counts,
            rows=HandOverRows(self.plan, proofs, commands, settings.case_url()),
            first_differences=first,
            mapping_digest=self.plan.mapping.digest,
            corrections_digest=self.plan.corrections.digest,
            corrections=self.plan.corrections.cells,
            runs=tuple(runs),
            program=program_name(),
            unexpected=tuple(asked.unexpected),
        )
        written = report.write_hand_over(path, content, self.journal.imports.is_report)
        self.journal.imports.note_report(self.record.id, written.digest, str(self.plan.table.path.absolute()))
        deleted = sum(1 for row in self.plan.in_state(Status.CREATED) if row.known and row.known.deleted)
        notes = (written.note,) if written.note else ()
        return Verification(
            counts=counts,
            proofs=ordered,
            path=written.path,
            calls=sent.calls,
            exit_status=status,
            rows=summary.counts,
            reason=asked.reason,
            unexpected=tuple(asked.unexpected),
            notes=notes,
            deleted=deleted,
            next_step=_next_step(counts, commands),
        )

    def _remembered(self, selection: Selection) -> dict[int, CaseProof]:
        """Return the proofs of an earlier command that still hold."""
        if not selection.remembered:
            return {}
        proofs = {}
        for row in self.plan.in_state(Status.CREATED):
            before = selection.remembered.get(row.number)
            if before is not None and is_verifiable(row):
                proofs[row.number] = CaseProof(
                    row.number,
                    "equal",
                    files_sent=files_sent(self.plan, row),
                    files_shown=before.files,
                    when=local_datetime(before.at),
                    remembered=True,
                )
        return proofs


def _next_step(counts: ProofCounts, commands: Commands) -> str | None:
    """Return what to do about cases that were not shown, None where there are none."""
    if not counts.results.get("not-found"):
        return None
    return told(
        _(
            "Look up in the CRM what was not shown. Where a person deleted a case there, `{command}` has its row"
            " planned again.",
            command=commands.settle("--by-hand", placeholder("KEY"), "--deleted"),
        ),
        _("Look up in the CRM what was not shown: an answer may be incomplete, or the token may not see the case."),
    )
