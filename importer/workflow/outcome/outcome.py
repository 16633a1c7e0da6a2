"""The outcome of a command: the final state of every row, counted once, and the report about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from importer import report
from importer.errors import ReportError, SourceError
from importer.journal import ImportRecord, Journal, user_name
from importer.messages import _, ngettext
from importer.model import Cell, Counts, Issue, JournalRow, ReportContent, ReportRow, Status, Summary
from importer.model.edits import UpdateState
from importer.names import state_name
from importer.report_words import rehearsed
from importer.source import open_table
from importer.system.clock import local_datetime
from importer.system.spool import Spool
from importer.system.stopping import Stop
from importer.workflow.commands import Commands
from importer.workflow.corrections import rename_digest
from importer.workflow.outcome.accounting import account_of
from importer.workflow.outcome.contact_waits import NO_WAITS, ContactWaits, with_contact_waits
from importer.workflow.outcome.marks import with_marks
from importer.workflow.outcome.next_steps import Situation, Step, next_steps
from importer.workflow.outcome.reasons import issues_of, message_of
from importer.workflow.outcome.report_places import ReportOptions, ReportPlace, note_own
from importer.workflow.planning.changes import after_update, updates_from
from importer.workflow.planning.plan import Batch, Plan, PlannedRow, state_of

PAUSED = 3
"""Exit status if the same command, given again, finishes what is left."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a command did before its report; `reason` and `status` say why it stopped early, if it did.

    `held_back` means that valid rows were not sent because others are invalid, `searched` that the CRM was searched for
    every doubtful row, `rehearsal` that nothing reached the CRM.
    """

    started_at: datetime
    server: str | None = None
    run: int | None = None
    calls: int = 0
    reason: str | None = None
    status: int = 0
    held_back: bool = False
    searched: bool = False
    notes: tuple[str, ...] = ()
    rehearsal: bool = False
    contacts: ContactWaits = NO_WAITS
    unclear_contacts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: the counts that every output shows, and where the report is."""

    plan: Plan
    counts: Counts
    result: SendResult
    report: Path | None
    exit_status: int
    steps: tuple[Step, ...]
    commands: Commands
    notes: tuple[str, ...] = ()
    known: Mapping[str, int] = field(default_factory=dict)  # rows that were so at the last run already, by state

    @property
    def next_step(self) -> str:
        """Everything that there is to do, a line each, the most pressing first."""
        return _lines(self.steps)

    def reasons(self) -> Iterator[tuple[Status, Issue]]:
        """Yield the reasons for every row that needs attention: its issues, or the journal's message about it."""
        for row in self.plan:
            if issues := issues_of(row, self.commands):
                yield from ((row.status, issue) for issue in issues)
            elif (row.status is not Status.CREATED or row.differs or row.left_out) and (message := message_of(row)):
                yield row.status, Issue(row.number, None, None, row.status, message, self._remedy(row.status))

    def _remedy(self, status: Status) -> str:
        """Return what to do about a row in this state."""
        return next((step.sentence for step in self.steps if status in step.states), self.steps[0].sentence)


def now() -> datetime:
    """Return the current time in the user's own time zone."""
    return datetime.now(UTC).astimezone()


def exit_status(counts: Counts, result: SendResult) -> int:
    """Return the highest exit status that applies to the rows of a source and to the end of the run."""
    rows, contacts = 0, result.contacts
    goes_on = counts.planned - contacts.rejected or counts.to_update
    if counts.unknown or counts.conflict or contacts.unknown:
        rows = 4
    elif counts.sending or (goes_on and not result.held_back):
        rows = 3
    elif counts.planned or counts.invalid or counts.rejected or counts.changed:
        rows = 1
    return max(rows, result.status)


