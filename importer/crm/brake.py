"""When a run has to pause, and what to tell the person who sees it stop."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from importer.messages import _
from importer.model import Outcome, Pause, Verdict

_DOUBTS = 5  # unknown outcomes or failed connections in a row
_REFUSALS = 10  # answers in a row that ask for patience, without a verdict in between
_EQUAL_AT_FIRST = 5  # equal rejections while nothing was created yet
_EQUAL_LATER = 10
_PATIENCE = 900.0  # seconds; a longer wait is not sat out

_LATER, _MEND = 3, 5  # exit statuses: the same command goes on later; a person must mend the connection


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a run pauses: the whole sentence for the user with what to do, and the exit status that goes with it."""

    message: str
    exit_status: int
    pause: Pause | None = None


class Brake:
    """Watches the outcomes of a run, in the order in which they come, from any thread.

    `created` says that cases of this import were created before, so that its rows are known to be acceptable.
    """

    def __init__(self, *, created: bool = False) -> None:
        self._guard = threading.Lock()
        self._created = created
        self._doubts = self._refusals = self._equal = 0
        self._rejection: tuple[str | None, str] | None = None

    def note(self, outcome: Outcome) -> PauseReason | None:
        """Take an outcome into account; return why the run has to pause now, None while it may go on."""
        with self._guard:
            self._count(outcome)
            if outcome.pause not in (None, Pause.SLOW_DOWN, Pause.UNREACHABLE):
                return PauseReason(*_at_once(outcome.pause, outcome.message), outcome.pause)
            if outcome.retry_after is not None and outcome.retry_after > _PATIENCE:
                return _asked_to_wait(outcome.retry_after, outcome)
            if self._doubts >= _DOUBTS:
                return self._doubtful(outcome)
            if self._refusals >= _REFUSALS:
                return self._refusing(outcome)
            if self._equal >= (_EQUAL_LATER if self._created else _EQUAL_AT_FIRST):
                return self._rejecting(outcome)
        return None

    def _count(self, outcome: Outcome) -> None:
        failed = outcome.verdict is Verdict.NOT_DELIVERED and outcome.http_status is None
        self._doubts = self._doubts + 1 if failed or outcome.verdict is Verdict.UNKNOWN else 0
        if outcome.verdict in (Verdict.CREATED, Verdict.REJECTED):
            self._refusals = 0
        elif outcome.http_status is not None and outcome.verdict is Verdict.NOT_DELIVERED:
            self._refusals += 1
        if outcome.verdict is Verdict.CREATED:
            self._created, self._equal, self._rejection = True, 0, None
        elif outcome.verdict is Verdict.REJECTED:
            rejection = (outcome.code, outcome.message)
            self._equal = self._equal + 1 if rejection == self._rejection else 1
            self._rejection = rejection

    def _doubtful(self, outcome: Outcome) -> PauseReason:
        if outcome.verdict is Verdict.UNKNOWN:
            message = _(
                "Paused: {count} times in a row it is not known what became of a case. See whether the CRM works, "
                "then give the same command again. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        else:
            message = _(
                "Paused: the connection failed {count} times in a row. See whether the network and the CRM work, then "
                "give the same command again. Last: {words}",
                count=self._doubts,
                words=outcome.message,
            )
        return PauseReason(message, _LATER, outcome.pause)

    def _refusing(self, outcome: Outcome) -> PauseReason:
        message = _(
            "Paused: the CRM asked {count} times in a row to try again later and took no case ({words}). These rows "
            "were not created. Give the same command again later, with a lower --rate where others use this token too.",
            count=self._refusals,
            words=outcome.message,
        )
        return PauseReason(message, _LATER, outcome.pause)

    def _rejecting(self, outcome: Outcome) -> PauseReason:
        message = _(
            "Paused: the CRM rejected {count} cases in a row with the same words: {words}. Correct the mapping or the "
            "rows, then give the same command again; add --retry-rejected where only the CRM had to be changed.",
            count=self._equal,
            words=outcome.message,
        )
        return PauseReason(message, _LATER)


def _asked_to_wait(seconds: float, outcome: Outcome) -> PauseReason:
    message = _(
        "Paused: the CRM asks to be left alone for {minutes} minutes ({words}). Then give the same command again.",
        minutes=math.ceil(seconds / 60),
        words=outcome.message,
    )
    return PauseReason(message, _LATER, outcome.pause)


def _at_once(pause: Pause | None, words: str) -> tuple[str, int]:
    """Return the sentence and the exit status of what one answer suffices for."""
    if pause is Pause.QUOTA:
        return _(
            "Paused: the token's calls for today are used up ({words}). Give the same command again once they are "
            "counted anew.",
            words=words,
        ), _LATER
    if pause is Pause.CREDENTIALS:
        return _(
            "Paused: the CRM does not accept the token ({words}). See whether it belongs to this operation and is "
            "still valid, store it with `case-importer login`, then give the same command again.",
            words=words,
        ), _MEND
    if pause is Pause.REDIRECT:
        return _(
            "Paused: the server sends cases to another address ({words}). Give --server the host that the browser "
            "shows after login to the CRM, then give the same command again.",
            words=words,
        ), _MEND
    if pause is Pause.CERTIFICATE:
        return _(
            "Paused: the server could not prove who it is ({words}). See whether --server and this computer's clock "
            "are right, or name the certificate of a network that inspects connections with --ca-file, then give the "
            "same command again.",
            words=words,
        ), _MEND
    return _(
        "Paused: this address does not take cases ({words}). See whether --server is the CRM's host and whether a "
        "proxy stands in between, then give the same command again.",
        words=words,
    ), _MEND
