"""A CRM over raw sockets that does what a script says: for what no framework can be brought to do wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Script = Callable[["Talk"], None]

CREATED = {"code": "200", "error": "null", "msg": "Succesfully create record"}


def created(number: int = 1) -> dict[str, object]:
    """Return the body of the vendor's documented success, with ids."""
    return {**CREATED, "data": {"wolkvox_id": f"64cb{number:04}", "idPrefijo": f"CAS-{number}"}}


def http(status: int, body: bytes | dict[str, object] | str = b"", **headers: str) -> bytes:
    """Return the bytes of a whole answer; `Retry_After="5"` is the header Retry-After."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    named = {"Content-Length": str(len(content)), **{key.replace("_", "-"): value for key, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + content


@dataclass
class Asked:
    """A request as it arrived: its head, and how much of its body was read."""

    head: str
    body: bytearray = field(default_factory=bytearray)

    @property
    def length(self) -> int:
        """The Content-Length that the head announces."""
        return int(self.header("Content-Length") or 0)

    def header(self, name: str) -> str | None:
        """Return a header's value, None where it is missing."""
        for line in self.head.splitlines()[1:]:
            key, _colon, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


class Talk:
    """One connection, from the server's side."""

    def __init__(self, sock: socket.socket, server: ScriptedCrm) -> None:
        self.sock, self.server = sock, server
        self._read = bytearray()

    def head(self) -> Asked:
        """Read a request's head; raises EOFError when the client hangs up instead."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _end, rest = bytes(self._read).partition(b"\r\n\r\n")
        self._read = bytearray(rest)
        asked = Asked(head.decode())
        self.server.requests.append(asked)
        return asked

    def body(self, asked: Asked, most: int | None = None) -> None:
        """Read a request's body, or `most` bytes of it."""
        wanted = asked.length if most is None else most
        while len(asked.body) < wanted:
            if not self._read:
                self._more()
            part = self._read[: wanted - len(asked.body)]
            asked.body += part
            del self._read[: len(part)]

    def request(self) -> Asked:
        """Read a whole request."""
        asked = self.head()
        self.body(asked)
        return asked

    def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(content)

    def drip(self, content: bytes) -> None:
        """Send a byte every now and then, for ever, until the client hangs up or the server ends."""
        for byte in content:
            self.send(bytes([byte]))
        while not self.server.ended.wait(0.02):
            self.send(b"x")

    def reset(self) -> None:
        """Hang up so that the client's next read or write fails."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def until_hangup(self) -> None:
        """Read and forget until the client hangs up."""
        with contextlib.suppress(EOFError):
            while True:
                self._more()

    def until_hangup_after_request(self) -> None:
        """Read a whole request and say nothing."""
        self.request()
        self.server.body_read.set()
        self.until_hangup()

    def ignore(self) -> None:
        """Neither read nor write until the server ends."""
        self.server.ended.wait()

    def _more(self) -> None:
        part = self.sock.recv(65536)
        if not part:
            raise EOFError
        self.server.received += len(part)
        self._read += part


class ScriptedCrm:
    """Serves each connection with the next script, the last of them again and again.

    `requests` are those whose head arrived; `connections` counts what was accepted, `received` the bytes that scripts
    have read, `hung_up` is set whenever a script has ended and its connection is closed, `body_read` when
    `until_hangup_after_request` waits.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts, self._tls = list(scripts), tls
        self.requests: list[Asked] = []
        self.connections = self.received = 0
        self.ended, self.hung_up, self.body_read = threading.Event(), threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """The address for a `Target`."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, script))
            self._sockets.append(sock)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            script(Talk(sock, self))
        sock.close()
        self.hung_up.set()


def answering(*answers: bytes) -> Script:
    """Return a script that answers whole requests, the last answer again and again, until the client hangs up."""

    def script(talk: Talk) -> None:
        for answer in answers:
            talk.request()
            talk.send(answer)
        while True:
            talk.request()
            talk.send(answers[-1])

    return script