def _selection_note(plan: Plan) -> Iterator[str]:
    """Yield a note if rows were selected by their states."""
    if not plan.only:
        return
    states, rows = _(" or ").join(map(state_name, plan.only)), plan.counts().rows
    if plan.whole is None:
        yield ngettext(
            "Only the row that is or was {states} is counted and shown here (--only), not the whole source.",
            "Only the {count} rows that are or were {states} are counted and shown here (--only), not the whole"
            " source.",
            rows,
            states=states,
        )
    else:
        yield ngettext(
            "Only the row that is or was {states} is sent and counted by this command (--only); the report shows the"
            " whole source.",
            "Only the {count} rows that are or were {states} are sent and counted by this command (--only); the report"
            " shows the whole source.",
            rows,
            states=states,
        )


_FINAL = (Status.CREATED, Status.SKIPPED, Status.PART)
"""States of a plan that its own run does not change."""


def refresh(plan: Plan, journal: Journal, record: ImportRecord, quiet_period: float = 0.0) -> Plan:
    """Return the plan with what the journal knows now, after sending; rows in a final state are not read again.

    `quiet_period` is how many seconds pass before an update is sent again whose answer is missing.
    """
    batches: Spool[Batch] = Spool(in_memory=1)  # the plan's own batches are still in memory
    for batch in plan.batches:
        batches.append(_refresh_batch(batch, journal, record, quiet_period))
    return replace(plan, batches=batches, whole=plan.whole and refresh(plan.whole, journal, record, quiet_period))


def _refresh_batch(batch: Batch, journal: Journal, record: ImportRecord, quiet_period: float) -> Batch:
    """Return a batch with what the journal knows now about its rows that are not in a final state."""
    facts = batch.facts
    is_edited = facts["change"].notna()
    is_open = (~batch.in_state(*_FINAL) | is_edited) & (facts["key_digest"] != "")
    found = journal.rows.by_reference(record.id, facts.loc[is_open, "reference"].tolist())
    if not found:
        return batch
    names = ("known", "status", "differs", "change")
    known, states, differs, changes = (facts[name].tolist() for name in names)
    for at, row in enumerate(batch.rows()):
        if is_open.iat[at] and row.reference in found:
            known[at] = found[row.reference].row
            is_sent = row.status is Status.PLANNED  # then the journal has its present content
            if row.change is not None and known[at] != row.known:
                changes[at] = after_update(row, known[at], quiet_period)
            differs[at] = row.differs and not is_sent and (row.change is None or changes[at] is not None)
            is_part = row.part_of is not None
            states[at] = state_of(known[at], row.skipped, is_part=is_part, is_valid=row.is_valid, differs=differs[at])
    return batch.with_facts(known=known, status=states, differs=differs, change=changes)


def with_open_questions(result: SendResult, plan: Plan) -> SendResult:
    """Add the open questions that rows wait for, which are the reason unless something more pressing ended the run."""
    if not plan.waiting:  # none of the rows with an open question were selected
        return result
    notes = tuple(question.listed for question in plan.open_questions)
    reason = result.reason or "\n".join(notes)
    return replace(result, notes=(*result.notes, *notes), reason=reason, status=max(result.status, PAUSED))


def with_contacts(result: SendResult, plan: Plan, journal: Journal, quiet_period: float) -> tuple[SendResult, Plan]:
    """Add to a result how many rows wait for their contacts, and to the plan why; say what was created."""
    plan, waits = with_contact_waits(plan, journal, result.unclear_contacts, quiet_period, result.run)
    return replace(result, contacts=waits, notes=(*result.notes, *waits.notes())), plan


