"""The small model of updates: one created row, edited to and fro, and the processes that update its case.

What the other model shows of intents, marks and ids holds for updates as well; here it is about contents alone. A
content is 0 (as the case was created) or 1; updates are numbered as they begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from .rules import Promise, Rule, Setting
from .state import Request


class Ended(IntEnum):
    """What the journal knows of an update."""

    SENDING = 0
    UNKNOWN = 1
    UPDATED = 2
    UNSENT = 3


class Update(NamedTuple):
    """One update: what it carries, when it began, what the journal knows of it, and its request at the CRM."""

    content: int
    begun: int
    ended: Ended = Ended.SENDING
    request: Request = Request.NONE
    last_moment: int = 0


class Sender(NamedTuple):
    """A process: the update that it has begun, 0 for none, and whether that was sent."""

    update: int = 0
    sent: bool = False


class Moment(NamedTuple):
    """The contents of the sheet, the journal and the case; `last` is the update that the row is about."""

    now: int
    senders: tuple[Sender, ...]
    sheet: int = 0
    known: int = 0
    case: int = 0
    last: int = 0
    updates: tuple[Update, ...] = ()

    @property
    def newest(self) -> Update | None:
        """The update that the row is about."""
        return self.updates[self.last - 1] if self.last else None

    def with_update(self, number: int, update: Update) -> Moment:
        """Return the moment with another value of an update."""
        return self._replace(updates=(*self.updates[: number - 1], update, *self.updates[number:]))

    def with_sender(self, which: int, sender: Sender) -> Moment:
        """Return the moment with another value of a process."""
        return self._replace(senders=(*self.senders[:which], sender, *self.senders[which + 1 :]))


Step = tuple[str, Moment]


def beginning(setting: Setting) -> Moment:
    """Return the first moment: the case is as the row."""
    return Moment(0, (Sender(),) * setting.processes)


def steps(setting: Setting, moment: Moment) -> Iterator[Step]:
    """Yield everything that may happen next."""
    yield f"A person edits the row to content {1 - moment.sheet}", moment._replace(sheet=1 - moment.sheet)
    for which, sender in enumerate(moment.senders):
        name = f"Process {which + 1}"
        if sender.update:
            yield f"{name} is killed", moment.with_sender(which, Sender())
            send = _wait if sender.sent else _send
            yield from send(setting, moment, which, name)
        else:
            yield from _claim(setting, moment, which, name)
    for number, update in enumerate(moment.updates, 1):
        if update.request == Request.IN_WORK:
            made = moment.with_update(number, update._replace(request=Request.MADE))
            yield f"The CRM carries update {number} out", made._replace(case=update.content)
        if update.ended == Ended.SENDING and moment.now > update.begun:
            unknown = moment.with_update(number, update._replace(ended=Ended.UNKNOWN))
            yield f"Update {number} is unknown: its lease is over", unknown
    if moment.now < setting.ticks:
        yield "Time passes", _later(moment)


def _claim(setting: Setting, moment: Moment, which: int, name: str) -> Iterator[Step]:
    last = moment.newest
    may_begin = len(moment.updates) < setting.attempts and _is_free(setting, moment, last)
    if not may_begin or counts_as_same(setting, moment):
        return
    updates = (*moment.updates, Update(moment.sheet, moment.now))
    begun = moment._replace(updates=updates, last=len(updates)).with_sender(which, Sender(len(updates)))
    yield f"{name} commits its intent to update the case to content {moment.sheet} (update {len(updates)})", begun


def _is_free(setting: Setting, moment: Moment, last: Update | None) -> bool:
    """Return whether no earlier update is under way, or could still arrive."""
    if last is None or last.ended in {Ended.UPDATED, Ended.UNSENT}:
        return True
    if last.ended == Ended.SENDING:
        return Rule.ONE_UPDATE_AT_A_TIME in setting.off
    return moment.now >= last.begun + 2 or Rule.UPDATE_WAITS_FOR_QUIET in setting.off


def _send(setting: Setting, moment: Moment, which: int, name: str) -> Iterator[Step]:
    number = moment.senders[which].update
    update, free = moment.updates[number - 1], moment.with_sender(which, Sender())
    unsent = _failed(setting, free.with_update(number, _concluded(update, Ended.UNSENT)), number)
    yield f"{name} sends nothing (update {number}): no connection, or its lease is over", unsent
    if moment.now == update.begun or Rule.UPDATE_ASKS_ITS_LEASE in setting.off:
        sent = update._replace(request=Request.IN_WORK, last_moment=moment.now + 1)
        yield f"{name} sends update {number}", moment.with_update(number, sent).with_sender(which, Sender(number, True))  # noqa: FBT003


def _wait(setting: Setting, moment: Moment, which: int, name: str) -> Iterator[Step]:
    number = moment.senders[which].update
    update, free = moment.updates[number - 1], moment.with_sender(which, Sender())
    lost = free.with_update(number, _concluded(update, Ended.UNKNOWN))
    if Rule.HASH_MOVES_ON_SUCCESS in setting.off:
        lost = free.with_update(number, update._replace(ended=Ended.UPDATED))._replace(known=update.content)
    yield f"{name} gets no answer to update {number}", lost
    if update.request == Request.MADE:
        done = free.with_update(number, update._replace(ended=Ended.UPDATED))
        moves = number == moment.last or Rule.HASH_MOVES_FOR_THE_NEWEST in setting.off
        known = update.content if moves else moment.known
        yield f"{name} reads the success of update {number}", done._replace(known=known)


def _concluded(update: Update, ended: Ended) -> Update:
    """Return an update with an ending that is no success: it counts only while nothing else is known."""
    return update._replace(ended=ended) if update.ended in {Ended.SENDING, Ended.UNKNOWN} else update


def _failed(setting: Setting, moment: Moment, number: int) -> Moment:
    """Return the moment after an update that was not delivered, or refused: the row is about the one before it."""
    if number != moment.last or Rule.FAILED_UPDATE_LEAVES_THE_ONE_BEFORE in setting.off:
        return moment
    earlier = [at for at, one in enumerate(moment.updates[: number - 1], 1) if one.ended != Ended.UNSENT]
    if not earlier:
        return moment
    before = moment.updates[earlier[-1] - 1]
    known = before.content if before.ended == Ended.UPDATED else moment.known
    return moment._replace(last=earlier[-1], known=known)


def _later(moment: Moment) -> Moment:
    now = moment.now + 1
    updates = (
        one._replace(request=Request.DROPPED) if one.request == Request.IN_WORK and one.last_moment < now else one
        for one in moment.updates
    )
    return moment._replace(now=now, updates=tuple(updates))


def counts_as_same(setting: Setting, moment: Moment) -> bool:
    """Return whether the row counts as unchanged: as the journal knows it, and no update of it may have arrived."""
    last = moment.newest
    may_have_arrived = last is not None and last.ended in {Ended.SENDING, Ended.UNKNOWN}
    awaited = may_have_arrived and Rule.LOST_UPDATE_IS_AWAITED not in setting.off
    return moment.sheet == moment.known and not awaited


def broken(setting: Setting, moment: Moment) -> Promise | None:
    """Return the promise that a moment breaks, None if it holds."""
    return Promise.RIGHT_CONTENT if counts_as_same(setting, moment) and moment.case != moment.sheet else None


def same(moment: Moment) -> Moment:
    """Return the value shared by moments that differ only in which process is which."""
    return moment._replace(senders=tuple(sorted(moment.senders)))
