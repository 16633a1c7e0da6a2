"""urllib3's connections with the habits that an attempt needs: one request each, its deadline, its lease, its answer.

The deadline reaches a connection from its first packet on, handshake and body included. Nothing is sent once the lease
is over. A failed write is held back until it was seen whether the server has answered. Interim answers are read past.
After its one answer a connection is closed from our side, so that nothing behind it can reach another request.

This is the one module that knows of `http.client` and urllib3 more than their manuals tell: that they keep their socket
in `sock`, make answers by `response_class`, read an answer's head in `begin` from `fp`, and close what `will_close`.
`tests/test_crm_connections.py` fails where that is no longer so.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import IO, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait_for_read, wait_for_write

from importer.clock import elapsed
from importer.messages import _

# MERGED importer.crm.connections: The total deadline of an attempt: one thread that cuts connections whose time is over.

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


# MERGED importer.crm.connections: urllib3's connections with the habits that an attempt needs: one request each, its deadline, its lease, its answer.

INTERIM_ANSWERS = 20
"""How many answers that only announce one are read past; whoever sends more of them does not answer."""

ATTEMPT: ContextVar[Watch] = ContextVar("attempt")
"""The attempt that this thread makes: urllib3 opens connections by itself, and they have to know whose they are."""


class _Head:
    """The stream that an answer's head is read from. One that breaks off is no answer, nor are interim ones alone."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._heads = stream, 0
        self.close = stream.close

    def readline(self, limit: int = -1, /) -> bytes:
        """Read a line; an empty one ends a head."""
        if self._heads > INTERIM_ANSWERS:
            raise ConnectionError(_("it announced an answer again and again and gave none"))
        line = self._stream.readline(limit)
        if not line:  # which `http.client` takes for the head's end
            raise ConnectionResetError(_("it hung up before it had answered"))
        if line in (b"\r\n", b"\n"):
            self._heads += 1
        return line


class OnlyAnswer(http.client.HTTPResponse):
    """The one answer of a connection, past the interim ones, of which `http.client` skips 100 alone."""

    def begin(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Python's own, which vary with its version
        """Read the head; the connection is closed as soon as the answer is read, whatever the server says about it."""
        if self.headers is not None:
            return
        stream = self.fp
        self.fp = _Head(stream)
        try:
            while self.headers is None:
                super().begin(*arguments, **options)
                if self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
                    self.headers = self.msg = None  # as they are before an answer
        finally:
            self.fp = self.fp and stream  # unless it was closed
        self.will_close = True


class DeadlineConnection(HTTPConnection):
    """What both kinds of connection add to urllib3's; each serves the attempt that is made while it is opened."""

    response_class = OnlyAnswer
    _opened: socket.socket | None = None

    @property
    def sock(self) -> Any:  # noqa: ANN401 - urllib3 says socket, and has its own kind for TLS within TLS
        """The connection's socket, which the attempt can cut from the moment it is there, before any TLS."""
        return self._opened

    @sock.setter
    def sock(self, opened: socket.socket | None) -> None:
        self._opened = opened
        if opened is not None:
            ATTEMPT.get().hold(opened)

    @property
    def is_connected(self) -> bool:
        """Whether it could carry another request: never, so that a pool opens it anew."""
        return False

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        """Send a request, unless the attempt may send no more; whether a failed write was answered shows later."""
        if self.sock is None:
            self.connect()
        watch = ATTEMPT.get()
        self._expect_silence()
        watch.allow_sending()
        watch.connected = True
        self.timeout = watch.patience
        try:
            super().request(method, url, *arguments, **options)
        except OSError as error:
            if isinstance(error, TimeoutError) and not wait_for_read(self.sock, timeout=0):
                raise

    def _expect_silence(self) -> None:
        """Raise where the server hung up, or said something before it was asked: that can be no answer to a request."""
        self.sock.settimeout(0)
        try:
            early = self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        raise ConnectionResetError(_("it sent something before it was asked") if early else _("it hung up at once"))


class PlainConnection(DeadlineConnection):
    """A connection over plain http."""


class SecureConnection(DeadlineConnection, HTTPSConnection):
    """A connection over TLS, through the tunnel of a proxy where there is one."""

    def connect(self) -> None:
        """Open the connection, and note the certificate that was accepted."""
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            ATTEMPT.get().certificate = self.sock.getpeercert()


class PlainPool(HTTPConnectionPool):
    """Makes connections over plain http."""

    ConnectionCls = PlainConnection


class SecurePool(HTTPSConnectionPool):
    """Makes connections over TLS."""

    ConnectionCls = SecureConnection


def use_deadline_connections(manager: PoolManager) -> None:
    """Have a manager of pools make connections of these kinds alone."""
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
