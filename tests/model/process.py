"""What a running importer may do next: intent, mark, lease, first byte, last chunk, answer, or being killed.

A process that is stopped (SIGSTOP, a closed laptop, a paused container) takes no step while others do and time passes.
Asking the lease and the system call that sends are one step: no program can close the gap between them.
"""

from __future__ import annotations

from collections.abc import Iterator

from .clocks import sender_lost_its_lease
from .journal import Ending, Step, end
from .rules import Rule, Setting
from .state import NOBODYS_CASE, At, Attempt, Process, Request, State, World


def steps(setting: Setting, world: World, which: int) -> Iterator[Step]:
    """Yield what a process may do next; it may be killed at any point."""
    process = world.processes[which]
    name = f"Process {which + 1}"
    if process.at == At.IDLE:
        yield from _claim(setting, world, which, name)
        return
    if process.at == At.CLAIMED:
        yield from _raise_mark(setting, world, which, name)
    elif process.at == At.READY:
        yield from _first_byte(setting, world, which, name)
    elif process.at == At.UPLOADING:
        yield from _last_chunk(setting, world, which, name)
    else:
        yield from _answer(setting, world, which, name)
    yield f"{name} is killed", world.with_process(which, Process(process.machine))


def _claim(setting: Setting, world: World, which: int, name: str) -> Iterator[Step]:
    """Commit the intent for the first row of the sheet that may be sent, unless the journal is refused."""
    process = world.processes[which]
    journal = world.journals[process.machine]
    sendable = {State.PLANNED, State.UNKNOWN} if Rule.NO_POST_WHILE_UNKNOWN in setting.off else {State.PLANNED}
    if journal is None or not journal_is_trusted(setting, world, process.machine):
        return
    row = next((number for number, row in enumerate(journal.rows) if row.state in sendable), None)
    if row is None or sum(attempt.row == row for attempt in world.attempts) >= setting.attempts:
        return
    number = len(world.attempts) + 1
    count = journal.intents + 1
    attempts = (*world.attempts, Attempt(row, world.now, world.ahead, count))
    by_mark = (setting.copies or setting.second_computer) and Rule.MARK_BEFORE_FIRST_BYTE not in setting.off
    at = At.CLAIMED if by_mark else At.READY  # unless a copy can come back, the mark is not worth its states
    claimed = Process(process.machine, at, number, journal.identity, process.leftover)
    after = world._replace(attempts=attempts).with_process(which, claimed)
    if Rule.INTENT_FIRST in setting.off:
        yield f"{name} begins to send row {row + 1} (attempt {number}) without a word in the journal", after
        return
    after = after.with_journal(process.machine, journal._replace(intents=count))
    sending = journal.rows[row]._replace(state=State.SENDING, attempt=number)
    yield (
        f"{name} commits its intent to send row {row + 1} (attempt {number})",
        after.with_row(process.machine, row, sending),
    )


def journal_is_trusted(setting: Setting, world: World, machine: int) -> bool:
    """Return whether a run on this machine may use its journal: it is known here and not below its mark."""
    journal, mark = world.journals[machine], world.marks[machine]
    if journal is None:
        return False
    if mark is None:
        return Rule.UNKNOWN_MACHINE_ASKS in setting.off
    return journal.intents >= mark or Rule.HIGH_WATER_MARK in setting.off


def _raise_mark(setting: Setting, world: World, which: int, name: str) -> Iterator[Step]:
    process = world.processes[which]
    ready = world.with_process(which, process._replace(at=At.READY))
    yield f"{name} raises the high-water mark", _marked(setting, ready, process)


def _marked(setting: Setting, world: World, process: Process) -> World:
    if not (setting.copies or setting.second_computer):
        return world
    count = world.attempt(process.attempt).number
    marks = (max(mark or 0, count) if on == process.machine else mark for on, mark in enumerate(world.marks))
    return world._replace(marks=tuple(marks))


def _first_byte(setting: Setting, world: World, which: int, name: str) -> Iterator[Step]:
    yield f"{name} gets no connection: not delivered", _ended(setting, world, which, Ending.NOT_DELIVERED)
    asks = Rule.LEASE_BEFORE_FIRST_BYTE not in setting.off
    if (why := _may_not_send(setting, world, which, asks=asks)) is not None:
        yield f"{name} sends nothing: {why}", _ended(setting, world, which, Ending.NOT_DELIVERED)
        return
    number = world.processes[which].attempt
    yield f"{name} sends the whole of a short body (attempt {number})", _sent(world, which)
    if setting.long_bodies:
        uploading = world.processes[which]._replace(at=At.UPLOADING)
        yield f"{name} sends the first chunk of a long body (attempt {number})", world.with_process(which, uploading)