def report_outcome(  # noqa: PLR0913, PLR0917 - everything that a report is made of
    plan: Plan,
    journal: Journal,
    record: ImportRecord | None,
    result: SendResult,
    options: ReportOptions,
    situation: Situation,
    stop: Stop | None = None,
) -> Finished:
    """Write the report of a plan; return how the command ended.

    A run whose report cannot be written anywhere ends with a note about that: the journal has everything. Raises
    ReportError for a command whose only purpose is the report; KeyboardInterrupt where `stop` is requested now.
    """
    shown, summary = plan.whole or plan, summary_of(plan, result, situation.commands)
    counts = summary.counts if plan.whole is None else plan.counts(result.run)
    status = exit_status(counts, result)
    doubts = journal.doubts.of_import(record.id) if record else []
    situation = replace(
        situation,
        reason=result.reason,
        only=plan.only,
        held_back=result.held_back,
        searched=result.searched,
        rehearsal=result.rehearsal,
        waiting=plan.waiting,
        contacts=result.contacts,
        updates_from=updates_from(plan),
        example=next((doubt.reference for doubt in doubts), None),
    )
    of_all = situation if plan.whole is None else replace(situation, only=(), waiting=shown.waiting)
    if not result.rehearsal:
        summary = with_marks(summary, shown, journal, record)
    subjects = {doubt.reference: doubt.about for doubt in doubts}
    rows: Iterable[ReportRow] = ReportRows(shown, subjects, situation.commands, stop or Stop())
    if result.rehearsal:
        rows = _RehearsedRows(rows)
    content = ReportContent(summary, plan.columns, rows, options.case_url, plan.key_columns)
    if record is not None:
        note_own(options.path, journal, record)
    try:
        place = ReportPlace.choose(content, shown, journal, options)
        steps = next_steps(counts, replace(situation, report=place.path))
        to_do = next_steps(summary.counts, replace(of_all, report=place.path))
        content = replace(content, summary=replace(summary, next_step=_lines(to_do)))
        path, notes = _write(content, plan, journal, record, place)
    except ReportError as error:
        if result.run is None:
            raise
        again = Step(_("The report could not be written. `{command}` writes it.", command=situation.commands.report()))
        steps = (*next_steps(counts, situation), again)
        return Finished(
            plan, counts, result, None, max(status, PAUSED), steps, situation.commands, (*summary.notes, str(error))
        )
    if path != place.path:  # it was opened in another program just now
        steps = next_steps(counts, replace(situation, report=path))
    return Finished(plan, counts, result, path, status, steps, situation.commands, (*summary.notes, *notes))


def interruption_message(counts: Counts, command: str, stop: Stop | None = None) -> str:
    """Return the sentence for a run whose report was interrupted: what it created, and the command to give.

    It was by Ctrl-C unless `stop` knows otherwise.
    """
    values = {"command": command, "created": counts.created, "rows": counts.rows}
    if stop is not None and stop.requested and not stop.is_by_signal:
        return ngettext(
            "Stopped by request, without a report. {count} case was created in this run; {created} of {rows} rows"
            " have their case, and the journal has the ids. `{command}` continues the run and writes the report.",
            "Stopped by request, without a report. {count} cases were created in this run; {created} of {rows}"
            " rows have their case, and the journal has the ids. `{command}` continues the run and writes the"
            " report.",
            counts.created_now,
            **values,
        )
    return ngettext(
        "Stopped with Ctrl-C. {count} case was created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. `{command}` goes on, and writes the report.",
        "Stopped with Ctrl-C. {count} cases were created in this run; {created} of {rows} rows are created by now, and"
        " the journal has their ids. `{command}` goes on, and writes the report.",
        counts.created_now,
        **values,
    )


def _lines(steps: tuple[Step, ...]) -> str:
    return "\n".join(step.sentence for step in steps)


def summary_of(plan: Plan, result: SendResult, commands: Commands) -> Summary:
    """Return what the first page of a report says of a plan."""
    shown = plan.whole or plan
    return Summary(
        import_name=plan.mapping.import_name,
        source=plan.table.path.absolute(),
        source_digest=plan.table.digest,
        sheet=plan.table.sheet,
        mapping=plan.mapping.path,
        server=result.server,
        operation=plan.scope.operation,
        user=user_name(),
        started_at=result.started_at,
        ended_at=now(),
        run=result.run,
        counts=shown.counts(result.run),
        calls=result.calls,
        next_step="",
        notes=(*plan.notes, *_selection_note(plan), *result.notes),
        account=account_of(shown, commands),
        scopes=(plan.scope.parts, *(scope.parts for scope in plan.aliases)) if plan.aliases else (),
        rehearsal=result.rehearsal,
    )


