"""A rehearsal: the same run against a simulated CRM inside this process, with a journal that is thrown away.

Settings, marks, the real journal and the real reports stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from importer import report, settings
from importer.crm import Crm
from importer.errors import RunStopped
from importer.identity import Scope, tenant_of
from importer.journal import Journal, Marks
from importer.messages import _
from importer.model import MAY_BE_CASES, Status, Target
from importer.names import state_name
from importer.pipeline import check, make_plan
from importer.sandbox import RunningSandbox
from importer.settings import Connection
from importer.system.spool import Spool
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.forecast.forecast import UserInterface, make_forecast
from importer.workflow.job import Job, LoadedJob, connection_in
from importer.workflow.jobs.executing import execute_run
from importer.workflow.jobs.starting import AgreedRun, record_plan, run_details
from importer.workflow.keys.history import ImportHistory
from importer.workflow.outcome.next_steps import Situation
from importer.workflow.outcome.outcome import Finished, now, refresh, report_outcome
from importer.workflow.outcome.report_places import ReportOptions
from importer.workflow.planning.plan import Batch, Plan
from importer.workflow.sending.sending import RunContext

_STAYS = (*MAY_BE_CASES, Status.REJECTED)
"""States of rows that a real run would not send."""


def rehearse(loaded: LoadedJob, ui: UserInterface) -> Finished:
    """Do what `run` would do, but send the cases to a simulated CRM, and write the report of a rehearsal.

    It needs neither a token nor leave to send. Rows that a run would not send, as the real journal knows, are skipped.
    Raises QuestionsOpen for folders that the user has not allowed, and what `check` raises.
    """
    job = guards.ask_for_folders(loaded.job, loaded.case_mapping, ui, remembers=False)
    stays = _not_sent(replace(loaded, job=job))
    path = report.rehearsal_path(job.report_path)
    report.check_writable(path)
    ui.stop_request.refuse_to_start()
    with TemporaryDirectory(prefix="case-importer-", ignore_cleanup_errors=True) as name, RunningSandbox() as stand_in:
        folder = Path(name)
        _given, operation = settings.server_and_operation(job.connection, connection_in(loaded.case_mapping))
        target = Target(stand_in.url, operation or "rehearsal", "rehearsal")
        with Journal(folder / "journal.db", marks=Marks(folder / "marks.db")) as journal, Crm(target) as crm:
            rehearsed = replace(loaded, job=_stand_in_job(job, target))
            plan = _without(_plan(rehearsed, target, journal), stays)
            return _rehearse(rehearsed.job, plan, ui, journal, crm, Commands.of(loaded.job))


def _stand_in_job(job: Job, target: Target) -> Job:
    """Return the job as it is rehearsed: nothing to wait for, and nothing that was sent before."""
    return Job(
        job.source,
        job.mapping,
        Connection(target.server, target.operation),
        report=report.rehearsal_path(job.report_path),
        limit=job.limit,
        concurrency=job.concurrency,
        only_if_all_valid=job.only_if_all_valid,
        spot_check=0,
        allow_folders=job.allow_folders,
    )


def _not_sent(loaded: LoadedJob) -> dict[int, str]:
    """Return the rows that a run would not send, as the journal knows, each with the reason."""
    return {
        row.number: _("not rehearsed: this row is {state}", state=state_name(row.status))
        for row in check(loaded).in_state(*_STAYS)
    }


def _plan(loaded: LoadedJob, target: Target, journal: Journal) -> Plan:
    """Plan a source for the stand-in: rows go by their keys, as references name the real CRM."""
    scope = Scope(tenant_of(target.server), target.operation, loaded.case_mapping.import_name)
    return make_plan(loaded, scope, ImportHistory(journal, None), trust_references=False)


def _without(plan: Plan, stays: Mapping[int, str]) -> Plan:
    """Return a plan that skips these rows, for these reasons."""
    batches: Spool[Batch] = Spool()
    for batch in plan.batches:
        rows = [(stays.get(row.number), row) for row in batch.rows()]
        skipped = [reason or row.skipped for reason, row in rows]
        states = [Status.SKIPPED if reason else row.status for reason, row in rows]
        batches.append(batch.with_facts(skipped=skipped, status=states))
    return replace(plan, batches=batches)


def _rehearse(  # noqa: PLR0913, PLR0917 - everything that a run is made of
    job: Job, plan: Plan, ui: UserInterface, journal: Journal, crm: Crm, commands: Commands
) -> Finished:
    started, server = now(), str(job.connection.server)
    forecast = make_forecast(job, plan, crm, server, spot_check_due=False)
    record = record_plan(AgreedRun(job, None, plan, []), journal)
    run_id = journal.runs.start(record.id, run_details(plan, server))
    context = RunContext(crm, journal, record, run_id, plan, ui.stop_request)
    result = execute_run(job, ui, context, forecast)
    result = replace(result, started_at=started, rehearsal=True, notes=(limits(), *result.notes))
    context.stop.begin_report()
    _remove_earlier(job.report_path)
    options, situation = ReportOptions(job.report_path), Situation(commands)
    try:
        return report_outcome(refresh(plan, journal, record), journal, record, result, options, situation, context.stop)
    except KeyboardInterrupt as stop:
        raise RunStopped(_("The rehearsal was stopped without a report. Nothing reached the CRM.")) from stop


def limits() -> str:
    """Return what a rehearsal shows, and what it cannot prove."""
    return _(
        "Rehearsal: nothing reached the CRM. It shows that the sheet, the mapping and the attachments make cases of the"
        " right form. It cannot prove that the contacts, users, case types, priorities and statuses exist in your CRM,"
        " nor that the token may create cases."
    )


def _remove_earlier(path: Path) -> None:
    """Remove the report of an earlier rehearsal that no program has saved since: it holds no work, and nothing real."""
    with suppress(OSError):
        if report.is_never_saved(path):
            path.unlink()
