"""How a run is stopped while it works: by Ctrl-C in a terminal, or from another thread, such as that of a page.

Both make the same request. The first lets what is in flight end, and the report is written; the second gives that up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from importer.errors import UsageError
from importer.messages import _

_LONGEST_WAIT = 0.5
"""Seconds that a wait takes at a time: on Windows, Ctrl-C is not noticed before it ends."""


class Stop:
    """Requests to stop one run; any thread may make them, and the threads of the run look at them."""

    def __init__(self) -> None:
        self._first, self._second = threading.Event(), threading.Event()
        self._by_signal = False

    def request(self, *, now: bool = False, by_signal: bool = False) -> None:
        """Ask the run to stop: after what is in flight, or `now` without waiting for its answers."""
        self._by_signal = self._by_signal or (by_signal and not self.requested)
        self._first.set()
        if now:
            self._second.set()

    @property
    def requested(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._first.is_set()

    @property
    def now(self) -> bool:
        """Whether what is in flight is to be given up."""
        return self._second.is_set()

    @property
    def is_by_signal(self) -> bool:
        """Whether Ctrl-C made the first request."""
        return self._by_signal

    @property
    def sentence(self) -> str:
        """Why the run ended, in the words of whoever stopped it."""
        return _("Stopped with Ctrl-C.") if self._by_signal else _("Paused by request.")

    @property
    def in_doubt(self) -> str:
        """What is said of a row whose answer was given up."""
        if self._by_signal:
            return _("Stopped with Ctrl-C while this row was being sent: the case may exist.")
        return _("Stopped while this row was being sent: the case may exist.")

    def wait(self, seconds: float) -> bool:
        """Wait so long unless a stop is requested; tell whether one is."""
        until = time.monotonic() + seconds
        with self.by_signal():
            while (left := until - time.monotonic()) > 0 and not self._first.wait(min(left, _LONGEST_WAIT)):
                pass
        return self.requested

    @contextmanager
    def by_signal(self) -> Iterator[None]:
        """Take Ctrl-C within the block as a request, which ends the block; the second one is to stop now."""
        try:
            yield
        except KeyboardInterrupt:
            self.request(now=self.requested, by_signal=True)

    def refuse_to_start(self) -> None:
        """Raise UsageError where a stop is requested before anything was sent."""
        if self.requested:
            raise UsageError(_("Stopped; nothing was sent."))

    def begin_report(self) -> None:
        """Forget that what was in flight is given up: from here on, to stop now means to give the report up."""
        self._second.clear()

    def give_up(self) -> None:
        """Raise KeyboardInterrupt, as Ctrl-C does, where what is done now is to be given up."""
        if self.now:
            raise KeyboardInterrupt
