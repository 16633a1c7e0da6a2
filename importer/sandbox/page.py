"""The page for people: the cases that were created, and each one with its attachments."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from importer.sandbox.calls import Crm


def page_routes(crm: Crm) -> list[BaseRoute]:
    """Return the page's routes."""

    async def listing(_request: Request) -> Response:
        return HTMLResponse(str(len(crm.store.cases)))

    return [Route("/", listing)]
