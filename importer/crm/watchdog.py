"""The total deadline of an attempt: one thread that cuts connections whose time is over.

A socket's own timeout is per read or write, so an answer that drips one byte a second never meets it. The watchdog
shuts the connection down instead, whatever is being waited for: the handshake, the upload, the headers, the body.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from urllib3.util import wait_for_write

from importer.clock import elapsed
from importer.messages import _

STALL_LIMIT = 30.0  # seconds in which one chunk of an upload has to go
_LONGEST_NAP = 5.0  # seconds; a laptop that slept is noticed this soon after it woke

Clock = Callable[[], float]
Lease = Callable[[], bool]


class LeaseOver(Exception):
    """The lease of an attempt ran out before the whole request was sent; what was left of it was not."""


def always() -> bool:
    """Hold for ever, as what creates nothing needs no lease."""
    return True


class Watch:
    """One attempt: when it ends, whether it may still send, and the connection to cut.

    It ends `seconds` from now by a clock that counts sleep and that nobody sets. `lease_holds` is asked before the
    first and the last bytes of the request.
    """

    def __init__(self, seconds: float, lease_holds: Lease = always, clock: Clock = elapsed) -> None:
        self._clock, self._lease_holds = clock, lease_holds
        self._ends = clock() + seconds
        self._guard = threading.Lock()
        self._handle: socket.socket | None = None
        self._cut = False
        self.connected = False  # set once the connection may carry a request: TLS is verified, the tunnel stands
        self.peer: str | None = None  # the address of the other end of a connection that was opened
        self.certificate: Mapping[str, Any] | None = None  # what it showed, as `ssl.SSLSocket.getpeercert` tells it

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; not positive once it has passed."""
        return self._ends - self._clock()

    @property
    def time_left(self) -> float:
        """How long a socket may take; never 0, which a socket takes for something else."""
        return max(self.remaining, 0.001)

    @property
    def patience(self) -> float:
        """How long one chunk of an upload may take."""
        return min(STALL_LIMIT, self.time_left)

    def check(self) -> None:
        """Raise TimeoutError when the deadline has passed, so that nothing more is sent."""
        if self._cut or self.remaining <= 0:
            raise TimeoutError(_("the time for one case is over"))

    def allow_sending(self) -> None:
        """Raise LeaseOver where the lease has ended, TimeoutError where the time is over or nothing can be sent.

        The connection takes bytes at once when the lease is asked for: however long it was busy before, nothing but
        the call that sends them comes after.
        """
        if self._handle is not None and not wait_for_write(self._handle, timeout=self.patience):
            raise TimeoutError(_("the server stopped reading"))
        self.check()
        if not self._lease_holds():
            raise LeaseOver

    def hold(self, opened: socket.socket) -> None:
        """Make this the connection to cut; raises TimeoutError when it is already too late.

        It is held by another handle. That reaches the connection even while TLS is being negotiated on it, and goes
        past the TLS layer, whose own shutdown would let another thread go on in the clear.
        """
        with self._guard:
            if self._handle is None:
                self._handle = opened.dup()
                self.peer = opened.getpeername()[0]
        self.check()

    def cut(self) -> None:
        """Shut the connection down; whoever waits on it is told at once."""
        with self._guard:
            self._cut = True
            if self._handle is not None:
                with contextlib.suppress(OSError):  # the server was faster
                    self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let go of the connection: the server is told that it is closed only once nobody holds it any more."""
        with self._guard:
            if self._handle is not None:
                self._handle.close()
                self._handle = None


class Watchdog:
    """Watches any number of attempts with one thread, which lives from the first attempt until `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0
        self._closed = False

    @contextlib.contextmanager
    def watching(self, seconds: float, lease_holds: Lease = always) -> Iterator[Watch]:
        """Watch the attempt inside the block; its connection is cut `seconds` from now, and let go of at the end."""
        watch = Watch(seconds, lease_holds)
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if elapsed() + watch.remaining < self._wakes_at:  # else it will be up in time: waking costs each row
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
                self._wakes_at = elapsed() + nap
                self._changed.wait(nap)
