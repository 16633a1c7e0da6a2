"""What people call the states of a row, in the words of docs/glossary.md; machines read the code words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from importer.messages import _, gettext_noop, ngettext, shown, translated
from importer.model import CHANGED, Counts, Status, Verdict
from importer.model.edits import UpdateState
from importer.model.proof import Result

_STATES = {
    Status.INVALID: gettext_noop("invalid"),
    Status.SKIPPED: gettext_noop("skipped"),
    Status.PART: gettext_noop("part"),
    Status.PLANNED: gettext_noop("planned"),
    Status.SENDING: gettext_noop("sending"),
    Status.CREATED: gettext_noop("created"),
    Status.REJECTED: gettext_noop("rejected"),
    Status.UNKNOWN: gettext_noop("unknown"),
    Status.CONFLICT: gettext_noop("conflict"),
    CHANGED: gettext_noop("changed"),
    UpdateState.UPDATED: gettext_noop("updated"),
    UpdateState.REFUSED: gettext_noop("refused"),
    "created_parts": gettext_noop("rows of created cases"),
    Verdict.NOT_DELIVERED: gettext_noop("not-delivered"),
}


_CODES = {
    # how a row was settled
    "sent": gettext_noop("sent"),
    "search": gettext_noop("search"),
    "by-hand": gettext_noop("by-hand"),
    "report": gettext_noop("report"),
    "look-first": gettext_noop("look-first"),
    "spot-check": gettext_noop("spot-check"),
    "adopted": gettext_noop("adopted"),
    # what became of the update of a created row's case
    "updated": gettext_noop("updated"),
    "update-sending": gettext_noop("update-sending"),
    "update-refused": gettext_noop("update-refused"),
    "update-unknown": gettext_noop("update-unknown"),
    "update-unsent": gettext_noop("update-unsent"),
    "accepted": gettext_noop("accepted"),
    "deleted": gettext_noop("deleted"),
    # the checks of the doctor
    "ok": gettext_noop("ok"),
    "warning": gettext_noop("warning"),
    "fault": gettext_noop("fault"),
    "settings": gettext_noop("settings"),
    "server": gettext_noop("server"),
    "certificate": gettext_noop("certificate"),
    "clock": gettext_noop("clock"),
    "token": gettext_noop("token"),
    "quota": gettext_noop("quota"),
    "journal": gettext_noop("journal"),
    "disk": gettext_noop("disk"),
    "keyring": gettext_noop("keyring"),
    "proxy": gettext_noop("proxy"),
}


def code_name(code: str) -> str:
    """Return what a person calls another code that a listing shows; in English it is the code."""
    return translated(_CODES[code]) if code in _CODES else code


def state_name(state: str) -> str:
    """Return what a person calls a state, a verdict, or the `changed` of a report; in English it is the code word."""
    return translated(_STATES[state]) if state in _STATES else state


_RESULTS: dict[Result, str] = {
    "equal": gettext_noop("as in the sheet"),
    "differs": gettext_noop("differs"),
    "edited": gettext_noop("edited since"),
    "not-found": gettext_noop("not shown"),
    "unanswered": gettext_noop("no answer"),
    "not-asked": gettext_noop("not asked"),
}


def result_name(result: Result) -> str:
    """Return what a person calls the result of verifying a case."""
    return translated(_RESULTS[result])


def states_of(counts: Counts) -> Iterator[tuple[str, int]]:
    """Yield how many rows are in each state that some row is in: together they are all rows."""
    for state in Status:
        if number := getattr(counts, state):
            yield state, number


def counted(states: Iterable[tuple[str, int]], changed: int = 0) -> str:
    """Return how many rows are in which state, for a sentence: `created 3, invalid 2`.

    The `changed` ones are created, too, and are told with these: `created 3 (1 of them changed)`.
    """
    return ", ".join(_counted(state, count, changed) for state, count in states) or _("none")


def _counted(state: str, count: int, changed: int) -> str:
    if changed and state == Status.CREATED:
        return _("{state} {count} ({changed} of them changed)", state=state_name(state), count=count, changed=changed)
    return _("{state} {count}", state=state_name(state), count=count)


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that a person would use."""
    if size < 1000:
        return ngettext("{count} byte", "{count} bytes", size)
    for unit, bytes_of_it in (("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_of_it:
            return f"{shown(size / bytes_of_it, '.1f')} {unit}"
    return f"{shown(size / 1e3, '.1f')} kB"
