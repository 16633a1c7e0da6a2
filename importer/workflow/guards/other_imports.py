"""No silent overlap: keys in a source under which another import has created cases.

Most keys of a new import may belong to another import: then the run asks whether it is that import. If only some rows
have such keys, those rows wait until a person says whether they are the same tickets. Either answer is remembered for
the pair of imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice

from importer.commands import shell_words
from importer.identity import Scope, is_stand_in, same_tenant
from importer.journal import ImportRecord, Journal
from importer.messages import _, ngettext
from importer.model import Status
from importer.questions import Answer, Question
from importer.workflow.commands import Commands
from importer.workflow.job import Job
from importer.workflow.planning.plan import Batch, Plan

OTHER_IMPORT = "other-import"
SAME_AS, NEW_IMPORT = "same-as", "new-import"
SAME_AS_OPTION, NEW_IMPORT_OPTION = f"--{SAME_AS}", f"--{NEW_IMPORT}"

SAMPLE = 2_000
"""The first rows of a source that are compared with other imports: enough to see whether most belong to one."""

_SHOWN_ROWS = 5


def other_import_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> Iterator[Question]:
    """Yield the question whether a new import is another one to which most of its keys already belong.

    The answer is remembered for the two imports.
    """
    if record is not None or not plan.mapping.key:
        return
    digests = [row.key_digest for row in islice(plan, SAMPLE) if row.key_digest]
    earlier = [row.earlier_digest for row in islice(plan, SAMPLE) if row.earlier_digest]
    for other, known in journal.imports.knowing([*digests, *earlier]):
        about = pair(plan.scope, Scope(other.tenant, other.operation, other.name))
        if known * 2 <= len(digests) or not _could_be_one(other, plan.scope):
            continue
        if journal.decisions.answered(OTHER_IMPORT, about) == NEW_IMPORT:
            continue
        sentence = _(
            "{known} of the first {count} keys in {path} already belong to import {other} (operation {operation},"
            " server {server}). Is this that import, or are these other tickets that should become cases of their own?",
            known=known,
            count=len(digests),
            path=plan.table.path,
            other=other.name,
            operation=other.operation,
            server=other.tenant,
        )
        same = Answer(
            f"{SAME_AS} {other.name}",
            shell_words(SAME_AS_OPTION, other.name),
            _("The import {other} under another name or host", other=other.name),
            gives=(("same_as", other.name),),
        )
        new = Answer(NEW_IMPORT, NEW_IMPORT_OPTION, _("Other tickets"))
        given = new if job.new_import else None
        yield job.given(Question(OTHER_IMPORT, sentence, (same, new), about, given=given))


def overlap_questions(  # noqa: PLR0913 - everything that they depend on
    job: Job, plan: Plan, journal: Journal, record: ImportRecord | None, asked: Iterable[Question], *, agrees: bool
) -> list[Question]:
    """Return, for each other import, the question whether rows with its keys are the same tickets or others.

    Every row that would be sent is checked. A pair of imports that is already `asked` about as a whole is not asked
    about again for its rows. `agrees` means that --yes was given, which belongs to the commands that answer.
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
    commands = Commands.of(job, agrees=agrees)
    return [_question(job, plan, commands, *others[import_id], found[import_id]) for import_id in sorted(found)]


def pair(one: Scope, other: Scope) -> str:
    """Return the name under which an answer about two imports is remembered, in either order."""
    return " = ".join(sorted((pair_side(one), pair_side(other))))


def pair_side(scope: Scope) -> str:
    """Return the name of an import in remembered answers."""
    return "/".join(scope.parts)


def _could_be_one(other: ImportRecord, scope: Scope) -> bool:
    """Tell whether cases of both could be in one CRM; a simulated CRM on loopback shares no cases."""
    if same_tenant(other.tenant, scope.tenant):
        # the same import: another process has just begun it
        return (other.operation, other.name) != (scope.operation, scope.import_name)
    return not (is_stand_in(other.tenant) or is_stand_in(scope.tenant))


def _others(scope: Scope, journal: Journal, record: ImportRecord | None) -> Iterable[ImportRecord]:
    """Return the other imports with the same tenant and operation; another simulated CRM is another tenant."""
    own = record.id if record else None
    return (
        other
        for other in journal.imports.all()
        if other.id != own and other.operation == scope.operation and same_tenant(other.tenant, scope.tenant)
    )


def _elsewhere(batch: Batch, journal: Journal) -> Iterable[tuple[int, int]]:
    """Return the numbers of rows that would be sent but whose keys have cases in an import, with that import's id."""
    planned = batch.facts.loc[batch.in_state(Status.PLANNED), ["earlier_digest", "key_digest"]]
    numbers = {digest: number for number, *digests in planned.itertuples() for digest in digests if digest}
    return ((numbers[digest], import_id) for digest, import_id in journal.rows.cases_of(list(numbers)))


def _question(  # noqa: PLR0913, PLR0917 - everything that it says
    job: Job, plan: Plan, commands: Commands, other: ImportRecord, about: str, rows: set[int]
) -> Question:
    sentence = ngettext(
        "{count} row of {path} has a key under which import {other} created a case, or may have: row {rows}. It waits.",
        "{count} rows of {path} have keys under which import {other} created cases, or may have: rows {rows}. They"
        " wait.",
        len(rows),
        path=plan.table.path,
        other=other.name,
        rows=", ".join(map(str, nsmallest(_SHOWN_ROWS, rows))) + (", …" if len(rows) > _SHOWN_ROWS else ""),
    )
    same = Answer(
        f"{SAME_AS} {other.name}",
        f"`{commands.run(SAME_AS_OPTION, other.name)}`",
        _("The same tickets: no second case of them, and {other} is this import from now on", other=other.name),
        gives=(("same_as", other.name),),
    )
    new = Answer(
        NEW_IMPORT, f"`{commands.run(NEW_IMPORT_OPTION)}`", _("Other tickets, which become cases of their own")
    )
    given = new if job.new_import else None
    can_be_one = plan.mapping.key and same_tenant(other.tenant, plan.scope.tenant)
    answers = (same, new) if can_be_one else (new,)
    return job.given(Question(OTHER_IMPORT, sentence, answers, about, "rows", given, frozenset(rows)))
