"""What a request can suffer: one function for each fault, given the exchange and the fault's numbers.

Each returns the response to send, or None where it has dealt with the connection itself. Those that let `process`
run leave a case behind; the others leave nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response

from importer.sandbox.calls import Answer, refusal
from importer.sandbox.exchange import LABEL, Exchange, respond

Numbers = Mapping[str, float]

_FOR_THE_CLIENT = 60.0  # seconds within which a client notices that the connection is closed
_WARNING = (
    "<br />\n<b>Warning</b>:  Undefined array key &quot;type&quot; in "
    "<b>/var/www/html/server/API/v2/cases/insertAttach.php</b> on line <b>214</b><br />\n"
)


# ------------------------------------------------------------------------------------------------ nothing comes back


async def timeout_after_creating(exchange: Exchange, numbers: Numbers) -> None:
    """Create the case and answer nothing."""
    await exchange.process()
    await _silence(exchange, numbers["wait"])


async def timeout_without_creating(exchange: Exchange, numbers: Numbers) -> None:
    """Read the request and answer nothing."""
    await exchange.discard()
    await _silence(exchange, numbers["wait"])


async def late_creation(exchange: Exchange, numbers: Numbers) -> Response:
    """Create the case after a wait, whether or not the client is still there."""
    return respond(await exchange.process(numbers["wait"]))


async def closed_after_creating(exchange: Exchange, _numbers: Numbers) -> None:
    """Create the case and close the connection."""
    await exchange.process()
    await _close(exchange)


async def closed_without_creating(exchange: Exchange, _numbers: Numbers) -> None:
    """Read the request and close the connection."""
    await exchange.discard()
    await _close(exchange)


async def reset_upload(exchange: Exchange, numbers: Numbers) -> None:
    """Reset the connection once so many bytes of the body have come."""
    await exchange.discard_up_to(int(numbers["bytes"]))
    exchange.connection.reset()
    await exchange.gone(_FOR_THE_CLIENT)


async def stalled_upload(exchange: Exchange, numbers: Numbers) -> None:
    """Stop reading the request, and reset the connection after a wait."""
    await asyncio.sleep(numbers["wait"])
    exchange.connection.reset()
    await exchange.gone(_FOR_THE_CLIENT)


# ------------------------------------------------------------------------------------------------ an answer of no use


async def server_error_after_creating(exchange: Exchange, numbers: Numbers) -> Response:
    """Create the case and answer with a gateway's error page."""
    await exchange.process()
    return _page(int(numbers["status"]))


async def server_error(exchange: Exchange, numbers: Numbers) -> Response:
    """Create nothing and answer with a gateway's error page."""
    await exchange.discard()
    return _page(int(numbers["status"]))


async def html_answer(exchange: Exchange, _numbers: Numbers) -> Response:
    """Create the case and answer with a page instead of JSON."""
    await exchange.process()
    return _page(200)


async def blank_ids(exchange: Exchange, _numbers: Numbers) -> Response:
    """Create the case and answer with ids of one blank, as the vendor's sample shows them."""
    answer = await exchange.process()
    if answer["code"] == 200:
        answer["data"] = {"wolkvox_id": " ", "idPrefijo": " "}
    return respond(answer)


