"""The imports and runs of a journal as another process sees them: read beside whoever writes, without a lock.

Nothing is written, not even beside the file, so that it can be asked every second while a run goes on.
"""

from __future__ import annotations

import platform
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import psutil
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from importer.journal.database import is_moved
from importer.journal.leases import OWNER
from importer.journal.looking_on import look_at_journal, open_for_reading
from importer.journal.migrations import missing_steps
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.queued import (
    ImportHolder,
    MachineAtWork,
    QueuedImport,
    holders_of_imports,
    machines_at_work,
    read_queue,
)
from importer.journal.runs import RunRecord, read_note, read_runs
from importer.journal.schema import attempts, imports, rows, runs
from importer.journal.storage import busy_seconds, connect, waiting_for_journal
from importer.journal_place import Place, Server, is_there, resolved
from importer.model import Status
from importer.system.clock import Clock, local_datetime

T = TypeVar("T")

_CLOCK = Clock()

GLANCE = 1.0
"""Seconds that a locked journal is waited for, each time it is looked at: who asks every second cannot wait."""

_going_on: set[tuple[Place, int]] = set()
"""The runs of this process that go on now; each is added and removed by itself alone."""

_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class RunWatch:
    """A run as it is now.

    `states` counts its own rows: those that it has begun to send. Of those that are `sending`, `in_flight` have a lease
    that holds; the others are in doubt. `lives` tells whether its process does, None if that cannot be told: it may be
    on another computer, or wait. `is_own` means that it is a run of this process. `quota_until` is when it, or whoever
    gives it again, has calls again. `machines` are the workers that carry it out, where it was queued for several.
    """

    record: RunRecord
    states: Mapping[Status, int]
    in_flight: int
    last_sign: datetime
    lives: bool | None
    is_own: bool
    quota_until: datetime | None = None
    machines: tuple[MachineAtWork, ...] = ()

    @property
    def going_on(self) -> bool:
        """Whether it goes on, as far as is known."""
        return self.record.ended_at is None and self.lives is not False

    @property
    def interrupted(self) -> bool:
        """Whether it ended without an end: its process is gone."""
        return self.record.ended_at is None and self.lives is False


@dataclass(frozen=True, slots=True)
class ImportState:
    """An import that the journal knows, as it is now.

    `states` counts all of its rows; those whose lease is over are `unknown`. `last_run` is None where it was adopted.
    `sending_until` is when the last of the rows that are being sent becomes unknown, None where that cannot be told.
    """

    id: int
    tenant: str
    operation: str
    import_name: str
    states: Mapping[Status, int] = field(default_factory=Counter)
    last_run: RunWatch | None = None
    sending_until: datetime | None = None

    @property
    def sending(self) -> int:
        """How many rows have no answer yet, and may still get one."""
        return self.states[Status.SENDING]

    @property
    def unknown(self) -> int:
        """How many rows may or may not be cases."""
        return self.states[Status.UNKNOWN]

    @property
    def conflict(self) -> int:
        """How many rows have several cases."""
        return self.states[Status.CONFLICT]

    @property
    def running(self) -> RunWatch | None:
        """The run that goes on now, here or in another process."""
        return self.last_run if self.last_run and self.last_run.going_on else None

    @property
    def interrupted(self) -> bool:
        """Whether its last run ended without an end."""
        return self.last_run is not None and self.last_run.interrupted

    @property
    def quota_until(self) -> datetime | None:
        """Until when it is paused for the quota; None if it is not."""
        until = self.last_run.quota_until if self.last_run else None
        return until if until and until > datetime.now(until.tzinfo) else None


@dataclass(frozen=True, slots=True)
class QueueWatch:
    """The imports that were queued on a journal, the newest first, and who sends, begins or ends them now."""

    imports: tuple[QueuedImport, ...] = ()
    machines: tuple[MachineAtWork, ...] = ()
    holders: tuple[ImportHolder, ...] = ()


