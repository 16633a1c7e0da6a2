"""Visit every reachable moment, nearest first, until a promise breaks or none is left."""

from __future__ import annotations

import gc
import re
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
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


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keep Python from searching for cycles among moments, which have none, again and again: a third of the time.

    It is around a whole function, so that no moment is left for the search that comes when it is over.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_no_garbage()
def _explored(
    setting: Setting,
    first: M,
    steps: Callable[[Setting, M], Iterator[tuple[str, M]]],
    same: Callable[[M], M],
    broken: Callable[[Setting, M], Promise | None],
) -> Explored:
    known = same(first)
    came_from: dict[M, tuple[M, str] | None] = {known: None}
    waiting = deque([(first, known)])
    taken: set[str] = set()
    while waiting:
        moment, before = waiting.popleft()
        for what, after in steps(setting, moment):
            taken.add(what)
            known = same(after)
            if known in came_from:
                continue
            came_from[known] = before, what
            promise = broken(setting, after)
            if promise is not None:
                return Explored(len(came_from), _kinds(taken), promise, _story(came_from, known))
            waiting.append((after, known))
    return Explored(len(came_from), _kinds(taken))


def _kinds(taken: set[str]) -> frozenset[str]:
    """Return the kinds of these steps: without their numbers, and the passing of time as one kind."""
    kinds = {re.sub(r"\d+", "N", what) for what in taken}
    return frozenset(re.sub(r"^(Time passes).*", r"\1", kind) for kind in kinds)


def _same(world: World) -> World:
    """Return the value shared by moments that differ only in which process is which, or in facts that no step reads."""
    processes = tuple(sorted(world.processes)) if len(world.processes) > 1 else world.processes
    attempts = world.attempts
    read = _read(world)
    for number, attempt in enumerate(attempts, 1):
        if number not in read and attempt.request != Request.IN_WORK:
            attempts = (*attempts[: number - 1], _unread(attempt.row, attempt.clear), *attempts[number:])
    return world.of(processes, attempts)


def _read(world: World) -> set[int]:
    """Return the attempts whose facts some step may still read."""
    read = set()
    for one in world.processes:
        read.add(one.attempt)
        read.add(one.leftover)
    for kept in (*world.journals, world.backup):
        for row in kept.rows if kept else ():
            read.add(row.attempt)
    if world.note:
        read.add(world.note.attempt)
    return read


@cache
def _unread(row: int, clear: bool) -> Attempt:  # noqa: FBT001
    return Attempt(row, clear=clear)


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
