"""What each fault does to one request; `KINDS` lists them all.

A fault returns the response to send, or None when it has dealt with the connection itself. A fault that calls `process`
leaves a case behind; the others leave nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from importer.messages import gettext_noop
from importer.sandbox.answers import code_of, refusal
from importer.sandbox.exchange import LABEL, Exchange, respond

_IDS = {"wolkvox_id", "idPrefijo"}

Action = Callable[..., Awaitable[Response | None]]

_CLIENT_CLOSES_WITHIN = 60.0  # seconds
_PHP_WARNING = (
    "<br />\n<b>Warning</b>:  Undefined array key &quot;type&quot; in "
    "<b>/var/www/html/server/API/v2/cases/insertAttach.php</b> on line <b>214</b><br />\n"
)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: a summary for people, its function, the function's parameters, and the call it affects."""

    summary: str
    act: Action
    numbers: Mapping[str, float]
    call: str


KINDS: dict[str, FaultKind] = {}


def _fault(name: str, summary: str, *, call: str = "insert", **numbers: float) -> Callable[[Action], Action]:
    """Register the decorated function as a fault; `numbers` are its parameters with their defaults."""

    def register(act: Action) -> Action:
        KINDS[name] = FaultKind(summary, act, numbers, call)
        return act

    return register


# ------------------------------------------------------------------------------------------------ no answer


@_fault(
    "timeout-after-creating",
    gettext_noop("creates the case and never answers (wait: seconds until it closes)"),
    wait=3600,
)
async def _timeout_after_creating(exchange: Exchange, wait: float) -> None:
    await exchange.process()
    await _stay_silent(exchange, wait)


@_fault("timeout-without-creating", gettext_noop("creates nothing and never answers"), wait=3600)
async def _timeout_without_creating(exchange: Exchange, wait: float) -> None:
    await exchange.discard()
    await _stay_silent(exchange, wait)


@_fault("late-creation", gettext_noop("creates the case after a delay, even if the client has disconnected"), wait=5)
async def _late_creation(exchange: Exchange, wait: float) -> Response:
    return respond(await exchange.process(wait))


@_fault("closed-after-creating", gettext_noop("creates the case and closes the connection instead of answering"))
async def _closed_after_creating(exchange: Exchange) -> None:
    await exchange.process()
    await _close(exchange)


@_fault("closed-without-creating", gettext_noop("creates nothing and closes the connection instead of answering"))
async def _closed_without_creating(exchange: Exchange) -> None:
    await exchange.discard()
    await _close(exchange)


@_fault("reset-upload", gettext_noop("resets the connection after this many bytes of the body"), bytes=65536)
async def _reset_upload(exchange: Exchange, **numbers: float) -> None:
    await exchange.discard_up_to(int(numbers["bytes"]))
    await _reset(exchange)


@_fault(
    "stalled-upload",
    gettext_noop("stops reading the request (wait: seconds until it resets the connection)"),
    wait=3600,
)
async def _stalled_upload(exchange: Exchange, wait: float) -> None:
    await asyncio.sleep(wait)
    await _reset(exchange)


# ------------------------------------------------------------------------------------------------ a useless answer


@_fault("server-error-after-creating", gettext_noop("creates the case and answers 502 or another 5xx"), status=502)
async def _server_error_after_creating(exchange: Exchange, status: float) -> Response:
    await exchange.process()
    return _error_page(status)


@_fault("server-error", gettext_noop("creates nothing and answers 500 or another 5xx"), status=500)
async def _server_error(exchange: Exchange, status: float) -> Response:
    await exchange.discard()
    return _error_page(status)


@_fault("html-answer", gettext_noop("creates the case and answers 200 with an HTML page instead of JSON"))
async def _html_answer(exchange: Exchange) -> Response:
    await exchange.process()
    return _error_page(200)


@_fault("blank-ids", gettext_noop("creates the case and answers with blank ids, as in the vendor's sample"))
async def _blank_ids(exchange: Exchange) -> Response:
    answer = await exchange.process()
    if isinstance(answer, dict) and answer["code"] == 200 and answer["data"]:
        answer["data"] = _blank(answer["data"])
    return respond(answer)


