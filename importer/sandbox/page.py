"""The pages for people: the lists of cases and contacts, and each case with its attachments and updates."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from importer.messages import _, language, ngettext, shown
from importer.sandbox.calls import SandboxCrm
from importer.sandbox.file_types import detect_type
from importer.sandbox.store import StoredCase

_A_PAGE = 50  # cases or contacts
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """The pages of one sandbox."""

    def __init__(self, crm: SandboxCrm) -> None:
        """Show the cases in the sandbox's store."""
        self._config = crm.config
        self._store = crm.store
        self._templates = _environment()

    @property
    def routes(self) -> Mount:
        """The addresses of the pages."""
        return Mount(
            "/",
            routes=[
                Route("/", self._list),
                Route("/contacts", self._contacts),
                Route("/style.css", self._stylesheet),
                Route("/cases/{number:int}", self._case),
                Route("/cases/{number:int}/attachments/{position:int}", self._attachment),
                Route("/{rest:path}", self._missing),
            ],
        )

    async def _list(self, request: Request) -> Response:
        searched, offset = _asked_for(request)
        cases, total = await run_in_threadpool(self._store.find, searched, offset, _A_PAGE)
        if offset and not cases:
            return await self._missing(request)
        files = {case.number: len(self._store.sizes(case.number)) for case in cases}
        return self._page("list.html", cases=cases, files=files, **_place(searched, total, offset))

    async def _contacts(self, request: Request) -> Response:
        """Show the records of all modules: contacts, and others where a call has made some."""
        searched, offset = _asked_for(request)
        contacts, total = await run_in_threadpool(self._store.records.page, searched, offset, _A_PAGE)
        if offset and not contacts:
            return await self._missing(request)
        return self._page("contacts.html", contacts=contacts, **_place(searched, total, offset))

    async def _case(self, request: Request) -> Response:
        case = self._store.case(request.path_params["number"])
        if case is None:
            return await self._missing(request)
        sizes = self._store.sizes(case.number)
        types = [detect_type(next(self._store.attachment(case.number, position))) for position in range(len(sizes))]
        names = self._store.names(case.number)
        attachments = [(*one, names.get(place)) for place, one in enumerate(zip(types, sizes, strict=True))]
        updates = self._store.updates(case.number)
        return self._page("case.html", case=case, attachments=attachments, updates=updates)

    async def _attachment(self, request: Request) -> Response:
        number, position = request.path_params["number"], request.path_params["position"]
        head = next(self._store.attachment(number, position), None)
        if head is None:
            return await self._missing(request)
        file_type = detect_type(head)
        disposition = "inline" if file_type.inline else "attachment"
        name = f"case-{number}-attachment-{position + 1}.{file_type.extension}"
        return StreamingResponse(
            self._store.attachment(number, position),
            media_type=file_type.media_type,
            headers={**_HEADERS, "Content-Disposition": f'{disposition}; filename="{name}"'},
        )

    async def _stylesheet(self, _request: Request) -> Response:
        return Response(self._templates.get_template("style.css").render(), media_type="text/css", headers=_HEADERS)

    async def _missing(self, _request: Request) -> Response:
        return self._page("missing.html", status=404)

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        content = self._templates.get_template(template).render(values, config=self._config)
        return HTMLResponse(content, status, _HEADERS)


def _asked_for(request: Request) -> tuple[str, int]:
    """Return the text that a list is searched for, and how many of its lines come before the page."""
    start = request.query_params.get("from", "")
    offset = int(start) if start.isascii() and start.isdigit() and len(start) < 10 else 0
    return request.query_params.get("q", "").strip(), offset


def _place(searched: str, total: int, offset: int) -> dict[str, Any]:
    return {"searched": searched, "total": total, "offset": offset, "newer": max(0, offset - _A_PAGE)}


def _environment() -> Environment:
    """Return the templates' environment, which escapes every value."""
    environment = Environment(
        loader=PackageLoader("importer.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, ngettext=ngettext, language=language)
    environment.filters.update(as_text=_as_text, pretty_json=_pretty_json, local_time=_local_time)
    environment.filters.update(size=_size, summary=_summary)
    return environment


def _as_text(value: object) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pretty_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _local_time(seconds: float) -> str:
    return _("{when:%Y-%m-%d %H:%M}", when=datetime.fromtimestamp(seconds).astimezone())


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{shown(size, '.3g')} {unit}"
        size /= 1000
    return f"{shown(size, '.3g')} GB"


def _summary(case: StoredCase) -> str:
    """Return the first line of the description other than the importer's reference."""
    lines = [line.strip() for line in str(case.body["description"]).splitlines() if line.strip()]
    other = [line for line in lines if line.strip("[]").upper() != case.reference]
    return next(iter(other or lines), "")[:200]
