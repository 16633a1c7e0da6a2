"""Questions about the journal itself: whether it is complete, and still on the computer where it was used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from importer import report
from importer.commands import placeholder, told
from importer.errors import JournalError, StartRefused
from importer.identity import Scope
from importer.journal import Journal, KnownImport, look_at_journal
from importer.journal_place import is_there
from importer.messages import _
from importer.questions import Answer, Question
from importer.source import open_table
from importer.system.clock import local_datetime
from importer.workflow.commands import Commands
from importer.workflow.guards.other_imports import pair_side
from importer.workflow.job import Job

FIRST_RUN = "first-run"
MOVED_HERE = "moved-here"
NOTHING_WAS_SENT = "nothing-was-sent"
LOOK_FIRST = "look-first"
ADOPTED = "adopted"


def journal_questions(job: Job, journal: Journal, scope: Scope) -> Iterator[Question]:
    """Yield what a person must answer about a journal before anything is sent with it.

    Raises StartRefused if it is not the journal that this computer used and --look-first would not compensate for that.
    """
    standing = journal.standing
    if standing.kind == "unknown-computer":
        yield moved_here_question(job, journal.id)
    elif not standing.may_send and not (standing.is_incomplete and (job.look_first or job.nothing_was_sent)):
        raise StartRefused(standing.sentence or "", looking_helps=standing.is_incomplete)
    if job.look_first:
        _refuse_to_look_too_soon(job, journal, scope)
        return
    if _is_lost(journal, scope):
        yield nothing_was_sent_question(job, scope)


def refuse_without_looking(job: Job, journal: Journal, scope: Scope, source: str) -> None:
    """Raise StartRefused if rows of a source (by its digest) may be cases that the journal has lost."""
    if job.look_first or job.nothing_was_sent or not journal.must_look_first(scope.parts, source):
        return
    raise StartRefused(
        told(
            _(
                "{path}: this journal lacks some of what was sent, so rows that it calls planned may be cases."
                " Run `{look_first}` until it has searched the CRM for every row that is left in the file, or"
                " `{nothing_was_sent}` if you are sure that none of them was sent.",
                path=job.journal_path,
                look_first=Commands.of(job).looking_first(),
                nothing_was_sent=Commands.of(job).run("--nothing-was-sent"),
            ),
            _(
                "{path}: this journal lacks some of what was sent, so rows that it calls planned may be cases."
                " Choose “First search the CRM for every row” until it has searched for every row that is left in"
                " the sheet.",
                path=job.journal_path,
            ),
        ),
        looking_helps=True,
    )


def _is_lost(journal: Journal, scope: Scope) -> bool:
    """Tell whether another journal has sent rows of an import, and no adopted report covers all of them."""
    known = journal.marks_know(scope.parts)
    if known is None or _created_nothing(known, scope):
        return False
    adopted = _adopted_mark(journal, scope)
    if adopted is None:
        return True
    journal_id, attempt = adopted
    return not known.journal_id.startswith(journal_id) or attempt < known.attempt_id


def _created_nothing(known: KnownImport, scope: Scope) -> bool:
    """Tell whether another journal is still where it was, knows all that was sent with it, and has no case of it."""
    if not is_there(known.path):
        return False
    try:
        with look_at_journal(known.path) as other:
            record = other.imports.find(*scope.parts)
            is_whole = other.id == known.journal_id and other.highest_attempt() >= known.attempt_id
            return is_whole and record is not None and not other.rows.has_cases(record.id)
    except JournalError:
        return False


def note_adopted(journal: Journal, scope: Scope, mark: tuple[str, int] | None) -> None:
    """Record how far a lost journal had come when the adopted report was written."""
    if mark is None:
        return
    journal_id, attempt = mark
    known = _adopted_mark(journal, scope)
    if known is None or known[0] != journal_id or known[1] < attempt:
        journal.decisions.record(ADOPTED, pair_side(scope), f"{journal_id} {attempt}")


def _adopted_mark(journal: Journal, scope: Scope) -> tuple[str, int] | None:
    """Return the lost journal whose report was adopted, and how far it had come; None if none was adopted."""
    recorded = journal.decisions.answered(ADOPTED, pair_side(scope))
    journal_id, _space, attempt = (recorded or "").partition(" ")
    return (journal_id, int(attempt)) if journal_id else None


def _refuse_to_look_too_soon(job: Job, journal: Journal, scope: Scope) -> None:
    """Raise StartRefused while a case that the journal does not know may still be created.

    These rows are not known to be in doubt, so their quiet period is checked here, counted from the last intent that
    the mark knows. A mark that is further ahead than that comes from a wrong clock and is ignored.
    """
    lost_at = journal.lost_at(scope.parts)
    if lost_at is None:
        return
    left = lost_at + job.quiet_period - journal.clock.wall()
    if left <= 0 or left > 2 * job.quiet_period:
        return
    raise StartRefused(
        told(
            _(
                "{path}: this journal lacks some of what was sent, and such a case may still be created until"
                " {until:%Y-%m-%d %H:%M:%S}: a search before then could miss it. Run `{command}` after that.",
                path=job.journal_path,
                command=Commands.of(job).looking_first(),
                until=local_datetime(lost_at + job.quiet_period),
            ),
            _(
                "{path}: this journal lacks some of what was sent, and such a case may still be"
                " created until {until:%Y-%m-%d %H:%M:%S}: a search before then could miss it. Try"
                " again after that.",
                path=job.journal_path,
                until=local_datetime(lost_at + job.quiet_period),
            ),
        )
    )


def accept_journal(job: Job, journal: Journal, scope: Scope, reports: Iterable[Path] = ()) -> None:
    """Accept a journal as it is, after a person has answered for it; recorded with user and time.

    `reports` are those of the source: attempts that they know and the journal lacks are then accepted, too.
    """
    standing = journal.standing
    reason = LOOK_FIRST if job.look_first else NOTHING_WAS_SENT
    if standing.kind == "unknown-computer":
        journal.note_computer()
    elif not standing.may_send:
        journal.trust_again(reason, _known_to(journal, reports))
    elif job.look_first and (up_to := _known_to(journal, reports)):
        journal.trust_again(reason, up_to)
    if job.look_first and (_is_lost(journal, scope) or _may_be_sent_from_elsewhere(job, journal, scope)):
        journal.require_looking(scope.parts)
    if job.nothing_was_sent and not job.look_first:
        journal.need_not_look(scope.parts)


def _may_be_sent_from_elsewhere(job: Job, journal: Journal, scope: Scope) -> bool:
    """Tell whether a person began an import with a search, because another computer may have sent its rows."""
    is_new = journal.imports.find(*scope.parts) is None
    return is_new and any((one.code, one.value) == (FIRST_RUN, LOOK_FIRST) for one in job.answers)


def _known_to(journal: Journal, reports: Iterable[Path]) -> int:
    """Return the highest attempt of this journal that a report knows and the journal lacks, 0 if there is none."""
    marks = filter(None, (report.read_mark(path, open_table) for path in reports))
    return max((number for of, number in marks if journal.is_behind(of, number)), default=0)


def moved_here_question(job: Job, journal_id: str) -> Question:
    """Return the question whether a journal that was used on another computer was moved to this one."""
    sentence = _(
        "The journal {path} was used on another computer, not on this one. Was it moved here, so that it is no longer"
        " used anywhere else?",
        path=job.journal_path,
    )
    answer = Answer("yes", "--moved-here", gives=(("moved_here", True),))
    return Question(MOVED_HERE, sentence, (answer,), journal_id, given=answer if job.moved_here else None)


def nothing_was_sent_question(job: Job, scope: Scope) -> Question:
    """Return the question whether nothing was sent of an import that this computer knows but the journal does not."""
    values = {"name": scope.import_name, "operation": scope.operation, "server": scope.tenant, "path": job.journal_path}
    sentence = told(
        _(
            "This computer has sent rows of import {name} (operation {operation}, server {server}) with another"
            " journal, and the journal {path} does not know them. Restore that journal, take over its newest"
            " report with `{command}`, or search the CRM for every row before it is sent, with `{look_first}`. Are"
            " you sure that none of these rows became a case?",
            look_first=Commands.of(job).looking_first(),
            command=Commands.of(job).adopt(Path(placeholder("REPORT"))),
            **values,
        ),
        _(
            "This computer has sent rows of “{name}” (operation {operation}, server {server}) with another"
            " journal, and the journal {path} does not know them. Restore that journal, take over its newest"
            " report (“I have the report of what was sent”), or choose “First search the CRM for every row”. Are"
            " you sure that none of these rows became a case?",
            **values,
        ),
    )
    answer = Answer("yes", "--nothing-was-sent", gives=(("nothing_was_sent", True),))
    look_first = Answer(LOOK_FIRST, "--look-first", gives=(("look_first", True),))
    given = answer if job.nothing_was_sent else None
    return Question(NOTHING_WAS_SENT, sentence, (answer,), pair_side(scope), given=given, further=(look_first,))
