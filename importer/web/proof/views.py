"""The page about the proof: choose how many cases, see the price, agree to it, watch, and take the hand-over away."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from importer import (
    LoadedJob,
    UsageError,
    Verification,
    VerifyChoice,
    VerifyEvent,
    VerifyEvents,
    VerifyForecast,
    files_of_sheet,
    load_job,
    verify,
)
from importer.messages import _
from importer.model.proof import CaseProof
from importer.text import clean
from importer.web.errand import Errand, ErrandState
from importer.web.notes import KeptNote
from importer.web.office import OpenSheet
from importer.web.page import NotFound, Visit, go_to, page, part, render
from importer.web.paging import page_of
from importer.web.proof.words import difference, empty_in_sheet, files, not_shown, price, sentences, unproven
from importer.web.send.connection import target_of
from importer.web.send.live import News, live
from importer.web.send.words import ProgressWords, what_to_do

SAMPLE = VerifyChoice().sample
"""Cases of a sample."""

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Proving = ErrandState[Verification | VerifyForecast]


def show(visit: Visit) -> Response:
    """Show what can be checked, its price, how far it is, or what it came to."""
    sheet, state = visit.sheet, visit.sheet.proving.state
    values: dict[str, Any] = {"sheet": sheet, "step_shown": "look-back", "state": state}
    values["note"] = visit.office.notes.find(visit.asked("note"))
    if sheet.mapping is None:
        return render(visit, "send_unmatched.html", **values)
    if state.is_busy:
        return render(visit, "proof_live.html", words=_words(state), **values)
    if isinstance(state.result, VerifyForecast):
        return render(
            visit, "proof_price.html", price=list(price(state.result)), digest=_digest(state.result), **values
        )
    done = state.result
    if done is not None:
        asked = visit.request.query_params
        differences = [one for proof in done.proofs for one in proof.differences]
        values |= {
            "sentences": sentences(done),
            "told": [
                told
                for told in (files(done), not_shown(done), empty_in_sheet(done), done.reason or "", *done.notes)
                if told
            ],
            "next_step": done.next_step,
            "differences": page_of(differences, asked, "differences"),
            "name_of": difference,
            "unproven": page_of(unproven(done), asked, "unproven"),
            "unexpected": done.unexpected,
        }
    checking = sheet.checker.now()
    hand_over = _hand_over(visit.office.job_of(sheet).source, sheet, visit)
    return render(
        visit,
        "proof.html",
        done=done,
        sample=SAMPLE,
        cases=checking.value.counts.created if checking.value and not checking.error else 0,
        hand_over=hand_over,
        made=datetime.fromtimestamp(hand_over.stat().st_mtime).astimezone() if hand_over else None,
        remedy=what_to_do(state.error, sheet.id) if state.error else None,
        **values,
    )


def _hand_over(source: Path, sheet: OpenSheet, visit: Visit) -> Path | None:
    """Return the newest hand-over workbook of a sheet, found by the sheet and never by what a browser says."""
    result = sheet.proving.state.result
    if isinstance(result, Verification) and result.path.is_file():
        return result.path
    found = [file.path for file in files_of_sheet(visit.office.job_of(sheet)) if ".hand-over" in file.path.name]
    return max((path for path in found if path != source), key=lambda path: path.stat().st_mtime, default=None)


def _words(state: Proving) -> ProgressWords:
    if state.phase == "stopping":
        title = _("Pausing: the last answers are still on their way…")
        return ProgressWords(title, state.total, state.done, said=title)
    if not state.total:
        title = _("Reading the sheet and asking the CRM for its quota…")
        return ProgressWords(title, said=title)
    tenth = 10 * (10 * state.done // state.total)
    return ProgressWords("", state.total, state.done, said=_("{percent} percent done.", percent=tenth))


def find_price(visit: Visit) -> Response:
    """Find out what checking would cost, which costs one call for the quota; nothing else is asked yet."""
    sheet = visit.sheet
    if not target_of(visit).is_complete:
        return go_to(f"/sheets/{sheet.id}/send/connection")
    if sheet.is_busy:
        return _back(visit, KeptNote("warn", (_("Something else is going on with this sheet. Wait until it ends."),)))
    choice = VerifyChoice(everything=visit.text("which") == "all")
    loaded, found = load_job(visit.office.job_of(sheet)), list[VerifyForecast]()
    ui = VerifyEvents(lambda event: found.append(event) if isinstance(event, VerifyForecast) else None)

    def ask() -> Verification | VerifyForecast:
        try:
            return verify(loaded, ui, choice)  # where nothing has to be asked, the hand-over is written at once
        except UsageError:
            if not found:
                raise
            return found[0]

    sheet.proving.begin(ask, ui)
    return _back(visit)


def start(visit: Visit) -> Response:
    """Ask the CRM for the cases whose price was shown; where it is another one by now, that is shown first."""
    sheet = visit.sheet
    agreed = sheet.proving.state.result
    if not isinstance(agreed, VerifyForecast) or visit.text("digest") != _digest(agreed) or sheet.is_busy:
        return _back(visit)
    choice = VerifyChoice(everything=not agreed.is_sample)
    _begin(sheet.proving, load_job(visit.office.job_of(sheet)), choice, _digest(agreed))
    return _back(visit)


def _begin(errand: Errand[Verification | VerifyForecast], loaded: LoadedJob, choice: VerifyChoice, agreed: str) -> None:
    found: list[VerifyForecast] = []

    def follow(event: VerifyEvent) -> None:
        if isinstance(event, VerifyForecast):
            if _digest(event) != agreed:
                found.append(event)
                raise UsageError(_("What would be asked has changed since its price was shown. Nothing was asked."))
            errand.expect(event.wanted)
        elif isinstance(event, CaseProof):
            errand.advance()

    ui = VerifyEvents(follow, agrees=True)

    def ask() -> Verification | VerifyForecast:
        try:
            return verify(loaded, ui, choice)
        except UsageError:
            if not found:
                raise
            return found[0]  # its price is shown anew

    errand.begin(ask, ui)


def _digest(forecast: VerifyForecast) -> str:
    """Return what a person agrees to: the cases, their sheet and mapping, the server and the calls."""
    plan = forecast.plan
    parts = (
        *(forecast.server, forecast.is_sample, forecast.cases, forecast.wanted, forecast.calls, forecast.further),
        *(plan.table.digest, plan.mapping.digest, plan.corrections.digest),
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def pause(visit: Visit) -> Response:
    """End the questions; the hand-over says what is known by then."""
    visit.sheet.proving.stop()
    return _back(visit)


def cancel(visit: Visit) -> Response:
    """Take a price, or a result, off the page."""
    visit.sheet.proving.put_back()
    return _back(visit)


def news(visit: Visit) -> Response:
    """Stream the progress until it ends."""
    sheet = visit.sheet

    def look() -> News:
        state = sheet.proving.state
        if not state.is_busy:
            return News(leave_to=f"/sheets/{sheet.id}/proof")
        words = _words(state)
        return News(part(visit, "proof_progress.html", words=words), words.said)

    return live(visit, look)


def download(visit: Visit) -> Response:
    """Give the hand-over workbook of a sheet."""
    path = _hand_over(visit.office.job_of(visit.sheet).source, visit.sheet, visit)
    if path is None:
        raise NotFound
    return FileResponse(path, media_type=WORKBOOK, filename=clean(path.name))


def proof_told(sheet: OpenSheet) -> str:
    """Return what the last verification of a sheet came to, as this program still knows it; empty for none."""
    done = sheet.proving.state.result
    return " ".join(sentences(done)) if isinstance(done, Verification) else ""


def _back(visit: Visit, note: KeptNote | None = None) -> Response:
    told = f"?note={visit.office.notes.keep(note)}" if note else ""
    return go_to(f"/sheets/{visit.sheet.id}/proof{told}")


ROUTES = [
    Route("/sheets/{id}/proof", page(show)),
    Route("/sheets/{id}/proof/price", page(find_price), methods=["POST"]),
    Route("/sheets/{id}/proof/start", page(start), methods=["POST"]),
    Route("/sheets/{id}/proof/pause", page(pause), methods=["POST"]),
    Route("/sheets/{id}/proof/cancel", page(cancel), methods=["POST"]),
    Route("/sheets/{id}/proof/live", page(news)),
    Route("/sheets/{id}/proof/hand-over", page(download)),
]
