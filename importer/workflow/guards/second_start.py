"""No silent second start: what a run must know before it could make second cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice

from importer.errors import StartRefused, UsageError
from importer.hosts import is_loopback
from importer.identity import Scope, is_stand_in, same_tenant
from importer.journal import ImportRecord, Journal
from importer.messages import _, ngettext
from importer.model import Status
from importer.questions import Answer, Prompter, Question, answer_all
from importer.source import Table
from importer.workflow.job import Job
from importer.workflow.plan import Batch, Plan
from importer.workflow.planning import own_columns
from importer.workflow.tenant_facts import QUIET_PERIOD

# MERGED importer.workflow.guards.second_start: No silent second start: what a run must know before it could make second cases.

OTHER_IMPORT = "other-import"
SAME_TICKETS = "same-tickets"
FIRST_RUN = "first-run"
SPOT_CHECK = "spot-check"
SAME_AS, NEW_IMPORT = "same-as", "new-import"

_FEW = 5
"""Fewer edited rows than this are somebody's corrections, and no other file."""

_SAMPLE = 2_000
"""How many keys of a source are looked for in other imports: enough to see whether most belong to another."""


def find_import(journal: Journal, scope: Scope, same_as: str | None) -> ImportRecord | None:
    """Return the import of a scope, the one that a person says it is, or None before its first run.

    Raises UsageError where nobody can tell which one is meant, or where a stand-in's import would stand for one of
    the CRM, or the other way round: also where an older version of this program allowed that.
    """
    record = journal.imports.find(*scope.parts) if same_as is None else _same_import(journal, scope, same_as)
    if record is not None and scope.tenant and is_stand_in(record.tenant) != is_stand_in(scope.tenant):
        raise _stand_in_is_no_crm(record, scope)
    return record


def _stand_in_is_no_crm(record: ImportRecord, scope: Scope) -> UsageError:
    return UsageError(
        _(
            "Import {name} was made on {known}, and this run goes to {server}. One of them is a stand-in on this"
            " computer, and a case of a stand-in is not a case of the CRM: no row of one may count as sent to the"
            " other. Leave out --same-as, or use another journal (--journal), to import these rows into {server}.",
            name=record.name,
            known=record.tenant,
            server=scope.tenant,
        )
    )


def _same_import(journal: Journal, scope: Scope, name: str) -> ImportRecord:
    """Return the import that a person says this one is; raises UsageError where it cannot be told which."""
    candidates = [record for record in journal.imports.named(name) if record.operation == scope.operation]
    alike = [record for record in candidates if is_stand_in(record.tenant) == is_stand_in(scope.tenant)]
    here = [record for record in alike if same_tenant(record.tenant, scope.tenant)] or alike or candidates
    if len(here) == 1:
        return here[0]
    known = ", ".join(f"{record.name} ({record.tenant})" for record in journal.imports.all())
    raise UsageError(
        _(
            "--same-as {name}: this journal has no one import of that name for operation {operation}. It has: {known}.",
            name=name,
            operation=scope.operation,
            known=known or _("none"),
        )
    )


def refuse_short_quiet_period(seconds: float, server: str) -> None:
    """Raise UsageError where the CRM would be asked for doubtful rows too soon; a stand-in may be asked at once."""
    if seconds < QUIET_PERIOD and not is_loopback(server):
        raise UsageError(
            _(
                "--quiet-period {seconds:g}: a case may still come into being {least:g} seconds after its answer was"
                " lost, so nothing less is allowed for {server}.",
                seconds=seconds,
                least=QUIET_PERIOD,
                server=server,
            )
        )


def refuse_other_file(table: Table, record: ImportRecord | None) -> None:
    """Raise StartRefused where an import under `key: content` is given another file than the one it is bound to."""
    if record is None or record.bound_to in {None, table.digest} or own_columns(table.columns):
        return
    raise StartRefused(
        _(
            "{path}: import {name} has no key column (`key: content`), so it is bound to the one file that it began"
            " with, and this is another: its rows could be sent twice. Give that file or a report made from it, name a"
            " key column in the mapping, or give this file an import name of its own.",
            path=table.path,
            name=record.name,
        )
    )


