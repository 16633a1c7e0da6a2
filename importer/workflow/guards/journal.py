"""The journal's own questions: whether it is the one that it was, on the computer where it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from importer import report
from importer.clock import local_datetime
from importer.errors import StartRefused
from importer.identity import Scope
from importer.journal import Journal
from importer.messages import _
from importer.questions import Answer, Question
from importer.source import open_table
from importer.workflow.guards.second_start import pair_side
from importer.workflow.job import Job

MOVED_HERE = "moved-here"
NOTHING_WAS_SENT = "nothing-was-sent"


LOOK_FIRST, ADOPTED = "look-first", "adopted"
_OLDER = {"behind", "forked", "other-journal"}
"""Standings in which a journal lacks what was sent: what it calls planned may be a case."""


def journal_questions(job: Job, journal: Journal, scope: Scope) -> Iterator[Question]:
    """Yield what has to be known of a journal before anything is sent with it.

    Raises StartRefused where it is not the journal that this computer used, and --look-first would not make up for it.
    """
    standing = journal.standing
    if standing.kind == "unknown-computer":
        yield moved_here_question(job, journal.id)
    elif not standing.may_send and not (standing.kind in _OLDER and (job.look_first or job.nothing_was_sent)):
        raise StartRefused(standing.sentence or "")
    if job.look_first:
        _refuse_to_look_too_soon(job, journal, scope)
        return
    if _is_lost(journal, scope):
        yield nothing_was_sent_question(job, scope)


def refuse_without_looking(job: Job, journal: Journal, scope: Scope, source: str) -> None:
    """Raise StartRefused where rows of a source, by its digest, may be cases that the journal has lost."""
    if job.look_first or job.nothing_was_sent or not journal.must_look_first(scope.parts, source):
        return
    raise StartRefused(
        _(
            "{path}: this journal lacks some of what was sent, so that rows it calls planned may be cases. Give"
            " --look-first for each file until a run has searched the CRM for every row that is left in it, or"
            " --nothing-was-sent if you know that it is so.",
            path=job.journal_path,
        )
    )


def _is_lost(journal: Journal, scope: Scope) -> bool:
    """Tell whether another journal has sent for an import, and no report was adopted that knows all of that."""
    known = journal.marks_know(scope.parts)
    if known is None:
        return False
    journal_id, _space, number = (journal.decisions.answered(ADOPTED, pair_side(scope)) or " ").partition(" ")
    covers = bool(journal_id) and known.journal_id.startswith(journal_id) and int(number) >= known.attempt_id
    return not covers


def note_adopted(journal: Journal, scope: Scope, mark: tuple[str, int] | None) -> None:
    """Note how far a lost journal had come when the report was written that was adopted."""
    if mark is None:
        return
    journal_id, _space, number = (journal.decisions.answered(ADOPTED, pair_side(scope)) or " ").partition(" ")
    if journal_id != mark[0] or int(number) < mark[1]:
        journal.decisions.record(ADOPTED, pair_side(scope), f"{mark[0]} {mark[1]}")


def _refuse_to_look_too_soon(job: Job, journal: Journal, scope: Scope) -> None:
    """Raise StartRefused while a case may still come into being that was sent with what the journal lacks.

    Nobody knows these rows to be in doubt, so that their quiet period is asked here, counted from the last intent that
    the mark knows. A mark that is further ahead than that was made by a clock that was wrong, and tells no time.
    """
    lost_at, now = journal.lost_at(scope.parts), journal.clock.wall()
    if lost_at is None or not 0 < lost_at + job.quiet_period - now <= 2 * job.quiet_period:
        return
    raise StartRefused(
        _(
            "{path}: this journal lacks some of what was sent, and such a case may still come into being until"
            " {until:%Y-%m-%d %H:%M:%S}: a search before that could miss it. Give the same command again after that.",
            path=job.journal_path,
            until=local_datetime(lost_at + job.quiet_period),
        )
    )


def accept_journal(job: Job, journal: Journal, scope: Scope, reports: Iterable[Path] = ()) -> None:
    """Take a journal as it is from here on, after what a person has said of it; recorded with user and time.

    `reports` are those of the source: that they knew more of this journal counts as made good.
    """
    standing = journal.standing
    reason = LOOK_FIRST if job.look_first else NOTHING_WAS_SENT
    if standing.kind == "unknown-computer":
        journal.note_computer()
    elif not standing.may_send:
        journal.trust_again(reason, _known_to(journal, reports))
    elif job.look_first and (up_to := _known_to(journal, reports)):
        journal.trust_again(reason, up_to)
    if job.look_first and _is_lost(journal, scope):
        journal.require_looking(scope.parts)
    if job.nothing_was_sent and not job.look_first:
        journal.need_not_look(scope.parts)


def _known_to(journal: Journal, reports: Iterable[Path]) -> int:
    """Return the highest attempt of this journal that a report knows and the journal lacks, 0 where there is none."""
    marks = filter(None, (report.read_mark(path, open_table) for path in reports))
    return max((number for of, number in marks if journal.is_behind(of, number)), default=0)


def moved_here_question(job: Job, computer: str) -> Question:
    """Return the question whether a journal that knows another computer was moved to this one, named by its id."""
    sentence = _(
        "The journal {path} was used on another computer, and not on this one. Was it moved here, and is it used"
        " nowhere else any more?",
        path=job.journal_path,
    )
    answer = Answer("yes", "--moved-here")
    return Question(MOVED_HERE, sentence, (answer,), computer, given=answer if job.moved_here else None)


def nothing_was_sent_question(job: Job, scope: Scope) -> Question:
    """Return the question whether nothing was sent of an import that this computer knows and the journal does not."""
    sentence = _(
        "This computer has sent rows of import {name} (operation {operation}, server {server}) with another journal,"
        " and the journal {path} does not know them. Bring that journal back; or take its newest report over with"
        " `case-importer adopt`; or give --look-first to search the CRM for every row before it is sent. Are you sure"
        " that none of these rows became a case?",
        name=scope.import_name,
        operation=scope.operation,
        server=scope.tenant,
        path=job.journal_path,
    )
    answer = Answer("yes", "--nothing-was-sent")
    given = answer if job.nothing_was_sent else None
    return Question(NOTHING_WAS_SENT, sentence, (answer,), pair_side(scope), given=given)
