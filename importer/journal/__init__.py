"""The truth about every row: what was intended, what became of it, and which case it is.

One SQLite file in the user's data folder. Nothing else in the program speaks SQL.
"""

from importer.journal.adoptions import Adopted
from importer.journal.attempts import Concluded, Intent
from importer.journal.contact_attempts import ContactIntent
from importer.journal.contacts import EXISTING, ContactDoubt, ContactState, KnownContact, Operation
from importer.journal.copies import Problem
from importer.journal.doubts import Decision, Dispute, Doubt
from importer.journal.imports import ImportRecord
from importer.journal.journal import Journal, default_path
from importer.journal.leases import Attempt
from importer.journal.looking_on import look_at_journal
from importer.journal.mark import Marks
from importer.journal.rows import KnownRow
from importer.journal.runs import (
    RowChange,
    RunRecord,
    RunStart,
    SentCase,
    account_name,
    program_name,
    runs_of_sheet,
    this_time,
    user_name,
    working_as,
)
from importer.journal.standing import KnownImport, Standing
from importer.journal.storage import waiting_for_journal
from importer.journal.updates import RowEdit, UpdateIntent
from importer.journal.verifications import Verified
from importer.journal.watching import ImportState, RunWatch, imports_known, run_going_on, watch_run

__all__ = [
    "EXISTING",
    "Adopted",
    "Attempt",
    "Concluded",
    "ContactDoubt",
    "ContactIntent",
    "ContactState",
    "Decision",
    "Dispute",
    "Doubt",
    "ImportRecord",
    "ImportState",
    "Intent",
    "Journal",
    "KnownContact",
    "KnownImport",
    "KnownRow",
    "Marks",
    "Operation",
    "Problem",
    "RowChange",
    "RowEdit",
    "RunRecord",
    "RunStart",
    "RunWatch",
    "SentCase",
    "Standing",
    "UpdateIntent",
    "Verified",
    "account_name",
    "default_path",
    "imports_known",
    "look_at_journal",
    "program_name",
    "run_going_on",
    "runs_of_sheet",
    "this_time",
    "user_name",
    "waiting_for_journal",
    "watch_run",
    "working_as",
]
