"""A transport that answers from a script instead of the network, for tests of code that uses `Crm`.

For example: `Crm(target, transport=ScriptedTransport([json_reply(200, {"code": 200, "data": []})]))`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from importer.crm.connections import Watch
from importer.crm.transport import ANSWER_LIMIT, Reply, Request, Upload


def json_reply(status: int, body: object, **headers: str) -> Reply:
    """Return a reply with a JSON body; `Retry_After="5"` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as the server would have it, with its whole body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class ScriptedTransport:
    """Answers each request with the next reply; an exception among the replies is raised instead.

    A body is read to its end first, as a server would, so that the deadline and the lease are asked as on the network.
    A request beyond the last reply is a ConnectionError. `requests` are those whose body was read.
    """

    def __init__(self, replies: Iterable[Reply | Exception]) -> None:
        self._replies = list(replies)
        self._guard = threading.Lock()
        self.requests: list[SentRequest] = []

    def exchange(self, request: Request, watch: Watch, limit: int = ANSWER_LIMIT) -> Reply:
        """Note the request and return the next reply, as `Transport.exchange` says."""
        watch.allow_sending()
        watch.connected = True
        body = b"".join(request.body) if isinstance(request.body, Upload) else request.body
        with self._guard:
            number = len(self.requests)
            self.requests.append(SentRequest(request.method, request.url, request.headers, body))
        if number >= len(self._replies):
            raise ConnectionError(f"the script has no reply to request {number + 1}")
        reply = self._replies[number]
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply.status, reply.headers, reply.body[:limit])

    def close(self) -> None:
        """Do nothing: there are no connections."""