@contextmanager
def run_going_on(place: Place, run_id: int) -> Iterator[None]:
    """Let this process know that a run of its own goes on within the block."""
    mine = resolved(place), run_id
    with _guard:
        _going_on.add(mine)
    try:
        yield
    finally:
        with _guard:
            _going_on.discard(mine)


def imports_known(place: Place) -> list[ImportState]:
    """Return the imports of a journal, those of the newest runs first; none where there is no journal yet.

    Raises JournalError where it cannot be read.
    """
    if not is_there(place):
        return []
    return _look(place, lambda watcher: watcher.imports())


def watch_run(place: Place, run_id: int) -> RunWatch | None:
    """Return a run as it is now; None where the journal does not know it. Raises JournalError as `imports_known`."""
    if not is_there(place):
        return None
    return _look(place, lambda watcher: watcher.run(run_id))


def watch_queue(place: Place) -> QueueWatch:
    """Return the queue of a journal as it is now. Raises JournalError as `imports_known`."""
    if not is_there(place):
        return QueueWatch()
    return _look(place, lambda watcher: watcher.queue())


def _look(place: Place, look: Callable[[_Watcher], T]) -> T:
    """Look at one moment of a journal; at a copy, where it is of an earlier version or cannot be read as it is."""
    with waiting_for_journal(min(GLANCE, busy_seconds())):
        if isinstance(place, Server):
            return _look_at_server(place, look)
        with suppress(DatabaseError), connect(lambda: open_for_reading(place.resolve())) as connection:
            connection.exec_driver_sql("BEGIN")
            if not missing_steps(connection, place)[0] and not is_moved(connection):
                return look(_Watcher(connection, place))
        with look_at_journal(place) as copy, copy.reading() as connection:  # or it says why it cannot be read
            return look(_Watcher(connection, place))


def _look_at_server(server: Server, look: Callable[[_Watcher], T]) -> T:
    """Look at one moment of a journal on a server; at a copy, where it is of an earlier version, or there is none."""
    with closing(PostgresDatabase(server, makes_tables=False)) as database, database.glance() as connection:
        if not missing_steps(connection, server)[0] and not is_moved(connection):
            return look(_Watcher(connection, server, database.clock))
    with look_at_journal(server) as copy, copy.reading() as connection:
        return look(_Watcher(connection, server, copy.clock))


