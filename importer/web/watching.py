"""What the journal tells of a sheet's import: a run in another program, one that was interrupted, the quota's hour."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from importer import Counts, ImporterError, ImportState, RunWatch, imports_known, watch_run

if TYPE_CHECKING:
    from importer.web.office import OpenSheet


@dataclass(frozen=True, slots=True)
class Watched:
    """The import of a sheet as the journal knows it, None where it knows none; and the run of it that goes on.

    `is_of_sheet` means that the last run was of this very sheet, not of another week's.
    """

    known: ImportState | None = None
    run: RunWatch | None = None
    is_of_sheet: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether it is being sent now: by another program, or from another sheet."""
        return self.run is not None and self.run.going_on

    @property
    def was_interrupted(self) -> bool:
        """Whether the sheet's last run ended without its report: the program was killed, or the computer went off."""
        return self.known is not None and self.known.interrupted and self.is_of_sheet and not self.goes_on

    @property
    def was_stopped(self) -> bool:
        """Whether the sheet's last run was paused, or sent only the first rows."""
        return self.is_of_sheet and self.known is not None and stopped_early(self.known.last_run)

    @property
    def quota_until(self) -> datetime | None:
        """Until when the import is paused for the quota, None if it is not."""
        return self.known.quota_until if self.known else None


_STOPPED = 3
"""The exit status of a run that ended while rows were left to send."""


def stopped_early(run: RunWatch | None) -> bool:
    """Tell whether a run has ended while rows were left to send: paused, or meant for the first rows only."""
    return run is not None and run.record.ended_at is not None and run.record.exit_status == _STOPPED


def goes_on(counts: Counts) -> bool:
    """Tell whether a sheet is partly sent; one with none of its rows sent is another week's under the same name."""
    return counts.planned > 0 and counts.created > 0


def watched(sheet: OpenSheet) -> Watched:
    """Return what the journal knows of a sheet's import; nothing where it cannot be read, which a run will say."""
    known = None
    with suppress(ImporterError):
        known = _import_of(sheet)
    last = known.last_run if known else None
    is_of_sheet = last is not None and last.record.start.source == str(sheet.source.absolute())
    return Watched(known, known.running if known else None, is_of_sheet)


def watched_again(sheet: OpenSheet, seen: Watched) -> Watched:
    """Return what the journal knows by now of the run that was watched."""
    if seen.run is None:
        return seen
    try:
        run = watch_run(sheet.job.journal_path, seen.run.record.id)
    except ImporterError:
        run = None
    return replace(seen, run=run)


def _import_of(sheet: OpenSheet) -> ImportState | None:
    """Return the import to which the sheet's rows belong, by what the last check of it found."""
    checked = sheet.checker.now().value
    if checked is None:
        return None
    scope = checked.plan.scope
    named = [one for one in imports_known(sheet.job.journal_path) if one.import_name == scope.import_name]
    here = [one for one in named if (one.tenant, one.operation) == (scope.tenant, scope.operation)]
    if here or scope.tenant:
        return here[0] if here else None
    return named[0] if len(named) == 1 else None
