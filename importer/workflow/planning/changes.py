"""What becomes of edited rows: which cases an update may change, and what is in its way.

An update sends all the fields that `cases/update.php` documents, as they are mapped now, and nothing else. So it is
made only for a row whose edited columns fill no other field, and have not emptied one: an empty field is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd

from importer import payload, settings
from importer.commands import doctor_command, told
from importer.identity import same_content, same_files, tenant_of
from importer.journal_place import folder_of
from importer.mapping import ATTACHMENTS, LAST_LINE, ColumnUse
from importer.messages import _, ngettext
from importer.model import JournalRow, Payload, Status
from importer.model.edits import Blocker, Change, LastUpdate, UpdateState
from importer.system.spool import Spool
from importer.workflow.job import Job, LoadedJob, connection_in
from importer.workflow.keys.history import ImportHistory
from importer.workflow.planning.content_runs import NO_NEWER_RUNS, NewerRuns, newer_runs
from importer.workflow.planning.plan import SENT_LATER, Batch, Plan, PlannedRow, complete_fields
from importer.workflow.planning.planning import own_columns
from importer.workflow.tenant_facts import Findings

TextOf = Callable[[str], str]
"""Returns the text of a row's cell in a column."""

_ALWAYS_SENT = tuple(name for name in payload.UPDATE_FIELDS if name != "solution")


@dataclass(frozen=True, slots=True)
class UpdateConditions:
    """Under which conditions cases are updated.

    Without `updates`, edits are only reported. `off` is why no case is updated now, empty if cases are. `uncorrected`
    are the runs whose corrections are missing, and `other_mapping` those that used another mapping. `newer` are those
    of other sheets since the run of a report that was given back. `retry_refused` means that what the CRM refused is
    sent again, and `quiet_period` is how many seconds must have passed since an update whose answer is missing.
    """

    updates: bool = False
    off: str = ""
    uncorrected: frozenset[int] = frozenset()
    other_mapping: frozenset[int] = frozenset()
    newer: NewerRuns = NO_NEWER_RUNS
    retry_refused: bool = False
    quiet_period: float = 0.0


def judge_edits(plan: Plan, given: UpdateConditions) -> Plan:
    """Return the plan with what becomes of every row that was edited after its case was created."""
    if not any(_is_edited(batch).any() for batch in plan.batches):
        return plan
    batches: Spool[Batch] = Spool(in_memory=2)
    for frame, batch in plan.cells():
        which = _is_edited(batch)
        found: dict[int, Change] = {}
        for row in batch.rows(which):
            found[row.number] = judge(plan, row, partial(_text_of, frame, row.number), given)
        changes = [found.get(number) for number in batch.facts.index]
        batches.append(batch.with_facts(change=changes) if found else batch)
    changed = replace(plan, batches=batches)
    return replace(changed, notes=(*plan.notes, *_notes(changed, given)))


def conditions_of(loaded: LoadedJob, plan: Plan, history: ImportHistory, *, retry_refused: bool) -> UpdateConditions:
    """Return under which conditions a run of a job updates the cases of a plan."""
    job = loaded.job
    if not plan.mapping.updates_cases or history.journal is None or history.record is None:
        return UpdateConditions()
    table, runs = plan.table, history.journal.runs
    is_report = bool(own_columns(table.columns))  # then its cells are the corrected ones
    here = str(table.path.absolute()), plan.corrections.digest
    return UpdateConditions(
        updates=True,
        off=_why_off(job, plan),
        uncorrected=frozenset() if is_report else runs.without_corrections(history.record.id, *here),
        other_mapping=frozenset(run.id for run in runs.all() if run.start.mapping_digest != plan.mapping.digest),
        newer=newer_runs(plan, history.journal),
        retry_refused=retry_refused,
        quiet_period=job.quiet_period,
    )


