"""The intent to send a row: written before the first byte of its request, with who sends it and until when."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Dialect, bindparam, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from importer.journal.prepared import Prepared
from importer.journal.schema import attempts, rows
from importer.model import Status

OWNER = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"
"""This process, as a lease names it."""

_OF_INTENT = (
    "run_id", "owner", "started_at", "lease_until", "clock_gap", "body_length", "search_field", "search_value",
)  # fmt: skip
_OF_ROW = ("state", "attempt_id", "run_id", "sent_at", "message", "content_hash", "column_set_id")

_NEW_ATTEMPT = (
    insert(attempts)
    .from_select(
        ["row_id", *_OF_INTENT],
        select(rows.c.id, *(bindparam(name, type_=attempts.c[name].type) for name in _OF_INTENT)).where(
            rows.c.import_id == bindparam("import_id"),
            rows.c.reference == bindparam("reference"),
            rows.c.state == Status.PLANNED.value,
        ),
    )
    .returning(attempts.c.id, attempts.c.row_id)
)
_ROW_IS_SENT = update(rows).where(rows.c.id == bindparam("which"))


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the row's reference and content, and how it could be found in the CRM.

    `lease` is in seconds: after that, nobody waits for this attempt's answer any more. `clock_gap` is the clock less
    the time since the computer's start, in seconds: it tells later whether the clock can be believed.
    """

    reference: str
    content_hash: str
    columns: Sequence[str]
    body_length: int
    lease: float
    clock_gap: float
    search_field: str | None = None
    search_value: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST that may begin: its number and the row that it is for."""

    id: int
    reference: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when an attempt begins: its import and run, the number of its set of columns, and the time."""

    import_id: int
    run_id: int
    column_set_id: int
    now: float


class Claiming:
    """Writes intents, inside a transaction of whoever asks for it."""

    def __init__(self, dialect: Dialect) -> None:
        self._new_attempt = Prepared(_NEW_ATTEMPT, dialect)
        self._row_is_sent = Prepared(_ROW_IS_SENT, dialect, _OF_ROW)

    def claim(self, cursor: DBAPICursor, setting: Setting, intent: Intent) -> Attempt | None:
        """Write the intent to send a planned row; None where the row is not planned any more."""
        attempt = {
            "import_id": setting.import_id,
            "reference": intent.reference,
            "run_id": setting.run_id,
            "owner": OWNER,
            "started_at": setting.now,
            "lease_until": setting.now + intent.lease,
            "clock_gap": intent.clock_gap,
            "body_length": intent.body_length,
            "search_field": intent.search_field,
            "search_value": intent.search_value,
        }
        for attempt_id, row_id in self._new_attempt.run(cursor, attempt).fetchall():
            sending = {
                "which": row_id,
                "state": Status.SENDING.value,
                "attempt_id": attempt_id,
                "run_id": setting.run_id,
                "sent_at": setting.now,
                "message": "",
                "content_hash": intent.content_hash,
                "column_set_id": setting.column_set_id,
            }
            self._row_is_sent.run(cursor, sending)
            return Attempt(attempt_id, intent.reference)
        return None
