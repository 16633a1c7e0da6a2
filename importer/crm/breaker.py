"""When a run has to pause, and in which words."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Literal

from importer.commands import placeholder, run_command, told
from importer.crm.refusals import explained
from importer.messages import _
from importer.model import Outcome, Pause, Verdict

_DOUBTS = 5  # unknown outcomes or failed connections in a row
_REFUSALS = 10  # answers in a row that ask for patience, without a verdict in between
_EQUAL_AT_FIRST, _EQUAL_LATER = 5, 10  # equal rejections in a row, before and after a case was created
_PATIENCE = 900.0  # seconds; a run does not sit out a longer wait

_LATER, _FIX = 3, 5  # exit statuses: the same command goes on later; a person must fix the connection


@dataclass(frozen=True, slots=True)
class BadOutcomes:
    """Bad outcomes in a row: `doubts` are unknown ones and failed connections, `refusals` asked for patience."""

    doubts: int = 0
    refusals: int = 0

    def after(self, outcome: Outcome) -> BadOutcomes:
        """Return how many there are after one more outcome."""
        failed = outcome.verdict is Verdict.NOT_DELIVERED and outcome.http_status is None
        doubts = self.doubts + 1 if failed or outcome.verdict is Verdict.UNKNOWN else 0
        refusals = self.refusals
        if outcome.verdict in (Verdict.CREATED, Verdict.REJECTED):
            refusals = 0
        elif outcome.http_status is not None and outcome.verdict is Verdict.NOT_DELIVERED:
            refusals += 1
        return BadOutcomes(doubts, refusals)

    @property
    def are_too_many(self) -> bool:
        """Whether a run has to pause because of them."""
        return self.doubts >= _DOUBTS or self.refusals >= _REFUSALS


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a run pauses: the sentence for the user, with what to do, and the exit status that goes with it.

    `seconds` is how long the CRM asked to wait, None where it did not.
    """

    message: str
    exit_status: int
    pause: Pause | None = None
    seconds: float | None = None


