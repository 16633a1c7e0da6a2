"""Where each name of the public face is: `import importer` imports it from there when it is first used."""

from __future__ import annotations

_NAMES = {
    "awake": "keep_awake",
    "contacts": (
        "ContactList ContactsDone ListedContact ask_contacts held_rows list_contacts quota_of write_contacts_csv"
    ),
    "crm": "Crm ScriptedTransport",
    "doctor": (
        "PROBES CaseOptions DoctorPrompts Probe ProbeBegan ProbeEnded TestCase answers_in_words ask_crm known_findings "
        "why_not_learnt write_findings"
    ),
    "edits": "Blocker Change LastUpdate UpdateState",
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
    "proof": "CaseProof Difference ProofCounts",
    "proposing": "Proposal propose",
    "questions": "Answer Question QuestionsOpen",
    "rehearsal": "rehearse",
    "settings": "Connection allow_folder",
    "verification": "Verification verify",
    "workflow.absent_files": "AbsentFile LikelyFolder MISSING_FILE absent_files likely_folders",
    "workflow.adopting": "Adoption",
    "workflow.contact_needs": "ContactForecast",
    "workflow.contact_waits": "ContactWaits",
    "workflow.contacts.settling": "ContactsSettled",
    "workflow.correcting": "SheetCorrections corrected_copy open_corrections",
    "workflow.corrections": (
        "Correction CorrectionList CorrectionOutcome CorrectionState EarlierCorrection EarlierCorrections"
    ),
    "workflow.doubtful": "OpenDoubt",
    "workflow.drafting": "SheetSurvey draft_mapping survey_sheet survey_table",
    "workflow.earlier_imports": "ImportUse earlier_imports name_is_locked",
    "workflow.events": "AskingStarted CaseUpdated ContactAsked Event EventInterface UpdatingStarted",
    "workflow.fitting": "SheetFit find_mappings fit_mapping fit_mappings",
    "workflow.fixes": "Fix suggest_fixes",
    "workflow.forecast": "Forecast UpdateForecast UserInterface",
    "workflow.job": "Job LoadedJob load_job",
    "workflow.outcome": "Finished",
    "workflow.plan": "Plan PlannedRow",
    "workflow.progress": "Progress ProgressMeter",
    "account": "LeftOut",
    "workflow.skipped_rows": "left_out_rows",
    "workflow.review": ("Review ReviewedRow SheetFile case_link cells_of_row files_of_sheet fresh_report review"),
    "workflow.settle_contacts": (
        "ContactInDoubt contacts_in_doubt doubtful_contacts settle_contact_by_hand settle_contacts"
    ),
    "workflow.settle_job": "ByHand SettleJob",
    "workflow.settling": "SettleResult",
    "workflow.source_facts": "SourceFacts look_at_source",
    "workflow.tenant_facts": "Findings",
    "workflow.verifying.events": "VerifyEvent VerifyEvents",
    "workflow.verifying.selecting": "VerifyChoice VerifyForecast",
    "workflow.proposals": "row_changes",
    "workflow.troubles": "status_for",
    "workflow.rejections": "Rejection Rejections rejections",
    "workflow.earlier_cells": "CellEdit edits_of",
}
"""What each module gives to the face."""

HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
