"""The page Look back: what became of a sheet, for the person who is asked; and the runs of all imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from importer import (
    ContactList,
    ImporterError,
    ReviewedRow,
    RunRecord,
    fresh_report,
    imports_known,
    runs_of_sheet,
    this_time,
)
from importer.messages import _
from importer.model import CHANGED
from importer.text import clean
from importer.web.checking import Checking
from importer.web.contacts.words import waiting_rows
from importer.web.edit_words import reasons
from importer.web.look_back.reports import current_report
from importer.web.look_back.runs import how_they_ended, runs_of
from importer.web.look_back.summary import (
    IN_CRM,
    NOT_SENT,
    changed_advice,
    changed_title,
    edited_columns,
    mail_text,
    summarize,
)
from importer.web.notes import KeptNote
from importer.web.office import OpenSheet
from importer.web.page import Visit, go_to, page, render
from importer.web.paging import list_page
from importer.web.proof.views import proof_told

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show(visit: Visit) -> Response:
    """Show what became of a sheet: a sentence, the cases, what was not sent and why, and the runs."""
    sheet = visit.sheet
    checking = sheet.checker.now()
    runs = _runs_of_sheet(sheet, checking)
    shown = list_page(visit, runs, "runs")
    values: dict[str, Any] = {
        "sheet": sheet,
        "step_shown": "look-back",
        "runs": shown,
        "ended": how_they_ended(sheet.job.journal_path, shown.lines),
        "note": visit.office.notes.find(visit.asked("note")),
        "is_unmatched": sheet.mapping is None,
        "error": checking.error if sheet.mapping else None,
        "summary": None,
        "is_current": checking.is_current,
    }
    if checking.value is not None and checking.error is None:
        review = checking.value.review
        one = next((run for run in runs if str(run.id) == visit.asked("run")), None)
        summary = summarize(review, [one] if one else this_time(runs))
        asked = visit.asked("q").strip()
        values |= {
            "summary": summary,
            "one_run": one,
            "asked": asked,
            "cases": list_page(visit, _found([row for row in review.rows if row.state in IN_CRM], asked), "cases"),
            "not_sent": list_page(visit, [row for row in review.rows if row.state in NOT_SENT], "rows"),
            "contact_waits": waiting_rows(_contacts(sheet)) if checking.value.counts.planned else {},
            "changed": list_page(visit, [row for row in review.rows if row.state == CHANGED], "changed"),
            "changed_title": changed_title(summary.states[CHANGED]),
            "changed_advice": changed_advice() if _is_by_hand(review.rows) else "",
            "edit_reasons": reasons,
            "to_update": checking.value.counts.to_update,
            "edited_columns": edited_columns,
            "earlier": checking.value.plan.earlier,
            "edits": checking.value.edits,
            "CHANGED": CHANGED,
            "proven": proof_told(sheet),
            "mail": mail_text(sheet.name, summary),
        }
    answer = render(visit, "look_back.html", **values)
    if not checking.is_current:
        answer.headers["Refresh"] = "1"
    return answer


def _contacts(sheet: OpenSheet) -> ContactList | None:
    """Return the contacts of a sheet, None while they are not known."""
    listing = sheet.contacts.now()
    return listing.value if listing.error is None else None


def _is_by_hand(rows: Sequence[ReviewedRow]) -> bool:
    """Tell whether there are edited rows whose cases nobody updates but a person."""
    by_hand = {"report", "not-updatable"}
    return any(row.state == CHANGED and (row.change is None or row.change.state in by_hand) for row in rows)


def _runs_of_sheet(sheet: OpenSheet, checking: Checking) -> list[RunRecord]:
    """Return the runs of a sheet, the newest first: of this file, or of one with the same content elsewhere."""
    digest = checking.value.plan.table.digest if checking.value else None
    return runs_of_sheet(runs_of(sheet.job.journal_path), sheet.source, digest)


def _found(rows: Sequence[ReviewedRow], asked: str) -> Sequence[ReviewedRow]:
    """Return the rows in which what was asked for stands somewhere, whatever the case of its letters."""
    wanted = asked.casefold()
    if not wanted:
        return rows

    def texts(row: ReviewedRow) -> str:
        ids = (row.wolkvox_id or "", row.id_prefijo or "", row.reference, str(row.number))
        return "\n".join((row.key, row.contact, row.subject, *ids)).casefold()

    return [row for row in rows if wanted in texts(row)]


def show_all(visit: Visit) -> Response:
    """Show all runs of all imports, the newest first."""
    runs = list_page(visit, runs_of(visit.office.journal_path), "runs")
    known = {sheet.source: sheet for sheet in visit.office.sheets()}
    sheets = {run.id: known.get(Path(run.start.source)) for run in runs.lines}
    doubtful = [state for state in imports_known(visit.office.journal_path) if state.unknown or state.conflict]
    ended = how_they_ended(visit.office.journal_path, runs.lines)
    return render(visit, "imports.html", runs=runs, sheets=sheets, ended=ended, doubtful=doubtful)


def prepare_report(visit: Visit) -> Response:
    """Have the report of a sheet show what the journal knows, and lead to it."""
    sheet = visit.sheet
    try:
        current_report(visit.office, sheet)
    except ImporterError as error:
        note = visit.office.notes.keep(KeptNote("bad", (str(error),)))
        return go_to(f"/sheets/{sheet.id}/look-back?note={note}")
    return go_to(f"/sheets/{sheet.id}/report")


def download(visit: Visit) -> Response:
    """Give the report of a sheet, and no other file: it is found by the sheet, never by what the browser says."""
    sheet = visit.sheet
    made = visit.office.reports.get(sheet.id)
    path = made.path if made else fresh_report(visit.office.job_of(sheet))
    if path is None or not _can_be_read(path):
        note = KeptNote("warn", (_("The report is no longer there. Click “Download the report” to create it again."),))
        return go_to(f"/sheets/{sheet.id}/look-back?note={visit.office.notes.keep(note)}")
    return FileResponse(path, media_type=WORKBOOK if path.suffix == ".xlsx" else None, filename=clean(path.name))


def _can_be_read(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


ROUTES = [
    Route("/sheets/{id}/look-back", page(show)),
    Route("/sheets/{id}/report", page(download), methods=["GET"]),
    Route("/sheets/{id}/report", page(prepare_report), methods=["POST"]),
    Route("/imports", page(show_all)),
]
