"""Imports on several machines: queued on a PostgreSQL journal, and carried on by whichever workers there are."""

from importer.machines.submission import ends_at
from importer.machines.submitting import Times, submit, withdraw
from importer.machines.working import WorkOptions, work

__all__ = ["Times", "WorkOptions", "ends_at", "submit", "withdraw", "work"]
