"""No silent second start: what a run checks or asks so that it does not create cases a second time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from importer.commands import placeholder, run_command, same_command, told
from importer.errors import StartRefused, UsageError
from importer.identity import Scope, is_stand_in, same_tenant
from importer.journal import ImportRecord, Journal, look_at_journal
from importer.mapping import ROWS
from importer.messages import _
from importer.model import Status
from importer.questions import Answer, Question, answer_all
from importer.source import Table
from importer.system.hosts import is_loopback
from importer.text import unaccented
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.guards.journal import FIRST_RUN, LOOK_FIRST
from importer.workflow.guards.other_imports import SAMPLE, pair_side
from importer.workflow.job import Job
from importer.workflow.planning.key_rule import KeyRule
from importer.workflow.planning.plan import Plan
from importer.workflow.planning.planning import own_columns
from importer.workflow.tenant_facts import QUIET_PERIOD

SAME_TICKETS = "same-tickets"
SPOT_CHECK = "spot-check"

_FEW = 5
"""Fewer rows than this that look like other tickets are corrections, not another file."""


def find_import(journal: Journal, scope: Scope, same_as: str | None) -> ImportRecord | None:
    """Return the import of a scope, or the one named by --same-as, or None before its first run.

    Raises UsageError if it is unclear which import is meant, or if an import of a simulated CRM would be continued on
    the real CRM or the other way round, even where an earlier version recorded it.
    """
    record = journal.imports.find(*scope.parts) if same_as is None else _same_import(journal, scope, same_as)
    if record is not None and scope.tenant and is_stand_in(record.tenant) != is_stand_in(scope.tenant):
        raise _stand_in_is_not_the_crm(record, scope)
    return record


def join_imports(journal: Journal, scope: Scope, same_as: str | None) -> None:
    """Make the import of a scope one with the one that --same-as names, if both have rows of one tenant and operation.

    Nothing changes where the run is refused anyway: the journal is not to be trusted, or the keys are made differently.
    Raises UsageError if it is unclear which import is meant, StartRefused while rows are being sent.
    """
    if pair_of_imports := _to_join(journal, scope, same_as):
        _join(journal, *pair_of_imports)


@contextmanager
def as_joined(journal: Journal, scope: Scope, same_as: str | None, *, copied: bool = False) -> Iterator[Journal]:
    """Give the journal as `join_imports` would leave it: a copy if that would change it, which it does not yet.

    With `copied` it is a copy in any case.
    """
    pair_of_imports = _to_join(journal, scope, same_as)
    if pair_of_imports is None and not copied:
        yield journal
        return
    with look_at_journal(journal.path) as copy:
        if pair_of_imports is not None:
            _join(copy, *pair_of_imports)
        yield copy


def _to_join(journal: Journal, scope: Scope, same_as: str | None) -> tuple[ImportRecord, ImportRecord] | None:
    if same_as is None:
        return None
    own = journal.imports.find(*scope.parts)
    other = find_import(journal, scope, same_as)
    if own is None or other is None or own.id == other.id or own.operation != other.operation:
        return None
    if not same_tenant(own.tenant, other.tenant) or own.bound_to or other.bound_to:
        return None
    rules = KeyRule.read(own.key_rule), KeyRule.read(other.key_rule)
    has_one_rule = rules[0] is None or rules[1] is None or rules[0].is_like(rules[1])
    return (own, other) if journal.standing.may_send and has_one_rule else None


def _join(journal: Journal, own: ImportRecord, other: ImportRecord) -> None:
    for one in (own, other):
        journal.attempts.expire(one.id)
        journal.updates.expire(one.id)
    if journal.must_look_first(own.scope):  # rows that may be in the CRM already are the other import's from now on
        journal.require_looking(other.scope)
    if not journal.imports.join(own, other):
        raise StartRefused(
            told(
                _(
                    "--same-as {name}: rows of import {name} or {own} are being sent at this moment. Run"
                    " `{command}` again once that is over.",
                    name=other.name,
                    own=own.name,
                    command=same_command(),
                ),
                _(
                    "Rows of import {name} or {own} are being sent at this moment. Try again once that is over.",
                    name=other.name,
                    own=own.name,
                ),
            )
        )


def refuse_short_quiet_period(seconds: float, server: str) -> None:
    """Raise UsageError if the CRM would be searched for doubtful rows too soon, unless it is a simulated one."""
    if seconds < QUIET_PERIOD and not is_loopback(server):
        raise UsageError(
            _(
                "--quiet-period {seconds:g}: a case may still be created up to {least:g} seconds after its answer was"
                " lost, so a shorter period is not allowed for {server}.",
                seconds=seconds,
                least=QUIET_PERIOD,
                server=server,
            )
        )


def refuse_other_file(table: Table, journal: Journal, record: ImportRecord | None) -> None:
    """Raise StartRefused if an import under `key: content` gets a file other than the one it is bound to.

    An import that has no case yet, and cannot have one, takes the file that it gets.
    """
    if record is None or record.bound_to in {None, table.digest} or own_columns(table.columns):
        return
    if not journal.rows.has_cases(record.id):
        return
    raise StartRefused(
        _(
            "{path}: import {name} has no key column (`key: content`), so it is bound to the file that it began with,"
            " and this is another file: its rows could be sent twice. Give that file or a report made from it, name a"
            " key column in the mapping, or give this file an import name of its own.",
            path=table.path,
            name=record.name,
        )
    )


def first_run_questions(job: Job, scope: Scope, server: str, record: ImportRecord | None) -> list[Question]:
    """Return the question whether this really is the first run of an import; none for a server on loopback."""
    if record is not None or is_loopback(server):
        return []
    sentence = _(
        "This is the first run of import {name} (operation {operation}, server {server}) in this journal. Are you sure"
        " that none of its rows was ever sent from another computer or with another journal?",
        name=scope.import_name,
        operation=scope.operation,
        server=server,
    )
    answer = Answer("yes", "--first-run", gives=(("first_run", True),))
    meaning = _("Not known: search the CRM for every row before it is sent")
    look_first = Answer(LOOK_FIRST, "--look-first", meaning, gives=(("look_first", True),))
    given = answer if job.first_run else None
    return [job.given(Question(FIRST_RUN, sentence, (answer,), pair_side(scope), given=given, further=(look_first,)))]


def ask_without_spot_check(reason: str, server: str, ui: UserInterface) -> None:
    """Ask whether to start although the CRM could not be asked for rows that another computer may have sent.

    Raises QuestionsOpen or UsageError without agreement; nothing was sent then.
    """
    answer_all(spot_check_questions(reason, server), ui)


def spot_check_questions(reason: str, server: str) -> list[Question]:
    """Return the question whether to start without the spot check that cannot be made; none for one on loopback."""
    if is_loopback(server):
        return []
    sentence = _("{reason} Are you sure that none of these rows was sent from another computer?", reason=reason)
    return [Question(SPOT_CHECK, sentence, (Answer("yes", "--spot-check 0", gives=(("spot_check", 0),)),))]


def same_tickets_questions(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> list[Question]:
    """Return the question whether known rows that look like other tickets are the same ones, edited since.

    They do where most of them have another contact, or nothing but their status and solution in common with the rows
    that were sent. A row that moved on is no reason to ask. It is asked once for each state of a file.

    Raises StartRefused if --new-import says that they are not: then they need an import name of their own, because
    their keys are taken under this one.
    """
    if record is None or job.same_as:
        return []
    known, others = _known_and_other(plan)
    differing = len(others)
    about = f"{pair_side(plan.scope)} {plan.table.digest}"
    if differing < _FEW or differing * 2 <= known or journal.decisions.answered(SAME_TICKETS, about):
        return []
    values = {"differing": differing, "known": known, "path": plan.table.path, "name": record.name}
    if job.new_import:
        raise StartRefused(
            told(
                _(
                    "--new-import: {differing} of {known} known rows of {path} have keys under which import {name}"
                    " created cases. Other tickets with the same keys need an import name of their own: change"
                    " `import: {name}` in the mapping, and then run `{command}`.",
                    command=run_command("--new-import"),
                    **values,
                ),
                _(
                    "{differing} of {known} rows have the keys of cases that “{name}” created. Other tickets with"
                    " the same keys need an import of their own: give it another name on the page Match columns.",
                    **values,
                ),
            )
        )
    sentence = _(
        "{differing} of {known} known rows of {path} have the keys of cases that import {name} created, but another"
        " contact, or other contents throughout. (If these are other tickets, give the mapping an import name of its"
        " own.) Are these the same tickets, edited since?",
        **values,
    )
    answer = Answer(
        "yes",
        _("--same-tickets or --same-as {name}", name=record.name),
        alone="--same-tickets",
        gives=(("same_tickets", True),),
    )
    given = answer if job.same_tickets else None
    return [Question(SAME_TICKETS, sentence, (answer,), about, given=given, rows=frozenset(others))]


def _stand_in_is_not_the_crm(record: ImportRecord, scope: Scope) -> UsageError:
    values = {"name": record.name, "known": record.tenant, "server": scope.tenant}
    return UsageError(
        told(
            _(
                "Import {name} was made on {known}, and this run goes to {server}. One of them is a simulated CRM"
                " on this computer, and its cases are not in the other, so a row that was sent to one does not"
                " count as sent to the other. Leave out --same-as, or use another journal with `{command}`, to"
                " import these rows into {server}.",
                command=same_command("--journal", placeholder("FILE")),
                **values,
            ),
            _(
                "“{name}” was sent to {known}, and this run goes to {server}. One of them is a simulated CRM on"
                " this computer, so they are different cases. Answer that these are other tickets.",
                **values,
            ),
        )
    )


def _same_import(journal: Journal, scope: Scope, name: str) -> ImportRecord:
    """Return the import that --same-as names; raises UsageError unless there is exactly one."""
    candidates = [record for record in journal.imports.named(name) if record.operation == scope.operation]
    alike = [record for record in candidates if is_stand_in(record.tenant) == is_stand_in(scope.tenant)]
    here = [record for record in alike if same_tenant(record.tenant, scope.tenant)] or alike or candidates
    if len(here) > 1:  # one that created nothing stands in nobody's way
        here = [record for record in here if journal.rows.has_cases(record.id)] or here
    if len(here) == 1:
        return here[0]
    known = ", ".join(f"{record.name} ({record.tenant})" for record in journal.imports.all())
    raise UsageError(
        _(
            "--same-as {name}: this journal does not have exactly one import of that name for operation {operation}. It"
            " has: {known}.",
            name=name,
            operation=scope.operation,
            known=known or _("none"),
        )
    )


def _recorded(plan: Plan, name: str) -> str:
    """Return the name under which the column that the mapping calls so is recorded."""
    column = plan.headings.column(name)
    return name if column is None else plan.headings.recorded(column)


def _known_and_other(plan: Plan) -> tuple[int, list[int]]:
    """Return how many of the first rows are created, and the numbers of those that look like other tickets now."""
    columns = {rule.path: unaccented(_recorded(plan, rule.column)) for rule in plan.mapping.rules if rule.column}
    contact = columns.get("contact")
    keys = map(plan.headings.recorded, plan.key_columns)
    moves_on = {*(columns.get(path) for path in ("status", "solution")), *map(unaccented, keys)}
    lasting = {unaccented(column) for column in plan.content_columns if ROWS not in column} - moves_on

    def is_another(edited: tuple[str, ...] | None) -> bool:
        if edited is None:  # recorded by a version that kept no digests of columns
            return True
        names = set(map(unaccented, edited))
        return contact in names or (bool(lasting) and lasting <= names)

    known, others = 0, []
    for row in islice(plan, SAMPLE):
        known += row.status is Status.CREATED
        if row.is_changed and is_another(row.edited):
            others.append(row.number)
    return known, others
