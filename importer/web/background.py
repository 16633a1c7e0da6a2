"""Results that take a while, made in the background whenever what they depend on has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from importer import ImporterError
from importer.messages import language
from importer.web.internal import InternalError, as_internal

PATIENCE = 0.4
"""Seconds that a page waits for a result before it shows the last one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Newest(Generic[T]):
    """The newest result, or what kept it from being made; neither before the first one is there.

    `is_current` is false while something has changed since, and a newer result is on its way.
    """

    value: T | None
    error: ImporterError | InternalError | None
    is_current: bool


@dataclass(slots=True)
class Background(Generic[T]):
    """Makes a result in the background; `depends_on` gives what it depends on, such as a job and `stamp_of` its files.

    At most one is made at a time, and in the language that is spoken; `pool` has the threads for the results of all
    sheets.
    """

    make: Callable[[], T]
    depends_on: Callable[[], object]
    pool: ThreadPoolExecutor
    _lock: Lock = field(default_factory=Lock)
    _of: object = None
    _asked: int = 0
    _took: float = 0.0
    _running: Future[None] | None = None
    _newest: Newest[T] = field(default_factory=lambda: Newest(None, None, is_current=False))

    def now(self, patience: float = PATIENCE) -> Newest[T]:
        """Return the newest result; where something has changed, another one is begun and waited for a moment."""
        depends_on = self.depends_on()
        with self._lock:
            wanted = depends_on, language(), self._asked
            if self._of == wanted and self._newest.is_current:
                return self._newest
            if self._running is None or self._running.done():
                making = partial(copy_context().run, self._make, wanted)  # speaks the language of the page
                self._running = self.pool.submit(making)
            running = self._running
            is_first = self._newest.value is None and self._newest.error is None
            if self._took > PATIENCE and not is_first:
                patience = 0.0  # it would be waited for in vain
        with suppress(TimeoutError):
            running.result(patience)
        with self._lock:
            return Newest(self._newest.value, self._newest.error, self._of == wanted)

    def again(self) -> None:
        """Make another one when it is asked for next, whatever has changed."""
        with self._lock:
            self._asked += 1

    @property
    def last(self) -> Newest[T]:
        """The newest result, whatever has changed since."""
        return self._newest

    def _make(self, of: object) -> None:
        began = time.monotonic()
        value: T | None = None
        error: ImporterError | InternalError | None = None
        try:
            value = self.make()
        except ImporterError as refused:
            error = refused
        except Exception as fault:  # noqa: BLE001 - shown on the page; a thread has nobody else to tell
            error = as_internal(fault)
        with self._lock:
            self._newest, self._of = Newest(value, error, is_current=True), of
            self._took = time.monotonic() - began


Stamp = tuple[tuple[str, int, int], ...]


def stamp_of(*paths: Path) -> Stamp:
    """Return what tells whether any of some files has changed; a file that is not there counts as empty."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size
