"""Imports spreadsheet rows as cases into the wolkvox CRM, at most one case per row.

This is the public face (`docs/api.md`). A name is imported when first used, so that `--help` does not wait for pandas.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which would take a moment in which Ctrl-C shows a traceback
if TYPE_CHECKING:
    from importer.contacts import (
        ContactList,
        ContactsDone,
        ListedContact,
        ask_contacts,
        held_rows,
        list_contacts,
        quota_of,
        write_contacts_csv,
    )
    from importer.crm import Crm, ScriptedTransport
    from importer.doctor import (
        PROBES,
        CaseOptions,
        DoctorPrompts,
        Probe,
        ProbeBegan,
        ProbeEnded,
        TestCase,
        answers_in_words,
        ask_crm,
        known_findings,
        why_not_learnt,
        write_findings,
    )
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
    from importer.journal import (
        ImportState,
        RunRecord,
        RunWatch,
        account_name,
        imports_known,
        runs_of_sheet,
        this_time,
        waiting_for_journal,
        watch_run,
        working_as,
    )
    from importer.journal_place import Place, Server, parse_place
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
        Meaning,
        MissingColumn,
        NewValue,
        SheetColumn,
        ValueChoices,
        all_statuses,
        closed_statuses,
        fields_alike,
        load_mapping,
        load_mapping_text,
        meaning_of,
        open_statuses,
        says_nothing,
        texts_of,
        value_choices,
    )
    from importer.model import Counts, Issue, Outcome, Status
    from importer.model.account import LeftOut
    from importer.model.edits import Blocker, Change, LastUpdate, UpdateState
    from importer.model.proof import CaseProof, Difference, ProofCounts
    from importer.periods import Period
    from importer.pipeline import Preview, adopt, check, history, preview, rebuild_report, run
    from importer.proposing import Proposal, propose
    from importer.questions import Answer, Question, QuestionsOpen
    from importer.rehearsal import rehearse
    from importer.settings import Connection, allow_folder
    from importer.system.awake import keep_awake
    from importer.verification import Verification, verify
    from importer.workflow.contacts.settling import ContactsSettled
    from importer.workflow.correcting.correcting import SheetCorrections, corrected_copy, open_corrections
    from importer.workflow.correcting.earlier_cells import CellEdit, edits_of
    from importer.workflow.corrections import (
        Correction,
        CorrectionList,
        CorrectionOutcome,
        CorrectionState,
        EarlierCorrection,
        EarlierCorrections,
    )
    from importer.workflow.drafting.absent_files import (
        MISSING_FILE,
        AbsentFile,
        LikelyFolder,
        absent_files,
        likely_folders,
    )
    from importer.workflow.drafting.drafting import SheetSurvey, draft_mapping, survey_sheet, survey_table
    from importer.workflow.drafting.earlier_imports import ImportUse, earlier_imports, name_is_locked
    from importer.workflow.drafting.fitting import SheetFit, find_mappings, fit_mapping, fit_mappings
    from importer.workflow.drafting.source_facts import SourceFacts, look_at_source
    from importer.workflow.forecast.contact_needs import ContactForecast
    from importer.workflow.forecast.events import (
        AskingStarted,
        CaseUpdated,
        ContactAsked,
        Event,
        EventInterface,
        UpdatingStarted,
    )
    from importer.workflow.forecast.forecast import Forecast, UpdateForecast, UserInterface
    from importer.workflow.forecast.progress import Progress, ProgressMeter
    from importer.workflow.forecast.proposals import row_changes
    from importer.workflow.job import Job, LoadedJob, load_job
    from importer.workflow.jobs.adopting import Adoption
    from importer.workflow.jobs.review import (
        Review,
        ReviewedRow,
        SheetFile,
        case_link,
        cells_of_row,
        files_of_sheet,
        fresh_report,
        review,
    )
    from importer.workflow.jobs.settle_contacts import (
        ContactInDoubt,
        contacts_in_doubt,
        doubtful_contacts,
        settle_contact_by_hand,
        settle_contacts,
    )
    from importer.workflow.jobs.settle_job import ByHand, SettleJob
    from importer.workflow.outcome.contact_waits import ContactWaits
    from importer.workflow.outcome.outcome import Finished
    from importer.workflow.outcome.rejections import Rejection, Rejections, rejections
    from importer.workflow.outcome.skipped_rows import left_out_rows
    from importer.workflow.outcome.troubles import status_for
    from importer.workflow.planning.fixes import Fix, suggest_fixes
    from importer.workflow.planning.plan import Plan, PlannedRow
    from importer.workflow.settling.doubtful import OpenDoubt
    from importer.workflow.settling.settling import SettleResult
    from importer.workflow.tenant_facts import Findings
    from importer.workflow.verifying.events import VerifyEvent, VerifyEvents
    from importer.workflow.verifying.selecting import VerifyChoice, VerifyForecast

__all__ = [
    "MISSING_FILE",
    "PROBES",
    "AbsentFile",
    "Adoption",
    "AmbiguousColumn",
    "Answer",
    "AskingStarted",
    "Blocker",
    "ByHand",
    "CaseMapping",
    "CaseOptions",
    "CaseProof",
    "CaseUpdated",
    "CellEdit",
    "Change",
    "ColumnKind",
    "ColumnValue",
    "ColumnValues",
    "Connection",
    "ConnectionRefused",
    "ContactAsked",
    "ContactForecast",
    "ContactInDoubt",
    "ContactList",
    "ContactWaits",
    "ContactsDone",
    "ContactsSettled",
    "Correction",
    "CorrectionList",
    "CorrectionOutcome",
    "CorrectionState",
    "Counts",
    "Crm",
    "Difference",
    "DoctorPrompts",
    "EarlierCorrection",
    "EarlierCorrections",
    "Event",
    "EventInterface",
    "Findings",
    "Finished",
    "Fix",
    "Forecast",
    "ImportState",
    "ImportUse",
    "ImporterError",
    "Issue",
    "Job",
    "JournalError",
    "KeyCandidate",
    "LastUpdate",
    "LeftOut",
    "LikelyFolder",
    "ListedContact",
    "LoadedJob",
    "MappingChanged",
    "MappingEditor",
    "MappingError",
    "MappingFit",
    "MatchField",
    "MatchModel",
    "Meaning",
    "MissingColumn",
    "NewValue",
    "OpenDoubt",
    "Outcome",
    "Period",
    "Place",
    "Plan",
    "PlannedRow",
    "Preview",
    "Probe",
    "ProbeBegan",
    "ProbeEnded",
    "Progress",
    "ProgressMeter",
    "ProofCounts",
    "Proposal",
    "Question",
    "QuestionsOpen",
    "Rejection",
    "Rejections",
    "ReportError",
    "Review",
    "ReviewedRow",
    "RunRecord",
    "RunStopped",
    "RunWatch",
    "ScriptedTransport",
    "Server",
    "ServerUnreachable",
    "SettingsError",
    "SettleJob",
    "SettleResult",
    "SheetColumn",
    "SheetCorrections",
    "SheetFile",
    "SheetFit",
    "SheetSurvey",
    "SourceError",
    "SourceFacts",
    "StartRefused",
    "Status",
    "TestCase",
    "UpdateForecast",
    "UpdateState",
    "UpdatingStarted",
    "UsageError",
    "UserInterface",
    "ValueChoices",
    "Verification",
    "VerifyChoice",
    "VerifyEvent",
    "VerifyEvents",
    "VerifyForecast",
    "absent_files",
    "account_name",
    "adopt",
    "all_statuses",
    "allow_folder",
    "answers_in_words",
    "ask_contacts",
    "ask_crm",
    "case_link",
    "cells_of_row",
    "check",
    "closed_statuses",
    "contacts_in_doubt",
    "corrected_copy",
    "doubtful_contacts",
    "draft_mapping",
    "earlier_imports",
    "edits_of",
    "fields_alike",
    "files_of_sheet",
    "find_mappings",
    "fit_mapping",
    "fit_mappings",
    "fresh_report",
    "held_rows",
    "history",
    "imports_known",
    "keep_awake",
    "known_findings",
    "left_out_rows",
    "likely_folders",
    "list_contacts",
    "load_job",
    "load_mapping",
    "load_mapping_text",
    "look_at_source",
    "meaning_of",
    "name_is_locked",
    "open_corrections",
    "open_statuses",
    "parse_place",
    "preview",
    "propose",
    "quota_of",
    "rebuild_report",
    "rehearse",
    "rejections",
    "review",
    "row_changes",
    "run",
    "runs_of_sheet",
    "says_nothing",
    "settle_contact_by_hand",
    "settle_contacts",
    "status_for",
    "suggest_fixes",
    "survey_sheet",
    "survey_table",
    "texts_of",
    "this_time",
    "value_choices",
    "verify",
    "waiting_for_journal",
    "watch_run",
    "why_not_learnt",
    "working_as",
    "write_contacts_csv",
    "write_findings",
]


def __getattr__(name: str) -> object:
    """Import a name of the face when it is first used."""
    from importlib import import_module  # noqa: PLC0415 - as above

    from importer.face import HOME  # noqa: PLC0415

    if name in HOME:
        return getattr(import_module(f"importer.{HOME[name]}"), name)
    raise AttributeError(f"module 'importer' has no attribute '{name}'")
