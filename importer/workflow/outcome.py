"""The outcome of a command: the final state of every row, counted once, and the report about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from importer import report
from importer.clock import local_datetime
from importer.errors import ReportError
from importer.journal import ImportRecord, Journal, user_name
from importer.messages import _, ngettext, translated
from importer.model import Cell, Counts, Issue, JournalRow, ReportContent, ReportRow, Status, Summary
from importer.names import state_name
from importer.settings import case_url
from importer.source import open_table
from importer.spool import Spool
from importer.workflow.accounting import account_of
from importer.workflow.job import Job
from importer.workflow.next_steps import Situation, Step, next_steps
from importer.workflow.plan import KNOWN_TWICE, Batch, Plan, PlannedRow, state_of

PAUSED = 3
"""Exit status if the same command, given again, finishes what is left."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a command did before its report; `reason` and `status` say why it stopped early, if it did.

    `held_back` means that valid rows were not sent because others are invalid, `searched` that the CRM was searched for
    every doubtful row.
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


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Where the report goes, and whether to write a page beside it and the sheet in the source workbook, too.

    `case_url` leads to a case once its `{wolkvox_id}` is filled in; None if it is not set.
    """

    path: Path
    case_url: str | None = None
    html: bool = False
    write_back: bool = False

    @classmethod
    def of(cls, job: Job) -> ReportOptions:
        """Return the options of a job; raises SettingsError if the address of a case is not valid."""
        return cls(job.report_path, case_url(), job.html, job.write_back)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: the counts that every output shows, and where the report is."""

    plan: Plan
    counts: Counts
    result: SendResult
    report: Path | None
    exit_status: int
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def next_step(self) -> str:
        """Everything that there is to do, a line each, the most pressing first."""
        return _lines(self.steps)

    def reasons(self) -> Iterator[tuple[Status, Issue]]:
        """Yield the reasons for every row that needs attention: its issues, or the journal's message about it."""
        for row in self.plan:
            if issues := issues_of(row):
                yield from ((row.status, issue) for issue in issues)
            elif (row.status is not Status.CREATED or row.differs) and (message := message_of(row)):
                yield row.status, Issue(row.number, None, None, row.status, message, self._remedy(row.status))

    def _remedy(self, status: Status) -> str:
        """Return what to do about a row in this state."""
        return next((step.sentence for step in self.steps if status in step.states), self.steps[0].sentence)


def now() -> datetime:
    """Return the current time in the user's own time zone."""
    return datetime.now(UTC).astimezone()


def exit_status(counts: Counts, result: SendResult) -> int:
    """Return the highest exit status that applies to the rows of a source and to the end of the run."""
    rows = 0
    if counts.unknown or counts.conflict:
        rows = 4
    elif counts.sending or (counts.planned and not result.held_back):
        rows = 3
    elif counts.planned or counts.invalid or counts.rejected or counts.changed:
        rows = 1
    return max(rows, result.status)


def _selection_note(plan: Plan, counts: Counts) -> Iterator[str]:
    """Yield a note if rows were selected by their states."""
    if plan.only:
        yield ngettext(
            "Only the row that is or was {states} is counted and shown here (--only), not the whole source.",
            "Only the {count} rows that are or were {states} are counted and shown here (--only), not the whole"
            " source.",
            counts.rows,
            states=_(" or ").join(map(state_name, plan.only)),
        )


_FINAL = (Status.CREATED, Status.SKIPPED, Status.PART)
"""States of a plan that its own run does not change."""


def refresh(plan: Plan, journal: Journal, record: ImportRecord) -> Plan:
    """Return the plan with what the journal knows now, after sending; rows in a final state are not read again."""
    batches: Spool[Batch] = Spool(in_memory=1)  # the plan's own batches are still in memory
    for batch in plan.batches:
        batches.append(_refresh_batch(batch, journal, record))
    return replace(plan, batches=batches)


def _refresh_batch(batch: Batch, journal: Journal, record: ImportRecord) -> Batch:
    """Return a batch with what the journal knows now about its rows that are not in a final state."""
    facts = batch.facts
    is_open = ~batch.in_state(*_FINAL) & (facts["key_digest"] != "")
    found = journal.rows.by_reference(record.id, facts.loc[is_open, "reference"].tolist())
    if not found:
        return batch
    known, states, differs = facts["known"].tolist(), facts["status"].tolist(), facts["differs"].tolist()
    for at, row in enumerate(batch.rows()):
        if is_open.iat[at] and row.reference in found:
            known[at] = found[row.reference].row
            is_sent = row.status is Status.PLANNED  # then the journal has its present content
            differs[at] = row.differs and not is_sent
            is_part = row.part_of is not None
            states[at] = state_of(known[at], row.skipped, is_part=is_part, is_valid=row.is_valid, differs=differs[at])
    return batch.with_facts(known=known, status=states, differs=differs)


