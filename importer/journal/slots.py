"""How many requests of one token are in flight, and at what pace they start: shared by all that use one journal.

A request holds a slot, a row of its scope that is leased until the attempt's deadline: a lock of the connection would
be gone with its holder while the request that it sent is still being answered. Whoever finds a lease that has ended
takes the slot. What the CRM asks of one of them (to wait, or to slow down) holds for all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from importer.journal.database import Database
from importer.journal.leases import OWNER
from importer.journal.schema import token_pace, token_slots
from importer.system.clock import Clock

MARGIN = 15.0
"""Seconds that the lease of a slot outlasts the deadline of its request: what is done before and after it fits in."""

_OF_SCOPE = select(token_slots).where(token_slots.c.scope == bindparam("in_scope")).order_by(token_slots.c.number)
_CHANGE = update(token_slots).where(
    token_slots.c.scope == bindparam("in_scope"), token_slots.c.number == bindparam("at")
)

_not_freed: dict[str, set[str]] = {}
"""The holders of slots that this process has to free, by scope: the journal failed when it tried, or it does so now."""


@dataclass(frozen=True, slots=True)
class TokenPace:
    """What the CRM asks of everyone who uses a token, in seconds from now, and how many bad outcomes came in a row."""

    next_start: float = 0.0
    gate: float = 0.0
    doubts: int = 0
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A slot that is held until its lease ends, and the pace as it was when it was taken.

    `holder` names it in the journal.
    """

    holder: str
    lease: float
    pace: TokenPace


@dataclass(frozen=True, slots=True)
class NoSlot:
    """Why no request may start now: all slots are held, or for so many seconds no request of the token may start."""

    pace: TokenPace
    wait: float = 0.0


class TokenSlots:
    """The slots and the pace of one token; any thread may use them.

    The scope is a digest, so that the journal says nothing of the token.
    """

    def __init__(self, database: Database, scope: str) -> None:
        self._database, self._clock, self._scope = database, database.clock, scope

    def take(self, most: int, seconds: float, interval: float = 0.0) -> HeldSlot | NoSlot:
        """Take one of the first `most` slots for a request of so many seconds, if one is free and the pace allows it.

        The next request of the token starts at least `interval` seconds later.
        """
        with self._writing() as connection:
            now = self._clock.elapsed()
            pace = _read_pace(connection, self._scope, self._clock, now)
            if (wait := max(pace.next_start, pace.gate)) > 0:
                return NoSlot(pace, wait)
            number = self._free_number(connection, most, now)
            if number is None:
                return NoSlot(pace)
            slot = HeldSlot(secrets.token_hex(8), now + seconds + MARGIN, pace)
            self._hold(connection, number, slot, now)
            if interval:
                next_pace = TokenPace(interval, 0.0, pace.doubts, pace.refusals)
                _write_pace(connection, self._scope, self._clock, now, next_pace)
        return slot

    def _hold(self, connection: Connection, number: int, slot: HeldSlot, now: float) -> None:
        held = {"holder": slot.holder, "owner": OWNER, "boot": self._clock.boot(), "began": now, "lease": slot.lease}
        connection.execute(_CHANGE, {"in_scope": self._scope, "at": number, **held})

    def extend(self, holder: str, lease: float) -> bool:
        """Let a slot that is still held last until the lease of an attempt ends; False where it was lost meanwhile.

        Only then may the attempt send: its own lease, which is asked before the first byte, then covers the slot.
        """
        with self._database.write(self._scope) as connection:
            now = self._clock.elapsed()
            holds = (token_slots.c.boot == self._clock.boot()) & (token_slots.c.lease > now)
            mine = (token_slots.c.scope == self._scope) & (token_slots.c.holder == holder)
            held = connection.execute(update(token_slots).where(mine, holds).values(lease=lease))
            return held.rowcount == 1

    def free(self, holder: str, learn: Callable[[TokenPace], TokenPace]) -> TokenPace:
        """Give a slot back, and note by `learn` what its request has shown; return the pace from now on.

        The slot of a lease that has ended may have another holder, which keeps it. Where the journal fails, the slot is
        freed with the next one that this process takes.
        """
        _not_freed.setdefault(self._scope, set()).add(holder)
        with self._writing() as connection:
            now = self._clock.elapsed()
            before = _read_pace(connection, self._scope, self._clock, now)
            after = learn(before)
            if after != before:
                _write_pace(connection, self._scope, self._clock, now, after)
        return after

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give a connection for a transaction that also frees the slots that this process no longer needs."""
        left = _not_freed.setdefault(self._scope, set())
        freed = list(left)
        with self._database.write(self._scope) as connection:
            for holder in freed:
                mine = (token_slots.c.scope == self._scope) & (token_slots.c.holder == holder)
                connection.execute(update(token_slots).where(mine).values(holder=None))
            yield connection
        left.difference_update(freed)

    def held(self) -> int:
        """Return how many slots are held now."""
        with self._database.read() as connection:
            now = self._clock.elapsed()
            held = (row for row in connection.execute(_OF_SCOPE, {"in_scope": self._scope}) if row.holder is not None)
            return sum(row.lease > now for row in held)

    def _free_number(self, connection: Connection, most: int, now: float) -> int | None:
        """Return the first free slot, adding those that the journal does not have yet."""
        known: dict[int, Row[Any]] = {
            row.number: row for row in connection.execute(_OF_SCOPE, {"in_scope": self._scope})
        }
        missing = [{"scope": self._scope, "number": number} for number in range(most) if number not in known]
        if missing:
            connection.execute(insert(token_slots), missing)
        for number, row in known.items():
            if row.holder is not None and (row.boot != self._clock.boot() or row.began > now):
                self._measure_anew(connection, number, now, row.lease - row.began)
            elif number < most and (row.holder is None or row.lease <= now):
                return number
        return next((number for number in range(most) if number not in known), None)

    def _measure_anew(self, connection: Connection, number: int, now: float, length: float) -> None:
        """Measure a slot of another boot from now on, as if no time had passed: it is unknown how much did."""
        moved = {"boot": self._clock.boot(), "began": now, "lease": now + length}
        mine = (token_slots.c.scope == self._scope) & (token_slots.c.number == number)
        connection.execute(update(token_slots).where(mine).values(**moved))


def token_scope(tenant: str, operation: str, token: str, secret: bytes) -> str:
    """Return the scope of a token: a digest under the journal's own secret."""
    text = f"{tenant}\0{operation}\0{token}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _read_pace(connection: Connection, scope: str, clock: Clock, now: float) -> TokenPace:
    """Return the pace of a token; what was measured in another boot is measured from now on."""
    row = connection.execute(select(token_pace).where(token_pace.c.scope == scope)).one_or_none()
    if row is None:
        return TokenPace()
    is_other = row.boot != clock.boot() or row.noted > now
    since = row.noted if is_other else now
    pace = TokenPace(max(0.0, row.next_start - since), max(0.0, row.gate - since), row.doubts, row.refusals)
    if is_other:
        _write_pace(connection, scope, clock, now, pace)
    return pace


def _write_pace(connection: Connection, scope: str, clock: Clock, now: float, pace: TokenPace) -> None:
    values = {
        "boot": clock.boot(),
        "noted": now,
        "next_start": now + pace.next_start,
        "gate": now + pace.gate,
        "doubts": pace.doubts,
        "refusals": pace.refusals,
    }
    changed = connection.execute(update(token_pace).where(token_pace.c.scope == scope).values(**values))
    if not changed.rowcount:
        connection.execute(insert(token_pace).values(scope=scope, **values))
