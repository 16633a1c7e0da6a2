"""Several workers in processes of their own, killed and stopped while they send one import, and what must hold."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random

import psycopg
from nursery import Nursery
from postgres_support import new_place
from run_support import Office

from importer.journal import Journal, QueuedImport, QueueState, conninfo_of
from importer.journal_place import Server
from importer.machines.carrying import QueueWorker, Successors, carry_on
from importer.settings import Connection
from importer.workflow.job import Job
from importer.workflow.jobs.settle_job import ByHand, SettleJob


@dataclass
class Ordeal:
    """Workers that send an office's import: each is killed `kills` times, and the first one stopped once."""

    office: Office
    place: Server
    nursery: Nursery
    lease: float = 1.5
    deadline: float = 0.8
    seed: int = 1
    pause: tuple[float, float] = (0.3, 1.2)
    ended: Counter[str] = field(default_factory=Counter)
    running: dict[str, int] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)

    def job(self) -> Job:
        """Return the job that is submitted."""
        where = Connection(self.office.sandbox.url, "demo")
        return Job(self.office.source, self.office.mapping, where, journal=self.place, quiet_period=1, spot_check=0)

    def queued(self) -> QueuedImport:
        """Return the newest import of the queue."""
        with Journal(self.place) as journal:
            return journal.queue.all()[0]

    def suffer(self, workers: int, kills: int, *, seconds: float, stopped: bool = True) -> QueuedImport:
        """Let workers send the import, each killed so many times; return it once it has ended."""
        threads = [
            threading.Thread(target=self._live, args=(f"w{number}", kills, stopped and number == 0))
            for number in range(workers)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        try:
            while (queued := self.queued()).state is not QueueState.ENDED:
                assert time.monotonic() < deadline, (queued, self.ended, self.said[-3:])
                time.sleep(0.2)
        finally:
            self.over.set()
            for name in list(self.running):
                self._signal(name, signal.SIGTERM)
            for thread in threads:
                thread.join()
        return queued

    def told_to_end(self, name: str, when: Callable[[], bool]) -> None:
        """Let one worker work until a moment, tell it to end, and wait until it has."""
        worker = threading.Thread(target=self._work, args=(name, 0))
        worker.start()
        self._wait_for(name, 0)
        while not when():
            time.sleep(0.01)
        self._signal(name, signal.SIGTERM)
        worker.join()

    def _live(self, name: str, kills: int, stopped: bool) -> None:  # noqa: FBT001 - of one call
        """Be started again and again, to be killed after a while, and left alone at last."""
        chance = Random(f"{self.seed} {name}")  # noqa: S311 - repeatable on purpose
        for life in range(kills + 1):
            if self.over.is_set():
                return
            worker = threading.Thread(target=self._work, args=(name, life))
            worker.start()
            self._wait_for(name, life)
            if life < kills:
                self._wait_for_work(name)
                self.over.wait(chance.uniform(*self.pause))
                if stopped and life == 0:
                    self._signal(name, signal.SIGSTOP)
                    self.over.wait(2 * self.lease)
                    self._signal(name, signal.SIGCONT)
                    self.ended["stopped"] += 1
                    self.over.wait(self.lease)
                if self.over.is_set():
                    self._signal(name, signal.SIGTERM)
                else:
                    self._signal(name, signal.SIGKILL)
                    self.ended["killed"] += 1
            elif self.over.is_set():
                self._signal(name, signal.SIGTERM)
            worker.join()

    def _work(self, name: str, life: int) -> None:
        hasty = (self.lease, self.deadline, self._pid(name, life))
        words = ("work", "--name", name, "--concurrency", "2", "--journal", self.place)
        ended = self.nursery.carry_out(*hasty, *words, program="machine_child")
        self.ended[f"exit {ended.status}"] += 1
        self.said.append(ended.said)

    def _pid(self, name: str, life: int) -> Path:
        return self.office.folder / f"{name}-{life}.pid"

    def _wait_for(self, name: str, life: int) -> None:
        file = self._pid(name, life)
        while not file.exists() and not self.over.is_set():
            time.sleep(0.01)
        if file.exists():
            self.running[name] = int(file.read_text("ascii"))

    def _wait_for_work(self, name: str) -> None:
        """Wait until a worker has a share, so that a kill comes in the middle of something."""
        mine = f"{name} %:{self.running.get(name)}:%"
        with psycopg.connect(conninfo_of(self.place), autocommit=True) as connection:
            query = "SELECT count(*) FROM shares WHERE state = 'held' AND holder LIKE %s"
            while not self.over.is_set() and connection.execute(query, [mine]).fetchone() == (0,):
                self.over.wait(0.1)

    def _signal(self, name: str, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.running[name], number)

    def settle_by_person(self) -> int:
        """Decide on each doubtful row by looking into the CRM, as a person does; return how many there were."""
        cases = {case.reference: case.wolkvox_id for case in self.office.sandbox.store.cases}
        job = SettleJob(Connection(self.office.sandbox.url, "demo"), self.place, self.office.mapping, 1)
        doubtful = [row for row in self.rows() if row[1] in {"unknown", "conflict"}]
        for reference, _state, _id in doubtful:
            job.by_hand(ByHand(reference, cases.get(reference)))
        return len(doubtful)

    def rows(self) -> list[tuple[str, str, str | None]]:
        """Return reference, state and id of every row."""
        with Journal(self.place) as journal, journal.reading() as connection:
            found = connection.exec_driver_sql("SELECT reference, state, wolkvox_id FROM rows ORDER BY id")
            return [(row[0], row[1], row[2]) for row in found]

    def assert_promise(self) -> Counter[str]:
        """Check that no row has two cases and no id is lost; return how many rows are in each state."""
        stored = self.office.sandbox.store.cases
        cases = {case.reference: case.wolkvox_id for case in stored}
        assert len(cases) == len(stored), "two cases for one reference"
        rows = {reference: (state, case_id) for reference, state, case_id in self.rows()}
        for reference, case_id in cases.items():
            state, known = rows[str(reference)]
            assert known == case_id or state in {"unknown", "conflict"}, (reference, state, known)
        for reference, (state, known) in rows.items():
            assert state != "created" or known == cases[reference]
        return Counter(state for state, _id in rows.values())


class Desk:
    """One machine in this process, and the jobs that it has queued for others."""

    def __init__(self, office: Office, place: Server, name: str = "one") -> None:
        self.office, self.place = office, place
        self.at_once: list[int] = []
        self.later: list[tuple[int, datetime | None]] = []
        self.said: list[str] = []
        successors = Successors(self.at_once.append, lambda number, when: self.later.append((number, when)))
        self.machine = QueueWorker(name, place, successors, say=self.said.append)

    def job(self, **options: object) -> Job:
        """Return a job of the office."""
        where = Connection(self.office.sandbox.url, "demo")
        job = Job(self.office.source, self.office.mapping, where, journal=self.place, quiet_period=1)
        return replace(job, **options)  # type: ignore[arg-type]

    def carry_on(self, queued: QueuedImport) -> QueuedImport:
        """Do one job; return the import as it is then."""
        carry_on(self.machine, queued.id)
        with Journal(self.place) as journal:
            found = journal.queue.find(queued.id)
        assert found is not None
        return found


@contextmanager
def shared_place() -> Iterator[Server]:
    """Give the place of an empty journal, for the time of a block, whose queue has no jobs of an earlier one."""
    with new_place() as place:
        yield place
        with psycopg.connect(conninfo_of(place), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS case_importer_queue CASCADE")
