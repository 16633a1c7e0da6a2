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
from importer.messages import _, ngettext
from importer.model import Cell, Counts, Issue, JournalRow, ReportContent, ReportRow, Status, Summary
from importer.settings import case_url
from importer.source import open_table
from importer.spool import Spool
from importer.workflow.accounting import account_of
from importer.workflow.job import Job
from importer.workflow.plan import Batch, Plan, PlannedRow, state_of

PAUSED = 3
"""Exit status if the same command, given again, finishes what is left."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a command did before its report; `reason` and `status` say why it stopped early, if it did.

    `held_back` means that valid rows were not sent because others are invalid.
    """

    started_at: datetime
    server: str | None = None
    run: int | None = None
    calls: int = 0
    reason: str | None = None
    status: int = 0
    held_back: bool = False
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
    next_step: str
    notes: tuple[str, ...] = ()

    def reasons(self) -> Iterator[tuple[Status, Issue]]:
        """Yield the reasons for every row that needs attention: its issues, or the journal's message about it."""
        for row in self.plan:
            if issues := issues_of(row):
                yield from ((row.status, issue) for issue in issues)
            elif (row.status is not Status.CREATED or row.differs) and (message := message_of(row)):
                yield row.status, Issue(row.number, None, None, row.status, message, self.next_step)


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


def next_step(counts: Counts, result: SendResult, only: tuple[str, ...] = ()) -> str:
    """Return in one sentence what the person should do now, the most pressing step.

    `only` are the states by which rows were selected, if they were.
    """
    if result.reason:
        return result.reason
    if only and not counts.rows:
        return _(
            "Nothing to do: no row is or was {states}. Without --only every row is included.", states=_states(only)
        )
    done = _("Nothing is left to do: every row is created or skipped.")
    if counts.part:
        done = _("Nothing is left to do: every row is created, part of a created case, or skipped.")
    return next((sentence for applies, sentence in _steps(counts, chosen=bool(only)) if applies), done)


def _steps(counts: Counts, *, chosen: bool) -> Iterator[tuple[int, str]]:
    """Yield for each step the number of its rows and its sentence, the most pressing first."""
    doubtful, wrong = counts.unknown + counts.conflict, counts.invalid + counts.rejected
    yield (
        counts.sending,
        _("Another process is sending rows, or was when it stopped: give the same command again later."),
    )
    yield (
        doubtful,
        ngettext(
            "{count} row may or may not be a case: it is on the sheet `To decide`, and `case-importer settle` searches"
            " the CRM for it.",
            "{count} rows may or may not be cases: they are on the sheet `To decide`, and `case-importer settle`"
            " searches the CRM for them.",
            doubtful,
        ),
    )
    yield (
        wrong,
        ngettext(
            "Correct {count} row (the sheet `Issues` says what is wrong) and give the same command again: only rows"
            " that are not created yet will be sent.",
            "Correct {count} rows (the sheet `Issues` says what is wrong) and give the same command again: only rows"
            " that are not created yet will be sent.",
            wrong,
        ),
    )
    yield (
        counts.planned if chosen else 0,
        ngettext(
            "Give the same command without --only to send the row that is left: it is planned now.",
            "Give the same command without --only to send the {count} rows that are left: they are planned now.",
            counts.planned,
        ),
    )
    yield (
        counts.planned,
        ngettext(
            "Give `case-importer run` again to send the row that is left.",
            "Give `case-importer run` again to send the {count} rows that are left.",
            counts.planned,
        ),
    )
    yield (
        counts.changed,
        ngettext(
            "{count} row was edited after its case was created; change that case in the CRM by hand.",
            "{count} rows were edited after their cases were created; change those cases in the CRM by hand.",
            counts.changed,
        ),
    )


def _states(only: tuple[str, ...]) -> str:
    return _(" or ").join(only)


def _selection_note(plan: Plan, counts: Counts) -> Iterator[str]:
    """Yield a note if rows were selected by their states."""
    if plan.only:
        yield ngettext(
            "Only the row that is or was {states} is counted and shown here (--only), not the whole source.",
            "Only the {count} rows that are or were {states} are counted and shown here (--only), not the whole"
            " source.",
            counts.rows,
            states=_states(plan.only),
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
    reason = result.reason or _("Rows wait for an answer: {questions}", questions=" ".join(notes))
    return replace(result, notes=(*result.notes, *notes), reason=reason, status=max(result.status, PAUSED))


def report_outcome(
    plan: Plan, journal: Journal, record: ImportRecord | None, result: SendResult, options: ReportOptions
) -> Finished:
    """Write the report of a plan; return how the command ended.

    A run whose report cannot be written anywhere ends with a note about that: the journal has everything. Raises
    ReportError for a command whose only purpose is the report.
    """
    counts = plan.counts(result.run)
    status, advice = exit_status(counts, result), next_step(counts, result, plan.only)
    summary = replace(_summary(plan, result, counts, advice), journal=(journal.id, journal.highest_attempt()))
    subjects = {doubt.reference: doubt.about for doubt in journal.doubts.of_import(record.id)} if record else {}
    rows = _ReportRows(plan, subjects)
    content = ReportContent(summary, plan.columns, rows, options.case_url, plan.key_columns)
    try:
        path, notes = _write(content, plan, journal, record, options)
    except ReportError as error:
        if result.run is None:
            raise
        return Finished(plan, counts, result, None, max(status, PAUSED), advice, (*summary.notes, str(error)))
    return Finished(plan, counts, result, path, status, advice, (*summary.notes, *notes))


def _summary(plan: Plan, result: SendResult, counts: Counts, advice: str) -> Summary:
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
        next_step=advice,
        notes=(*plan.notes, *_selection_note(plan, counts), *result.notes),
        account=account_of(plan),
    )


def _write(
    content: ReportContent, plan: Plan, journal: Journal, record: ImportRecord | None, options: ReportOptions
) -> tuple[Path, list[str]]:
    """Write the report in every requested form; return its path, and notes about it."""
    ours = journal.imports.is_report
    written = [report.write(options.path, content, ours)]
    page = options.path.with_suffix(".html")
    if options.html and page != options.path:
        written.append(report.write(page, content, ours))
    if record is not None:
        for one in written:
            journal.imports.note_report(record.id, one.digest)
    notes = [one.note for one in written if one.note]
    if options.html:
        notes.append(_("Page: {path}", path=written[-1].path))
    if options.write_back:
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
    """Return what a person must correct in a row: faults in its cells, or why the CRM rejected it."""
    if row.status is Status.REJECTED and row.known is not None:
        message = _("Rejected by the CRM: {message}", message=row.known.message)
        remedy = _("correct the row, or give --retry-rejected once the CRM has what was missing")
        return (Issue(row.number, None, None, "rejected", message, remedy),)
    return row.issues if row.status in {Status.INVALID, Status.PART} else ()


def message_of(row: PlannedRow) -> str:
    """Return the message in a row's line; empty for a row that is simply created or planned."""
    if row.status in {Status.SKIPPED, Status.PART}:
        return row.skipped or ""
    if row.status in {Status.INVALID, Status.REJECTED}:
        return "; ".join(issue.message for issue in issues_of(row)) or _faulty_lines(row)
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
    if not row.faulty_lines:
        return ""
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
        yield report.EDITED_AFTERWARDS
