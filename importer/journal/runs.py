"""The runs that a journal knows, what each of them changed, and who ran it with which program."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from importer.journal.attempts import STATE_AFTER
from importer.journal.database import Database
from importer.journal.ids import DELETED
from importer.journal.leases import OWNER
from importer.journal.schema import attempts, facts, imports, rows, runs, updates, verdicts
from importer.model import Counts, Status, Verdict
from importer.model.edits import UpdateState
from importer.system.clock import local_datetime


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is recorded of a run when it begins; `corrections_digest` is None where the source had no corrections."""

    source: str
    source_digest: str
    mapping_digest: str
    server: str
    user: str
    program: str
    corrections_digest: str | None = None


@dataclass(frozen=True, slots=True)
class SentCase:
    """What came of the attempt of a run: the state of its row then, and its case, which a person may call deleted."""

    state: Status
    wolkvox_id: str | None
    sent_at: float
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the journal knows it; what is only known at its end is None while it goes on or if it was killed."""

    id: int
    import_id: int
    import_name: str
    operation: str
    start: RunStart
    started_at: datetime
    ended_at: datetime | None
    calls: int | None
    created_now: int
    counts: Counts | None
    exit_status: int | None


_APART = timedelta(days=5)
"""Runs of one sheet that are further apart are those of another week, with other rows under the same name."""


def this_time(runs: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the newest runs of a sheet that belong together; a sheet is often overwritten week by week."""
    together: list[RunRecord] = []
    for run in runs:
        if together and together[-1].started_at - (run.ended_at or run.started_at) > _APART:
            break
        together.append(run)
    return together


def runs_of_sheet(runs: Iterable[RunRecord], source: Path, digest: str | None) -> list[RunRecord]:
    """Return those runs that were of a sheet: of this file, or of one with the same content elsewhere."""
    place = str(source.absolute())
    return [run for run in runs if run.start.source == place or run.start.source_digest == digest]


@dataclass(frozen=True, slots=True)
class RowChange:
    """What became of one row: `state`, since the time `at`.

    `how` is `sent` where an answer of the CRM, or its absence, led to the state; otherwise it is what settled the row:
    `search`, `by-hand`, `report`, `look-first` or `adopted`. For the update of a created row's case it is one of
    `UPDATED_HOW`. `run` is the run that sent the row last, if one did.
    """

    reference: str
    state: Status
    how: str
    wolkvox_id: str | None
    run: int | None
    at: datetime


UPDATED_HOW = {
    UpdateState.SENDING: "update-sending",
    UpdateState.UPDATED: "updated",
    UpdateState.REFUSED: "update-refused",
    UpdateState.UNKNOWN: "update-unknown",
    UpdateState.UNSENT: "update-unsent",
    UpdateState.ACCEPTED: "accepted",
}
"""What `RowChange.how` says of the update of a created row's case."""