class _Watcher:
    """Reads what a journal knows at one moment."""

    def __init__(self, connection: Connection, place: Place, clock: Clock = _CLOCK) -> None:
        self._connection, self._place = connection, resolved(place)
        self._clock = clock
        self._boot, self._now = clock.boot(), clock.elapsed()
        self._wall = clock.wall()
        newest = select(runs.c.import_id, func.max(runs.c.id)).group_by(runs.c.import_id)
        self._last = {import_id: run_id for import_id, run_id in connection.execute(newest)}  # noqa: C416 - no pairs to mypy

    def imports(self) -> list[ImportState]:
        """Return every import."""
        states, until = self._states(), self._sending_until()
        last = {record.import_id: self.watch(record) for record in read_runs(self._connection, self._last.values())}
        known = [
            ImportState(
                *(found.id, found.tenant, found.operation, found.name, states[found.id]),
                last_run=last.get(found.id),
                sending_until=until.get(found.id),
            )
            for found in self._connection.execute(select(imports))
        ]
        return sorted(known, key=lambda each: self._last.get(each.id, 0), reverse=True)

    def run(self, run_id: int) -> RunWatch | None:
        """Return one run; None where the journal does not know it."""
        return next(map(self.watch, read_runs(self._connection, [run_id])), None)

    def queue(self) -> QueueWatch:
        """Return the queue."""
        connection, clock = self._connection, self._clock
        holders = holders_of_imports(connection, clock)
        return QueueWatch(tuple(read_queue(connection)), tuple(machines_at_work(connection, clock)), tuple(holders))

    def _states(self) -> dict[int, Counter[Status]]:
        """Return how many rows each import has in each state; one whose lease is over is unknown."""
        states: dict[int, Counter[Status]] = defaultdict(Counter)
        counted = select(rows.c.import_id, rows.c.state, func.count()).group_by(rows.c.import_id, rows.c.state)
        for import_id, state, count in self._connection.execute(counted):
            states[import_id][Status(state)] = count
        for import_id, boot, lease in self._sending():
            if not self._holds(boot, lease):
                states[import_id].subtract([Status.SENDING])
                states[import_id][Status.UNKNOWN] += 1
        return states

    def _sending_until(self) -> dict[int, datetime]:
        """Return when the last lease of each import ends that holds, and is measured by the clock of this boot."""
        ends: dict[int, float] = {}
        for import_id, boot, lease in self._sending():
            if boot == self._boot and lease is not None and self._holds(boot, lease):
                ends[import_id] = max(lease, ends.get(import_id, lease))
        return {each: local_datetime(self._wall + lease - self._now) for each, lease in ends.items()}

    def _sending(self, run_id: int | None = None) -> list[tuple[int, str | None, float | None]]:
        """Return the import, and the boot and the end of the lease, of every row that is being sent."""
        query = (
            select(rows.c.import_id, attempts.c.boot, attempts.c.lease)
            .join(attempts, attempts.c.id == rows.c.attempt_id)
            .where(rows.c.state == Status.SENDING)
        )
        if run_id is not None:
            query = query.where(rows.c.run_id == run_id)
        return [(import_id, boot, lease) for import_id, boot, lease in self._connection.execute(query)]

    def watch(self, record: RunRecord) -> RunWatch:
        """Return a run as it is now."""
        note = read_note(self._connection, record.id)
        newest = self._connection.execute(
            select(attempts.c.owner, attempts.c.started_at, attempts.c.ended_at)
            .where(attempts.c.run_id == record.id)
            .order_by(attempts.c.id.desc())
            .limit(1)
        ).first()
        in_flight = sum(self._holds(boot, lease) for _import, boot, lease in self._sending(record.id))
        owner = newest.owner if newest else note.owner
        machines = tuple(one for one in machines_at_work(self._connection, self._clock) if one.run_id == record.id)
        signs = (newest.started_at, newest.ended_at or 0.0) if newest else (record.started_at.timestamp(),)
        return RunWatch(
            record,
            self._states_of(record.id),
            in_flight,
            local_datetime(max(signs)),
            lives=record.ended_at is None and (bool(machines) or self._lives(record, owner, in_flight)),
            is_own=owner == OWNER,
            quota_until=note.quota_until,
            machines=machines,
        )

    def _states_of(self, run_id: int) -> Counter[Status]:
        began = select(attempts.c.row_id).where(attempts.c.run_id == run_id)
        counted = select(rows.c.state, func.count()).where(rows.c.id.in_(began), rows.c.run_id == run_id)
        found = self._connection.execute(counted.group_by(rows.c.state))
        return Counter({Status(state): count for state, count in found})

    def _holds(self, boot: str | None, lease: float | None) -> bool:
        """Tell whether a lease may still hold; one of another boot is measured anew by the next run."""
        return boot != self._boot or lease is None or lease >= self._now

    def _lives(self, record: RunRecord, owner: str | None, in_flight: int) -> bool | None:
        """Tell whether the process of a run without an end lives; None where that cannot be told."""
        if owner == OWNER:
            with _guard:
                return (self._place, record.id) in _going_on
        lives = _process_lives(owner, record.started_at.timestamp())
        if lives is None and in_flight:
            return True
        return lives if lives is not None or self._last[record.import_id] == record.id else False


def _process_lives(owner: str | None, began: float) -> bool | None:
    """Tell whether the process lives that an attempt names, and began before it; None where that cannot be told."""
    node, _colon, rest = (owner or "").rpartition(":")[0].rpartition(":")
    if node != platform.node() or not rest.isdecimal():
        return None
    try:
        return psutil.Process(int(rest)).create_time() <= began + 1
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None
