"""The connection under a request, for the faults that no framework can make."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION = "importer.sandbox.connection"
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """The TCP connection under a request; what is written here goes out beside the framework."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Wrap the connection's transport."""
        self._transport = transport

    @property
    def closing(self) -> bool:
        """Whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._transport.write(data)

    def close(self) -> None:
        """Close after what was written has gone out, as a server does that has nothing more to say."""
        self._transport.close()

    def reset(self) -> None:
        """Close at once with a reset, whatever is under way."""
        connected: socket.socket = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client may have closed already
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()


class SandboxProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which hands the application its connection as an ASGI extension."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application for this one connection."""
        stream = cast("asyncio.Transport", transport)
        super().connection_made(stream)
        app, connection = self.app, Connection(stream)

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI's own types
            scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: connection}
            with contextlib.suppress(asyncio.CancelledError):  # the sandbox stops, and the connection is closed already
                await app(scope, receive, send)

        self.app = with_connection


def connection_of(scope: Mapping[str, Any]) -> Connection:
    """Return the connection that the request of this scope came on."""
    connection: Connection = scope["extensions"][EXTENSION]
    return connection
