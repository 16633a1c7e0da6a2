"""A proxy on loopback that passes bytes on and counts what passes: plain, or as the end of TLS tunnels."""

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
    """A request that passed to its last byte, with the answer to it as far as that came back."""

    head: bytes
    reference: str | None
    answer: bytearray = field(default_factory=bytearray)


class Passage:
    """Passes connections on to a stand-in; `passed` are the whole requests in their order.

    With `tunnels`, it is a proxy for https: it takes CONNECT for any host, shows that host's certificate, and passes
    what it reads on in the clear, so that a real host's name can be used without reaching the host.
    """

    def __init__(self, server: str, tunnels: Tunnels | None = None) -> None:
        self._to = (urlsplit(server).hostname, urlsplit(server).port)
        self._tunnels = tunnels
        self.passed: list[Passed] = []
        self.hosts: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in (self._listener, *self._lines):
            _hang_up(line)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _address = self._listener.accept()
                self._lines.append(line)
                self._start(self._serve, line)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._tunnels is not None:
                client = self._tunnel(client, self._tunnels)
                self._lines.append(client)
            server = socket.create_connection(self._to)
            self._lines.append(server)
            under_way: list[Passed] = []
            self._start(self._back, server, client, under_way)
            try:
                self._forth(client, server, under_way)
            finally:
                _hang_up(server)
        _hang_up(client)

    def _tunnel(self, client: socket.socket, tunnels: Tunnels) -> socket.socket:
        head = b""
        while b"\r\n\r\n" not in head:
            head += _some(client)
        host = head.split()[1].decode().partition(":")[0]
        self.hosts.append(host)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return tunnels(host).wrap_socket(client, server_side=True)

    def _forth(self, client: socket.socket, server: socket.socket, under_way: list[Passed]) -> None:
        """Pass requests on piece by piece, and note each once its last byte has passed."""
        read = b""
        while True:
            while b"\r\n\r\n" not in read:
                read += _some(client)
            head, end, body = read.partition(b"\r\n\r\n")
            if self._tunnels:  # the stand-in answers to its own name alone
                own = f"Host: {self._to[0]}:{self._to[1]}".encode()
                read = re.sub(rb"(?im)^host: *[^\r\n]*", own, head, count=1) + end + body
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            left = (int(length[1]) if length else 0) - len(body)
            while left > 0:
                server.sendall(read)
                read = _some(client)
                left -= len(read)
                body = (body + read)[:_PIECE]
            self._note(head, body, under_way)  # before its last bytes pass, so that no answer can come first
            server.sendall(read)
            read = b""

    def _note(self, head: bytes, body: bytes, under_way: list[Passed]) -> None:
        mark = _REFERENCE.search(body)
        request = Passed(head, mark[0].decode() if mark else None)
        self.passed.append(request)
        under_way.append(request)

    def _back(self, server: socket.socket, client: socket.socket, under_way: list[Passed]) -> None:
        """Pass answers back, and keep them with the last request of the connection."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                piece = _some(server)
                if under_way:
                    under_way[-1].answer += piece
                client.sendall(piece)
        _hang_up(client)
        _hang_up(server)


def _some(line: socket.socket) -> bytes:
    piece = line.recv(_PIECE)
    if not piece:
        raise EOFError
    return piece


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    line.close()
