"""A proxy on loopback that forwards bytes and records requests: plain, or as the end of TLS tunnels."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_REFERENCE = re.compile(rb"WCI-[0-9A-HJKMNP-TV-Z]{16}")
_PIECE = 65536

Tunnels = Callable[[str], ssl.SSLContext]


@dataclass
class Passed:
    """A request that was forwarded completely, with the answer as far as it came back."""

    head: bytes
    reference: str | None
    answer: bytearray = field(default_factory=bytearray)


class Passage:
    """Forwards connections to a sandbox; `passed` has the complete requests in order.

    With `tunnels` it is a proxy for https: it takes CONNECT for any host, shows that host's certificate and forwards
    the decrypted bytes, so tests can use a real host's name without reaching the host.
    """

    def __init__(self, server: str, tunnels: Tunnels | None = None) -> None:
        self._to = (urlsplit(server).hostname, urlsplit(server).port)
        self._tunnels = tunnels
        self.passed: list[Passed] = []
        self.hosts: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in (self._listener, *self._sockets):
            _hang_up(sock)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self._sockets.append(client)
                self._start(self._serve, client)

    def _start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self, client: socket.socket) -> None:
        """Forward one connection, and close it once neither thread uses it.

        A descriptor that one thread closes while the other one is about to use it may be another connection's by then.
        """
        with contextlib.ExitStack() as ended, contextlib.suppress(OSError, EOFError):
            ended.callback(client.close)
            if self._tunnels is not None:
                client = self._tunnel(client, self._tunnels)
                self._sockets.append(client)
                ended.callback(client.close)
            server = socket.create_connection(self._to)
            self._sockets.append(server)
            ended.callback(server.close)
            under_way: list[Passed] = []
            back = self._start(self._back, server, client, under_way)
            try:
                self._forth(client, server, under_way)
            finally:
                _hang_up(server)
                _hang_up(client)
                back.join()

    def _tunnel(self, client: socket.socket, tunnels: Tunnels) -> socket.socket:
        head = b""
        while b"\r\n\r\n" not in head:
            head += _receive(client)
        host = head.split()[1].decode().partition(":")[0]
        self.hosts.append(host)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return tunnels(host).wrap_socket(client, server_side=True)

    def _forth(self, client: socket.socket, server: socket.socket, under_way: list[Passed]) -> None:
        """Forward requests piece by piece, and record each once it is complete."""
        read = b""
        while True:
            while b"\r\n\r\n" not in read:
                read += _receive(client)
            head, end, body = read.partition(b"\r\n\r\n")
            head = self._to_its_own_name(head)
            read = head + end + body
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            left = (int(length[1]) if length else 0) - len(body)
            while left > 0:
                server.sendall(read)
                read = _receive(client)
                left -= len(read)
                body = (body + read)[:_PIECE]
            self._note(head, body, under_way)  # before the last bytes are forwarded, so that no answer can come first
            server.sendall(read)
            read = b""

    def _to_its_own_name(self, head: bytes) -> bytes:
        """Return a request's head for the sandbox, which answers only under its own name."""
        host, port = self._to
        return re.sub(rb"(?i)(\r\nhost: )[^\r\n]*", rf"\g<1>{host}:{port}".encode(), head, count=1)

    def _note(self, head: bytes, body: bytes, under_way: list[Passed]) -> None:
        mark = _REFERENCE.search(body)
        request = Passed(head, mark[0].decode() if mark else None)
        self.passed.append(request)
        under_way.append(request)

    def _back(self, server: socket.socket, client: socket.socket, under_way: list[Passed]) -> None:
        """Forward answers, and keep them with the last request of the connection."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                piece = _receive(server)
                if under_way:
                    under_way[-1].answer += piece
                client.sendall(piece)
        _hang_up(client)
        _hang_up(server)


def _receive(sock: socket.socket) -> bytes:
    piece = sock.recv(_PIECE)
    if not piece:
        raise EOFError
    return piece


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
