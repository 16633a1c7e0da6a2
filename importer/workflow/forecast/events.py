"""A user interface for programs: what happens is passed on as events, and nothing is asked.

A page or a script gives a run this interface in place of a terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from importer.errors import UsageError
from importer.messages import _
from importer.model import Outcome
from importer.questions import Answer, Question
from importer.system.stopping import Stop
from importer.workflow.forecast.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should read; neither a question nor a result."""

    sentence: str


@dataclass(frozen=True, slots=True)
class SendingStarted:
    """Sending begins, of so many rows."""

    total: int


@dataclass(frozen=True, slots=True)
class RowSent:
    """One attempt ended; events of several attempts come from several threads."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class UpdatingStarted:
    """Updating begins, of so many cases."""

    total: int


@dataclass(frozen=True, slots=True)
class CaseUpdated:
    """One update ended, with whatever outcome; events of several updates come from several threads."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AskingStarted:
    """The CRM is asked for so many contacts."""

    total: int


@dataclass(frozen=True, slots=True)
class ContactAsked:
    """One contact was asked for, and created if it was; also by a run, which asks before it sends."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run ends once the cases in flight have their answers."""

    in_flight: int


@dataclass(frozen=True, slots=True)
class WaitingForQuota:
    """Nothing is sent until the quota resets."""

    until: datetime


@dataclass(frozen=True, slots=True)
class SendingEnded:
    """Nothing more is sent."""


Event = (
    Forecast
    | Note
    | SendingStarted
    | RowSent
    | UpdatingStarted
    | CaseUpdated
    | AskingStarted
    | ContactAsked
    | Stopping
    | WaitingForQuota
    | SendingEnded
)
"""What a run reports while it works; a Forecast comes before the first row is sent."""


class EventInterface:
    """Passes the events of a run to `on_event`, and takes requests to stop it from any thread.

    With `agrees` anything that is forecast may be sent; with `agrees_to`, only what the proposal of this digest showed.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None] = lambda _event: None,
        *,
        agrees: bool = False,
        agrees_to: str | None = None,
    ) -> None:
        self._on_event, self._agrees = on_event, agrees or agrees_to is not None
        self.agrees_to, self.stop_request = agrees_to, Stop()

    def stop(self, *, now: bool = False) -> None:
        """Have the run end after the cases in flight, or `now`: their outcome is then unknown, as by a second Ctrl-C.

        It also ends searches and the wait for the quota. The report is written, unless it is `now`.
        """
        self.stop_request.request(now=now)

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked: never here, so open questions end a run before anything is sent."""
        return False

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether what is forecast may be sent."""
        return self._agrees

    def answer(self, question: Question) -> Answer | None:  # noqa: ARG002 - no person could
        """Return None: a program answers questions beforehand, in its `Job`."""
        return None

    def show(self, sentence: str) -> None:
        """Pass on a sentence."""
        self._on_event(Note(sentence))

    def confirm(self, forecast: Forecast) -> None:
        """Pass on what is about to happen; raises UsageError unless the program agreed to it."""
        self._on_event(forecast)
        if not self._agrees:
            raise UsageError(_("Nothing was sent: the forecast was not agreed to (agrees=True)."))

    def sending(self, total: int) -> None:
        """Pass on that sending begins."""
        self._on_event(SendingStarted(total))

    def sent(self, outcome: Outcome) -> None:
        """Pass on what one attempt came to."""
        self._on_event(RowSent(outcome))

    def updating(self, total: int) -> None:
        """Pass on that updating begins."""
        self._on_event(UpdatingStarted(total))

    def updated(self, outcome: Outcome) -> None:
        """Pass on what one update came to."""
        self._on_event(CaseUpdated(outcome))

    def asking(self, total: int) -> None:
        """Pass on that the CRM is asked for contacts."""
        self._on_event(AskingStarted(total))

    def asked(self) -> None:
        """Pass on that one contact was asked for."""
        self._on_event(ContactAsked())

    def stopping(self, in_flight: int) -> None:
        """Pass on that the run ends once its cases in flight have their answers."""
        self._on_event(Stopping(in_flight))

    def waiting(self, until: datetime) -> None:
        """Pass on that the run waits for the quota."""
        self._on_event(WaitingForQuota(until))

    def done(self) -> None:
        """Pass on that nothing more is sent."""
        self._on_event(SendingEnded())
