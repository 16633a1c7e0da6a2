"""Imports spreadsheet rows as cases into the wolkvox CRM, at most one case per row.

This is the public face: what a script or a page needs, and no more; `docs/api.md` shows how it is used. A name is
imported when it is first used, so that `case-importer --help` does not wait for pandas.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which would take a moment in which Ctrl-C shows a traceback
if TYPE_CHECKING:
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
    from importer.journal import RunRecord
    from importer.mapping import CaseMapping, load_mapping
    from importer.model import Counts, Issue, Outcome, Status
    from importer.pipeline import Preview, adopt, check, history, preview, rebuild_report, run
    from importer.questions import Question, QuestionsOpen
    from importer.settings import Connection
    from importer.workflow.adopting import Adoption
    from importer.workflow.correcting import SheetCorrections, corrected_copy, open_corrections
    from importer.workflow.corrections import Correction, CorrectionList, CorrectionOutcome, CorrectionState
    from importer.workflow.events import Event, EventInterface
    from importer.workflow.fixes import Fix, suggest_fixes
    from importer.workflow.forecast import Forecast, UserInterface
    from importer.workflow.job import Job, LoadedJob, load_job
    from importer.workflow.outcome import Finished
    from importer.workflow.plan import Plan, PlannedRow
    from importer.workflow.settle_job import ByHand, SettleJob
    from importer.workflow.settling import SettleResult

_HOME = {
    "Adoption": "workflow.adopting",
    "ByHand": "workflow.settle_job",
    "CaseMapping": "mapping",
    "Connection": "settings",
    "ConnectionRefused": "errors",
    "Correction": "workflow.corrections",
    "CorrectionList": "workflow.corrections",
    "CorrectionOutcome": "workflow.corrections",
    "CorrectionState": "workflow.corrections",
    "Counts": "model",
    "Crm": "crm",
    "Event": "workflow.events",
    "EventInterface": "workflow.events",
    "Finished": "workflow.outcome",
    "Fix": "workflow.fixes",
    "Forecast": "workflow.forecast",
    "ImporterError": "errors",
    "Issue": "model",
    "Job": "workflow.job",
    "JournalError": "errors",
    "LoadedJob": "workflow.job",
    "MappingError": "errors",
    "Outcome": "model",
    "Plan": "workflow.plan",
    "PlannedRow": "workflow.plan",
    "Preview": "pipeline",
    "Question": "questions",
    "QuestionsOpen": "questions",
    "ReportError": "errors",
    "RunRecord": "journal",
    "RunStopped": "errors",
    "ScriptedTransport": "crm",
    "ServerUnreachable": "errors",
    "SettingsError": "errors",
    "SettleJob": "workflow.settle_job",
    "SettleResult": "workflow.settling",
    "SheetCorrections": "workflow.correcting",
    "SourceError": "errors",
    "StartRefused": "errors",
    "Status": "model",
    "UsageError": "errors",
    "UserInterface": "workflow.forecast",
    "adopt": "pipeline",
    "check": "pipeline",
    "corrected_copy": "workflow.correcting",
    "history": "pipeline",
    "load_job": "workflow.job",
    "load_mapping": "mapping",
    "open_corrections": "workflow.correcting",
    "preview": "pipeline",
    "rebuild_report": "pipeline",
    "run": "pipeline",
    "suggest_fixes": "workflow.fixes",
}

__all__ = [
    "Adoption",
    "ByHand",
    "CaseMapping",
    "Connection",
    "ConnectionRefused",
    "Correction",
    "CorrectionList",
    "CorrectionOutcome",
    "CorrectionState",
    "Counts",
    "Crm",
    "Event",
    "EventInterface",
    "Finished",
    "Fix",
    "Forecast",
    "ImporterError",
    "Issue",
    "Job",
    "JournalError",
    "LoadedJob",
    "MappingError",
    "Outcome",
    "Plan",
    "PlannedRow",
    "Preview",
    "Question",
    "QuestionsOpen",
    "ReportError",
    "RunRecord",
    "RunStopped",
    "ScriptedTransport",
    "ServerUnreachable",
    "SettingsError",
    "SettleJob",
    "SettleResult",
    "SheetCorrections",
    "SourceError",
    "StartRefused",
    "Status",
    "UsageError",
    "UserInterface",
    "adopt",
    "check",
    "corrected_copy",
    "history",
    "load_job",
    "load_mapping",
    "open_corrections",
    "preview",
    "rebuild_report",
    "run",
    "suggest_fixes",
]


def __getattr__(name: str) -> object:
    """Import a name of the face when it is first used."""
    from importlib import import_module  # noqa: PLC0415 - as above

    if name not in _HOME:
        raise AttributeError(f"module 'importer' has no attribute '{name}'")
    return getattr(import_module(f"importer.{_HOME[name]}"), name)
