"""What a run checks, asks or refuses before it sends anything."""

from importer.workflow.guards.consent import (
    agreed,
    ask_for_folders,
    ask_for_server,
    forecast_questions,
    remember,
    remember_same,
    server_questions,
)
from importer.workflow.guards.journal import accept_journal, journal_questions, note_adopted, refuse_without_looking
from importer.workflow.guards.other_imports import other_import_questions, overlap_questions
from importer.workflow.guards.second_start import (
    as_joined,
    ask_without_spot_check,
    find_import,
    first_run_questions,
    join_imports,
    refuse_other_file,
    refuse_short_quiet_period,
    same_tickets_questions,
    spot_check_questions,
)
from importer.workflow.guards.witnesses import refuse_unknown_ids, reports_beside

__all__ = [
    "accept_journal",
    "agreed",
    "as_joined",
    "ask_for_folders",
    "ask_for_server",
    "ask_without_spot_check",
    "find_import",
    "first_run_questions",
    "forecast_questions",
    "join_imports",
    "journal_questions",
    "note_adopted",
    "other_import_questions",
    "overlap_questions",
    "refuse_other_file",
    "refuse_short_quiet_period",
    "refuse_unknown_ids",
    "refuse_without_looking",
    "remember",
    "remember_same",
    "reports_beside",
    "same_tickets_questions",
    "server_questions",
    "spot_check_questions",
]
