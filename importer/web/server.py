"""Serves the page on loopback, opens the browser on it, and ends when nobody needs it any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

import requests
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server

from importer import Connection, UsageError
from importer.journal_place import Place
from importer.messages import _
from importer.system.causes import reason_of
from importer.web.app import create_app
from importer.web.door import CONTROL, ENTRANCE, DoorKeys
from importer.web.memory import Memory
from importer.web.office import Office

HOST = "127.0.0.1"

IDLE = 30 * 60
"""Seconds without a request and without work after which the program ends."""

_LAST_PAGE = 2.0
"""Seconds that the last page has to fetch its stylesheet before the program ends."""

_ICON = 0.2
"""Seconds after that, for its icon."""

_STYLESHEET = "/page.css"

_LOOKS = 5.0
"""Seconds between two looks at whether anybody needs the program still."""

Opener = Callable[[str], object]


def serve(  # noqa: PLR0913 - what a person can choose
    path: Path | None,
    *,
    connection: Connection,
    journal: Place | None,
    port: int | None = None,
    open_browser: Opener | None = webbrowser.open,
    show: Callable[[str], object],
) -> None:
    """Serve the page until it is closed, or open the one that runs; `path` is a sheet or a folder to begin with.

    `port` None takes the port of last time where it is free, else any. Without a browser, `show` gets the address.
    Raises UsageError if the port cannot be used.
    """
    memory = Memory()
    address = address_of_running(memory, path)
    if address is None:
        listener = listen(port, memory.load().port)
        with RunningPage(listener, connection, journal, memory) as page:
            _open(page.address_of(path), open_browser, show)
            page.wait()
    else:
        _open(address, open_browser, show)


def address_of_running(memory: Memory, path: Path | None) -> str | None:
    """Return an address that opens the page of a program that runs already, None if none does."""
    known = memory.load()
    if known.port is None or known.control is None:
        return None
    origin = f"http://{HOST}:{known.port}"
    session = requests.Session()
    session.trust_env = False  # no proxy between this computer and itself
    try:
        answer = session.post(
            origin + CONTROL, headers={"Authorization": f"Bearer {known.control}"}, timeout=3, allow_redirects=False
        )
    except requests.RequestException:
        return None
    return _entrance(origin, answer.text, path) if answer.status_code == 200 else None


class RunningPage:
    """The page, served from a thread of its own within a `with` block."""

    def __init__(self, listener: socket.socket, connection: Connection, journal: Place | None, memory: Memory) -> None:
        self._listener, self._memory = listener, memory
        self.port: int = listener.getsockname()[1]
        self.address = f"http://{HOST}:{self.port}"
        known = memory.load().cookie
        self.keys = DoorKeys(known) if known else DoorKeys()  # a tab that was left open goes on after a restart
        self.office = Office(connection, journal, memory)
        self._asked_at, self._open_requests = time.monotonic(), 0
        app = create_app(self.office, self.keys, self.address, self.stop_soon)
        config = Config(self._noting(app), log_config=None, access_log=False, proxy_headers=False, lifespan="off",
                        ws="none", server_header=False, timeout_graceful_shutdown=3)  # fmt: skip
        self._server = Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_last_page = False
        self._ended = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        self._memory.change(port=self.port, control=self.keys.control, cookie=self.keys.cookie)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self._thread.join()
        self._memory.change(control=None)
        self.office.close()

    def address_of(self, path: Path | None) -> str:
        """Return an address that opens the page once; `path` is a sheet or a folder to begin with."""
        return _entrance(self.address, self.keys.new(), path)

    def stop(self) -> None:
        """End the program once the requests in progress are answered, and runs are paused."""
        self.office.stop()
        self._server.should_exit = True

    def stop_soon(self) -> None:
        """End the program once the last page has its stylesheet, or a moment has passed; runs are paused at once."""
        self.office.stop()
        self._memory.change(control=None)  # another start does not open a page that ends
        self._is_last_page = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.call_later, _LAST_PAGE, self.stop)

    def wait(self, idle: float = IDLE) -> None:
        """Wait until the page is closed, nobody has needed it for so many seconds, or Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            while not self._ended.wait(min(_LOOKS, idle / 4)):
                if self.office.is_busy or self._open_requests:
                    self._asked_at = time.monotonic()
                elif time.monotonic() - self._asked_at > idle:
                    return

    def _noting(self, app: ASGIApp) -> ASGIApp:
        """Return the application, which notes when it was asked last; a page that listens for news goes on asking."""

        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            self._asked_at = time.monotonic()
            self._open_requests += 1
            try:
                await app(scope, receive, send)
            finally:
                self._asked_at = time.monotonic()
                self._open_requests -= 1
                if self._is_last_page and self._loop and scope.get("path") == _STYLESHEET:
                    self._loop.call_later(_ICON, self.stop)

        return noting

    def _serve(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._ready.set)
            await self._server.serve([self._listener])

        try:
            asyncio.run(main())
        finally:
            self._ended.set()


def _entrance(origin: str, key: str, path: Path | None) -> str:
    to = "" if path is None else "&to=" + quote(f"/open?path={quote(os.fsencode(path.absolute()))}")
    return f"{origin}{ENTRANCE}?key={key}{to}"


def _open(address: str, open_browser: Opener | None, show: Callable[[str], object]) -> None:
    if open_browser is None or not open_browser(address):
        show(_("Open this address in your browser, once: {address}", address=address))


def listen(wanted: int | None, last: int | None) -> socket.socket:
    """Return a listening socket: on the wanted port, else on that of last time where it is free, else on any."""
    if wanted is not None:
        try:
            return _bound(wanted)
        except (OSError, OverflowError) as error:
            values = {"port": wanted, "host": HOST, "reason": reason_of(error)}
            raise UsageError(
                _("Port {port} on {host} cannot be used: {reason}. Leave out --port to use a free one.", **values)
            ) from error
    for port in filter(None, (last, 0)):
        with contextlib.suppress(OSError, OverflowError):
            return _bound(port)
    return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
