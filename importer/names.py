"""What people call the states of a row, in the words of docs/glossary.md; machines read the code words."""

from __future__ import annotations

from collections.abc import Iterable

from importer.messages import _, gettext_noop, translated
from importer.model import CHANGED, Status, Verdict

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
    Verdict.NOT_DELIVERED: gettext_noop("not-delivered"),
}


def state_name(state: str) -> str:
    """Return what a person calls a state, a verdict, or the `changed` of a report; in English it is the code word."""
    return translated(_STATES[state]) if state in _STATES else state


def counted(states: Iterable[tuple[str, int]]) -> str:
    """Return how many rows are in which state, for a sentence: `created 3, invalid 2`."""
    return ", ".join(_("{state} {count}", state=state_name(state), count=count) for state, count in states) or _("none")
