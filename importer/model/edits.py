"""Rows that were edited after their cases were created: what the edit leads to, and what became of its update.

Frozen values; `docs/changes.md` tells when a case is updated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple


class UpdateState(StrEnum):
    """How far one update of a case has come; `ACCEPTED` is an edit that a person took as known, unsent."""

    SENDING = "sending"
    UPDATED = "updated"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"  # proof that it was not delivered
    ACCEPTED = "accepted"


class Refusal(NamedTuple):
    """An update that the CRM refused: the hash of its content, the CRM's words, and the run that made it."""

    content_hash: str
    message: str
    run: int | None


class LastUpdate(NamedTuple):
    """What the journal knows about the newest update of a row's case.

    `content_hash` is that of the content which it carried, with the `columns` that this covers and their digests.
    `over_at` is when nothing of it could be sent any more, None where that cannot be told. After one that may have
    arrived, `refused_since` is the last one that the CRM refused.
    """

    state: UpdateState
    content_hash: str
    message: str = ""
    run: int | None = None
    at: float | None = None
    over_at: datetime | None = None
    columns: tuple[str, ...] = ()
    column_digests: str = ""
    refused_since: Refusal | None = None

    @property
    def refused(self) -> Refusal | None:
        """The last update that the CRM refused, None where it counts no more."""
        if self.state is UpdateState.REFUSED:
            return Refusal(self.content_hash, self.message, self.run)
        return self.refused_since

    @property
    def may_have_arrived(self) -> bool:
        """Whether the case may be as this update says, which is not known."""
        return self.state in {UpdateState.SENDING, UpdateState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why an edited column keeps its row from being updated: the `field` of the case that it fills.

    `field` is `attachments` for files, and empty where the mapping uses the column for no field. `kind` is `field` for
    a field that an update cannot change, `emptied` for one that has no value now, `unused`, or `unknown` where it was
    not recorded which columns were edited.
    """

    column: str
    field: str
    kind: Literal["field", "emptied", "unused", "unknown"] = "field"


ChangeState = Literal["report", "update", "not-updatable", "invalid", "refused", "unknown", "sending", "held"]
"""What becomes of an edit.

`report`: it is only told (`on_change: report`). `update`: this or the next run updates the case. `not-updatable`: an
update cannot change what was edited. `invalid`: the row has issues. `refused`: the CRM refused this content. `unknown`:
the answer to the last update is missing, and it may be sent again later. `sending`: an update is on its way. `held`: no
case is updated now, or not this one, for the reason that the change names.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """An edit of a created row: its state, the edited `columns` (None: not known), and what is in its way.

    `not_before` is from when on it may be sent after one whose answer is missing, where that can be told.
    """

    state: ChangeState
    columns: tuple[str, ...] | None = None
    blockers: tuple[Blocker, ...] = ()
    reason: str = ""
    not_before: datetime | None = None
