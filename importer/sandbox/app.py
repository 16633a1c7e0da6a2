"""The sandbox as a web application: the CRM's calls at the vendor's paths, and pages for people."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from importer.sandbox.answers import refusal
from importer.sandbox.calls import CALLS, SandboxCrm
from importer.sandbox.config import SandboxConfig
from importer.sandbox.exchange import LABEL, Exchange, Latency, respond, token_of
from importer.sandbox.faults import Fault, FaultPlan
from importer.sandbox.misbehaviour import KINDS
from importer.sandbox.page import Pages
from importer.sandbox.store import Store

_API = "/server/API/v2/"


def create_app(
    config: SandboxConfig,
    store: Store,
    faults: Iterable[Fault] = (),
    latency: Latency = Latency(),  # noqa: B008  # frozen
) -> Starlette:
    """Return the application; `app.state` holds its `crm`, with the traffic so far, and its `plan` of faults.

    It must be served by `importer.sandbox.server`, because some faults need the connection itself.
    """
    crm = SandboxCrm(config, store)
    calls = [Route(_API + call.path, _Call(name, call.method, crm, latency)) for name, call in CALLS.items()]
    app = Starlette(routes=[*calls, Pages(crm).routes], middleware=[Middleware(_Labelled), Middleware(_LocalOnly)])
    app.state.crm = crm
    app.state.plan = FaultPlan(faults)
    return app


class _Call:
    """One call of the CRM, as an ASGI application."""

    def __init__(self, name: str, method: str, crm: SandboxCrm, latency: Latency) -> None:
        self._name = name
        self._method = method
        self._crm = crm
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != self._method:
            await respond(refusal(405, "METHOD NOT ALLOWED"))(scope, receive, send)
            return
        traffic = self._crm.traffic
        traffic.calls[self._name] += 1
        plan: FaultPlan = request.app.state.plan
        fault = plan.draw(self._name)
        with traffic.in_progress(token_of(request)) as concurrent:
            exchange = Exchange(self._name, request, self._crm, self._latency, concurrent)
            try:
                response = await (KINDS[fault.name].act(exchange, **fault.numbers) if fault else exchange.answer())
            except ClientDisconnect:  # in the middle of its body: nothing to do, and no client to answer
                return
        if response is not None:
            await response(scope, receive, send)


_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


class _LocalOnly:
    """Answers only requests to a name of this computer and the sandbox's own port, and none from another site's page.

    A web page can make its own name resolve to this computer (DNS rebinding), or have the browser send requests to
    localhost in the background; the host and the origin that the browser sends reveal both.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not _is_own(hosts[0], scope["server"][1]):
            reason = "It answers as 127.0.0.1 or localhost, at its own port."
            await respond(refusal(400, "THE SANDBOX DOES NOT HAVE THIS NAME", reason))(scope, receive, send)
        elif any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            reason = "It does not answer pages of other sites."
            await respond(refusal(403, "THE SANDBOX IS NOT FOR OTHER SITES", reason))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_own(host: str, own_port: int) -> bool:
    """Tell whether a Host header names this computer and the port; a header without a port means port 80."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host.lower(), "80"
    return name.removesuffix(".") in _OWN_NAMES and port == str(own_port)


class _Labelled:
    """Marks every answer as one of the sandbox, and adds the time of its clock."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**LABEL, "Date": formatdate(usegmt=True)})
            await send(message)

        await self._app(scope, receive, labelled)
