"""Something that a person asked for and that takes a while, such as questions to the CRM: done in a thread, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

from importer import AskingStarted, ContactAsked, Event, EventInterface, ImporterError, keep_awake
from importer.messages import speaking_on
from importer.web.internal import InternalError, as_internal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ErrandState(Generic[T]):
    """How far it has come: `done` of `total`; after the end there is its `result`, or the `error` that ended it."""

    phase: Literal["idle", "working", "stopping", "ended"] = "idle"
    done: int = 0
    total: int = 0
    result: T | None = None
    error: ImporterError | InternalError | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it goes on."""
        return self.phase in {"working", "stopping"}


@dataclass(slots=True)
class Errand(Generic[T]):
    """Does one thing at a time; while it goes on, a second click or another tab begins nothing."""

    _state: ErrandState[T] = field(default_factory=ErrandState)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ui: EventInterface | None = None
    _thread: threading.Thread | None = None

    @property
    def state(self) -> ErrandState[T]:
        """What there is to see now."""
        return self._state

    def begin(self, work: Callable[[], T], ui: EventInterface, total: int = 0) -> bool:
        """Begin some work, which `ui` can stop; tell whether it was begun."""
        with self._lock:
            if self._state.is_busy:
                return False
            self._state, self._ui = ErrandState("working", total=total), ui
            self._thread = threading.Thread(target=speaking_on(self._carry_out), args=(work,), name="ask", daemon=True)
            self._thread.start()
        return True

    def expect(self, total: int) -> None:
        """Note how many answers there will be."""
        with self._lock:
            self._state = replace(self._state, total=total)

    def follow(self, event: Event) -> None:
        """Note what a user interface reports of contacts that are asked for; called from several threads."""
        if isinstance(event, AskingStarted):
            self.expect(event.total)
        elif isinstance(event, ContactAsked):
            self.advance()

    def advance(self) -> None:
        """Note one more answer; called from several threads."""
        with self._lock:
            self._state = replace(self._state, done=self._state.done + 1)

    def stop(self) -> None:
        """Have it end after the answers that are on their way."""
        with self._lock:
            if self._ui is not None and self._state.is_busy:
                self._state = replace(self._state, phase="stopping")
                self._ui.stop()

    def put_back(self) -> None:
        """Take a result off the page; what goes on stays."""
        with self._lock:
            if not self._state.is_busy:
                self._state = ErrandState()

    def join(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None and self._state.is_busy:
            self._thread.join()

    def _carry_out(self, work: Callable[[], T]) -> None:
        try:
            with keep_awake():
                ended: ErrandState[T] = ErrandState("ended", result=work())
        except ImporterError as error:
            ended = ErrandState("ended", error=error)
        except Exception as fault:  # noqa: BLE001 - shown on the page; a thread has nobody else to tell
            ended = ErrandState("ended", error=as_internal(fault))
        with self._lock:
            self._state = replace(ended, done=self._state.done, total=self._state.total)
