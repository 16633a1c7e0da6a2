"""No silent overlap: rows with keys under which another import of the tenant and operation made cases wait."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest

from importer.guards.second_start import NEW_IMPORT, OTHER_IMPORT, pair
from importer.identity import Scope, same_tenant
from importer.job import Job
from importer.journal import ImportRecord, Journal
from importer.messages import ngettext
from importer.model import Status
from importer.plan import Batch, Plan
from importer.questions import Answer, Question

_SHOWN_ROWS = 5


def overlap_questions(
    job: Job, plan: Plan, journal: Journal, record: ImportRecord | None, asked: Iterable[Question] = ()
) -> list[Question]:
    """Return, for each other import, the question whether rows with its keys are other tickets; until then they wait.

    Every row that would be sent is looked at. The answer is remembered for the two imports. What is `asked` about a
    pair as a whole is not asked again about rows.
    """
    abouts = {question.about for question in asked if question.code == OTHER_IMPORT}
    others = {
        other.id: (other, about)
        for other in _others(plan.scope, journal, record)
        if (about := pair(plan.scope, Scope(*other.scope))) not in abouts
        and journal.decisions.answered(OTHER_IMPORT, about) != NEW_IMPORT
        and journal.rows.has_cases(other.id)
    }
    found: dict[int, set[int]] = {}
    for batch in plan.batches if others else ():
        for number, import_id in _elsewhere(batch, journal):
            if import_id in others:
                found.setdefault(import_id, set()).add(number)
    return [_question(job, plan, *others[import_id], found[import_id]) for import_id in sorted(found)]


def _others(scope: Scope, journal: Journal, record: ImportRecord | None) -> Iterable[ImportRecord]:
    """Return the other imports whose cases are where this one's would be; another stand-in is another tenant."""
    own = record.id if record else None
    return (
        other
        for other in journal.imports.all()
        if other.id != own and other.operation == scope.operation and same_tenant(other.tenant, scope.tenant)
    )


def _elsewhere(batch: Batch, journal: Journal) -> Iterable[tuple[int, int]]:
    """Return the rows that would be sent and whose keys are cases of imports, by number, with those imports."""
    numbers = {
        batch.digests[at]: batch.numbers[at] for at, status in enumerate(batch.statuses) if status is Status.PLANNED
    }
    return ((numbers[digest], import_id) for digest, import_id in journal.rows.cases_of(list(numbers)))


def _question(job: Job, plan: Plan, other: ImportRecord, about: str, rows: set[int]) -> Question:
    sentence = ngettext(
        "{count} row of {path} has a key under which import {other} created a case, or may have: row {rows}. It waits."
        " If it is the same ticket, leave it out here, or send it with the mapping of import {other}. Is it another"
        " ticket, which shall become a case of its own?",
        "{count} rows of {path} have keys under which import {other} created cases, or may have: rows {rows}. They"
        " wait. If they are the same tickets, leave them out here, or send them with the mapping of import {other}."
        " Are they other tickets, which shall become cases of their own?",
        len(rows),
        path=plan.table.path,
        other=other.name,
        rows=", ".join(map(str, nsmallest(_SHOWN_ROWS, rows))) + (", …" if len(rows) > _SHOWN_ROWS else ""),
    )
    new = Answer(NEW_IMPORT, "--new-import")
    given = new if job.new_import else None
    return Question(OTHER_IMPORT, sentence, (new,), about, "rows", given, frozenset(rows))
