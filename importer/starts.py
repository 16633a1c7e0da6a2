"""No silent second start: what makes a run refuse before it could make second cases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from importer import report
from importer.desk import Desk
from importer.errors import ReportError, StartRefused, UsageError
from importer.findings import QUIET_PERIOD
from importer.hosts import is_loopback
from importer.identity import Scope, is_stand_in, same_tenant
from importer.job import Job
from importer.journal import ImportRecord, Journal
from importer.messages import _
from importer.model import Status
from importer.plan import Plan
from importer.planning import id_column, own_columns
from importer.source import Table

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


def refuse_second_start(job: Job, plan: Plan, journal: Journal, record: ImportRecord | None) -> None:
    """Raise StartRefused where a run could make second cases and nobody said how to go on."""
    if not job.look_first:
        refuse_unknown_ids(plan, journal, job.report_path)
    if job.new_import or job.same_as:
        return
    if record is None:
        refuse_other_import(plan, journal)
    else:
        refuse_other_tickets(plan, record)


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


def refuse_other_tickets(plan: Plan, record: ImportRecord) -> None:
    """Raise StartRefused where most rows that are created already hold something else now: another file's tickets."""
    known = differing = 0
    for planned in islice(plan, _SAMPLE):
        known += planned.status is Status.CREATED
        differing += planned.status is Status.CREATED and planned.differs
    if differing >= _FEW and differing * 2 > known:
        raise StartRefused(
            _(
                "{differing} of {known} rows of {path} have the keys of cases that import {name} created, with other"
                " contents. If these are other tickets, give the mapping an import name of its own; if they are the"
                " same tickets, edited since, give --same-as {name}.",
                differing=differing,
                known=known,
                path=plan.table.path,
                name=record.name,
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


def refuse_unknown_ids(plan: Plan, journal: Journal, report_path: Path) -> None:
    """Raise StartRefused where the source, or a report beside it, holds ids of cases that the journal lacks.

    They say that these rows became cases by way of a journal that is not here, or that a person's verdicts were not
    taken over yet.
    """
    source = plan.table.path
    reports = sorted({report.default_path(source), report_path} - {source})
    places = [
        (source, _ids_in_source(plan)),
        *((path, _ids_in_report(path, journal, decided=False)) for path in reports),
    ]
    for path, ids in places:
        if lacking := journal.rows.lacking_ids(ids):
            raise StartRefused(
                _(
                    "{path} holds the ids of cases (such as {example}) that this journal does not know: they were"
                    " created from another computer or with another journal, and would be created again. Take them"
                    " over with `case-importer adopt {path} -m {mapping}`, or give --look-first to search the CRM for"
                    " every row before it is sent.",
                    path=path,
                    example=lacking[0],
                    mapping=plan.mapping.path,
                )
            )
    for path in reports:
        if journal.rows.lacking_ids(_ids_in_report(path, journal, decided=True)):
            raise StartRefused(
                _(
                    "{path}: the verdicts in its sheet `To decide` were not taken over yet. Do that with"
                    " `case-importer settle -m {mapping} --from {path}`, then give the same command again.",
                    path=path,
                    mapping=plan.mapping.path,
                )
            )


def refuse_other_import(plan: Plan, journal: Journal) -> None:
    """Raise StartRefused where most keys of a new import belong to another import already."""
    if not plan.mapping.key:
        return
    digests = [planned.row.identity.key_digest for planned in islice(plan, _SAMPLE) if planned.row.identity]
    for other, known in journal.imports.knowing(digests):
        if known * 2 > len(digests) and _could_be_one(other, plan.scope):
            raise StartRefused(
                _(
                    "{known} of the first {count} keys in {path} belong to import {other} already (operation"
                    " {operation}, server {server}). If this is that import under another name or host, give --same-as"
                    " {other}; if these tickets shall become cases of their own here, give --new-import.",
                    known=known,
                    count=len(digests),
                    path=plan.table.path,
                    other=other.name,
                    operation=other.operation,
                    server=other.tenant,
                )
            )


def agree_to_first_run(plan: Plan, server: str, desk: Desk, *, said: bool) -> None:
    """Ask whether this really is the first run of an import, unless that was said or nothing real can happen.

    Raises UsageError where the person declines or cannot be asked.
    """
    if not said and not is_loopback(server):
        desk.agree(
            _(
                "This is the first run of import {name} (operation {operation}, server {server}) in this journal. Were"
                " none of its rows ever sent from another computer or with another journal?",
                name=plan.scope.import_name,
                operation=plan.scope.operation,
                server=server,
            ),
            option="--first-run",
        )


def _could_be_one(other: ImportRecord, scope: Scope) -> bool:
    """Tell whether cases of the two could be in one CRM; a stand-in on loopback shares cases with nobody."""
    if same_tenant(other.tenant, scope.tenant):
        # the very same: another process has just begun it
        return (other.operation, other.name) != (scope.operation, scope.import_name)
    return not (is_stand_in(other.tenant) or is_stand_in(scope.tenant))


def _ids_in_source(plan: Plan) -> Iterator[str]:
    """Yield what stands in a column `wolkvox_id` of the source."""
    if column := id_column(plan.table.columns):
        for frame in plan.frames:
            yield from filter(None, (str(cell).strip() for cell in frame[column]))


def _ids_in_report(path: Path, journal: Journal, *, decided: bool) -> Iterator[str]:
    """Yield the ids in a report, those that a person `decided` on or the others.

    Nothing where there is no report, or where it is as this journal's own runs wrote it. Raises StartRefused where
    nobody can tell what is in it.
    """
    if not path.is_file():
        return
    try:
        if not journal.imports.is_report(report.digest(path)):
            for row in report.read_rows(path):
                if row.wolkvox_id and decided == bool(row.verdict):
                    yield row.wolkvox_id
    except (ReportError, OSError) as error:
        raise StartRefused(
            _(
                "{path} lies where the report goes, and could hold the ids of an earlier run, but it cannot be read:"
                " {reason} If it is no report, move it away or name another file with --report; if it is one, bring it"
                " back as it was written.",
                path=path,
                reason=str(error),
            )
        ) from error
