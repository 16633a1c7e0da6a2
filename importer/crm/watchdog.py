"""The total deadline of an attempt: one thread that cuts connections whose time is over.

A socket's own timeout is per read or write, so an answer that drips one byte a second never meets it. The watchdog
shuts the connection down instead, whatever is being waited for: the handshake, the upload, the headers, the body.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from importer.messages import _

_LONGEST_NAP = 5.0  # seconds; a laptop that slept is noticed this soon after it woke

Clock = Callable[[], float]


class Watch:
    """One attempt's time: when it ends, and the connection to cut then.

    It ends `seconds` from now by the monotonic clock or by the wall clock, whichever comes first: the monotonic
    one may stand still while a laptop sleeps, the wall clock may be set.
    """

    def __init__(self, seconds: float, monotonic: Clock = time.monotonic, wall: Clock = time.time) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._ends = monotonic() + seconds
        self._ends_by_wall = wall() + seconds
        self._guard = threading.Lock()
        self._line: socket.socket | None = None
        self._cut = False
        self.connected = False  # set once the connection may carry a request: TLS is verified, the tunnel stands
        self.peer: str | None = None  # the address of the other end of a connection that was opened
        self.certificate: Mapping[str, Any] | None = None  # what it showed, as `ssl.SSLSocket.getpeercert` tells it

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; not positive once it has passed."""
        return min(self._ends - self._monotonic(), self._ends_by_wall - self._wall())

    def check(self) -> None:
        """Raise TimeoutError when the deadline has passed, so that nothing more is sent."""
        if self._cut or self.remaining <= 0:
            raise TimeoutError(_("the time for one case is over"))

    def hold(self, line: socket.socket) -> None:
        """Make this the connection to cut; raises TimeoutError when it is already too late."""
        with self._guard:
            self._line = line
        self.check()

    def cut(self) -> None:
        """Shut the connection down; whoever waits on it is told at once."""
        with self._guard:
            self._cut = True
            if self._line is not None:
                with contextlib.suppress(OSError):  # the server was faster
                    self._line.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let go of the connection without touching it: from now on it is not cut."""
        with self._guard:
            self._line = None


class Watchdog:
    """Watches any number of attempts with one thread, which lives from the first attempt until `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0
        self._closed = False

    @contextlib.contextmanager
    def watching(self, seconds: float) -> Iterator[Watch]:
        """Watch the attempt inside the block; its connection is cut `seconds` from now."""
        watch = Watch(seconds)
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if time.monotonic() + watch.remaining < self._wakes_at:  # else it will be up in time: waking costs each row
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._watches.discard(watch)
            watch.release()

    def close(self) -> None:
        """Cut what is still running and end the thread."""
        with self._changed:
            self._closed = True
            for watch in self._watches:
                watch.cut()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                over = [watch for watch in self._watches if watch.remaining <= 0]
                for watch in over:
                    watch.cut()
                    self._watches.discard(watch)
                nap = min((watch.remaining for watch in self._watches), default=_LONGEST_NAP)
                nap = max(0.0, min(nap, _LONGEST_NAP))
                self._wakes_at = time.monotonic() + nap
                self._changed.wait(nap)
