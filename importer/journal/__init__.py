"""The truth about every row: what was intended, what became of it, and which case it is.

One SQLite file in the user's data folder, or a PostgreSQL database. Nothing else in the program speaks SQL.
"""

from importer.journal.adoptions import Adopted
from importer.journal.attempts import Concluded, Intent
from importer.journal.contact_attempts import ContactIntent
from importer.journal.contacts import EXISTING, ContactDoubt, ContactState, KnownContact, Operation
from importer.journal.contents import RecordedContent
from importer.journal.copies import Problem
from importer.journal.doubts import Decision, Dispute, Doubt
from importer.journal.imports import ImportRecord
from importer.journal.journal import Journal, default_path
from importer.journal.leases import OWNER, Attempt
from importer.journal.looking_on import look_at_journal
from importer.journal.mark import Marks, state_path
from importer.journal.postgres_connection import connect as connect_to_server
from importer.journal.postgres_connection import conninfo_of
from importer.journal.postgres_words import explain as explain_server_error
from importer.journal.postgres_words import no_right_to_create, require_driver
from importer.journal.purging import Forgotten
from importer.journal.queue import LEASE, ImportQueue
from importer.journal.queued import (
    ImportHolder,
    MachineAtWork,
    QueuedImport,
    QueueState,
    RunPause,
    Share,
    ShareCounts,
    Submission,
)
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
from importer.journal.slots import HeldSlot, NoSlot, TokenPace, TokenSlots
from importer.journal.standing import KnownImport, Standing
from importer.journal.storage import waiting_for_journal
from importer.journal.updates import RowEdit, UpdateIntent
from importer.journal.verifications import Verified
from importer.journal.watching import (
    ImportState,
    QueueWatch,
    RunWatch,
    imports_known,
    run_going_on,
    watch_queue,
    watch_run,
)

__all__ = [
    "EXISTING",
    "LEASE",
    "OWNER",
    "Adopted",
    "Attempt",
    "Concluded",
    "ContactDoubt",
    "ContactIntent",
    "ContactState",
    "Decision",
    "Dispute",
    "Doubt",
    "Forgotten",
    "HeldSlot",
    "ImportHolder",
    "ImportQueue",
    "ImportRecord",
    "ImportState",
    "Intent",
    "Journal",
    "KnownContact",
    "KnownImport",
    "KnownRow",
    "MachineAtWork",
    "Marks",
    "NoSlot",
    "Operation",
    "Problem",
    "QueueState",
    "QueueWatch",
    "QueuedImport",
    "RecordedContent",
    "RowChange",
    "RowEdit",
    "RunPause",
    "RunRecord",
    "RunStart",
    "RunWatch",
    "SentCase",
    "Share",
    "ShareCounts",
    "Standing",
    "Submission",
    "TokenPace",
    "TokenSlots",
    "UpdateIntent",
    "Verified",
    "account_name",
    "connect_to_server",
    "conninfo_of",
    "default_path",
    "explain_server_error",
    "imports_known",
    "look_at_journal",
    "no_right_to_create",
    "program_name",
    "require_driver",
    "run_going_on",
    "runs_of_sheet",
    "state_path",
    "this_time",
    "user_name",
    "waiting_for_journal",
    "watch_queue",
    "watch_run",
    "working_as",
]
