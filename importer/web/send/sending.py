"""What goes on with a sheet on the page Send: it is proposed, asked about, rehearsed or sent, one thing at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from importer import (
    EventInterface,
    Finished,
    ImporterError,
    Job,
    Plan,
    Progress,
    ProgressMeter,
    Proposal,
    Question,
    QuestionsOpen,
    UsageError,
    history,
    keep_awake,
    load_job,
    propose,
    rehearse,
    review,
    row_changes,
    run,
)
from importer.messages import _, speaking_on
from importer.web.internal import InternalError, as_internal
from importer.web.look_back.summary import SheetSummary, summarize

DeskPhase = Literal["ready", "preparing", "asked", "running", "ended"]

FIRST_FEW = 5
"""How many rows are sent first where nobody has seen yet what this mapping makes of them."""

LATER = "_later"
"""The answer that leaves the rows of a question for later."""


@dataclass(frozen=True, slots=True)
class SendChoices:
    """How the person wants to send: `given` are the answers by question; `limit` is for the first few rows alone.

    With `accept_changes` nothing is sent: what was edited in rows that have a case is taken as known.
    """

    limit: int | None = None
    wait_for_quota: bool = False
    look_first: bool = False
    retry_rejected: bool = False
    accept_changes: bool = False
    given: tuple[tuple[Question, str], ...] = ()

    def applied_to(self, job: Job) -> Job:
        """Return the job as it is chosen, with the answers in it."""
        job = replace(
            job,
            limit=self.limit,
            wait_for_quota=self.wait_for_quota,
            look_first=self.look_first,
            retry_rejected=self.retry_rejected,
            accept_changes=self.accept_changes,
            only=("changed",) if self.accept_changes else (),
        )
        for question, value in self.given:
            answers = {answer.value: answer for answer in (*question.answers, *question.further)}
            if value in answers:
                job = job.with_answer(question, answers[value])
        return job

    def with_answers(self, given: Mapping[Question, str]) -> SendChoices:
        """Return the choices with more answers, which replace earlier ones to the same questions."""
        subjects = {(question.code, question.about) for question in given}
        kept = (pair for pair in self.given if (pair[0].code, pair[0].about) not in subjects)
        return replace(self, given=(*kept, *given.items()))

    def left_for_later(self, question: Question) -> bool:
        """Tell whether the person left the rows of this question for later."""
        about = question.code, question.about
        return any(value == LATER and (one.code, one.about) == about for one, value in self.given)


@dataclass(frozen=True, slots=True)
class DeskState:
    """What there is to see of a sheet on the page Send.

    `questions` are those to answer now. `notice` says why something is shown again, or that it is not what was on the
    page before (`before`). After the end there is `finished`,
    with a `summary` where something was sent, or `error` where there is no result. `joined` is the import to which its
    rows belong by an answer that was recorded, where that left nothing to send.
    """

    phase: DeskPhase = "ready"
    is_rehearsal: bool = False
    choices: SendChoices = SendChoices()
    proposal: Proposal | None = None
    questions: tuple[Question, ...] = ()
    finished: Finished | None = None
    summary: SheetSummary | None = None
    error: ImporterError | InternalError | None = None
    notice: str = ""
    joined: str = ""
    before: Plan | None = None

    @property
    def may_start(self) -> bool:
        """Whether what is shown may be agreed to."""
        return self.phase == "asked" and not self.questions and self.proposal is not None and self.proposal.may_run


@dataclass(slots=True)
class SendDesk:
    """Carries out what the page Send asks for, in a thread: `job` gives the sheet's job as it is now.

    While one thing goes on, nothing else is begun: a second click, another tab or an old form changes nothing.
    """

    job: Callable[[], Job]
    _state: DeskState = DeskState()
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _meter: ProgressMeter = field(default_factory=ProgressMeter)
    _ui: EventInterface | None = None
    _thread: threading.Thread | None = None

    @property
    def state(self) -> DeskState:
        """What there is to see now."""
        return self._state

    @property
    def progress(self) -> Progress:
        """How far the run has come."""
        return self._meter.snapshot()

    @property
    def is_busy(self) -> bool:
        """Whether something goes on."""
        return self._state.phase in {"preparing", "running"}

    # -------------------------------------------------------------------------------------------- what a person does

    def prepare(self, choices: SendChoices, before: Plan | None = None) -> None:
        """Make a proposal, unless something goes on; `before` is the plan whose numbers the person has seen."""
        self._begin(DeskState("preparing", choices=choices, before=before), self._propose, {"ready", "asked", "ended"})

    def answer(self, given: Mapping[Question, str]) -> None:
        """Take answers to the questions that are shown, and go on with them."""
        state = self._state
        choices = state.choices.with_answers(given)
        if state.is_rehearsal:
            self._begin(DeskState("running", is_rehearsal=True, choices=choices), self._rehearse, {"asked"}, of=state)
        elif state.proposal is not None and state.proposal.may_run and {*given.values()} == {LATER}:
            self._change(replace(state, choices=choices, questions=()), of=state)  # nothing new to find out
        else:
            self._begin(DeskState("preparing", choices=choices), self._propose, {"asked"}, of=state)

    def start(self, digest: str) -> bool:
        """Send what was proposed, if it is what this digest was shown for; tell whether that is so.

        Where another tab has changed it since, what has changed is said beside it.
        """
        state = self._state
        if not state.may_start or state.proposal is None:
            return False
        if changes := state.proposal.changes_since(digest):
            self._change(replace(state, notice=changes), of=state)
            return False
        return self._begin(replace(state, phase="running", notice=""), self._send, {"asked"}, of=state)

    def rehearse(self) -> None:
        """Carry out everything with a simulated CRM, unless something goes on."""
        self._begin(DeskState("running", is_rehearsal=True), self._rehearse, {"ready", "asked", "ended"})

    def put_back(self, notice: str = "") -> None:
        """Take a proposal, or a result, off the page; what goes on stays."""
        state = self._state
        if not self.is_busy:
            self._change(DeskState(notice=notice), of=state)

    def pause(self) -> None:
        """Have the run end after the cases that are on their way."""
        with self._lock:
            ui = self._ui if self._state.phase == "running" else None
        if ui is not None:
            ui.stop()

    def join(self) -> None:
        """Wait until a run has ended; a proposal that is being made changes nothing, and is left."""
        if self._thread is not None and self._state.phase == "running":
            self._thread.join()

    # -------------------------------------------------------------------------------------------- what a thread does

    def _begin(
        self, state: DeskState, work: Callable[[], DeskState], allowed: set[DeskPhase], of: DeskState | None = None
    ) -> bool:
        """Begin some work in a thread, if the phase allows it and nothing has changed since `of`."""
        with self._lock:
            if self._state.phase not in allowed or (of is not None and self._state is not of):
                return False
            self._state, self._meter = state, ProgressMeter()
            self._ui = EventInterface(self._meter, agrees_to=state.proposal.digest if state.proposal else None)
            self._thread = threading.Thread(target=speaking_on(self._carry_out), args=(work,), name="send", daemon=True)
            self._thread.start()
        return True

    def _change(self, state: DeskState, of: DeskState) -> None:
        """Show another state, if nothing has changed since `of`."""
        with self._lock:
            if self._state is of:
                self._state = state

    def _carry_out(self, work: Callable[[], DeskState]) -> None:
        begun = self._state
        try:
            ended = work()
        except ImporterError as error:
            self._meter.ended(str(error))
            ended = replace(begun, phase="ended", proposal=None, error=error)
        except Exception as fault:  # noqa: BLE001 - shown on the page; a thread has nobody else to tell
            ended = replace(begun, phase="ended", proposal=None, error=as_internal(fault))
        with self._lock:
            self._state = ended

    def _propose(self, notice: str = "") -> DeskState:
        choices, before = self._state.choices, self._state.before
        proposal = propose(load_job(choices.applied_to(self.job())))
        if before is not None and proposal.forecast is not None:
            notice = _with_changes(notice, before, proposal.forecast.plan)
        asked = tuple(question for question in proposal.questions if not choices.left_for_later(question))
        state = DeskState("asked", choices=choices, proposal=proposal, questions=asked, notice=notice)
        joined = _joined(choices)
        if joined and state.may_start and proposal.forecast is not None and not proposal.forecast.rows_to_send:
            return self._record(state, joined)
        return state

    def _record(self, state: DeskState, joined: str) -> DeskState:
        """Record that a sheet's rows belong to another import, by a run that has nothing to send.

        It sends nothing either where the sheet has changed since: then it is no longer what it agrees to.
        """
        assert state.proposal is not None  # noqa: S101 - whoever calls has seen it
        try:
            ended = self._run(state, EventInterface(self._meter, agrees_to=state.proposal.digest))
        except UsageError as error:
            return replace(state, notice=str(error))
        return replace(ended, joined=joined)

    def _send(self) -> DeskState:
        state, ui = self._state, self._ui
        assert state.proposal is not None and ui is not None  # noqa: PT018, S101 - `start` has seen to it
        try:
            return self._run(state, ui)
        except UsageError as error:  # nothing was sent: it is no longer what was shown, or a pause came before it began
            if ui.stop_request.requested:
                return DeskState(notice=str(error))
            shown = state.proposal.forecast
            self._state = replace(state, before=shown.plan if shown else None)  # it runs, so nobody else changes it
            return self._propose(notice=str(error))

    def _run(self, state: DeskState, ui: EventInterface) -> DeskState:
        """Carry out what was proposed; raises UsageError where nothing was sent."""
        assert state.proposal is not None  # noqa: S101 - whoever calls has seen it
        try:
            with keep_awake():
                finished = run(load_job(state.proposal.job), ui)
        except QuestionsOpen as error:  # the CRM could not be asked about rows that another computer may have sent
            return replace(state, phase="asked", questions=error.questions)
        self._meter.ended(finished.result.reason)
        summary = _summary(finished, state.proposal.job)
        return DeskState("ended", choices=state.choices, finished=finished, summary=summary)

    def _rehearse(self) -> DeskState:
        state, ui = self._state, self._ui
        assert ui is not None  # noqa: S101 - as above
        try:
            finished = rehearse(load_job(state.choices.applied_to(self.job())), ui)
        except QuestionsOpen as error:  # whether the files of a folder may be read
            return replace(state, phase="asked", questions=error.questions)
        self._meter.ended(finished.result.reason)
        return replace(state, phase="ended", finished=finished)


def _with_changes(notice: str, before: Plan, now: Plan) -> str:
    """Return why something is shown again, with the rows that are not what was shown."""
    changes = "; ".join(row_changes(before, now))
    if not changes:
        return notice
    said = notice or _("The sheet or its corrections have changed since the numbers were shown.")
    return "\n".join((said, _("What is different: {changes}.", changes=changes)))


def _joined(choices: SendChoices) -> str:
    """Return the import of which the person said that the sheet's rows belong to it, empty if none."""
    return next(
        (
            str(value)
            for question, given in choices.given
            for answer in question.answers
            if answer.value == given
            for name, value in answer.gives
            if name == "same_as"
        ),
        "",
    )


def _summary(finished: Finished, job: Job) -> SheetSummary | None:
    """Return what became of the rows of a run, for the sentence that the page Look back says too."""
    with suppress(ImporterError):
        this_run = [one for one in history(job.journal_path) if one.id == finished.result.run]
        return summarize(review(finished.plan, job), this_run)
    return None
