"""The page Start: what there is to do, a sheet to begin with, who works here, and the end of the program."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from importer import account_name
from importer.languages import LANGUAGES
from importer.messages import _
from importer.text import clean
from importer.web.folders import path_of, token_of
from importer.web.notes import KeptNote
from importer.web.page import NotFound, Visit, go_to, page, render
from importer.web.start.cards import cards_of, source_in_journal
from importer.web.start.example import write_example

STEPS = ("begin", "correct", "send", "decide", "look-back")
_LONGEST_NAME = 60


def show(visit: Visit) -> Response:
    """Show the imports, the most urgent first, or how to begin where there is none."""
    found = cards_of(visit.office)
    template = "cards.html" if visit.wants_fragment else "start.html"
    who = visit.office.memory.load().who or ""
    is_empty = not (found.cards or found.older)
    note = visit.office.notes.find(visit.asked("note"))
    return render(
        visit, template, found=found, token_of=token_of, is_empty=is_empty, who=who, user=account_name(), note=note
    )


def resume(visit: Visit) -> Response:
    """Open the sheet of an import that only the journal knows, and go to where its card leads."""
    source, step = path_of(visit.text("source")), visit.text("step")
    if source is None or step not in STEPS or not source_in_journal(visit.office, source):
        raise NotFound
    sheet = visit.office.open(source)
    needs_mapping = sheet.mapping is None and source.is_file()
    return go_to(f"/sheets/{sheet.id}/{f'begin?then={step}' if needs_mapping else step}")


def forget(visit: Visit) -> Response:
    """Take a sheet off the page; its file, its corrections and what was sent stay."""
    sheet = visit.office.sheet(visit.text("sheet"))
    if sheet is not None:
        visit.office.forget(sheet)
    return go_to("/")


def example(visit: Visit) -> Response:
    """Put the example into the folder of copies, and open it."""
    sheet, mapping = write_example(visit.office.copies, visit.office.language)
    return go_to(f"/sheets/{visit.office.open(sheet, mapping).id}/correct")


def say_who(visit: Visit) -> Response:
    """Note who works here; it is recorded with corrections, decisions and sendings from now on."""
    name = " ".join(clean(visit.text("who")).split())[:_LONGEST_NAME]
    visit.office.memory.change(who=name or None)
    said = _("Saved. Nobody is named from now on.")
    if name:
        said = _("Saved. From now on “{name}” is noted with what is done here.", name=name)
    return go_to(f"/?note={visit.office.notes.keep(KeptNote('good', (said,)))}")


def switch_language(visit: Visit) -> Response:
    """Speak another language from now on, on the same page."""
    if visit.text("language") in LANGUAGES:
        visit.office.memory.change(language=visit.text("language"))
    back = visit.text("back")
    return go_to(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")


def close(visit: Visit) -> Response:
    """Close the program; while cases are being sent, only after it was said what happens to them."""
    is_busy = visit.office.is_busy
    if is_busy and not visit.text("agreed"):
        return render(visit, "close.html")
    visit.request.app.state.stop()  # once this page has its stylesheet
    return render(visit, "closed.html", is_busy=is_busy)


ROUTES = [
    Route("/", page(show)),
    Route("/resume", page(resume), methods=["POST"]),
    Route("/forget", page(forget), methods=["POST"]),
    Route("/example", page(example), methods=["POST"]),
    Route("/who", page(say_who), methods=["POST"]),
    Route("/language", page(switch_language), methods=["POST"]),
    Route("/close", page(close), methods=["POST"]),
]
