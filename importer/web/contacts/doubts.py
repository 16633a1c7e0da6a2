"""The contacts of which nobody knows whether they were created, for the page Decide."""

from __future__ import annotations

from collections.abc import Sequence

from importer import ContactInDoubt, SettleJob, UsageError, doubtful_contacts, waiting_for_journal
from importer.web.page import JOURNAL_PATIENCE


def contacts_to_decide(job: SettleJob) -> Sequence[ContactInDoubt]:
    """Return the contacts that a person may decide about; none where nothing was sent yet."""
    try:
        with waiting_for_journal(JOURNAL_PATIENCE):
            return doubtful_contacts(job)
    except UsageError:
        return ()