async def cut_answer(exchange: Exchange, _numbers: Numbers) -> None:
    """Create the case and close the connection in the middle of the answer."""
    response = respond(await exchange.process())
    exchange.connection.write(_raw(response)[: -(len(response.body) // 2)])
    await _close(exchange)


async def cut_json(exchange: Exchange, _numbers: Numbers) -> Response:
    """Create the case and answer with half of the JSON, its length declared as if that were all."""
    whole = respond(await exchange.process())
    return Response(bytes(whole.body)[: len(whole.body) // 2], whole.status_code, media_type="application/json")


async def dripping_answer(exchange: Exchange, numbers: Numbers) -> None:
    """Create the case and answer byte by byte, the status line and headers too."""
    for byte in _raw(respond(await exchange.process())):
        if exchange.connection.closing:
            break
        exchange.connection.write(bytes([byte]))
        await exchange.gone(numbers["pause"])
    await _close(exchange)


# ------------------------------------------------------------------------------------------------ oddities


async def php_warning(exchange: Exchange, _numbers: Numbers) -> Response:
    """Answer as usual behind a warning of PHP, declared as HTML."""
    answer = await exchange.process()
    return HTMLResponse(_WARNING + json.dumps(answer), status_code=int(answer["code"]))


async def string_code(exchange: Exchange, _numbers: Numbers) -> Response:
    """Answer as usual, with the code as a text."""
    answer = await exchange.process()
    return JSONResponse({**answer, "code": str(answer["code"])}, status_code=int(answer["code"]))


async def error_in_200(exchange: Exchange, _numbers: Numbers) -> Response:
    """Answer as usual, with HTTP status 200 whatever the code in the body says."""
    return JSONResponse(await exchange.process())


async def search_finds_nothing(exchange: Exchange, _numbers: Numbers) -> Response:
    """Answer a search as if there were no such case."""
    await exchange.discard()
    return respond(exchange.crm.nothing_found())


# ------------------------------------------------------------------------------------------------ refusals


async def unauthorized(exchange: Exchange, _numbers: Numbers) -> Response:
    """Say that there is no token."""
    return await _refuse(exchange, refusal(401, "PLEASE ENTER THE WOLKVOX-TOKEN"))


async def forbidden(exchange: Exchange, _numbers: Numbers) -> Response:
    """Say that the token is not valid."""
    return await _refuse(exchange, refusal(403, "PLEASE VALIDATE TOKEN"))


async def quota_exceeded(exchange: Exchange, _numbers: Numbers) -> Response:
    """Say that the token's calls of today are used up."""
    return await _refuse(exchange, refusal(403, "TOKEN LIMIT EXCEEDED"))


async def quota_exceeded_in_200(exchange: Exchange, _numbers: Numbers) -> Response:
    """Say so in the body alone, with the code as a text."""
    await exchange.discard()
    return JSONResponse({**refusal(403, "TOKEN LIMIT EXCEEDED"), "code": "403"})


async def simultaneous_requests(exchange: Exchange, _numbers: Numbers) -> Response:
    """Say that too many calls of the token are under way."""
    return await _refuse(exchange, refusal(403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"))


async def too_many_requests(exchange: Exchange, numbers: Numbers) -> Response:
    """Answer 429 with the seconds to wait."""
    await exchange.discard()
    return _page(429, {"Retry-After": str(int(numbers["wait"]))})


async def too_many_requests_date(exchange: Exchange, numbers: Numbers) -> Response:
    """Answer 429 with the moment to wait for."""
    await exchange.discard()
    return _page(429, {"Retry-After": formatdate(time.time() + numbers["wait"], usegmt=True)})


async def redirect(exchange: Exchange, numbers: Numbers) -> Response:
    """Point to this very address, so that a client that follows is seen to send twice."""
    await exchange.discard()
    return _page(int(numbers["status"]), {"Location": str(exchange.request.url)})


async def proxy_page(exchange: Exchange, numbers: Numbers) -> Response:
    """Answer with the page of a proxy that lets nothing through."""
    await exchange.discard()
    return _page(int(numbers["status"]))


async def _silence(exchange: Exchange, seconds: float) -> None:
    await exchange.gone(seconds)
    await _close(exchange)


async def _close(exchange: Exchange) -> None:
    exchange.connection.close()
    await exchange.gone(_FOR_THE_CLIENT)


async def _refuse(exchange: Exchange, answer: Answer) -> Response:
    await exchange.discard()
    return respond(answer)


def _page(status: int, headers: Mapping[str, str] | None = None) -> Response:
    title = f"{status} {HTTPStatus(status).phrase}"
    return HTMLResponse(
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>", status, headers
    )


def _raw(response: Response) -> bytes:
    """Return a response as the bytes that go over the wire."""
    lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    lines += [f"{name}: {value}".encode() for name, value in LABEL.items()]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
