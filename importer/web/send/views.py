"""The page Send: rehearse or send, after what will happen was shown and agreed to; watch, pause and go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from importer import Question
from importer.errors import SettingsError
from importer.web.contacts.words import contacts_before, rows_of, state_of
from importer.web.correct.words import corrections_told
from importer.web.edit_words import NOT_UPDATED, accepted_rows, not_updated
from importer.web.notes import KeptNote
from importer.web.office import OpenSheet
from importer.web.page import NotFound, Visit, go_to, page, part, render
from importer.web.send.agreement import button_of, effects, first_steps, surroundings, title_of, why_nothing
from importer.web.send.connection import ROUTES as CONNECTION_ROUTES
from importer.web.send.connection import target_of
from importer.web.send.live import News, live
from importer.web.send.questions import HAS_REPORT, OTHER_CASES, OTHER_TARGET, id_of_question, in_page_words
from importer.web.send.sending import FIRST_FEW, LATER, DeskState, SendChoices
from importer.web.send.taking_over import ROUTES as REPORT_ROUTES
from importer.web.send.words import ProgressWords, digests_of, left_over, what_to_do, words_of_result
from importer.web.watching import Watched, watched, watched_again


def show(visit: Visit) -> Response:
    """Show what there is to do: send or rehearse, answer, agree, watch, or go on."""
    state = _as_it_is_now(visit.sheet)
    if state.phase in {"preparing", "running"}:
        return _shown(visit, "send_live.html", state=state, words=_progress(visit, state))
    if state.may_start:
        return _agreement(visit, state)
    if state.phase == "asked":
        return _asked(visit, state)
    seen = watched(visit.sheet)
    if seen.goes_on:
        return _shown(visit, "send_watch.html", seen=seen, words=ProgressWords.of_watch(seen))
    return _ready(visit, state, seen)


def _as_it_is_now(sheet: OpenSheet) -> DeskState:
    """Return what there is to see; what was proposed of a sheet that is another now is proposed anew."""
    state = sheet.sending.state
    if not state.may_start or state.proposal is None or state.proposal.forecast is None:
        return state
    checking, shown = sheet.checker.now(), state.proposal.forecast.plan
    if checking.is_current and checking.value and digests_of(checking.value.plan) != digests_of(shown):
        sheet.sending.prepare(state.choices, shown)
    return sheet.sending.state


def _shown(visit: Visit, template: str, **values: Any) -> Response:  # noqa: ANN401 - what the template shows
    return render(visit, template, sheet=visit.sheet, step_shown="send", **values)


def _ready(visit: Visit, state: DeskState, seen: Watched) -> Response:
    sheet = visit.sheet
    if sheet.mapping is None:
        return _shown(visit, "send_unmatched.html")
    checking = sheet.checker.now()
    return _shown(
        visit,
        "send.html",
        state=state,
        checking=checking,
        seen=seen,
        target=target_of(visit, checking.value),
        result=words_of_result(state, checking),
        left=left_over(checking, state, seen),
        remedy=what_to_do(state.error, sheet.id) if state.error else None,
    )


def _agreement(visit: Visit, state: DeskState) -> Response:
    proposal = state.proposal
    if proposal is None or proposal.forecast is None:
        raise NotFound
    forecast, few = proposal.forecast, first_steps(proposal, FIRST_FEW) if state.choices.limit is None else ""
    left = [] if forecast.updates.accepted else not_updated(forecast.plan)
    listed = visit.sheet.contacts.now() if forecast.rows_to_send else None
    return _shown(
        visit,
        "send_agree.html",
        state=state,
        proposal=proposal,
        forecast=forecast,
        effects=effects(proposal),
        title=title_of(forecast),
        button=button_of(forecast),
        told=contacts_before(forecast, listed.value if listed and listed.error is None else None),
        rows_of=rows_of,
        state_of=state_of,
        edits_left=left,
        accepted=accepted_rows(forecast.plan) if forecast.updates.accepted else [],
        edits_left_count=sum(forecast.updates.states.get(state, 0) for state in NOT_UPDATED) if left else 0,
        has_refused=bool(forecast.updates.states.get("refused")),
        notes=[note for note in proposal.notes if note not in {one.why for one in left}],
        why_few=few,
        nothing=why_nothing(forecast),
        corrected=list(corrections_told(forecast.plan.corrections)),
    )


def _asked(visit: Visit, state: DeskState) -> Response:
    asked = in_page_words(state.questions, surroundings(visit.sheet, state.questions))
    note = visit.office.notes.find(visit.asked("note"))
    given = note.typed if note else {}
    missing = {one.id for one in asked if note and not _is_answer(one.question, given.get(one.id, ""))}
    return _shown(visit, "send_questions.html", state=state, asked=asked, missing=missing, given=given)


# ------------------------------------------------------------------------------------------------ what is clicked


def propose(visit: Visit) -> Response:
    """Find out what would be sent and asked, which costs one call for the quota; the connection comes first."""
    sheet = visit.sheet
    try:
        is_connected = target_of(visit).is_complete
    except SettingsError:
        is_connected = False
    if not is_connected:
        return go_to(f"/sheets/{sheet.id}/send/connection")
    choices = sheet.sending.state.choices if sheet.sending.state.phase == "asked" else SendChoices()
    if visit.text("few"):
        choices = replace(choices, limit=FIRST_FEW)
    if visit.text("all"):
        choices = replace(choices, limit=None)
    if wait := visit.text("wait"):
        choices = replace(choices, wait_for_quota=wait == "yes")
    if visit.text("look-first"):
        choices = replace(choices, look_first=True)
    if visit.text("accept"):
        choices = SendChoices(accept_changes=True)
    if visit.text("rejected"):
        choices = replace(choices, retry_rejected=True)
    last = sheet.checker.last.value
    is_as_shown = choices == SendChoices() and last is not None
    sheet.sending.prepare(choices, last.plan if is_as_shown and last else None)
    return _back(visit)


def answer(visit: Visit) -> Response:
    """Take the answers to the questions that are shown; one that is missing is asked for again."""
    desk = visit.sheet.sending
    state = desk.state
    if state.phase != "asked" or not state.questions:
        return _back(visit)
    given = {question: visit.text(id_of_question(question)) for question in state.questions}
    if not all(_is_answer(question, value) for question, value in given.items()):
        typed = {id_of_question(question): value for question, value in given.items()}
        return go_to(f"/sheets/{visit.sheet.id}/send?note={visit.office.notes.keep(KeptNote('bad', (), typed))}")
    if HAS_REPORT in given.values():
        desk.put_back()
        return go_to(f"/sheets/{visit.sheet.id}/send/report")
    if OTHER_CASES in given.values():
        desk.put_back()
        return go_to(f"/sheets/{visit.sheet.id}/begin?cases=other")
    if OTHER_TARGET in given.values():
        desk.put_back()
        return go_to(f"/sheets/{visit.sheet.id}/send/connection")
    desk.answer(given)
    return _back(visit)


def _is_answer(question: Question, value: str) -> bool:
    values = {one.value for one in (*question.answers, *question.further)} | {HAS_REPORT, OTHER_CASES, OTHER_TARGET}
    return value in (values | {LATER} if question.can_wait else values)


def start(visit: Visit) -> Response:
    """Send what was shown; where it is not what would be sent now, the new is shown, and nothing is sent."""
    visit.sheet.sending.start(visit.text("digest"))
    return _back(visit)


def rehearse(visit: Visit) -> Response:
    """Carry out everything without the CRM."""
    visit.sheet.sending.rehearse()
    return _back(visit)


def pause(visit: Visit) -> Response:
    """End the run after the cases that are on their way."""
    visit.sheet.sending.pause()
    return _back(visit)


def cancel(visit: Visit) -> Response:
    """Take the proposal off the page; nothing was sent."""
    visit.sheet.sending.put_back()
    return _back(visit)


def _back(visit: Visit) -> Response:
    return go_to(f"/sheets/{visit.sheet.id}/send")


# ------------------------------------------------------------------------------------------------ what is watched


def news(visit: Visit) -> Response:
    """Stream the progress of what goes on, here or in another program, until it ends."""
    sheet = visit.sheet
    phase = sheet.sending.state.phase
    first = watched(sheet)

    def look() -> News:
        state = sheet.sending.state
        leave = News(leave_to=f"/sheets/{sheet.id}/send")
        if state.phase != phase:
            return leave
        if state.phase in {"preparing", "running"}:
            words = ProgressWords.of_run(sheet.sending.progress, state)
            return News(part(visit, "send_progress.html", words=words), words.said)
        seen = watched_again(sheet, first)
        if seen.goes_on:
            words = ProgressWords.of_watch(seen)
            return News(part(visit, "send_progress.html", words=words), words.said)
        return leave if first.goes_on or sheet.checker.now().is_current else News()

    return live(visit, look)


def _progress(visit: Visit, state: DeskState) -> ProgressWords:
    return ProgressWords.of_run(visit.sheet.sending.progress, state)


def rehearsal_report(visit: Visit) -> Response:
    """Give the workbook of the rehearsal that is shown."""
    state = visit.sheet.sending.state
    report: Path | None = state.finished.report if state.is_rehearsal and state.finished else None
    if report is None or not report.is_file():
        raise NotFound
    return FileResponse(report, filename=report.name)


ROUTES = [
    Route("/sheets/{id}/send", page(show)),
    Route("/sheets/{id}/send/propose", page(propose), methods=["POST"]),
    Route("/sheets/{id}/send/answer", page(answer), methods=["POST"]),
    Route("/sheets/{id}/send/start", page(start), methods=["POST"]),
    Route("/sheets/{id}/send/rehearse", page(rehearse), methods=["POST"]),
    Route("/sheets/{id}/send/pause", page(pause), methods=["POST"]),
    Route("/sheets/{id}/send/cancel", page(cancel), methods=["POST"]),
    Route("/sheets/{id}/send/live", page(news)),
    Route("/sheets/{id}/send/rehearsal", page(rehearsal_report)),
    *CONNECTION_ROUTES,
    *REPORT_ROUTES,
]