def same_tickets_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> list[Question]:
    """Return the question whether rows with known keys and other contents are the same tickets, edited since.

    It is asked once for each state of a file. Raises StartRefused where --new-import says that they are not: they need
    an import name of their own then, since their keys are taken under this one.
    """
    if record is None or job.same_as:
        return []
    known, differing = _known_and_differing(plan)
    about = f"{pair_side(plan.scope)} {plan.table.digest}"
    if differing < _FEW or differing * 2 <= known or journal.decisions.answered(SAME_TICKETS, about):
        return []
    values = {"differing": differing, "known": known, "path": plan.table.path, "name": record.name}
    if job.new_import:
        raise StartRefused(
            _(
                "--new-import: {differing} of {known} rows of {path} have keys under which import {name} created cases."
                " Other tickets with the same keys need an import name of their own: change `import: {name}` in the"
                " mapping, and give --new-import again.",
                **values,
            )
        )
    sentence = _(
        "{differing} of {known} rows of {path} have the keys of cases that import {name} created, with other contents."
        " (If these are other tickets, give the mapping an import name of its own.) Are these the same tickets, edited"
        " since?",
        **values,
    )
    answer = Answer("yes", _("--same-tickets or --same-as {name}", name=record.name))
    given = answer if job.same_tickets else None
    return [Question(SAME_TICKETS, sentence, (answer,), about, given=given)]


def _known_and_differing(plan: Plan) -> tuple[int, int]:
    """Return how many of the first rows are created, and how many of these hold something else now."""
    known = differing = 0
    for row in islice(plan, _SAMPLE):
        known += row.status is Status.CREATED
        differing += row.is_changed
    return known, differing


def other_import_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> Iterator[Question]:
    """Yield, where most keys of a new import belong to another import already, whether it is that one.

    The answer is remembered for the two imports.
    """
    if record is not None or not plan.mapping.key:
        return
    digests = [row.key_digest for row in islice(plan, _SAMPLE) if row.key_digest]
    for other, known in journal.imports.knowing(digests):
        about = pair(plan.scope, Scope(other.tenant, other.operation, other.name))
        if known * 2 <= len(digests) or not _could_be_one(other, plan.scope):
            continue
        if journal.decisions.answered(OTHER_IMPORT, about) == NEW_IMPORT:
            continue
        sentence = _(
            "{known} of the first {count} keys in {path} belong to import {other} already (operation {operation},"
            " server {server}). Is this that import, or are these tickets that shall become cases of their own here?",
            known=known,
            count=len(digests),
            path=plan.table.path,
            other=other.name,
            operation=other.operation,
            server=other.tenant,
        )
        same = Answer(
            f"{SAME_AS} {other.name}",
            f"--same-as {other.name}",
            _("The import {other} under another name or host", other=other.name),
        )
        new = Answer(NEW_IMPORT, "--new-import", _("Tickets of their own"))
        yield Question(OTHER_IMPORT, sentence, (same, new), about, given=new if job.new_import else None)


def first_run_questions(job: Job, scope: Scope, server: str, record: ImportRecord | None) -> list[Question]:
    """Return the question whether this really is the first run of an import, unless nothing real can happen."""
    if record is not None or is_loopback(server):
        return []
    sentence = _(
        "This is the first run of import {name} (operation {operation}, server {server}) in this journal. Were none of"
        " its rows ever sent from another computer or with another journal?",
        name=scope.import_name,
        operation=scope.operation,
        server=server,
    )
    answer = Answer("yes", "--first-run")
    return [Question(FIRST_RUN, sentence, (answer,), pair_side(scope), given=answer if job.first_run else None)]


def ask_without_spot_check(reason: str, server: str, person: Prompter) -> None:
    """Ask whether to begin although the CRM could not be asked for rows that another computer may have sent.

    Raises QuestionsOpen or UsageError where nobody agrees; nothing was sent then.
    """
    if is_loopback(server):
        return
    sentence = _("{reason} Were none of these rows ever sent from another computer?", reason=reason)
    answer_all([Question(SPOT_CHECK, sentence, (Answer("yes", "--spot-check 0"),))], person)


def pair(one: Scope, other: Scope) -> str:
    """Return what an answer about two imports is remembered under, whichever of them asks."""
    return " = ".join(sorted((pair_side(one), pair_side(other))))


def pair_side(scope: Scope) -> str:
    """Return an import as answers name it."""
    return "/".join(scope.parts)


def _could_be_one(other: ImportRecord, scope: Scope) -> bool:
    """Tell whether cases of the two could be in one CRM; a stand-in on loopback shares cases with nobody."""
    if same_tenant(other.tenant, scope.tenant):
        # the very same: another process has just begun it
        return (other.operation, other.name) != (scope.operation, scope.import_name)
    return not (is_stand_in(other.tenant) or is_stand_in(scope.tenant))


# MERGED importer.workflow.guards.second_start: No silent overlap: rows with keys under which another import of the tenant and operation made cases wait.

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
    planned = batch.facts.loc[batch.in_state(Status.PLANNED), "key_digest"]
    numbers = dict(zip(planned, planned.index, strict=True))
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