def _why_off(job: Job, plan: Plan) -> str:
    """Return why no case of a tenant is updated; empty where it is known that an update empties nothing."""
    server, _operation = settings.server_and_operation(job.connection, connection_in(plan.mapping))
    scope = plan.scope if server is None else replace(plan.scope, tenant=tenant_of(server))
    findings = Findings.load(folder_of(job.journal_path), scope)
    if findings is None or findings.update_keeps_absent is None:
        command = doctor_command("--ask", "update")
        fills_form = any(rule.path.startswith("form.") for rule in plan.mapping.rules)
        return told(
            _(
                "`on_change: update` is off: it is not known yet whether an update empties what it does not send."
                " `{command}` finds that out.",
                command=command,
            )
            if fills_form
            else _(
                "`on_change: update` is off: it is not known yet whether an update empties what it does not send."
                " `{command}` finds that out once you name a field of the case's form there: this mapping fills none.",
                command=command,
            ),
            _(
                "Nobody has tried yet whether an update empties what it does not send, so no case is updated. Whoever"
                " looks after this program has to try that once, with a test case. Until then, change these cases in"
                " the CRM by hand."
            ),
        )
    if not findings.update_keeps_absent:
        return _("No case is updated: in this CRM, an update empties the fields that it does not send.")
    return ""


def _is_edited(batch: Batch) -> pd.Series[bool]:
    return batch.in_state(Status.CREATED) & batch.facts["differs"].astype(bool)


def _text_of(frame: pd.DataFrame, number: int, column: str) -> str:
    return str(frame.loc[number, column]) if column in frame.columns else ""


def judge(plan: Plan, row: PlannedRow, text_of: TextOf, given: UpdateConditions) -> Change:
    """Return what becomes of the edit of one row; `text_of` gives its cell in a column."""
    edited = None if row.edited is None else tuple(dict.fromkeys(name.removesuffix(LAST_LINE) for name in row.edited))
    known, last = row.known, row.known.update if row.known else None
    if known is None or not given.updates:
        return Change("report", edited)
    if last is not None and last.may_have_arrived:
        awaited = after_last(row, last, given, Change("update", edited))
        if awaited.state in {"unknown", "sending"}:  # nothing else is said, or decided, as long as it may still arrive
            return awaited
    if row.issues or row.faulty_lines:
        return Change("invalid", edited)
    older = _why_older(row, given.newer)
    if not older and (blockers := tuple(_blockers(plan, row, text_of))):  # what can be done by hand, if it should be
        return Change("not-updatable", edited, blockers)
    if reason := older or _why_held(row, known, given):
        return Change("held", edited, reason=reason)
    return after_last(row, last, given, Change("update", edited))


def after_last(row: PlannedRow, last: LastUpdate | None, given: UpdateConditions, change: Change) -> Change:
    """Return what becomes of an edit that could be sent, after what came of the last update of its case."""
    if last is None:
        return change
    if last.state is UpdateState.SENDING:
        return replace(change, state="sending")
    if last.refused is not None and same_content(last.refused.content_hash, row.content_hash):
        return change if given.retry_refused else replace(change, state="refused", reason=last.refused.message)
    if last.state is UpdateState.UNKNOWN:
        again = None if last.over_at is None else last.over_at + timedelta(seconds=given.quiet_period)
        waits = again is None or again > datetime.now(UTC)
        if waits:
            return replace(change, state="unknown", reason=last.message, not_before=again)
        return replace(change, reason=last.message)
    return change


def after_update(row: PlannedRow, known: JournalRow, quiet_period: float) -> Change | None:
    """Return what became of the edit of a row in a run, None where the journal has its present content now."""
    arrived = known.update is None or not known.update.may_have_arrived
    if row.change is None or (arrived and same_content(known.content_hash, row.content_hash)):
        return None
    if row.change.state not in SENT_LATER:
        return row.change
    given = UpdateConditions(updates=True, quiet_period=quiet_period)
    return after_last(row, known.update, given, replace(row.change, state="update", reason=""))


def updates_from(plan: Plan) -> datetime | None:
    """Return from when on the last of the updates may be sent whose answers are missing; None where none waits."""
    waiting = (row.change.not_before for row in plan.edited("unknown") if row.change)
    return max(filter(None, waiting), default=None)


def update_payload(plan: Plan, row: PlannedRow) -> Payload:
    """Return the body that updates the case of a row: every field that an update may change, as it is mapped now."""
    fields, known = complete_fields(plan, row), row.known
    values = {name: fields.get(name) for name in payload.UPDATE_FIELDS}
    form = {path.removeprefix("form."): value for path, value in fields.items() if path.startswith("form.")}
    wolkvox_id = (known.wolkvox_id if known else None) or ""
    return payload.update_body(wolkvox_id, values, form or None, plan.scope.operation, row.reference)