class Runs:
    """The runs of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, import_id: int, start: RunStart) -> int:
        """Record that a run begins; return its number."""
        values = {"import_id": import_id, "started_at": self._database.clock.wall(), **asdict(start)}
        with self._database.write() as connection:
            number: int = connection.execute(insert(runs).values(**values).returning(runs.c.id)).scalar_one()
            _note(connection, number, RunNote(owner=OWNER))
        return number

    def end(self, run_id: int, counts: Counts, calls: int, exit_status: int) -> None:
        """Record how a run ended."""
        values = {
            "ended_at": self._database.clock.wall(),
            "calls": calls,
            "counts": json.dumps(asdict(counts)),
            "exit_status": exit_status,
        }
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(**values))
            _note(connection, run_id, replace(read_note(connection, run_id), owner=None))

    def note_quota(self, run_id: int, until: datetime | None) -> None:
        """Record until when a run has no calls left; None: it has some again."""
        with self._database.write() as connection:
            _note(connection, run_id, replace(read_note(connection, run_id), quota_until=until))

    def troubles(self, import_id: int) -> dict[str, str]:
        """Return which rows of an import needed somebody when they were last in a run: their states, by digest."""
        query = select(facts.c.value).where(facts.c.name == troubles_name(import_id))
        with self._database.read() as connection:
            found: dict[str, str] = json.loads(connection.scalars(query).first() or "{}")
            return found

    def note_troubles(self, import_id: int, troubles: Mapping[str, str]) -> None:
        """Record which rows of an import need somebody."""
        name = troubles_name(import_id)
        with self._database.write() as connection:
            connection.execute(delete(facts).where(facts.c.name == name))
            if troubles:
                connection.execute(insert(facts).values(name=name, value=json.dumps(troubles)))

    def without_corrections(self, import_id: int, source: str, digest: str | None) -> frozenset[int]:
        """Return the runs of an import whose corrections are missing from a source with corrections of this digest.

        Those of the same file are there as long as it has any: a person may have changed them since.
        """
        query = select(runs.c.id).where(runs.c.import_id == import_id, runs.c.corrections_digest.is_not(None))
        if digest is not None:
            query = query.where(runs.c.source != source, runs.c.corrections_digest != digest)
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))

    def used_mapping(self, import_id: int, mapping_digest: str) -> bool:
        """Tell whether some run of an import was made with this mapping."""
        query = select(runs.c.id).where(runs.c.import_id == import_id, runs.c.mapping_digest == mapping_digest)
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def all(self) -> list[RunRecord]:
        """Return every run, the newest first."""
        with self._database.read() as connection:
            return read_runs(connection)

    def sent_cases(self, run: RunRecord) -> dict[str, SentCase]:
        """Return what came of the last attempt of each row that a run sent, whatever other runs did, by reference."""
        sent = (
            select(rows.c.reference, attempts.c.verdict, attempts.c.wolkvox_id, attempts.c.started_at)
            .join_from(attempts, rows, rows.c.id == attempts.c.row_id)
            .where(attempts.c.run_id == run.id)
            .order_by(attempts.c.id)
        )
        settled = (
            select(rows.c.reference, verdicts.c.how, verdicts.c.state, verdicts.c.wolkvox_id)
            .join_from(verdicts, attempts, attempts.c.id == verdicts.c.attempt_id)
            .join(rows, rows.c.id == attempts.c.row_id)
            .where(attempts.c.run_id == run.id)
            .order_by(verdicts.c.id)
        )
        with self._database.read() as connection:
            found = {
                reference: SentCase(STATE_AFTER[Verdict(verdict or Verdict.UNKNOWN)], case_id, at)
                for reference, verdict, case_id, at in connection.execute(sent)
            }
            for one in connection.execute(settled):
                is_deleted = one.how == DELETED
                state = found[one.reference].state if is_deleted else Status(one.state)
                found[one.reference] = SentCase(state, one.wolkvox_id, found[one.reference].sent_at, is_deleted)
        return found

    def changes(self, run: RunRecord, before: RunRecord | None) -> list[RowChange]:
        """Return what a run changed, and what was settled since the run `before` it ended, in the order of time.

        Of several changes of a row only the last one counts.
        """
        since = (before.ended_at or before.started_at).timestamp() if before else 0.0
        until = run.ended_at.timestamp() if run.ended_at else float("inf")
        sent = (
            select(rows.c.reference, rows.c.run_id, attempts)
            .join(rows, rows.c.id == attempts.c.row_id)
            .where(attempts.c.run_id == run.id)
        )
        settled = (
            select(rows.c.reference, rows.c.run_id, verdicts)
            .join(rows, rows.c.id == verdicts.c.row_id)
            .where(rows.c.import_id == run.import_id, verdicts.c.decided_at.between(since, until))
        )
        updated = (
            select(rows.c.reference, rows.c.wolkvox_id, updates)
            .join(rows, rows.c.id == updates.c.row_id)
            .where(updates.c.run_id == run.id)
        )
        with self._database.read() as connection:
            found = [*map(_sent, connection.execute(sent)), *map(_settled, connection.execute(settled))]
            found += map(_updated, connection.execute(updated))
        found.sort(key=lambda change: change.at)
        last = {change.reference: change for change in found}
        return sorted(last.values(), key=lambda change: change.at)


@dataclass(frozen=True, slots=True)
class RunNote:
    """What is noted of a run only as long as it matters: the process that it is, and until when it has no calls."""

    owner: str | None = None
    quota_until: datetime | None = None


def read_note(connection: Connection, run_id: int) -> RunNote:
    """Return what is noted of a run."""
    text = connection.scalars(select(facts.c.value).where(facts.c.name == _note_name(run_id))).first()
    noted = json.loads(text or "{}")
    until = noted.get("quota_until")
    return RunNote(noted.get("owner"), None if until is None else local_datetime(until))


def _note(connection: Connection, run_id: int, note: RunNote) -> None:
    name, until = _note_name(run_id), note.quota_until
    connection.execute(delete(facts).where(facts.c.name == name))
    if note != RunNote():
        value = json.dumps({"owner": note.owner, "quota_until": None if until is None else until.timestamp()})
        connection.execute(insert(facts).values(name=name, value=value))


def troubles_name(import_id: int) -> str:
    """Return the name of the fact which rows of an import need somebody."""
    return f"troubles {import_id}"


def _note_name(run_id: int) -> str:
    return f"run {run_id}"


def read_runs(connection: Connection, only: Iterable[int] | None = None) -> list[RunRecord]:
    """Return the runs of a journal, or `only` those of these numbers, the newest first."""
    created = (
        select(func.count())
        .where(rows.c.run_id == runs.c.id, rows.c.state == Status.CREATED)
        .correlate(runs)
        .scalar_subquery()
    )
    unless_counted = case((runs.c.counts.is_(None), created), else_=0)  # a run that was killed counted nothing
    query = (
        select(runs, imports.c.name, imports.c.operation, unless_counted.label("created"))
        .join(imports, imports.c.id == runs.c.import_id)
        .order_by(runs.c.id.desc())
    )
    if only is not None:
        query = query.where(runs.c.id.in_(list(only)))
    return [_run_record(found) for found in connection.execute(query)]


def _run_record(found: Row[Any]) -> RunRecord:
    counts = Counts(**json.loads(found.counts)) if found.counts else None
    return RunRecord(
        id=found.id,
        import_id=found.import_id,
        import_name=found.name,
        operation=found.operation,
        start=RunStart(
            found.source,
            found.source_digest,
            found.mapping_digest,
            found.server,
            found.user,
            found.program,
            found.corrections_digest,
        ),
        started_at=local_datetime(found.started_at),
        ended_at=found.ended_at and local_datetime(found.ended_at),
        calls=found.calls,
        created_now=counts.created_now if counts else found.created,
        counts=counts,
        exit_status=found.exit_status,
    )


def _sent(found: Row[Any]) -> RowChange:
    state = STATE_AFTER[Verdict(found.verdict)] if found.verdict else Status.SENDING
    at = found.started_at if found.ended_at is None else found.ended_at
    return RowChange(found.reference, state, "sent", found.wolkvox_id, found.run_id, local_datetime(at))


def _updated(found: Row[Any]) -> RowChange:
    at = found.started_at if found.ended_at is None else found.ended_at
    how = UPDATED_HOW[UpdateState(found.state)]
    return RowChange(found.reference, Status.CREATED, how, found.wolkvox_id, found.run_id, local_datetime(at))


def _settled(found: Row[Any]) -> RowChange:
    state = Status(found.state)
    return RowChange(
        found.reference, state, found.how, found.wolkvox_id, found.run_id, local_datetime(found.decided_at)
    )


_person: ContextVar[str | None] = ContextVar("person", default=None)


@contextmanager
def working_as(person: str | None) -> Iterator[None]:
    """Let what is recorded within the block name a person too, where several share the user of a computer."""
    token = _person.set(person)
    try:
        yield
    finally:
        _person.reset(token)


def user_name() -> str:
    """Return who works: the user, after the person's own name where one was given: `Ana Ruiz (front-desk)`."""
    user = account_name()
    return f"{person} ({user})" if (person := _person.get()) else user


def account_name() -> str:
    """Return the user's name, `?` where the system has none (a container that runs under a bare user number)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the system and on Python's version
        return "?"


@cache
def program_name() -> str:
    """Return this program's name and version."""
    return f"case-importer {version('wolkvox-case-importer')}"
