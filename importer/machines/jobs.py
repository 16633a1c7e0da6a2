"""The jobs that hand imports to machines: Procrastinate's, in a schema of their own beside the journal's.

A job says "carry this import on", and nothing else: all that is known of the import is in the journal. At most two jobs
of an import wait at a time, one for the next idle machine and one for later; which machine does them does not matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from importer.journal import (
    LEASE,
    connect_to_server,
    conninfo_of,
    explain_server_error,
    no_right_to_create,
    require_driver,
)
from importer.machines.schedule import now
from importer.messages import ngettext

if TYPE_CHECKING:
    import procrastinate

    from importer.journal_place import Server

TASK = "carry-on"

_MARGIN = 5.0
"""Seconds after the end of a lease at which somebody looks whether its holder is still there."""

_POOL_PATIENCE = 20.0
"""Seconds in which a connection is waited for."""

_LOCK = 0x57434932


class JobQueue:
    """The jobs of a journal's server; raises JournalError where it cannot be used."""

    def __init__(self, server: Server) -> None:
        require_driver(server)
        self._server, self._schema = server, "case_importer_queue"
        with self.explained():
            self._schema = self._prepared()
        for name in ("procrastinate", "psycopg", "psycopg.pool"):  # what a person should know is said by us
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _prepared(self) -> str:
        """Make the tables of the jobs where they are missing; return the name of their schema."""
        import psycopg.sql  # noqa: PLC0415 - of the extra `server`
        from procrastinate.schema import SchemaManager  # noqa: PLC0415

        with connect_to_server(self._server) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            (journal,) = connection.execute("SELECT current_schema()").fetchone() or ("",)
            schema = f"{journal}_queue"
            there = connection.execute("SELECT to_regclass(format('%%I.procrastinate_jobs', %s::text))", [schema])
            if there.fetchone() == (None,):
                name = psycopg.sql.Identifier(schema)
                may_create = connection.execute("SELECT has_database_privilege(current_database(), 'CREATE')")
                if may_create.fetchone() == (False,):
                    raise no_right_to_create(self._server, "permission denied for database")
                connection.execute(psycopg.sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
                connection.execute(psycopg.sql.SQL("SET LOCAL search_path TO {}").format(name))
                connection.execute(SchemaManager.get_schema())
        return schema

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors of the server, and of Procrastinate, into sentences that say what to do."""
        import psycopg  # noqa: PLC0415 - as above
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415
        from psycopg_pool import PoolTimeout  # noqa: PLC0415

        try:
            yield
        except (ConnectorException, psycopg.Error) as error:
            cause = error if isinstance(error, psycopg.Error) else error.__cause__
            if isinstance(cause, PoolTimeout):
                reason = ngettext(
                    "no connection within {count} second", "no connection within {count} seconds", int(_POOL_PATIENCE)
                )
                cause = psycopg.OperationalError(reason)
            if not isinstance(cause, psycopg.Error):
                cause = psycopg.OperationalError()
            raise explain_server_error(cause, self._server, self._schema) from error

    @property
    def _pool(self) -> dict[str, Any]:
        return {"conninfo": conninfo_of(self._server), "min_size": 1, "max_size": 4, "timeout": _POOL_PATIENCE}

    def app(self, carry_on: Callable[[int], None]) -> procrastinate.App:
        """Return Procrastinate's application for a worker, whose one task is `carry_on`."""
        import procrastinate  # noqa: PLC0415 - as above
        import psycopg  # noqa: PLC0415

        async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
            await connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", [self._schema])
            await connection.commit()

        made = procrastinate.App(connector=procrastinate.PsycopgConnector(configure=configure, **self._pool))
        made.task(name=TASK)(carry_on)
        return made

    @contextmanager
    def open(self) -> Iterator[Jobs]:
        """Give what queues jobs, from any thread."""
        import procrastinate  # noqa: PLC0415 - as above
        import psycopg  # noqa: PLC0415

        def configure(connection: psycopg.Connection[Any]) -> None:
            connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", [self._schema])
            connection.commit()

        connector = procrastinate.SyncPsycopgConnector(configure=configure, **self._pool)
        with self.explained(), procrastinate.App(connector=connector).open() as app:
            yield Jobs(app, self)


class Jobs:
    """Queues jobs; one that waits already, for the same import and the same purpose, is not queued again."""

    def __init__(self, app: procrastinate.App, queue: JobQueue) -> None:
        self._app, self._queue = app, queue

    def at_once(self, queued_id: int) -> None:
        """Queue a job for the next idle machine, unless there are other imports to begin: those come first."""
        self._defer(queued_id, f"import {queued_id} now", None, priority=-1)

    def at(self, queued_id: int, moment: datetime | None) -> None:
        """Queue a job for later: at a moment, or, with None, once a machine that dies now has lost its leases."""
        later = moment or now() + timedelta(seconds=LEASE + _MARGIN)
        self._defer(queued_id, f"import {queued_id} later", later)

    def _defer(self, queued_id: int, lock: str, moment: datetime | None, priority: int = 0) -> None:
        from procrastinate.exceptions import AlreadyEnqueued  # noqa: PLC0415 - as above

        job = self._app.configure_task(TASK, queueing_lock=lock, schedule_at=moment, priority=priority)
        with self._queue.explained(), suppress(AlreadyEnqueued):
            job.defer(queued_id=queued_id)
