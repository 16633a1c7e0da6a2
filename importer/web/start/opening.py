"""Opening a sheet: which of its tabs, with which mapping, and what has changed in its columns since last time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from importer import MappingEditor, SheetFit
from importer.errors import SourceError
from importer.messages import _
from importer.web.folders import SPREADSHEETS, path_of, text_token, token_of
from importer.web.office import OpenSheet, id_of
from importer.web.page import Visit, go_to, page, render
from importer.web.start.arrival import SheetArrival, arrival_of, fit_line, headings_to_offer, last_time

HERE = "match"
"""Which mapping a sheet has is part of the step that matches its columns."""

LATER_STEPS = ("send", "decide", "look-back")


def arrive(visit: Visit, path: Path) -> Response:
    """Open a sheet and go on to where there is something to decide; list a folder. Raises SourceError for neither."""
    office, path = visit.office, path.absolute()
    if os.path.isdir(path):  # noqa: PTH112 - False also for what no path can be
        office.memory.note_folder(path)
        return go_to(f"/choose?at={token_of(path)}")
    if not os.path.exists(path):  # noqa: PTH110 - the same
        raise SourceError(_("There is no file {path}. Check the name and the folder.", path=path))
    if path.suffix.lower() not in SPREADSHEETS:
        raise SourceError(
            _("{file} is not a spreadsheet. Choose an Excel or LibreOffice workbook, or a CSV file.", file=path.name)
        )
    was_open = office.sheet(id_of(path)) is not None
    sheet = office.open(path)
    if not office.is_copy(path):
        office.memory.note_folder(path.parent)
    newest = arrival_of(office, sheet)
    if newest.value is None and isinstance(newest.error, SourceError) and newest.is_current:
        if not was_open:
            office.forget(sheet)
        raise newest.error
    arrival = newest.value if newest.is_current else None
    chosen = _by_itself(sheet, arrival) if arrival is not None and not arrival.facts.is_report else None
    if arrival is None or chosen is None or not chosen.fits or arrival.needs_tab(chosen):
        return go_to(_address(sheet))
    return _use(visit, sheet, chosen)


def begin(visit: Visit) -> Response:
    """Show what has to be decided about a sheet before its rows are looked at."""
    sheet = visit.sheet
    newest = arrival_of(visit.office, sheet)
    if not newest.is_current:
        return render(visit, "begin_reading.html", sheet=sheet, step_shown=HERE)
    if newest.value is None:
        return render(visit, "begin_unreadable.html", sheet=sheet, step_shown=HERE, error=newest.error, status=409)
    are_others = visit.asked("cases") == "other"
    question = OpeningQuestion("begin_other.html") if are_others else _question(visit, sheet, newest.value)
    if question is None:
        return go_to(f"/sheets/{sheet.id}/match")
    return render(
        visit,
        question.template,
        sheet=sheet,
        step_shown=HERE,
        facts=newest.value.facts,
        fits=newest.value.fitting,
        chosen=question.about,
        headings=tuple(headings_to_offer(question.about)) if question.about else (),
        beside=_sheet_beside(newest.value),
        then=visit.asked("then"),
        twice=visit.asked("twice"),
        token_of=token_of,
        last_time=last_time,
    )


def _sheet_beside(arrival: SheetArrival) -> Path | None:
    """Return the sheet that a report is of, if it is beside it; no other path that a file names is ever touched."""
    named = arrival.facts.report_of
    beside = arrival.facts.path.with_name(named.name) if named is not None and named.name else None
    return beside if beside is not None and beside.is_file() else None


def decide(visit: Visit) -> Response:
    """Take what was decided about a sheet; an answer to a page of another time puts the question again."""
    sheet, act = visit.sheet, visit.text("act")
    arrival = arrival_of(visit.office, sheet).value
    if act == "new":
        visit.office.leave_mapping(sheet)
        return go_to(f"{_address(sheet)}?new=yes")
    if act == "ignore":
        return _ignore_columns(visit, sheet)
    if arrival is None:
        return go_to(_address(sheet))
    fit = arrival.of(path_of(visit.text("mapping")))
    if act == "tab":
        tab = next((one for one in arrival.facts.tabs if text_token(one) == visit.text("tab")), None)
        return go_to(_address(sheet)) if tab is None else _take_tab(visit, sheet, fit, tab)
    return go_to(_address(sheet)) if fit is None else _take_fit(visit, sheet, arrival, fit)


@dataclass(frozen=True, slots=True)
class OpeningQuestion:
    """What is asked about a sheet that was opened, about which mapping."""

    template: str
    about: SheetFit | None = None


def _question(visit: Visit, sheet: OpenSheet, arrival: SheetArrival) -> OpeningQuestion | None:
    """Return the first question that is open; None where the columns have to be matched."""
    if arrival.facts.is_report and not visit.asked("report"):
        return OpeningQuestion("begin_report.html")
    if visit.asked("new"):
        return _tab_question(sheet, arrival)
    chosen = arrival.of(path_of(visit.asked("mapping")))
    if chosen is None and not visit.asked("other"):
        chosen = _by_itself(sheet, arrival) or (None if arrival.fitting else arrival.nearest)
    if chosen is not None and chosen.fit is None:
        return None  # a mapping that is not finished
    if chosen is not None and arrival.needs_tab(chosen):
        return OpeningQuestion("begin_tab.html", chosen)
    if chosen is not None:
        return OpeningQuestion("begin_go.html" if chosen.fits else "begin_missing.html", chosen)
    return OpeningQuestion("begin_several.html") if arrival.fitting else _tab_question(sheet, arrival)


def _tab_question(sheet: OpenSheet, arrival: SheetArrival) -> OpeningQuestion | None:
    """Return the question that remains where no mapping fits: which sheet of the workbook is to be matched."""
    is_open = sheet.mapping is None and sheet.tab is None and len(arrival.facts.tabs) > 1
    return OpeningQuestion("begin_tab.html") if is_open else None


def _by_itself(sheet: OpenSheet, arrival: SheetArrival) -> SheetFit | None:
    """Return the mapping that nobody has to choose: the one that the sheet has, fit or not, or the only one that fits.

    A sheet that was an import's stays so: it never becomes another's because a column is missing.
    """
    own = arrival.of(sheet.mapping)
    if own is not None or len(arrival.fitting) != 1:
        return own
    return arrival.fitting[0]


def _use(visit: Visit, sheet: OpenSheet, fit: SheetFit) -> Response:
    """Open a sheet with its mapping, and go where the card led that it was opened from, else to what is to correct."""
    visit.office.open(sheet.source, fit.path)
    then = visit.text("then")
    return go_to(f"/sheets/{sheet.id}/{then if then in LATER_STEPS else 'correct'}")


def _take_fit(visit: Visit, sheet: OpenSheet, arrival: SheetArrival, fit: SheetFit) -> Response:
    if visit.text("act") == "headings":
        return _know_headings(visit, sheet, fit)
    if arrival.needs_tab(fit) or not fit.fits:
        return go_to(f"{_address(sheet)}?mapping={token_of(fit.path)}")
    return _use(visit, sheet, fit)


def _take_tab(visit: Visit, sheet: OpenSheet, fit: SheetFit | None, tab: str) -> Response:
    """Note which tab of the workbook is meant: in the mapping, so that every command reads the same one."""
    if fit is None:
        visit.office.open(sheet.source, tab=tab)
        return go_to(f"/sheets/{sheet.id}/match")
    editor = MappingEditor.open(fit.path)
    editor.set_sheet(tab)
    editor.save(unfinished=True)
    visit.office.open(sheet.source, fit.path)
    return go_to(_address(sheet))


def _know_headings(visit: Visit, sheet: OpenSheet, fit: SheetFit) -> Response:
    """Let the mapping know the other headings of its columns; where one is not there at all, go to match."""
    offered = {text_token(heading): heading for heading in headings_to_offer(fit)}
    missing = fit.fit.missing if fit.fit else ()
    given = {one.column: offered.get(visit.text(f"heading.{text_token(one.column)}")) for one in missing}
    chosen = [heading for heading in given.values() if heading is not None]
    if len(set(chosen)) < len(chosen):
        return go_to(f"{_address(sheet)}?mapping={token_of(fit.path)}&twice=yes")
    editor = MappingEditor.open(fit.path)
    for column, heading in given.items():
        if heading is not None:
            editor.add_heading(column, heading)
    editor.save(unfinished=True)
    visit.office.open(sheet.source, fit.path)
    is_whole = len(chosen) == len(given) and fit.fit is not None and not fit.fit.ambiguous
    return go_to(_address(sheet) if is_whole else f"/sheets/{sheet.id}/match")


def _ignore_columns(visit: Visit, sheet: OpenSheet) -> Response:
    """Note in the mapping that some columns are not sent, so that they are not new any more."""
    line, given = fit_line(sheet), visit.texts("column")
    columns = [column for column in line.new_columns if text_token(column) in given] if line else []
    if sheet.mapping is not None and columns:
        editor = MappingEditor.open(sheet.mapping)
        for column in columns:
            editor.ignore_column(column)
        editor.save(unfinished=True)
    return go_to(f"/sheets/{sheet.id}/correct" if sheet.mapping else _address(sheet))


def _address(sheet: OpenSheet) -> str:
    return f"/sheets/{sheet.id}/begin"


ROUTES = [
    Route("/sheets/{id}/begin", page(begin)),
    Route("/sheets/{id}/begin", page(decide), methods=["POST"]),
]
