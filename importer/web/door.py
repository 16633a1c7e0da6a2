"""The door of the page: who may come in, and what every answer says to the browser.

Only this computer can reach the page, but so can every web site that its user visits, and every other user of it. So a
browser comes in with a one-time key, is known by a cookie from then on, and each request has to name our own address.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from threading import Lock

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from importer.messages import _

ENTRANCE = "/enter"
"""The path of the address that is opened: `/enter?key=…`, with `to` as the page to go to."""

CONTROL = "/control"
"""Where a second start of the program, which knows the secret of the first one, asks for another key."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_SAFE = ("GET", "HEAD")


@dataclass(slots=True)
class DoorKeys:
    """The secrets of one running page: the cookie's value, that of a second start, and keys that each open it once."""

    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    control: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _once: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def new(self) -> str:
        """Return a key that opens the page once."""
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._once.add(key)
        return key

    def use(self, key: str) -> bool:
        """Tell whether a key opens the page; it does not do so again."""
        with self._lock:
            if key not in self._once:
                return False
            self._once.remove(key)
            return True


class Door:
    """Lets in the browser that holds the cookie, at this address alone; every answer carries the headers above.

    `address` is `http://127.0.0.1:PORT`. What is refused gets a sentence without anything of the user's in it.
    """

    def __init__(self, app: ASGIApp, keys: DoorKeys, address: str) -> None:
        self._app, self._keys, self._address = app, keys, address
        self._host = address.removeprefix("http://")
        self._cookie_name = f"case-importer-{self._host.rpartition(':')[2]}"  # cookies are not kept apart by port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse, one request."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._answer(Request(scope))
        await (answer or self._app)(scope, receive, with_headers)

    def _answer(self, request: Request) -> Response | None:
        """Return the answer to a request that does not come in, None for one that does."""
        if not self._is_ours(request.method, request.headers):
            return PlainTextResponse(_("This address belongs to another program."), 403)
        if request.url.path == CONTROL:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            return None if self._is(given, self._keys.control) else PlainTextResponse("", 403)
        if request.url.path == ENTRANCE:
            return self._enter(request)
        if not self._is(request.cookies.get(self._cookie_name, ""), self._keys.cookie):
            return PlainTextResponse(_not_open(), 403)
        return None

    def _is_ours(self, method: str, headers: Headers) -> bool:
        """Tell whether a request names our address, and comes from one of our pages or from no page at all."""
        if headers.get("host") != self._host:
            return False
        origin = headers.get("origin")
        if origin is None:
            return method in _SAFE or "authorization" in headers
        return origin == self._address

    def _enter(self, request: Request) -> Response:
        """Exchange a one-time key for the cookie; whoever has the cookie already just goes on."""
        to = request.query_params.get("to", "/")
        if not to.startswith("/") or to.startswith(("//", "/\\")):
            to = "/"
        answer = RedirectResponse(to, 303)
        if self._keys.use(request.query_params.get("key", "")):
            answer.set_cookie(self._cookie_name, self._keys.cookie, httponly=True, samesite="strict", path="/")
            return answer
        if self._is(request.cookies.get(self._cookie_name, ""), self._keys.cookie):
            return answer
        return PlainTextResponse(_not_open(), 403)

    @staticmethod
    def _is(given: str, secret: str) -> bool:
        return hmac.compare_digest(given.encode(), secret.encode())


def _not_open() -> str:
    return _(
        "This page is not open in this browser, or its address was already used. Start the program again: it opens the"
        " page by itself. Nothing is lost."
    )
