"""urllib3's connections with the habits that one attempt needs: a deadline, a lease, one request, one answer.

The deadline covers a connection from its first packet on, handshake and body included. Nothing is sent once the lease
has ended. A failed write is held back until it is clear whether the server has answered. Interim answers are skipped.
After its one answer we close the connection, so that nothing behind that answer can reach another request.

This is the only module that uses undocumented parts of libraries. `http.client`: the attributes `fp`, `headers`, `msg`
and `will_close` and the method `begin` of an answer, the attributes `sock` and `response_class` of a connection.
urllib3: `pool_classes_by_scheme` of a pool manager, `ConnectionCls` of a pool. requests: `get_environ_proxies` and
`DEFAULT_CA_BUNDLE_PATH` in `utils`. `pyproject.toml` bounds the versions of both, and `tests/test_crm_connections.py`
fails where one of these parts is gone.
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

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait_for_read, wait_for_write

from importer.messages import _
from importer.system.clock import elapsed

STALL_LIMIT = 30.0  # seconds in which one chunk of an upload has to go
INTERIM_ANSWERS = 20  # interim answers that are skipped; a server that sends more does not answer
USUAL_AUTHORITIES = DEFAULT_CA_BUNDLE_PATH  # the file of those that `requests` trusts on this computer
_LONGEST_NAP = 5.0  # seconds; after the computer slept, the watchdog notices it this soon

Clock = Callable[[], float]
Lease = Callable[[], bool]


class LeaseOver(Exception):
    """The lease of an attempt ended before the whole request was sent; the rest of it was not sent."""


def always() -> bool:
    """Return True: a call that creates nothing needs no lease."""
    return True


class Watch:
    """One attempt: when it ends, whether it may still send, and the connection to cut.

    It ends `seconds` from now, by a clock that counts sleep and cannot be set. `lease_holds` is asked before the
    first and before the last bytes of the request.
    """

    def __init__(self, seconds: float, lease_holds: Lease = always, clock: Clock = elapsed) -> None:
        self._clock, self._lease_holds = clock, lease_holds
        self._ends = clock() + seconds
        self._guard = threading.Lock()
        self._handle: socket.socket | None = None
        self._cut = False
        self.connected = False  # set once the connection may carry a request: TLS is verified, the tunnel is open
        self.peer: str | None = None  # the address of the other end, once a connection was opened
        self.certificate: Mapping[str, Any] | None = None  # the server's, as `ssl.SSLSocket.getpeercert` returns it

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; zero or negative once it has passed."""
        return self._ends - self._clock()

    @property
    def time_left(self) -> float:
        """How long a socket may take; never 0, which would mean a socket that does not block."""
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

        The lease is asked only when the connection can take bytes at once: however long it was busy before, nothing
        but the call that sends them comes after the question.
        """
        if self._handle is not None and not wait_for_write(self._handle, timeout=self.patience):
            raise TimeoutError(_("the server stopped reading"))
        self.check()
        if not self._lease_holds():
            raise LeaseOver

    def hold(self, opened: socket.socket) -> None:
        """Make this the connection to cut; raises TimeoutError when it is already too late.

        The watch keeps a duplicate of the socket. It reaches the connection even while TLS is being negotiated, and
        below TLS, whose own shutdown would let another thread continue unencrypted.
        """
        with self._guard:
            if self._handle is None:
                self._handle = opened.dup()
                self.peer = opened.getpeername()[0]
        self.check()

    def cut(self) -> None:
        """Shut the connection down; a thread that waits on it wakes at once."""
        with self._guard:
            self._cut = True
            if self._handle is not None:
                with contextlib.suppress(OSError):  # the server was faster
                    self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the duplicate: the server sees the connection closed only once every handle is."""
        with self._guard:
            if self._handle is not None:
                self._handle.close()
                self._handle = None


class Watchdog:
    """Cuts connections whose time is over, with one thread that lives from the first attempt until `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextlib.contextmanager
    def watching(self, seconds: float, lease_holds: Lease = always) -> Iterator[Watch]:
        """Watch the attempt inside the block; its connection is cut `seconds` from now, and released at the end."""
        watch = Watch(seconds, lease_holds)
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
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
                for watch in [watch for watch in self._watches if watch.remaining <= 0]:
                    watch.cut()
                    self._watches.discard(watch)
                nap = min((watch.remaining for watch in self._watches), default=_LONGEST_NAP)
                self._changed.wait(max(0.0, min(nap, _LONGEST_NAP)))


ATTEMPT: ContextVar[Watch] = ContextVar("attempt")
"""The attempt of this thread: urllib3 opens connections by itself, and each has to know which attempt it serves."""


class _Head:
    """The stream from which an answer's head is read; a head that breaks off is not an answer."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._heads = stream, 0
        self.close = stream.close

    def readline(self, limit: int = -1, /) -> bytes:
        """Read a line; an empty one ends a head."""
        if self._heads > INTERIM_ANSWERS:
            raise ConnectionError(_("it kept sending interim answers and no final one"))
        line = self._stream.readline(limit)
        if not line:  # which `http.client` takes for the head's end
            raise ConnectionResetError(_("it hung up before it answered"))
        if line in (b"\r\n", b"\n"):
            self._heads += 1
        return line


class OnlyAnswer(http.client.HTTPResponse):
    """The one answer of a connection, after any interim ones; `http.client` itself skips only 100."""

    def begin(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Python's own, which vary with its version
        """Read the head; the connection is closed after the answer, whatever the server offers."""
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
    """What both kinds of connection add to urllib3's; each serves the attempt during which it is opened."""

    response_class = OnlyAnswer
    _opened: socket.socket | None = None

    @property
    def sock(self) -> Any:  # noqa: ANN401 - urllib3 says socket, and has its own kind for TLS within TLS
        """The connection's socket, which the attempt can cut from the moment it exists, before any TLS."""
        return self._opened

    @sock.setter
    def sock(self, opened: socket.socket | None) -> None:
        self._opened = opened
        if opened is not None:
            ATTEMPT.get().hold(opened)

    @property
    def is_connected(self) -> bool:
        """Whether it could carry another request: never, so that a pool always opens a new one."""
        return False

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        """Send a request, unless the attempt may not send any more.

        After a failed write the answer is read all the same: the server may have answered before the end.
        """
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
        """Raise where the server hung up or sent something before the request: that cannot be its answer."""
        self.sock.settimeout(0)
        try:
            early = self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        raise ConnectionResetError(_("it sent data before it was asked") if early else _("it hung up at once"))


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
    """Have a manager of pools make only these kinds of connection."""
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def environment_proxies(server: str) -> dict[str, str]:
    """Return the proxies by scheme that the environment or the system names for a server."""
    return {str(scheme): str(proxy) for scheme, proxy in get_environ_proxies(server).items()}