def with_open_questions(result: SendResult, plan: Plan) -> SendResult:
    """Add the open questions that rows wait for, which are the reason unless something more pressing ended the run."""
    if not plan.waiting:  # none of the rows with an open question were selected
        return result
    notes = tuple(question.listed for question in plan.open_questions)
    reason = result.reason or "\n".join(notes)
    return replace(result, notes=(*result.notes, *notes), reason=reason, status=max(result.status, PAUSED))


def report_outcome(  # noqa: PLR0913, PLR0917 - everything that a report is made of
    plan: Plan,
    journal: Journal,
    record: ImportRecord | None,
    result: SendResult,
    options: ReportOptions,
    situation: Situation,
) -> Finished:
    """Write the report of a plan; return how the command ended.

    A run whose report cannot be written anywhere ends with a note about that: the journal has everything. Raises
    ReportError for a command whose only purpose is the report.
    """
    counts = plan.counts(result.run)
    status = exit_status(counts, result)
    doubts = journal.doubts.of_import(record.id) if record else []
    situation = replace(
        situation,
        reason=result.reason,
        only=plan.only,
        held_back=result.held_back,
        searched=result.searched,
        waiting=plan.waiting,
        example=next((doubt.reference for doubt in doubts), None),
    )
    summary = replace(_summary(plan, result, counts), journal=(journal.id, journal.highest_attempt()))
    rows = _ReportRows(plan, {doubt.reference: doubt.about for doubt in doubts})
    content = ReportContent(summary, plan.columns, rows, options.case_url, plan.key_columns)
    try:
        place = ReportPlace.choose(content, plan, journal, options)
        steps = next_steps(counts, replace(situation, report=place.path))
        content = replace(content, summary=replace(summary, next_step=_lines(steps)))
        path, notes = _write(content, plan, journal, record, place)
    except ReportError as error:
        if result.run is None:
            raise
        again = Step(_("The report could not be written. `{command}` writes it.", command=situation.commands.report()))
        steps = (*next_steps(counts, situation), again)
        return Finished(plan, counts, result, None, max(status, PAUSED), steps, (*summary.notes, str(error)))
    if path != place.path:  # it was opened in another program just now
        steps = next_steps(counts, replace(situation, report=path))
    return Finished(plan, counts, result, path, status, steps, (*summary.notes, *notes))


def _lines(steps: tuple[Step, ...]) -> str:
    return "\n".join(step.sentence for step in steps)


