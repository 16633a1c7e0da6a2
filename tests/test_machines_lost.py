"""A worker whose database goes away: it stops with one sentence that says what to do, and with nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg_pool
import pytest
from machines_support import Desk, shared_place
from postgres_support import needs_postgres, statement
from procrastinate.exceptions import ConnectorException
from run_support import Office, ticket

from importer.errors import JournalError, JournalUnreachable, RunStopped
from importer.journal import explain_server_error
from importer.journal.attempts import Attempts
from importer.journal_place import Server
from importer.machines import WorkOptions, submit, work, working
from importer.machines.carrying import QueueWorker, carry_on
from importer.machines.jobs import JobQueue
from importer.sandbox import RunningSandbox, SandboxConfig

pytestmark = needs_postgres


@pytest.fixture
def place() -> Iterator[Server]:
    """Give a journal on a server."""
    with shared_place() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, place: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a machine with an import of its own, which waits for its database for a moment only."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    monkeypatch.setattr("importer.journal.postgres_database._PATIENCE", 0.1)
    monkeypatch.setattr("importer.machines.jobs._POOL_PATIENCE", 0.5)
    with RunningSandbox(SandboxConfig(daily_quota=1000)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(ticket(number) for number in range(3))
        yield Desk(office, place)


@contextmanager
def closed(place: Server) -> Iterator[None]:
    """Accept no connection to a journal within the block, and end those that there are."""
    name = place.shown.partition("@/")[2].partition("?")[0]
    statement(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    statement(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
    try:
        yield
    finally:
        statement(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.mark.parametrize("kind", [psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, psycopg.errors.ConnectionTimeout])
def test_a_database_without_an_answer_is_told_from_one_that_cannot_be_used(
    place: Server, kind: type[psycopg.Error]
) -> None:
    """Who waits in vain for a connection is told to check the server, and is not led to another journal."""
    error = explain_server_error(kind("words of a library"), place, "case_importer")
    assert isinstance(error, JournalUnreachable)
    assert "nothing is sent twice" in str(error)
    assert "--journal" not in str(error).replace(f"--journal {place}", "")


def test_a_queue_without_a_connection_says_so_in_the_language_of_the_reader(place: Server) -> None:
    """What the library of connections says in English about itself does not appear in the sentence."""
    queue = JobQueue(place)
    with pytest.raises(JournalUnreachable) as caught, queue.explained():
        raise ConnectorException from psycopg_pool.PoolTimeout("couldn't get a connection after 20.00 sec")
    assert "couldn't" not in str(caught.value)
    assert "no connection within 20 seconds" in str(caught.value)


def test_the_pool_of_connections_is_silent(place: Server) -> None:
    """Nothing is printed for each try of a library to connect again."""
    JobQueue(place)
    for name in ("psycopg.pool", "psycopg", "procrastinate"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_worker_that_loses_its_database_stops_with_one_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, comes_back: bool
) -> None:
    """Whether or not the database is back soon, the worker ends by saying what to do, without a traceback."""
    away = closed(desk.place)
    claim = Attempts.claim

    def strike(self: Attempts, *given: object, **options: object) -> object:
        away.__enter__()
        monkeypatch.setattr(Attempts, "claim", claim)
        return claim(self, *given, **options)  # type: ignore[arg-type]

    def carried_on(machine: QueueWorker, queued_id: int) -> None:
        try:
            carry_on(machine, queued_id)
        finally:
            if comes_back:
                away.__exit__(None, None, None)

    monkeypatch.setattr(Attempts, "claim", strike)
    monkeypatch.setattr("importer.machines.working.carry_on", carried_on)
    submit(desk.job(spot_check=0))
    said: list[str] = []
    try:
        with pytest.raises(JournalError, match="nothing is sent twice"):
            work(desk.place, WorkOptions("one"), said.append)
    finally:
        if not comes_back:
            away.__exit__(None, None, None)
    assert said == []
    assert "Traceback" not in capfd.readouterr().err
    assert desk.office.sandbox.posts == 0


def test_an_error_that_comes_of_a_lost_database_is_recognised() -> None:
    """Whatever is raised while a database is lost, the reason counts, however deep it is."""
    lost = JournalUnreachable("gone")
    assert working.lost_by(lost) is lost
    stopped, later = RunStopped("stopped"), JournalError("another one, while that was said")
    stopped.__cause__, later.__context__ = lost, stopped
    assert working.lost_by(stopped) is working.lost_by(later) is lost
    assert working.lost_by(JournalError("another one")) is None
