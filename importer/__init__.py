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
        MappingChanged,
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
    from importer.mapping import (
        AmbiguousColumn,
        CaseMapping,
        ColumnKind,
        ColumnValue,
        ColumnValues,
        KeyCandidate,
        MappingEditor,
        MappingFit,
        MatchField,
        MatchModel,
        MissingColumn,
        NewValue,
        SheetColumn,
        load_mapping,
        load_mapping_text,
    )
    from importer.model import Counts, Issue, Outcome, Status
    from importer.pipeline import Preview, adopt, check, history, preview, rebuild_report, run
    from importer.questions import Question, QuestionsOpen
    from importer.settings import Connection
    from importer.workflow.adopting import Adoption
    from importer.workflow.corrections import Correction, suggest_corrections
    from importer.workflow.drafting import SheetSurvey, draft_mapping, survey_sheet, survey_table
    from importer.workflow.earlier_imports import ImportUse, earlier_imports, name_is_locked
    from importer.workflow.events import Event, EventInterface
    from importer.workflow.fitting import SheetFit, find_mappings, fit_mapping, fit_mappings
    from importer.workflow.forecast import Forecast, UserInterface
    from importer.workflow.job import Job, LoadedJob, load_job
    from importer.workflow.outcome import Finished
    from importer.workflow.plan import Plan, PlannedRow
    from importer.workflow.settle_job import ByHand, SettleJob
    from importer.workflow.settling import SettleResult

_HOME = {
    "Adoption": "workflow.adopting",
    "AmbiguousColumn": "mapping",
    "ByHand": "workflow.settle_job",
    "CaseMapping": "mapping",
    "ColumnKind": "mapping",
    "ColumnValue": "mapping",
    "ColumnValues": "mapping",
    "Connection": "settings",
    "ConnectionRefused": "errors",
    "Correction": "workflow.corrections",
    "Counts": "model",
    "Crm": "crm",
    "Event": "workflow.events",
    "EventInterface": "workflow.events",
    "Finished": "workflow.outcome",
    "Forecast": "workflow.forecast",
    "ImportUse": "workflow.earlier_imports",
    "ImporterError": "errors",
    "Issue": "model",
    "Job": "workflow.job",
    "JournalError": "errors",
    "KeyCandidate": "mapping",
    "LoadedJob": "workflow.job",
    "MappingChanged": "errors",
    "MappingEditor": "mapping",
    "MappingError": "errors",
    "MappingFit": "mapping",
    "MatchField": "mapping",
    "MatchModel": "mapping",
    "MissingColumn": "mapping",
    "NewValue": "mapping",
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
    "SheetColumn": "mapping",
    "SheetFit": "workflow.fitting",
    "SheetSurvey": "workflow.drafting",
    "SourceError": "errors",
    "StartRefused": "errors",
    "Status": "model",
    "UsageError": "errors",
    "UserInterface": "workflow.forecast",
    "adopt": "pipeline",
    "check": "pipeline",
    "draft_mapping": "workflow.drafting",
    "earlier_imports": "workflow.earlier_imports",
    "find_mappings": "workflow.fitting",
    "fit_mapping": "workflow.fitting",
    "fit_mappings": "workflow.fitting",
    "history": "pipeline",
    "load_job": "workflow.job",
    "load_mapping": "mapping",
    "load_mapping_text": "mapping",
    "name_is_locked": "workflow.earlier_imports",
    "preview": "pipeline",
    "rebuild_report": "pipeline",
    "run": "pipeline",
    "suggest_corrections": "workflow.corrections",
    "survey_sheet": "workflow.drafting",
    "survey_table": "workflow.drafting",
}

__all__ = [
    "Adoption",
    "AmbiguousColumn",
    "ByHand",
    "CaseMapping",
    "ColumnKind",
    "ColumnValue",
    "ColumnValues",
    "Connection",
    "ConnectionRefused",
    "Correction",
    "Counts",
    "Crm",
    "Event",
    "EventInterface",
    "Finished",
    "Forecast",
    "ImportUse",
    "ImporterError",
    "Issue",
    "Job",
    "JournalError",
    "KeyCandidate",
    "LoadedJob",
    "MappingChanged",
    "MappingEditor",
    "MappingError",
    "MappingFit",
    "MatchField",
    "MatchModel",
    "MissingColumn",
    "NewValue",
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
    "SheetColumn",
    "SheetFit",
    "SheetSurvey",
    "SourceError",
    "StartRefused",
    "Status",
    "UsageError",
    "UserInterface",
    "adopt",
    "check",
    "draft_mapping",
    "earlier_imports",
    "find_mappings",
    "fit_mapping",
    "fit_mappings",
    "history",
    "load_job",
    "load_mapping",
    "load_mapping_text",
    "name_is_locked",
    "preview",
    "rebuild_report",
    "run",
    "suggest_corrections",
    "survey_sheet",
    "survey_table",
]


def __getattr__(name: str) -> object:
    """Import a name of the face when it is first used."""
    from importlib import import_module  # noqa: PLC0415 - as above

    if name not in _HOME:
        raise AttributeError(f"module 'importer' has no attribute '{name}'")
    return getattr(import_module(f"importer.{_HOME[name]}"), name)
