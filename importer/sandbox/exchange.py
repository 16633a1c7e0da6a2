"""One request on the way to its answer, which a fault may change, and the connection that it came on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import socket
import struct
from dataclasses import dataclass
from typing import IO, Self

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from importer.errors import UsageError
from importer.messages import _
from importer.sandbox.answers import Answer, code_of, refusal
from importer.sandbox.body import BodyTooLarge, InvalidBody, decoded, decoded_form, save_body
from importer.sandbox.calls import CALLS, SandboxCrm

LABEL = {
    "X-Sandbox": "a simulation, not the wolkvox CRM; how its search matches, sorts, pages and shows cases is made up"
}
EXTENSION = "importer.sandbox.connection"
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long each answer takes, in seconds: evenly distributed between two bounds."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the latency written as `0.3` or as a range, `0.1-2`; raises `UsageError` for anything else."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text.strip(), re.ASCII)
        low, high = (float(found[1]), float(found[2] or found[1])) if found else (1.0, 0.0)
        if low > high:
            raise UsageError(
                _("--latency {text}: give seconds, such as 0.3, or a range from low to high, such as 0.1-2.", text=text)
            )
        return cls(low, high)

    def draw(self) -> float:
        """Return the seconds for one answer."""
        return random.uniform(self.low, self.high)  # noqa: S311  # not a secret


class ClientConnection:
    """The TCP connection below a request, for faults that a web framework cannot make."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Wrap the connection's transport."""
        self._transport = transport

    @property
    def closing(self) -> bool:
        """Whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self._transport.write(data)

    def close(self) -> None:
        """Close once everything written has been sent."""
        self._transport.close()

    def reset(self) -> None:
        """Close immediately with a reset, whatever is in progress."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client may have closed already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


class Exchange:
    """A request, the simulated CRM that answers it, and the connection that it came on."""

    def __init__(self, call: str, request: Request, crm: SandboxCrm, latency: Latency, concurrent: int) -> None:
        """Read nothing yet; `concurrent` is how many calls of the token are in progress, this one included."""
        self.call = call
        self.crm = crm
        self.request = request
        self.connection: ClientConnection = request.scope["extensions"][EXTENSION]
        self._latency = latency
        self._concurrent = concurrent

    async def answer(self) -> Response:
        """Process the request without any fault, and return the response."""
        return respond(await self.process())

    async def process(self, wait: float = 0.0) -> Answer:
        """Read the request, wait, do what it asks for, and return the proper answer."""
        try:
            with await save_body(self.request.stream(), self.crm.config.max_body) as saved:
                await asyncio.sleep(wait + self._latency.draw())
                return await self._handle(saved)
        except BodyTooLarge:
            return refusal(413, "THE BODY IS LARGER THAN THE SANDBOX ACCEPTS")
        except OSError as error:
            return refusal(507, "THE SANDBOX CANNOT STORE THIS BODY", str(error))

    async def discard(self) -> None:
        """Read the request to its end and do nothing with it, in the time that an answer takes."""
        async for _chunk in self.request.stream():
            pass
        await asyncio.sleep(self._latency.draw())

    async def discard_up_to(self, size: int) -> None:
        """Read `size` bytes of the request's body, or all of it if it is shorter."""
        async for chunk in self.request.stream():
            size -= len(chunk)
            if size <= 0:
                return

    async def wait_for_disconnect(self, seconds: float) -> None:
        """Wait until the client closes the connection, at most this long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (await self.request.receive())["type"] != "http.disconnect":
                    pass

    async def _handle(self, saved: IO[bytes]) -> Answer:
        token = token_of(self.request)
        if refused := self.crm.refused(token, self._concurrent):
            return refused
        if self.call == "token":
            return self.crm.token_information(self.request.query_params.get("operation"), token)
        try:
            if CALLS[self.call].is_form:
                async with decoded_form(saved, self.request.headers.get("content-type", "")) as form:
                    return await run_in_threadpool(self.crm.answer, self.call, form)
            return await run_in_threadpool(self._answer, saved)
        except (InvalidBody, UnicodeError):  # JSON can hold half a surrogate pair, which cannot be stored
            kind = "multipart form" if CALLS[self.call].is_form else "JSON object"
            return refusal(400, "SOME PARAMETERS ARE REQUIRED", f"The body is not a {kind} of Unicode texts.")

    def _answer(self, saved: IO[bytes]) -> Answer:
        with decoded(saved) as body:
            return self.crm.answer(self.call, body)


def token_of(request: Request) -> str:
    """Return the token in a request's header, empty if it has none."""
    return request.headers.get("wolkvox-token", "")


def respond(answer: Answer) -> Response:
    """Return an answer with its code as the HTTP status, as the vendor's page lists them."""
    return JSONResponse(answer, status_code=code_of(answer))
