"""The person at the desk, as the pipeline sees them: asked before anything is sent, told what happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from importer.model import Counts, Outcome
from importer.planning import Plan


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run is about to do.

    `to_send` counts rows, `attachments` their files, `attachment_bytes` those files' bytes. `calls_left` is what the
    CRM says of the token's quota, None where it was not asked or did not tell. `held_back` tells that nothing is sent
    because some rows are invalid.
    """

    plan: Plan
    server: str
    counts: Counts
    to_send: int
    attachments: int
    attachment_bytes: int
    calls_left: int | None
    held_back: bool


class Desk(Protocol):
    """Whoever gives the command: prompts and progress, without a word of how they are shown."""

    def agree(self, question: str, option: str) -> None:
        """Return if the person agrees; raises UsageError where they decline, or cannot be asked (naming `option`)."""

    def confirm(self, forecast: Forecast) -> None:
        """Return if what is about to happen may happen; raises UsageError where it may not."""

    def sending(self, total: int) -> None:
        """Be told how many rows will be sent."""

    def sent(self, outcome: Outcome) -> None:
        """Be told what one attempt came to; called from several threads."""

    def done(self) -> None:
        """Be told that nothing more will be sent."""
