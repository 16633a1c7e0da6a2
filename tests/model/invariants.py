"""The promises, checked at every reachable moment."""

from __future__ import annotations

from collections.abc import Callable

from .journal import ids_in
from .process import journal_is_trusted
from .rules import Promise, Setting
from .state import DOUBTFUL, NOBODYS_CASE, Journal, State, World


def _one_case(setting: Setting, world: World) -> bool:
    return len(world.cases) < 2 or all(len(world.cases_of(row)) <= 1 for row in range(setting.rows))


def _no_id_lost(_setting: Setting, world: World) -> bool:
    if not world.arrived:
        return True
    known: set[int] = set()
    for journal in world.journals:
        known |= ids_in(journal)
    return world.arrived <= known


def _right_id(setting: Setting, world: World) -> bool:
    return all(
        row.state != State.CREATED or row.disputed or _is_right(setting, world, journal, number)
        for journal in _journals(world)
        for number, row in enumerate(journal.rows)
    )


def _is_right(setting: Setting, world: World, journal: Journal, number: int) -> bool:
    """Return whether a row's id is its own case's.

    No program can see at once that a network has crossed two answers, neither of which was delivered before. The
    promise then is that the other row stays in doubt until the search for it finds the mistake.
    """
    case = journal.rows[number].case
    if case in {0, NOBODYS_CASE, *journal.rows[number].gone}:
        return False
    whose = world.cases[case - 1].row
    return whose == number or (setting.crossing_proxy and journal.rows[whose].state in DOUBTFUL | {State.SENDING})


def _doubt_named(setting: Setting, world: World) -> bool:
    """Look for rows that seem unsent although their case exists; a refused journal names all of its rows."""
    return not world.cases or not any(
        row.state in {State.PLANNED, State.REJECTED} and world.cases_of(number)
        for machine, journal in enumerate(world.journals)
        if journal and journal_is_trusted(setting, world, machine)
        for number, row in enumerate(journal.rows)
    )


def _no_false_doubt(_setting: Setting, world: World) -> bool:
    awaited = {
        process.attempt
        for process in world.processes
        if process.attempt and world.now <= world.attempt(process.attempt).begun
    }
    return not awaited or not any(
        row.state == State.UNKNOWN and row.attempt in awaited for journal in _journals(world) for row in journal.rows
    )


def _journals(world: World) -> list[Journal]:
    return [journal for journal in world.journals if journal]


HOLDS: dict[Promise, Callable[[Setting, World], bool]] = {
    Promise.ONE_CASE: _one_case,
    Promise.NO_ID_LOST: _no_id_lost,
    Promise.RIGHT_ID: _right_id,
    Promise.DOUBT_NAMED: _doubt_named,
    Promise.NO_FALSE_DOUBT: _no_false_doubt,
    Promise.RIGHT_CONTENT: lambda _setting, _world: True,  # that of the model of updates
}


def broken(setting: Setting, world: World, promises: tuple[Promise, ...] = tuple(Promise)) -> Promise | None:
    """Return the first of these promises that a moment breaks, or None if all hold."""
    for promise in promises:
        if not HOLDS[promise](setting, world):
            return promise
    return None