@_fault("cut-answer", gettext_noop("creates the case and closes the connection halfway through the answer"))
async def _cut_answer(exchange: Exchange) -> None:
    response = respond(await exchange.process())
    exchange.connection.write(_raw(response)[: -(len(response.body) // 2)])
    await _close(exchange)


@_fault("cut-json", gettext_noop("creates the case and answers with half of the JSON, declared as complete"))
async def _cut_json(exchange: Exchange) -> Response:
    whole = respond(await exchange.process())
    return Response(bytes(whole.body)[: len(whole.body) // 2], whole.status_code, media_type="application/json")


@_fault(
    "dripping-answer", gettext_noop("creates the case and answers byte by byte (pause: seconds between bytes)"), pause=1
)
async def _dripping_answer(exchange: Exchange, pause: float) -> None:
    for byte in _raw(respond(await exchange.process())):
        if exchange.connection.closing:
            break
        exchange.connection.write(bytes([byte]))
        await exchange.wait_for_disconnect(pause)
    await _close(exchange)


# ------------------------------------------------------------------------------------------------ an odd form


@_fault("php-warning", gettext_noop("gives the correct answer after a PHP warning"), call="any")
async def _php_warning(exchange: Exchange) -> Response:
    answer = await exchange.process()
    return HTMLResponse(_PHP_WARNING + json.dumps(answer), status_code=code_of(answer))


@_fault("string-code", gettext_noop("gives the correct answer with its code as a string"), call="any")
async def _string_code(exchange: Exchange) -> Response:
    answer = await exchange.process()
    if isinstance(answer, list):
        return respond(answer)
    return JSONResponse({**answer, "code": str(answer["code"])}, status_code=code_of(answer))


@_fault("error-in-200", gettext_noop("gives the correct answer with HTTP status 200, whatever its code"), call="any")
async def _error_in_200(exchange: Exchange) -> Response:
    return JSONResponse(await exchange.process())


# ------------------------------------------------------------------------------------------------ refusals


@_fault("unauthorized", gettext_noop("answers 401, as if the token were missing"))
async def _unauthorized(exchange: Exchange) -> Response:
    return await _refuse(exchange, 401, "PLEASE ENTER THE WOLKVOX-TOKEN")


@_fault("forbidden", gettext_noop("answers 403, as if the token were invalid"))
async def _forbidden(exchange: Exchange) -> Response:
    return await _refuse(exchange, 403, "PLEASE VALIDATE TOKEN")


@_fault("quota-exceeded", gettext_noop("answers 403 TOKEN LIMIT EXCEEDED"))
async def _quota_exceeded(exchange: Exchange) -> Response:
    return await _refuse(exchange, 403, "TOKEN LIMIT EXCEEDED")


@_fault("quota-exceeded-in-200", gettext_noop('answers TOKEN LIMIT EXCEEDED with HTTP status 200 and the code "403"'))
async def _quota_exceeded_in_200(exchange: Exchange) -> Response:
    await exchange.discard()
    return JSONResponse({**refusal(403, "TOKEN LIMIT EXCEEDED"), "code": "403"})


@_fault("simultaneous-requests", gettext_noop("answers 403 EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS"))
async def _simultaneous_requests(exchange: Exchange) -> Response:
    return await _refuse(exchange, 403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")


@_fault("too-many-requests", gettext_noop("answers 429 with Retry-After in seconds (wait)"), wait=2)
async def _too_many_requests(exchange: Exchange, wait: float) -> Response:
    await exchange.discard()
    return _error_page(429, {"Retry-After": str(int(wait))})


@_fault(
    "too-many-requests-date", gettext_noop("answers 429 with Retry-After as a date (wait: seconds until then)"), wait=2
)
async def _too_many_requests_date(exchange: Exchange, wait: float) -> Response:
    await exchange.discard()
    return _error_page(429, {"Retry-After": formatdate(time.time() + wait, usegmt=True)})


@_fault("redirect", gettext_noop("answers 302 or another 3xx that leads to the same address"), status=302)
async def _redirect(exchange: Exchange, status: float) -> Response:
    await exchange.discard()
    return _error_page(status, {"Location": str(exchange.request.url)})  # a client that follows is seen to send twice


@_fault("proxy-page", gettext_noop("answers 404 or another status with a proxy's error page"), status=404)
async def _proxy_page(exchange: Exchange, status: float) -> Response:
    await exchange.discard()
    return _error_page(status)


@_fault("search-finds-nothing", gettext_noop("answers a search as if there were no such case"), call="query")
async def _search_finds_nothing(exchange: Exchange) -> Response:
    await exchange.discard()
    return respond(exchange.crm.nothing_found())


# ------------------------------------------------------------------------------------------------ what they share


async def _stay_silent(exchange: Exchange, seconds: float) -> None:
    await exchange.wait_for_disconnect(seconds)
    await _close(exchange)


async def _close(exchange: Exchange) -> None:
    exchange.connection.close()
    await exchange.wait_for_disconnect(_CLIENT_CLOSES_WITHIN)


async def _reset(exchange: Exchange) -> None:
    exchange.connection.reset()
    await exchange.wait_for_disconnect(_CLIENT_CLOSES_WITHIN)


async def _refuse(exchange: Exchange, code: int, error: str) -> Response:
    await exchange.discard()
    return respond(refusal(code, error))


def _blank(data: Any) -> Any:  # noqa: ANN401  # JSON is of any shape
    """Return an answer's data with each of its ids blank."""
    if isinstance(data, list):
        return [_blank(each) for each in data]
    return {name: " " if name in _IDS else value for name, value in data.items()} if isinstance(data, dict) else data


def _error_page(status: float, headers: Mapping[str, str] | None = None) -> Response:
    """Return the kind of page that gateways and proxies answer with."""
    title = f"{int(status)} {HTTPStatus(int(status)).phrase}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return HTMLResponse(page, int(status), headers)


def _raw(response: Response) -> bytes:
    """Return a response as the bytes that go over the wire."""
    lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    lines += [f"{name}: {value}".encode() for name, value in LABEL.items()]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
