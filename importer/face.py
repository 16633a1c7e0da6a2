"""Where each name of the public face is: `import importer` imports it from there when it is first used."""

from __future__ import annotations

_NAMES = {
    "system.awake": "keep_awake",
    "contacts": (
        "ContactList ContactsDone ListedContact ask_contacts held_rows list_contacts quota_of write_contacts_csv"
    ),
    "crm": "Crm ScriptedTransport",
    "doctor": (
        "PROBES CaseOptions DoctorPrompts Probe ProbeBegan ProbeEnded TestCase answers_in_words ask_crm known_findings "
        "why_not_learnt write_findings"
    ),
    "model.edits": "Blocker Change LastUpdate UpdateState",
    "errors": (
        "ConnectionRefused ImporterError JournalError MappingChanged MappingError ReportError RunStopped "
        "ServerUnreachable SettingsError SourceError StartRefused UsageError"
    ),
    "journal": (
        "ImportState RunRecord RunWatch account_name imports_known runs_of_sheet this_time waiting_for_journal"
        " watch_run working_as"
    ),
    "journal_place": "Place Server parse_place",
    "mapping": (
        "AmbiguousColumn CaseMapping ColumnKind ColumnValue ColumnValues KeyCandidate MappingEditor "
        "MappingFit MatchField MatchModel Meaning MissingColumn NewValue SheetColumn ValueChoices "
        "all_statuses closed_statuses fields_alike load_mapping load_mapping_text meaning_of "
        "open_statuses says_nothing texts_of value_choices"
    ),
    "model": "Counts Issue Outcome Status",
    "periods": "Period",
    "pipeline": "Preview adopt check history preview rebuild_report run",
    "model.proof": "CaseProof Difference ProofCounts",
    "proposing": "Proposal propose",
    "questions": "Answer Question QuestionsOpen",
    "rehearsal": "rehearse",
    "settings": "Connection allow_folder",
    "verification": "Verification verify",
    "workflow.drafting.absent_files": "AbsentFile LikelyFolder MISSING_FILE absent_files likely_folders",
    "workflow.jobs.adopting": "Adoption",
    "workflow.forecast.contact_needs": "ContactForecast",
    "workflow.outcome.contact_waits": "ContactWaits",
    "workflow.contacts.settling": "ContactsSettled",
    "workflow.correcting.correcting": "SheetCorrections corrected_copy open_corrections",
    "workflow.corrections": (
        "Correction CorrectionList CorrectionOutcome CorrectionState EarlierCorrection EarlierCorrections"
    ),
    "workflow.settling.doubtful": "OpenDoubt",
    "workflow.drafting.drafting": "SheetSurvey draft_mapping survey_sheet survey_table",
    "workflow.drafting.earlier_imports": "ImportUse earlier_imports name_is_locked",
    "workflow.forecast.events": "AskingStarted CaseUpdated ContactAsked Event EventInterface UpdatingStarted",
    "workflow.drafting.fitting": "SheetFit find_mappings fit_mapping fit_mappings",
    "workflow.planning.fixes": "Fix suggest_fixes",
    "workflow.forecast.forecast": "Forecast UpdateForecast UserInterface",
    "workflow.job": "Job LoadedJob load_job",
    "workflow.outcome.outcome": "Finished",
    "workflow.planning.plan": "Plan PlannedRow",
    "workflow.forecast.progress": "Progress ProgressMeter",
    "model.account": "LeftOut",
    "workflow.outcome.skipped_rows": "left_out_rows",
    "workflow.jobs.review": ("Review ReviewedRow SheetFile case_link cells_of_row files_of_sheet fresh_report review"),
    "workflow.jobs.settle_contacts": (
        "ContactInDoubt contacts_in_doubt doubtful_contacts settle_contact_by_hand settle_contacts"
    ),
    "workflow.jobs.settle_job": "ByHand SettleJob",
    "workflow.settling.settling": "SettleResult",
    "workflow.drafting.source_facts": "SourceFacts look_at_source",
    "workflow.tenant_facts": "Findings",
    "workflow.verifying.events": "VerifyEvent VerifyEvents",
    "workflow.verifying.selecting": "VerifyChoice VerifyForecast",
    "workflow.forecast.proposals": "row_changes",
    "workflow.outcome.troubles": "status_for",
    "workflow.outcome.rejections": "Rejection Rejections rejections",
    "workflow.correcting.earlier_cells": "CellEdit edits_of",
}
"""What each module gives to the face."""

HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
