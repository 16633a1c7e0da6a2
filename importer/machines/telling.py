"""What a worker tells another program (`work --notify`): that a run has ended, and that one did not begin in time.

The command is the worker's own and never in the queue: who may write to the journal could start programs on all
machines otherwise. Each notice is recorded before it is told, in one statement that only one machine carries out: it is
told at most once, and not at all where the machine dies right then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from importer.errors import ImporterError
from importer.journal import Journal, QueuedImport, QueueState
from importer.journal_place import Place
from importer.machines.heartbeat import Heartbeat
from importer.machines.schedule import last_start, last_time
from importer.mapping import load_mapping
from importer.messages import _
from importer.notices import deliver
from importer.system.clock import local_datetime
from importer.system.stopping import Stop
from importer.workflow.jobs.expecting import Expected, not_started
from importer.workflow.outcome.outcome import Finished
from importer.workflow.outcome.run_notices import ended

_LOOK = 30.0
"""Seconds between two looks for imports that have not begun in time."""


@dataclass(frozen=True, slots=True)
class Teller:
    """The command that a worker starts to tell of something; without one it tells nothing."""

    command: str | None = None
    say: Callable[[str], None] = lambda _sentence: None

    def ended(self, queued: QueuedImport, finished: Finished | None, exit_status: int) -> None:
        """Tell that a run has ended, or, without `finished`, that it could not begin."""
        if self.command is not None:
            self._tell(queued, ended(_import_name(queued), finished, exit_status))

    def late_starts(self, journal: Journal) -> None:
        """Tell of each import that has not begun by its time, once a day; nobody has told of it before."""
        at = local_datetime(journal.clock.wall())
        for queued in journal.queue.expected():
            missed = missed_start(queued, at)
            if missed is not None and journal.queue.note_late(queued.id, missed[1].timestamp()):
                self._tell(queued, not_started(Expected(_import_name(queued), *missed)))

    @contextmanager
    def watching(self, place: Place) -> Iterator[None]:
        """Look for late starts at once, and every now and then within the block, whatever else the worker does."""
        if self.command is None:
            yield
            return
        with Journal(place) as journal:

            def look() -> bool:
                self.late_starts(journal)
                return True

            look()
            with Heartbeat(look, Stop(), _LOOK):
                yield

    def _tell(self, queued: QueuedImport, notice: Mapping[str, object]) -> None:
        command = self.command or ""
        failure = deliver(command, {**notice, "queued": queued.id})
        if failure is not None:
            self.say(_("--notify: {command}: {reason}.", command=command, reason=failure))


def missed_start(queued: QueuedImport, at: datetime) -> tuple[datetime, datetime] | None:
    """Return when an import was to begin and by when at the latest, where it still waits after that; else None."""
    submission = queued.submission
    if submission.expect_by is None or queued.state is not QueueState.WAITING:
        return None
    by, since = last_time(submission.expect_by, at), queued.submitted_at
    if submission.every is not None and queued.not_before is not None:
        since = last_start(submission.every, queued.not_before)  # `not_before` may be a later try of this start
    has_begun = queued.begun_at is not None and queued.begun_at >= since
    return None if has_begun or since >= by else (since, by)


def _import_name(queued: QueuedImport) -> str | None:
    """Return the name of an import, None where this machine cannot read its mapping."""
    try:
        return load_mapping(Path(queued.submission.mapping)).import_name
    except ImporterError:
        return None