def _why_held(row: PlannedRow, known: JournalRow, given: UpdateConditions) -> str:
    """Return why the case of a row is not updated, although it could be; empty where it is."""
    if row.skipped is not None:
        return _("The row is left out ({reason}).", reason=row.skipped)
    if known.deleted:
        return _("The case was deleted from the CRM, as a person reported.")
    if known.disputed or not known.wolkvox_id:
        return _("It is not certain which case is this row's.")
    if given.off:
        return given.off
    run = _last_run(row)
    if run in given.uncorrected:
        return _(
            "The corrections with which this row was sent in run {run} are not beside this sheet; an update could undo"
            " them.",
            run=run,
        )
    return ""


def _why_older(row: PlannedRow, newer: NewerRuns) -> str:
    """Return why the row of a report is older than what the journal knows of it; empty where it is not.

    An update counts whatever came of it: a newer sheet has asked for it, and decides what becomes of it.
    """
    update = row.known.update if row.known else None
    runs = {_last_run(row), update.run if update else None} & newer.runs
    if not runs:
        return ""
    return _(
        "This report is of run {run}, and run {later} took a newer state of this row from another sheet. Make the edit"
        " in the newest sheet.",
        run=newer.since,
        later=max(filter(None, runs)),
    )


_MOVED = {UpdateState.UPDATED, UpdateState.ACCEPTED}
"""States of an update after which its content is the one that the journal knows."""


def _blockers(plan: Plan, row: PlannedRow, text_of: TextOf) -> Iterator[Blocker]:
    """Yield what keeps an edited row from being updated."""
    if row.edited is None:
        yield Blocker("", "", "unknown")
        return
    if row.known is not None and not same_files(row.known.content_hash, row.content_hash):
        yield Blocker("", ATTACHMENTS)
    emptied: set[str] = set()
    for name in dict.fromkeys(name.removesuffix(LAST_LINE) for name in row.edited):
        column = name if name in plan.uses else plan.headings.column(name)
        uses = plan.uses.get(column, ()) if column is not None else ()
        if not uses and column not in plan.key_columns:
            yield Blocker(name, "", "unused")
        for use in uses:
            if not _is_updatable(use.path):
                yield Blocker(name, use.path)
            elif row.fields.get(use.path) is None and _may_have_had_a_value(plan, use, text_of):
                emptied.add(use.path)
                yield Blocker(name, use.path, "emptied")
    columns = {rule.path: rule.column for rule in plan.mapping.rules}
    for path in _ALWAYS_SENT:
        if row.fields.get(path) is None and path not in emptied:
            yield Blocker(columns.get(path) or "", path, "emptied")


def _is_updatable(path: str) -> bool:
    return path in payload.UPDATE_FIELDS or path.startswith("form.")


def _may_have_had_a_value(plan: Plan, use: ColumnUse, text_of: TextOf) -> bool:
    """Tell whether a field that has no value now may have had one before a column of it was edited.

    It had none if the column is only in its conditions, and its own columns, which were not edited, are blank.
    """
    if not use.is_condition:
        return True
    own = [column for column, uses in plan.uses.items() if ColumnUse(use.path) in uses]
    return not own or any(text_of(column).strip() for column in own)


def _notes(plan: Plan, given: UpdateConditions) -> Iterator[str]:
    """Yield why cases are not updated, once for all of them."""
    if given.off and any(change == given.off for change in _reasons(plan)):
        yield given.off
    if others := sum(_last_run(row) in given.other_mapping for row in plan.edited("update")):
        yield ngettext(
            "{count} case to update was last sent with another mapping. An update sends every field that it can, as it"
            " is mapped now, also where the row was not edited.",
            "{count} cases to update were last sent with another mapping. An update sends every field that it can, as"
            " it is mapped now, also where the row was not edited.",
            others,
        )


def _last_run(row: PlannedRow) -> int | None:
    """Return the run that sent what the journal knows of a row's content."""
    known = row.known
    if known is None:
        return None
    return known.update.run if known.update and known.update.state in _MOVED else known.run


def _reasons(plan: Plan) -> Iterator[str]:
    for batch in plan.batches:
        yield from {change.reason for change in batch.facts["change"].dropna()}
