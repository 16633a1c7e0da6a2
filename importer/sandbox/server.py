"""Serves the sandbox on loopback: in the foreground for a person, in a background thread for a test.

This is the one module that uses uvicorn's undocumented parts, `H11Protocol` and `ServerState`: faults need the
connection below a request, and uvicorn's own server takes two tenths of a second to stop and waits for answers that a
fault withholds forever.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, cast

from starlette.applications import Starlette
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from importer.errors import UsageError
from importer.messages import _, speaking_on
from importer.sandbox.app import create_app
from importer.sandbox.config import SandboxConfig
from importer.sandbox.exchange import EXTENSION, ClientConnection, Latency
from importer.sandbox.faults import Fault, FaultPlan, parse_fault
from importer.sandbox.store import Store
from importer.system.causes import reason_of

_HOST = "127.0.0.1"


def serve(  # noqa: PLR0913  # what a person can choose
    port: int,
    *,
    config: SandboxConfig,
    store: Store,
    faults: Iterable[Fault] = (),
    latency: Latency = Latency(),  # noqa: B008  # frozen
    ready: Callable[[str], None],
) -> None:
    """Serve on loopback until Ctrl-C; port 0 picks a free port, and `ready` is called with the address.

    Raises `UsageError` if the port cannot be used.
    """
    listener = _listen(port)
    app = create_app(config, store, faults, latency)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, listener, asyncio.Event(), lambda: ready(_url(listener))))


class RunningSandbox:
    """A sandbox that serves in a background thread during its `with` block.

    `url` is its address; `store.cases` are the cases that it created, with `reference`, `body`, `attachments`,
    `wolkvox_id` and `id_prefijo`. Without a store it keeps them in memory.
    """

    url: str
    _listener: socket.socket
    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event

    def __init__(
        self,
        config: SandboxConfig | None = None,
        store: Store | None = None,
        faults: Iterable[str] = (),
        latency: Latency | None = None,
        port: int = 0,
    ) -> None:
        """Prepare it; `faults` are written as on the command line."""
        self.store = store or Store()
        self._owns_store = store is None
        self._app = create_app(config or SandboxConfig(), self.store, map(parse_fault, faults), latency or Latency())
        self._port = port
        self._ready = threading.Event()
        serve_here = speaking_on(lambda: asyncio.run(self._main()))
        self._thread = threading.Thread(target=serve_here, name="sandbox", daemon=True)

    @property
    def posts(self) -> int:
        """How many insert requests have arrived, whatever their outcome."""
        return self.calls("insert")

    @property
    def idle(self) -> bool:
        """Whether no request is in progress."""
        return not self._app.state.crm.traffic.concurrent.total()

    @property
    def most_at_once(self) -> int:
        """How many requests of one token were in progress at the same time, at most."""
        return max(self._app.state.crm.traffic.most.values(), default=0)

    def calls(self, name: str) -> int:
        """Return how many requests of one call, a name of `calls.CALLS`, have arrived."""
        count: int = self._app.state.crm.traffic.calls[name]
        return count

    def inject(self, *faults: str) -> None:
        """Replace the faults, which start counting from 1; without any, all requests succeed from now on."""
        self._app.state.plan = FaultPlan(map(parse_fault, faults))

    def new_day(self) -> None:
        """Reset the quota of every token."""
        self._app.state.crm.traffic.used.clear()

    def __enter__(self) -> Self:
        self._listener = _listen(self._port)
        self.url = _url(self._listener)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._owns_store:
            self.store.close()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await _serve(self._app, self._listener, self._stop, self._ready.set)


def _listen(port: int) -> socket.socket:
    # The protocol is given because asyncio turns Nagle's delay off only if it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        values = {"port": port, "host": _HOST, "reason": reason_of(error)}
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise UsageError(
                _(
                    "Port {port} on {host} cannot be used: {reason}. Another practice CRM may be running already."
                    " Use that, or choose another port with --port, or 0 for a free one.",
                    **values,
                )
            ) from error
        raise UsageError(
            _(
                "Port {port} on {host} cannot be used: {reason}. Choose another with --port, or 0 for a free one.",
                **values,
            )
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}"


class _SandboxProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which also hands the connection to the application, as an ASGI extension."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application for this one connection."""
        stream = cast("asyncio.Transport", transport)
        super().connection_made(stream)
        app, connection = self.app, ClientConnection(stream)

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI's own types
            scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: connection}
            with contextlib.suppress(asyncio.CancelledError):  # the sandbox stops, and the connection is already closed
                await app(scope, receive, send)

        self.app = with_connection


async def _serve(app: Starlette, listener: socket.socket, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Serve until `stop`, then drop every connection."""
    config = Config(app, log_config=None, access_log=False, proxy_headers=False, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _SandboxProtocol(config, state, {}), sock=listener)
    ready()
    try:
        await stop.wait()
    finally:
        server.close()
        for connection in state.connections:
            connection.transport.abort()
        await asyncio.sleep(0)  # each connection learns that it is lost before its requests are cancelled
        for task in list(state.tasks):
            task.cancel()
