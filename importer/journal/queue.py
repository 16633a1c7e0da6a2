"""Imports that are queued for machines, and the shares in which their rows are handed out.

This says who works on what, and nothing of what may be sent: a row is sent by who claims it (`attempts`), so that two
who believe that they have the same share send nothing twice. Who begins or ends an import holds it by a lease, and so
does who works on a share; another takes what is left of a lease that has ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, insert, or_, select, update

from importer.journal.database import Database
from importer.journal.queued import (
    QueuedImport,
    QueueState,
    RunPause,
    Share,
    ShareCounts,
    Submission,
    read_queue,
    share_of,
)
from importer.journal.runs import user_name
from importer.journal.schema import queued_imports, rows, shares
from importer.messages import _
from importer.model import Status

LEASE = 60.0
"""Seconds after which another machine takes what a machine has not said that it works on."""


class ImportQueue:
    """The queued imports of a journal."""

    def __init__(self, database: Database) -> None:
        self._database, self._clock = database, database.clock

    def submit(self, submission: Submission, not_before: float | None = None) -> tuple[QueuedImport, bool]:
        """Queue an import; return it and True, or the one that is queued of this source with this mapping and False.

        One that waits, and was submitted in another way or with files that were changed since, gives its place up.
        """
        written = json.dumps(dict(submission.options))
        values = asdict(submission) | {"options": written}
        state = {"state": QueueState.WAITING, "not_before": not_before, "failures": 0, "refusals": "{}"}
        with self._database.write() as connection:
            there = self._which_stays(connection, replace(submission, options=json.loads(written)))
            if there is not None:
                return there, False
            noted = {"user": user_name(), "submitted_at": self._clock.wall()}
            query = insert(queued_imports).values(**values, **state, **noted).returning(queued_imports.c.id)
            number: int = connection.execute(query).scalar_one()
            return read_queue(connection, queued_imports.c.id == number)[0], True

    def _which_stays(self, connection: Connection, submission: Submission) -> QueuedImport | None:
        """Return the queued import that a submission of it does not replace; one that it does replace is ended."""
        table = queued_imports.c
        same = and_(table.source == submission.source, table.mapping == submission.mapping)
        there = and_(same, table.state != QueueState.ENDED)
        self._rebase(connection, queued_imports, there)
        is_free = and_(there, table.state == QueueState.WAITING, self._is_over(queued_imports))
        for queued in read_queue(connection, there):
            if queued.submission == submission or not read_queue(connection, is_free):
                return queued
        replaced = {"state": QueueState.ENDED, "every": None, "message": _("It was submitted again.")}
        connection.execute(update(queued_imports).where(there).values(**replaced))
        return None

    def all(self) -> list[QueuedImport]:
        """Return every queued import, the newest first."""
        with self._database.read() as connection:
            return read_queue(connection)

    def find(self, queued_id: int) -> QueuedImport | None:
        """Return a queued import, None where there is none of this number."""
        with self._database.read() as connection:
            return next(iter(read_queue(connection, queued_imports.c.id == queued_id)), None)

    def expected(self) -> list[QueuedImport]:
        """Return the imports that have not begun, and are to begin by a time."""
        waiting = queued_imports.c.state == QueueState.WAITING
        with self._database.read() as connection:
            return read_queue(connection, waiting & queued_imports.c.expect_by.is_not(None))

    def note_late(self, queued_id: int, by: float) -> bool:
        """Note that it is told that an import has not begun by a moment; False where it has, or that was told."""
        waiting = and_(queued_imports.c.id == queued_id, queued_imports.c.state == QueueState.WAITING)
        untold = or_(queued_imports.c.late_told.is_(None), queued_imports.c.late_told < by)
        with self._database.write() as connection:
            return connection.execute(update(queued_imports).where(waiting, untold).values(late_told=by)).rowcount == 1

    def hold(self, queued_id: int, holder: str) -> bool:
        """Hold an import that has not ended, to begin or to end it; False while another holds it."""
        mine = and_(queued_imports.c.id == queued_id, queued_imports.c.state != QueueState.ENDED)
        with self._database.write() as connection:
            self._rebase(connection, queued_imports, mine)
            by_me = queued_imports.c.holder == holder
            free, leased = or_(self._is_over(queued_imports), by_me), self._leased(holder)
            leased["began"] = case((by_me, queued_imports.c.began), else_=leased["began"])
            held = connection.execute(update(queued_imports).where(mine, free).values(**leased))
            return held.rowcount == 1

    def release(self, queued_id: int, holder: str) -> None:
        """Hold an import no longer."""
        mine = and_(queued_imports.c.id == queued_id, queued_imports.c.holder == holder)
        with self._database.write() as connection:
            connection.execute(update(queued_imports).where(mine).values(holder=None))

    def begin(  # noqa: PLR0913, PLR0917 - everything that is known when a run begins
        self,
        queued_id: int,
        run_id: int,
        in_shares: Sequence[Sequence[tuple[int, str]]],
        source_digest: str,
        corrections_digest: str | None,
        quota_resets_at: float | None,
        calls: int = 0,
    ) -> None:
        """Record that the run of an import began: its rows in shares, and the digests that all machines must see.

        So many calls were made before.
        """
        changed = {
            "state": QueueState.SENDING,
            "run_id": run_id,
            "begun_at": self._clock.wall(),
            "source_digest": source_digest,
            "corrections_digest": corrections_digest,
            "quota_resets_at": quota_resets_at,
            "pause": None,
            "refusals": "{}",
        }
        fresh = {"queued_id": queued_id, "run_id": run_id, "state": "free", "tried": 0, "calls": 0}
        with self._database.write() as connection:
            mine = and_(queued_imports.c.id == queued_id, queued_imports.c.state != QueueState.ENDED)
            was_withdrawn = not connection.execute(update(queued_imports).where(mine).values(**changed)).rowcount
            if in_shares and not was_withdrawn:
                connection.execute(insert(shares), [{**fresh, "rows": json.dumps(list(each))} for each in in_shares])
                first = select(func.min(shares.c.id)).where(shares.c.run_id == run_id).scalar_subquery()
                connection.execute(update(shares).where(shares.c.id == first).values(calls=calls))

    def take(self, run_id: int, holder: str) -> Share | None:
        """Take the next share of a run, unless it is to end early; None where none is free."""
        with self._database.write() as connection:
            of_run = shares.c.run_id == run_id
            self._rebase(connection, shares, of_run & (shares.c.state == "held"))
            going_on = select(queued_imports.c.id).where(
                queued_imports.c.run_id == run_id,
                queued_imports.c.state == QueueState.SENDING,
                queued_imports.c.pause.is_(None),
            )
            free = or_(shares.c.state == "free", and_(shares.c.state == "held", self._is_over(shares)))
            query = select(shares).where(of_run, free, going_on.exists()).order_by(shares.c.id).limit(1)
            found = connection.execute(query.with_for_update(skip_locked=True)).first()
            if found is None:
                return None
            held = {**self._leased(holder), "state": "held", "tried": 0}
            connection.execute(update(shares).where(shares.c.id == found.id).values(**held))
        return share_of(found, holder)

    def renew(self, share: Share, tried: int) -> bool:
        """Keep a share, of which so many rows were tried; False where another has it now."""
        return self._change(share, **self._leased(share.holder), tried=tried)

    def end_share(self, share: Share, tried: int, calls: int, *, is_done: bool = True) -> bool:
        """Give a share back: done, or with rows left for another; count the calls that it took."""
        state = "done" if is_done else "free"
        return self._change(share, state=state, tried=tried, calls=shares.c.calls + calls)

    def counts(self, run_id: int) -> ShareCounts:
        """Return how far a run is."""
        with self._database.write() as connection:
            of_run = shares.c.run_id == run_id
            self._rebase(connection, shares, of_run & (shares.c.state == "held"))
            lapsed = select(func.count()).where(of_run, shares.c.state == "held", self._is_over(shares))
            over = connection.execute(lapsed).scalar_one()
            by_state = select(shares.c.state, func.count(), func.sum(shares.c.calls)).where(of_run)
            found = {state: (count, calls) for state, count, calls in connection.execute(by_state.group_by("state"))}
        free, held, done = (found.get(state, (0, 0))[0] for state in ("free", "held", "done"))
        return ShareCounts(free + over, held - over, done, sum(calls or 0 for _count, calls in found.values()))

    def pause(self, queued_id: int, run_id: int, pause: RunPause) -> None:
        """Let the run of an import end early: no share of it is taken any more; the first reason counts."""
        mine = and_(
            queued_imports.c.id == queued_id, queued_imports.c.run_id == run_id, queued_imports.c.pause.is_(None)
        )
        with self._database.write() as connection:
            connection.execute(update(queued_imports).where(mine).values(pause=json.dumps(asdict(pause))))

    def end(
        self,
        queued_id: int,
        exit_status: int,
        message: str | None,
        not_before: float | None,
        holder: str | None = None,
    ) -> bool:
        """Record how a run ended, or why it could not begin; with `not_before` the import begins again then.

        Where it was withdrawn, or a holder is given that holds it no longer, nothing is recorded: False.
        """
        ended = {
            "state": QueueState.ENDED if not_before is None else QueueState.WAITING,
            "not_before": not_before,
            "exit_status": exit_status,
            "message": message,
            "pause": None,
            "holder": None,
            "failures": 0,
        }
        mine = and_(queued_imports.c.id == queued_id, queued_imports.c.state != QueueState.ENDED)
        held = mine if holder is None else mine & (queued_imports.c.holder == holder)
        with self._database.write() as connection:
            if not connection.execute(update(queued_imports).where(held).values(**ended)).rowcount:
                return False
            another_sheet = update(queued_imports).where(
                queued_imports.c.id == queued_id, queued_imports.c.every.is_not(None)
            )
            connection.execute(another_sheet.values(source_digest=None, corrections_digest=None))
        return True

    def withdraw(self, queued_id: int) -> bool:
        """Take an import out of the queue: a run that goes on ends early, none begins again; False if it has ended."""
        mine = and_(queued_imports.c.id == queued_id, queued_imports.c.state != QueueState.ENDED)
        with self._database.write() as connection:
            found = connection.execute(select(queued_imports.c.state).where(mine)).first()
            if found is None:
                return False
            pause = json.dumps(asdict(RunPause("", 3)))
            values = {"every": None} | (
                {"pause": pause} if found.state == QueueState.SENDING else {"state": QueueState.ENDED}
            )
            connection.execute(update(queued_imports).where(mine).values(**values))
        return True

    def note_failure(self, queued_id: int) -> int:
        """Count a failure of our own while an import was worked on; return how many there were in a row."""
        mine = queued_imports.c.id == queued_id
        with self._database.write() as connection:
            more = update(queued_imports).where(mine).values(failures=queued_imports.c.failures + 1)
            count: int = connection.execute(more.returning(queued_imports.c.failures)).scalar_one()
        return count

    def note_refusal(self, queued_id: int, machine: str, sentence: str) -> None:
        """Note why a machine cannot work on an import."""
        mine = queued_imports.c.id == queued_id
        with self._database.write() as connection:
            noted = json.loads(connection.scalars(select(queued_imports.c.refusals).where(mine)).first() or "{}")
            values = {"refusals": json.dumps({**noted, machine: sentence})}
            connection.execute(update(queued_imports).where(mine).values(**values))

    def in_flight(self, import_id: int) -> int:
        """Return how many rows of an import are being sent."""
        query = select(func.count()).where(rows.c.import_id == import_id, rows.c.state == Status.SENDING)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def _change(self, share: Share, **values: object) -> bool:
        mine = and_(shares.c.id == share.id, shares.c.holder == share.holder, shares.c.state == "held")
        with self._database.write() as connection:
            return connection.execute(update(shares).where(mine).values(**values)).rowcount == 1

    def _leased(self, holder: str | None) -> dict[str, object]:
        now = self._clock.elapsed()
        return {"holder": holder, "boot": self._clock.boot(), "began": now, "lease": now + LEASE}

    def _is_over(self, of: Table) -> ColumnElement[bool]:
        return or_(of.c.holder.is_(None), of.c.lease <= self._clock.elapsed())

    def _rebase(self, connection: Connection, of: Table, which: ColumnElement[bool]) -> None:
        """Measure leases of another boot from now on, as if no time had passed: it is unknown how much did."""
        other = or_(of.c.boot != self._clock.boot(), of.c.began > self._clock.elapsed())
        leased = update(of).where(which, of.c.holder.is_not(None), other)
        now = self._clock.elapsed()
        connection.execute(leased.values(boot=self._clock.boot(), began=now, lease=now + LEASE))
