"""Whether a journal is what it was when it was last used, and the sentence about it for the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from importer.commands import adopt_command, command_line, placeholder, run_command, same_command, told
from importer.journal_place import Place
from importer.messages import _, ngettext

Kind = Literal["sound", "new", "behind", "forked", "copied", "unknown-computer", "other-journal", "no-mark"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a journal compares with its mark; only one that is sound or new may send.

    `has` is its highest attempt and `known` the one that the mark knows. `elsewhere` is the other copy, or the other
    journal. `reason` is why there is no mark.
    """

    kind: Kind
    path: Place
    has: int = 0
    known: int = 0
    elsewhere: Place | None = None
    reason: str = ""

    @property
    def may_send(self) -> bool:
        """Tell whether the journal knows all that this computer knows of it."""
        return self.kind in {"sound", "new"}

    @property
    def is_incomplete(self) -> bool:
        """Tell whether the journal is known to lack some of what was sent: rows that it calls planned may be cases."""
        return self.kind in {"behind", "forked", "other-journal"}

    @property
    def sentence(self) -> str | None:
        """What is wrong, and how to fix it; None where nothing is wrong."""
        return None if self.may_send else _SENTENCES[self.kind](self)


@dataclass(frozen=True, slots=True)
class KnownImport:
    """Another journal that has sent for an import: where it was, its highest attempt for the import, and when."""

    journal_id: str
    path: Place
    attempt_id: int
    raised_at: datetime


def _ways_on() -> dict[str, str]:
    """Return the commands that go on where a journal is lost."""
    return {
        "adopt": adopt_command(),
        "look_first": run_command("--look-first"),
        "nothing_was_sent": run_command("--nothing-was-sent"),
    }


def _behind(standing: Standing) -> str:
    return told(
        _behind_for_commands(standing),
        _(
            "{path}: this journal is an older one: some of what was recorded in it on this computer is missing."
            " Restore the newest journal. If it is lost, take over every later report (“I have the report of what"
            " was sent”), or choose “First search the CRM for every row”.",
            path=standing.path,
        ),
    )


def _behind_for_commands(standing: Standing) -> str:
    if standing.known <= standing.has:
        return _(
            "{path}: this journal is an older one: ids or decisions that were recorded in it on this computer are"
            " missing. Restore the newest journal. If it is lost, take the ids of every later report with"
            " `{adopt}`, then run `{look_first}`, or `{nothing_was_sent}` if you know that it is so.",
            path=standing.path,
            **_ways_on(),
        )
    return ngettext(
        "{path}: this journal is an older one: {count} attempt that this computer made is missing (it knows {has}"
        " of {known}). Restore the newest journal. If it is lost, take the ids of every later report with"
        " `{adopt}`, then run `{look_first}`, or `{nothing_was_sent}` if you know that it is so.",
        "{path}: this journal is an older one: {count} attempts that this computer made are missing (it knows"
        " {has} of {known}). Restore the newest journal. If it is lost, take the ids of every later report with"
        " `{adopt}`, then run `{look_first}`, or `{nothing_was_sent}` if you know that it is so.",
        standing.known - standing.has,
        path=standing.path,
        has=standing.has,
        known=standing.known,
        **_ways_on(),
    )


def _forked(standing: Standing) -> str:
    return told(
        _(
            "{path}: this journal is a copy that was used separately: its attempt {known} is not the one that"
            " this computer made. Use the journal that this computer used. If it is lost, take the ids of every"
            " report of it with `{adopt}`, then run `{look_first}`, or `{nothing_was_sent}` if you know that it"
            " is so.",
            path=standing.path,
            known=standing.known,
            **_ways_on(),
        ),
        _(
            "{path}: this journal is a copy that was used separately: it is not the one with which this computer"
            " sent last. Restore the newest journal. If it is lost, take over every later report (“I have the"
            " report of what was sent”), or choose “First search the CRM for every row”.",
            path=standing.path,
        ),
    )


def _copied(standing: Standing) -> str:
    return told(
        _(
            "{path}: this is a copy of the journal {elsewhere}, which is still there, and two copies must not both"
            " send. Use that one: `{command}`. To go on with this one instead, first put the other where no run finds"
            " it. To move a journal, use `{move}`.",
            path=standing.path,
            elsewhere=standing.elsewhere,
            command=same_command("--journal", standing.elsewhere),
            move=command_line("journal", "move", standing.elsewhere, placeholder("TO")),
        ),
        _(
            "{path}: this is a copy of the journal {elsewhere}, which is still there, and two copies"
            " must not both send. Whoever set this program up has to let it use that one, or put one"
            " of the two away.",
            path=standing.path,
            elsewhere=standing.elsewhere,
        ),
    )


def _unknown_computer(standing: Standing) -> str:
    return told(
        _(
            "{path}: this journal was never used on this computer by this user. If it was moved here and is used"
            " nowhere else, run `{command}`. If another computer still sends with a copy of it, do not send from"
            " here.",
            path=standing.path,
            command=run_command("--moved-here"),
        ),
        _(
            "{path}: this journal was never used on this computer by this user. If it was moved here"
            " and is used nowhere else, say so on the page Send. If another computer still sends with"
            " a copy of it, do not send from here.",
            path=standing.path,
        ),
    )


def _other_journal(standing: Standing) -> str:
    return told(
        _(
            "{path}: this journal is of version 0.1.0, and this computer has sent with a newer one since"
            " ({elsewhere}, {known} attempts). It is probably an old backup. Restore the newest journal. If it is"
            " lost, take the ids of every later report with `{adopt}`, then run `{look_first}`, or"
            " `{nothing_was_sent}` if you know that it is so.",
            path=standing.path,
            elsewhere=standing.elsewhere,
            known=standing.known,
            **_ways_on(),
        ),
        _(
            "{path}: this journal is of an early version, and this computer has sent with a newer one since"
            " ({elsewhere}). It is probably an old backup. Restore the newest journal. If it is lost, take over"
            " every later report (“I have the report of what was sent”), or choose “First search the CRM for"
            " every row”.",
            path=standing.path,
            elsewhere=standing.elsewhere,
        ),
    )


_SENTENCES: dict[Kind, Callable[[Standing], str]] = {
    "behind": _behind,
    "forked": _forked,
    "copied": _copied,
    "unknown-computer": _unknown_computer,
    "other-journal": _other_journal,
    "no-mark": lambda standing: standing.reason,
}
