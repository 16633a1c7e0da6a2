"""The runs that the journal knows, as several pages list them."""

from __future__ import annotations

from collections.abc import Iterable

from importer import RunRecord, RunWatch, UsageError, history, waiting_for_journal, watch_run
from importer.journal_place import Place
from importer.messages import _, ngettext
from importer.web.page import JOURNAL_PATIENCE
from importer.web.send.sending import FIRST_FEW


def runs_of(journal: Place) -> list[RunRecord]:
    """Return all runs, the newest first; none before the first."""
    try:
        with waiting_for_journal(JOURNAL_PATIENCE):
            return history(journal)
    except UsageError:
        return []


def how_they_ended(journal: Place, runs: Iterable[RunRecord]) -> dict[int, str]:
    """Return in words how each run ended, by its number."""
    return {run.id: _ended(run) if run.ended_at else _without_end(watch_run(journal, run.id)) for run in runs}


def _ended(run: RunRecord) -> str:
    return {
        0: _("Finished."),
        1: _("Finished; some rows are to be corrected."),
        2: _("Did not start."),
        3: _only_the_first(run) or _("Ended; some rows are still to be sent."),
        4: _("Finished; some rows are to be confirmed."),
        5: _("Stopped: the connection to the CRM needs fixing."),
    }.get(run.exit_status or 0, _("Stopped by an error in the program."))


def _only_the_first(run: RunRecord) -> str:
    """Return that the first rows were sent, if that is what a person asked for; empty for other runs."""
    counts = run.counts
    if counts is None or not counts.created_now == counts.created == FIRST_FEW:
        return ""
    return ngettext(
        "The first {first} were sent; {count} row is still to be sent.",
        "The first {first} were sent; {count} rows are still to be sent.",
        counts.planned,
        first=FIRST_FEW,
    )


def _without_end(watch: RunWatch | None) -> str:
    if watch is not None and watch.interrupted:
        return _("Interrupted; what is left can be sent.")
    return (
        _("Being sent.")
        if watch is not None and watch.lives
        else _("Not finished: it was interrupted, or is still being sent.")
    )
