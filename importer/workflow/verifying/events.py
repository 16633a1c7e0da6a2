"""How a person or a program follows a verification: its price, each answer, and the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from importer.errors import UsageError
from importer.messages import _
from importer.model.proof import CaseProof
from importer.workflow.forecast.events import EventInterface, Note
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.verifying.selecting import VerifyForecast


@dataclass(frozen=True, slots=True)
class VerifyingStarted:
    """The CRM is asked for so many cases."""

    total: int


@dataclass(frozen=True, slots=True)
class VerifyingEnded:
    """Nothing more is asked."""


VerifyEvent = VerifyForecast | Note | VerifyingStarted | CaseProof | VerifyingEnded
"""What a verification reports while it works; proofs come from several threads."""


class VerifyInterface(UserInterface, Protocol):
    """What a verification asks and shows beside what every command does."""

    def confirm_calls(self, forecast: VerifyForecast) -> None:
        """Return if the person agrees to the calls; raises UsageError if not."""

    def verifying(self, total: int) -> None:
        """Start to show the progress of so many cases."""

    def verified(self, proof: CaseProof) -> None:
        """Show one more answer; called from several threads."""


class VerifyEvents(EventInterface):
    """Passes the events of a verification to `on_event`; `stop()` ends it from any thread, and keeps what is known.

    With `agrees`, the calls that are forecast may be made.
    """

    def __init__(self, on_event: Callable[[VerifyEvent], None] = lambda _event: None, *, agrees: bool = False) -> None:
        super().__init__(agrees=agrees)
        self._on_verify_event = on_event

    def show(self, sentence: str) -> None:
        """Pass on a sentence."""
        self._on_verify_event(Note(sentence))

    def confirm_calls(self, forecast: VerifyForecast) -> None:
        """Pass on what is about to be asked; raises UsageError unless the program agreed to it."""
        self._on_verify_event(forecast)
        if not self.agrees_to_forecast:
            raise UsageError(_("Nothing was asked: the calls were not agreed to (agrees=True)."))

    def verifying(self, total: int) -> None:
        """Pass on that asking begins."""
        self._on_verify_event(VerifyingStarted(total))

    def verified(self, proof: CaseProof) -> None:
        """Pass on what one answer came to."""
        self._on_verify_event(proof)

    def done(self) -> None:
        """Pass on that nothing more is asked."""
        self._on_verify_event(VerifyingEnded())
