"""How long something may be sent: leases by a clock that counts sleep, for every kind of attempt.

The creation of a case is an attempt, and so is its update. Each has a random token, a deadline after which nothing of
it is sent, and a lease that outlasts the deadline by what the commit of its outcome may take.
"""

from __future__ import annotations

import os
import platform
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, or_, select, update

from importer.journal.database import Database
from importer.system.clock import Clock

OWNER = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"
"""This process, as its attempts name it."""

MARGIN = 5.0
"""Seconds that a lease outlasts its attempt's deadline, for the commit of the outcome."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that may begin, for one row.

    `token` distinguishes it from an attempt of the same number in a copied journal. The lease ends at `lease` seconds
    on the clock that counts sleep, of the boot `boot`.
    """

    id: int
    reference: str
    token: str
    boot: str
    lease: float


@dataclass(frozen=True, slots=True)
class Begun:
    """When an attempt began, and for how long it may send; the names are those of its columns."""

    owner: str
    token: str
    started_at: float
    boot: str
    began: float
    deadline: float
    lease: float

    @classmethod
    def now(cls, clock: Clock, seconds: float) -> Begun:
        """Return an attempt that begins now, and sends nothing more after so many seconds."""
        began, wall = clock.both()
        deadline = began + seconds
        return cls(OWNER, secrets.token_hex(8), wall, clock.boot(), began, deadline, deadline + MARGIN)

    def attempt(self, number: int, reference: str) -> Attempt:
        """Return the attempt under the number that the journal gave it."""
        return Attempt(number, reference, self.token, self.boot, self.lease)


def lease_holds(database: Database, in_flight: Select[Any], attempt: Attempt) -> bool:
    """Whether an attempt of this process may still send; asked right before the first byte and the last chunk."""
    return database.still_sends(in_flight, attempt.id, attempt.token, attempt.boot, attempt.lease)


def in_flight(table: Table, *more: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the boot and the lease of an attempt of a table, by `number` and `token`."""
    mine = table.c.id == bindparam("number"), table.c.token == bindparam("token")
    return select(table.c.boot, table.c.lease).where(*mine, *more)


def of_another_boot(table: Table, clock: Clock) -> ColumnElement[bool]:
    """Return the condition that an attempt was measured in another boot: so was one that began in the future."""
    return or_(table.c.boot.is_(None), table.c.boot != clock.boot(), table.c.began > clock.elapsed())


def rebase(connection: Connection, clock: Clock, table: Table, found: Select[Any]) -> None:
    """Measure attempts of another boot from now on, as if no time had passed: it is unknown how much did.

    `found` yields the number, `began`, `deadline`, `lease`, and whether the attempt is still in flight. One that is
    keeps the whole length of its lease; one whose answer is missing has nothing left that could be sent, so that its
    quiet period begins now.
    """
    now, boot = clock.elapsed(), clock.boot()
    for number, began, deadline, lease, in_flight in connection.execute(found).all():
        moved = {
            "boot": boot,
            "began": now,
            "deadline": now + (deadline - began if in_flight else 0),
            "lease": now + (lease - began if in_flight else 0),
        }
        connection.execute(update(table).where(table.c.id == number).values(**moved))
