"""Visit every reachable moment, nearest first, until a promise breaks or none is left."""

from __future__ import annotations

import gc
import re
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from . import invariants, journal, process, surroundings, updates
from .journal import Step
from .rules import RULES, SETTINGS, Promise, Rule, Setting
from .state import Attempt, Request, World

M = TypeVar("M", bound=Hashable)
"""A moment of one of the two models."""


class Explored(NamedTuple):
    """The result of an exploration: how many moments it met, and the shortest way to a broken promise, if any.

    `kinds` are the kinds of steps that were taken: they show that the model is not one in which nothing happens.
    """

    moments: int
    kinds: frozenset[str]
    broken: Promise | None = None
    story: tuple[str, ...] = ()


def steps(setting: Setting, world: World) -> Iterator[Step]:
    """Yield everything that may happen next: each step in plain words, with the moment after it."""
    for which in range(len(world.processes)):
        yield from process.steps(setting, world, which)
    yield from journal.steps(setting, world)
    yield from surroundings.steps(setting, world)


def explore(setting: Setting, promises: tuple[Promise, ...] = tuple(Promise)) -> Explored:
    """Explore breadth first, so that the first story found is a shortest one."""
    if setting.updates:
        return _explored(setting, updates.beginning(setting), updates.steps, updates.same, updates.broken)
    first = surroundings.beginning(setting)
    return _explored(setting, first, steps, _same, lambda of, world: invariants.broken(of, world, promises))


def _explored(
    setting: Setting,
    first: M,
    steps: Callable[[Setting, M], Iterator[tuple[str, M]]],
    same: Callable[[M], M],
    broken: Callable[[Setting, M], Promise | None],
) -> Explored:
    with _no_garbage():
        came_from: dict[M, tuple[M, str] | None] = {same(first): None}
        waiting = deque([first])
        taken: set[str] = set()
        while waiting:
            moment = waiting.popleft()
            before = same(moment)
            for what, after in steps(setting, moment):
                taken.add(what)
                if after in came_from or (known := same(after)) in came_from:
                    continue
                came_from[known] = before, what
                promise = broken(setting, after)
                if promise is not None:
                    return Explored(len(came_from), _kinds(taken), promise, _story(came_from, known))
                waiting.append(after)
    return Explored(len(came_from), _kinds(taken))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keep Python from searching for cycles among moments, which have none, again and again: a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _kinds(taken: set[str]) -> frozenset[str]:
    """Return the kinds of these steps: without their numbers, and the passing of time as one kind."""
    kinds = {re.sub(r"\d+", "N", what) for what in taken}
    return frozenset(re.sub(r"^(Time passes).*", r"\1", kind) for kind in kinds)


def _same(world: World) -> World:
    """Return the value shared by moments that differ only in which process is which, or in facts that no step reads."""
    read = {process.attempt for process in world.processes} | {process.leftover for process in world.processes}
    read |= {row.attempt for kept in (*world.journals, world.backup) if kept for row in kept.rows}
    if world.note:
        read.add(world.note.attempt)
    attempts = tuple(
        attempt if number in read or attempt.request == Request.IN_WORK else Attempt(attempt.row, clear=attempt.clear)
        for number, attempt in enumerate(world.attempts, 1)
    )
    return world._replace(processes=tuple(sorted(world.processes)), attempts=attempts)


def _story(came_from: Mapping[M, tuple[M, str] | None], last: M) -> tuple[str, ...]:
    steps_taken = []
    before = came_from[last]
    while before is not None:
        steps_taken.append(before[1])
        before = came_from[before[0]]
    return tuple(reversed(steps_taken))


def without(rule: Rule) -> Explored:
    """Remove one rule, and explore the setting that shows the promise it keeps."""
    reason = RULES[rule]
    return explore(SETTINGS[reason.seen_in]._replace(off=frozenset({rule})), (reason.breaks,))