def _last_chunk(setting: Setting, world: World, which: int, name: str) -> Iterator[Step]:
    yield (
        f"{name} loses its connection before the last chunk: not delivered",
        _ended(setting, world, which, Ending.NOT_DELIVERED),
    )
    if setting.short_uploads:
        whole = Rule.SHORT_UPLOAD_IS_UNKNOWN in setting.off
        ending = Ending.CREATED if whole else Ending.UNKNOWN
        yield (
            f"{name} reads a success, with an id, before it has sent the last chunk; no case is made",
            _ended(setting, world, which, ending, NOBODYS_CASE),
        )
    asks = Rule.LEASE_BEFORE_LAST_CHUNK not in setting.off
    if (why := _may_not_send(setting, world, which, asks=asks)) is not None:
        yield f"{name} sends no more: {why}", _ended(setting, world, which, Ending.NOT_DELIVERED)
    else:
        yield f"{name} sends the last chunk (attempt {world.processes[which].attempt})", _sent(world, which)


def _may_not_send(setting: Setting, world: World, which: int, *, asks: bool) -> str | None:
    """Return why a process must not send now, as far as it checks, or None if it may."""
    process = world.processes[which]
    journal = world.journals[process.machine]
    if asks and sender_lost_its_lease(setting, world, world.attempt(process.attempt)):
        return "its lease is over"
    if Rule.FILE_IS_WATCHED not in setting.off and (journal is None or journal.identity != process.file):
        return "the journal is another file"
    return None


def _sent(world: World, which: int) -> World:
    """Return the moment in which the CRM has the whole body, which it commits within the quiet period or never."""
    process = world.processes[which]
    attempt = world.attempt(process.attempt)._replace(request=Request.IN_WORK, last_moment=world.now + 1)
    waiting = process._replace(at=At.WAITING)
    return world.with_attempt(process.attempt, attempt).with_process(which, waiting)


def _answer(setting: Setting, world: World, which: int, name: str) -> Iterator[Step]:
    process = world.processes[which]
    attempt = world.attempt(process.attempt)
    lost = Ending.UNKNOWN if Rule.ONLY_PROOF_LEADS_BACK not in setting.off else Ending.NOT_DELIVERED
    yield f"{name} gets no answer that tells, and gives up", _ended(setting, world, which, lost)
    if attempt.request == Request.MADE:
        created = _ended(setting, world, which, Ending.CREATED, attempt.case)
        yield f"{name} reads the answer: case {attempt.case}", created
        if setting.refusals:
            words = f"{name} reads a refusal that carries an id: case {attempt.case}"
            if Rule.ID_IN_REFUSAL_IS_KEPT in setting.off:
                dropped = world._replace(arrived=world.arrived | {attempt.case})
                yield words, _ended(setting, dropped, which, Ending.REJECTED)
            else:
                yield words, _ended(setting, world, which, Ending.UNKNOWN, attempt.case)
    elif attempt.request == Request.REFUSED:
        yield f"{name} reads a refusal: rejected", _ended(setting, world, which, Ending.REJECTED)
    for case in _answers_of_others(setting, world, process):
        strange = _ended(setting, world, which, Ending.CREATED, case)
        yield f"{name} reads the answer to another row's request: case {case}", strange


def _answers_of_others(setting: Setting, world: World, process: Process) -> set[int]:
    """Return the ids of other rows that may come as this request's answer.

    A shared connection still has the answer to the previous request. A repeating proxy returns an answer that was
    delivered before; a crossing proxy returns one that was not.
    """
    row = world.attempt(process.attempt).row
    cases: set[int] = set()
    if process.leftover:
        cases.add(world.attempt(process.leftover).case)
    if setting.repeating_proxy:
        cases |= world.arrived - {NOBODYS_CASE}
    if setting.crossing_proxy:
        cases |= {attempt.case for attempt in world.attempts}
    return {case for case in cases if case and world.cases[case - 1].row != row}


def _ended(setting: Setting, world: World, which: int, ending: Ending, case: int = 0) -> World:
    """Commit how the attempt ended to the current journal file, and free the process for the next row."""
    process = world.processes[which]
    world = end(setting, world, process.machine, process.attempt, ending, case)
    if Rule.MARK_BEFORE_FIRST_BYTE in setting.off:
        world = _marked(setting, world, process)
    shared = Rule.OWN_CONNECTION in setting.off and process.at == At.WAITING
    return world.with_process(which, Process(process.machine, leftover=process.attempt if shared else 0))