def _write(
    content: ReportContent, plan: Plan, journal: Journal, record: ImportRecord | None, place: ReportPlace
) -> tuple[Path, list[str]]:
    """Write the report in every requested form; return its path, and notes about it."""
    ours = journal.imports.is_report
    written = [report.write(place.path, content, ours)]
    if place.page is not None:
        written.append(report.write(place.page, content, ours))
    if record is not None:
        for one in written:
            journal.imports.note_report(record.id, one.digest, str(plan.table.path.absolute()))
    notes = [*place.notes, *(one.note for one in written if one.note)]
    if place.page is not None:
        notes.append(_("Page: {path}", path=written[-1].path))
    if place.options.write_back:
        notes.append(_written_back(content, plan, journal, record))
        if record is not None and record.bound_to:
            journal.imports.bind(record, report.digest(plan.table.path))
    return written[0].path, notes


def _written_back(content: ReportContent, plan: Plan, journal: Journal, record: ImportRecord | None) -> str:
    """Put the report into the source workbook; return a note that names the backup, or why it was not done.

    A refusal is not an error of the run: its report is beside the source in any case.
    """
    try:
        written = report.write_back(plan.table.path, content, open_table, journal.imports.is_report)
    except ReportError as error:
        return str(error)
    if record is not None:
        journal.imports.note_report(record.id, written.digest)
    note = _(
        "The sheet Report is now in {path}; the workbook as it was before is kept in {backup}.",
        path=plan.table.path,
        backup=written.backup,
    )
    try:
        rename_digest(plan.table.path, plan.table.digest, report.digest(plan.table.path))
    except (SourceError, OSError) as error:  # the cases are sent, and this is no reason to end otherwise
        return f"{note} {error}"
    return note


class ReportRows:
    """The report's lines, made from the source and the plan each time they are iterated."""

    def __init__(self, plan: Plan, subjects: Mapping[str, str], commands: Commands, stop: Stop) -> None:
        self._plan, self._subjects, self._lines = plan, subjects, plan.further_lines()
        self._commands, self._stop = commands, stop

    def __iter__(self) -> Iterator[ReportRow]:
        columns = list(self._plan.columns)
        for frame, batch in self._plan.cells():
            self._stop.give_up()
            cells = zip(*(frame[column].tolist() for column in columns), strict=True)
            for row, row_cells in zip(batch.rows(), cells, strict=True):
                about, further_lines = self._subjects.get(row.reference), self._lines[row.number]
                yield _report_row(row, row_cells, about, further_lines, issues_of(row, self._commands))


class _RehearsedRows:
    """The lines of a rehearsal's report: no id and no reference in it can be taken for a real one."""

    def __init__(self, rows: Iterable[ReportRow]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[ReportRow]:
        for row in self._rows:
            ids = (text and rehearsed(text) for text in (row.wolkvox_id, row.id_prefijo, row.reference))
            wolkvox_id, id_prefijo, reference = ids
            yield replace(row, wolkvox_id=wolkvox_id, id_prefijo=id_prefijo, reference=reference)


def _report_row(
    row: PlannedRow, cells: tuple[Cell, ...], about: str | None, further_lines: int, issues: tuple[Issue, ...]
) -> ReportRow:
    known = row.known or JournalRow("", Status.PLANNED, "")
    return ReportRow(
        number=row.number,
        cells=cells,
        status=row.status,
        wolkvox_id=known.wolkvox_id,
        id_prefijo=known.id_prefijo,
        message=message_of(row),
        sent_at=None if known.sent_at is None else local_datetime(known.sent_at),
        run=known.run,
        reference=row.reference if row.key_digest else None,
        changed=row.is_changed,
        updated=None if known.update is None or known.update.state is not UpdateState.UPDATED else known.update.run,
        lines=1 + further_lines,
        issues=issues,
        about=about,
        part_of=row.part_of,
    )
