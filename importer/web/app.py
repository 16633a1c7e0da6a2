"""The page as a web application: the addresses of all pages, behind the door."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from importer.web import decide
from importer.web.contacts import views as contacts
from importer.web.correct import files as correct_files
from importer.web.correct import group_forms
from importer.web.correct import views as correct
from importer.web.door import CONTROL, Door, DoorKeys
from importer.web.look_back import kept_files
from importer.web.look_back import views as look_back
from importer.web.match import views as match
from importer.web.office import Office
from importer.web.page import NotFound, Visit, asset, page
from importer.web.proof import views as proof
from importer.web.send import views as send
from importer.web.start import choosing, opening
from importer.web.start import views as start

ROUTES = [
    *start.ROUTES,
    *choosing.ROUTES,
    *opening.ROUTES,
    *match.ROUTES,
    *correct.ROUTES,
    *correct_files.ROUTES,
    *group_forms.ROUTES,
    *contacts.ROUTES,
    *send.ROUTES,
    *decide.ROUTES,
    *look_back.ROUTES,
    *proof.ROUTES,
    *kept_files.ROUTES,
]


def create_app(office: Office, keys: DoorKeys, address: str, stop: Callable[[], None]) -> ASGIApp:
    """Return the application of one running program, which is at `address`; `stop` ends the program."""

    async def another_key(_request: Request) -> Response:
        return PlainTextResponse(keys.new())

    async def here(_request: Request) -> Response:
        return Response(status_code=204)  # a tab is open: that it asks is all that there is to know

    app = Starlette(
        routes=[
            *ROUTES,
            Route("/page.css", asset("page.css", "text/css")),
            Route("/page.js", asset("page.js", "text/javascript")),
            Route("/icon.svg", asset("icon.svg", "image/svg+xml")),
            Route("/here", here),
            Route(CONTROL, another_key, methods=["POST"]),
            Route("/{rest:path}", page(_nothing)),
        ]
    )
    app.state.office, app.state.stop = office, stop
    return Door(app, keys, address)


def _nothing(_visit: Visit) -> Response:
    raise NotFound
