"""urllib3's connections with the habits that an attempt needs: one request each, its deadline, its lease, its answer.

The deadline reaches a connection from its first packet on, handshake and body included. Nothing is sent once the lease
is over. A failed write is held back until it was seen whether the server has answered. Interim answers are read past.
After its one answer a connection is closed from our side, so that nothing behind it can reach another request.

This is the one module that knows of `http.client` and urllib3 more than their manuals tell: that they keep their socket
in `sock`, make answers by `response_class`, read an answer's head in `begin` from `fp`, and close what `will_close`.
`tests/test_crm_connections.py` fails where that is no longer so.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from contextvars import ContextVar
from http import HTTPStatus
from typing import IO, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait_for_read

from importer.crm.watchdog import Watch
from importer.messages import _

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