class CircuitBreaker:
    """Pauses a run after too many bad outcomes in a row; takes outcomes in their order, from any thread.

    `created` says that cases of this import were created before, so that its rows are known to be acceptable. `kind` is
    what the requests are about.
    """

    def __init__(self, *, created: bool = False, kind: Literal["case", "contact", "update"] = "case") -> None:
        self._guard = threading.Lock()
        self._created, self._kind = created, kind
        self._bad, self._equal = BadOutcomes(), 0
        self._rejection: tuple[str | None, str] | None = None

    def note(self, outcome: Outcome, *, asking: bool = False, of_all: BadOutcomes | None = None) -> PauseReason | None:
        """Count an outcome; return why the run has to pause now, None while it may go on.

        `asking` means that of a search, which creates nothing. `of_all` are the bad outcomes of all who use the token.
        """
        with self._guard:
            self._count(outcome, of_all)
            if outcome.pause not in (None, Pause.SLOW_DOWN, Pause.UNREACHABLE):
                return PauseReason(*_one_is_enough(outcome.pause, outcome.message), outcome.pause)
            if outcome.retry_after is not None and outcome.retry_after > _PATIENCE:
                return _asked_to_wait(outcome.retry_after, outcome)
            if self._bad.doubts >= _DOUBTS:
                return self._doubtful(outcome, asking=asking)
            if self._bad.refusals >= _REFUSALS:
                return self._refusing(outcome)
            if self._equal >= (_EQUAL_LATER if self._created else _EQUAL_AT_FIRST):
                return self._rejecting(outcome)
        return None

    def note_answer(self) -> None:
        """Count the answer to a search, which shows that the CRM works."""
        with self._guard:
            self._bad = BadOutcomes()

    def _count(self, outcome: Outcome, of_all: BadOutcomes | None) -> None:
        self._bad = self._bad.after(outcome)
        if of_all is not None:
            doubts, refusals = max(self._bad.doubts, of_all.doubts), max(self._bad.refusals, of_all.refusals)
            self._bad = BadOutcomes(doubts, refusals)
        if outcome.verdict is Verdict.CREATED:
            self._created, self._equal, self._rejection = True, 0, None
        elif outcome.verdict is Verdict.REJECTED:
            rejection = (outcome.code, outcome.message)
            self._equal = self._equal + 1 if rejection == self._rejection else 1
            self._rejection = rejection

    def _doubtful(self, outcome: Outcome, *, asking: bool) -> PauseReason:
        if outcome.verdict is Verdict.UNKNOWN and asking:
            message = _(
                "Paused: {count} times in a row the CRM could not be asked for a contact. Check that the CRM works,"
                " then continue the run. Last: {words}",
                count=self._bad.doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN and self._kind == "contact":
            message = _(
                "Paused: {count} contacts in a row may or may not have been created. Check that the CRM works, then "
                "continue the run. Last: {words}",
                count=self._bad.doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN and self._kind == "update":
            message = _(
                "Paused: {count} updates in a row may or may not have arrived. Check that the CRM works, then continue"
                " the run. Last: {words}",
                count=self._bad.doubts,
                words=outcome.message,
            )
        elif outcome.verdict is Verdict.UNKNOWN:
            message = _(
                "Paused: {count} cases in a row may or may not have been created. Check that the CRM works, then "
                "continue the run. Last: {words}",
                count=self._bad.doubts,
                words=outcome.message,
            )
        else:
            message = _(
                "Paused: the connection failed {count} times in a row. Check that the network and the CRM work, then "
                "continue the run. Last: {words}",
                count=self._bad.doubts,
                words=outcome.message,
            )
        return PauseReason(message, _LATER, outcome.pause)

    def _refusing(self, outcome: Outcome) -> PauseReason:
        if self._kind == "update":
            message = _(
                "Paused: the CRM asked {count} times in a row to try again later, and took no update ({words})."
                " Continue the run later.",
                count=self._bad.refusals,
                words=outcome.message,
            )
            return PauseReason(message, _LATER, outcome.pause)
        if self._kind == "contact":
            message = _(
                "Paused: the CRM asked {count} times in a row to try again later, and took no contact ({words})."
                " Continue the run later.",
                count=self._bad.refusals,
                words=outcome.message,
            )
            return PauseReason(message, _LATER, outcome.pause)
        message = told(
            _(
                "Paused: the CRM asked {count} times in a row to try again later and took no case ({words}). These "
                "rows were not created. Continue the run later, with a lower --rate where others use this token too.",
                count=self._bad.refusals,
                words=outcome.message,
            ),
            _(
                "Paused: the CRM asked {count} times in a row to try again later and took no case"
                " ({words}). These rows were not created. Continue later; where other programs use"
                " this token too, once they are done.",
                count=self._bad.refusals,
                words=outcome.message,
            ),
        )
        return PauseReason(message, _LATER, outcome.pause)

    def _rejecting(self, outcome: Outcome) -> PauseReason:
        if self._kind == "contact":
            return self._rejecting_contacts(outcome)
        if self._kind == "update":
            message = _(
                "Paused: the CRM refused {count} updates in a row with the same message: {words}. Put that right,"
                " then continue the run.",
                count=self._equal,
                words=explained(outcome.message),
            )
            return PauseReason(message, _LATER)
        message = told(
            _(
                "Paused: the CRM rejected {count} cases in a row with the same message: {words}. Correct the"
                " mapping or the rows, then continue the run; if only the CRM had to be changed, run `{command}`.",
                count=self._equal,
                command=run_command("--retry-rejected"),
                words=explained(outcome.message),
            ),
            _(
                "Paused: the CRM rejected {count} cases in a row with the same message: {words}. Put"
                " it right on the page Match columns or on the page Correct, then continue; if only"
                " the CRM had to be changed, send the rejected rows again on the page Send.",
                count=self._equal,
                words=explained(outcome.message),
            ),
        )
        return PauseReason(message, _LATER)

    def _rejecting_contacts(self, outcome: Outcome) -> PauseReason:
        message = told(
            _(
                "Paused: the CRM rejected {count} contacts in a row with the same message: {words}. Correct"
                " `contacts` in the mapping or the rows, then continue the run; if only the CRM had to be"
                " changed, run `{command}`.",
                count=self._equal,
                command=run_command("--retry-rejected"),
                words=explained(outcome.message),
            ),
            _(
                "Paused: the CRM rejected {count} contacts in a row with the same message: {words}. Put"
                " it right on the page Correct, then continue; if only the CRM had to be changed, send the"
                " rejected rows again on the page Send.",
                count=self._equal,
                words=explained(outcome.message),
            ),
        )
        return PauseReason(message, _LATER)


def paused_by_others(bad: BadOutcomes) -> PauseReason:
    """Return the reason for which a run pauses because of what others got who use the same token."""
    if bad.doubts >= _DOUBTS:
        message = _(
            "Paused: {count} requests in a row with this token got no answer, here and on other machines. Check that"
            " the network and the CRM work, then continue the run.",
            count=bad.doubts,
        )
        return PauseReason(message, _LATER)
    message = _(
        "Paused: the CRM asked {count} times in a row to try again later, here and on other machines that use this"
        " token. Continue the run later.",
        count=bad.refusals,
    )
    return PauseReason(message, _LATER, Pause.SLOW_DOWN)


def asked_all_to_wait(seconds: float) -> PauseReason | None:
    """Return the reason for which a run pauses if the CRM has asked another user of the token for so long a wait."""
    if seconds <= _PATIENCE:
        return None
    message = _(
        "Paused: the CRM has asked another machine that uses this token for a pause of {minutes} minutes. Continue the"
        " run after that.",
        minutes=math.ceil(seconds / 60),
    )
    return PauseReason(message, _LATER, Pause.SLOW_DOWN, math.ceil(seconds))


def _asked_to_wait(seconds: float, outcome: Outcome) -> PauseReason:
    message = _(
        "Paused: the CRM asks for a pause of {minutes} minutes ({words}). Continue the run after that.",
        minutes=math.ceil(seconds / 60),
        words=outcome.message,
    )
    return PauseReason(message, _LATER, outcome.pause, seconds)


def _one_is_enough(pause: Pause | None, words: str) -> tuple[str, int]:
    """Return the sentence and the exit status for what pauses a run with its first answer."""
    if pause is Pause.QUOTA:
        return _(
            "Paused: the token's calls for today are used up ({words}). Continue the run once the quota has "
            "been reset.",
            words=words,
        ), _LATER
    if pause is Pause.CREDENTIALS:
        return _(
            "Paused: the CRM does not accept the token ({words}). Check that it belongs to this operation and is still "
            "valid, or give another one, then continue the run.",
            words=words,
        ), _FIX
    if pause is Pause.REDIRECT:
        return told(
            _(
                "Paused: the server redirects cases to another address ({words}). Continue the run "
                "with the host that the browser shows after you log in to the CRM: `{command}`.",
                words=words,
                command=run_command("--server", placeholder("HOST")),
            ),
            _(
                "Paused: the server redirects cases to another address ({words}). On the page Send,"
                " click Connection, enter the address that the browser shows after you log in to the"
                " CRM, and then continue.",
                words=words,
            ),
        ), _FIX
    if pause is Pause.CERTIFICATE:
        return told(
            _(
                "Paused: the server could not prove its identity ({words}). Check --server and this computer's clock, "
                "or, in a network that inspects connections, name its certificate with --ca-file, then continue the "
                "run.",
                words=words,
            ),
            _(
                "Paused: the server could not prove its identity ({words}). Check the address under"
                " Connection on the page Send, and this computer's clock. If your office's network"
                " inspects connections, whoever runs it has to give this program its certificate. Then"
                " continue.",
                words=words,
            ),
        ), _FIX
    return told(
        _(
            "Paused: this address does not accept cases ({words}). Check that --server is the CRM's host and whether a "
            "proxy is in between, then continue the run.",
            words=words,
        ),
        _(
            "Paused: this address does not accept cases ({words}). Check under Connection on the page"
            " Send that it is the CRM's address, and ask whoever runs your network whether a proxy is"
            " in between. Then continue.",
            words=words,
        ),
    ), _FIX
