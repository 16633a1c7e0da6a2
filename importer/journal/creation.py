"""The end that nearly every attempt has: its case was created, and its row is as it was when the attempt began."""

from __future__ import annotations

from sqlalchemy import BindParameter, Dialect, bindparam, exists, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from importer.journal.claiming import Attempt
from importer.journal.prepared import Prepared
from importer.journal.schema import attempts, rows
from importer.model import Outcome, Status

_OF_ROW = ("state", "message", "wolkvox_id", "id_prefijo")
_OF_ATTEMPT = ("ended_at", "verdict", "http_status", "code", "wolkvox_id", "message", "search_value")

_which: BindParameter[int] = bindparam("which")
_row_of_attempt = select(attempts.c.row_id).where(attempts.c.id == _which).scalar_subquery()
_ROW_IS_CREATED = (
    update(rows)
    .where(
        rows.c.id == _row_of_attempt,
        rows.c.attempt_id == _which,
        rows.c.state == Status.SENDING.value,
        rows.c.wolkvox_id.is_(None),
        ~exists().where(attempts.c.row_id == rows.c.id, attempts.c.wolkvox_id.is_not(None)),
    )
    .returning(rows.c.import_id, rows.c.run_id)
)
_ATTEMPT_IS_ANSWERED = update(attempts).where(attempts.c.id == _which)


class Creation:
    """Writes created cases, inside a transaction of whoever asks for it, where nothing has to be weighed for them."""

    def __init__(self, dialect: Dialect) -> None:
        self._row_is_created = Prepared(_ROW_IS_CREATED, dialect, _OF_ROW)
        self._attempt_is_answered = Prepared(_ATTEMPT_IS_ANSWERED, dialect, _OF_ATTEMPT)

    def note(self, cursor: DBAPICursor, attempt: Attempt, outcome: Outcome, now: float) -> tuple[int, int] | None:
        """Write a created case to its row and attempt; return the row's import and run.

        None, and nothing is written, where the row is not being sent by this attempt any more, or an id of another
        case is known for it: then the state has to be weighed.
        """
        case = {"wolkvox_id": outcome.wolkvox_id, "message": outcome.message, "which": attempt.id}
        created = {**case, "state": Status.CREATED.value, "id_prefijo": outcome.id_prefijo}
        for import_id, run_id in self._row_is_created.run(cursor, created).fetchall():
            answered = {
                **case,
                "ended_at": now,
                "verdict": outcome.verdict.value,
                "http_status": outcome.http_status,
                "code": outcome.code,
                "search_value": None,  # erased: nobody has to search for this case
            }
            self._attempt_is_answered.run(cursor, answered)
            return import_id, run_id
        return None
