"""How a page is made: one visit, one handler, one template; and what a visitor sees when something is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive

from importer import ImporterError, SourceError, working_as
from importer.commands import on_page
from importer.languages import LANGUAGES
from importer.messages import _, language, ngettext, shown, speaking
from importer.names import state_name
from importer.system.causes import reason_of
from importer.text import clean
from importer.web.field_names import fault_told, field_name
from importer.web.folders import text_token
from importer.web.internal import InternalError, as_internal
from importer.web.office import Office, OpenSheet
from importer.web.start.arrival import fit_line

MOST_FIELDS = 5_000

LARGEST_FORM = 1 << 30
"""Bytes of a form with a file; the largest sheet that Excel can show has a quarter of that."""

LANGUAGE_NAMES = {"es": "Español", "pt": "Português", "en": "English"}


JOURNAL_PATIENCE = 2.0
"""Seconds that a page waits for a journal which another program has locked, before it says so."""


class NumberConvertor(Convertor[int]):
    """A number in an address, of as many digits as the numbers of rows and imports may have."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the number as an address has it."""
        return str(value)


register_url_convertor("number", NumberConvertor())


class NotFound(Exception):
    """There is nothing at this address, or no longer."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: what the handlers of the pages get. `form` is empty unless something was submitted."""

    office: Office
    request: Request
    form: FormData

    @property
    def sheet(self) -> OpenSheet:
        """The sheet that the address names; raises NotFound for one that is not open."""
        found = self.office.sheet(self.request.path_params["id"])
        if found is None:
            raise NotFound
        return found

    def text(self, name: str) -> str:
        """Return what was typed or chosen in a field of the form, "" where it is missing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return all values of a field that is there several times."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """Return a file that was chosen in the form, None where there is none."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def asked(self, name: str) -> str:
        """Return a parameter of the address, "" where it is missing."""
        return self.request.query_params.get(name, "")

    @property
    def wants_fragment(self) -> bool:
        """Whether our script asked, which puts the answer into the page that is shown; else it is a whole page."""
        return self.request.headers.get("x-fragment") == "1"


Handler = Callable[[Visit], Response]


def page(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a handler, which works in a thread of its own and speaks the page's language."""

    async def endpoint(request: Request) -> Response:
        office: Office = request.app.state.office
        form, answer = FormData(), handler
        if request.method == "POST":
            try:
                form = await Request(request.scope, _bounded(request.receive)).form(max_files=1, max_fields=MOST_FIELDS)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody is there any more to read it
            except (OSError, SourceError) as error:  # a full disk, or more than any sheet has
                answer = partial(_refuse, error)
        try:
            return await run_in_threadpool(_answer, answer, Visit(office, request, form))
        finally:
            await form.close()

    return endpoint


def _bounded(receive: Receive) -> Receive:
    """Return the stream of a submitted form, which refuses to be longer than the largest sheet that is taken."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_FORM:
            while message.get("more_body"):  # a browser shows the answer only when it was let finish
                message = await receive()
            raise SourceError
        return message

    return bounded


def _refuse(error: Exception, _visit: Visit) -> Response:
    """Say why a form could not be taken."""
    if isinstance(error, OSError):
        reason = reason_of(error)
        raise SourceError(
            _(
                "The file could not be received: {reason}. Free some space on the disk, or choose the file in its"
                " folder.",
                reason=reason,
            )
        ) from error
    raise SourceError(_("This file is larger than any table, and was not copied. Copy the table into a new workbook."))


def _answer(handler: Handler, visit: Visit) -> Response:
    with speaking(visit.office.language), on_page(), working_as(visit.office.memory.load().who):
        try:
            return handler(visit)
        except NotFound:
            return render(visit, "missing.html", status=404)
        except ImporterError as error:
            return render(visit, "refused.html", status=409, error=error)
        except Exception as fault:  # noqa: BLE001 - the last line of defence, as on the command line
            return render(visit, "refused.html", status=500, error=as_internal(fault))


def render(visit: Visit, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page made from a template; every value in it is escaped."""
    return HTMLResponse(part(visit, template, **values), status)


def part(visit: Visit, template: str, **values: object) -> str:
    """Return what a template makes of values, every one of them escaped: a page, or a part of one."""
    return _ENVIRONMENT.get_template(template).render(
        values, visit=visit, office=visit.office, here=_here(visit.request)
    )


def _here(request: Request) -> str:
    """Return the address that shows this page again; a form's own address has the page that it was on, too."""
    query = request.url.query if request.method == "GET" else ""
    return f"{request.url.path}?{query}" if query else request.url.path


def go_to(address: str) -> Response:
    """Return the answer to a form that was accepted: the browser shows another page, and reloading sends nothing."""
    return RedirectResponse(address, 303)


def asset(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of the stylesheet or the script."""

    async def endpoint(_request: Request) -> Response:
        source, _path, _is_current = _LOADER.get_source(_ENVIRONMENT, name)
        return Response(source, media_type=media_type)

    return endpoint


def _shown(value: object) -> object:
    """Return what a page shows of a value: of text, only what a person may safely read."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return value


def _lines(sentence: object) -> Markup:
    """Return sentences of the program with what is in backticks set off, each line on its own."""
    parts = str(escape(clean(str(sentence)))).split("`")
    return Markup("".join(f"<b>{part}</b>" if place % 2 else part for place, part in enumerate(parts)))  # noqa: S704


def _when(moment: datetime | str | None) -> str:
    """Return a moment as people write it: the day, and the time to the minute."""
    if moment is None or moment == "":
        return ""
    local = (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone()
    return _("{when:%Y-%m-%d %H:%M}", when=local)


def _day(moment: datetime) -> str:
    return _("{when:%Y-%m-%d}", when=moment.astimezone())


def _shortened(text: str, most: int = 400) -> str:
    """Return a text of which a page has room for the beginning; the whole of it is elsewhere."""
    return text if len(text) <= most else text[:most].rstrip() + "…"


def _size(count: int) -> str:
    """Return the size of a file as people read it."""
    if count < 1 << 20:
        return _("{size:,.0f} KB", size=max(1, -(-count // 1024)))
    return _("{size:,.1f} MB", size=count / (1 << 20))


_LOADER = PackageLoader("importer.web")
_ENVIRONMENT = Environment(
    loader=_LOADER,
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(
    _=_, ngettext=ngettext, language=language, languages={tag: LANGUAGE_NAMES[tag] for tag in LANGUAGES},
    state_name=state_name, is_internal=lambda error: isinstance(error, InternalError), Path=Path, fit_line=fit_line,
    text_token=text_token,
)  # fmt: skip
_ENVIRONMENT.filters.update(lines=_lines, when=_when, day=_day, number=lambda value: shown(value, ",d"), size=_size,
                            shortened=_shortened, field_name=field_name, fault_told=fault_told,
                            host=lambda server: server.partition("://")[2] or server)  # fmt: skip
