"""What is queued for machines, who works on what, and how both are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from importer.journal.schema import queued_imports, shares
from importer.system.clock import Clock, local_datetime


class QueueState(StrEnum):
    """How far a queued import is."""

    WAITING = "waiting"
    SENDING = "sending"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Submission:
    """An import as it was submitted: files by absolute paths, their digests, the options of its runs.

    `source_digest` is None for an import that begins again and again: its sheet is another one each time.
    """

    source: str
    mapping: str
    mapping_digest: str
    source_digest: str | None = None
    corrections_digest: str | None = None
    every: str | None = None
    until: str | None = None
    expect_by: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunPause:
    """Why the run of a queued import ends early; `not_before` is when it may go on, None where a person decides."""

    message: str
    exit_status: int
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class QueuedImport:
    """A queued import as it is now; `exit_status` and `message` are those of its last end."""

    id: int
    submission: Submission
    user: str
    submitted_at: datetime
    state: QueueState
    not_before: datetime | None
    begun_at: datetime | None
    run_id: int | None
    quota_resets_at: datetime | None
    pause: RunPause | None
    exit_status: int | None
    message: str | None
    failures: int
    refusals: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """Rows of a queued import that one machine works on, each by its number and a digest of what is sent."""

    id: int
    queued_id: int
    run_id: int
    rows: tuple[tuple[int, str], ...]
    holder: str | None = None
    tried: int = 0


@dataclass(frozen=True, slots=True)
class MachineAtWork:
    """A worker and the share that it works on: `tried` of its `rows`; `share` counts the shares of the run from 1."""

    name: str
    computer: str
    queued_id: int
    run_id: int
    share: int
    tried: int
    rows: int


@dataclass(frozen=True, slots=True)
class ImportHolder:
    """A worker that begins or ends a queued import, and since when."""

    name: str
    computer: str
    queued_id: int
    since: datetime


@dataclass(frozen=True, slots=True)
class ShareCounts:
    """How many shares of a run are free (those of a lease that has ended too), held, and done; the calls of all."""

    free: int = 0
    held: int = 0
    done: int = 0
    calls: int = 0


def read_queue(connection: Connection, *which: ColumnElement[bool]) -> list[QueuedImport]:
    """Return the queued imports of a journal, or those for which something holds, the newest first."""
    query = select(queued_imports).where(*which).order_by(queued_imports.c.id.desc())
    return [_queued(found) for found in connection.execute(query)]


def machines_at_work(connection: Connection, clock: Clock) -> list[MachineAtWork]:
    """Return who works on which share now; those whose lease has ended do not."""
    first = select(func.min(shares.c.id).label("first"), shares.c.run_id).group_by(shares.c.run_id).subquery()
    query = (
        select(shares, first.c.first)
        .join(first, first.c.run_id == shares.c.run_id)
        .where(shares.c.state == "held", shares.c.boot == clock.boot(), shares.c.lease > clock.elapsed())
        .order_by(shares.c.holder, shares.c.id)
    )
    return [_at_work(found) for found in connection.execute(query)]


def holders_of_imports(connection: Connection, clock: Clock) -> list[ImportHolder]:
    """Return who begins or ends a queued import now."""
    table, now, wall = queued_imports.c, clock.elapsed(), clock.wall()
    query = select(table.holder, table.id, table.began).where(
        table.state != QueueState.ENDED, table.holder.is_not(None), table.boot == clock.boot(), table.lease > now
    )
    found = connection.execute(query.order_by(table.id))
    return [ImportHolder(*_worker(each.holder), each.id, local_datetime(wall - (now - each.began))) for each in found]


def _worker(holder: str) -> tuple[str, str]:
    """Return the name of a worker, and that of its computer."""
    name, _space, process = holder.rpartition(" ")
    return name, process.rsplit(":", 2)[0]


def _at_work(found: Row[Any]) -> MachineAtWork:
    name, computer = _worker(found.holder)
    number, count = 1 + found.id - found.first, len(json.loads(found.rows))
    return MachineAtWork(name, computer, found.queued_id, found.run_id, number, found.tried, count)


def share_of(found: Row[Any], holder: str | None) -> Share:
    """Return a share, as it is for who holds it."""
    return Share(
        found.id,
        found.queued_id,
        found.run_id,
        tuple((number, digest) for number, digest in json.loads(found.rows)),
        holder,
        found.tried,
    )


def _queued(found: Row[Any]) -> QueuedImport:
    names = (each.name for each in fields(Submission) if each.name != "options")
    submission = Submission(**{name: getattr(found, name) for name in names}, options=json.loads(found.options))
    return QueuedImport(
        id=found.id,
        submission=submission,
        user=found.user,
        submitted_at=local_datetime(found.submitted_at),
        state=QueueState(found.state),
        not_before=_moment(found.not_before),
        begun_at=_moment(found.begun_at),
        run_id=found.run_id,
        quota_resets_at=_moment(found.quota_resets_at),
        pause=RunPause(**json.loads(found.pause)) if found.pause else None,
        exit_status=found.exit_status,
        message=found.message,
        failures=found.failures,
        refusals=json.loads(found.refusals),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else local_datetime(seconds)
