"""The journal's own questions: whether it is the one that it was, on the computer where it was."""

from __future__ import annotations

from importer.guards.second_start import pair_side
from importer.identity import Scope
from importer.job import Job
from importer.messages import _
from importer.questions import Answer, Question

MOVED_HERE = "moved-here"
NOTHING_WAS_SENT = "nothing-was-sent"


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
        " and the journal {path} does not know them. Bring that journal back, or take its reports over with"
        " `case-importer adopt`. Are you sure that none of these rows became a case?",
        name=scope.import_name,
        operation=scope.operation,
        server=scope.tenant,
        path=job.journal_path,
    )
    answer = Answer("yes", "--nothing-was-sent")
    given = answer if job.nothing_was_sent else None
    return Question(NOTHING_WAS_SENT, sentence, (answer,), pair_side(scope), given=given)
