"""urllib3's connections with four habits added, and the way of one request over them.

The attempt's deadline holds from the first packet on, an idle connection is not trusted, a stalled upload has a time
limit of its own, and an answer given before the upload's end is read. urllib3 does what it is good at: it finds, opens
and verifies connections, through proxies too. The request itself goes without it, which made it anew for each row.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait_for_read

from importer.crm.watchdog import Watch
from importer.crm.wire import Reply, receive

CONNECT_LIMIT = 10.0  # seconds for each address of the server
STALL_LIMIT = 30.0  # seconds in which one chunk of an upload has to go
IDLE_LIMIT = 1.0  # seconds; a request that meets the moment in which the server hangs up would be unknown


class _Careful(HTTPConnection):
    """What both kinds of connection add to urllib3's."""

    watch: Watch  # of the attempt that this connection is used for
    _line: socket.socket | None = None  # by which the watch reaches the connection
    _used_at = 0.0

    def _new_conn(self) -> Any:  # noqa: ANN401 - urllib3 says socket; its stubs differ between versions
        opened = super()._new_conn()
        try:
            self.watch.peer = opened.getpeername()[0]
            self._line = _duplicate(opened)
            self.watch.hold(self._line)
        except OSError:
            opened.close()
            self.close()
            raise
        return opened

    def close(self) -> None:
        """Hang up; the server is told only once nobody holds the line any more."""
        line, self._line = self._line, None
        if line is not None:
            self.watch.release()
            line.close()
        super().close()

    @property
    def is_connected(self) -> bool:
        """Whether the connection can carry another request: the pool opens a new one where it cannot."""
        return super().is_connected and time.monotonic() - self._used_at <= IDLE_LIMIT

    @property
    def seconds_left(self) -> float:
        """How long the attempt may still take; never 0, which a socket takes for something else."""
        return max(self.watch.remaining, 0.001)

    def send_whole(self, head: bytes, body: Iterable[bytes]) -> bool:
        """Send a request; False where the server stopped listening, which leaves to be seen whether it has answered."""
        if self._line is not None:
            self.watch.hold(self._line)
        self.watch.check()
        self.watch.connected = True
        self.sock.settimeout(min(STALL_LIMIT, self.seconds_left))
        try:
            waiting = head  # what is short goes with its neighbour: each call of the system costs as much
            for chunk in body:
                self.sock.sendall(waiting + chunk)
                waiting = b""
            if waiting:
                self.sock.sendall(waiting)
        except OSError as error:
            if isinstance(error, TimeoutError) and not wait_for_read(self.sock, timeout=0):
                raise
            return False
        return True

    def receive(self, method: str, limit: int) -> Reply:
        """Read the answer, and note when the connection was last known to be alive."""
        self.sock.settimeout(self.seconds_left)
        reply = receive(self.sock, method, limit)
        self._used_at = time.monotonic()
        return reply


class _PlainConnection(_Careful):
    pass


class _SecureConnection(_Careful, HTTPSConnection):
    def connect(self) -> None:
        """Open the connection, and note the certificate that was accepted."""
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            self.watch.certificate = self.sock.getpeercert()


class CarefulPool(HTTPConnectionPool):
    """Connections to one server that are careful."""

    def exchange(self, method: str, head: bytes, body: Iterable[bytes], watch: Watch, limit: int) -> Reply:
        """Send a request once, as its head and body are, and return what came back; raises whatever goes wrong."""
        connection = cast("_Careful", self._get_conn())
        connection.watch = watch
        try:
            if connection.is_closed:
                connection.timeout = min(CONNECT_LIMIT, connection.seconds_left)
                self._open(connection)
            whole = connection.send_whole(head, body)
            reply = connection.receive(method, limit)
        except BaseException:
            connection.close()
            raise
        if whole and not reply.last:
            watch.release()
            self._put_conn(connection)
        else:
            connection.close()
        return reply

    def _open(self, connection: _Careful) -> None:
        connection.connect()


class PlainPool(CarefulPool):
    """Connections over plain http."""

    ConnectionCls = _PlainConnection


class SecurePool(CarefulPool, HTTPSConnectionPool):
    """Connections over TLS, through the tunnel of a proxy where there is one."""

    ConnectionCls = _SecureConnection

    def _open(self, connection: _Careful) -> None:
        if self.proxy is None:
            connection.connect()
        else:
            self._prepare_proxy(cast("_SecureConnection", connection))


def _duplicate(opened: socket.socket) -> socket.socket:
    """Return another handle of a connection.

    It reaches the connection even while TLS is being negotiated on it, and bypasses the TLS layer, whose own shutdown
    would let another thread go on in the clear.
    """
    return socket.fromfd(opened.fileno(), socket.AF_INET, socket.SOCK_STREAM)
