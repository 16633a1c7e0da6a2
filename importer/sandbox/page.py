"""The page for people: the cases that were created, and each one with its attachments."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from importer.sandbox.attachment_kind import kind_of
from importer.sandbox.calls import Crm
from importer.sandbox.rendering import Listing, case_page, listing_page, missing_page

_SIZE = 50
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """The pages over one stand-in."""

    def __init__(self, crm: Crm) -> None:
        """Show what is in the stand-in's store."""
        self._config = crm.config
        self._store = crm.store

    @property
    def routes(self) -> Mount:
        """The pages' addresses; the application answers to this machine's names only."""
        return Mount(
            "/",
            routes=[
                Route("/", self._listing),
                Route("/cases/{number:int}", self._case),
                Route("/cases/{number:int}/attachments/{position:int}", self._attachment),
                Route("/{rest:path}", self._missing),
            ],
        )

    async def _listing(self, request: Request) -> Response:
        searched, start = request.query_params.get("q", "").strip(), request.query_params.get("from", "")
        offset = int(start) if start.isascii() and start.isdigit() and len(start) < 10 else 0
        found, total = await run_in_threadpool(self._store.find, searched, offset, _SIZE)
        if offset and not found:
            return await self._missing(request)
        cases = [(case, len(self._store.sizes(case.number))) for case in found]
        return HTMLResponse(listing_page(Listing(searched, offset, _SIZE, total, cases), self._config), headers=_SAFE)

    async def _case(self, request: Request) -> Response:
        case = self._store.case(request.path_params["number"])
        if case is None:
            return await self._missing(request)
        heads = (next(self._store.attachment(case.number, at)) for at in range(len(self._store.sizes(case.number))))
        files = list(zip(map(kind_of, heads), self._store.sizes(case.number), strict=True))
        return HTMLResponse(case_page(case, files, self._config), headers=_SAFE)

    async def _attachment(self, request: Request) -> Response:
        number, position = request.path_params["number"], request.path_params["position"]
        head = next(self._store.attachment(number, position), None)
        if head is None:
            return await self._missing(request)
        kind = kind_of(head)
        name = f"case-{number}-attachment-{position + 1}.{kind.ending}"
        disposition = f'{"inline" if kind.shown else "attachment"}; filename="{name}"'
        return StreamingResponse(
            self._store.attachment(number, position),
            media_type=kind.media_type,
            headers={**_SAFE, "Content-Disposition": disposition},
        )

    async def _missing(self, _request: Request) -> Response:
        return HTMLResponse(missing_page(self._config), status_code=404, headers=_SAFE)
