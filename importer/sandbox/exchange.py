"""One request on its way to its answer, which a fault may bend."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from dataclasses import dataclass
from typing import IO, Self

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from importer.errors import UsageError
from importer.messages import _
from importer.sandbox.body import BadBody, BodyTooLarge, decoded, take
from importer.sandbox.calls import Answer, Crm, refusal
from importer.sandbox.transport import Connection, connection_of

LABEL = {
    "X-Sandbox": "a stand-in, not the wolkvox CRM; which values match, their order, paging and shape are its own choice"
}


@dataclass(frozen=True, slots=True)
class Latency:
    """How long each answer takes, in seconds: evenly spread between two bounds."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the latency written as `0.3` or as a range, `0.1-2`; raises `UsageError` for anything else."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text.strip(), re.ASCII)
        low, high = (float(found[1]), float(found[2] or found[1])) if found else (1.0, 0.0)
        if low > high:
            raise UsageError(
                _("--latency {text}: give seconds, like 0.3, or a range from less to more, like 0.1-2.", text=text)
            )
        return cls(low, high)

    def draw(self) -> float:
        """Return the seconds of one answer."""
        return random.uniform(self.low, self.high)  # noqa: S311  # no secret


class Exchange:
    """A request, the stand-in that answers it, and the connection that it came on."""

    def __init__(self, call: str, request: Request, crm: Crm, latency: Latency, crowd: int) -> None:
        """Read nothing yet; `crowd` is how many calls of the token are under way with this one."""
        self.call = call
        self.crm = crm
        self.request = request
        self.connection: Connection = connection_of(request.scope)
        self._latency = latency
        self._crowd = crowd

    async def process(self, wait: float = 0.0) -> Answer:
        """Read the request, wait so many seconds, do what it asks for, and return the answer that belongs to it."""
        try:
            with await take(self.request.stream(), self.crm.config.max_body) as taken:
                await asyncio.sleep(wait + self._latency.draw())
                return await self._handle(taken)
        except BodyTooLarge:
            return refusal(413, "THE BODY IS LARGER THAN THE SANDBOX TAKES")
        except OSError as error:
            return refusal(507, "THE SANDBOX CANNOT KEEP THIS BODY", str(error))

    async def discard(self) -> None:
        """Read the request to its end and do nothing with it, in the time that an answer takes."""
        async for _chunk in self.request.stream():
            pass
        await asyncio.sleep(self._latency.draw())

    async def discard_up_to(self, size: int) -> None:
        """Read `size` bytes of the request's body, or all of it where it is shorter."""
        async for chunk in self.request.stream():
            size -= len(chunk)
            if size <= 0:
                return

    async def gone(self, seconds: float) -> None:
        """Wait until the client has closed the connection, at most so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (await self.request.receive())["type"] != "http.disconnect":
                    pass

    async def _handle(self, taken: IO[bytes]) -> Answer:
        token = token_of(self.request)
        if refused := self.crm.refused(token, self._crowd):
            return refused
        if self.call == "token":
            return self.crm.token_information(self.request.query_params.get("operation"), token)
        return await run_in_threadpool(self._judge, taken)

    def _judge(self, taken: IO[bytes]) -> Answer:
        try:
            with decoded(taken) as body:
                return self.crm.insert(body) if self.call == "insert" else self.crm.query(body)
        except (BadBody, UnicodeError):  # half a surrogate pair is a text in JSON, and nowhere else
            return refusal(400, "SOME PARAMETERS ARE REQUIRED", "The body is no JSON object of Unicode texts.")


def token_of(request: Request) -> str:
    """Return the token that a request carries, empty where it carries none."""
    return request.headers.get("wolkvox-token", "")


def respond(answer: Answer) -> Response:
    """Return an answer with its code as the HTTP status, as the vendor's page lists them."""
    return JSONResponse(answer, status_code=int(answer["code"]))