def _summary(plan: Plan, result: SendResult, counts: Counts) -> Summary:
    return Summary(
        import_name=plan.mapping.import_name,
        source=plan.table.path,
        source_digest=plan.table.digest,
        sheet=plan.table.sheet,
        mapping=plan.mapping.path,
        server=result.server,
        operation=plan.scope.operation,
        user=user_name(),
        started_at=result.started_at,
        ended_at=now(),
        run=result.run,
        counts=counts,
        calls=result.calls,
        next_step="",
        notes=(*plan.notes, *_selection_note(plan, counts), *result.notes),
        account=account_of(plan),
    )


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where a report goes, and why not where it was asked for; `page` is where its page goes, None without one."""

    path: Path
    page: Path | None
    options: ReportOptions
    notes: tuple[str, ...]

    @classmethod
    def choose(cls, content: ReportContent, plan: Plan, journal: Journal, options: ReportOptions) -> ReportPlace:
        """Return the place for a report that replaces neither a person's work nor a better report of a newer file.

        A page that an earlier command wrote beside it is renewed. Raises ReportError if every name is taken.
        """
        ours, source = journal.imports.is_report, str(plan.table.path.absolute())
        better: list[Path] = []

        def keep(path: Path) -> str | None:
            known = journal.imports.source_of_report(report.digest(path)) if path.is_file() else None
            if known == source or not is_better(path, plan):  # most are known without opening them
                return None
            better.append(path)
            return _("{name} is the report of a newer file, and shows more rows as created", name=path.name)

        path, notes = report.choose_path(options.path, content, ours, keep)
        page = (path if better else options.path).with_suffix(".html")
        is_renewed = options.html or (page.is_file() and ours(report.digest(page)))
        return cls(path, page if is_renewed and page != path else None, options, tuple(notes))


def is_better(path: Path, plan: Plan) -> bool:
    """Tell whether an existing report is that of a newer file, and shows rows as created that are not so in a plan.

    A report that was corrected and given back has such a report: its source is newer than the one it was made from.
    """
    source = plan.table.path
    if not path.is_file() or not source.is_file() or source.stat().st_mtime_ns >= path.stat().st_mtime_ns:
        return False
    if report.is_about(path, source, open_table) is not False:
        return False
    created = {row.reference for row in report.read_rows(path, open_table) if row.status == Status.CREATED}
    return any(row.reference in created and (row.status is not Status.CREATED or row.is_changed) for row in plan)


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
    return _(
        "The sheet Report is now in {path}; the workbook as it was before is kept in {backup}.",
        path=plan.table.path,
        backup=written.backup,
    )


class _ReportRows:
    """The report's lines, made from the source and the plan each time they are iterated."""

    def __init__(self, plan: Plan, subjects: Mapping[str, str]) -> None:
        self._plan, self._subjects, self._lines = plan, subjects, plan.further_lines()

    def __iter__(self) -> Iterator[ReportRow]:
        columns = list(self._plan.columns)
        for frame, batch in self._plan.cells():
            cells = zip(*(frame[column].tolist() for column in columns), strict=True)
            for row, row_cells in zip(batch.rows(), cells, strict=True):
                yield _report_row(row, row_cells, self._subjects.get(row.reference), self._lines[row.number])


def _report_row(row: PlannedRow, cells: tuple[Cell, ...], about: str | None, further_lines: int) -> ReportRow:
    known = row.known or _NOTHING_KNOWN
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
        lines=1 + further_lines,
        issues=issues_of(row),
        about=about,
    )


_NOTHING_KNOWN = JournalRow("", Status.PLANNED, "")


def issues_of(row: PlannedRow) -> tuple[Issue, ...]:
    """Return what a person must correct in a row: faults in its cells, or why the CRM rejected it, or two cases."""
    if row.status is Status.REJECTED and row.known is not None:
        message = _("Rejected by the CRM: {message}", message=row.known.message)
        remedy = _("correct the row, or give --retry-rejected once the CRM has what was missing")
        return (Issue(row.number, None, None, "rejected", message, remedy),)
    if row.status in {Status.INVALID, Status.PART}:
        return row.issues
    return tuple(issue for issue in row.issues if issue.code == KNOWN_TWICE)


def message_of(row: PlannedRow) -> str:
    """Return the message in a row's line; empty for a row that is simply created or planned."""
    if row.status in {Status.SKIPPED, Status.PART}:
        return row.skipped or ""
    if row.status in {Status.INVALID, Status.REJECTED}:
        found = "; ".join(issue.message for issue in issues_of(row))
        return found or (_faulty_lines(row) if row.faulty_lines else "")
    if row.status is Status.PLANNED and row.waits is not None:
        return row.waits
    if row.status is Status.CREATED:
        return " ".join(_flags(row))
    if row.status is Status.SENDING and row.known and row.known.lease_until:
        return _(
            "Being sent to the CRM; if that process has stopped, the row becomes unknown at {until:%H:%M:%S}.",
            until=row.known.lease_until,
        )
    return row.known.message if row.known else ""


def _faulty_lines(row: PlannedRow) -> str:
    """Return why a row is not sent that has no issues itself."""
    return ngettext(
        "Not sent: row {rows}, a further line of this case, must be corrected first.",
        "Not sent: rows {rows}, further lines of this case, must be corrected first.",
        len(row.faulty_lines),
        rows=", ".join(map(str, row.faulty_lines)),
    )


def _flags(row: PlannedRow) -> Iterator[str]:
    """Yield what a reader must know about a created row."""
    if row.known and row.known.disputed:
        yield _("Disputed: the CRM gave this id to another row, too; see the sheet To decide.")
    if row.known and row.known.deleted:
        yield _("This case was deleted from the CRM, as a person reported.")
    if row.differs:
        yield translated(report.EDITED_AFTERWARDS)
