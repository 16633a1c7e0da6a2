"""The person at the desk, as the pipeline sees them: asked before anything is sent, told what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from importer.forecast import Forecast
from importer.model import Outcome
from importer.questions import Answer, Question


class Desk(Protocol):
    """Whoever gives the command: prompts and progress, without a word of how they are shown."""

    @property
    def can_be_asked(self) -> bool:
        """Whether there is a person who reads a question and can answer it."""

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether the person agreed beforehand to what a run is about to do, and to nothing else."""

    def answer(self, question: Question) -> Answer | None:
        """Return the person's answer to a question, None where they decline it."""

    def told(self, sentence: str) -> None:
        """Be told something that is neither a question nor a result."""

    def confirm(self, forecast: Forecast) -> None:
        """Return if what is about to happen may happen; raises UsageError where it may not."""

    def sending(self, total: int) -> None:
        """Be told how many rows will be sent."""

    def sent(self, outcome: Outcome) -> None:
        """Be told what one attempt came to; called from several threads."""

    def stopping(self, in_flight: int) -> None:
        """Be told that the run ends once so many cases have their answers, and that asking again gives them up."""

    def waiting(self, until: datetime) -> None:
        """Be told that nothing is sent until the quota is counted anew."""

    def done(self) -> None:
        """Be told that nothing more will be sent."""
