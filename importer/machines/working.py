"""A worker: it does one job of the queue after the other until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from importer.errors import ImporterError, JournalUnreachable, UsageError
from importer.journal import OWNER, Journal, QueueState
from importer.journal_place import Server
from importer.machines.carrying import QueueWorker, Successors, carry_on
from importer.machines.jobs import JobQueue, Jobs
from importer.machines.telling import Teller
from importer.messages import _, ngettext
from importer.system.awake import keep_awake
from importer.text import clean

if TYPE_CHECKING:
    import procrastinate

_LOOK_FOR_JOBS = 5.0
"""Seconds after which a worker looks for jobs by itself; the server tells it of new ones at once."""


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How a worker works: its name, the requests that it makes at once; whether it ends once nothing is to be done.

    `notify` is a command that is told of each run that the worker ends, and of runs that do not begin in time.
    """

    name: str
    concurrency: int = 2
    wait: bool = True
    notify: str | None = None


def require_server(place: object) -> Server:
    """Return the server of a journal that several machines can share; raises UsageError for a file."""
    if isinstance(place, Server):
        return place
    raise UsageError(
        _(
            "{path}: this journal is a file of one computer. Several machines need a journal on a PostgreSQL server:"
            " --journal postgresql://USER@HOST/DATABASE.",
            path=place,
        )
    )


def work(place: object, options: WorkOptions, say: Callable[[str], None]) -> None:
    """Work on a journal's queue until SIGTERM or Ctrl-C: what is in flight then ends, and the rest is given back.

    The second signal gives up the answers in flight. Raises JournalError where the server is gone.
    """
    server = require_server(place)
    with Journal(server):
        pass  # its tables come first
    queue, teller = JobQueue(server), Teller(options.notify, say)
    with queue.open() as jobs, keep_awake(), teller.watching(server):
        _queue_what_nobody_carries_on(server, jobs)
        name, successors = f"{options.name} {OWNER}", Successors(jobs.at_once, jobs.at)
        machine = QueueWorker(name, server, successors, options.concurrency, say=say, teller=teller)
        app = queue.app(lambda queued_id: _carry_on(machine, queued_id))
        with queue.explained():
            _run(app, machine, options)
        if machine.lost is not None:
            raise machine.lost
        if not options.wait:
            _say_what_is_left(server, say)


def _queue_what_nobody_carries_on(server: Server, jobs: Jobs) -> None:
    """Queue a job for each import that has not ended: whoever submitted one may have died before its job was queued."""
    with Journal(server) as journal:
        for queued in journal.queue.all():
            if queued.state is not QueueState.ENDED:
                jobs.at(queued.id, queued.not_before)


def _say_what_is_left(server: Server, say: Callable[[str], None]) -> None:
    """Say that imports wait, where there is nothing to do for them now: for their time, or for another machine."""
    with Journal(server) as journal:
        left = sum(queued.state is not QueueState.ENDED for queued in journal.queue.all())
    if left:
        say(
            ngettext(
                "{count} import is left in the queue, and there is nothing to do for it now; `history --watch` shows"
                " what it waits for.",
                "{count} imports are left in the queue, and there is nothing to do for them now; `history --watch`"
                " shows what they wait for.",
                left,
            )
        )


def _carry_on(machine: QueueWorker, queued_id: int) -> None:
    """Do one job; an error is said, and the next job of the import tries again."""
    try:
        carry_on(machine, queued_id)
    except ImporterError as error:
        if (lost := lost_by(error)) is None:
            machine.say(str(error))
            return
        machine.lost = lost  # as an idle worker does: what it would do next could be another worker's by now
        machine.end()
    except Exception as error:  # noqa: BLE001 - the worker goes on with other imports
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"  {frame.filename.rpartition('importer')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        sentence = _(
            "Internal error in case-importer ({kind}); your data is not the cause. The journal has everything that"
            " was sent. Please report these lines:",
            kind=type(error).__name__,
        )
        machine.say(clean("\n".join([sentence, *places])))


def lost_by(error: BaseException) -> JournalUnreachable | None:
    """Return that the journal is lost, where an error comes of that."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, JournalUnreachable):
        seen = seen.__cause__ or seen.__context__
    return seen


def _run(app: procrastinate.App, machine: QueueWorker, options: WorkOptions) -> None:
    """Run Procrastinate's worker in a loop that works on every system, until a signal stops it."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(_leave_out_lost_connections)
        worker = loop.create_task(_until_stopped(app, options))
        machine.end = lambda: loop.call_soon_threadsafe(worker.cancel)
        with _signals(machine), suppress(asyncio.CancelledError):
            loop.run_until_complete(worker)


def _leave_out_lost_connections(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Print what nobody waited for, but not that the state of a job could not be written: the job is told of itself.

    Procrastinate only counts its jobs by it: what is left of an import is done by the job that was queued before.
    """
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - of the extra `server`

    if not isinstance(context.get("exception"), ConnectorException):
        loop.default_exception_handler(context)


async def _until_stopped(app: procrastinate.App, options: WorkOptions) -> None:
    async with app.open_async():
        await app.run_worker_async(
            name=options.name,
            wait=options.wait,
            install_signal_handlers=False,
            fetch_job_polling_interval=_LOOK_FOR_JOBS,
            delete_jobs="always",
        )


@contextmanager
def _signals(machine: QueueWorker) -> Iterator[None]:
    """Let the first signal stop the worker after what is in flight, and the second one give that up."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not machine.stopping:
            machine.end()
        machine.request_stop()

    names = ["SIGINT", "SIGTERM", *(["SIGBREAK"] if sys.platform == "win32" else [])]
    before = {number: signal.signal(number, stop) for number in (getattr(signal, name) for name in names)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
