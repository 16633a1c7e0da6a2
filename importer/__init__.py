"""Imports spreadsheet rows as cases into the wolkvox CRM, at most one case per row.

This is the public face: what a script or a page needs, and no more; `docs/api.md` shows how it is used. A name is
imported when it is first used, so that `case-importer --help` does not wait for pandas.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which would take a moment in which Ctrl-C shows a traceback
if TYPE_CHECKING:
    from importer.awake import keep_awake
    from importer.crm import Crm, ScriptedTransport
    from importer.errors import (
        ConnectionRefused,
        ImporterError,
        JournalError,
        MappingError,
        ReportError,
        RunStopped,
        ServerUnreachable,
        SettingsError,
        SourceError,
        StartRefused,
        UsageError,
    )
    from importer.journal import ImportState, RunRecord, RunWatch, imports_known, watch_run
    from importer.mapping import CaseMapping, load_mapping
    from importer.model import Counts, Issue, Outcome, Status
    from importer.pipeline import Preview, adopt, check, history, preview, rebuild_report, run
    from importer.proposing import Proposal, propose
    from importer.questions import Answer, Question, QuestionsOpen
    from importer.rehearsal import rehearse
    from importer.settings import Connection
    from importer.workflow.adopting import Adoption
    from importer.workflow.corrections import Correction, suggest_corrections
    from importer.workflow.doubtful import OpenDoubt
    from importer.workflow.events import Event, EventInterface
    from importer.workflow.forecast import Forecast, UserInterface
    from importer.workflow.job import Job, LoadedJob, load_job
    from importer.workflow.outcome import Finished
    from importer.workflow.plan import Plan, PlannedRow
    from importer.workflow.progress import Progress, ProgressMeter
    from importer.workflow.settle_job import ByHand, SettleJob
    from importer.workflow.settling import SettleResult

_HOME = {
    "Adoption": "workflow.adopting",
    "Answer": "questions",
    "ByHand": "workflow.settle_job",
    "CaseMapping": "mapping",
    "Connection": "settings",
    "ConnectionRefused": "errors",
    "Correction": "workflow.corrections",
    "Counts": "model",
    "Crm": "crm",
    "Event": "workflow.events",
    "EventInterface": "workflow.events",
    "Finished": "workflow.outcome",
    "Forecast": "workflow.forecast",
    "ImportState": "journal",
    "ImporterError": "errors",
    "Issue": "model",
    "Job": "workflow.job",
    "JournalError": "errors",
    "LoadedJob": "workflow.job",
    "MappingError": "errors",
    "OpenDoubt": "workflow.doubtful",
    "Outcome": "model",
    "Plan": "workflow.plan",
    "PlannedRow": "workflow.plan",
    "Preview": "pipeline",
    "Progress": "workflow.progress",
    "ProgressMeter": "workflow.progress",
    "Proposal": "proposing",
    "Question": "questions",
    "QuestionsOpen": "questions",
    "ReportError": "errors",
    "RunRecord": "journal",
    "RunStopped": "errors",
    "RunWatch": "journal",
    "ScriptedTransport": "crm",
    "ServerUnreachable": "errors",
    "SettingsError": "errors",
    "SettleJob": "workflow.settle_job",
    "SettleResult": "workflow.settling",
    "SourceError": "errors",
    "StartRefused": "errors",
    "Status": "model",
    "UsageError": "errors",
    "UserInterface": "workflow.forecast",
    "adopt": "pipeline",
    "check": "pipeline",
    "history": "pipeline",
    "imports_known": "journal",
    "keep_awake": "awake",
    "load_job": "workflow.job",
    "load_mapping": "mapping",
    "preview": "pipeline",
    "propose": "proposing",
    "rebuild_report": "pipeline",
    "rehearse": "rehearsal",
    "run": "pipeline",
    "suggest_corrections": "workflow.corrections",
    "watch_run": "journal",
}

__all__ = [
    "Adoption",
    "Answer",
    "ByHand",
    "CaseMapping",
    "Connection",
    "ConnectionRefused",
    "Correction",
    "Counts",
    "Crm",
    "Event",
    "EventInterface",
    "Finished",
    "Forecast",
    "ImportState",
    "ImporterError",
    "Issue",
    "Job",
    "JournalError",
    "LoadedJob",
    "MappingError",
    "OpenDoubt",
    "Outcome",
    "Plan",
    "PlannedRow",
    "Preview",
    "Progress",
    "ProgressMeter",
    "Proposal",
    "Question",
    "QuestionsOpen",
    "ReportError",
    "RunRecord",
    "RunStopped",
    "RunWatch",
    "ScriptedTransport",
    "ServerUnreachable",
    "SettingsError",
    "SettleJob",
    "SettleResult",
    "SourceError",
    "StartRefused",
    "Status",
    "UsageError",
    "UserInterface",
    "adopt",
    "check",
    "history",
    "imports_known",
    "keep_awake",
    "load_job",
    "load_mapping",
    "preview",
    "propose",
    "rebuild_report",
    "rehearse",
    "run",
    "suggest_corrections",
    "watch_run",
]


def __getattr__(name: str) -> object:
    """Import a name of the face when it is first used."""
    from importlib import import_module  # noqa: PLC0415 - as above

    if name not in _HOME:
        raise AttributeError(f"module 'importer' has no attribute '{name}'")
    return getattr(import_module(f"importer.{_HOME[name]}"), name)
